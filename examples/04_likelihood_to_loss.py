"""We want the most probable weights. Why, then, do we minimise a binary cross-entropy?

Twenty students: hours of study, and who passed. We multiply the probabilities that a neuron
gave to what happened (the likelihood), see that product vanish, take its logarithm, turn the
hill upside down, and check at each station that the best weights are still the same. At the
end: three cases in which "cross-entropy" and "negative log-likelihood" are not the same word.

Exercises (answers are checked by tests/course/test_exercises.py)
1.  typical_probability(loss): a mean cross-entropy of 0.4 says that what happened was given
    which probability, on (geometric) average?
2.  best_constant(labels): a model without features gives everybody the same p. Which p is
    the argmax of the likelihood?
3.  lowest_possible(targets): for soft targets such as 0.7 no model reaches a loss of 0. What
    is the lowest mean binary cross-entropy, over all predictions?
"""

import math

from course import picture, section, table

from tinygrad_lr import (
    Array, Value, bernoulli_log_likelihood, binary_cross_entropy, binary_cross_entropy_with_logits,
    gaussian_negative_log_likelihood, mean_squared_error, negative_log_likelihood, sigmoid,
)  # fmt: skip
from tinygrad_lr.data import load_digits
from tinygrad_lr.optim import LBFGS, SGD

# The example of the Wikipedia article "Logistic regression".
hours = Array(
    [
        0.5,
        0.75,
        1.0,
        1.25,
        1.5,
        1.75,
        1.75,
        2.0,
        2.25,
        2.5,
        2.75,
        3.0,
        3.25,
        3.5,
        4.0,
        4.25,
        4.5,
        4.75,
        5.0,
        5.5,
    ]
)
passed = Array([0, 0, 0, 0, 0, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1, 1, 1, 1, 1, 1])
n = len(hours)


def walk(height, lr, steps=2000, **how):
    """The points that gradient descent visits; with maximize=True ascent."""
    w, b = Value(0.0), Value(0.0)
    optimizer, path = SGD([w, b], lr=lr, **how), []
    for _ in range(steps):
        optimizer.zero_grad()
        height(w * hours + b).backward()
        optimizer.step()
        path.append((w.data, b.data))
    return path


section("1. Likelihood: the probability of all that happened")
# The rows are independent, so their probabilities multiply: p for who passed, 1 - p for others.
likelihood = lambda w, b: math.prod(
    p if y else 1.0 - p for p, y in zip(sigmoid(w * hours + b), passed)
)
guesses = [(0.0, 0.0), (1.0, 0.0), (1.0, -3.0), (1.5, -4.0), (3.0, -8.0)]
table(["w", "b", "likelihood"], [(w, b, likelihood(w, b)) for w, b in guesses])
print("Each is tiny, even the best: there are 2^20 ways in which 20 students can pass or fail.")

section("2. The flaw: a product of many probabilities is 0")
# 1797 handwritten digits, and a model that knows nothing: it gives each of the ten 1/10.
rows = len(load_digits().y)
product, logarithm = math.prod([0.1] * rows), math.fsum([math.log(0.1)] * rows)
print(f"{rows} factors of 0.1: likelihood {product}, log-likelihood {logarithm:.1f}")
print("Logarithms turn the product into a sum; they grow with their argument, so the top stays:")
ws = [i / 100 for i in range(301)]
by_product = max(ws, key=lambda w: likelihood(w, -4.0777))
by_sum = max(ws, key=lambda w: bernoulli_log_likelihood(sigmoid(w * hours - 4.0777), passed))
print(f"argmax over 301 values of w: of the likelihood {by_product}, of its logarithm {by_sum}")

section("3. Upside down: uphill on the one is downhill on the other")
log_likelihood = lambda z: bernoulli_log_likelihood(sigmoid(z), passed)
loss = lambda z: binary_cross_entropy_with_logits(z, passed)
up, down = walk(log_likelihood, 0.3 / n, maximize=True), walk(loss, 0.3)
apart = max(abs(u - d) for a, c in zip(up, down) for u, d in zip(a, c))
print(
    f"2000 steps of each: never more than {apart:.0e} apart; the end: "
    f"w = {down[-1][0]:.4f}, b = {down[-1][1]:.4f}"
)
print("So why minimise? It is the habit of optimization: a loss is what one wants less of, 0 is")
print("its ideal, and penalties (lesson 13) are added to it. The mathematics does not mind.")

section("4. Why the mean? Because the sum gets steeper with every row")
# The same rate, with the mean and with the sum: 20 rows make steps 20 times as long.
total = lambda z: binary_cross_entropy_with_logits(z, passed, reduction="sum")
reached = {}
for name, f in ("mean", loss), ("sum", total):
    last_w, last_b = walk(f, 0.3)[-1]
    reached[name] = loss(last_w * hours + last_b)
table(["reduction", "mean loss after 2000 steps"], reached.items())
print("Steps twenty times as long are too long: it jumps over the valley (lesson 6 says why).")

section("5. What the number means")
best = Value([0.0, 0.0])
LBFGS([best], max_iter=100).step(lambda: loss(best[0] * hours + best[1]))
w, b = best.tolist()
lowest = loss(w * hours + b)
typical = math.exp(-lowest)
print(f"lowest loss {lowest:.4f}, at w = {w:.4f}, b = {b:.4f}")
print(f"exp(-{lowest:.4f}) = {typical:.3f}: the probability that what happened was given, on")
print("geometric average. Who tosses a coin for everybody has exp(-0.6931) = 0.5.")

section("6. Why not just call it the negative log-likelihood?")
# (a) There is one for each distribution. The Gaussian one is squared error, moved and halved.
gap = gaussian_negative_log_likelihood(hours, passed, 1.0) - mean_squared_error(hours, passed) / 2
print(f"(a) Gaussian: NLL - squared error / 2 = {gap:.6f} = log(2 pi) / 2, whatever the weights")
# (b) Cross-entropy takes targets that nobody can have drawn: 0.7 of a pass.
soft = {p: binary_cross_entropy(p, 0.7) for p in (0.5, 0.7, 0.9)}
print("(b) target 0.7: cross-entropy", ", ".join(f"{v:.4f} at p = {p}" for p, v in soft.items()))
print("    lowest at p = 0.7, but not 0: no label was drawn, so it is no likelihood")
# (c) In PyTorch and here the name is taken: it picks log-probabilities and knows no sigmoid.
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
print(
    f"The argmax of the likelihood and of its logarithm is the same, w = {by_sum}; "
    f"but {rows} factors\nmultiply to {product}, while their logarithms add up to "
    f"{logarithm:.0f}."
)
print(f"Ascent on the log-likelihood is descent on the cross-entropy (to {apart:.0e}).")
print(
    f"The lowest loss is {lowest:.4f} at w = {w:.4f}, b = {b:.4f}: a typical probability of "
    f"{typical:.3f}."
)
print("For 0-1 labels cross-entropy is a negative log-likelihood, as a mean; but other likelihoods")
print("give other losses, and with soft targets it compares distributions and is no likelihood.")

assert product == 0.0 and math.isclose(logarithm, rows * math.log(0.1))
assert by_product == by_sum == 1.5 and likelihood(1.5, -4.0) == max(likelihood(*g) for g in guesses)
assert apart < 1e-9
assert math.isclose(w, 1.5046, abs_tol=1e-4) and math.isclose(b, -4.0777, abs_tol=1e-4)
assert reached["mean"] - lowest < 1e-6 and reached["sum"] - lowest > 0.1
assert math.isclose(gap, math.log(2.0 * math.pi) / 2.0)
assert soft[0.7] < min(soft[0.5], soft[0.9]) and "log-probability" in refused
