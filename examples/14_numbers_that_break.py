"""Why is the loss computed from scores (logits)? The textbook formula takes probabilities.

Floats have 16 digits, and the largest is 1.8e308. We follow the textbook formulas to the scores
where they break. The obvious repair is clipping, and we see why it makes things worse. The right
way is to compute the loss from the score. Then no intermediate result overflows or rounds to 1.

Exercises (answers are checked by tests/course/test_exercises.py)
1.  log_add(a, b): log(exp(a) + exp(b)), correct for a = b = 1000 and for a = b = -1000.
2.  binary_loss(z, y): the loss of a score z with a label 0 or 1, with at least 12 correct digits
    for every z from -1000 to 1000. Do not use this package.
3.  log_odds(log_p): the score z whose log_sigmoid is log_p. That is log(p / (1 - p)), computed
    from log p. It should also be correct if p rounds to 1. (math.expm1(x) is exp(x) - 1 without
    the rounding error.)
"""

import math

from course import picture, say, section, table

from tinygrad_lr import (
    Value, binary_cross_entropy, binary_cross_entropy_with_logits, clip, detect_anomaly, grad,
    log, logistic_density, sigmoid, softmax, softplus,
)  # fmt: skip
from tinygrad_lr.data import Batches, load_breast_cancer
from tinygrad_lr.metrics import accuracy
from tinygrad_lr.optim import SGD
from tinygrad_lr.training import DivergenceError, minimize


def attempt(f, *args):
    """The result of f(*args) as text, or the name of the error that it raises."""
    try:
        return f"{f(*args):.6g}"
    except (ArithmeticError, ValueError) as error:
        return type(error).__name__


X, y, *_ = load_breast_cancer()


def learn(loss):
    """Gradient descent on loss(z, y): how far it came in 100 steps, and the accuracy then."""
    w, b = Value([0.0] * 30), Value(0.0)
    try:
        minimize(lambda X, y: loss(X @ w + b, y), [w, b], Batches(X, y), SGD([w, b], lr=0.001), 100)
        reached = "all 100 steps"
    except DivergenceError as error:
        reached = f"until step {error.step}, where the loss is {error.loss}"
    return reached, accuracy(y, X @ w.data + b.data >= 0.0)


def book_softmax(z):
    """The textbook formula of softmax, for a list of scores."""
    total = sum(map(math.exp, z))
    return [math.exp(v) / total for v in z]


section("1. Overflow: exp(-z) is larger than the largest float")
from_book = lambda z: 1.0 / (1.0 + math.exp(-z))
rows = [(z, attempt(from_book, z), attempt(sigmoid, z)) for z in (-2.0, -700.0, -710.0, -1e6)]
table(["score z", "1 / (1 + exp(-z))", "sigmoid(z)"], rows)
say("""For z < 0 our sigmoid computes exp(z) / (1 + exp(z)) instead. It is the same number, and
exp(z) does not overflow.""")

# Softmax depends on differences of scores only. So our softmax first subtracts the largest score.
rows = [
    (str(z), attempt(lambda: book_softmax(z)[0]), attempt(lambda: softmax(z)[0]))
    for z in ((1.0, 0.0), (710.0, 709.0), (-750.0, -751.0))
]
table(["scores", "textbook formula", "softmax"], rows)

section("2. Rounding: p becomes 1, so 1 - p and p (1 - p) become 0, and log(0) fails")
# The label is 0, and the score grows. The loss is -log(1 - p), which is about z.
loss_from_book = lambda z: -math.log(1.0 - from_book(z))
loss_of_score = lambda z: binary_cross_entropy_with_logits(z, 0.0)
rows = [
    (z, 1.0 - sigmoid(z), attempt(loss_from_book, z), attempt(loss_of_score, z))
    for z in (1.0, 20.0, 36.0, 37.0, -40.0)
]
table(["score z", "1 - p", "-log(1 - p)", "softplus(z)"], rows)
say("""At z = 36 the textbook formula has wrong digits, at z = 37 it has no value. At z = -40 the
prediction is right, and the formula gives the loss 0, because 1 - p rounds to 1.""")

# The derivative of the sigmoid has the same problem. It is p (1 - p).
rows = [(z, sigmoid(z) * (1.0 - sigmoid(z)), logistic_density(z)) for z in (10.0, 30.0, 36.0, 40.0)]
table(["score z", "p * (1 - p)", "exp(-z) / (1 + exp(-z))^2"], rows)
say("""The derivative is tiny, but it is not 0. The second formula keeps all digits, because it
never subtracts p from 1.""")

section("3. The obvious repair, clipping, hides the flaw")
# Keep p between eps and 1 - eps. Then all numbers are finite. But what is the slope of the loss?
EPS = 1e-7
clipped = lambda z: -log(1.0 - clip(sigmoid(z), EPS, 1.0 - EPS))
rows = [
    (z, clipped(z), loss_of_score(z), grad(clipped)(z), grad(loss_of_score)(z))
    for z in (1.0, 15.0, 17.0, 40.0)
]
table(["score z", "loss, clipped", "loss", "slope, clipped", "slope p - y"], rows)

section("4. Where the slope is 0, gradient descent cannot correct an error")


# The label is 0. We start at z = 40, where the model is confident and wrong, and count the steps
# until z is negative.
def steps_to_correct(loss, most=100):
    z = Value(40.0)
    for step in range(most):
        if z.data < 0.0:
            return f"after {step} steps"
        loss(z).backward()
        z.data, z.grad = z.data - 1.0 * z.grad, None
    return f"never (z is still {z.data:g})"


never, soon = steps_to_correct(clipped), steps_to_correct(loss_of_score)
table(["loss", "z = 40 is corrected"], [("clipped", never), ("from the score", soon)])

section("5. It happens with real data whose columns are not scaled")
# 569 tumours with 30 features in their raw units: areas near 2000 stand beside fractions near
# 0.01. Both losses learn better if StandardScaler scales the columns. Without it, one fails.
from_p = lambda z, y: binary_cross_entropy(sigmoid(z), y)
reached = {"probabilities": learn(from_p), "scores": learn(binary_cross_entropy_with_logits)}
table(
    ["loss computed from", "gradient descent ran", "accuracy"],
    [(name, *how_far) for name, how_far in reached.items()],
)

section("6. Find the operation that broke: detect_anomaly")
w = Value([1.0] * 30)  # gives scores in the thousands
try:
    with detect_anomaly():
        from_p(X @ w, y).backward()
except FloatingPointError as error:
    culprit = str(error).split(";")[0]
print(f"detect_anomaly() says: {culprit}")

section("The picture")


def draw(axes):
    z = [i / 4 for i in range(161)]
    axes.plot(z, [softplus(v) for v in z], label="from the score: log(1 + exp(z))")
    axes.plot(z, [clipped(v) for v in z], "--", label="from a clipped probability")
    book = [v for v in z if from_book(v) < 1.0]
    axes.plot(book[-1], loss_from_book(book[-1]), "x", color="black", label="textbook: fails here")
    axes.set(
        xlabel="score z of a row whose label is 0",
        ylabel="loss",
        title="With clipping the slope is 0 where the model is most wrong",
    )


picture("14_clipping", draw)

section("What we learned")
last = max(v for v in range(100) if from_book(v) < 1.0)
say(f"From the score {last + 1} on, p rounds to 1 and log(1 - p) has no value.")
say(f"""Clipping makes the loss finite, but its slope at z = 40 is {grad(clipped)(40.0):g} instead
of {grad(loss_of_score)(40.0):g}. So gradient descent cannot correct the error there.""")
say(f"""The loss computed from the score is log(1 + exp(z)) for y = 0. It keeps its digits, and
gradient descent corrects the error {soon}.""")
say(f"""On real data with unscaled columns the textbook loss ran {reached["probabilities"][0]}. The
loss from the score ran {reached["scores"][0]}.""")

assert attempt(from_book, -710.0) == "OverflowError" and attempt(sigmoid, -710.0) == "4.47629e-309"
assert last == 36 and attempt(loss_from_book, 37.0) == "ValueError"
assert abs(loss_of_score(-40.0) / math.exp(-40.0) - 1.0) < 1e-12 and loss_from_book(-40.0) == 0.0
assert grad(clipped)(40.0) == 0.0 and grad(loss_of_score)(40.0) == 1.0
assert never.startswith("never") and soon == "after 41 steps"
assert logistic_density(40.0) > 0.0 == sigmoid(40.0) * (1.0 - sigmoid(40.0))
assert attempt(book_softmax, (710.0, 709.0)) == "OverflowError"
assert "until" in reached["probabilities"][0] and reached["scores"][0] == "all 100 steps"
assert "xlog1py" in culprit
