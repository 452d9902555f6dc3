"""From terms to Python: one expression for a term, out of names that stand for others.

    terms of single numbers      w * x + b,  math.exp(z),  softplus(z)
    terms of tensors             [sumprod(row, w.flat) + b for row in X.rows]

An operation is written as the body of its own function (`bodies`) around its operands.
Functions that are more than one expression become helpers, defined above. For single
numbers the C function of `math` stands for one of `numerics`, and helpers are copied; for
tensors `numerics` itself is used, which has limits instead of exceptions.

A tensor is an Array where it comes from outside or from a function of `array`; where it is
computed element by element it is a flat list. Chains of elementwise operations are fused:
one list is made, in one loop, and no list between.

Which terms have names, and which lines there are, is decided in `source`.
"""

from __future__ import annotations

import ast
import builtins
import inspect
import math
from collections.abc import Callable, Iterable
from math import prod
from types import ModuleType
from typing import Any

from .. import array, numerics
from ..registry import Operation
from ..shapes import Shape
from .bodies import Body, body_of
from .terms import Term

__all__ = ["Writer", "core", "is_list", "literal", "unparse"]

Loops = dict[str, ast.expr]  # variable -> what it runs through


def is_list(term: Term) -> bool:
    """Is this tensor computed element by element, so that a list will do?"""
    return term.operation is not None and term.shape != () and (
        term.operation.is_elementwise or is_stretched(term) or term.name == "reshape" or is_product(term)
    )  # fmt: skip


def is_stretched(term: Term) -> bool:
    """A tensor that is filled with a single number."""
    return term.name == "broadcast_to" and term.inputs[0].shape == ()


def is_product(term: Term) -> bool:
    """A matrix times a vector, or a vector times a matrix: one sumprod for each element."""
    sizes = sorted(len(x.shape) for x in term.inputs)
    return term.name == "matmul" and sizes == [1, 2] and 0 not in term.inputs[0].shape


def core(term: Term) -> Term:
    """The term below reshapes and stretched numbers, which cost nothing in a loop."""
    while term.name == "reshape" or is_stretched(term):
        term = term.inputs[0]
    return term


class Writer:
    """Writes expressions, and remembers what they need: imports, helpers, constants."""

    def __init__(self, tensors: bool, reserved: Iterable[str] = ()) -> None:
        self.tensors = tensors
        self.names: dict[Term, str] = {}
        self.imports: set[str] = set()  # names of `array`, or "math"
        self.helpers: dict[str, str] = {}  # name -> definition
        self._helper_names: dict[Any, str] = {}
        self._taken = set(reserved) | set(vars(builtins)) | {"math"}

    def unique(self, name: str) -> str:
        """The name, or the name with a number behind it, and reserved from now on."""
        number, found = 1, name
        while found in self._taken:
            number += 1
            found = f"{name}{number}"
        self._taken.add(found)
        return found

    # ---- expressions ---------------------------------------------------------------------

    def number(self, term: Term) -> ast.expr:
        """A single number."""
        if term in self.names:
            return ast.Name(self.names[term])
        if term.operation is None:
            return literal(term.data)
        if term.name == "sum" and is_reducible(term):
            return self._sum(term.inputs[0])
        if term.name == "reshape":
            return ast.Subscript(self.list(term.inputs[0]), literal(0))
        if term.name == "matmul" and 0 not in term.inputs[0].shape:
            return self._call_of_array("sumprod", *map(self.list, term.inputs))
        return self.whole(term) if self.tensors else self._elementwise(term, self.number)

    def list(self, term: Term) -> ast.expr:
        """A flat list (or an iterable) of the elements of a tensor."""
        if term in self.names:
            name = ast.Name(self.names[term])
            return name if is_list(term) else ast.Attribute(name, "flat")
        loops: Loops = {}
        element = self._element(term, loops)
        if isinstance(element, ast.Name) and list(loops) == [element.id]:
            return loops[element.id]
        if not loops:
            return ast.BinOp(ast.List([element]), ast.Mult(), literal(prod(term.shape)))
        targets = [ast.Name(name) for name in loops]
        target, source = targets[0], list(loops.values())[0]
        if len(loops) > 1:
            target, source = ast.Tuple(targets), _call("zip", *loops.values())
        return ast.ListComp(element, [ast.comprehension(target, source, [], 0)])

    def array(self, term: Term) -> ast.expr:
        """An Array, as the functions of `array` take it; a float for a single number."""
        if term.shape == ():
            return self.number(term)
        if term in self.names and not is_list(term):
            return ast.Name(self.names[term])
        if term.operation is None:  # a constant
            return self._call_of_array("broadcast_to", literal(term.data), literal(term.shape))
        if is_list(term):
            return self._call_of_array("from_flat", self.list(term), literal(term.shape))
        return self.whole(term)

    def whole(self, term: Term) -> ast.expr:
        """A call of a function that takes whole Arrays."""
        operation = term.operation
        assert operation is not None
        operands = list(map(self.array, term.inputs))
        made = self.inlined(operation, operands, term.options)
        if made is not None:
            return made
        keywords = [ast.keyword(name, literal(value)) for name, value in term.options.items()]
        called = ast.Call(self.refer(operation.function), operands, keywords)
        return ast.Subscript(called, literal(0)) if operation.saves else called

    def _elementwise(self, term: Term, write: Callable[[Term], ast.expr]) -> ast.expr:
        assert term.operation is not None
        operands = list(map(write, term.inputs))
        made = self.inlined(term.operation, operands, {})
        return made or ast.Call(self.refer(term.operation.function), operands, [])

    def _element(self, term: Term, loops: Loops) -> ast.expr:
        """One element of a tensor; adds to `loops` what the variables in it run through."""
        if term.shape == ():
            return self.number(term)
        if term in self.names:
            variable = self.unique_in(self.names[term] + "_i")
            loops[variable] = self.list(term)
            return ast.Name(variable)
        if term.operation is None:
            return literal(term.data)
        if term.name == "reshape" or is_stretched(term):
            return self._element(term.inputs[0], loops)
        if is_product(term):
            return self._product(*term.inputs, loops)
        if term.operation.is_elementwise:
            return self._elementwise(term, lambda x: self._element(x, loops))
        loops["v_i"] = ast.Attribute(self.whole(term), "flat")
        return ast.Name("v_i")

    def _product(self, x: Term, y: Term, loops: Loops) -> ast.expr:
        matrix, line = (x, "row") if len(x.shape) == 2 else (y, "column")
        variable, number = line, 1
        while variable in loops:
            number += 1
            variable = f"{line}{number}"
        loops[variable] = ast.Attribute(self.array(matrix), line + "s")
        pair = [ast.Name(variable) if t is matrix else self.list(t) for t in (x, y)]
        return self._call_of_array("sumprod", *pair)

    def _sum(self, x: Term) -> ast.expr:
        if x.name == "multiply" and x not in self.names:
            pair = [self.list(core(t)) for t in x.inputs if not is_stretched(t)]
            if len(pair) == 2 and not any(isinstance(t, ast.ListComp) for t in pair):
                return self._call_of_array("sumprod", *pair)
        return _call("sum", self.list(x))

    # ---- the bodies of functions -----------------------------------------------------------

    def inlined(
        self, operation: Operation, operands: list[ast.expr], options: Any
    ) -> ast.expr | None:
        """The body of an operation around its operands, if it is one expression."""
        body = body_of(operation.function)
        if body.expression is None or not body.is_linear:
            return None
        written: dict[str, ast.expr] = {name: literal(value) for name, value in options.items()}
        if operation.variadic:
            written[operation.arguments[0]] = ast.Tuple(operands)
        else:
            written.update(zip(operation.arguments, operands))
        return _Body(self, body, written).visit(body.expression)

    def refer(self, thing: Any) -> ast.expr:
        """The expression for a function or number that a body names. Raises ValueError for others."""
        if isinstance(thing, (int, float)):
            return literal(thing)
        name = getattr(thing, "__name__", "")
        if getattr(builtins, name, None) is thing:
            return ast.Name(name)
        module = inspect.getmodule(thing)
        if module is math or (module is numerics and not self.tensors and hasattr(math, name)):
            self.imports.add("math")
            return ast.Attribute(ast.Name("math"), name)
        if module is array and self.tensors:
            return self._of_array(name)
        if hasattr(thing, "operation"):
            thing = thing.operation.function
        if inspect.isfunction(thing):
            return ast.Name(self._helper(thing))
        raise ValueError(f"source cannot say what {thing!r} is; a function or a number would do")

    def _helper(self, function: Any) -> str:
        if function not in self._helper_names:
            self._helper_names[function] = name = self.unique(function.__name__)
            if self.tensors and inspect.getmodule(function) is numerics:
                self.imports.add("numerics")
                self.helpers[name] = f"{name} = numerics.{function.__name__}"
            else:
                self.helpers[name] = self._definition(name, body_of(function))
        return self._helper_names[function]

    def _definition(self, name: str, body: Body) -> str:
        """A function as it stands in its file, or with its names told anew where they differ."""
        arguments = [ast.arg(a.arg) for a in body.definition.args.args]
        plain = ast.FunctionDef(name, ast.arguments([], arguments, None, [], [], None, []),
                                body.definition.body, [])  # fmt: skip
        if body.definition.args.kwonlyargs or body.definition.args.vararg:
            plain.args = body.definition.args
        told = _Body(self, body, {}).visit(ast.parse(unparse(plain)).body[0])
        if unparse(told) == unparse(plain) and _annotations(body) <= set(vars(builtins)):
            return body.text
        return unparse(told)

    def _call_of_array(self, name: str, *arguments: ast.expr) -> ast.expr:
        return ast.Call(self._of_array(name), list(arguments), [])

    def _of_array(self, name: str) -> ast.expr:
        self.imports.add(name)
        return ast.Name(name)


class _Body(ast.NodeTransformer):
    """Operands for arguments, and for each other name what the writer says it is."""

    def __init__(self, writer: Writer, body: Body, operands: dict[str, ast.expr]) -> None:
        self.writer, self.body, self.operands = writer, body, operands

    def thing(self, node: ast.expr) -> Any:
        """What a name, or a module's attribute, stands for; None for local ones."""
        if isinstance(node, ast.Name) and node.id not in self.body.own_names:
            return self.body.scope[node.id]
        if isinstance(node, ast.Attribute) and isinstance(self.thing(node.value), ModuleType):
            return getattr(self.thing(node.value), node.attr)
        return None

    def visit_Name(self, node: ast.Name) -> ast.expr:
        if node.id in self.operands:
            return self.operands[node.id]
        thing = self.thing(node)
        return node if thing is None else self.writer.refer(thing)

    def visit_Attribute(self, node: ast.Attribute) -> ast.expr:
        thing = self.thing(node)
        if thing is None:
            self.generic_visit(node)
            return node
        if self.thing(node.value) is math:
            self.writer.imports.add("math")
            return node
        return self.writer.refer(thing)

    def visit_Call(self, node: ast.Call) -> ast.expr:
        function = self.thing(node.func)
        arguments = list(map(self.visit, node.args))
        if function in (numerics.divide, numerics.power):
            # Python's own operators raise where the engine has a limit, which is no matter
            # if the divisor is a number that is known, or if `math` would raise too.
            x, y = arguments
            known = isinstance(y, ast.Constant) and y.value
            if function is numerics.divide and (known or not self.writer.tensors):
                return ast.BinOp(x, ast.Div(), y)
            if function is numerics.power and known and not self.writer.tensors:
                if float(y.value).is_integer():
                    return ast.BinOp(x, ast.Pow(), literal(int(y.value)))
        if function is tuple and isinstance(arguments[0], ast.Tuple):
            return arguments[0]
        return ast.Call(self.visit(node.func), arguments, list(map(self.visit, node.keywords)))


# ---- small things ------------------------------------------------------------------------------


def literal(value: Any) -> ast.expr:
    """A number, a shape, an index or another option as an expression."""
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        if not math.isfinite(value):
            return ast.parse(f"float('{value}')", mode="eval").body
        if math.copysign(1.0, value) < 0.0:
            return ast.UnaryOp(ast.USub(), ast.Constant(-value))
        return ast.Constant(value)
    if isinstance(value, tuple):
        return ast.Tuple([literal(v) for v in value])
    if value is ...:
        return ast.Constant(...)
    if hasattr(value, "tolist"):
        value = value.tolist()
    return ast.parse(repr(value), mode="eval").body


def unparse(node: ast.AST) -> str:
    """The text of a piece of syntax."""
    return ast.unparse(ast.fix_missing_locations(node))


def _call(name: str, *arguments: ast.expr) -> ast.expr:
    return ast.Call(ast.Name(name), list(arguments), [])


def _annotations(body: Body) -> set[str]:
    return set()
