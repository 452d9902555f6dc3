"""Which optimizer is the best? And best at what?

Nine of the family go down the same three slopes: a ravine along an axis, the same ravine
turned by 45 degrees, and the loss of logistic regression on real tumours, with a penalty. Each
may choose the best of the same few learning rates. We count steps until the loss is nearly the
smallest; that a step of Newton costs 31 gradients is counted in the last section.

Exercises (answers are checked by tests/course/test_exercises.py)
1.  momentum_step(w, velocity, g, lr, momentum): the new w and velocity, as SGD does it. All
    are lists of floats but lr and momentum.
2.  best_rate(curvatures): the learning rate that shrinks the slowest direction of a
    quadratic loss fastest, if these are the curvatures along its axes. (Too long is as bad
    as too short: which rate makes the steepest and the flattest direction equally slow?)
3.  steps_of_descent(condition): about how many steps plain descent with that rate needs to
    make the distance from the bottom 1000 times smaller; to the next whole number.
"""

import math
from functools import partial

from course import picture, section, table

from tinygrad_lr import Array, Value, binary_cross_entropy_with_logits
from tinygrad_lr.convexity import largest_eigenvalue
from tinygrad_lr.data import StandardScaler, load_breast_cancer
from tinygrad_lr.optim import LBFGS, SGD, Adagrad, Adam, Newton, RMSprop, Rprop

# name, what makes it, and the line that it adds to the ones before
FAMILY = [
    ("SGD", SGD, "w - lr * g"),
    ("momentum", partial(SGD, momentum=0.9), "a velocity that remembers"),
    ("Nesterov", partial(SGD, momentum=0.9, nesterov=True), "and looks ahead"),
    ("Adagrad", Adagrad, "a rate for each number"),
    ("RMSprop", RMSprop, "which forgets the past"),
    ("Adam", Adam, "both: velocity and rates"),
    ("Rprop", Rprop, "signs alone"),
    ("LBFGS", partial(LBFGS, max_iter=1), "curvature from past steps"),
    ("Newton", Newton, "curvature itself"),
]
RATES = [3.0, 1.0, 0.3, 0.1, 0.03, 0.0198, 0.01]

data = load_breast_cancer()
raw, y = data.X[::4], data.y[::4]
X, zeros = StandardScaler().fit_transform(raw), [0.0] * 30
bce = lambda X, l2=0.01: lambda w: binary_cross_entropy_with_logits(X @ w, y) + l2 * (w @ w)


def path(make, start, loss, lr, goal, most):
    """The points on the way until the loss is at the goal, or `most` steps are made."""
    w = Value(start)
    optimizer = make([w], lr=lr)
    points = [w.data]
    while len(points) <= most:
        optimizer.zero_grad()
        value = loss(w)
        if not goal < value.data < math.inf:
            break
        value.backward()
        optimizer.step(*[lambda: loss(w)] * isinstance(optimizer, (LBFGS, Newton)))
        points.append(w.data)
    return points


def race(start, loss, goal, most, rates):
    """For each name the fewest steps, and the rate; more than `most` where none arrives."""
    best = {}
    for name, make, _ in FAMILY:
        best[name] = most + 1, math.nan
        for lr in [1.0] if name in ("LBFGS", "Newton") else rates:  # these know how far
            points = path(make, start, loss, lr, goal, best[name][0] - 1)
            if loss(points[-1]) <= goal and len(points) <= best[name][0]:
                best[name] = len(points) - 1, lr
    return best


def lowest(loss, start):
    """The smallest loss, by Newton: at the bottom to the last digit in 15 steps."""
    w = path(Newton, start, loss, 1.0, -math.inf, 15)[-1]
    return loss(w)


said = lambda steps, most: f"{steps}" if steps < most else f"not in {most}"

section("1. The trouble: a ravine, 100 times as steep across as it is along")
# The loss x^2 / 2 + 100 y^2 / 2. Across (y) a step must be shorter than 2 / 100; then along
# it (x) each step keeps at least 98 % of the distance.
ravine = lambda w: (w * w) @ [0.5, 50.0]
START, GOAL, MOST = Array([-7.4, 1.3]), 1e-4, 600
rows = []
for lr in 0.005, 0.0198, 0.0202:
    points = path(SGD, START, ravine, lr, GOAL, MOST)
    rows.append((lr, said(len(points) - 1, MOST), *points[50]))
table(["learning rate", "steps", "x after 50", "y after 50"], rows)
print("Shorter is slow along it, longer is thrown out: no rate is right for both directions.")

section("2. The race along the ravine, and along one that is turned")
s = math.sqrt(0.5)
TURN = Array([[s, s], [-s, s]])  # by 45 degrees
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
print("A rate for each number flattens a ravine along an axis. In the turned one Adagrad, RMSprop")
print("and Rprop are many times slower, Adam is a little; the others do not care where axes are.")

section("3. Logistic regression: real tumours, features of one scale")
# A penalty of 0.01 |w|^2 gives the loss a bottom (lesson 13), and makes it rounder.
scaled, weak = bce(X), bce(X, 0.0001)
bottom = lowest(scaled, zeros)
real = race(zeros, scaled, bottom + 1e-3, 100, [3.0, 1.0, 0.3, 0.1, 0.03])
table(["", "best lr", "steps"], [(name, lr, steps) for name, (steps, lr) in real.items()])
print(f"({len(y)} rows, 30 features; until the loss is within 0.001 of the smallest, {bottom:.4f})")
goal = lowest(weak, zeros) + 1e-3
slow, quick = [
    len(path(make, zeros, weak, lr, goal, MOST)) - 1
    for make, lr in ((SGD, real["SGD"][1]), (Newton, 1.0))
]
print(f"With a hundredth of the penalty SGD needs {slow}, Newton {quick}: then it matters again.")

section("4. The same tumours in their raw units")
# Areas of 1000 beside fractions of 0.01: now the real loss is a ravine, and a terrible one.
steep, steep_raw = [largest_eigenvalue(A.T @ A / len(y) / 4.0) for A in (X, raw)]
print(f"curvature at most {steep:.1f} with scaled features, {steep_raw:,.0f} with raw ones")
asked = 0


def counted(w):
    """The loss of the raw features, and a count of how often it was asked for."""
    global asked
    asked += 1
    return bce(raw)(w)


goal = lowest(bce(raw), zeros) + 1e-3
print(f"smallest loss {goal - 1e-3:.4f}; who comes within 0.001 of it, and at what cost?")

section("5. What a step costs")
# A walk back through the graph is most of the work: one for a gradient, 30 more for a Hessian.
rows = []
for name, lr in ("SGD", 1.0 / steep_raw), ("Adam", 0.03), ("LBFGS", 1.0), ("Newton", 1.0):
    make, asked = {name: make for name, make, _ in FAMILY}[name], 0
    points = path(make, zeros, counted, lr, goal, 150)
    steps = len(points) - 1
    walks = {"LBFGS": asked - steps, "Newton": 31 * steps}.get(name, steps)
    rows.append((name, lr, said(steps, 150), walks, bce(raw)(points[-1]) - goal + 1e-3))
table(["", "lr", "steps", "backward walks", "loss above the smallest"], rows)

section("The picture")


def draw(axes):
    for (name, make, _), lr in zip(FAMILY[:6:5] + FAMILY[1:2], (0.0198, 0.3, 0.03)):
        points = path(make, START, ravine, lr, GOAL, MOST)
        axes.plot(*zip(*points), ".-", linewidth=1, label=f"{name}, {len(points) - 1} steps")
    axes.plot(0, 0, "*", color="black", markersize=12)
    axes.set(xlabel="along the ravine", ylabel="across", title="From the left to the star")


picture("10_ravine", draw, figsize=(9, 4))

section("What we learned")
print(
    f"Along the ravine SGD needs {straight['SGD'][0]} steps, momentum {straight['momentum'][0]}, "
    f"RMSprop {straight['RMSprop'][0]}; in the turned one RMSprop {turned['RMSprop'][0]}."
)
print(
    f"On scaled features with a penalty all arrive: SGD in {real['SGD'][0]} steps, Adam in "
    f"{real['Adam'][0]}, Newton in {real['Newton'][0]}, of\n31 backward walks each; with a "
    f"hundredth of the penalty SGD needs {slow}."
)
print(
    f"On raw features SGD and Adam are {rows[0][4]:.2f} and {rows[1][4]:.2f} above the bottom "
    f"after 150 steps; Newton needs {rows[3][2]},\nLBFGS {rows[2][2]}."
)
print("So: scale the features; with a penalty plain descent will do. Else ask for curvature.")

assert straight["SGD"][0] > 300 > 2 * straight["momentum"][0]
for name in "SGD", "momentum", "Nesterov", "LBFGS", "Newton":
    assert abs(straight[name][0] - turned[name][0]) <= 2
assert min(times["Adagrad"], times["RMSprop"]) > 10 and times["Rprop"] > 5 > 2 > times["Adam"]
assert real["SGD"][0] < 30 and real["Newton"][0] < 10 and slow > 10 * real["SGD"][0]
assert rows[0][2].startswith("not") and rows[1][2].startswith("not")
assert int(rows[3][2]) < 10 and int(rows[2][2]) < 150
