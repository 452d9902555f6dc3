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
>>> x = Value(0.0)
>>> table = TermTable({x: "x"})
>>> formula_of(numerics.log_sigmoid, [table.read(x)], table).name
'negative'

A function that decides by the number, or calls anything else than `math` and `numerics` on it,
has no formula.
"""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Sequence
from functools import cache
from types import FunctionType, SimpleNamespace
from typing import Any

from ...core import numerics
from .terms import Number, Term, TermTable, of_numbers

__all__ = ["formula_of"]

FUNCTIONS = "exp expm1 log log1p sqrt sin cos tanh".split()
DECISIONS = "bool float int index lt le gt ge eq ne".split()


class NoFormula(BaseException):
    """The function needs a number. No `except Exception` in its body catches this."""


def _of_math(name: str) -> Callable[..., Any]:
    """A function of `math` that takes terms too."""
    of_terms, of_float = of_numbers(name), getattr(math, name)
    return lambda x: of_terms(x) if isinstance(x, Number) else of_float(x)


def _refuse(*_: Any) -> Any:
    raise NoFormula


for method in DECISIONS:
    setattr(Number, f"__{method}__", _refuse)

# What `math` and `numerics`, and the functions in them, are when a function is called on terms.
_math = SimpleNamespace(**{**vars(math), **{name: _of_math(name) for name in FUNCTIONS}})
_numerics: dict[str, Any] = {**vars(numerics), "math": _math}
for name, function in inspect.getmembers(numerics, inspect.isfunction):
    _numerics[name] = FunctionType(function.__code__, _numerics)
STAND_INS = {
    id(math): _math,
    id(numerics): SimpleNamespace(**_numerics),
    **{id(getattr(math, name)): getattr(_math, name) for name in FUNCTIONS},
    **{id(function): _numerics[name] for name, function in vars(numerics).items()},
}


@cache
def _for_terms(function: Callable[..., Any]) -> Callable[..., Any]:
    """The same function, which finds the stand-ins under the names that it uses."""
    scope = {name: STAND_INS.get(id(x), x) for name, x in function.__globals__.items()}
    return FunctionType(function.__code__, scope, closure=function.__closure__)


def formula_of(
    function: Callable[..., Any], inputs: Sequence[Term], table: TermTable
) -> Term | None:
    """What a function of numbers makes of terms of one shape; None if it has no formula."""
    try:
        result = _for_terms(function)(*(Number(x, table) for x in inputs))
        return table.of_number(result, inputs[0].shape)
    except (NoFormula, Exception):  # whatever it raises
        return None
