"""Checked once, at the door: whatever is learned from is finite and fits together."""

from __future__ import annotations

import math
import operator
from collections.abc import Sequence
from typing import Any, SupportsIndex, TypeGuard

from ..core.array import Array, as_data, is_finite

__all__ = ["check_data", "check_matrix", "is_whole"]


def check_matrix(X: Any, feature_names: Sequence[str] = ()) -> Array:
    """X as an Array (n, d) of finite numbers, one row for each sample.

    Raises ValueError for another shape, no rows, or NaN or infinity, whose row (counted
    from 0) and column are named.
    """
    X = as_data(X)
    if not isinstance(X, Array) or X.ndim != 2 or 0 in X.shape:
        shape = getattr(X, "shape", ())
        hint = "; a single feature is a column: [[x] for x in X]" if len(shape) == 1 else ""
        raise ValueError(f"X has shape {shape}; it needs rows and columns, (n, d){hint}")
    _check_finite(X, feature_names)
    return X


def check_data(X: Any, y: Any, feature_names: Sequence[str] = ()) -> tuple[Array, Array]:
    """X (n, d) and y (n,) as Arrays of finite numbers. Raises ValueError where they are not."""
    X, y = check_matrix(X, feature_names), as_data(y)
    shape = getattr(y, "shape", ())
    if shape != X.shape[:1]:
        hint = "; flatten it to (n,)" if shape == (X.shape[0], 1) else ""
        raise ValueError(f"y has shape {shape}, X has {X.shape[0]} rows: one target a row{hint}")
    _check_finite(y, ())
    return X, y


def is_whole(x: Any, least: float = -math.inf) -> TypeGuard[SupportsIndex]:
    """Whether x is a whole number, at least so much; True and False are none.

    Whatever has `__index__` is one, as numpy's integers are: `operator.index(x)` is the int.
    """
    try:
        return not isinstance(x, bool) and operator.index(x) >= least
    except TypeError:
        return False


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
