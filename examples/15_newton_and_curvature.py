"""What does the curvature of the loss tell us that the gradient does not?

It tells two things: how far a step should go (Newton's method), and how precisely the data fix
each weight (standard errors, and intervals for odds ratios). Both need the inverse of the same
matrix, the Hessian. The data are real tumours with three features. At the end we test the
intervals on simulated data whose true weights we know.

Exercises (answers are checked by tests/course/test_exercises.py)
1.  newton_step(w, g, h): the next w of Newton's method, for one weight with the slope g and the
    curvature h.
2.  odds_after(p, ratio): the probability was p, and the odds are multiplied by `ratio`. What
    is the probability then?
3.  rows_needed(n, error, wanted): with n rows the standard error is `error`. About how many rows
    give the standard error `wanted`? (The curvatures of the rows add up.)
"""

import math
import random
from contextlib import suppress

from course import picture, say, section, table

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
slope = lambda w: max(map(abs, grad(loss)(w)))  # the largest element of the gradient


def train(make, most, **options):
    """The weights where an optimizer ends from w = 0, and `slope` after each of its steps."""
    w = Value([0.0] * 4)
    optimizer, slopes = make([w], **options), [slope(w.data)]
    while len(slopes) <= most and slopes[-1] > 1e-12:
        if make is Newton:  # it computes the gradient and the Hessian itself
            optimizer.step(lambda: loss(w))
        else:
            w.grad = grad(loss)(w.data)
            optimizer.step()
        slopes.append(slope(w.data))
    return w.data, slopes


section("1. Gradient descent and Newton's method")
# Gradient descent knows the direction of a step, but not its length. Newton's method takes the
# parabola with the same gradient g and Hessian H and goes to its minimum: w - inverse(H) g.
_, descent = train(SGD, 200, lr=safe_learning_rate(X))
best, newton = train(Newton, 8)
table(["step", "gradient: descent", "Newton"], [(k, descent[k], newton[k]) for k in range(9)])
say(f"""After 200 steps of gradient descent the gradient is {descent[200]:.2g}. Near the minimum
each step of Newton's method nearly doubles the number of correct digits.""")

section("2. Newton's method can diverge; a line search prevents it")
# Where all p are near 0 or 1 the loss is nearly straight. The fitted parabola is nearly straight,
# too, and its minimum is very far away. A line search halves the step until the loss falls.
losses, ends = {"full steps": [], "with line search": []}, {}
for name, seen in losses.items():
    w = Value([0.0, 0.0, 0.0, 3.0])
    optimizer = Newton([w], line_search=name == "with line search")
    with suppress(NotPositiveDefiniteError):  # so far away that the curvature is 0
        for _ in range(12):
            seen.append(optimizer.step(lambda: loss(w)))
    seen.append(loss(w.data))
    ends[name] = slope(w.data), max(hessian(loss)(w.data).flat)
    print(f"{name:18}" + "  ".join(f"{v:.4g}" for v in seen[:8]))

section("3. The Hessian: by the engine and by the textbook formula")
# The engine differentiates twice. The textbook says that H is the sum of p (1 - p) x xᵀ over the
# rows, which is XᵀSX with S = diag(p (1 - p)).
H = hessian(lambda w: binary_cross_entropy_with_logits(X @ w, y, "sum"))(best)
by_book = X.T @ (X * [[s] for s in logistic_density(X @ best)])
apart = max(abs(a - b) for a, b in zip(H.flat, by_book.flat))
say(f"""The two matrices differ by at most {apart:.1g}. Positive semidefinite:
{is_positive_semidefinite(H)}.""")
table(["", *NAMES, "intercept"], [(n, *row) for n, row in zip([*NAMES, "intercept"], H)])

section("4. Standard errors and odds ratios")
# A sharp minimum fixes a weight precisely, a flat one does not. For many rows the covariance of
# the weights is the inverse of H. (H is the Hessian of the sum of the losses; with that of the
# mean the covariance would be n times too large.) The standard errors are the square roots of
# the diagonal of the covariance.
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
say(f"""In the unit of the data, a radius that is larger by 1 multiplies the odds by
{per_unit:.2f}.""")

section("5. Check: simulate data with known weights")
TRUE, rng = [1.0, -0.5], random.Random(0)


def simulate():
    """Draw 80 rows and fit them: the estimate of the first weight, and its standard error."""
    rows = Array([[rng.gauss(0.0, 1.0), 1.0] for _ in range(80)])
    drawn = Array([float(rng.random() < p) for p in sigmoid(rows @ TRUE)])
    total = lambda w: binary_cross_entropy_with_logits(rows @ w, drawn, "sum")
    w = Value([0.0, 0.0])
    LBFGS([w], max_iter=50).step(lambda: total(w))
    covariance = solve(cholesky(hessian(total)(w.data).rows), [1.0, 0.0])
    return w.data[0], math.sqrt(covariance[0])


print("w = {:.2f}, standard error {:.2f}; the truth is 1".format(*simulate()))

section("6. Repeat the simulation 200 times")
fits = [simulate() for _ in range(200)]
middle = sum(w for w, _ in fits) / len(fits)
spread = math.sqrt(sum((w - middle) ** 2 for w, _ in fits) / len(fits))
claimed = sum(e for _, e in fits) / len(fits)
inside = sum(abs(w - TRUE[0]) < 1.96 * e for w, e in fits)
table(
    ["standard deviation of w", "mean standard error", "truth in the 95 % interval"],
    [(spread, claimed, f"{inside} of {len(fits)}")],
)

section("The picture")


def draw(axes):
    left, right = axes
    left.semilogy(descent[:60], label="gradient descent")
    left.semilogy(newton, "o-", label="Newton")
    left.set(xlabel="step", ylabel="largest gradient", title="Newton: the digits double")
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
say(f"""After 8 steps of Newton's method the gradient is {newton[8]:.0e}. After 200 steps of
gradient descent it is {descent[200]:.0e}.""")
worst, (steep, curved) = max(losses["full steps"]), ends["full steps"]
say(f"""From a bad start, full Newton steps drive the loss up to {worst:,.0f}. There the loss is
straight (slope {steep:.2f}, curvature {curved:g}), and the next step does not exist. A line search
repairs this.""")
low, high = between(0)
say(f"""The inverse of the Hessian gives the standard errors: the weight of the radius is
{best[0]:.2f}, with a standard error of {error[0]:.2f}. One standard deviation more, with the other
features unchanged, multiplies the odds of a malignant tumour by {math.exp(best[0]):.0f}, with 95 %
confidence by {low:.0f} to {high:.0f}.""")
say(f"""In simulations with known weights {inside / len(fits):.1%} of such intervals contain the
truth.""")

assert newton[8] < 1e-10 and descent[200] > 1e-4
assert newton[7] < 1000 * newton[6] ** 2  # the number of correct digits doubles
assert worst > 1e5 and steep > 0.1 and curved == 0.0
assert abs(losses["with line search"][-1] - loss(best)) < 1e-12
assert apart < 1e-9 and is_positive_semidefinite(H)
assert all(b / e > 1.96 for b, e in zip(best, error[:3])) and low > 10.0
assert 0.92 <= inside / len(fits) <= 0.98 and abs(spread / claimed - 1.0) < 0.2
