"""How do I add an operation of my own, and how do I know that its derivative is right?

An operation is a function, with one rule for each of its arguments. A rule computes the
cotangent of its argument from the cotangent of the output (a vector-Jacobian product). We write
the operation "swish", x * sigmoid(x), with five common mistakes. `gradcheck` finds each of them
and says what it looks like. Then we write it correctly. At the end we write an operation of two
arguments and one with a kink, and train with the last one.

Exercises (answers are checked by tests/course/test_exercises.py)
1.  arctan(x): an operation of your own. gradcheck must accept it, with its second derivatives.
2.  squared_distance(x, y): (x - y)^2 as one operation with two rules.
3.  leaky(x): x where x is positive, x / 10 elsewhere, as one operation. Write its rule with
    `where`. At which point does gradcheck reject it, and why?
"""

import math
import textwrap

from course import picture, say, section, table

from tinygrad_lr import (
    Value, elementwise, grad, gradcheck, logistic_density, sigmoid, where,
)  # fmt: skip
from tinygrad_lr.data import load_breast_cancer
from tinygrad_lr.core.operation import OPERATIONS


def verdict(f, *inputs, **options):
    """Call gradcheck; print and return its answer."""
    try:
        said = f"right: {gradcheck(f, *inputs, **options)}"
    except AssertionError as error:
        said = str(error)
    print(textwrap.fill(said, 98, initial_indent="  ", subsequent_indent="    "))
    return said


def swish_of_a_float(x):
    """x * sigmoid(x) of one number. This is all that the forward pass needs."""
    return x / (1.0 + math.exp(-x))


def operation_named(name, **rules):
    """`swish_of_a_float` as an operation with this name and these rules."""

    def function(x):
        return swish_of_a_float(x)

    function.__name__ = name
    return elementwise(**rules)(function)


radii = sorted(load_breast_cancer().X.columns[0])
X = [-1.5, 0.3, 2.0]  # with several points gradcheck can tell a factor from a missing term

section("1. No rule at all")
forgotten = operation_named("forgotten")
said_missing = verdict(forgotten, X)

section("2. Three common mistakes: the sign, a factor, a missing term")


# By the product rule swish'(x) = p + x p (1 - p), with p = sigmoid(x). In a rule, g is the
# cotangent of the output, and `out` is the output itself.
def slope_of_swish(x):
    return sigmoid(x) + x * logistic_density(x)


sign = operation_named("sign", x=lambda g, out, x: -g * slope_of_swish(x))
factor = operation_named("factor", x=lambda g, out, x: 2 * g * slope_of_swish(x))
term = operation_named("term", x=lambda g, out, x: g * sigmoid(x))
said_sign, said_factor, said_term = [verdict(f, X) for f in (sign, factor, term)]

section("3. A hidden mistake: the numbers are right, but the rule reads .data")
# `float(...)` or `.data` inside a rule discards the graph of the number. The gradient is right,
# and training works. But the second derivative, which Newton's method needs, is wrong.
peeking = operation_named("peeking", x=lambda g, out, x: g * slope_of_swish(getattr(x, "data", x)))
print("checked to order 1:")
said_first = verdict(peeking, X, order=1)
print("checked to order 2, the default of gradcheck:")
said_second = verdict(peeking, X)

section("4. The correct rule: written with operators and public functions only")


@elementwise(x=lambda g, out, x: g * slope_of_swish(x), samples=[(0.3,), (-2.0,)])
def swish(x):
    """x * sigmoid(x): about x for large x, about 0 for very negative x, smooth between."""
    return swish_of_a_float(x)


said_right = verdict(swish, X)
slope, h = grad(swish), 1e-4
rows = [(x, swish(x), slope(x), grad(slope)(x), (slope(x + h) - slope(x - h)) / (2 * h)) for x in X]
table(["x", "swish", "slope", "curvature", "by differences"], rows)
say(f"""There are {len(OPERATIONS)} operations now, and this is one of them. For an operation of
the package the test suite checks the rules at `samples`.""")

section("5. Two arguments with two rules, and an operation with a kink")


@elementwise(x=lambda g, out, x, y: g / (x + y), y=lambda g, out, x, y: g / (x + y))
def log_of_sum(x, y):
    """log(x + y)."""
    return math.log(x + y)


@elementwise(x=lambda g, out, x: g * where(x > 0.0, 0.9, -0.1))
def pinball(x):
    """The cost of the error x: 0.9 per unit if x is positive, 0.1 per unit if it is negative."""
    return 0.9 * x if x > 0.0 else -0.1 * x


said_two = verdict(log_of_sum, [1.0, 2.0], 3.0)  # the rules need no code for broadcasting
print("pinball at 0.3, and at 0, where two lines meet and there is no derivative:")
said_smooth, said_kink = verdict(pinball, 0.3), verdict(pinball, 0.0)

section("6. Train with your own operation")
# Find the single number c that describes the radii of 569 tumours best. What "best" means depends
# on the loss of the error radius - c.
best = {}
for name, loss, lr in ("squares", lambda e: e * e, 0.4), ("pinball", pinball, 10.0):
    c = Value(0.0)
    for _ in range(150):
        loss(radii - c).mean().backward()
        c.data, c.grad = c.data - lr * c.grad, None
    best[name] = c.data
mean, high = sum(radii) / len(radii), radii[int(0.9 * len(radii))]
table(
    ["loss, and what minimises it", "learned", "from the sorted data"],
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
say("""An operation is a function of numbers with one rule per argument. Both stand in one place,
and no other file changes.""")
say("""gradcheck compared five wrong operations with finite differences. It found all of them and
named the mistake: no rule, a wrong sign, a factor 2, a missing term, a rule that reads .data.""")
say(f"""With first derivatives alone gradcheck does not find the last mistake ("{said_first}").
With second derivatives it does.""")
say(f"""Squared errors lead to the mean, {best["squares"]:.2f}. Our own loss, in four lines, leads
to the radius that 90 % of the tumours do not exceed, {best["pinball"]:.2f}.""")

assert "missing rule" in said_missing and "wrong sign" in said_sign
assert "2 times the right one" in said_factor and "missing term" in said_term
assert said_first == "right: True" and "order 2" in said_second and "reads .data" in said_second
assert said_right == said_two == said_smooth == "right: True" and "looks like a kink" in said_kink
assert all(abs(row[3] - row[4]) < 1e-6 for row in rows)
assert abs(best["squares"] - mean) < 1e-6 and abs(best["pinball"] - high) < 0.05
