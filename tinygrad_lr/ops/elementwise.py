"""The rulebook: what each operation computes, and its derivative beside it.

Read a rule as "the cotangent of the output (g), times how fast the output moves when this
argument does". For y = x**2, dy/dx = 2x, so the rule of x is g * 2 * x.

>>> from tinygrad_lr import Value
>>> x = Value([1.0, 2.0, 4.0])
>>> log(x).sum().backward()           # d log(x) / dx = 1 / x
>>> x.grad
Array([1.0, 0.5, 0.25])
>>> exp(0.0), exp([0.0, 1.0])         # on plain numbers, the plain function
(1.0, Array([1.0, 2.718281828459045]))

These are functions of single numbers, lifted to all shapes (`core.lift`). At a kink (abs and
relu at 0, equal arguments of maximum) a rule gives one of the subgradients, and says which.
Functions of whole tensors are in `tensors`, probabilities in `probability`.
"""

# mypy: disable-error-code="has-type"
# A rule may name the function that it belongs to, whose type is not known yet.

from __future__ import annotations

import builtins
from collections.abc import Callable
from functools import wraps
from typing import Any

from ..core import numerics
from ..core.array import Array
from ..core.lift import data_of, elementwise
from ..core.modes import current_mode
from ..core.typed import ArrayLike, Binary

__all__ = [
    "abs", "add", "clip", "cos", "divide", "exp", "expm1", "identity", "less", "less_equal",
    "log", "log1p", "maximum", "minimum", "multiply", "negative", "power", "relu", "sin", "sqrt",
    "subtract", "where",
]  # fmt: skip

# Points for the tests: of both signs, away from kinks, and with shapes that broadcast.
PAIRS = [
    (0.7, -1.3),
    ([1.5, -0.4], [2.5, 3.0]),
    ([[0.3], [-1.2]], [0.9, 2.1, -0.6]),
    (2.0, [0.5, 4.0]),
]
ANY = [(0.4,), (-1.7,), ([[0.2, -0.6], [1.1, 2.3]],)]
POSITIVE = [(0.4,), (3.0,), ([0.2, 1.9],)]


# ---- arithmetic ------------------------------------------------------------------------


@elementwise(x=lambda g, out, x, y: g, y=lambda g, out, x, y: g, symbol="+", samples=PAIRS)
def add(x: float, y: float) -> float:
    """x + y. A sum passes its cotangent to both."""
    return x + y


@elementwise(x=lambda g, out, x, y: g, y=lambda g, out, x, y: -g, symbol="-", samples=PAIRS)
def subtract(x: float, y: float) -> float:
    """x - y."""
    return x - y


@elementwise(x=lambda g, out, x, y: g * y, y=lambda g, out, x, y: g * x, symbol="*", samples=PAIRS)
def multiply(x: float, y: float) -> float:
    """x * y. The larger one factor is, the faster the product grows with the other."""
    return x * y


@elementwise(
    x=lambda g, out, x, y: divide(g, y),
    y=lambda g, out, x, y: -divide(g * out, y),
    symbol="/",
    samples=PAIRS,
)
def divide(x: float, y: float) -> float:
    """x / y; infinite or NaN, not an error, where y is 0."""
    return numerics.divide(x, y)


@elementwise(
    # At y = 0 the power is constant. Then the exponent y - 1 is replaced, so that x = 0
    # gives 0 * 0**1 and not 0 * 0**-1, which is NaN.
    x=lambda g, out, x, y: g * y * power(x, where(abs(y) > 0, y - 1, 1.0)),
    y=lambda g, out, x, y: g * out * log(where((abs(x) > 0) + (y < 0), x, 1.0)),
    symbol="**",
    samples=[(1.7, 3.0), ([0.5, 2.0], [-1.5, 0.3]), (1.2, [[2.0], [-1.0]])],
)
def power(x: float, y: float) -> float:
    """x ** y; NaN for a negative number to a power that is not whole."""
    return numerics.power(x, y)


@elementwise(x=lambda g, out, x: -g, symbol="-", samples=ANY)
def negative(x: float) -> float:
    """-x."""
    return -x


@elementwise(x=lambda g, out, x: g, samples=ANY)
def identity(x: float) -> float:
    """x itself, as a new node: transforms differentiate with respect to it."""
    return x


# ---- elementary functions ----------------------------------------------------------------


@elementwise(x=lambda g, out, x: g * out, samples=ANY)
def exp(x: float) -> float:
    """e to the power x: the function that is its own slope."""
    return numerics.exp(x)


@elementwise(x=lambda g, out, x: g * exp(x), samples=ANY)
def expm1(x: float) -> float:
    """exp(x) - 1, exact near 0."""
    return numerics.expm1(x)


@elementwise(x=lambda g, out, x: divide(g, x), samples=POSITIVE)
def log(x: float) -> float:
    """Natural logarithm; -inf at 0, NaN below."""
    return numerics.log(x)


@elementwise(x=lambda g, out, x: divide(g, 1 + x), samples=POSITIVE)
def log1p(x: float) -> float:
    """log(1 + x), exact near 0."""
    return numerics.log1p(x)


@elementwise(x=lambda g, out, x: divide(g, 2 * out), samples=POSITIVE)
def sqrt(x: float) -> float:
    """Square root; NaN below 0. Its slope at 0 is infinite."""
    return numerics.sqrt(x)


@elementwise(x=lambda g, out, x: g * cos(x), samples=ANY)
def sin(x: float) -> float:
    """Sine of an angle in radians."""
    return numerics.sin(x)


@elementwise(x=lambda g, out, x: -g * sin(x), samples=ANY)
def cos(x: float) -> float:
    """Cosine of an angle in radians."""
    return numerics.cos(x)


# ---- comparisons, and functions with a kink ------------------------------------------------


def comparison(op: Binary) -> Callable[[ArrayLike, ArrayLike], bool | Array]:
    """A comparison has no slope and gives plain numbers; where source is traced, a node."""

    @wraps(op)
    def compare(x: Any, y: Any, /) -> Any:
        if current_mode().tracing:
            return op(x, y)
        truth = op(data_of(x), data_of(y))
        return bool(truth) if type(truth) is float else truth

    return compare


@comparison
@elementwise(symbol="<", samples=[(1.0, 2.0), ([3.0, 0.0], 1.0)])
def less(x: float, y: float) -> float:
    """1 where x < y, else 0."""
    return float(x < y)


@comparison
@elementwise(symbol="<=", samples=[(1.0, 2.0), ([3.0, 0.0], 1.0)])
def less_equal(x: float, y: float) -> float:
    """1 where x <= y, else 0."""
    return float(x <= y)


@elementwise(
    x=lambda g, out, condition, x, y: where(condition, g, 0.0),
    y=lambda g, out, condition, x, y: where(condition, 0.0, g),
    samples=[(1.0, 0.5, 2.0), ([1.0, 0.0], [0.3, 0.4], 2.5), ([[1.0], [0.0]], 1.5, [0.1, 0.2])],
)
def where(condition: float, x: float, y: float) -> float:
    """x where the condition holds (is not 0), y elsewhere. The other gets cotangent 0."""
    return x if condition else y


@elementwise(x=lambda g, out, x: g * ((x > 0) - (x < 0)), samples=ANY)
def abs(x: float) -> float:
    """|x|; slope 0 at the kink in 0."""
    return builtins.abs(x)


@elementwise(x=lambda g, out, x: where(x > 0, g, 0.0), samples=ANY)
def relu(x: float) -> float:
    """max(x, 0); slope 0 at the kink in 0."""
    return 0.0 if x <= 0.0 else x


@elementwise(
    x=lambda g, out, x, y: where(x > y, g, where(x >= y, g / 2, 0.0)),
    y=lambda g, out, x, y: where(y > x, g, where(y >= x, g / 2, 0.0)),
    samples=PAIRS,
)
def maximum(x: float, y: float) -> float:
    """The larger of the two; equal arguments share the gradient."""
    return x if x >= y or x != x else y


@elementwise(
    x=lambda g, out, x, y: where(x < y, g, where(x <= y, g / 2, 0.0)),
    y=lambda g, out, x, y: where(y < x, g, where(y <= x, g / 2, 0.0)),
    samples=PAIRS,
)
def minimum(x: float, y: float) -> float:
    """The smaller of the two; equal arguments share the gradient."""
    return x if x <= y or x != x else y


@elementwise(
    x=lambda g, out, x, low, high: where((low <= x) * (x <= high), g, 0.0),
    low=lambda g, out, x, low, high: where(x < low, g, 0.0),
    high=lambda g, out, x, low, high: where(x > high, g, 0.0),
    samples=[(0.3, -1.0, 1.0), ([-3.0, 0.5, 4.0], -1.0, [0.2, 1.0, 2.0])],
)
def clip(x: float, low: float, high: float) -> float:
    """x held between low and high (low <= high). Outside, the cotangent goes to the limit.

    So clipping kills the gradient of x.
    """
    return low if x < low else high if x > high else x
