"""A graph as algebra: terms that are simplified, and of which equal ones are the same object.

    graph                                    terms
    1.0 * w                                  w
    x - -y                                   x + y
    reshape(x, shape of x)                   x
    x * x, and elsewhere x * x               one term, used twice

>>> from tinygrad_lr.core.value import Value
>>> x, y = Value(3.0), Value(2.0)
>>> table = TermTable({x: "x", y: "y"})
>>> table.read(1.0 * x - -(y + 0.0)) is table.read(x + y)
True

A fused operation whose function is more than one expression is spelled out: read as the
composition that it names (`same_as`). Only rewritings that leave every float as it was are
made (but for the sign of a zero), so sums are not reordered and 0 * x stays.

For speed, with `formulas`, functions of numbers are read as their formulas. And a fused operation
that saves numbers for its rules stays whole, where there are many or its composition is more than
loops, because the composition would compute them again.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import product
from math import prod
from typing import Any

from ...core import array
from ...core.array import Data, shape_of
from ...core.operation import Operation
from ...core.shapes import Shape
from ...core.value import Value
from ...ops import elementwise, probability, tensors
from ..walk import ancestors
from .bodies import body_of
from .formulas import Number, formula_of
from .syntax import literal

__all__ = ["Term", "TermTable"]

OWN: dict[str, Operation] = {
    thing.operation.name: thing.operation
    for module in (elementwise, tensors, probability)
    for thing in vars(module).values()
    if isinstance(getattr(thing, "operation", None), Operation)
}


ALGEBRA = """
    0 + y = y      x + 0 = x      -x + y = y - x       x + -y = x - y
    0 - y = -y     x - 0 = x      x - -y = x + y
    1 * y = y      x * 1 = x      -x * y = -(x * y)    x * -y = -(x * y)
    -1 * y = -y    x * -1 = -x
    x / 1 = x      x / -1 = -x    -x / y = -(x / y)    x / -y = -(x / y)
    x ** 1 = x     x ** 0 = 1
"""
RULES = dict(rule.split(" = ") for rule in re.split(r"\s\s+", ALGEBRA.strip()))
NUMBERS = {0.0: "0", 1.0: "1", -1.0: "-1"}  # in the rules


@dataclass(eq=False, slots=True)
class Term:
    """An input (it has a label alone), a constant (it has data), or an operation on terms.

    name    of the operation, if it is one of tinygrad_lr; users may call theirs as they like
    number  of a constant that is one number, or a tensor filled with it
    data    of a constant: an Array, or a float, which may fill a shape
    place   in the order of writing: after its inputs
    """

    shape: Shape
    operation: Operation | None = None
    inputs: tuple[Term, ...] = ()
    options: Mapping[str, Any] = field(default_factory=dict)
    data: Data | None = None
    label: str = ""
    place: int = 0
    name: str = field(init=False, default="")
    number: float | None = field(init=False)

    def __post_init__(self) -> None:
        self.number = self.data if type(self.data) is float else None
        if self.operation and str(self.operation.function.__module__).startswith("tinygrad_lr."):
            self.name = self.operation.name


class TermTable:
    """All terms of one function. `inputs` are its arguments, with their names.

    formulas      whether functions of numbers are read as their formulas
    terms         the term of each Value that was read
    spelled_out   the fused operation, and its inputs, behind a term
    """

    def __init__(self, inputs: Mapping[Value, str], formulas: bool = False) -> None:
        self.formulas = formulas
        self.terms: dict[Value, Term] = {}
        self.spelled_out: dict[Term, tuple[Operation, tuple[Term, ...]]] = {}
        self._written: dict[Any, Term] = {}
        self._known: dict[Term, Term] = {}  # terms whose numbers an operation has saved
        for value, name in inputs.items():
            self.input(value, name)

    def input(self, value: Value, name: str) -> None:
        """Take a Value as given, however it was made."""
        self.terms[value] = self._write(value, value.shape, label=name)

    def read(self, value: Any) -> Term:
        """The term of a Value, a float or an Array."""
        if type(value) is not Value:
            return self.constant(value)
        for node in ancestors(value, self.terms):
            term = self._of_node(node)
            self.terms[node] = term = self._known.get(term, term)
            term.label = term.label or node.label
        return self.terms[value]

    def constant(self, data: Data, shape: Shape | None = None) -> Term:
        """A float or an Array, or what either becomes when it fills a shape."""
        shape = shape_of(data) if shape is None else shape
        if isinstance(data, array.Array) and data.shape != shape:
            data = array.broadcast_to(data, shape)
        if isinstance(data, array.Array) and data.size and data.flat == data.flat[:1] * data.size:
            data = data.flat[0]
        key = tuple(data.flat) if isinstance(data, array.Array) else repr(data)
        return self._write((key, shape), shape, data=data)

    def term_of(self, x: Any, shape: Shape) -> Term:
        """The term of what was computed with terms: a Number or a float."""
        return x.term if isinstance(x, Number) else self.constant(float(x), shape)

    def apply(
        self, operation: Operation | str, *inputs: Term, shape: Shape, options: Any = None
    ) -> Term:
        """An operation on terms, simplified. Without `options` it has none but the shape."""
        if isinstance(operation, str):
            operation = OWN[operation]
        if options is None:
            options = {"shape": shape} if "shape" in operation.options else {}
        term = Term(shape, operation, inputs, options)
        simpler = self._of_one_number(term) or self._of_numbers(term) or self._of_shapes(term)
        if simpler is not None:
            return simpler
        operands = inputs
        if term.name in ("add", "multiply"):  # x * y is y * x
            operands = tuple(sorted(inputs, key=lambda x: x.place))
        key = operation, operands, shape, tuple((k, literal(v)) for k, v in options.items())
        return self._write(key, shape, operation=operation, inputs=inputs, options=options)

    def _write(self, key: Any, shape: Shape, **rest: Any) -> Term:
        if key not in self._written:
            self._written[key] = Term(shape, place=len(self._written), **rest)
        return self._written[key]

    def _of_node(self, node: Value) -> Term:
        operation = node.operation
        if operation is None:  # a leaf that is no input of the function does not change
            return self.constant(node.data)
        options = operation.given(node.options)
        if operation.same_as is not None and not body_of(operation.function).expression:
            return self._of_fused(operation, node, options)
        inputs = tuple(map(self.read, node.inputs))
        if operation.is_elementwise:  # where the engine stretches no constants
            inputs = tuple(
                x if x.data is None else self.constant(x.data, node.shape) for x in inputs
            )
            formula = formula_of(operation.function, inputs, self) if self.formulas else None
            if formula is not None:
                return self.term_of(formula, node.shape)
        return self.apply(operation, *inputs, shape=node.shape, options=options)

    def _of_fused(self, operation: Operation, node: Value, options: dict[str, Any]) -> Term:
        """A fused operation: the composition that it names; or for speed, itself."""
        spelled = _composition(node)
        inputs = tuple(map(self.read, node.inputs))
        saved = None
        if self.formulas and operation.residuals is not None:
            saved = operation.residuals(*node.inputs, **options)
        if type(saved) is Value and (saved.size >= MANY or not _is_of_loops(spelled, node.inputs)):
            # The function gives a pair: the output, and what it saves for its rules.
            called = Operation(operation.function, {}, is_elementwise=False)
            key = operation, inputs, repr(options)
            pair = self._write(key, (), operation=called, inputs=inputs, options=options)
            pair.name = ""  # the letter that a textbook has for it belongs to its output
            self._known[self.read(saved)] = self._part(pair, 1, saved.shape)
            term = self._part(pair, 0, node.shape)
        else:
            term = self.read(spelled)
        self.spelled_out.setdefault(term, (operation, inputs))
        return term

    def _part(self, pair: Term, place: int, shape: Shape) -> Term:
        return self.apply(PART, pair, shape=shape, options={"place": place})

    # ---- what may be written more simply ---------------------------------------------------

    def _of_one_number(self, term: Term) -> Term | None:
        """Tensors of one element, or filled with one number: computed once, as a number."""
        if term.operation is None or not term.operation.is_elementwise or not term.shape:
            return None
        numbers = [number for x in term.inputs if (number := self._filling(x)) is not None]
        if len(numbers) < len(term.inputs):
            return None
        result = self.apply(term.operation, *numbers, shape=())
        return self.apply("broadcast_to", result, shape=term.shape)

    def _filling(self, x: Term) -> Term | None:
        """The number that fills a tensor."""
        if x.number is not None:
            return self.constant(x.number)
        if x.name == "broadcast_to" and x.inputs[0].shape == ():
            return x.inputs[0]
        return self.apply("reshape", x, shape=()) if prod(x.shape) == 1 else None

    def _of_numbers(self, term: Term) -> Term | None:
        """By RULES, and some that need more than the signs of two operands."""
        shape = term.shape
        match term.name, term.inputs:
            case "identity", (x,):
                return x
            case "negative", (Term(name="negative", inputs=(x,)),):
                return x
            case "negative", (Term(name="subtract", inputs=(x, y)),):
                return self.apply("subtract", y, x, shape=shape)
            case "negative", (Term(number=float(number)),):
                return self.constant(-number, shape)
            case "add", (x, y) if x is y and x.number is None:
                return self.apply("multiply", self.constant(2.0, shape), x, shape=shape)
            case "where", (_, x, y) if x is y:
                return x
            case (("add" | "subtract" | "multiply" | "divide" | "power"), (x, y)):
                for (a, u), (b, v) in product(_forms("x", x), _forms("y", y)):
                    if rule := RULES.get(f"{a} {OWN[term.name].symbol} {b}"):
                        numbers = {"x": Number(u, self), "y": Number(v, self)}
                        return self.term_of(eval(rule, numbers), shape)
        return None

    def _of_shapes(self, term: Term) -> Term | None:
        shape, options = term.shape, term.options
        x = term.inputs[0] if term.inputs else term
        match term.name:
            case "sum" | "sum_to" | "matmul" if not prod(x.shape):  # Python's sum of nothing is 0
                return self.constant(0.0, shape)
            case "reshape" | "broadcast_to" | "sum_to" | "sum" if x.shape == shape:
                return x
            case "broadcast_to" | "sum_to" | "sum" if x.shape and prod(x.shape) == prod(shape):
                return self.apply("reshape", x, shape=shape)
            case "sum" | "sum_to" if shape == () and options.get("axis", ...) is not None:
                return self.apply("sum", x, shape=(), options={"axis": None, "keepdims": False})
            case "reshape" | "broadcast_to" if type(x.data) is float:
                return self.constant(x.data, shape)
            case "reshape" if x.data is not None:
                return self.constant(array.reshape(x.data, shape))
            case "reshape" if x.name == "reshape":
                return self.apply("reshape", x.inputs[0], shape=shape)
            case "reshape" if x.shape == ():
                return self.apply("broadcast_to", x, shape=shape)
            case "reshape" | "broadcast_to" if x.name == "broadcast_to":
                if term.name == "broadcast_to" or x.inputs[0].shape == ():
                    return self.apply("broadcast_to", x.inputs[0], shape=shape)
            case "transpose" if len(shape) < 2:
                return x
            case "transpose" if (
                x.name == "transpose" and options["axes"] is x.options["axes"] is None
            ):
                return x.inputs[0]
            case "matmul" if prod(shape) == 1 and shape and len(x.shape) == 2:  # one row
                row = self.apply("reshape", x, shape=x.shape[1:])
                column = self.apply("reshape", term.inputs[1], shape=x.shape[1:])
                product = self.apply("matmul", row, column, shape=())
                return self.apply("broadcast_to", product, shape=shape)
            case "matmul" if x.shape == (1,) and len(term.inputs[1].shape) == 2:
                # one number times one row
                factor = self.apply("broadcast_to", self.apply("reshape", x, shape=()), shape=shape)
                row = self.apply("reshape", term.inputs[1], shape=shape)
                return self.apply("multiply", factor, row, shape=shape)
        return None


def _forms(letter: str, x: Term) -> Iterator[tuple[str, Term]]:
    """What an operand may be in a rule: a number, a negative term, or any term."""
    if x.number in NUMBERS:
        yield NUMBERS[x.number], x
    if x.name == "negative":
        yield f"-{letter}", x.inputs[0]
    yield letter, x


def part(pair: Any, *, place: int) -> Any:
    """What the operation computes, or what it saves."""
    return pair[place]


PART = Operation(part, {}, is_elementwise=False)
MANY = 32  # numbers to save, for which a call is less work than its composition in loops
LOOPS = {"broadcast_to", "matmul", "reshape", "sum", "sum_to"}


def _is_of_loops(value: Value, inputs: tuple[Any, ...]) -> bool:
    """Is it made of these by nothing but loops over elements, products and sums?"""
    return all(
        node.operation is None
        or node.operation.is_elementwise
        or node.operation.name in LOOPS
        or (node.operation.same_as is not None and _is_of_loops(_composition(node), node.inputs))
        for node in ancestors(value, {x for x in inputs if type(x) is Value})
    )


def _composition(node: Value) -> Any:
    """What a fused operation names as its equal, on these inputs.

    Raises TypeError where it depends on an input by its numbers alone.
    """
    operation = node.operation
    assert operation is not None and operation.same_as is not None
    spelled = operation.same_as(*node.inputs, **operation.given(node.options))
    used = set(ancestors(spelled)) if type(spelled) is Value else set()
    for name, x in zip(operation.arguments, node.inputs):
        if type(x) is Value and x not in used and x.operation is not None:
            raise TypeError(
                f"{operation.name} reads {name} as numbers that choose entries, so the source "
                f"would hold for these numbers alone; give {name} as one distribution a row "
                "(one-hot), or keep the labels out of the inputs, as constants"
            )
    return spelled
