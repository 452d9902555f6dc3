"""What losses are given, looked at: labels, probabilities, shapes, and what was meant instead.

    check_shapes           one shape for both, exactly: a loss does not broadcast
    check_unit_interval    numbers in [0, 1]; were they scores, or labels -1 and 1?
    class_labels           whole numbers from 0 to K - 1, as ints
    label_index            where the label of each row stands in the matrix of all rows
    at_labels              the entries that stand there

>>> check_unit_interval("my_loss", "targets", [-1.0, 1.0])
Traceback (most recent call last):
ValueError: my_loss: targets must lie in [0, 1], found -1.0; for labels -1 and 1 use (y + 1) / 2
>>> at_labels("my_loss", [[0.1, 0.9], [0.6, 0.4]], [1, 0])
Array([0.9, 0.6])

`name` is what the error says first. No losses are here (`losses`).
"""

from __future__ import annotations

import math
from typing import Any

from ..core.array import Data, cached, flat_of, shape_of
from ..core.lift import data_of, shape
from ..core.shapes import Shape
from ..ops.tensors import getitem, reshape

__all__ = ["at_labels", "check_shapes", "check_unit_interval", "class_labels", "label_index"]


def class_labels(name: str, full: Shape, labels: Any) -> list[int]:
    """Labels as ints, one for each row of scores or probabilities of this full shape."""
    labels = data_of(labels)
    if shape_of(labels) != full[:-1]:
        raise ValueError(
            f"{name}: {full} needs labels of shape {full[:-1]}, one whole number a row, "
            f"or distributions of shape {full}; got shape {shape_of(labels)}"
        )
    whole: list[int] = cached(_whole_numbers, labels)
    if len(whole) < math.prod(full[:-1]) or max(whole, default=0) >= full[-1]:
        bad = next(
            i for i, v in enumerate(flat_of(labels)) if not (v.is_integer() and 0 <= v < full[-1])
        )
        raise ValueError(
            f"{name}: label {flat_of(labels)[bad]!r} at row {bad}; with {full[-1]} classes the "
            f"labels are whole numbers from 0 to {full[-1] - 1}"
        )
    return whole


def _whole_numbers(labels: Data) -> list[int]:
    """The labels as ints, without those that are no whole numbers from 0 on."""
    return [int(v) for v in flat_of(labels) if v >= 0.0 and v.is_integer()]


def label_index(name: str, full: Shape, labels: Any) -> tuple[list[int], list[int]]:
    """The index of each row's label in the matrix of all rows."""
    found = class_labels(name, full, labels)
    return list(range(len(found))), found


def at_labels(name: str, table: Any, labels: Any) -> Any:
    """The entry of each row that stands at its label."""
    full = shape(table)
    if full == ():
        raise ValueError(f"{name}: needs a row of classes, got a single number")
    index = label_index(name, full, labels)
    return reshape(getitem(reshape(table, (-1, full[-1])), index=index), full[:-1])


def check_shapes(name: str, x: Any, y: Any) -> None:
    """One shape, exactly. Broadcasting (n,) against (n, 1) would compare all with all."""
    if shape(x) != shape(y):
        raise ValueError(
            f"{name}: shapes {shape(x)} and {shape(y)} differ, and a loss does not broadcast; "
            "reshape one of them"
        )


def check_unit_interval(name: str, what: str, x: Any) -> None:
    """Numbers in [0, 1], or an error that guesses what they are instead."""
    flat = flat_of(data_of(x))
    bad = next((v for v in flat if not 0.0 <= v <= 1.0), None)
    if bad is None:
        return
    if what == "targets":
        hint = (
            "for labels -1 and 1 use (y + 1) / 2"
            if set(flat) <= {-1.0, 1.0}
            else "labels are 0 or 1, soft targets lie between"
        )
    else:
        hint = "were these scores? take sigmoid (softmax) of them, or use the loss of logits"
    raise ValueError(f"{name}: {what} must lie in [0, 1], found {bad!r}; {hint}")
