"""From terms to Python: an expression for a term, out of the names of other terms.

    add(multiply(w, x), b)              w * x + b
    exp(z)                              math.exp(z)
    softplus(z)                         softplus(z), below a copy of its definition

An operation is written as the body of its own function (`bodies`) around its operands. A
function that is more than one expression becomes a helper. For single numbers the function
of `math` stands for the one of `numerics`, which differs only where a limit is in reach:
`numerics.exp(1000)` is inf, `math.exp(1000)` an error.

Tensors are written in `loops`; which terms get a name, and a line, is decided in `lines`.
"""

from __future__ import annotations

import ast
import builtins
import inspect
import keyword
import math
from collections.abc import Callable
from copy import deepcopy
from typing import Any

from ...core import numerics
from ...core.operation import Operation
from .bodies import Body, body_of
from .syntax import Unique, literal, number_in, unparse
from .terms import Term

__all__ = ["AGAIN", "EXACTLY", "Writer"]

AGAIN, EXACTLY = "_again_", "_exactly_"  # names that a guarded function expects to find
TAKEN = {*vars(builtins), *keyword.kwlist, "math", AGAIN, EXACTLY}


class Writer:
    """Writes terms of single numbers, and remembers what they need: imports and helpers."""

    def __init__(self) -> None:
        self.names: dict[Term, str] = {}
        self.needs_math = False
        self.needs_operations = False
        self.imports: set[str] = set()  # from `array`
        self.helpers: dict[str, str] = {}  # name -> definition
        self._helper_names: dict[Any, str] = {}
        self.unique = Unique(TAKEN)

    def line(self, term: Term) -> ast.expr:
        """What stands at the right in the line that gives a term its name."""
        return self.written_out(term)

    def result(self, term: Term) -> ast.expr:
        """A term as it leaves the function: a number or an Array."""
        return self.number(term)

    def number(self, term: Term) -> ast.expr:
        """A single number: its name, or else what it is made of."""
        if term in self.names:
            return ast.Name(self.names[term])
        return literal(term.data) if term.operation is None else self.written_out(term)

    def written_out(self, term: Term) -> ast.expr:
        """The operation that makes a single number."""
        assert term.operation is not None
        return self.call(term.operation, list(map(self.number, term.inputs)))

    def call(
        self, operation: Operation, operands: list[ast.expr], options: dict[str, Any] | None = None
    ) -> ast.expr:
        """The body of an operation around its operands, or a call of it."""
        options = {name: literal(value) for name, value in (options or {}).items()}
        body = body_of(operation.function)
        if body.expression is not None and body.is_linear:
            given = [ast.Tuple(operands)] if operation.is_variadic else operands
            meaning = {**options, **dict(zip(operation.arguments, given))}
            told: ast.expr = _Telling(self, body, meaning).visit(deepcopy(body.expression))
            return told
        keywords = [ast.keyword(name, value) for name, value in options.items()]
        called = ast.Call(self.refer(operation.function), operands, keywords)
        return ast.Subscript(called, literal(0)) if operation.residuals else called

    # ---- what differs between numbers and tensors --------------------------------------------

    def of_numerics(self, function: Callable[..., Any]) -> ast.expr:
        """The expression for a function of `numerics`."""
        if hasattr(math, function.__name__):
            return self.of_math(function.__name__)
        return self._helper(function)

    def arithmetic(self, function: Any, x: ast.expr, y: ast.expr) -> ast.expr | None:
        """The operator that stands for a function of `numerics`, if there is one."""
        if function is numerics.divide:
            return ast.BinOp(x, ast.Div(), y)
        exponent = number_in(y)
        if exponent is not None and exponent.is_integer():
            return ast.BinOp(x, ast.Pow(), literal(int(exponent)))
        return None  # other powers of negative numbers would be complex

    # ---- the names in a body -------------------------------------------------------------------

    def refer(self, thing: Any) -> ast.expr:
        """The expression for what a body names: a function or a number. ValueError for others."""
        if isinstance(thing, (int, float)):
            return literal(thing)
        name = getattr(thing, "__name__", "")
        if getattr(builtins, name, None) is thing:
            return ast.Name(name)
        if inspect.getmodule(thing) is math:
            return self.of_math(name)
        if inspect.getmodule(thing) is numerics:
            return self.of_numerics(thing)
        if callable(thing) and hasattr(thing, "operation"):
            thing = thing.operation.function
        if inspect.isfunction(thing):
            return self._helper(thing)
        raise ValueError(f"source cannot say what {thing!r} is: it is no number and no function")

    def of_math(self, name: str) -> ast.expr:
        """A function or constant of `math`."""
        self.needs_math = True
        return ast.Attribute(ast.Name("math"), name)

    def _helper(self, function: Any) -> ast.expr:
        if function not in self._helper_names:
            self._helper_names[function] = name = self.unique(function.__name__)
            self.helpers[name] = self._definition(name, body_of(function))
        return ast.Name(self._helper_names[function])

    def _definition(self, name: str, body: Body) -> str:
        """A function as it stands in its file; told anew where its names mean nothing here."""
        plain = body.without_annotations()
        told = _Telling(self, body, {}).visit(deepcopy(plain))
        told.name = name
        return body.text if unparse(told) == unparse(plain) and body.is_plain else unparse(told)


class _Telling(ast.NodeTransformer):
    """Puts operands for arguments, and for every other name what the writer calls it."""

    def __init__(self, writer: Writer, body: Body, operands: dict[str, ast.expr]) -> None:
        self.writer, self.body, self.operands = writer, body, operands

    def visit_Name(self, node: ast.Name) -> ast.expr:
        if node.id in self.operands:
            return self.operands[node.id]
        thing = self.body.meaning(node)
        return node if thing is None else self.writer.refer(thing)

    def visit_Attribute(self, node: ast.Attribute) -> ast.expr:
        thing = self.body.meaning(node)
        if thing is None:
            return ast.Attribute(self.visit(node.value), node.attr)
        if self.body.meaning(node.value) is math:
            return self.writer.of_math(node.attr)  # math.pi too
        return self.writer.refer(thing)

    def visit_IfExp(self, node: ast.IfExp) -> ast.expr:
        test = self.visit(node.test)
        match test:  # the truth that float() made a number of
            case ast.Call(ast.Name("float"), [ast.Compare() as truth]):
                test = truth
        return ast.IfExp(test, self.visit(node.body), self.visit(node.orelse))

    def visit_Call(self, node: ast.Call) -> ast.expr:
        function = self.body.meaning(node.func)
        arguments = list(map(self.visit, node.args))
        if function is tuple and isinstance(arguments[0], ast.Tuple):
            return arguments[0]
        if function in (numerics.divide, numerics.power):
            operator = self.writer.arithmetic(function, *arguments)
            if operator is not None:
                return operator
        return ast.Call(self.visit(node.func), arguments, list(map(self.visit, node.keywords)))
