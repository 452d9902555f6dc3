"""We want the weights of maximum likelihood. Why do we minimise a binary cross-entropy?

The data are twenty students: their hours of study, and whether they passed. The likelihood is
the product of the probabilities that the model gives to the observed labels. We see that this
product underflows, take its logarithm, and change the sign. At each step we check that the best
weights stay the same. The last section shows three cases in which "cross-entropy" and "negative
log-likelihood" do not mean the same.

Exercises (answers are checked by tests/course/test_exercises.py)
1.  typical_probability(loss): the geometric mean of the probabilities that the model gave to
    the observed labels, from its mean cross-entropy.
2.  best_constant(labels): a model without features predicts the same p for every row. Which p
    maximises the likelihood?
3.  lowest_possible(targets): for soft targets such as 0.7 no model reaches a loss of 0. What
    is the lowest mean binary cross-entropy that any predictions can reach?
"""

import math

from course import picture, say, section, table

from tinygrad_lr import (
    Array, Value, bernoulli_log_likelihood, binary_cross_entropy, binary_cross_entropy_with_logits,
    gaussian_negative_log_likelihood, mean_squared_error, negative_log_likelihood, sigmoid,
)  # fmt: skip
from tinygrad_lr.data import load_digits
from tinygrad_lr.optim import LBFGS, SGD

# The example of the Wikipedia article "Logistic regression".
hours = Array([
    0.5, 0.75, 1.0, 1.25, 1.5, 1.75, 1.75, 2.0, 2.25, 2.5,
    2.75, 3.0, 3.25, 3.5, 4.0, 4.25, 4.5, 4.75, 5.0, 5.5,
])  # fmt: skip
passed = Array([0, 0, 0, 0, 0, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1, 1, 1, 1, 1, 1])
n = len(hours)


def descend(function, lr, steps=2000, **how):
    """The points that gradient descent visits; with maximize=True, gradient ascent."""
    w, b = Value(0.0), Value(0.0)
    optimizer, path = SGD([w, b], lr=lr, **how), []
    for _ in range(steps):
        optimizer.zero_grad()
        function(w * hours + b).backward()
        optimizer.step()
        path.append((w.data, b.data))
    return path


section("1. Likelihood: the probability of all observed labels")


# The labels are independent, so their probabilities multiply. A student who passed contributes
# the factor p, a student who failed the factor 1 - p.
def likelihood(w, b):
    probabilities = sigmoid(w * hours + b)
    return math.prod(p if y == 1.0 else 1.0 - p for p, y in zip(probabilities, passed))


guesses = [(0.0, 0.0), (1.0, 0.0), (1.0, -3.0), (1.5, -4.0), (3.0, -8.0)]
table(["w", "b", "likelihood"], [(w, b, likelihood(w, b)) for w, b in guesses])
say("""Every likelihood is small, even the highest: 20 students can pass or fail in 2^20 ways, and
the probabilities of all these ways add up to 1.""")

section("2. The flaw: a product of many probabilities underflows to 0")
# Take 1797 handwritten digits and a model that has learned nothing. It gives each of the ten
# classes the probability 1/10.
rows = len(load_digits().y)
product, logarithm = math.prod([0.1] * rows), math.fsum([math.log(0.1)] * rows)
print(f"{rows} factors of 0.1: likelihood {product}, log-likelihood {logarithm:.1f}")
say("The logarithm turns the product into a sum. It is increasing, so the argmax stays the same:")
ws = [i / 100 for i in range(301)]
by_product = max(ws, key=lambda w: likelihood(w, -4.0777))
by_sum = max(ws, key=lambda w: bernoulli_log_likelihood(sigmoid(w * hours - 4.0777), passed))
print(f"argmax over 301 values of w: of the likelihood {by_product}, of its logarithm {by_sum}")

section("3. Change the sign: ascent on one function is descent on the other")
# The log-likelihood is a sum over the rows, the loss a mean with the opposite sign. So a rate of
# 0.3 / n for the first is a rate of 0.3 for the second.
log_likelihood = lambda z: bernoulli_log_likelihood(sigmoid(z), passed)
loss = lambda z: binary_cross_entropy_with_logits(z, passed)
up, down = descend(log_likelihood, 0.3 / n, maximize=True), descend(loss, 0.3)
apart = max(abs(u - d) for a, c in zip(up, down) for u, d in zip(a, c))
print(f"2000 steps of each: the weights never differ by more than {apart:.0e}.")
print(f"Both end at w = {down[-1][0]:.4f}, b = {down[-1][1]:.4f}.")
say("""So why do we minimise? It is a convention. Optimization minimises losses, the ideal loss is
0, and penalties (lesson 13) are added to it. Maximising would give the same weights.""")

section("4. Why the mean? The gradient of the sum grows with the number of rows")
# Take the same learning rate for the mean and for the sum. With 20 rows the gradient of the sum
# is 20 times as long.
total = lambda z: binary_cross_entropy_with_logits(z, passed, reduction="sum")
reached = {}
for name, f in ("mean", loss), ("sum", total):
    last_w, last_b = descend(f, 0.3)[-1]
    reached[name] = loss(last_w * hours + last_b)
table(["reduction", "mean loss after 2000 steps"], reached.items())
print("Steps twenty times as long are too long: they overshoot the minimum (lesson 06).")

section("5. What the value of the loss means")
best = Value([0.0, 0.0])
LBFGS([best], max_iter=100).step(lambda: loss(best[0] * hours + best[1]))
w, b = best.tolist()
lowest = loss(w * hours + b)
typical = math.exp(-lowest)
print(f"The lowest loss is {lowest:.4f}, at w = {w:.4f}, b = {b:.4f}.")
say(f"""The number exp(-{lowest:.4f}) = {typical:.3f} is the geometric mean of the probabilities
that the model gives to the observed labels. A model that gives every student the probability 1/2
has the loss 0.6931, and exp(-0.6931) = 0.5.""")

section("6. Why not just call it the negative log-likelihood?")
# (a) Every distribution has its own negative log-likelihood (NLL). That of a Gaussian with
# variance 1 is half the squared error plus a constant.
gap = gaussian_negative_log_likelihood(hours, passed, 1.0) - mean_squared_error(hours, passed) / 2
print(f"(a) Gaussian: NLL - squared error / 2 = {gap:.6f} = log(2 pi) / 2, for all predictions")
# (b) Cross-entropy accepts soft targets such as 0.7. A label is 0 or 1, never 0.7.
soft = {p: binary_cross_entropy(p, 0.7) for p in (0.5, 0.7, 0.9)}
print("(b) target 0.7: cross-entropy", ", ".join(f"{v:.4f} at p = {p}" for p, v in soft.items()))
say("""(b) is lowest at p = 0.7, where it is the entropy of the target, not 0. It compares two
distributions. No single label is 0.7, so this is not the likelihood of a label.""")
# (c) In PyTorch and here `negative_log_likelihood` is a function that takes log-probabilities.
# It applies no sigmoid and no softmax.
try:
    negative_log_likelihood([[2.0, -1.0]], [0])
except ValueError as error:
    refused = str(error)
print(f"(c) given scores: {refused[:74]}")

section("The picture")


def draw(axes):
    ws = [i / 50 for i in range(1, 201)]
    tops = [log_likelihood(v * hours + b) for v in ws]
    axes[0].plot(ws, [likelihood(v, b) for v in ws])
    axes[1].plot(ws, tops)
    axes[2].plot(ws, [-top / n for top in tops])
    for ax, title in zip(axes, ("likelihood", "log-likelihood", "cross-entropy")):
        ax.axvline(w, color="grey", linewidth=1)
        ax.set(xlabel="w", title=title)


picture("04_three_hills", draw, ncols=3, figsize=(11, 3.5))

section("What we learned")
say(f"""The likelihood and its logarithm have the same argmax, w = {by_sum}. But the product of
{rows} probabilities underflows to {product}; their logarithms add up to {logarithm:.0f}.""")
say(f"""Gradient ascent on the log-likelihood and descent on the cross-entropy take the same steps
(to {apart:.0e}).""")
say(f"""The lowest loss is {lowest:.4f}, at w = {w:.4f}, b = {b:.4f}. It corresponds to a typical
probability of {typical:.3f}.""")
say("""For labels 0 and 1 the mean cross-entropy is the negative log-likelihood per row. Other
distributions give other losses. With soft targets it compares two distributions.""")

assert product == 0.0 and math.isclose(logarithm, rows * math.log(0.1))
assert by_product == by_sum == 1.5 and likelihood(1.5, -4.0) == max(likelihood(*g) for g in guesses)
assert apart < 1e-9
assert math.isclose(w, 1.5046, abs_tol=1e-4) and math.isclose(b, -4.0777, abs_tol=1e-4)
assert reached["mean"] - lowest < 1e-6 and reached["sum"] - lowest > 0.1
assert math.isclose(gap, math.log(2.0 * math.pi) / 2.0)
assert soft[0.7] < min(soft[0.5], soft[0.9]) and "log-probability" in refused
