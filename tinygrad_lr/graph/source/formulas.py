"""A function of numbers read as a formula of terms, so that it needs no call.

    def softplus(x):                          softplus(z)  =  log1p(exp(z))
        try:
            return math.log1p(math.exp(x))
        except OverflowError:
            return x

What stands under `try` is the formula; it holds unless it raises. So a source that is made of
formulas is faster, and where one raises the source with the functions has the answer.

>>> from tinygrad_lr.core import numerics
>>> from tinygrad_lr.core.value import Value
>>> x = Value(0.0)
>>> table = TermTable({x: "x"})
>>> formula_of(numerics.log_sigmoid, [table.read(x)], table).name
'negative'

Functions that decide, loop or call strangers have no formula.
"""

from __future__ import annotations

import ast
import math
from collections.abc import Callable, Sequence
from typing import Any

from ...core import numerics
from .bodies import Body, body_of
from .terms import TermTable, Term

__all__ = ["formula_of"]

OPERATORS: dict[type[ast.AST], str] = {
    ast.Add: "add", ast.Sub: "subtract", ast.Mult: "multiply", ast.Div: "divide",
    ast.USub: "negative",
}  # fmt: skip
FUNCTIONS = {
    getattr(math, name): name
    for name in ("exp", "expm1", "log", "log1p", "sqrt", "sin", "cos", "tanh")
} | {abs: "abs"}


class NoFormula(Exception):
    """This function is not one."""


def formula_of(
    function: Callable[..., Any], inputs: Sequence[Term], table: TermTable
) -> Term | None:
    """What a function of numbers makes of terms of one shape; None if it has no formula."""
    try:
        return _read(body_of(function), inputs, table)
    except NoFormula:
        return None


def _read(body: Body, inputs: Sequence[Term], table: TermTable) -> Term:
    terms = dict(zip(body.arguments, inputs))
    shape = inputs[0].shape

    def term(node: ast.expr | None) -> Term:
        match node:
            case ast.Name(name) if name in terms:
                return terms[name]
            case ast.Constant(float() as number):
                return table.constant(number, shape)
            case ast.UnaryOp(operator, operand) if type(operator) in OPERATORS:
                return table.apply(OPERATORS[type(operator)], term(operand), shape=shape)
            case ast.BinOp(left, operator, right) if type(operator) in OPERATORS:
                return table.apply(OPERATORS[type(operator)], term(left), term(right), shape=shape)
            case ast.Call(called, arguments, []):
                function = body.meaning(called)
                if function in FUNCTIONS:
                    return table.apply(FUNCTIONS[function], *map(term, arguments), shape=shape)
                if getattr(function, "__module__", "") == numerics.__name__:
                    return _read(body_of(function), list(map(term, arguments)), table)
        raise NoFormula

    statements = body.statements
    if isinstance(statements[0], ast.Try):
        statements = statements[0].body
    for statement in statements:
        match statement:
            case ast.Assign([ast.Name(name)], value):
                terms[name] = term(value)
            case ast.Return(value):
                return term(value)
            case _:
                break
    raise NoFormula
