"""Small pieces of Python syntax.

>>> unparse(literal((1, slice(None, 2), [0, -1], ...)))
'(1, slice(None, 2, None), [0, -1], ...)'
>>> number_in(literal(-0.5)), number_in(ast.Name("x"))
(-0.5, None)
>>> unique = Unique({"math"})
>>> unique("z"), unique("z"), unique("v1"), unique("v1"), unique("math")
('z', 'z2', 'v1', 'v2', 'math2')

>>> identifier("x₁"), identifier("1/w"), identifier("ŵ'")
('x1', '_1_w', 'ŵ_')

No operations here: `writing` puts pieces together.
"""

from __future__ import annotations

import ast
import math
import unicodedata
from collections.abc import Iterable
from typing import Any

__all__ = ["Unique", "call", "identifier", "literal", "number_in", "unparse"]


class Unique:
    """Gives each name once: the name that is asked for, or the same with another number."""

    def __init__(self, taken: Iterable[str] = ()) -> None:
        self.taken = set(taken)
        self._last: dict[str, int] = {}  # the number that a stem was given last

    def __call__(self, name: str) -> str:
        stem = name.rstrip("0123456789")
        while name in self.taken:
            self._last[stem] = self._last.get(stem, 1) + 1
            name = f"{stem}{self._last[stem]}"
        self.taken.add(name)
        return name


def identifier(text: str) -> str:
    """The nearest thing to a text that has the form of a name; it may still be a keyword.

    In the normal form NFKC, in which an italic w is a w, because Python reads names in it:
    then names that are written differently are different ones.
    """
    text = unicodedata.normalize("NFKC", text)
    name = "".join(c if f"_{c}".isidentifier() else "_" for c in text)
    return name if name.isidentifier() else f"_{name}"


def literal(value: Any) -> ast.expr:
    """A number, a shape, an index or another option, as it is written."""
    if hasattr(value, "tolist"):  # Arrays, and numpy's
        value = value.tolist()
    if isinstance(value, tuple):
        return ast.Tuple(list(map(literal, value)))
    if isinstance(value, (list, range)):
        return ast.List(list(map(literal, value)))
    if value is ...:
        return ast.Constant(...)
    if isinstance(value, float) and not math.isfinite(value):
        return call("float", ast.Constant(str(value)))
    return ast.parse(repr(value), mode="eval").body


def call(name: str, *arguments: ast.expr) -> ast.expr:
    """`name(arguments)`."""
    return ast.Call(ast.Name(name), list(arguments), [])


def number_in(node: ast.expr) -> float | None:
    """The number that a piece of syntax is, if it is one."""
    try:
        return float(ast.literal_eval(node))
    except (ValueError, TypeError):
        return None


def unparse(node: ast.AST) -> str:
    """The text of a piece of syntax."""
    return ast.unparse(ast.fix_missing_locations(node))
