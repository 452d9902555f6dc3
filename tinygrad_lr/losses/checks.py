"""Checks of what users pass in: shapes, labels, probabilities, data that must be finite.

    is_whole               a whole number, such as a count or a seed?
    check_matrix           X (n, d), every number finite
    check_data             X (n, d) and y (n,)
    check_shapes           two equal shapes; a loss does not broadcast
    check_unit_interval    numbers in [0, 1]
    check_zero_one         labels 0 and 1
    class_labels           whole numbers from 0 to K - 1, as ints
    check_known            one of the names there are

Each returns the data as Arrays or raises a ValueError, which says what was found and what to
do about it. `name` is the function that the user called; the message begins with it.

>>> check_unit_interval("my_loss", "targets", [-1.0, 1.0])
Traceback (most recent call last):
ValueError: my_loss: targets must lie in [0, 1], found -1.0; for labels -1 and 1 use (y + 1) / 2
"""

from __future__ import annotations

import difflib
import math
import operator
from collections.abc import Sequence
from typing import Any, SupportsIndex, TypeGuard

from ..core.array import Array, Data, as_data, cached, flat_of, is_finite, shape_of
from ..core.lift import data_of, shape
from ..core.shapes import Shape
from ..core.typed import ArrayLike, DataLike

__all__ = [
    "check_data", "check_known", "check_matrix", "check_shapes", "check_unit_interval",
    "check_zero_one", "class_labels", "is_whole",
]  # fmt: skip


def is_whole(x: Any, least: float = -math.inf) -> TypeGuard[SupportsIndex]:
    """Whether x is a whole number, `least` or larger; True and False are not.

    numpy's integers are: whatever has `__index__`, and `operator.index(x)` is the int.
    """
    try:
        return not isinstance(x, bool) and operator.index(x) >= least
    except TypeError:
        return False


# ---- data to learn from --------------------------------------------------------------------------


def check_matrix(X: DataLike, feature_names: Sequence[str] = ()) -> Array:
    """X as an Array (n, d) of finite numbers, one row for each sample.

    Raises ValueError for another shape, for no rows, and for NaN or infinity; the message
    names the row (counted from 0) and the column.
    """
    X = as_data(X)
    if not isinstance(X, Array) or X.ndim != 2 or 0 in X.shape:
        full = shape_of(X)
        hint = "; a single feature is a column: [[x] for x in X]" if len(full) == 1 else ""
        raise ValueError(f"X has shape {full}; it needs rows and columns, (n, d){hint}")
    _check_finite(X, feature_names)
    return X


def check_data(X: DataLike, y: DataLike, feature_names: Sequence[str] = ()) -> tuple[Array, Array]:
    """X (n, d) and y (n,) as Arrays of finite numbers. Raises ValueError where they are not."""
    X, y = check_matrix(X, feature_names), as_data(y)
    if not isinstance(y, Array) or y.shape != X.shape[:1]:
        full = shape_of(y)
        hint = "; flatten it to (n,)" if full == (X.shape[0], 1) else ""
        raise ValueError(f"y has shape {full}, X has {X.shape[0]} rows: one target a row{hint}")
    _check_finite(y, ())
    return X, y


def _check_finite(x: Array, names: Sequence[str]) -> None:
    if is_finite(x):
        return
    place, bad = next((i, v) for i, v in enumerate(x.flat) if not math.isfinite(v))
    if x.ndim == 1:
        raise ValueError(f"y: {bad} in row {place} (counted from 0); leave such rows out")
    row, column = divmod(place, x.shape[1])
    name = f" ({names[column]!r})" if names else ""
    raise ValueError(
        f"X: {bad} in row {row}, column {column}{name} (counted from 0); leave the row out or "
        "fill in a number"
    )


def check_known(where: object, what: str, name: str, known: Sequence[str]) -> None:
    """Raise ValueError for a name that is not known, with the one it may stand for."""
    if name not in known:
        near = difflib.get_close_matches(str(name), known, 1)
        hint = f"did you mean {near[0]!r}? " if near else ""
        raise ValueError(
            f"{where} has no {what} {name!r}; {hint}its {what}s are {', '.join(known) or 'none'}"
        )


# ---- predictions and targets ---------------------------------------------------------------------


def check_shapes(name: str, x: ArrayLike, y: ArrayLike) -> None:
    """One shape for both. Broadcasting (n,) against (n, 1) would compare every row with every."""
    if shape(x) != shape(y):
        raise ValueError(
            f"{name}: shapes {shape(x)} and {shape(y)} differ, and a loss does not broadcast; "
            "reshape one of them"
        )


def check_unit_interval(name: str, what: str, x: ArrayLike) -> None:
    """Numbers in [0, 1]. The message guesses what they are instead."""
    flat = flat_of(data_of(x))
    bad = next((v for v in flat if not 0.0 <= v <= 1.0), None)
    if bad is None:
        return
    if what != "targets":
        hint = "were these scores? take sigmoid (softmax) of them, or use the loss of logits"
    elif set(flat) <= {-1.0, 1.0}:
        hint = "for labels -1 and 1 use (y + 1) / 2"
    else:
        hint = "labels are 0 or 1, soft targets lie between"
    raise ValueError(f"{name}: {what} must lie in [0, 1], found {bad!r}; {hint}")


def check_zero_one(name: str, labels: Sequence[float], remedy: str) -> None:
    """Labels 0 and 1. `remedy`: what to do where there are several classes."""
    unknown = set(labels) - {0.0, 1.0}
    if unknown == {-1.0}:
        raise ValueError(f"{name}: labels are -1 and 1, must be 0 and 1; take (y + 1) / 2")
    if unknown:
        raise ValueError(
            f"{name}: labels must be 0 and 1, got {min(unknown):g}; with several classes {remedy}"
        )


def class_labels(name: str, full: Shape, labels: ArrayLike) -> list[int]:
    """Labels as ints, one for each row of logits or probabilities of the shape `full`."""
    labels = data_of(labels)
    if shape_of(labels) != full[:-1]:
        raise ValueError(
            f"{name}: {full} needs labels of shape {full[:-1]}, one whole number a row, "
            f"or distributions of shape {full}; got shape {shape_of(labels)}"
        )
    whole: list[int] = cached(_whole_numbers, labels)
    if len(whole) < math.prod(full[:-1]) or max(whole, default=0) >= full[-1]:
        row, bad = next(
            (i, v)
            for i, v in enumerate(flat_of(labels))
            if not (v.is_integer() and 0 <= v < full[-1])
        )
        raise ValueError(
            f"{name}: label {bad!r} at row {row}; with {full[-1]} classes the labels are whole "
            f"numbers from 0 to {full[-1] - 1}"
        )
    return whole


def _whole_numbers(labels: Data) -> list[int]:
    """The labels as ints, without those that are not whole numbers from 0 on."""
    return [int(v) for v in flat_of(labels) if v >= 0.0 and v.is_integer()]
