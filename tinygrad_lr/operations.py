"""The rulebook: what each operation computes, and its derivative beside it.

Read a rule as "what the output is owed (g), times how fast the output moves when this
argument does". For y = x**2, dy/dx = 2x, so the rule of x is g * 2 * x.

>>> from tinygrad_lr.value import Value
>>> x = Value([1.0, 2.0, 4.0])
>>> log(x).sum().backward()           # d log(x) / dx = 1 / x
>>> x.grad
Array([1.0, 0.5, 0.25])
>>> exp(0.0), exp([0.0, 1.0])         # on plain numbers, the plain function
(1.0, Array([1.0, 2.718281828459045]))

Sections: arithmetic, elementary functions, comparisons and kinks, reductions, shapes,
indexing, products. At the end the operators and methods of `Value` are attached.
At a kink (abs and relu at 0, equal arguments of maximum) a rule gives one of the
subgradients, and says which. Probabilities are in `probability`.
"""

from __future__ import annotations

import builtins
import math
import operator
from collections.abc import Callable, Sequence
from functools import wraps
from typing import Any

from . import array, numerics
from .array import Data, from_flat, shape_of, sumprod
from .registry import broadcast_to, data_of, elementwise, operation, quick, shape, sum_to
from .shapes import Shape, normal_axes, settled, whole_numbers
from .value import Value, current_mode

__all__ = [
    "abs", "add", "affine", "attach", "broadcast_to", "clip", "concatenate", "cos", "divide",
    "dot", "exp", "expm1", "getitem", "identity", "less", "less_equal", "log", "log1p",
    "matmul", "max", "maximum", "mean", "min", "minimum", "multiply", "negative", "power",
    "relu", "reshape", "scatter", "sin", "spread", "sqrt", "stack", "subtract", "sum", "sum_to",
    "transpose", "where",
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
    """x + y. A sum pays what it is owed to both in full."""
    return x + y


@elementwise(x=lambda g, out, x, y: g, y=lambda g, out, x, y: -g, symbol="-", samples=PAIRS)
def subtract(x: float, y: float) -> float:
    """x - y."""
    return x - y


@elementwise(
    x=lambda g, out, x, y: g * y, y=lambda g, out, x, y: g * x, symbol="*", samples=PAIRS
)
def multiply(x: float, y: float) -> float:
    """x * y. The faster one factor makes the product grow, the larger the other one is."""
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


quick(add, subtract, multiply, negative, divide, power, exp, expm1, log, log1p, sqrt, sin, cos)


# ---- comparisons, and functions with a kink ------------------------------------------------


def _comparison(symbol: str) -> Callable[[Callable[..., float]], Callable[[Any, Any], Any]]:
    """A comparison has no slope and gives plain numbers; where source is traced, a node."""

    def decorate(function: Callable[[float, float], float]) -> Callable[[Any, Any], Any]:
        record = elementwise(symbol=symbol, samples=[(1.0, 2.0), ([3.0, 0.0], 1.0)])(function)

        @wraps(function)
        def compare(x: Any, y: Any, /) -> Any:
            if current_mode().tracing:
                return record(x, y)
            truth = array.pairwise(function, data_of(x), data_of(y))
            return bool(truth) if type(truth) is float else truth

        compare.operation = record.operation  # type: ignore[attr-defined]
        return compare

    return decorate


@_comparison("<")
def less(x: float, y: float) -> float:
    """1 where x < y, else 0."""
    return float(x < y)


@_comparison("<=")
def less_equal(x: float, y: float) -> float:
    """1 where x <= y, else 0."""
    return float(x <= y)


@elementwise(
    x=lambda g, out, condition, x, y: where(condition, g, 0.0),
    y=lambda g, out, condition, x, y: where(condition, 0.0, g),
    samples=[(1.0, 0.5, 2.0), ([1.0, 0.0], [0.3, 0.4], 2.5), ([[1.0], [0.0]], 1.5, [0.1, 0.2])],
)
def where(condition: float, x: float, y: float) -> float:
    """x where the condition holds (is not 0), y elsewhere. What is not chosen is owed 0."""
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
    """x held between low and high (low <= high). Outside x is owed nothing, but the limit is.

    So clipping kills the gradient.
    """
    return low if x < low else high if x > high else x


quick(less, less_equal, where)

# ---- reductions ----------------------------------------------------------------------------

Axis = int | Sequence[int] | None


def spread(reduced: Any, x: Any, axis: Axis) -> Any:
    """A result of reducing x along these axes, broadcast back to the shape of x."""
    full, size = shape(x), shape(reduced)
    if size == full:
        return reduced
    if size == ():
        return broadcast_to(reduced, shape=full)
    axes = normal_axes(axis, len(full))
    kept = tuple(1 if a in axes else n for a, n in enumerate(full))
    return broadcast_to(reshape(reduced, kept), shape=full)


MATRIX = [[0.3, -1.2, 2.0], [1.7, 0.4, -0.5]]
REDUCTIONS = [(0.8,), (MATRIX,), (MATRIX, {"axis": 0}), (MATRIX, {"axis": -1, "keepdims": True})]


@operation(x=lambda g, out, x, *, axis, keepdims: spread(g, x, axis), samples=REDUCTIONS)
def sum(x: Data, *, axis: Axis = None, keepdims: bool = False) -> Data:
    """The sum along these axes. Each element is owed what the sum is owed."""
    return array.reduce(builtins.sum, x, axis, keepdims)


def mean(x: Any, axis: Axis = None, keepdims: bool = False) -> Any:
    """The sum along these axes, divided by how many were added. Raises ValueError for none."""
    sizes = shape(x)
    count = math.prod(sizes if axis is None else [sizes[a] for a in normal_axes(axis, len(sizes))])
    if count == 0:
        raise ValueError(f"mean: shape {sizes} has nothing to average")
    return sum(x, axis=axis, keepdims=keepdims) / float(count)


def _extreme(g: Any, out: Any, x: Any, *, axis: Axis, keepdims: bool) -> Any:
    """What the largest (or smallest) element is owed; several equal ones share it."""
    chosen = (x <= spread(out, x, axis)) * (x >= spread(out, x, axis))
    count = spread(sum(chosen, axis=axis, keepdims=True), x, axis)
    return where(chosen, spread(g, x, axis) / count, 0.0)


@operation(x=_extreme, samples=REDUCTIONS)
def max(x: Data, *, axis: Axis = None, keepdims: bool = False) -> Data:
    """The largest element along these axes; NaN if one is NaN."""
    return array.reduce(numerics.largest, x, axis, keepdims)


@operation(x=_extreme, samples=REDUCTIONS)
def min(x: Data, *, axis: Axis = None, keepdims: bool = False) -> Data:
    """The smallest element along these axes; NaN if one is NaN."""
    return array.reduce(numerics.smallest, x, axis, keepdims)


# ---- shapes ----------------------------------------------------------------------------------


@operation(
    x=lambda g, out, x, **_: g if shape(g) == shape(x) else _reshape(g, shape=shape(x)),
    samples=[(MATRIX, {"shape": (3, 2)}), ([1.0, 2.0], {"shape": (2, 1)}), (3.0, {"shape": (1,)})],
)
def reshape(x: Data, *, shape: Shape) -> Data:
    """The same elements in the same order in another shape; one size may be -1."""
    return array.reshape(x, tuple(shape))


_reshape: Any = reshape


def reshape(x: Any, *shape: Any) -> Any:  # type: ignore[no-redef]
    """The same elements in the same order: `reshape(x, (2, -1))` or `x.reshape(2, -1)`.

    One size may be -1, what is left. Raises ValueError where the sizes do not multiply
    to the number of elements.
    """
    sizes = whole_numbers(shape[0] if len(shape) == 1 else shape)
    if shape_of(data_of(x)) == sizes:
        return x if type(x) is Value else data_of(x)
    return _reshape(x, shape=sizes)


def _inverse(axes: Sequence[int] | None) -> Sequence[int] | None:
    """The order of axes that undoes this one."""
    if axes is None:
        return None
    normal = [a % len(axes) for a in axes]
    return [normal.index(a) for a in range(len(axes))]


@operation(
    x=lambda g, out, x, *, axes: transpose(g, axes=_inverse(axes)),
    samples=[(MATRIX,), ([[[1.0, 2.0]], [[3.0, 4.0]]], {"axes": (1, 2, 0)})],
)
def transpose(x: Data, *, axes: Sequence[int] | None = None) -> Data:
    """The axes in another order: axis i of the result is axis axes[i] of x; reversed if None."""
    return array.transpose(x, axes)


def _pieces(g: Any, out: Any, *arrays: Any, axis: int) -> list[Any]:
    """g cut where the arrays were joined."""
    (axis,) = normal_axes(axis, len(shape(g)))
    pieces, start = [], 0
    for a in arrays:
        stop = start + shape(a)[axis]
        pieces.append(getitem(g, (slice(None),) * axis + (slice(start, stop),)))
        start = stop
    return pieces


@operation(
    arrays=_pieces,
    samples=[
        ([1.0, 2.0], [3.0]),
        (MATRIX, MATRIX, {"axis": 1}),
        (MATRIX, [[1.0], [2.0]], {"axis": -1}),
    ],
)
def concatenate(*arrays: Any, axis: int = 0) -> Data:
    """One Array after the other."""
    return array.concatenate(arrays, axis)


_concatenate = concatenate


def concatenate(arrays: Sequence[Any], axis: int = 0) -> Any:  # type: ignore[no-redef]
    """One after the other along an axis that exists. Raises ValueError where they do not fit."""
    return _concatenate(*arrays, axis=axis)


def stack(arrays: Sequence[Any], axis: int = 0) -> Any:
    """Side by side along a new axis; all of one shape. `stack([x, y])` of scalars is a vector."""
    arrays = list(arrays)
    shapes = {shape(a) for a in arrays}
    if len(shapes) != 1:
        raise ValueError(f"stack: needs one shape, got {sorted(shapes) or 'nothing'}")
    (old,) = shapes
    (at,) = normal_axes(axis, len(old) + 1)
    new = old[:at] + (1,) + old[at:]
    return concatenate([reshape(a, new) for a in arrays], axis=at)


# ---- indexing --------------------------------------------------------------------------------


@operation(
    x=lambda g, out, x, *, index: scatter(g, index=index, shape=shape(x)),
    symbol="[]",
    samples=[(MATRIX, {"index": 1}), (MATRIX, {"index": (slice(None), [0, 0, 2])})],
)
def getitem(x: Data, *, index: Any) -> Data:
    """x[index]: ints, slices, tuples, lists of ints, `...` and None."""
    if shape_of(x) == ():
        raise IndexError("a scalar cannot be indexed")
    return array.take(x, index)  # type: ignore[arg-type]


_getitem: Any = getitem


def getitem(x: Any, index: Any) -> Any:  # type: ignore[no-redef]
    """x[index]: ints, slices, tuples, lists of ints, `...` and None."""
    return _getitem(x, index=settled(index))


@operation(
    x=lambda g, out, x, *, index, shape: getitem(g, index=index),
    samples=[([1.0, 2.0], {"index": [0, 0], "shape": (3,)})],
)
def scatter(x: Data, *, index: Any, shape: Shape) -> Data:
    """Zeros of this shape with x added at [index]: what indexing took is put back."""
    return array.scatter(x, index, shape)


# ---- products --------------------------------------------------------------------------------


def _swap(x: Any) -> Any:
    """The last two axes exchanged."""
    n = len(shape(x))
    return transpose(x) if n == 2 else transpose(x, axes=(*range(n - 2), n - 1, n - 2))


def _matmul_x(g: Any, out: Any, x: Any, y: Any) -> Any:
    """G Y', the outer product g y' for a vector y."""
    m, n = len(shape(x)), len(shape(y))
    if n == 1:  # as a product of a column and a row, which needs no stretching
        return reshape(g, shape(g) + (1,)) @ reshape(y, (1, *shape(y))) if m > 1 else g * y
    if m == 1:  # a row
        g = reshape(g, shape(g)[:-1] + (1,) + shape(g)[-1:])
        return reshape(sum_to(g @ _swap(y), shape=(1,) + shape(x)), shape(x))
    return sum_to(g @ _swap(y), shape=shape(x))


def _matmul_y(g: Any, out: Any, x: Any, y: Any) -> Any:
    """X' G; for a vector y the sum of the rows of X, each times its g."""
    m, size = len(shape(x)), shape(y)
    if len(size) == 1:
        if m < 3:
            return g @ x if m == 2 else g * x
        return reshape(g, (-1,)) @ reshape(x, (math.prod(shape(g)), *size))
    if m == 1:
        g = reshape(g, shape(g)[:-1] + (1,) + shape(g)[-1:])
        return sum_to(reshape(x, (-1, 1)) * g, shape=size)
    return sum_to(_swap(x) @ g, shape=size)


@operation(
    x=_matmul_x,
    y=_matmul_y,
    symbol="@",
    samples=[
        ([1.0, -2.0, 0.5], [0.3, 0.7, 2.0]),
        (MATRIX, [0.3, 0.7, 2.0]),
        ([0.3, 0.7], MATRIX),
        (MATRIX, [[1.0, 2.0], [0.5, -1.0], [0.1, 0.2]]),
        ([MATRIX, MATRIX], [[1.0], [2.0], [-0.3]]),
        ([0.3, 0.7], [MATRIX, MATRIX]),
        ([MATRIX, MATRIX], [1.0, 2.0, -0.3]),
    ],
)
def matmul(x: Data, y: Data) -> Data:
    """Rows times columns, summed: (m, k) @ (k, n) is (m, n), (m, k) @ (k) is (m)."""
    return array.matmul(x, y)


def _spelled_out_affine(x: Any, w: Any, b: Any) -> Any:
    return x @ w + b


@operation(
    x=lambda g, out, x, w, b: _matmul_x(g, out, x, w),
    w=lambda g, out, x, w, b: _matmul_y(g, out, x, w),
    b=lambda g, out, x, w, b: sum_to(g, shape=shape(b)),
    same_as=_spelled_out_affine,
    samples=[
        (MATRIX, [0.3, 0.7, 2.0], 0.5),
        (MATRIX, [[1.0, 2.0], [0.5, -1.0], [0.1, 0.2]], [0.3, -0.4]),
        ([1.0, -2.0, 0.5], [0.3, 0.7, 2.0], -1.0),
    ],
)
def affine(x: Any, w: Any, b: Any) -> Data:
    """x @ w + b in one step: the scores of each row of x, before they become probabilities.

    x (n, d), w (d) and b a number give (n); w (d, K) and b (K) give (n, K).
    """
    size = shape_of(x)
    if type(b) is float and len(size) == 2 and size[1:] == shape_of(w):
        weights = w.flat  # the usual case, in one go
        return from_flat([sumprod(row, weights) + b for row in x.rows], size[:1])
    scores = array.matmul(x, w)
    if shape_of(b) != shape_of(scores)[len(shape_of(x)) - 1 :]:
        raise ValueError(
            f"affine: scores of shape {shape_of(scores)} and b of shape {shape_of(b)}; b is a "
            "number for each column of w, or one number where w is a vector"
        )
    return array.pairwise(operator.add, scores, b)


def dot(x: Any, y: Any) -> Any:
    """x1*y1 + x2*y2 + ... of two vectors. Raises ValueError where they are not two vectors."""
    if len(shape(x)) != 1 or shape(x) != shape(y):
        raise ValueError(f"dot: needs two vectors of one length, got {shape(x)} and {shape(y)}")
    return matmul(x, y)


# ---- Value's operators and methods -------------------------------------------------------------


def _turned(function: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
    """For `2 - x`, where Python asks x first for `x.__rsub__(2)`."""
    return lambda x, y: function(y, x)


def attach(*functions: Callable[..., Any]) -> None:
    """Make functions whose first argument is a tensor methods of Value."""
    for function in functions:
        setattr(Value, function.__name__, function)


for _name, _function in {
    "add": add, "sub": subtract, "mul": multiply, "truediv": divide, "pow": power, "matmul": matmul,
}.items():  # fmt: skip
    setattr(Value, f"__{_name}__", _function)
    setattr(Value, f"__r{_name}__", _turned(_function))
for _name, _function in {
    "neg": negative, "abs": abs, "getitem": getitem,
    "lt": less, "le": less_equal, "gt": _turned(less), "ge": _turned(less_equal),
}.items():  # fmt: skip
    setattr(Value, f"__{_name}__", _function)

attach(
    exp, log, log1p, expm1, sqrt, abs, sin, cos, relu, maximum, minimum, clip, where, sum, mean,
    max, min, reshape, transpose, broadcast_to, matmul, dot,
)  # fmt: skip
Value.T = property(transpose, doc="The axes in reverse order.")  # type: ignore[attr-defined]
