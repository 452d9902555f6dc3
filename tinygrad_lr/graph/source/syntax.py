"""Pieces of Python as text.

    literal       a number, a shape or an option, as it is written
    tidy          an expression with no more parentheses than it needs
    identifier    a text that has the form of a name
    Unique        names, each given once
    filled        a long text in lines of 100 columns

Expressions are put together as text, with every operand in parentheses; `tidy` then takes out
those that change nothing:

>>> z = "w * x + b"
>>> tidy(f"-(({z}) * (y))"), tidy(f"({z}) + (y)")
('-((w * x + b) * y)', 'w * x + b + y')
>>> literal((1, slice(None, 2), [0, -1.5], ...)), literal(float("inf"))
('(1, slice(None, 2, None), [0, -1.5], ..., )', "float('inf')")
>>> identifier("x₁"), identifier("1/w"), identifier("ŵ'")
('x1', '_1_w', 'ŵ_')
>>> unique = Unique({"math"})
>>> unique("z"), unique("z"), unique("v1"), unique("v1"), unique("math")
('z', 'z2', 'v1', 'v2', 'math2')

No terms and no operations here.
"""

from __future__ import annotations

import ast
import math
import re
import textwrap
import unicodedata
from collections.abc import Iterable
from typing import Any

__all__ = ["WIDTH", "Unique", "filled", "identifier", "literal", "tidy"]

WIDTH = 100  # columns


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

    It is in the normal form NFKC, in which an italic w is a w. Python reads names in this form,
    so names that are written differently are different names.
    """
    text = unicodedata.normalize("NFKC", text)
    name = "".join(c if f"_{c}".isidentifier() else "_" for c in text)
    return name if name.isidentifier() else f"_{name}"


def literal(value: Any) -> str:
    """A number, a shape, an index or another option, as it is written."""
    if hasattr(value, "tolist"):  # Arrays, and numpy's
        value = value.tolist()
    if isinstance(value, tuple):
        return f"({''.join(f'{literal(v)}, ' for v in value)})"
    if isinstance(value, (list, range)):
        return f"[{', '.join(map(literal, value))}]"
    if isinstance(value, float) and not math.isfinite(value):
        return f"float('{value}')"
    return "..." if value is ... else repr(value)


def tidy(expression: str) -> str:
    """The expression without needless parentheses, and without float() around a test."""
    tree = ast.parse(expression, mode="eval")
    for node in ast.walk(tree):
        match node:
            case ast.IfExp(ast.Call(ast.Name("float"), [ast.Compare() as truth])):
                node.test = truth
    return re.sub(r"\btuple\((\([^()]*\))\)", r"\1", ast.unparse(tree))


def filled(text: str, first: str, rest: str) -> str:
    """A text in lines, which begin with the spaces `first` and `rest`; words stay whole."""
    return textwrap.fill(
        text, WIDTH, initial_indent=first, subsequent_indent=rest,
        break_long_words=False, break_on_hyphens=False,
    )  # fmt: skip
