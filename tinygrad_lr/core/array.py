"""Array: a shape and a flat list of floats. All the numbers, none of the derivatives.

    Array([[1, 2, 3],          shape   (2, 3)          two rows of three
           [4, 5, 6]])         flat    [1, 2, 3, 4, 5, 6]    row after row

An element stands in `flat` at the sum of index times stride, and the stride of an axis
is the product of the sizes behind it. So reshaping moves nothing, a row is a slice
(`flat[3:6]`), a column is a slice with a step (`flat[1::3]`), and every loop over
elements is one call of `map`, `sum` or `sumprod`, which run at the speed of C.

A single number is a plain float here and everywhere, never an Array of no dimensions.
An Array does not change after it is made. So it can be shared, and what was computed from it
can be kept with it: `rows` and `columns` are computed once (see `cached`).

>>> a = Array([[1, 2, 3], [4, 5, 6]])
>>> a * 10 + [1, 2, 3]
Array([[11.0, 22.0, 33.0], [41.0, 52.0, 63.0]])
>>> a @ [1, 0, -1]
Array([-2.0, -2.0])
>>> reduce(sum, a, axis=0), sum_to(a, (2, 1))
(Array([5.0, 7.0, 9.0]), Array([[6.0], [15.0]]))

Derivatives are not here (`value`, `operations`), nor are names for the functions
(`exp`, `sum`, ...: `operations`, `tensors`, `probability`).
"""

from __future__ import annotations

import math
import operator
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import chain, repeat
from numbers import Number
from typing import TYPE_CHECKING, Any, TypeAlias

from . import numerics
from .shapes import Shape, broadcast_shape, normal_axes, positions, strides

if TYPE_CHECKING:
    from .typed import DataLike

__all__ = [
    "Array", "Data", "Tracked", "along", "as_data", "broadcast_to", "cached", "concatenate",
    "elementwise", "flat_of", "from_flat", "is_finite", "map_numbers", "matmul", "numbers",
    "reduce", "reshape", "scatter_add", "shape_of", "sum_to", "sumprod", "take", "transpose",
]  # fmt: skip

if sys.version_info >= (3, 12):
    from math import sumprod  # about three times as fast, and more exact
else:

    def sumprod(p: Sequence[float], q: Sequence[float], /) -> float:
        """p[0]*q[0] + p[1]*q[1] + ..."""
        products: Iterator[float] = map(operator.mul, p, q)
        return sum(products)


class Tracked:
    """What `Value` inherits, so that nothing tracked is read as plain data by mistake."""

    __slots__ = ()


Operator: TypeAlias = "Callable[[Array, DataLike], Array]"


def _lifted(f: Callable[..., float]) -> tuple[Operator, Operator]:
    """f of two numbers as an operator of Arrays: for `x + y`, and reflected for `[1] + x`."""

    def operate(x: Array, y: Any) -> Any:
        if type(y) is float or type(y) is Array:
            return elementwise(f, x, y)
        return NotImplemented if isinstance(y, Tracked) else elementwise(f, x, as_data(y))

    def reflected(x: Array, y: Any) -> Any:
        return NotImplemented if isinstance(y, Tracked) else elementwise(f, as_data(y), x)

    return operate, reflected


class Array:
    """Floats in a shape: `Array([[1, 2], [3, 4]])`, from anything nested evenly.

    `.shape`; `.flat`, all floats row after row; of a matrix also `.rows` and `.columns`.
    Raises TypeError for what is not a number, ValueError for ragged lists.
    """

    __slots__ = ("shape", "flat", "rows", "columns", "cache")
    __array_ufunc__ = None  # numpy leaves `ndarray * Array` to us

    shape: Shape
    flat: list[float]
    rows: list[list[float]]
    columns: list[list[float]]
    cache: dict[Callable[[Array], Any], Any]

    def __init__(self, data: DataLike) -> None:
        parsed = as_data(data)
        if not isinstance(parsed, Array):
            raise TypeError(f"Array: {data!r} is a single number; a single number is a float here")
        self.shape, self.flat = parsed.shape, parsed.flat

    @property
    def ndim(self) -> int:
        """How many axes."""
        return len(self.shape)

    @property
    def size(self) -> int:
        """How many elements."""
        return len(self.flat)

    @property
    def T(self) -> Array:
        """The axes in reverse order."""
        return transpose(self)  # type: ignore[return-value]  # a float only of a float

    if not TYPE_CHECKING:  # to a type checker, every misspelt name would be Any

        def __getattr__(self, name: str) -> Any:
            """`rows`, `columns` and the `cache` of `cached`: made when they are first asked for."""
            if name == "rows":
                height, width = self._matrix_shape()
                self.rows = [self.flat[i * width : (i + 1) * width] for i in range(height)]
                return self.rows
            if name == "columns":
                _, width = self._matrix_shape()
                self.columns = [self.flat[j::width] for j in range(width)]
                return self.columns
            if name == "cache":
                self.cache = {}
                return self.cache
            raise AttributeError(f"an Array has no attribute {name!r}")

    def _matrix_shape(self) -> Shape:
        if len(self.shape) != 2:
            raise AttributeError(f"an Array of shape {self.shape} is no matrix; it has no rows")
        return self.shape

    def tolist(self) -> list[Any]:
        """Nested lists of floats."""
        nested: list[Any] = self.flat[:]
        for axis in range(self.ndim - 1, 0, -1):
            size, count = self.shape[axis], math.prod(self.shape[:axis])
            nested = [nested[i * size : (i + 1) * size] for i in range(count)]
        return nested

    def item(self) -> float:
        """The only element, as a float."""
        if len(self.flat) != 1:
            raise ValueError(f"item: an Array of shape {self.shape} has {len(self.flat)} elements")
        return self.flat[0]

    __float__ = item

    def __bool__(self) -> bool:
        if len(self.flat) == 1:
            return self.flat[0] != 0.0
        raise ValueError(
            f"an Array of shape {self.shape} is neither true nor false; reduce it first, "
            "for instance with min (all of a comparison) or max (any of it)"
        )

    def __len__(self) -> int:
        return self.shape[0]

    def __iter__(self) -> Iterator[Data]:
        return (self[i] for i in range(len(self)))

    def __getitem__(self, index: Any) -> Data:
        return take(self, index)

    def __setitem__(self, index: Any, item: Any) -> None:
        raise TypeError("Arrays do not change; make a new one (`where` chooses element by element)")

    def __eq__(self, other: object) -> bool:
        """The same shape and the same numbers: one truth, not one for each element."""
        if not isinstance(other, Array):
            return NotImplemented
        return self.shape == other.shape and self.flat == other.flat

    def __hash__(self) -> int:
        return hash((self.shape, tuple(self.flat)))

    def __reduce__(self) -> tuple[Any, ...]:
        return from_flat, (self.flat, self.shape)

    def __repr__(self) -> str:
        return f"Array({_abbreviated(self.tolist())})"

    __add__, __radd__ = _lifted(numerics.add)
    __sub__, __rsub__ = _lifted(numerics.subtract)
    __mul__, __rmul__ = _lifted(numerics.multiply)
    __truediv__, __rtruediv__ = _lifted(numerics.divide)
    __pow__, __rpow__ = _lifted(numerics.power)
    __lt__, __gt__ = _lifted(numerics.less)
    __le__, __ge__ = _lifted(numerics.less_equal)

    def __matmul__(self, other: DataLike) -> Data:
        if type(other) is Array:
            return matmul(self, other)
        return NotImplemented if isinstance(other, Tracked) else matmul(self, as_data(other))

    def __rmatmul__(self, other: DataLike) -> Data:
        return NotImplemented if isinstance(other, Tracked) else matmul(as_data(other), self)

    def __neg__(self) -> Array:
        return from_flat(list(map(numerics.negative, self.flat)), self.shape)

    def __abs__(self) -> Array:
        return from_flat(list(map(abs, self.flat)), self.shape)


Data = float | Array


def from_flat(flat: list[float], shape: Shape) -> Array:
    """The Array of these floats (row-major, not copied, not checked) in this shape."""
    array = _new(Array)
    array.flat = flat
    array.shape = shape
    return array


_new = object.__new__


# ---- reading what users bring ----------------------------------------------------------


def as_data(x: Any) -> Data:
    """A float or an Array of x: a real number, evenly nested sequences, or what has `.tolist()`.

    Raises TypeError for text, complex numbers, Values and other objects; ValueError
    for ragged lists.
    """
    if type(x) is float or type(x) is Array:
        return x
    if type(x) is int or type(x) is bool:
        return _number(x)
    if isinstance(x, Tracked):
        raise TypeError("a Value is not plain data; read its .data")
    level: list[Any] = [_opened(x)]
    shape: list[int] = []
    _check_depth(level)
    while any(isinstance(item, list) for item in level):
        lengths = {len(item) if isinstance(item, list) else "a number" for item in level}
        if len(lengths) > 1:
            found = " and ".join(sorted(map(str, lengths)))
            raise ValueError(
                f"ragged data: at depth {len(shape)} the lengths are {found}; "
                "all lists at one depth need the same length"
            )
        shape.append(len(level[0]))
        level = [_opened(item) for items in level for item in items]
    flat = [item if type(item) is float else _number(item) for item in level]
    return from_flat(flat, tuple(shape)) if shape else flat[0]


def _check_depth(nested: Any) -> None:
    """Raises ValueError for a list that contains itself, which has no end."""
    for _ in range(16):
        if not isinstance(nested, list) or not nested:
            return
        nested = _opened(nested[0])
    raise ValueError("lists nested more than 16 deep; does one contain itself?")


def _opened(x: Any) -> Any:
    """x as a list, if it is something that nests; else x itself."""
    if type(x) is float or isinstance(x, (str, bytes, Tracked)):
        return x
    for method in "tolist", "to_list":
        if hasattr(x, method):
            return getattr(x, method)()
    if hasattr(x, "to_numpy"):
        return x.to_numpy().tolist()
    return list(x) if isinstance(x, (Sequence, range)) else x


LARGE = 10**308  # whole numbers up to here are floats, if not exactly


def _number(x: Any) -> float:
    """x as a float, or an error that says what x is instead."""
    if type(x) is bool or (type(x) is int and abs(x) < LARGE):
        return float(x)
    if isinstance(x, Tracked):
        raise TypeError("a list of Values is not data; join them with stack([...]), or read .data")
    if not isinstance(x, Number) or isinstance(x, complex):
        remedy = (
            "; float(...) reads text" if isinstance(x, (str, bytes, bytearray))
            else "; leave missing ones out or fill in a number" if x is None
            else "; take .real, or abs of it" if isinstance(x, complex)
            else ""
        )  # fmt: skip
        raise TypeError(f"{x!r} is a {type(x).__name__}, not a real number{remedy}")
    try:
        number = float(x)  # type: ignore[arg-type]
    except OverflowError:
        number = math.inf
    if math.isinf(number) and number != x:  # type: ignore[comparison-overlap]
        raise ValueError(
            f"a number of type {type(x).__name__} is beyond the largest float, about 1.8e308; "
            "measure in a larger unit, or take the logarithm"
        )
    return number


def _abbreviated(nested: Any, most: int = 6) -> str:
    """repr of nested lists, with the middle left out where they are long."""
    if not isinstance(nested, list):
        return repr(nested)
    if len(nested) <= most:
        return "[" + ", ".join(map(_abbreviated, nested)) + "]"
    head, tail = nested[: most // 2], nested[-(most // 2) :]
    return "[" + ", ".join([*map(_abbreviated, head), "...", *map(_abbreviated, tail)]) + "]"


# ---- element by element, with broadcasting ---------------------------------------------


def shape_of(x: Data) -> Shape:
    """() for a float."""
    return x.shape if isinstance(x, Array) else ()


def flat_of(x: Data) -> list[float]:
    """All numbers of a float or an Array (whose own list it is: not to be changed)."""
    return x.flat if isinstance(x, Array) else [x]


def is_finite(x: Data) -> bool:
    """Whether all numbers are. A finite sum has finite terms, and is found sooner."""
    flat = flat_of(x)
    return math.isfinite(sum(flat)) or all(map(math.isfinite, flat))


def cached(f: Callable[[Array], Any], x: Any) -> Any:
    """f(x). It is computed once for an Array x, and kept with it."""
    if type(x) is not Array:
        return f(x)
    if f not in x.cache:
        x.cache[f] = f(x)
    return x.cache[f]


def numbers(datas: Iterable[Data]) -> list[float]:
    """All numbers of some floats and Arrays in one list."""
    return [v for data in datas for v in flat_of(data)]


def elementwise(f: Callable[..., float], *xs: Data) -> Data:
    """f of the first elements, f of the second, ...; shapes are broadcast to each other."""
    if not any([isinstance(x, Array) for x in xs]):
        return f(*xs)
    try:
        shape = broadcast_shape(*map(shape_of, xs))
    except ValueError as error:
        raise ValueError(f"{f.__name__}: {error}") from None
    flats = [flat_of(broadcast_to(x, shape)) if isinstance(x, Array) else repeat(x) for x in xs]
    return from_flat(map_numbers(f, *flats), shape)


def map_numbers(f: Callable[..., float], *flats: Iterable[float]) -> list[float]:
    """f of the first numbers of all lists, of the second, ...; the results as floats."""
    return [v if type(v) is float else _number(v) for v in map(f, *flats)]


def broadcast_to(x: Data, shape: Shape) -> Data:
    """Copies of x side by side, so that it has this shape."""
    old = shape_of(x)
    if old == shape:
        return x
    if shape and min(shape) < 0:
        raise ValueError(f"broadcast_to: {shape} has a negative size")
    if not isinstance(x, Array):
        return from_flat([x] * math.prod(shape), shape)
    if broadcast_shape(old, shape) != shape:
        raise ValueError(f"broadcast_to: shape {old} cannot be stretched to {shape}")
    flat = flat_of(x)
    old = (1,) * (len(shape) - len(old)) + old
    block = 1  # elements behind this axis, as stretched so far
    for had, wanted in zip(reversed(old), reversed(shape)):
        if had != wanted:  # so had == 1: each block is repeated
            blocks = range(0, len(flat), block) if block else ()
            flat = list(chain.from_iterable(flat[i : i + block] * wanted for i in blocks))
        block *= wanted
    return from_flat(flat, shape)


def sum_to(x: Data, shape: Shape) -> Data:
    """The sum over the axes that broadcasting from this shape to x's has stretched."""
    if shape == ():
        return float(sum(x.flat)) if type(x) is Array else x
    old = shape_of(x)
    if old == shape:
        return x
    if not isinstance(x, Array) or broadcast_shape(shape, old) != old:
        raise ValueError(f"sum_to: shape {shape} cannot be stretched to {old}")
    if x.size == math.prod(shape):
        return from_flat(x.flat, shape)
    added = len(old) - len(shape)
    axes = tuple([a for a, n in enumerate(old) if a < added or n != shape[a - added]])
    return from_flat([float(sum(group)) for group in _groups(x, axes)], shape)


# ---- reductions, shapes, products ------------------------------------------------------


def reduce(
    f: Callable[[list[float]], float], x: Data, axis: Any = None, keepdims: bool = False
) -> Data:
    """f of each list of elements that differ only along these axes (all, if axis is None)."""
    if not isinstance(x, Array):
        normal_axes(axis, 0)
        return f([x])
    if axis is None and not keepdims:
        return float(f(x.flat))
    axes = normal_axes(axis, x.ndim)
    shape = tuple(1 if a in axes else n for a, n in enumerate(x.shape) if keepdims or a not in axes)
    results = [float(f(group)) for group in _groups(x, axes)]
    return from_flat(results, shape) if shape else results[0]


def along(f: Callable[[list[float]], list[float]], x: Data, axis: Any) -> Data:
    """Each list of elements that differ only along these axes, replaced by f of it."""
    if not isinstance(x, Array):
        normal_axes(axis, 0)
        return f([x])[0]
    axes = normal_axes(axis, x.ndim)
    order = [a for a in range(x.ndim) if a not in axes] + list(axes)
    flat = list(chain.from_iterable(f(group) for group in _groups(x, axes) if group))
    replaced = from_flat(flat, tuple(x.shape[a] for a in order))
    return transpose(replaced, [order.index(a) for a in range(x.ndim)])


def _groups(x: Array, axes: Shape) -> list[list[float]]:
    """The lists of elements that differ only along these axes, in the order of the others."""
    kept = tuple(a for a in range(x.ndim) if a not in axes)
    if not kept:
        return [x.flat]
    count = math.prod(x.shape[a] for a in kept)
    if kept[0] == len(axes):  # the leading axes: slices with a step
        return [x.flat[i::count] for i in range(count)]
    flat = flat_of(transpose(x, kept + axes))
    length = math.prod(x.shape[a] for a in axes)
    return [flat[i * length : (i + 1) * length] for i in range(count)]


def reshape(x: Data, shape: Shape) -> Data:
    """The same elements in the same order in another shape; one size may be -1."""
    size, wanted = x.size if isinstance(x, Array) else 1, shape
    if -1 in shape:
        known = -math.prod(shape)
        shape = tuple((size // known if known else 0) if n == -1 else n for n in shape)
    if math.prod(shape) != size or min(shape, default=1) < 0 or wanted.count(-1) > 1:
        raise ValueError(f"reshape: {shape_of(x)} has {size} elements, {wanted} has not")
    if shape == ():
        return x.flat[0] if isinstance(x, Array) else x
    return from_flat(flat_of(x), shape)


def transpose(x: Data, axes: Sequence[int] | None = None) -> Data:
    """The axes in another order (reversed, if None)."""
    if not isinstance(x, Array):
        return x
    if axes is None and x.ndim == 2:
        swapped: Array = cached(_swapped, x)
        return swapped
    order = tuple(reversed(range(x.ndim))) if axes is None else tuple(a % x.ndim for a in axes)
    if sorted(order) != list(range(x.ndim)) or any(not -x.ndim <= a < x.ndim for a in axes or ()):
        raise ValueError(f"transpose: {axes} does not name each axis of {x.shape} once")
    if order == tuple(range(x.ndim)):
        return x
    if x.ndim == 2:
        return transpose(x)
    shape = tuple(x.shape[a] for a in order)
    steps = strides(x.shape)
    places = [0]
    for axis in order:
        offsets = [i * steps[axis] for i in range(x.shape[axis])]
        places = [p + offset for p in places for offset in offsets]
    return from_flat([x.flat[p] for p in places], shape)


def _swapped(x: Array) -> Array:
    """Rows become columns, and both may be known already."""
    swapped = from_flat(list(chain.from_iterable(x.columns)), x.shape[::-1])
    swapped.rows, swapped.columns = x.columns, x.rows
    return swapped


def matmul(x: Data, y: Data) -> Data:
    """Row times column, summed; with more than two axes, for each pair of matrices.

    (k) @ (k) is a number, (m, k) @ (k) and (k) @ (k, n) are vectors.
    """
    if type(x) is not Array or type(y) is not Array:
        raise ValueError("matmul: a single number has no rows; multiply by it with *")
    m, n = len(x.shape), len(y.shape)
    if x.shape[-1] != y.shape[0 if n == 1 else -2]:
        raise ValueError(_mismatch(x.shape, y.shape))
    if m == 1 and n == 2:
        return from_flat(_row_by_matrix(x.flat, y), y.shape[1:])
    if m == 2 and n == 1:
        return from_flat(_matrix_by_column(x, y.flat), x.shape[:1])
    if m == 2 and n == 2:
        return from_flat(_matrix_by_matrix(x, y), (x.shape[0], y.shape[1]))
    if m == 1 and n == 1:
        return float(sumprod(x.flat, y.flat))
    return _matmul_each(x, y)


# The empty sums are left out: the sumprod of two empty lists is the int 0.


def _row_by_matrix(row: list[float], y: Array) -> list[float]:
    if len(row) == 1:  # no sums
        (factor,) = row
        return [factor * v for v in y.flat]
    return [sumprod(row, column) for column in y.columns] if row else [0.0] * y.shape[1]


def _matrix_by_column(x: Array, column: list[float]) -> list[float]:
    return [sumprod(row, column) for row in x.rows] if column else [0.0] * x.shape[0]


def _matrix_by_matrix(x: Array, y: Array) -> list[float]:
    if x.shape[1] == 1:  # a column times a row: no sums
        row = y.flat
        return [a * b for a in x.flat for b in row]
    columns = y.columns
    if not x.flat or not y.flat:
        return [0.0] * (len(x.rows) * len(columns))
    return [sumprod(row, column) for row in x.rows for column in columns]


def _matmul_each(x: Any, y: Any) -> Data:
    """matmul where x or y is a stack of matrices."""
    z: Any
    if x.ndim == 1:
        z = _matmul_each(reshape(x, (1, -1)), y)
        return reshape(z, z.shape[:-2] + z.shape[-1:])
    if y.ndim == 1:
        z = _matmul_each(x, reshape(y, (-1, 1)))
        return reshape(z, z.shape[:-1])
    lead = broadcast_shape(x.shape[:-2], y.shape[:-2])
    stacks: list[Any] = [broadcast_to(a, lead + a.shape[-2:]) for a in (x, y)]
    matrices: list[Any] = [reshape(a, (math.prod(lead), *a.shape[-2:])) for a in stacks]
    flats = [flat_of(matmul(a, b)) for a, b in zip(*matrices)]
    return from_flat(list(chain.from_iterable(flats)), lead + (x.shape[-2], y.shape[-1]))


def _mismatch(x: Shape, y: Shape) -> str:
    inner = x[-1], y[-2 if len(y) > 1 else 0]
    message = f"matmul: {x} @ {y}: inner sizes {inner[0]} and {inner[1]} differ"
    fits_transposed = x[-1] == y[-1] or (len(x) > 1 and x[-2] == y[-2 if len(y) > 1 else 0])
    return message + ("; did you mean the transpose?" if fits_transposed else "")


def concatenate(arrays: Sequence[Array], axis: int = 0) -> Array:
    """One Array after the other along an axis that exists; all other sizes are equal."""
    shapes = [shape_of(a) for a in arrays]
    if not shapes or () in shapes:
        raise ValueError("concatenate: needs Arrays with axes (single numbers: stack)")
    (axis,) = normal_axes(axis, len(shapes[0]))
    if len({s[:axis] + s[axis + 1 :] for s in shapes}) > 1 or len(set(map(len, shapes))) > 1:
        raise ValueError(f"concatenate: shapes {shapes} differ on another axis than {axis}")
    lengths = [math.prod(s[axis:]) for s in shapes]
    blocks = range(math.prod(shapes[0][:axis]))
    flat = [v for i in blocks for a, n in zip(arrays, lengths) for v in a.flat[i * n : (i + 1) * n]]
    total = sum(s[axis] for s in shapes)
    return from_flat(flat, shapes[0][:axis] + (total,) + shapes[0][axis + 1 :])


def take(x: Array, index: Any) -> Data:
    """x[index]: ints, slices, lists of ints, `...` and None, as `shapes.positions` reads them."""
    places, shape = positions(index, x.shape)
    flat = [x.flat[p] for p in places]
    return from_flat(flat, shape) if shape else flat[0]


def scatter_add(x: Data, index: Any, shape: Shape) -> Array:
    """Zeros of this shape, to which x is added at [index]: what `take` took is put back."""
    places, taken = positions(index, shape)
    x = broadcast_to(x, taken)
    flat = [0.0] * math.prod(shape)
    for place, v in zip(places, flat_of(x)):
        flat[place] += v
    return from_flat(flat, shape)
