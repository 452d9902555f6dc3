"""A function of numbers read as a formula of terms, so that it needs no call.

    def softplus(x):                          softplus(z)  =  log1p(exp(z))
        try:
            return math.log1p(math.exp(x))
        except OverflowError:
            return x

The function is called once, on terms in the place of numbers: what it computes is then a term.
Nothing overflows there, so the formula is the one under `try`, and it holds unless it raises.
Source that is made of formulas is faster; where it raises, the source with the functions has
the answer.

>>> from tinygrad_lr.core.value import Value
>>> from tinygrad_lr.graph.source.terms import TermTable
>>> z = Value(0.0)
>>> table = TermTable({z: "z"})
>>> formula_of(numerics.log_sigmoid, [table.read(z)], table).term.name
'negative'

A function that decides by the number, or calls anything else than `math` and `numerics` on it,
has no formula.
"""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from types import FunctionType, SimpleNamespace
from typing import Any

from ...core import numerics

__all__ = ["Number", "formula_of"]

OPERATORS = {
    "add": "add", "sub": "subtract", "mul": "multiply", "truediv": "divide", "neg": "negative",
    "abs": "abs",
}  # fmt: skip
FUNCTIONS = "exp expm1 log log1p sqrt sin cos tanh".split()
DECISIONS = "bool float int index lt le gt ge eq ne".split()


@dataclass(eq=False)
class Number:
    """A term in the place of a number: what is computed with it is a term of the same table."""

    term: Any
    table: Any


class NoFormula(BaseException):
    """The function needs a number. No `except Exception` in its body catches this."""


def _operation(name: str, reverse: bool = False) -> Callable[..., Any]:
    """An operation on numbers, of which some are terms; if none is, the function of `math`."""

    def apply(*xs: Any) -> Any:
        known = next((x for x in xs if isinstance(x, Number)), None)
        if known is None:
            return getattr(math, name)(*xs)
        table, shape = known.table, known.term.shape
        terms = [table.term_of(x, shape) for x in (reversed(xs) if reverse else xs)]
        return Number(table.apply(name, *terms, shape=shape), table)

    return apply


def _refuse(*_: Any) -> Any:
    raise NoFormula


for method, name in OPERATORS.items():
    setattr(Number, f"__{method}__", _operation(name))
    setattr(Number, f"__r{method}__", _operation(name, reverse=True))
for method in DECISIONS:
    setattr(Number, f"__{method}__", _refuse)

# What `math` and `numerics`, and the functions in them, are when a function is called on terms.
_math = SimpleNamespace(**vars(math) | {name: _operation(name) for name in FUNCTIONS})
_numerics: dict[str, Any] = vars(numerics) | {"math": _math}
for name, function in inspect.getmembers(numerics, inspect.isfunction):
    _numerics[name] = FunctionType(function.__code__, _numerics)
STAND_INS = {id(getattr(math, name)): getattr(_math, name) for name in FUNCTIONS}
STAND_INS |= {id(function): _numerics[name] for name, function in vars(numerics).items()}
STAND_INS |= {id(numerics): SimpleNamespace(**_numerics)}


def formula_of(function: Callable[..., Any], inputs: Iterable[Any], table: Any) -> Any:
    """What a function of numbers makes of terms: a Number or a float. None: it has no formula."""
    try:
        scope = {name: STAND_INS.get(id(x), x) for name, x in function.__globals__.items()}
        for_terms = FunctionType(function.__code__, scope, closure=function.__closure__)
        result = for_terms(*(Number(x, table) for x in inputs))
    except (NoFormula, Exception):  # whatever it raises
        return None
    return result if isinstance(result, (Number, float)) else None
