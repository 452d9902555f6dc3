"""Arithmetic of shapes: which sizes fit, which axes are meant, where an index points.

A shape is a tuple of sizes, one an axis, outermost first. In the flat, row-major list of
an Array the element with index (i, j, k) stands at i * stride_0 + j * stride_1 + k *
stride_2, where the stride of an axis is the product of the sizes behind it:

>>> strides((2, 3, 4))
(12, 4, 1)
>>> positions((1, slice(None), 0), (2, 3, 4))      # x[1, :, 0] of an x of that shape
([12, 16, 20], (3,))
>>> broadcast_shape((2, 1, 4), (3, 1))
(2, 3, 4)

Only integers here: the numbers themselves are in `array`.
"""

import math
import operator
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

__all__ = [
    "Shape",
    "broadcast_shape",
    "normal_axes",
    "positions",
    "settled",
    "strides",
    "whole_numbers",
]

Shape = tuple[int, ...]


def strides(shape: Shape) -> Shape:
    """How far apart in the flat list two neighbours along each axis stand."""
    return tuple(math.prod(shape[axis + 1 :]) for axis in range(len(shape)))


@lru_cache(maxsize=1024)  # the same few shapes meet again at every step
def broadcast_shape(*shapes: Shape) -> Shape:
    """The shape that all of them can be stretched to: sizes equal or 1, aligned at the right.

    Raises ValueError where they do not fit.
    """
    stretched: list[int] = []
    for axis in range(1, max(map(len, shapes)) + 1):
        sizes = {shape[-axis] for shape in shapes if len(shape) >= axis} - {1}
        if len(sizes) > 1:
            raise ValueError(
                f"shapes {' and '.join(map(str, shapes))} do not fit: axis -{axis} has sizes "
                f"{' and '.join(map(str, sorted(sizes)))}, which must be equal or 1"
            )
        stretched.append(operator.index(sizes.pop()) if sizes else 1)
    return tuple(reversed(stretched))


def whole_numbers(given: Any) -> tuple[int, ...]:
    """An int, or several, as ints: axes or sizes. Raises TypeError for other numbers."""
    try:
        return (operator.index(given),)
    except TypeError:  # arrays of numpy have __index__ too, and may use it or not
        pass
    try:
        return tuple(map(operator.index, given))
    except TypeError:
        raise TypeError(f"{given!r}: axes and sizes are whole numbers, one or several") from None


def normal_axes(axis: int | Sequence[int] | None, ndim: int) -> Shape:
    """The axes counted from the left, in order; None means all.

    Raises ValueError for an axis that does not exist or is named twice.
    """
    axes = range(ndim) if axis is None else whole_numbers(axis)
    for a in axes:
        if not -ndim <= a < ndim:
            raise ValueError(f"axis {a} does not exist; there are {ndim} axes")
    normal = sorted({a % ndim for a in axes})
    if len(normal) < len(axes):
        raise ValueError(f"axis {axis} names the same axis twice")
    return tuple(normal)


def positions(index: Any, shape: Shape) -> tuple[list[int], Shape]:
    """Where the elements of `x[index]` stand in the flat list of x, and their shape.

    An index is an int, a slice, a list of ints, `...`, None (a new axis of size 1), or a
    tuple of these. Several lists are read in pairs: `x[[0, 1], [2, 0]]` is x[0, 2] and
    x[1, 0], as in numpy. Raises IndexError with the index and the shape.
    """
    items = _complete(index if isinstance(index, tuple) else (index,), shape)
    pairs = [place for place, item in enumerate(items) if isinstance(item, (int, list))]
    count = max((len(item) for item in items if isinstance(item, list)), default=None)
    if count is None:
        pairs = []  # no lists: each int stands for itself
    elif pairs[-1] - pairs[0] >= len(pairs):
        raise IndexError(f"index {index}: lists with a slice between them; index twice instead")
    flat, result, pair = [0], [], [0]
    axis = 0
    for place, item in enumerate(items):
        if item is None:
            result.append(1)
            continue
        size, stride = shape[axis], math.prod(shape[axis + 1 :])
        axis += 1
        if isinstance(item, slice):
            offsets = [i * stride for i in range(*item.indices(size))]
            result.append(len(offsets))
        else:
            chosen = item if isinstance(item, list) else [item] * (1 if count is None else count)
            offsets = [_within(i, size, axis - 1, shape) * stride for i in chosen]
        if place in pairs:
            if len(offsets) != count:
                raise IndexError(f"index {index}: lists of different lengths cannot be paired")
            pair = offsets if place == pairs[0] else [p + o for p, o in zip(pair, offsets)]
            if place != pairs[-1]:
                continue
            offsets = pair
            result.append(count)
        flat = [p + offset for p in flat for offset in offsets]
    return flat, tuple(result)


def settled(index: Any) -> Any:
    """A copy of the index, which stays the same when the caller's lists change."""
    return tuple(map(_item, index)) if isinstance(index, tuple) else _item(index)


def _complete(index: tuple[Any, ...], shape: Shape) -> list[Any]:
    """The index with ints as ints, lists as lists, and one item for each axis."""
    items = [_item(item) for item in index]
    missing = len(shape) - sum(item is not None and item is not ... for item in items)
    if missing < 0 or items.count(...) > 1:
        raise IndexError(f"index {index} has too many parts for shape {shape}")
    place = items.index(...) if ... in items else len(items)
    return items[:place] + [slice(None)] * missing + items[place + 1 :]


def _item(item: Any) -> Any:
    """One part of an index: None, ..., a slice, an int, or a list of ints."""
    if item is None or item is ... or isinstance(item, slice):
        return item
    if hasattr(item, "tolist"):
        item = item.tolist()
    if isinstance(item, (list, tuple, range)):
        return [_int(i) for i in item]
    return _int(item)


def _int(i: Any) -> int:
    try:
        if not isinstance(i, bool):
            return operator.index(i)
    except TypeError:
        pass
    raise IndexError(
        f"index {i!r} is a {type(i).__name__}; an index is made of ints and slices "
        "(to choose by a condition: where)"
    )


def _within(i: int, size: int, axis: int, shape: Shape) -> int:
    """i counted from the front. Raises IndexError outside the axis."""
    if not -size <= i < size:
        raise IndexError(f"index {i} is outside axis {axis} of shape {shape}")
    return i % size
