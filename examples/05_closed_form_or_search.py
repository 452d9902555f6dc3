"""Linear regression has a formula for its best weights. Why has logistic regression none?

Both losses have their bottom where the gradient is 0. With squared error that is a system of
linear equations; we solve it, and descent ends at the same numbers. With the sigmoid w hides
inside exp, in every row: no formula, but a search that solves linear equations a few times.

    linear      X'(X w - y) = 0             X'X w = X'y, solved once
    logistic    X'(sigmoid(X w) - y) = 0    not linear in w: search

Exercises (answers are checked by tests/course/test_exercises.py)
1.  line_through(xs, ys): intercept and slope of least squares, by hand.
2.  ridge_slope(xs, ys, l2): for y = w x without intercept, the w that minimises the mean of
    (w x - y)^2 / 2 plus l2 / 2 w^2: the penalty keeps the closed form.
3.  best_logit(share): a model of a bias only *has* a closed form: when a share of the labels is
    1, which b makes sigmoid(b) - share zero?
"""

import math

from course import picture, section, table

from tinygrad_lr import (
    Array, Value, binary_cross_entropy_with_logits, grad, hessian, mean_squared_error, sigmoid,
)  # fmt: skip
from tinygrad_lr.optim import SGD, Newton

# The example of the Wikipedia article "Logistic regression".
hours = [
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
y = Array([0, 0, 0, 0, 0, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1, 1, 1, 1, 1, 1])  # who passed
X = Array([[1.0, h] for h in hours])  # a column of ones, so that w = (b, slope)


def newton(loss, most=30):
    """All weights that Newton's search visits, from 0 until the gradient is gone."""
    w = Value([0.0, 0.0])
    optimizer, path = Newton([w]), [w.data]
    while len(path) <= most and max(map(abs, grad(loss)(w.data))) > 1e-12:
        optimizer.step(lambda: loss(w))
        path.append(w.data)
    return path


section("1. Linear: the gradient is 0 on a straight line through the weights")


# mean (Xw - y)^2 / 2 has the gradient X'(Xw - y) / n. Zero means X'X w = X'y: 2 equations.
def normal_equations(X, y):
    """w with X'X w = X'y, by Cramer's rule."""
    (a, c), (_, d) = (X.T @ X).rows
    e, f = X.T @ y
    return Array([e * d - c * f, a * f - c * e]) / (a * d - c * c)


points = Array([1.0 + 2.0 * h + math.sin(40.0 * h) for h in hours])  # a line and some wiggle
formula = normal_equations(X, points)
squared = lambda w: mean_squared_error(X @ w, points) / 2
left = max(map(abs, grad(squared)(formula)))
print(f"formula: {formula[0]:.6f} + {formula[1]:.6f} h; its gradient is {left:.0e}")

section("2. Descent finds the same; the formula only saves the way")
w = Value([0.0, 0.0])
optimizer, visited = SGD([w], lr=0.15), []
for step in range(401):
    optimizer.zero_grad()
    squared(w).backward()
    visited.append((step, *w.data, max(abs(a - c) for a, c in zip(w.data, formula))))
    optimizer.step()
table(
    ["step", "intercept", "slope", "distance to the formula"],
    [visited[k] for k in (0, 25, 100, 400)],
)

section("3. The flaw: use the formula for labels anyway")
# It gives a line, cut at 1/2. One more student, who studied 60 hours and passed, as expected:
cut = lambda w, at: (at - w[0]) / w[1]
X_more, y_more = Array([*X.rows, [1.0, 60.0]]), Array([*y, 1.0])
line, pulled = normal_equations(X, y), normal_equations(X_more, y_more)
before, after = cut(line, 0.5), cut(pulled, 0.5)
logistic = lambda w, X=X, y=y: binary_cross_entropy_with_logits(X @ w, y)
path = newton(logistic)
path_more = newton(lambda w: logistic(w, X_more, y_more))
table(
    ["who", "says 1 from (hours)", "with the 60-hour student"],
    [("straight line", before, after), ("logistic", cut(path[-1], 0.0), cut(path_more[-1], 0.0))],
)
print("The line is pulled down by a student who surprised nobody; a sure p = 1 pulls at nothing.")

section("4. Why no formula? The equations change wherever you stand")
# The Hessian of squared error is X'X / n, the same everywhere: one linear system describes it
# all. That of the logistic loss, X' diag(p (1 - p)) X / n, depends on w through every p.
rows = []
for name, v in ("w = 0", path[0]), ("after 1 step", path[1]), ("at the end", path[-1]):
    rows.append((name, hessian(squared)(v)[1, 1], hessian(logistic)(v)[1, 1]))
table(["where", "curvature by slope: squared error", "logistic"], rows)

section("5. But solve a linear system again and again")
# Newton's step is the normal equations of the parabola that fits the loss here.
linear_path = newton(squared)
lengths = [max(map(abs, grad(logistic)(v))) for v in path]
table(
    ["step", "b", "w", "largest gradient"],
    [(k, *v, g) for k, (v, g) in enumerate(zip(path, lengths))],
)
print(
    f"squared error: {len(linear_path) - 1} step, the formula. Logistic: {len(path) - 1} steps, "
    "and the right digits double."
)

section("The picture")


def draw(axes):
    hs = [i / 20 for i in range(-10, 141)]
    axes.plot(hours, y, "o", color="black", label="students")
    axes.plot(hs, [line[0] + line[1] * h for h in hs], label="straight line")
    axes.plot(hs, [pulled[0] + pulled[1] * h for h in hs], "--", label="with a student of 60 hours")
    axes.plot(hs, sigmoid(path[-1][0] + path[-1][1] * Array(hs)), label="logistic, with or without")
    axes.axhline(0.5, color="grey", linewidth=1)
    axes.set(xlabel="hours of study", ylabel="passed", title="A formula for the wrong question")


picture("05_line_and_sigmoid", draw)

section("What we learned")
print(
    f"Squared error: the gradient is linear in w, so w = ({formula[0]:.3f}, {formula[1]:.3f}) "
    "is a "
    f"formula; 400 steps of\ndescent come within {visited[400][3]:.0e} of it."
)
print(
    f"On labels its line moves from {before:.2f} to {after:.2f} hours for one student who "
    "surprised "
    f"nobody;\nthe logistic line stays at {cut(path[-1], 0.0):.2f}."
)
print("There w stands inside exp, once for each row; nobody knows how to bring it to one side.")
print(
    f"So we search: {len(path) - 1} linear systems end at w = {path[-1][1]:.4f}, "
    f"b = {path[-1][0]:.4f}, with a gradient of {lengths[-1]:.0e}."
)

assert left < 1e-12 and visited[400][3] < 1e-3
assert after > before + 0.5 and abs(cut(path_more[-1], 0.0) - cut(path[-1], 0.0)) < 1e-6
assert rows[0][1] == rows[1][1] == rows[2][1] and rows[0][2] > 1.5 * rows[2][2]
assert len(linear_path) == 2 and 5 <= len(path) - 1 <= 8
assert max(abs(a - c) for a, c in zip(linear_path[-1], formula)) < 1e-9
assert abs(path[-1][1] - 1.5046) < 1e-4 and abs(path[-1][0] + 4.0777) < 1e-4
