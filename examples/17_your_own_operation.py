"""How do I add an operation of my own, and how do I know that its derivative is right?

An operation is its value and one rule for each argument, in one place. We write one wrong in
the five ways in which everybody does, let `gradcheck` say what is wrong with it, and mend it.
The operation is "swish", x * sigmoid(x), which has no name here yet. Then an operation of two
arguments, one with a kink, and what that one learns.

Exercises (answers are checked by tests/course/test_exercises.py)
1.  arctan: an operation of your own; gradcheck accepts it, and its second derivatives.
2.  squared_distance(x, y): (x - y)^2 as one operation with two rules.
3.  leaky(x): x where x is positive, x / 10 elsewhere, as an operation whose rule is written
    with `where`. At which point does gradcheck refuse it, and why?
"""

import math
import textwrap

from course import picture, section, table

from tinygrad_lr import (
    Value, elementwise, grad, gradcheck, logistic_density, sigmoid, where,
)  # fmt: skip
from tinygrad_lr.data import load_breast_cancer
from tinygrad_lr.core.operation import OPERATIONS


def verdict(f, *inputs, **options):
    """What gradcheck says, in lines of a page."""
    try:
        said = f"right: {gradcheck(f, *inputs, **options)}"
    except AssertionError as error:
        said = str(error)
    print(textwrap.fill(said, 98, initial_indent="  ", subsequent_indent="    "))
    return said


def of_floats(x):
    """x * sigmoid(x), of one number: all that the value needs."""
    return x / (1.0 + math.exp(-x))


def operation_named(name, **rules):
    """`of_floats` as an operation with these rules."""

    def function(x):
        return of_floats(x)

    function.__name__ = name
    return elementwise(**rules)(function)


radii = sorted(load_breast_cancer().X.columns[0])
X = [-1.5, 0.3, 2.0]  # more than one point: a factor or a missing term? now it can be told

section("1. No rule at all")
forgotten = operation_named("forgotten")
said_missing = verdict(forgotten, X)

section("2. A sign, a factor, a term: three classics")
# swish'(x) = p + x p (1 - p), where p = sigmoid(x): the product rule
p_and_slope = lambda x: sigmoid(x) + x * logistic_density(x)
sign = operation_named("sign", x=lambda g, out, x: -g * p_and_slope(x))
factor = operation_named("factor", x=lambda g, out, x: 2 * g * p_and_slope(x))
term = operation_named("term", x=lambda g, out, x: g * sigmoid(x))
said_sign, said_factor, said_term = [verdict(f, X) for f in (sign, factor, term)]

section("3. The cunning one: right numbers, but the rule reads .data")
# `float(...)` or `.data` inside a rule throws away how the number was made. The gradient is
# right, and training works; the second derivative, which Newton needs, is silently wrong.
peeking = operation_named("peeking", x=lambda g, out, x: g * p_and_slope(getattr(x, "data", x)))
print("checked to order 1:")
said_first = verdict(peeking, X, order=1)
print("checked to order 2, as gradcheck does if it is not told otherwise:")
said_second = verdict(peeking, X)

section("4. Right: written with operators and public functions only")


@elementwise(x=lambda g, out, x: g * p_and_slope(x), samples=[(0.3,), (-2.0,)])
def swish(x):
    """x * sigmoid(x): a line far to the right, nothing far to the left, smooth between."""
    return of_floats(x)


said_right = verdict(swish, X)
slope, h = grad(swish), 1e-4
rows = [(x, swish(x), slope(x), grad(slope)(x), (slope(x + h) - slope(x - h)) / (2 * h)) for x in X]
table(["x", "swish", "slope", "curvature", "by differences"], rows)
print(f"It is one of {len(OPERATIONS)} operations now; at `samples` the test suite would try it.")

section("5. Two arguments, two rules; and a kink")


@elementwise(x=lambda g, out, x, y: g / (x + y), y=lambda g, out, x, y: g / (x + y))
def log_of_sum(x, y):
    """log(x + y)."""
    return math.log(x + y)


@elementwise(x=lambda g, out, x: g * where(x > 0.0, 0.9, -0.1))
def pinball(x):
    """Too little (x > 0) costs 0.9 a unit, too much 0.1: nine times as bad."""
    return 0.9 * x if x > 0.0 else -0.1 * x


said_two = verdict(log_of_sum, [1.0, 2.0], 3.0)  # broadcasting is none of the rules' business
print("pinball at 0.3, and at 0, where two lines meet and no slope is right:")
said_smooth, said_kink = verdict(pinball, 0.3), verdict(pinball, 0.0)

section("6. It learns, like a built-in one")
# The best single number for the radii of 569 tumours: best in which sense?
best = {}
for name, loss, lr in ("squares", lambda e: e * e, 0.4), ("pinball", pinball, 10.0):
    c = Value(0.0)
    for _ in range(150):
        loss(radii - c).mean().backward()
        c.data, c.grad = c.data - lr * c.grad, None
    best[name] = c.data
mean, high = sum(radii) / len(radii), radii[int(0.9 * len(radii))]
table(
    ["", "learned", "counted"],
    [
        ("squares: the mean", best["squares"], mean),
        ("pinball: the 90 % quantile", best["pinball"], high),
    ],
)

section("The picture")


def draw(axes):
    xs = [i / 20 for i in range(-120, 121)]
    axes.plot(xs, [swish(x) for x in xs], label="swish")
    axes.plot(xs, [grad(swish)(x) for x in xs], label="its slope")
    axes.plot(xs, [grad(term)(x) for x in xs], "--", label="wrong: a term is missing")
    axes.set(xlabel="x", title="A wrong rule looks plausible")


picture("17_swish", draw)

section("What we learned")
print("An operation is a function of numbers and a rule an argument; nothing else is edited.")
print("gradcheck compared five wrong rules with finite differences, found each, and said what is")
print("wrong: none, the sign, the factor 2, a missing term, or one that reads .data.")
print(f"The last was invisible to first derivatives ({said_first}) and found by the second ones.")
print(
    f"Squares learned the mean, {best['squares']:.2f}; the loss of our own, in four lines, the "
    f"radius\nthat 90 % of the tumours do not exceed, {best['pinball']:.2f}."
)

assert "missing rule" in said_missing and "wrong sign" in said_sign
assert "2 times the right one" in said_factor and "missing term" in said_term
assert said_first == "right: True" and "order 2" in said_second and "reads .data" in said_second
assert said_right == said_two == said_smooth == "right: True" and "looks like a kink" in said_kink
assert all(abs(row[3] - row[4]) < 1e-6 for row in rows)
assert abs(best["squares"] - mean) < 1e-6 and abs(best["pinball"] - high) < 0.05
