"""A graph as algebra: terms that are simplified, and of which equal ones are the same object.

    graph                                    terms
    1.0 * w                                  w
    x - -y                                   x + y
    reshape(x, shape of x)                   x
    x * x, and elsewhere x * x               one term, used twice

>>> from tinygrad_lr.value import Value
>>> x, y = Value(3.0), Value(2.0)
>>> book = Book({x: "x", y: "y"})
>>> book.read(1.0 * x - -(y + 0.0)) is book.read(x + y)
True

A fused operation whose function is more than one expression is spelled out: read as the
composition that it names (`same_as`). Only rewritings that leave every float as it was are
made (but for the sign of zero), so sums are not reordered and 0 * x stays.
"""

from __future__ import annotations

from collections.abc import Container, Mapping
from math import prod
from typing import Any

from .. import array
from ..array import Data, shape_of
from ..registry import OPERATIONS, Operation
from ..shapes import Shape
from ..value import Value
from .bodies import body_of

__all__ = ["Book", "Term", "behind"]


class Term:
    """An input (it has a label alone), a constant (it has data), or an operation on terms."""

    __slots__ = ("operation", "inputs", "options", "shape", "data", "label", "place")

    def __init__(
        self,
        place: int,
        shape: Shape,
        operation: Operation | None = None,
        inputs: tuple[Term, ...] = (),
        options: Mapping[str, Any] = {},
        data: Data | None = None,
        label: str = "",
    ) -> None:
        self.place = place  # in the order of writing: after its inputs
        self.shape = shape
        self.operation = operation
        self.inputs = inputs
        self.options = options
        self.data = data  # a float stands for a tensor that is filled with it
        self.label = label

    @property
    def name(self) -> str:
        """Of the operation; "" for an input or a constant."""
        return self.operation.name if self.operation else ""

    def is_number(self, number: float) -> bool:
        """Is it this constant, or a tensor filled with it?"""
        return type(self.data) is float and self.data == number


class Book:
    """All terms of one function. `inputs` are its arguments, with their names."""

    def __init__(self, inputs: Mapping[Value, str]) -> None:
        self._written: dict[Any, Term] = {}
        self.spelled_out: dict[Term, tuple[Operation, tuple[Term, ...]]] = {}
        self.terms = {
            value: self._write(value, value.shape, label=name) for value, name in inputs.items()
        }

    def read(self, value: Any) -> Term:
        """The term of a Value, a float or an Array."""
        if type(value) is not Value:
            return self.constant(value)
        for node in behind(value, self.terms):
            self.terms[node] = term = self._of_node(node)
            term.label = term.label or node.label
        return self.terms[value]

    def constant(self, data: Data, shape: Shape | None = None) -> Term:
        """A float, an Array, or a float that fills a shape."""
        shape = shape_of(data) if shape is None else shape
        if type(data) is array.Array:
            first = data.flat[:1]
            if first * data.size == data.flat:
                data = first[0] if first else 0.0
        key = (repr(data) if type(data) is float else tuple(data.flat), shape)
        return self._write(key, shape, data=data)

    def apply(self, name: str, *inputs: Term, shape: Shape, **options: Any) -> Term:
        """An operation of the registry on terms, simplified."""
        return self._apply(OPERATIONS[name], inputs, shape, options)

    def _write(self, key: Any, shape: Shape, **rest: Any) -> Term:
        if key not in self._written:
            self._written[key] = Term(len(self._written), shape, **rest)
        return self._written[key]

    def _of_node(self, node: Value) -> Term:
        operation = node.operation
        if operation is None:  # a leaf that is no input of the function does not change
            return self.constant(node.data)
        options = {name: node.options[name] for name in operation.options}
        if operation.same_as is not None and body_of(operation.function).expression is None:
            spelled = operation.same_as(*node.inputs, **options)
            _check_that_nothing_is_lost(node, spelled)
            term, inputs = self.read(spelled), tuple(map(self.read, node.inputs))
            self.spelled_out.setdefault(term, (operation, inputs))
            return term
        inputs = tuple(map(self.read, node.inputs))
        if operation.is_elementwise:  # constants are not stretched by the engine
            inputs = tuple(self._stretched(x, node.shape) for x in inputs)
        return self._apply(operation, inputs, node.shape, options)

    def _stretched(self, x: Term, shape: Shape) -> Term:
        if x.data is None or x.shape == shape:
            return x
        return self.constant(array.broadcast_to(x.data, shape) if x.shape else x.data, shape)

    def _apply(
        self, operation: Operation, inputs: tuple[Term, ...], shape: Shape, options: dict[str, Any]
    ) -> Term:
        simpler = self._of_shapes(operation.name, inputs, shape, options)
        if simpler is None and operation.is_elementwise:
            simpler = self._of_numbers(operation.name, inputs, shape)
        if simpler is not None:
            return simpler
        operands = inputs
        if operation.name in ("add", "multiply"):  # x * y is y * x
            operands = tuple(sorted(inputs, key=lambda term: term.place))
        key = (operation, operands, shape, repr(sorted(options.items())))
        return self._write(key, shape, operation=operation, inputs=inputs, options=options)

    # ---- what may be written more simply ---------------------------------------------------

    def _of_numbers(self, name: str, inputs: tuple[Term, ...], shape: Shape) -> Term | None:
        def negative(x: Term) -> Term:
            return self.apply("negative", x, shape=shape)

        match name, inputs:
            case "identity", (x,):
                return x
            case "negative", (x,):
                if x.name == "negative":
                    return x.inputs[0]
                if x.name == "subtract":
                    return self.apply("subtract", *reversed(x.inputs), shape=shape)
                if type(x.data) is float:
                    return self.constant(-x.data, shape)
            case "add", (x, y):
                if x.is_number(0.0) or y.is_number(0.0):
                    return y if x.is_number(0.0) else x
                if x is y:
                    return self.apply("multiply", self.constant(2.0, shape), x, shape=shape)
                if y.name == "negative":
                    return self.apply("subtract", x, y.inputs[0], shape=shape)
                if x.name == "negative":
                    return self.apply("subtract", y, x.inputs[0], shape=shape)
            case "subtract", (x, y):
                if y.is_number(0.0):
                    return x
                if x.is_number(0.0):
                    return negative(y)
                if y.name == "negative":
                    return self.apply("add", x, y.inputs[0], shape=shape)
            case "multiply" | "divide", (x, y):
                if y.is_number(1.0) or (x.is_number(1.0) and name == "multiply"):
                    return x if y.is_number(1.0) else y
                if y.is_number(-1.0) or (x.is_number(-1.0) and name == "multiply"):
                    return negative(x if y.is_number(-1.0) else y)
                if x.name == "negative":
                    return negative(self.apply(name, x.inputs[0], y, shape=shape))
                if y.name == "negative":
                    return negative(self.apply(name, x, y.inputs[0], shape=shape))
            case "power", (x, y) if y.is_number(1.0):
                return x
            case "where", (_, x, y) if x is y:
                return x
        return None

    def _of_shapes(
        self, name: str, inputs: tuple[Term, ...], shape: Shape, options: dict[str, Any]
    ) -> Term | None:
        x = inputs[0] if inputs else None
        if x is None or name not in ("reshape", "broadcast_to", "sum_to", "sum", "transpose", "matmul"):
            return None
        if name == "matmul":
            y = inputs[1]
            if x.shape == (1,) and len(y.shape) == 2:  # one row times one number
                factor = self.apply("broadcast_to", self._reshaped(x, ()), shape=shape)
                return self.apply("multiply", factor, self._reshaped(y, shape), shape=shape)
        elif name == "transpose":
            if len(shape) < 2:
                return x
            if x.name == "transpose" and not options["axes"] and not x.options["axes"]:
                return x.inputs[0]
        elif x.shape == shape:
            return x
        elif name == "reshape" and x.shape == ():
            return self.apply("broadcast_to", x, shape=shape)
        elif name != "reshape" and x.shape and prod(x.shape) == prod(shape):
            return self._reshaped(x, shape)
        elif name in ("sum", "sum_to"):
            if shape == () and options.get("axis", ...) is not None:
                return self.apply("sum", x, shape=(), axis=None, keepdims=False)
        elif x.data is not None:
            return self.constant(x.data if type(x.data) is float else array.reshape(x.data, shape), shape)
        elif name == "reshape" and x.name == "reshape":
            return self._reshaped(x.inputs[0], shape)
        elif x.name == "broadcast_to" and (name == "broadcast_to" or x.inputs[0].shape == ()):
            return self.apply("broadcast_to", x.inputs[0], shape=shape)
        return None

    def _reshaped(self, x: Term, shape: Shape) -> Term:
        return self.apply("reshape", x, shape=shape)


def behind(value: Value, known: Container[Value] = ()) -> list[Value]:
    """The Values that made it and are not known yet, itself included, each after its inputs.

    Unlike `value.newest_first` it also goes where there are no rules, as in a comparison.
    """
    seen = {value}
    found = [value] if value not in known else []
    for node in found:  # grows as it is read
        for x in node.inputs:
            if type(x) is Value and x not in seen and x not in known:
                seen.add(x)
                found.append(x)
    found.sort(key=lambda node: (node.operation is not None, node.born))
    return found


def _check_that_nothing_is_lost(node: Value, spelled: Value) -> None:
    """Raises TypeError where the spelled-out form depends on an input by its numbers alone."""
    used = set(behind(spelled))
    for name, x in zip(node.operation.arguments, node.inputs):  # type: ignore[union-attr]
        if type(x) is Value and x not in used and x.operation is not None:
            raise TypeError(
                f"{node.operation.name} reads {name} as numbers that choose entries, so the "  # type: ignore[union-attr]
                f"source would hold for these numbers alone; give {name} as one distribution a "
                "row (one-hot), or keep the labels out of the inputs, as constants"
            )
