"""What does the curvature of the loss know that its slope does not?

Two things: how far to go (Newton's step), and how sure the data make us of each weight
(standard errors, and intervals for odds ratios). Both are the inverse of the same matrix, the
Hessian. Real tumours, three of their features; at the end a test of the intervals on data
whose true weights are known.

Exercises (answers are checked by tests/course/test_exercises.py)
1.  newton_step(w, g, h): for one weight, from slope g and curvature h, the next w.
2.  odds_after(p, ratio): p was the probability, the odds are multiplied by `ratio`; what is
    the probability now?
3.  rows_needed(n, error, wanted): n rows gave this standard error. About how many rows give
    the wanted one? (Curvatures of rows add up.)
"""

import math
import random
from contextlib import suppress

from course import picture, section, table

from tinygrad_lr import (
    Array, Value, binary_cross_entropy_with_logits, concatenate, grad, hessian, logistic_density,
    sigmoid,
)  # fmt: skip
from tinygrad_lr.convexity import is_positive_semidefinite, safe_learning_rate
from tinygrad_lr.data import StandardScaler, load_breast_cancer
from tinygrad_lr.optim import LBFGS, SGD, Newton
from tinygrad_lr.optim.linear import NotPositiveDefiniteError, cholesky, solve

NAMES = ["mean radius", "mean texture", "mean smoothness"]
data = load_breast_cancer()
columns = [data.feature_names.index(name) for name in NAMES]
scaler = StandardScaler()
X = scaler.fit_transform(data.X[:, columns])
X = concatenate([X, [[1.0]] * len(X)], axis=1)  # a column of ones, whose weight is the intercept
y = 1.0 - data.y  # 1: malignant
loss = lambda w: binary_cross_entropy_with_logits(X @ w, y)
slope = lambda w: max(map(abs, grad(loss)(w)))


def walk(make, most, **options):
    """Where an optimizer ends from w = 0, and the largest slope after each of its steps."""
    w = Value([0.0] * 4)
    optimizer, slopes = make([w], **options), [slope(w.data)]
    while len(slopes) <= most and slopes[-1] > 1e-12:
        w.grad = grad(loss)(w.data)
        optimizer.step(*[lambda: loss(w)] * (make is Newton))  # it asks for the curvature
        slopes.append(slope(w.data))
    return w.data, slopes


section("1. Slope alone, and slope with curvature")
# Gradient descent knows the direction, not the distance. Newton: the bottom of the parabola
# that has the same slope and curvature here. d = inverse(H) g.
_, descent = walk(SGD, 200, lr=safe_learning_rate(X))
best, newton = walk(Newton, 8)
table(
    ["step", "slope left by descent", "by Newton"], [(k, descent[k], newton[k]) for k in range(9)]
)
print(f"after 200 steps of descent: {descent[200]:.2g}")
print("At the end each step of Newton nearly doubles the number of right digits.")

section("2. Newton can be thrown out; a line search brings him back")
# Where all p are near 0 or 1 the loss is nearly straight, and so is its parabola, whose bottom
# is very far away. A line search halves the step until the loss falls.
losses, ends = {"full steps": [], "with line search": []}, {}
for name, seen in losses.items():
    w = Value([0.0, 0.0, 0.0, 3.0])
    optimizer = Newton([w], line_search=name == "with line search")
    with suppress(NotPositiveDefiniteError):  # thrown out so far that the loss is straight
        for _ in range(12):
            seen.append(optimizer.step(lambda: loss(w)))
    seen.append(loss(w.data))
    ends[name] = slope(w.data), max(hessian(loss)(w.data).flat)
    print(f"{name:18}" + "  ".join(f"{v:.4g}" for v in seen[:8]))

section("3. What the matrix is")
# The engine differentiates twice; the book says H = sum of p (1 - p) x x' over the rows.
H = hessian(lambda w: binary_cross_entropy_with_logits(X @ w, y, "sum"))(best)
by_book = X.T @ (X * [[s] for s in logistic_density(X @ best)])
apart = max(abs(a - b) for a, b in zip(H.flat, by_book.flat))
print(f"Hessian of the engine - X'SX: at most {apart:.1g}; a bowl: {is_positive_semidefinite(H)}")
table(["", *NAMES, "intercept"], [(n, *row) for n, row in zip([*NAMES, "intercept"], H)])

section("4. Standard errors and odds ratios")
# A sharp minimum fixes a weight, a flat one leaves it open: the covariance of the weights is
# the inverse of H. (Of the sum of the losses: with the mean, n times too large.)
root = cholesky(H.rows)
unit = lambda k: [float(k == i) for i in range(len(root))]
error = [math.sqrt(solve(root, unit(k))[k]) for k in range(4)]
between = lambda k: [math.exp(best[k] + side * 1.96 * error[k]) for side in (-1.0, 1.0)]
header = ["one std. dev. more", "w", "std. error", "w / error", "odds times", "95 %: from", "to"]
table(
    header,
    [
        (n, best[k], error[k], best[k] / error[k], math.exp(best[k]), *between(k))
        for k, n in enumerate(NAMES)
    ],
)
per_unit = math.exp(best[0] / scaler.scale_[0])
print(f"In the unit of the table: a radius larger by 1 multiplies the odds by {per_unit:.2f}.")

section("5. Is that true? A world whose weights we know")
TRUE, rng = [1.0, -0.5], random.Random(0)


def world():
    """80 new rows; what they say of the first weight: its estimate and its standard error."""
    rows = Array([[rng.gauss(0.0, 1.0), 1.0] for _ in range(80)])
    drawn = Array([float(rng.random() < p) for p in sigmoid(rows @ TRUE)])
    total = lambda w: binary_cross_entropy_with_logits(rows @ w, drawn, "sum")
    w = Value([0.0, 0.0])
    LBFGS([w], max_iter=50).step(lambda: total(w))
    covariance = solve(cholesky(hessian(total)(w.data).rows), [1.0, 0.0])
    return w.data[0], math.sqrt(covariance[0])


print("w = {:.2f}, standard error {:.2f}; the truth is 1".format(*world()))

section("6. And 200 worlds")
worlds = [world() for _ in range(200)]
middle = sum(w for w, _ in worlds) / len(worlds)
spread = math.sqrt(sum((w - middle) ** 2 for w, _ in worlds) / len(worlds))
claimed = sum(e for _, e in worlds) / len(worlds)
inside = sum(abs(w - TRUE[0]) < 1.96 * e for w, e in worlds)
table(
    ["spread of w over the worlds", "mean standard error", "truth in the 95 % interval"],
    [(spread, claimed, f"{inside} of {len(worlds)}")],
)

section("The picture")


def draw(axes):
    left, right = axes
    left.semilogy(descent[:60], label="gradient descent")
    left.semilogy(newton, "o-", label="Newton")
    left.set(xlabel="step", ylabel="largest slope", title="Digits double")
    for k in range(3):
        right.plot(sorted([math.exp(best[k]), *between(k)]), [k] * 3, "o-", linewidth=3)
    right.set(
        xscale="log",
        xlim=(1, None),
        yticks=range(3),
        yticklabels=NAMES,
        xlabel="odds times (log scale)",
        title="Odds ratios with 95 % intervals",
    )


picture("15_odds_ratios", draw, ncols=2, figsize=(10, 4))

section("What we learned")
print(
    f"Newton is at the bottom (slope {newton[8]:.0e}) after 8 steps; descent has "
    f"{descent[200]:.0e} left after 200."
)
worst, (steep, curved) = max(losses["full steps"]), ends["full steps"]
print(
    f"From a bad start full steps drove the loss to {worst:,.0f}. There it is straight: slope "
    f"{steep:.2f},\ncurvature {curved:g}, so no Newton step. Halving steps until the loss falls "
    "repairs it."
)
low, high = between(0)
print(f"The inverse Hessian says that w of the radius is {best[0]:.2f} +- {error[0]:.2f}. So one")
print("standard deviation more, all else the same, multiplies the odds of a malignant tumour by")
print(f"{math.exp(best[0]):.0f}, with 95 % confidence by {low:.0f} to {high:.0f}.")
print(f"Where the truth is known such intervals held it in {inside / len(worlds):.1%} of worlds.")

assert newton[8] < 1e-10 and descent[200] > 1e-4
assert newton[7] < 1000 * newton[6] ** 2  # digits double
assert worst > 1e5 and steep > 0.1 and curved == 0.0
assert abs(losses["with line search"][-1] - loss(best)) < 1e-12
assert apart < 1e-9 and is_positive_semidefinite(H)
assert all(b / e > 1.96 for b, e in zip(best, error[:3])) and low > 10.0
assert 0.92 <= inside / len(worlds) <= 0.98 and abs(spread / claimed - 1.0) < 0.2
