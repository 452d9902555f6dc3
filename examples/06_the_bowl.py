"""The loss of logistic regression is convex. How do we know, and how long may a step be?

A convex loss looks like a bowl. The data are the texture and the smoothness of 569 tumours; with
two weights the whole loss can be drawn. We test convexity on chords, then prove it with the
second derivatives. The largest curvature L gives a learning rate that never fails, 1/L, and an
upper limit, 2/L.

    Hessian H = Xᵀ S X / n, S = diag(p (1 - p))       L = largest eigenvalue of XᵀX / (4 n)

Exercises (answers are checked by tests/course/test_exercises.py)
1.  curves_down(f, a, b): True if the middle of the chord from a to b (two numbers) shows that f
    is not convex.
2.  longest_rate(curvature): on the parabola curvature/2 w^2 a step multiplies w by
    1 - rate * curvature. From which rate on does |w| no longer shrink?
3.  smoothness(xs): L for one feature without a bias. xs is the list of its n values.
"""

import math
import random

from course import picture, say, section, table

from tinygrad_lr import (
    Array, Value, binary_cross_entropy_with_logits, concatenate, grad, hessian, sigmoid,
    value_and_grad,
)  # fmt: skip
from tinygrad_lr.convexity import (
    is_positive_semidefinite, largest_eigenvalue, safe_learning_rate, smoothness_constant,
)  # fmt: skip
from tinygrad_lr.data import StandardScaler, load_breast_cancer
from tinygrad_lr.optim import LBFGS

X, y, names, *_ = load_breast_cancer()
X = StandardScaler().fit_transform(X[:, [1, 4]])
loss = lambda w: binary_cross_entropy_with_logits(X @ w, y)
best = Value([0.0, 0.0])
LBFGS([best], max_iter=100).step(lambda: loss(best))
bottom, lowest = best.data, loss(best.data)
right = [k for k, z in enumerate(X @ bottom) if (z > 0.0) == (y[k] > 0.0)]  # classified correctly
of_right = lambda w: binary_cross_entropy_with_logits(X[right] @ w, y[right])
noise = random.Random(6)


def descend(loss, rate, start, steps=40):
    """The points of gradient descent, each with its loss and the square of its gradient."""
    w, path = Array(start), []
    for _ in range(steps + 1):
        value, g = value_and_grad(loss)(w)
        path.append((w, value, g @ g))
        w = w - rate * g
    return path


section("1. Chords: the loss lies below the straight line between two of its points")


# A convex function has f((u + v) / 2) <= (f(u) + f(v)) / 2 for all u and v. We try it on random
# pairs of weights.
def random_weights():
    return Array([noise.uniform(-6.0, 6.0), noise.uniform(-6.0, 6.0)])


gaps = []
for _ in range(300):
    u, v = random_weights(), random_weights()
    gaps.append((loss(u) + loss(v)) / 2 - loss((u + v) / 2))
say(f"""In the middle of 300 chords the loss is lower by {min(gaps):.4f} to {max(gaps):.4f}. No
chord shows the opposite. But 300 chords are not a proof.""")

section("2. Second derivatives: the loss curves upwards in every direction")
# The curvature in the direction v is vᵀHv, the mean of p (1 - p) (x . v)^2 over the rows. No
# term is negative: H is positive semidefinite everywhere, so the loss is convex. This is a proof.
rows, apart = [], 0.0
for name, times in ("w = 0", 0.0), ("bottom", 1.0), ("5 x bottom", 5.0), ("20 x bottom", 20.0):
    w = times * bottom
    H, p = hessian(loss)(w), sigmoid(X @ w)
    formula = X.T @ (X.T * (p * (1.0 - p))).T / len(y)  # XᵀSX / n
    apart = max(apart, *(abs(a - c) for a, c in zip(H.flat, formula.flat)))
    most = largest_eigenvalue(H)  # the two eigenvalues add up to the trace
    rows.append((name, loss(w), is_positive_semidefinite(H), H[0, 0] + H[1, 1] - most, most))
table(["where", "loss", "curves upwards", "least curvature", "largest"], rows)
print(f"The engine's Hessian and the formula differ by at most {apart:.0e}.")

section("3. How large can the curvature be? L, from X alone")
# p (1 - p) is at most 1/4. So no curvature is larger than L, the largest eigenvalue of
# XᵀX / (4 n). At w = 0 every p (1 - p) is 1/4, and the largest curvature is L.
L, rate = smoothness_constant(X), safe_learning_rate(X)
say(f"""The curvature is at most L = {L:.4f} everywhere; 1/L = {rate:.3f}. Far out, p is near 0 or
1 and the curvature is small: {rows[3][4]:.4f}. Is the loss flat?""")
far = 100.0 * bottom
flat = [
    (f"{name} rows", f(far), math.hypot(*grad(f)(far)), largest_eigenvalue(hessian(f)(far)))
    for name, f in ((f"all {len(y)}", loss), (f"the {len(right)} correct", of_right))
]
table(["100 x bottom", "loss", "slope", "curvature"], flat)
say("""The misclassified rows make the loss a steep and nearly straight wall. Without them it is
flat, and its minimum is infinitely far away (lesson 13).""")

section("4. Learning rates: too small, too large, and 1/L")
paths, summary = {}, []
limit = 2.0 / rows[1][4]  # 2/h: the curvature h at the bottom is smaller than L
for name, r in (
    ("0.05 / L", 0.05 * rate),
    ("1 / L", rate),
    ("1.9 / L", 1.9 * rate),
    ("0.9 x 2/h", 0.9 * limit),
    ("1.2 x 2/h", 1.2 * limit),
    ("30 / L", 30.0 * rate),
):
    path = paths[name] = descend(loss, r, [3.0, -3.0])
    rises = sum(after[1] > before[1] + 1e-12 for before, after in zip(path, path[1:]))
    summary.append((name, r, path[10][1] - lowest, path[40][1] - lowest, rises))
table(["rate", "value", "loss - minimum, 10 steps", "40 steps", "steps that went up"], summary)
say(f"""h = {rows[1][4]:.4f} is the largest curvature at the bottom. The limit 2/h holds near the
bottom only; the limit 2/L holds everywhere.""")

section("5. What the rate 1/L guarantees")
# The descent lemma: a step with the rate 1/L lowers the loss by at least |g|^2 / (2 L), from any
# point. We divide what each step achieves by what the lemma guarantees.
achieved = []
safe = paths["1 / L"]
for before, after in zip(safe, safe[1:]):
    if before[2] > 1e-12:  # for a smaller gradient the loss changes by rounding only
        achieved.append((before[1] - after[1]) / (before[2] / (2.0 * L)))
say(f"""In each of {len(achieved)} steps the loss fell by {min(achieved):.2f} to
{max(achieved):.2f} times the guaranteed amount.""")

section("6. An example where 2/L is the exact limit")
# Take each row twice, once with each label. Nothing can be learned: the minimum is at w = 0,
# where the curvature is L.
X2, y2 = concatenate([X, X]), concatenate([y, 1.0 - y])
unlearnable = lambda w: binary_cross_entropy_with_logits(X2 @ w, y2)
sharp = {}
for factor in 1.9, 2.1:
    path = descend(unlearnable, factor * rate, [0.1, -0.1], steps=80)
    begun, sharp[factor] = (path[k][1] - math.log(2.0) for k in (0, -1))  # the minimum is log 2
    print(f"rate {factor} / L: loss - minimum goes from {begun:.0e} to {sharp[factor]:.0e}")

section("The picture")


def draw(axes):
    side = [i / 4 - 7.0 for i in range(57)]
    heights = [[loss(Array([a, c])) for a in side] for c in side]
    levels = [lowest + 0.02 * 1.6**k for k in range(12)]
    for ax, name in zip(axes, ("0.05 / L", "1 / L", "1.2 x 2/h", "30 / L")):
        ax.contour(side, side, heights, levels=levels, cmap="viridis", linewidths=0.8)
        ax.plot(*zip(*(w for w, _, _ in paths[name])), ".-", color="crimson", linewidth=0.8)
        ax.plot(*bottom, "k+", markersize=12)
        ax.set(title=f"rate {name}", xlabel="w of texture", ylabel="w of smoothness")


picture("06_paths", draw, ncols=4, figsize=(14, 3.8), subplot_kw={"xlim": (-7, 7), "ylim": (-7, 7)})

section("What we learned")
say(f"""The loss is convex: its curvature in every direction is a mean of terms that are not
negative (the engine's Hessian agrees to {apart:.0e}). So every local minimum is global.""")
say(f"""The curvature is never larger than L = {L:.4f}. So with the rate 1/L = {rate:.2f} the loss
falls in every step.""")
say(f"""After 10 steps with 1/L the loss is {summary[1][2]:.0e} above the minimum, with 0.05/L it
is {summary[0][2]:.2f} above. With 30/L it is {summary[5][2]:.1f} above after 10 steps and
{summary[5][3]:.1f} above after 40: the steps jump from wall to wall.""")
say(f"""A rate below 2/L always works. Near the bottom the limit is 2 divided by the curvature
there, here {limit * L:.2f}/L. Where nothing can be learned it is exactly 2/L.""")

assert min(gaps) > 0.0 and all(row[2] and row[3] > 0.0 for row in rows) and apart < 1e-12
assert abs(rows[0][4] - L) < 1e-9 and rows[3][4] < rows[1][4] < L
assert flat[0][2] > 0.1 and max(flat[1][1:]) < 1e-3  # a steep wall, and a flat plain
assert min(achieved) >= 1.0 and len(achieved) > 10
by_name = {row[0]: row for row in summary}
assert by_name["1 / L"][4] == 0 == by_name["1.9 / L"][4] and by_name["1 / L"][3] < 1e-4
assert by_name["0.9 x 2/h"][3] < 1e-4 < 1e-2 < by_name["1.2 x 2/h"][3] < by_name["30 / L"][3]
assert by_name["0.05 / L"][3] > 0.1
assert sharp[1.9] < 1e-7 < 1e-3 < sharp[2.1]
