"""Linear regression has a formula for its best weights. Why has logistic regression none?

Both losses have their minimum where the gradient is 0. For squared error this is a system of
linear equations. We solve it, and gradient descent ends at the same weights. With the sigmoid
w stands inside an exponential in every row. The equations are not linear, and no formula for
their solution is known. So we search, and the search solves a linear system in each step.

    linear      Xᵀ(X w - y) = 0             XᵀX w = Xᵀy, solved once
    logistic    Xᵀ(sigmoid(X w) - y) = 0    not linear in w: search

Xᵀ is the transpose of X, whose rows are the students.

Exercises (answers are checked by tests/course/test_exercises.py)
1.  line_through(xs, ys): the intercept and the slope of the least-squares line, by hand.
2.  ridge_slope(xs, ys, l2): the model is y = w x, without an intercept. Which w minimises the
    mean of (w x - y)^2 / 2, plus the penalty l2 / 2 w^2? (It still has a closed form.)
3.  best_logit(share): a logistic model with only a bias has a closed form. If a share of the
    labels is 1, which b makes sigmoid(b) - share zero?
"""

import math

from course import picture, say, section, table

from tinygrad_lr import (
    Array, Value, binary_cross_entropy_with_logits, grad, hessian, mean_squared_error, sigmoid,
)  # fmt: skip
from tinygrad_lr.optim import SGD, Newton

# The example of the Wikipedia article "Logistic regression".
hours = [
    0.5, 0.75, 1.0, 1.25, 1.5, 1.75, 1.75, 2.0, 2.25, 2.5,
    2.75, 3.0, 3.25, 3.5, 4.0, 4.25, 4.5, 4.75, 5.0, 5.5,
]  # fmt: skip
y = Array([0, 0, 0, 0, 0, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1, 1, 1, 1, 1, 1])  # 1: the student passed
X = Array([[1.0, h] for h in hours])  # a column of ones, so that w = (intercept, slope)


def newton(loss, most=30):
    """The weights after each step of Newton's method, from 0 until the gradient is 0."""
    w = Value([0.0, 0.0])
    optimizer, path = Newton([w]), [w.data]
    while len(path) <= most and max(map(abs, grad(loss)(w.data))) > 1e-12:
        optimizer.step(lambda: loss(w))
        path.append(w.data)
    return path


section("1. Linear regression: the gradient is linear in w, so we can solve for w")


# The loss mean (Xw - y)^2 / 2 has the gradient Xᵀ(Xw - y) / n. It is 0 where XᵀX w = Xᵀy. These
# are two linear equations for two weights, the normal equations.
def normal_equations(X, y):
    """w with XᵀX w = Xᵀy, by Cramer's rule."""
    (a, c), (_, d) = (X.T @ X).rows
    e, f = X.T @ y
    return Array([e * d - c * f, a * f - c * e]) / (a * d - c * c)


points = Array([1.0 + 2.0 * h + math.sin(40.0 * h) for h in hours])  # a line and some noise
formula = normal_equations(X, points)
squared = lambda w: mean_squared_error(X @ w, points) / 2
left = max(map(abs, grad(squared)(formula)))
print(f"formula: {formula[0]:.6f} + {formula[1]:.6f} h; largest gradient there {left:.0e}")

section("2. Gradient descent finds the same weights; the formula is only faster")
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

section("3. The flaw: use the formula for labels 0 and 1 anyway")


# It gives a straight line; we predict 1 where the line is above 1/2. Then we add one student who
# studied for 60 hours and passed, as everybody would expect.
def cut(w, height):
    return (height - w[0]) / w[1]  # the hours at which the line reaches this height


X_more, y_more = Array([*X.rows, [1.0, 60.0]]), Array([*y, 1.0])
line, pulled = normal_equations(X, y), normal_equations(X_more, y_more)
before, after = cut(line, 0.5), cut(pulled, 0.5)
logistic = lambda w: binary_cross_entropy_with_logits(X @ w, y)
logistic_more = lambda w: binary_cross_entropy_with_logits(X_more @ w, y_more)
path, path_more = newton(logistic), newton(logistic_more)
table(
    ["model", "predicts 1 from (hours)", "with the 60-hour student"],
    [("straight line", before, after), ("logistic", cut(path[-1], 0.0), cut(path_more[-1], 0.0))],
)
say("""The new student pulls the line down. The old line predicts far more than 1 for 60 hours, and
squared error penalises that. The sigmoid is already at 1, so nothing pulls it.""")

section("4. Why is there no formula? The curvature depends on w")
# The Hessian of squared error is XᵀX / n, the same everywhere. So one linear system has the
# whole answer. The Hessian of the logistic loss is Xᵀ diag(p (1 - p)) X / n, and every p depends
# on w. This shows that the equations are not linear. It does not prove that no formula exists:
# a model with only a bias has one (exercise 3). For data in general none is known.
rows = []
for name, v in ("w = 0", path[0]), ("after 1 step", path[1]), ("at the end", path[-1]):
    rows.append((name, hessian(squared)(v)[1, 1], hessian(logistic)(v)[1, 1]))
table(["where", "curvature by slope: squared error", "logistic"], rows)

section("5. The search: solve one linear system per step")
# At the current w, Newton's method replaces the loss by the parabola with the same gradient and
# Hessian. The minimum of that parabola is the solution of a linear system, and the next w.
linear_path = newton(squared)
lengths = [max(map(abs, grad(logistic)(v))) for v in path]
table(
    ["step", "b", "w", "largest gradient"],
    [(k, *v, g) for k, (v, g) in enumerate(zip(path, lengths))],
)
say(f"""Squared error needs {len(linear_path) - 1} step: the step is the formula. The logistic loss
needs {len(path) - 1} steps. Near the end each step doubles the number of correct digits.""")

section("The picture")


def draw(axes):
    hs = [i / 20 for i in range(-10, 141)]
    axes.plot(hours, y, "o", color="black", label="students")
    axes.plot(hs, [line[0] + line[1] * h for h in hs], label="straight line")
    axes.plot(hs, [pulled[0] + pulled[1] * h for h in hs], "--", label="with a student of 60 hours")
    axes.plot(hs, sigmoid(path[-1][0] + path[-1][1] * Array(hs)), label="logistic, with or without")
    axes.axhline(0.5, color="grey", linewidth=1)
    axes.set(xlabel="hours of study", ylabel="passed", title="A line and a sigmoid for labels 0, 1")


picture("05_line_and_sigmoid", draw)

section("What we learned")
say(f"""The gradient of squared error is linear in w, so a formula gives the minimum. It is w =
({formula[0]:.3f}, {formula[1]:.3f}). After 400 steps gradient descent is within
{visited[400][3]:.0e} of it.""")
say(f"""If we use that formula for labels, one unsurprising student moves the decision from
{before:.2f} to {after:.2f} hours. The logistic decision stays at {cut(path[-1], 0.0):.2f}.""")
say(f"""In the logistic equations w stands inside an exponential in every row. No formula is known
that solves them. So we search. After {len(path) - 1} linear systems the gradient is
{lengths[-1]:.0e}, at w = {path[-1][1]:.4f}, b = {path[-1][0]:.4f}.""")

assert left < 1e-12 and visited[400][3] < 1e-3
assert after > before + 0.5 and abs(cut(path_more[-1], 0.0) - cut(path[-1], 0.0)) < 1e-6
assert rows[0][1] == rows[1][1] == rows[2][1] and rows[0][2] > 1.5 * rows[2][2]
assert len(linear_path) == 2 and 5 <= len(path) - 1 <= 8
assert max(abs(a - c) for a, c in zip(linear_path[-1], formula)) < 1e-9
assert abs(path[-1][1] - 1.5046) < 1e-4 and abs(path[-1][0] + 4.0777) < 1e-4
