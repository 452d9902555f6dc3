"""The loss of logistic regression is a bowl. How do we know, and how long may a step in it be?

Texture and smoothness of 569 tumours, two weights: the whole loss can be drawn.
We test the bowl with chords, then see by the second derivatives what chords can only suggest;
from the largest curvature L follows the step 1/L that never fails, and the limit 2/L.

    Hessian H = X' S X / n, S = diag(p (1 - p))       L = largest eigenvalue of X'X / (4 n)

Exercises (answers are checked by tests/course/test_exercises.py)
1.  curves_down(f, a, b): whether the chord from a to b (two numbers) shows that f is not
    convex, by its middle alone.
2.  longest_rate(curvature): on the parabola curvature/2 w^2 a step multiplies w by
    1 - rate * curvature. From which rate on does w not shrink any more?
3.  smoothness(xs): L for a single feature, given as a list of its n values, without a bias.
"""

import math
import random

from course import picture, section, table

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
right = [k for k, z in enumerate(X @ bottom) if (z > 0.0) == (y[k] > 0.0)]  # rows it decides well
of_right = lambda w: binary_cross_entropy_with_logits(X[right] @ w, y[right])
noise = random.Random(6)


def descend(loss, rate, start, steps=40):
    """The points of gradient descent, with their losses and squared slopes."""
    w, path = Array(start), []
    for _ in range(steps + 1):
        value, g = value_and_grad(loss)(w)
        path.append((w, value, g @ g))
        w = w - rate * g
    return path


section("1. The bowl by chords: between two points the loss hangs below the straight line")
# Convex: f((u + v) / 2) <= (f(u) + f(v)) / 2. We try it on random pairs of weights.
anywhere = lambda: Array([noise.uniform(-6.0, 6.0), noise.uniform(-6.0, 6.0)])
gaps = []
for _ in range(300):
    u, v = anywhere(), anywhere()
    gaps.append((loss(u) + loss(v)) / 2 - loss((u + v) / 2))
print(f"300 chords: the middle lies below by {min(gaps):.4f} at least, {max(gaps):.4f} at most")
print("Not one above. But 300 chords are no proof: the 301st might be.")

section("2. The bowl by second derivatives: it curves upwards in every direction")
# v'Hv is the mean of p (1 - p) (x.v)^2: a mean of squares cannot be negative. That is a proof.
rows, apart = [], 0.0
for name, times in ("w = 0", 0.0), ("bottom", 1.0), ("5 x bottom", 5.0), ("20 x bottom", 20.0):
    w = times * bottom
    H, p = hessian(loss)(w), sigmoid(X @ w)
    formula = X.T @ (X.T * (p * (1.0 - p))).T / len(y)  # X' S X / n
    apart = max(apart, *(abs(a - c) for a, c in zip(H.flat, formula.flat)))
    most = largest_eigenvalue(H)  # the two eigenvalues add up to the diagonal
    rows.append((name, loss(w), is_positive_semidefinite(H), H[0, 0] + H[1, 1] - most, most))
table(["where", "loss", "curves upwards", "least curvature", "largest"], rows)
print(f"the engine's Hessian and the formula: at most {apart:.0e} apart")

section("3. How curved at most? L, from X alone")
L, rate = smoothness_constant(X), safe_learning_rate(X)
print(f"p (1 - p) is at most 1/4, at w = 0: curvature <= L = {L:.4f} everywhere; 1/L = {rate:.3f}")
print(f"With p near 0 or 1 it hardly curves: {rows[3][4]:.4f} far out. Is it flat there?")
far = 100.0 * bottom
flat = [
    (f"{name} rows", f(far), math.hypot(*grad(f)(far)), largest_eigenvalue(hessian(f)(far)))
    for name, f in ((f"all {len(y)}", loss), (f"the {len(right)} right", of_right))
]
table(["100 x bottom", "loss", "slope", "curvature"], flat)
print("The rows that are wrong make it a steep wall, nearly straight. Without them it is flat, and")
print("has its bottom infinitely far out (lesson 13).")

section("4. Steps: too long, too short, and 1/L")
paths, summary = {}, []
limit = 2.0 / rows[1][4]  # the bottom curves less than L, so here a little more is allowed
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
table(["rate", "is", "above the bottom, 10 steps", "40 steps", "steps that went up"], summary)
print(f"h = {rows[1][4]:.4f} is the curvature at the bottom. L holds everywhere, h holds there.")

section("5. The promise of 1/L")
# Descent lemma: a step of 1/L lowers the loss by |g|^2 / (2 L) or more, from anywhere.
safe = paths["1 / L"]
kept = [
    (before[1] - after[1]) / (before[2] / (2.0 * L))  # each as a multiple of the promise
    for before, after in zip(safe, safe[1:])
    if before[2] > 1e-12
]  # below it is rounding
print(
    f"1/L lowered the loss by {min(kept):.2f} to {max(kept):.2f} times what was promised, "
    f"in each of {len(kept)} steps"
)

section("6. Where 2/L is sharp")
# Each row twice, once with each label: nothing can be learned, the bottom is at w = 0, so h = L.
X2, y2 = concatenate([X, X]), concatenate([y, 1.0 - y])
toss = lambda w: binary_cross_entropy_with_logits(X2 @ w, y2)
sharp = {}
for factor in 1.9, 2.1:
    path = descend(toss, factor * rate, [0.1, -0.1], steps=80)
    begun, sharp[factor] = (path[k][1] - math.log(2.0) for k in (0, -1))  # toss(0) is log 2
    print(
        f"labels without a pattern, {factor} / L: from {begun:.0e} above the bottom to "
        f"{sharp[factor]:.0e}"
    )

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
print("The loss is a bowl: no chord of 300 fails, and its Hessian is a mean of squares (the engine")
print(f"finds the same, to {apart:.0e}). So whatever walks downhill is caught in no other valley.")
print(
    f"Its curvature is never above L = {L:.4f}, so with the rate 1/L = {rate:.2f} "
    "the loss falls in every step."
)
print(
    f"After 10 steps it is {summary[1][2]:.0e} above the bottom; 0.05/L has {summary[0][2]:.2f} "
    f"to go, and\n30/L is {summary[5][2]:.1f} above, and {summary[5][3]:.1f} after 40: "
    "it jumps from wall to wall."
)
print(
    f"2/L is the limit that always holds; near the bottom it is 2 / curvature there, here "
    f"{limit * L:.2f}/L,\nand exactly 2/L where nothing can be learned."
)

assert min(gaps) > 0.0 and all(row[2] and row[3] > 0.0 for row in rows) and apart < 1e-12
assert abs(rows[0][4] - L) < 1e-9 and rows[3][4] < rows[1][4] < L
assert flat[0][2] > 0.1 and max(flat[1][1:]) < 1e-3  # a wall, and a plain
assert min(kept) >= 1.0 and len(kept) > 10
by_name = {row[0]: row for row in summary}
assert by_name["1 / L"][4] == 0 == by_name["1.9 / L"][4] and by_name["1 / L"][3] < 1e-4
assert by_name["0.9 x 2/h"][3] < 1e-4 < 1e-2 < by_name["1.2 x 2/h"][3] < by_name["30 / L"][3]
assert by_name["0.05 / L"][3] > 0.1
assert sharp[1.9] < 1e-7 < 1e-3 < sharp[2.1]
