"""Is the derivative right? Ask the function itself, a small step to each side.

    f'(x)  is about  (f(x + h) - f(x - h)) / 2h

Both sides of the comparison come from the same f: for the quotient its numbers are read,
for the derivative its graph. The gradient of f is such a function too, so second derivatives
are checked by the same few lines: rules are then read on the graph, which finds a rule that
peeked at `.data`.

>>> from tinygrad_lr import exp, sin
>>> gradcheck(lambda x, y: sin(x) * exp(y), [0.5, 1.0], 0.3)
True

A wrong rule is not only found but described: its sign, a factor, a missing term, a kink.
Finite differences prove nothing where the function is steep, noisy or not finite, and a
point says nothing about other points; the check is a test, never part of training.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, NamedTuple

from .calculus import grad
from .core.array import Array, Data, flat_of, from_flat, shape_of
from .core.lift import data_of
from .core.typed import ArrayLike
from .core.value import Value
from .ops.tensors import sum

__all__ = ["gradcheck"]

STEP = 1e-3  # relative; with the extrapolation below the error is about STEP**4


def gradcheck(
    f: Callable[..., Any],
    *inputs: ArrayLike,
    order: int = 2,
    relative_tolerance: float = 1e-6,
    absolute_tolerance: float = 1e-8,
) -> bool:
    """True if the derivatives of f at these inputs agree with finite differences.

    `order`: 1 for gradients, 2 for second derivatives too, and so on. An f that gives a
    tensor is checked by a weighted sum of its elements. Raises AssertionError that names
    the input, the element and both numbers, and says what the error looks like.
    """
    points = tuple(data_of(x) for x in inputs)
    tolerances = relative_tolerance, absolute_tolerance
    current = _weighted(f)
    for nth in range(1, order + 1):
        _check(current, points, nth, tolerances)
        current = _weighted_gradient(current, len(points))
    return True


def _weighted(f: Callable[..., Any]) -> Callable[..., Any]:
    """f as a scalar: its elements times fixed, irregular weights, so that none can hide."""

    def scalar(*xs: Any) -> Any:
        y = f(*(x if type(x) is Value else Value(x) for x in xs))  # f may call methods of x
        return sum(y * _weights(data_of(y)))

    return scalar


def _weighted_gradient(f: Callable[..., Any], count: int) -> Callable[..., Any]:
    """All first derivatives of f in one scalar, whose gradient holds the second ones."""

    def scalar(*xs: Any) -> Any:
        total: Any = 0.0
        for i, g in enumerate(grad(f, tuple(range(count)))(*xs)):
            total = total + sum(g * _weights(data_of(g))) * (i + 1)
        return total

    return scalar


def _weights(x: Data) -> Data:
    size = 1 if isinstance(x, float) else x.size
    weights = [1.0 + 0.5 * math.sin(2.0 * i) for i in range(size)]
    return weights[0] if isinstance(x, float) else from_flat(weights, x.shape)


def _check(
    f: Callable[..., Any], points: tuple[Data, ...], nth: int, tolerances: tuple[float, float]
) -> None:
    relative, absolute = tolerances
    gradients = grad(f, tuple(range(len(points))))(*points)
    for i, (point, gradient) in enumerate(zip(points, gradients)):
        if shape_of(gradient) != shape_of(point):
            raise AssertionError(
                f"input {i} has shape {shape_of(point)}, its gradient {shape_of(gradient)}"
            )
        found = flat_of(gradient)
        slopes = [_slope(_moved(f, points, i, j), x) for j, x in enumerate(flat_of(point))]
        wrong = [
            j
            for j, (a, b) in enumerate(zip(found, slopes))
            if not abs(a - b.both) <= absolute + b.noise + relative * max(abs(a), abs(b.both))
            or math.isinf(b.noise)  # an infinite f would excuse everything
        ]
        if wrong:
            j = wrong[0]
            which = f"derivative of order {nth}" if nth > 1 else "derivative"
            element = f", element {j} of {len(found)}" if isinstance(point, Array) else ""
            raise AssertionError(
                f"{which} by input {i}{element}, at {flat_of(point)[j]!r}: the rules give "
                f"{found[j]!r}, finite differences {slopes[j].both!r}. "
                + _diagnosis(found, slopes, wrong, nth)
            )
    _check_that_g_counts(f, points, gradients)


def _check_that_g_counts(
    f: Callable[..., Any], points: tuple[Data, ...], gradients: tuple[Data, ...]
) -> None:
    """Find a rule that forgets g. With the cotangent 1 it gives the right result, with 4 it fails.

    Products with a power of two are not rounded, so the results must be 4 times as large exactly.
    """
    fourfold = grad(lambda *xs: 4.0 * f(*xs), tuple(range(len(points))))(*points)
    for i, (once, four_times) in enumerate(zip(gradients, fourfold)):
        for a, b in zip(flat_of(once), flat_of(four_times)):
            if not math.isclose(4.0 * a, b, rel_tol=1e-9, abs_tol=1e-300):
                raise AssertionError(
                    f"gradient by input {i}: four times the function has {b!r} where it has "
                    f"{a!r}. A rule forgets g, or uses it twice."
                )


def _moved(
    f: Callable[..., Any], points: tuple[Data, ...], i: int, j: int
) -> Callable[[float], float]:
    """h -> f where element j of input i is moved by h; NaN where f refuses to go."""

    def moved(h: float) -> float:
        flat = list(flat_of(points[i]))
        flat[j] += h
        x = flat[0] if isinstance(points[i], float) else from_flat(flat, shape_of(points[i]))
        try:
            return float(f(*points[:i], x, *points[i + 1 :]))
        except ValueError:
            if h == 0.0:
                raise
            return math.nan  # a smaller step may stay inside

    return moved


class Slope(NamedTuple):
    """Difference quotients at a point: to both sides, to the left, to the right."""

    both: float
    left: float
    right: float
    noise: float  # how far rounding alone may have moved them
    form: str  # of the function here: "smooth", "kink" or "jump"


def _slope(moved: Callable[[float], float], x: float) -> Slope:
    """Steps of about STEP, or smaller ones where halving the step still changes the quotient."""
    scale = max(1.0, abs(x))
    h = STEP * scale
    middle = moved(0.0)
    while True:
        quotients = []
        for d in (h, h / 2):
            below, above = moved(-d), moved(d)
            quotients.append(
                ((above - below) / (2 * d), (middle - below) / d, (above - middle) / d)
            )
        (far, far_left, far_right), (near, left, right) = quotients
        if abs(near - far) <= 1e-4 * abs(near) + 1e-9 or h < 1e-5 * scale:
            break
        h /= 4
    # The error of a quotient shrinks as h**2: from two of them it can be taken out.
    both = near + (near - far) / 3
    # Halving the step halves right - left where the function bends, leaves it where there is
    # a kink, and doubles the quotient where there is a jump.
    form = "smooth"
    if abs(near) > 1.5 * abs(far) and abs(near - far) > 1.0:
        form = "jump"
    elif abs(right - left) > max(
        0.75 * abs(far_right - far_left), 1e-2 * (abs(left) + abs(right)) + 1e-2
    ):
        form = "kink"
    return Slope(both, left, right, 1e-14 * abs(middle) / h, form)


def _diagnosis(found: list[float], slopes: list[Slope], wrong: list[int], nth: int) -> str:
    """What an error looks like to somebody who has seen many."""
    first = slopes[wrong[0]]
    if not all(math.isfinite(s.both + s.noise) for s in slopes):
        return "The function is not finite near this point: check it elsewhere."
    if first.form == "jump":
        return (
            "The function jumps here"
            + (", as a derivative does at a kink" if nth > 1 else "")
            + "; move the point away from it."
        )
    if first.form == "kink":
        return (
            f"It looks like a kink: the slope is {first.left:.6g} on the left and "
            f"{first.right:.6g} on the right; move the point away from it."
        )
    pairs = [(found[j], slopes[j].both) for j in wrong]
    if all(a == 0.0 for a, _ in pairs):
        return "The rules give 0: a missing rule" + (
            "." if nth == 1 else ", or one that reads .data and so hides its inputs."
        )
    factors = [a / b if b else math.inf for a, b in pairs]
    if all(abs(c - factors[0]) <= 1e-4 * abs(factors[0]) for c in factors):
        if abs(factors[0] + 1.0) <= 1e-4:
            return "It looks like a wrong sign: every wrong number is the negative."
        if math.isfinite(factors[0]) and len(factors) > 1:
            return (
                f"It looks like a factor: every wrong number is {factors[0]:.6g} times the right "
                "one."
            )
    if len(pairs) == 1 and math.isfinite(factors[0]):
        return (
            f"It is {factors[0]:.6g} times what it should be, and {pairs[0][0] - pairs[0][1]:.6g} "
            "more: a factor, or a missing term. A second point tells which."
        )
    return "It looks like a missing term: there is no common factor."
