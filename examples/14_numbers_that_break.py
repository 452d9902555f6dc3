"""Why is the loss computed from scores, when the formula in the book takes probabilities?

Because floats have 16 digits and end at 1.8e308. We follow the formulas of the book to the
places where they break, repair them the obvious way (clipping), see that this is worse,
and then do it right: stay with the score, and never form a number that cannot be kept.

Exercises (answers are checked by tests/course/test_exercises.py)
1.  log_add(a, b): log(exp(a) + exp(b)) that is right for a = b = 1000, and for -1000.
2.  binary_loss(z, y): the loss of one score and a label 0 or 1, without this package, with
    at least 12 right digits for every z from -1000 to 1000.
3.  log_odds(log_p): the score z whose log_sigmoid is log_p: log(p / (1 - p)) from log p, also
    where p rounds to 1. (math.expm1 is exp(x) - 1 without the rounding.)
"""

import math

from course import picture, section, table

from tinygrad_lr import (
    Value, binary_cross_entropy, binary_cross_entropy_with_logits, clip, detect_anomaly, grad,
    log, logistic_density, sigmoid, softmax, softplus,
)  # fmt: skip
from tinygrad_lr.data import Batches, load_breast_cancer
from tinygrad_lr.metrics import accuracy
from tinygrad_lr.optim import SGD
from tinygrad_lr.training import DivergenceError, minimize


def attempt(f, *args):
    """What f gives, or the name of what it raises."""
    try:
        return f"{f(*args):.6g}"
    except (ArithmeticError, ValueError) as error:
        return type(error).__name__


X, y, *_ = load_breast_cancer()


def learn(loss):
    """How far descent on loss(z, y) comes in 100 steps, and the share of rows that are right."""
    w, b = Value([0.0] * 30), Value(0.0)
    try:
        minimize(lambda X, y: loss(X @ w + b, y), [w, b], Batches(X, y), SGD([w, b], lr=0.001), 100)
        reached = "all 100 steps"
    except DivergenceError as error:
        reached = f"until step {error.step}: the loss is {error.loss}"
    return reached, accuracy(y, X @ w.data + b.data >= 0.0)


section("1. Overflow: exp is larger than the largest float")
from_book = lambda z: 1.0 / (1.0 + math.exp(-z))
rows = [(z, attempt(from_book, z), attempt(sigmoid, z)) for z in (-2.0, -700.0, -710.0, -1e6)]
table(["score z", "1 / (1 + exp(-z))", "sigmoid(z)"], rows)
print("Where exp(-z) overflows the 1 beside it counts for nothing: exp(z) is the answer.")

# In softmax only differences count, so the largest score is taken out first.
book_softmax = lambda z: [math.exp(v) / sum(map(math.exp, z)) for v in z]
first = lambda f: lambda *z: f(z)[0]
rows = [
    (str(z), attempt(first(book_softmax), *z), attempt(first(softmax), *z))
    for z in ((1.0, 0.0), (710.0, 709.0), (-750.0, -751.0))
]
table(["scores", "from the book", "softmax"], rows)

section("2. Rounding: p becomes 1, so 1 - p and the slope p (1 - p) become 0; log(0) has no value")
# The label is 0 and the score says 1, more and more surely: loss = -log(1 - p), about z.
loss_from_book = lambda z: -math.log(1.0 - from_book(z))
loss_of_score = lambda z: binary_cross_entropy_with_logits(z, 0.0)
rows = [
    (z, 1.0 - sigmoid(z), attempt(loss_from_book, z), attempt(loss_of_score, z))
    for z in (1.0, 20.0, 36.0, 37.0, -40.0)
]
table(["score z", "1 - p", "-log(1 - p)", "softplus(z)"], rows)
print("Wrong digits come first (z = 36), then no number at all. And at z = -40, where the model")
print("is right, the book says that nothing is left to gain: log(1 + exp(-40)) rounds to log(1).")

# Saturation: the slope dies before its time.
rows = [(z, sigmoid(z) * (1.0 - sigmoid(z)), logistic_density(z)) for z in (10.0, 30.0, 36.0, 40.0)]
table(["score z", "p * (1 - p)", "exp(-z) / (1 + exp(-z))^2"], rows)
print("The slope is tiny, but it is not 0: it has all its digits if no 1 is subtracted.")

section("3. The obvious repair hides the flaw: clipping")
# Keep p between eps and 1 - eps, and all numbers are finite. But what is the slope there?
EPS = 1e-7
clipped = lambda z: -log(1.0 - clip(sigmoid(z), EPS, 1.0 - EPS))
rows = [
    (z, clipped(z), loss_of_score(z), grad(clipped)(z), grad(loss_of_score)(z))
    for z in (1.0, 15.0, 17.0, 40.0)
]
table(["score z", "loss, clipped", "loss", "slope, clipped", "slope p - y"], rows)

section("4. Who is surely wrong cannot repent, if the slope is gone")


def steps_to_repent(loss, most=100):
    """Gradient descent from a score that is surely wrong, until it says 0 as it should."""
    z = Value(40.0)
    for step in range(most):
        if z.data < 0.0:
            return f"{step} steps"
        loss(z).backward()
        z.data, z.grad = z.data - 1.0 * z.grad, None
    return f"never (still at {z.data:g})"


never, soon = steps_to_repent(clipped), steps_to_repent(loss_of_score)
print(f"learned from z = 40, label 0: clipped {never}; from the score after {soon}")

section("5. It happens: real data whose columns nobody scaled")
# 30 measures of 569 tumours, as they are: areas of 2000 beside fractions of 0.01. (Both losses
# want columns of one scale, by StandardScaler; but only one of them breaks without.)
from_p = lambda z, y: binary_cross_entropy(sigmoid(z), y)
reached = {"probabilities": learn(from_p), "scores": learn(binary_cross_entropy_with_logits)}
table(
    ["loss from", "learned", "share of rows right"],
    [(name, *how_far) for name, how_far in reached.items()],
)

section("6. Who did it?")
w = Value([1.0] * 30)  # scores in the thousands
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
    axes.plot(book[-1], loss_from_book(book[-1]), "x", color="black", label="the book ends here")
    axes.set(
        xlabel="score z of a row whose label is 0",
        ylabel="loss",
        title="Clipping cuts the slope off where it is needed most",
    )


picture("14_clipping", draw)

section("What we learned")
last = max(v for v in range(100) if from_book(v) < 1.0)
print(f"From the score {last + 1} on a probability rounds to 1, and the log of 1 - p is no number.")
print(
    f"Clipping makes the loss finite, but at 40 the slope {grad(clipped)(40.0):g}, not "
    f"{grad(loss_of_score)(40.0):g}: it repents {never}."
)
print(f"The loss of the score, log(1 + exp(z)) if y = 0, keeps its digits, and repents in {soon}.")
print(
    "Real data that nobody scaled: the book's loss learned "
    f"{reached['probabilities'][0]},\nthe other form {reached['scores'][0]}."
)

assert attempt(from_book, -710.0) == "OverflowError" and attempt(sigmoid, -710.0) == "4.47629e-309"
assert last == 36 and attempt(loss_from_book, 37.0) == "ValueError"
assert abs(loss_of_score(-40.0) / math.exp(-40.0) - 1.0) < 1e-12 and loss_from_book(-40.0) == 0.0
assert grad(clipped)(40.0) == 0.0 and grad(loss_of_score)(40.0) == 1.0
assert never.startswith("never") and soon == "41 steps"
assert logistic_density(40.0) > 0.0 == sigmoid(40.0) * (1.0 - sigmoid(40.0))
assert attempt(first(book_softmax), 710.0, 709.0) == "OverflowError"
assert "until" in reached["probabilities"][0] and reached["scores"][0] == "all 100 steps"
assert "xlog1py" in culprit
