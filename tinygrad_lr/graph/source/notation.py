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

import ast
from collections.abc import Container, Iterable, Mapping
from typing import Any, NamedTuple

from ...core.array import Array, Data
from ...core.value import Value
from .syntax import Unique, literal, unparse
from .terms import Term

__all__ = ["formula", "names_of", "shown"]

BETWEEN = {
    "+": ast.Add(), "-": ast.Sub(), "*": ast.Mult(), "/": ast.Div(), "**": ast.Pow(),
    "@": ast.MatMult(),
}  # fmt: skip
COMPARED = {"<": ast.Lt(), "<=": ast.LtE()}
FIRST = 3  # elements shown


def formula(term: Term, names: Mapping[Term, str] = {}, without: Container[Term] = ()) -> str:
    """A term in terms of those that have names; inputs have their labels.

    `without`: terms that are told by how they are made, even if they have a name.
    """
    return unparse(_Formula(names, without).of(term))


def shown(data: Data) -> str:
    """A number to four digits, or the shape of a tensor and its first elements."""
    if not isinstance(data, Array):
        return f"{data:.4g}"
    first = [f"{v:.4g}" for v in data.flat[:FIRST]] + ["..."] * (data.size > FIRST)
    return f"{data.shape} [{', '.join(first)}]"


def names_of(values: Iterable[Value]) -> dict[Value, str]:
    """A name for each Value: its label; x1, x2 for leaves without one; v1, v2 for the others."""
    unique = Unique()
    return {value: unique(value.label or ("v1" if value.operation else "x1")) for value in values}


class _Formula(NamedTuple):
    names: Mapping[Term, str]
    without: Container[Term]

    def of(self, term: Term) -> ast.expr:
        if term in self.names and term not in self.without:
            return ast.Name(self.names[term])
        operation = term.operation
        if operation is None:
            return ast.Name(term.label) if term.data is None else _constant(term.data)
        operands = list(map(self.of, term.inputs))
        if term.name == "broadcast_to":
            return operands[0]
        if term.name == "negative":
            return ast.UnaryOp(ast.USub(), operands[0])
        if operation.symbol in BETWEEN:
            return ast.BinOp(operands[0], BETWEEN[operation.symbol], operands[1])
        if operation.symbol in COMPARED:
            return ast.Compare(operands[0], [COMPARED[operation.symbol]], [operands[1]])
        if term.name == "getitem":
            return ast.Subscript(operands[0], _index(term.options["index"]))
        keywords = [
            ast.keyword(name, literal(value))
            for name, value in term.options.items()
            if name not in operation.defaults or operation.defaults[name] != value
        ]
        return ast.Call(ast.Name(operation.name), operands, keywords)


def _constant(data: Data) -> ast.expr:
    """Numbers as they are written by hand: six digits, and whole ones without a point."""
    if isinstance(data, Array):
        rest: list[ast.expr] = [ast.Constant(...)] if data.size > FIRST else []
        return ast.List([*map(_constant, data.flat[:FIRST]), *rest])
    rounded = float(f"{data:.6g}")
    return literal(int(rounded) if rounded.is_integer() and abs(rounded) < 1e6 else rounded)


def _index(index: Any) -> ast.expr:
    """An index as it stands in brackets: `::-1` for a slice."""
    if isinstance(index, tuple):
        return ast.Tuple(list(map(_index, index)))
    if isinstance(index, slice):
        bounds = index.start, index.stop, index.step
        return ast.Slice(*(None if bound is None else literal(bound) for bound in bounds))
    return literal(index)
