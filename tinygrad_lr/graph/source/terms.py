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

For speed, with `formula_of`, factors are reordered; and a fused operation stays whole where its
composition is more than loops, or the loops are long, because it computes for its rules what they
would compute again.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from math import prod
from typing import Any

from ...core import array
from ...core.array import Data, shape_of
from ...core.backward import ancestors
from ...core.operation import Operation
from ...core.shapes import Shape
from ...core.value import Value
from ...ops import elementwise as operations, probability, tensors
from .bodies import body_of
from .syntax import literal

__all__ = ["Term", "TermTable"]

_own = {
    operations: "abs add cos divide exp expm1 log log1p multiply negative sin sqrt subtract",
    tensors: "_reshape broadcast_to sum",
    probability: "tanh",
}
OWN: dict[str, Operation] = {
    name.lstrip("_"): getattr(module, name).operation
    for module, names in _own.items()
    for name in names.split()
}


class Term:
    """An input (it has a label alone), a constant (it has data), or an operation on terms.

    name    of the operation, if it is one of tinygrad_lr; users may call theirs as they like
    data    of a constant: an Array, or a float, which may fill a shape
    place   in the order of writing: after its inputs
    """

    __slots__ = ("name", "operation", "inputs", "options", "shape", "data", "label", "place")

    def __init__(
        self,
        shape: Shape,
        operation: Operation | None = None,
        inputs: tuple[Term, ...] = (),
        options: Mapping[str, Any] = {},
        data: Data | None = None,
        label: str = "",
        place: int = 0,
    ) -> None:
        self.name = operation.name if operation is not None and _is_own(operation) else ""
        self.operation = operation
        self.inputs = inputs
        self.options = options
        self.shape = shape
        self.data = data
        self.label = label
        self.place = place

    def is_number(self, number: float) -> bool:
        """Is it this constant, or a tensor filled with it?"""
        return type(self.data) is float and self.data == number


# Tells a function of numbers, around terms, as a term; None if it cannot: see `formulas`.
Formulas = Callable[[Callable[..., float], Sequence[Term], "TermTable"], Term | None]


class TermTable:
    """All terms of one function. `inputs` are its arguments, with their names.

    formula_of    if given, functions of numbers are told by their formulas
    terms         the term of each Value that was read
    spelled_out   the fused operation, and its inputs, behind a term
    """

    def __init__(
        self,
        inputs: Mapping[Value, str],
        formula_of: Formulas | None = None,
    ) -> None:
        self.formula_of = formula_of
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
        """A float, an Array, or a float that fills a shape."""
        shape = shape_of(data) if shape is None else shape
        if isinstance(data, array.Array) and data.size and data.flat == data.flat[:1] * data.size:
            data = data.flat[0]
        key = tuple(data.flat) if isinstance(data, array.Array) else repr(data)
        return self._write((key, shape), shape, data=data)

    def apply(self, name: str, *inputs: Term, shape: Shape, **options: Any) -> Term:
        """An operation on terms, simplified."""
        if "shape" in OWN[name].options:
            options["shape"] = shape
        return self._simplified(OWN[name], inputs, shape, options)

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
            spelled = operation.same_as(*node.inputs, **options)
            _check_that_nothing_is_lost(operation, node.inputs, spelled)
            if self.formula_of and operation.residuals is not None:
                told = operation.residuals(*node.inputs, **options)
                is_one = type(told) is Value  # not several
                if is_one and (told.size >= MANY or not _is_of_loops(spelled, node.inputs)):
                    return self._whole(operation, node, options, told)
            term = self.read(spelled)
            self.spelled_out.setdefault(term, (operation, tuple(map(self.read, node.inputs))))
            return term
        inputs = tuple(map(self.read, node.inputs))
        if operation.is_elementwise:  # where the engine stretches no constants
            inputs = tuple(self._stretched(x, node.shape) for x in inputs)
            told = self.formula_of and self.formula_of(operation.function, inputs, self)
            if told:
                return told
        return self._simplified(operation, inputs, node.shape, options)

    def _whole(
        self, operation: Operation, node: Value, options: dict[str, Any], told: Value
    ) -> Term:
        """A fused operation as it is: a pair of its output and of what it saves for its rules.

        They tell what is saved as `told`, for which the second then stands.
        """
        inputs = tuple(map(self.read, node.inputs))
        key = operation, inputs, repr(options)
        pair = self._write(key, (), operation=_called(operation), inputs=inputs, options=options)
        pair.name = ""  # the letter that a textbook has for it belongs to its first part
        saved = self._write((pair, 1), told.shape, operation=_SAVED, inputs=(pair,))
        self._known[self.read(told)] = saved
        output = self._write((pair, 0), node.shape, operation=_OUTPUT, inputs=(pair,))
        self.spelled_out[output] = operation, inputs
        return output

    def _stretched(self, x: Term, shape: Shape) -> Term:
        if x.data is None or x.shape == shape:
            return x
        return self.constant(array.broadcast_to(x.data, shape) if x.shape else x.data, shape)

    def _simplified(
        self, operation: Operation, inputs: tuple[Term, ...], shape: Shape, options: dict[str, Any]
    ) -> Term:
        term = Term(shape, operation, inputs, options)
        simpler = self._of_one_number(term) or self._of_numbers(term) or self._of_shapes(term)
        if simpler is not None:
            return simpler
        operands = inputs
        if term.name in ("add", "multiply"):  # x * y is y * x
            operands = tuple(sorted(inputs, key=lambda x: x.place))
        told = tuple((name, literal(value)) for name, value in options.items())
        key = operation, operands, shape, told
        return self._write(key, shape, operation=operation, inputs=inputs, options=options)

    # ---- what may be written more simply ---------------------------------------------------

    def _of_one_number(self, term: Term) -> Term | None:
        """Tensors of one element, or filled with one number: computed once, as a number."""
        if term.operation is None or not term.operation.is_elementwise or not term.shape:
            return None
        numbers = tuple(one for x in term.inputs if (one := self._number(x)) is not None)
        if len(numbers) < len(term.inputs):
            return None
        one = self._simplified(term.operation, numbers, (), {})
        return self.apply("broadcast_to", one, shape=term.shape)

    def _number(self, x: Term) -> Term | None:
        if type(x.data) is float:
            return self.constant(x.data)
        if x.name == "broadcast_to" and x.inputs[0].shape == ():
            return x.inputs[0]
        return self.apply("reshape", x, shape=()) if prod(x.shape) == 1 else None

    def _of_numbers(self, term: Term) -> Term | None:
        shape = term.shape

        def negative(x: Term) -> Term:
            return self.apply("negative", x, shape=shape)

        match term.name, term.inputs:
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
                if x.is_number(0.0) or y.is_number(0.0):
                    return x if y.is_number(0.0) else negative(y)
                if y.name == "negative":
                    return self.apply("add", x, y.inputs[0], shape=shape)
            case "multiply" | "divide", (x, y):
                if y.is_number(1.0) or y.is_number(-1.0):
                    return x if y.is_number(1.0) else negative(x)
                if term.name == "multiply" and (x.is_number(1.0) or x.is_number(-1.0)):
                    return y if x.is_number(1.0) else negative(y)
                if x.name == "negative":
                    return negative(self._with(term, x.inputs[0], y))
                if y.name == "negative":
                    return negative(self._with(term, x, y.inputs[0]))
                if self.formula_of and term.name == "multiply" and shape:
                    return self._numbers_first(x, y, shape)
            case "power", (x, y):
                if y.is_number(1.0) or y.is_number(0.0):
                    return x if y.is_number(1.0) else self.constant(1.0, shape)
            case "where", (_, x, y):
                return x if x is y else None
        return None

    def _numbers_first(self, x: Term, y: Term, shape: Shape) -> Term | None:
        """2 * (3 * tensor) as (2 * 3) * tensor. It rounds differently, but all elements alike."""
        for factor, product in (x, y), (y, x):
            number = self._number(factor)
            if number is not None and product.name == "multiply":
                for inner, rest in product.inputs, product.inputs[::-1]:
                    if (other := self._number(inner)) is not None:
                        both = self.apply("multiply", number, other, shape=())
                        filled = self.apply("broadcast_to", both, shape=shape)
                        return self.apply("multiply", filled, rest, shape=shape)
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
                return self.apply("sum", x, shape=(), axis=None, keepdims=False)
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
            case "transpose" if x.name == "transpose":
                if options["axes"] is None and x.options["axes"] is None:
                    return x.inputs[0]
            case "matmul" if prod(shape) == 1 and shape and len(x.shape) == 2:  # one row
                row = self.apply("reshape", x, shape=x.shape[1:])
                column = self.apply("reshape", term.inputs[1], shape=x.shape[1:])
                product = self._with(term, row, column, shape=())
                return self.apply("broadcast_to", product, shape=shape)
            case "matmul" if x.shape == (1,) and len(term.inputs[1].shape) == 2:
                # one number times one row
                factor = self.apply("broadcast_to", self.apply("reshape", x, shape=()), shape=shape)
                row = self.apply("reshape", term.inputs[1], shape=shape)
                return self.apply("multiply", factor, row, shape=shape)
        return None

    def _with(self, term: Term, *inputs: Term, shape: Shape | None = None) -> Term:
        """The same operation on other inputs."""
        assert term.operation is not None
        shape = term.shape if shape is None else shape
        return self._simplified(term.operation, inputs, shape, dict(term.options))


def _called(operation: Operation) -> Operation:
    """The function of an operation that saves something, which gives a pair."""
    return Operation(operation.function, {}, is_elementwise=False)


def output_of(pair: Any) -> Any:
    """What the operation computes."""
    return pair[0]


def saved_by(pair: Any) -> Any:
    """What it saves."""
    return pair[1]


_OUTPUT = Operation(output_of, {}, is_elementwise=False)
_SAVED = Operation(saved_by, {}, is_elementwise=False)
MANY = 32  # numbers to save for which a call is less work than its composition in loops
_LOOPS = {"broadcast_to", "matmul", "reshape", "sum", "sum_to"}


def _is_of_loops(value: Value, inputs: tuple[Any, ...]) -> bool:
    """Is it made of these by nothing but loops over elements, products and sums?"""
    for node in ancestors(value, {x for x in inputs if type(x) is Value}):
        operation = node.operation
        if operation is None or operation.is_elementwise or operation.name in _LOOPS:
            continue
        if operation.same_as is None:
            return False
        spelled = operation.same_as(*node.inputs, **operation.given(node.options))
        if not _is_of_loops(spelled, node.inputs):
            return False
    return True


def _is_own(operation: Operation) -> bool:
    return str(operation.function.__module__).startswith("tinygrad_lr.")


def _check_that_nothing_is_lost(
    operation: Operation, inputs: tuple[Any, ...], spelled: Any
) -> None:
    """Raises TypeError where the spelled-out form depends on an input by its numbers alone."""
    used = set(ancestors(spelled)) if type(spelled) is Value else set()
    for name, x in zip(operation.arguments, inputs):
        if type(x) is Value and x not in used and x.operation is not None:
            raise TypeError(
                f"{operation.name} reads {name} as numbers that choose entries, so the source "
                f"would hold for these numbers alone; give {name} as one distribution a row "
                "(one-hot), or keep the labels out of the inputs, as constants"
            )
