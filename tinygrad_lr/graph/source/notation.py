"""Formulas as a user of tinygrad_lr would type them, and data in a few words.

    sigmoid(X @ w + b) - y                 a formula, by the symbols of the registry
    0.5,  (32, 30) [0.1, -0.7, 2, ...]     a number; a shape and the first elements

What broadcasting does is not shown in a formula, as it is not typed either.

>>> from tinygrad_lr.core.value import Value
>>> from tinygrad_lr.graph.source.terms import TermTable
>>> x, y = Value([1.0, 2.0]), Value(3.0)
>>> table = TermTable({x: "x", y: "y"})
>>> formula(table.read((x - y) ** 2 / 4.0))
'(x - y) ** 2 / 4'
"""

from __future__ import annotations

import re
from collections.abc import Container, Iterable, Mapping
from typing import Any

from ...core.array import Array, Data
from ...core.operation import Operation
from ...core.value import Value
from .syntax import Unique, literal, tidy
from .terms import Term

__all__ = ["formula", "names_of", "shown"]

BETWEEN = {"+", "-", "*", "/", "**", "@", "<", "<="}
FIRST = 3  # elements shown


def formula(term: Term, names: Mapping[Term, str] = {}, without: Container[Term] = ()) -> str:
    """A term in terms of those that have names; inputs have their labels.

    `without`: terms that are written as they are made, even if they have a name.
    """
    labels: list[str] = []

    def label(text: str) -> str:  # it may be any text, so `_0_` stands for it until the end
        labels.append(text)
        return f"_{len(labels) - 1}_"

    def text(x: Term) -> str:
        if x in names and x not in without:
            return label(names[x])
        if x.operation is None:
            return label(x.label) if x.data is None else _constant(x.data)
        return _applied(x.operation, x, [f"({text(operand)})" for operand in x.inputs])

    return re.sub(r"\b_(\d+)_\b", lambda found: labels[int(found[1])], tidy(text(term)))


def shown(data: Data) -> str:
    """A number to four digits, or the shape of a tensor and its first elements."""
    if not isinstance(data, Array):
        return f"{data:.4g}"
    first = [f"{v:.4g}" for v in data.flat[:FIRST]] + ["..."] * (data.size > FIRST)
    return f"{data.shape} [{', '.join(first)}]"


def names_of(values: Iterable[Value]) -> dict[Value, str]:
    """A name for each Value: its label, or else x1, x2 for leaves and v1, v2 for the others."""
    unique = Unique()
    return {value: unique(value.label or ("v1" if value.operation else "x1")) for value in values}


def _applied(operation: Operation, term: Term, operands: list[str]) -> str:
    """An operation by its symbol between its operands, or as a call with its options."""
    if term.name == "broadcast_to":
        return operands[0]
    if term.name == "negative":
        return f"-{operands[0]}"
    if operation.symbol in BETWEEN:
        return operation.symbol.join(operands)
    if term.name == "getitem":
        return f"{operands[0]}[{_index(term.options['index'])}]"
    options = [
        f"{name}={literal(value)}"
        for name, value in term.options.items()
        if name not in operation.defaults or operation.defaults[name] != value
    ]
    return f"{operation.name}({', '.join([*operands, *options])})"


def _constant(data: Data) -> str:
    """Numbers as they are written by hand: six digits, and whole ones without a point."""
    if isinstance(data, Array):
        rest = ["..."] * (data.size > FIRST)
        return f"[{', '.join([*map(_constant, data.flat[:FIRST]), *rest])}]"
    rounded = float(f"{data:.6g}")
    return literal(int(rounded) if rounded.is_integer() and abs(rounded) < 1e6 else rounded)


def _index(index: Any) -> str:
    """An index as it stands in brackets: `::-1` for a slice."""
    if isinstance(index, tuple):
        return f"{', '.join(map(_index, index))},"
    if isinstance(index, slice):
        bounds = index.start, index.stop, index.step
        return ":".join("" if bound is None else literal(bound) for bound in bounds)
    return literal(index)
