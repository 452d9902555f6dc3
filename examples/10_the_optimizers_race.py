"""Which optimizer is the best, and for which loss?

Nine optimizers minimise the same three losses: a ravine along an axis, the same ravine turned
by 45 degrees, and the loss of logistic regression on real tumours, with a penalty. Each
optimizer may use the best of the same few learning rates. We count the steps until the loss is
close to its minimum. One step of Newton's method costs as much as 31 gradients; the last
section counts that. The ranking holds for these losses, rates and goals; it is not a general one.

Exercises (answers are checked by tests/course/test_exercises.py)
1.  momentum_step(w, velocity, g, lr, momentum): the new w and the new velocity, computed as
    SGD does. lr and momentum are numbers, the others are lists of floats.
2.  best_rate(curvatures): a quadratic loss has these curvatures along its axes. Which learning
    rate shrinks the slowest direction fastest? (At that rate the steepest and the flattest
    direction shrink equally fast.)
3.  steps_of_descent(condition): how many steps does gradient descent need at that rate to
    make the distance from the minimum 1000 times smaller? `condition` is the largest curvature
    divided by the smallest. Round up to a whole number.
"""

import math
from functools import partial

from course import picture, say, section, table

from tinygrad_lr import Array, Value, binary_cross_entropy_with_logits
from tinygrad_lr.convexity import largest_eigenvalue
from tinygrad_lr.data import StandardScaler, load_breast_cancer
from tinygrad_lr.optim import LBFGS, SGD, Adagrad, Adam, Newton, RMSprop, Rprop

# the name, the function that makes the optimizer, and the idea that it adds
FAMILY = [
    ("SGD", SGD, "w - lr * g"),
    ("momentum", partial(SGD, momentum=0.9), "a velocity: a sum of past gradients"),
    ("Nesterov", partial(SGD, momentum=0.9, nesterov=True), "momentum that looks ahead"),
    ("Adagrad", Adagrad, "one rate per weight"),
    ("RMSprop", RMSprop, "these rates forget old gradients"),
    ("Adam", Adam, "momentum and RMSprop together"),
    ("Rprop", Rprop, "uses only the sign of the gradient"),
    ("LBFGS", partial(LBFGS, max_iter=1), "estimates curvature from past steps"),
    ("Newton", Newton, "computes the curvature"),
]
SECOND_ORDER = "LBFGS", "Newton"  # they find the length of a step themselves
RATES = [3.0, 1.0, 0.3, 0.1, 0.03, 0.0198, 0.01]

data = load_breast_cancer()
raw, y = data.X[::4], data.y[::4]
X, zeros = StandardScaler().fit_transform(raw), [0.0] * 30


def penalised_loss(X, l2=0.01):
    """The cross-entropy of logistic regression on X, y with the penalty l2 |w|^2."""

    def loss(w):
        return binary_cross_entropy_with_logits(X @ w, y) + l2 * (w @ w)

    return loss


def path(make, start, loss, lr, goal, most):
    """The weights after each step, until the loss reaches the goal or `most` steps are made."""
    w = Value(start)
    optimizer = make([w], lr=lr)
    points = [w.data]
    while len(points) <= most:
        optimizer.zero_grad()
        value = loss(w)
        if not goal < value.data < math.inf:
            break
        value.backward()
        if isinstance(optimizer, (LBFGS, Newton)):
            optimizer.step(lambda: loss(w))
        else:
            optimizer.step()
        points.append(w.data)
    return points


def race(start, loss, goal, most, rates):
    """By name: the fewest steps to the goal, and the rate; `most` + 1 if no rate reaches it."""
    best = {}
    for name, make, _ in FAMILY:
        best[name] = most + 1, math.nan
        for lr in (1.0,) if name in SECOND_ORDER else rates:
            points = path(make, start, loss, lr, goal, best[name][0] - 1)
            if loss(points[-1]) <= goal and len(points) <= best[name][0]:
                best[name] = len(points) - 1, lr
    return best


def lowest(loss, start):
    """The minimum of the loss. 15 steps of Newton's method find it to the last digit."""
    w = path(Newton, start, loss, 1.0, -math.inf, 15)[-1]
    return loss(w)


def shown(steps, most):
    """The number of steps, or a note that `most` were not enough."""
    return f"{steps}" if steps < most else f"not in {most}"


section("1. The problem: a ravine, 100 times as steep across as along")
# The loss is x^2 / 2 + 100 y^2 / 2. Across the ravine (y) the curvature is 100, so the rate must
# be below 2 / 100. Along it (x) the curvature is 1, so a step at that rate keeps more than 98 %
# of the distance.
ravine = lambda w: (w * w) @ [0.5, 50.0]
START, GOAL, MOST = Array([-7.4, 1.3]), 1e-4, 600
rows = []
for lr in 0.005, 0.0198, 0.0202:
    points = path(SGD, START, ravine, lr, GOAL, MOST)
    rows.append((lr, shown(len(points) - 1, MOST), *points[50]))
table(["learning rate", "steps", "x after 50", "y after 50"], rows)
say("""A smaller rate is slow along the ravine. A larger rate diverges across it. No single rate is
good for both directions.""")

section("2. The race in the ravine, and in the same ravine turned by 45 degrees")
s = math.sqrt(0.5)
TURN = Array([[s, s], [-s, s]])  # a rotation by 45 degrees
straight = race(START, ravine, GOAL, MOST, RATES)
turned = race(START @ TURN.T, lambda w: ravine(w @ TURN), GOAL, MOST, RATES)
times = {name: turned[name][0] / straight[name][0] for name in straight}
table(
    ["", "adds", "best lr", "steps", "turned", "times"],
    [
        (name, adds, straight[name][1], straight[name][0], turned[name][0], times[name])
        for name, _, adds in FAMILY
    ],
)
say("""One rate per weight makes up for a ravine along an axis. In the turned ravine Adagrad,
RMSprop and Rprop are many times slower, and Adam is a little slower. The other optimizers do not
depend on the direction of the axes.""")

section("3. Logistic regression: real tumours, standardised features")
# The penalty 0.01 |w|^2 gives the loss a minimum (lesson 13) and makes its curvatures more equal.
scaled, weak = penalised_loss(X), penalised_loss(X, 0.0001)
bottom = lowest(scaled, zeros)
real = race(zeros, scaled, bottom + 1e-3, 100, [3.0, 1.0, 0.3, 0.1, 0.03])
table(["", "best lr", "steps"], [(name, lr, steps) for name, (steps, lr) in real.items()])
say(f"""({len(y)} rows, 30 features. The goal is a loss within 0.001 of the minimum,
{bottom:.4f}.)""")
goal = lowest(weak, zeros) + 1e-3
slow, quick = [
    len(path(make, zeros, weak, lr, goal, MOST)) - 1
    for make, lr in ((SGD, real["SGD"][1]), (Newton, 1.0))
]
say(f"""With a hundredth of the penalty SGD needs {slow} steps and Newton {quick}. Then the choice
of the optimizer matters again.""")

section("4. The same tumours, features in their raw units")
# Areas near 1000 stand beside fractions near 0.01. Now the loss of real data is a steep ravine.
steep, steep_raw = [largest_eigenvalue(A.T @ A / len(y) / 4.0) for A in (X, raw)]
say(f"""The largest curvature is {steep:.1f} with standardised features, and {steep_raw:,.0f} with
raw ones.""")
raw_loss, evaluations = penalised_loss(raw), 0


def counted(w):
    """The loss of the raw features; it counts how often it is computed."""
    global evaluations
    evaluations += 1
    return raw_loss(w)


goal = lowest(raw_loss, zeros) + 1e-3
say(f"""The minimum of the loss is {goal - 1e-3:.4f}. Which optimizer comes within 0.001 of it, and
at what cost?""")

section("5. What a step costs")
# Most of the work is the backward pass: one for a gradient, and 30 more for a Hessian.
rows = []
for name, lr in ("SGD", 1.0 / steep_raw), ("Adam", 0.03), ("LBFGS", 1.0), ("Newton", 1.0):
    make, evaluations = {name: make for name, make, _ in FAMILY}[name], 0
    points = path(make, zeros, counted, lr, goal, 150)
    steps = len(points) - 1
    passes = {"LBFGS": evaluations - steps, "Newton": 31 * steps}.get(name, steps)
    rows.append((name, lr, shown(steps, 150), passes, raw_loss(points[-1]) - goal + 1e-3))
table(["", "lr", "steps", "backward passes", "loss - minimum"], rows)

section("The picture")


def draw(axes):
    for (name, make, _), lr in zip(FAMILY[:6:5] + FAMILY[1:2], (0.0198, 0.3, 0.03)):
        points = path(make, START, ravine, lr, GOAL, MOST)
        axes.plot(*zip(*points), ".-", linewidth=1, label=f"{name}, {len(points) - 1} steps")
    axes.plot(0, 0, "*", color="black", markersize=12)
    axes.set(xlabel="along the ravine", ylabel="across", title="Three paths to the minimum (star)")


picture("10_ravine", draw, figsize=(9, 4))

section("What we learned")
say(f"""In the ravine along an axis SGD needs {straight["SGD"][0]} steps, momentum
{straight["momentum"][0]} and RMSprop {straight["RMSprop"][0]}. In the turned ravine RMSprop needs
{turned["RMSprop"][0]}.""")
say(f"""On standardised features with a penalty all optimizers reach the goal: SGD in
{real["SGD"][0]} steps, Adam in {real["Adam"][0]}, Newton in {real["Newton"][0]} steps of 31
backward passes each. With a hundredth of the penalty SGD needs {slow} steps.""")
say(f"""On raw features SGD and Adam are still {rows[0][4]:.2f} and {rows[1][4]:.2f} above the
minimum after 150 steps. Newton needs {rows[3][2]} steps, LBFGS {rows[2][2]}.""")
say("""So standardise the features. With a penalty plain gradient descent is then enough. Otherwise
use an optimizer that knows the curvature.""")

assert straight["SGD"][0] > 300 > 2 * straight["momentum"][0]
for name in "SGD", "momentum", "Nesterov", "LBFGS", "Newton":
    assert abs(straight[name][0] - turned[name][0]) <= 2
assert min(times["Adagrad"], times["RMSprop"]) > 10 and times["Rprop"] > 5 > 2 > times["Adam"]
assert real["SGD"][0] < 30 and real["Newton"][0] < 10 and slow > 10 * real["SGD"][0]
assert rows[0][2].startswith("not") and rows[1][2].startswith("not")
assert int(rows[3][2]) < 10 and int(rows[2][2]) < 150
