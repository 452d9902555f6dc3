"""Operations on whole tensors: reductions, shapes, indexing, products.

The rules in `elementwise` are of single numbers. Here an element of the output depends on
several elements of the input, or stands in another place. All but max and min are linear in
every argument, so a rule only moves cotangents:

    forward                          backward
    sum      adds up a group         each element of the group gets the cotangent of the sum
    reshape  keeps the order         so does the way back
    x[...]   takes some elements     puts their cotangents back, zeros elsewhere
    x @ w    rows times columns      two products, with x and w exchanged and transposed

>>> from tinygrad_lr import Value
>>> x, w = Value([[1.0, 2.0], [3.0, 5.0]]), Value([10.0, 1.0])
>>> (x @ w).sum().backward()
>>> x.grad, w.grad
(Array([[10.0, 1.0], [10.0, 1.0]]), Array([4.0, 7.0]))

`broadcast_to` and `sum_to`, which all operations need, are in `core.lift`.
"""

# mypy: disable-error-code="has-type, overload-overlap"
# A rule may name the function that it belongs to, whose type is not known yet. A Sequence[Any] may
# hold Values, so it fits several signatures; the first that fits is meant.

from __future__ import annotations

import builtins
import math
import operator
from collections.abc import Callable, Sequence
from functools import wraps
from typing import Any, TypeVar, overload

from ..core import array, numerics
from ..core.array import Array, Data, from_flat, shape_of, sumprod
from ..core.deferred import Deferred
from ..core.lift import broadcast_to, data_of, operation, shape, sum_to
from ..core.shapes import Shape, normal_axes, positions, settled, whole_numbers
from ..core.typed import ArrayLike, DataLike
from ..core.value import Value
from .elementwise import where

__all__ = [
    "affine",
    "broadcast_to",
    "concatenate",
    "dot",
    "expand_reduced",
    "getitem",
    "matmul",
    "max",
    "mean",
    "min",
    "reshape",
    "scatter_add",
    "stack",
    "sum",
    "sum_to",
    "transpose",
]  # fmt: skip

# ---- reductions ----------------------------------------------------------------------------

Axis = int | Sequence[int] | None
Function = TypeVar("Function", bound=Callable[..., Any])


def named(name: str) -> Callable[[Function], Function]:
    """Decorator: the name of an operation, where the function that users call is another one.

    An operation takes its options by name. The function of this name that follows reads them in
    other ways too: for instance `reshape(x, 2, -1)`.
    """

    def rename(function: Function) -> Function:
        function.__name__ = name
        return function

    return rename


def expand_reduced(reduced: Any, x: Any, axis: Axis) -> Any:
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


@operation(x=lambda g, out, x, *, axis, keepdims: expand_reduced(g, x, axis), samples=REDUCTIONS)
@named("sum")
def _sum(x: Data, *, axis: Axis = None, keepdims: bool = False) -> Data:
    """The sum along these axes."""
    return array.reduce(builtins.sum, x, axis, keepdims)


def holds_values(xs: Any) -> bool:
    """Whether this is a list of scalars, of which some are Values."""
    return type(xs) in (list, tuple) and Value in map(type, xs)


@operation(xs=lambda g, out, *xs: [g] * len(xs), symbol="+", samples=[(1.0, 2.0, -0.5)])
def sum_of(*xs: float) -> float:
    """The sum of single numbers, in one node however many they are."""
    return float(builtins.sum(xs))


@overload
def sum(x: Value | Sequence[Value], axis: Axis = None, keepdims: bool = False) -> Value: ...
@overload
def sum(x: Array | Sequence[float], axis: None = None) -> float: ...
@overload
def sum(x: Sequence[Value | float], axis: None = None) -> Value: ...
@overload
def sum(x: DataLike, axis: Axis = None, keepdims: bool = False) -> Data: ...
@wraps(_sum)
def sum(x: Any, axis: Axis = None, keepdims: bool = False) -> Any:
    """The sum along these axes; each element gets the cotangent of the sum.

    `axis`: an int, several, or None for all; with `keepdims` a size of 1 is left there. Raises
    ValueError for an axis that does not exist. So do all reductions. Of a list of scalars with
    Values among them the sum is one node.
    """
    return sum_of(*x) if holds_values(x) else _sum(x, axis=axis, keepdims=keepdims)


@overload
def mean(x: Value | Sequence[Value], axis: Axis = None, keepdims: bool = False) -> Value: ...
@overload
def mean(x: Array | Sequence[float], axis: None = None) -> float: ...
@overload
def mean(x: Sequence[Value | float], axis: None = None) -> Value: ...
@overload
def mean(x: DataLike, axis: Axis = None, keepdims: bool = False) -> Data: ...
def mean(x: Any, axis: Axis = None, keepdims: bool = False) -> Any:
    """The sum along these axes, divided by how many were added. Raises ValueError for none."""
    if holds_values(x):
        return sum_of(*x) / float(len(x))
    sizes = shape(x)
    count = math.prod(sizes if axis is None else [sizes[a] for a in normal_axes(axis, len(sizes))])
    if count == 0:
        raise ValueError(f"mean: shape {sizes} has nothing to average")
    return sum(x, axis=axis, keepdims=keepdims) / float(count)


def _extreme(g: Any, out: Any, x: Any, *, axis: Axis, keepdims: bool) -> Any:
    """The largest (or smallest) element gets the cotangent; several equal ones share it."""
    top = expand_reduced(out, x, axis)
    chosen = (x <= top) * (x >= top)
    count = expand_reduced(sum(chosen, axis=axis, keepdims=True), x, axis)
    return where(chosen, expand_reduced(g, x, axis) / count, 0.0)


@operation(x=_extreme, samples=REDUCTIONS)
def max(x: Data, *, axis: Axis = None, keepdims: bool = False) -> Data:
    """The largest element along these axes; NaN if one is NaN. Raises ValueError for none."""
    return array.reduce(numerics.largest, x, axis, keepdims)


@operation(x=_extreme, samples=REDUCTIONS)
def min(x: Data, *, axis: Axis = None, keepdims: bool = False) -> Data:
    """The smallest element along these axes; NaN if one is NaN. Raises ValueError for none."""
    return array.reduce(numerics.smallest, x, axis, keepdims)


# ---- shapes ----------------------------------------------------------------------------------


@operation(
    x=lambda g, out, x, **_: g if shape(g) == shape(x) else _reshape(g, shape=shape(x)),
    samples=[(MATRIX, {"shape": (3, 2)}), ([1.0, 2.0], {"shape": (2, 1)}), (3.0, {"shape": (1,)})],
)
@named("reshape")
def _reshape(x: Data, *, shape: Shape) -> Data:
    """The same elements in the same order in another shape; one size may be -1."""
    return array.reshape(x, tuple(shape))


@overload
def reshape(x: Value, *shape: int | Sequence[int]) -> Value: ...
@overload
def reshape(x: DataLike, *shape: int | Sequence[int]) -> Data: ...
def reshape(x: Any, *shape: Any) -> Any:
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
@named("concatenate")
def _concatenate(*arrays: Any, axis: int = 0) -> Data:
    """One Array after the other."""
    return array.concatenate(arrays, axis)


@overload
def concatenate(arrays: Sequence[DataLike], axis: int = 0) -> Array: ...
@overload
def concatenate(arrays: Sequence[ArrayLike], axis: int = 0) -> Value: ...
def concatenate(arrays: Sequence[Any], axis: int = 0) -> Any:
    """One after the other along an axis that exists. Raises ValueError where they do not fit."""
    return _concatenate(*arrays, axis=axis)


@overload
def stack(arrays: Sequence[DataLike], axis: int = 0) -> Array: ...
@overload
def stack(arrays: Sequence[ArrayLike], axis: int = 0) -> Value: ...
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


class Scattered(Deferred):
    """The cotangent of x where x was indexed: zeros, with terms added at some places.

    Each use of x[i] adds a term. The zeros are made once, when all terms are there.
    """

    __slots__ = ("everywhere", "shape", "terms")

    def __init__(self, g: Any, index: Any, shape: Shape) -> None:
        self.shape = shape
        self.terms = [(g, index)]
        self.everywhere: list[Any] = []  # terms of other uses of x

    def __add__(self, term: Any) -> Scattered:
        """The same sum with one more term."""
        if isinstance(term, Scattered):
            self.terms += term.terms
            self.everywhere += term.everywhere
        else:
            self.everywhere.append(term)
        return self

    def total(self) -> Any:
        """The sum, by operations, so that it can be differentiated again."""
        if len(self.terms) == 1:
            ((g, index),) = self.terms
            found = scatter_add(g, index=index, shape=self.shape)
        else:
            parts, places = [], []
            for g, index in self.terms:
                taken, form = positions(index, self.shape)
                places += taken
                whole = g if shape(g) == form else broadcast_to(g, shape=form)
                parts.append(reshape(whole, (-1,)))
            size = math.prod(self.shape)
            flat = scatter_add(concatenate(parts), index=places, shape=(size,))
            found = reshape(flat, self.shape)
        for term in self.everywhere:
            found = found + term
        return found


@operation(
    x=lambda g, out, x, *, index: Scattered(g, index, shape(x)),
    symbol="[]",
    samples=[(MATRIX, {"index": 1}), (MATRIX, {"index": (slice(None), [0, 0, 2])})],
)
@named("getitem")
def _getitem(x: Data, *, index: Any) -> Data:
    """x[index]: ints, slices, tuples, lists of ints, `...` and None."""
    if shape_of(x) == ():
        raise IndexError("a scalar cannot be indexed")
    return array.take(x, index)  # type: ignore[arg-type]


@overload
def getitem(x: Value, index: Any) -> Value: ...
@overload
def getitem(x: DataLike, index: Any) -> Data: ...
def getitem(x: Any, index: Any) -> Any:
    """x[index]: ints, slices, tuples, lists of ints, `...` and None."""
    return _getitem(x, index=settled(index))


@operation(
    x=lambda g, out, x, *, index, shape: getitem(g, index=index),
    samples=[([1.0, 2.0], {"index": [0, 0], "shape": (3,)})],
)
def scatter_add(x: Data, *, index: Any, shape: Shape) -> Data:
    """Zeros of this shape with x added at [index]: what indexing took is put back."""
    return array.scatter_add(x, index, shape)


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
    """Rows times columns, summed: (m, k) @ (k, n) is (m, n), (m, k) @ (k) is (m).

    (k) @ (k) is a number; with more axes it is so for each pair of matrices. Raises ValueError
    where the inner sizes differ.
    """
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

    x (n, d), w (d) and b a number give (n); w (d, K) and b (K) give (n, K). Raises ValueError
    for a b that does not fit.
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
    return array.elementwise(operator.add, scores, b)


@operation(
    xs=lambda g, out, *xs: [g * y for y in _other_half(xs)],
    symbol="dot",
    samples=[(1.0, 2.0, -0.5, 3.0)],
)
def dot_of(*xs: float) -> float:
    """x1*y1 + x2*y2 + ... of x1, x2, ..., y1, y2, ...: single numbers, in one node."""
    half = len(xs) // 2
    return float(sumprod(xs[:half], xs[half:]))


def _other_half(xs: Sequence[Any]) -> Sequence[Any]:
    """The factor that each number is multiplied by."""
    half = len(xs) // 2
    return [*xs[half:], *xs[:half]]


@overload
def dot(x: Value | Sequence[Value], y: ArrayLike) -> Value: ...
@overload
def dot(x: ArrayLike, y: Value | Sequence[Value]) -> Value: ...
@overload
def dot(x: DataLike, y: DataLike) -> float: ...
def dot(x: Any, y: Any) -> Any:
    """x1*y1 + x2*y2 + ... of two vectors, or of two lists of scalars with Values among them.

    Of lists it is one node. Raises ValueError where there are not two vectors of one length.
    """
    if holds_values(x) or holds_values(y):
        if len(x) != len(y):
            raise ValueError(f"dot: needs two vectors of one length, got {len(x)} and {len(y)}")
        return dot_of(*x, *y)
    if len(shape(x)) != 1 or shape(x) != shape(y):
        raise ValueError(f"dot: needs two vectors of one length, got {shape(x)} and {shape(y)}")
    return matmul(x, y)
