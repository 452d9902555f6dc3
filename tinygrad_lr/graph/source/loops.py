"""Tensors in Python: a chain of elementwise operations becomes one loop.

    X @ w + b                   [sumprod(row, w.flat) + b for row in X.rows]
    sum(abs(z - y))             sum([abs(z_i - y_i) for z_i, y_i in zip(z, y.flat)])
    transpose(X)                transpose(X, None)

What is computed element by element is a flat list. What comes from outside, or out of a
function of `array` that takes whole Arrays, is an Array. Between the operations of a chain
there is no list. Unlike the source of single numbers this one uses `numerics` itself, whose
functions have limits instead of errors, because training may meet them.
"""

from __future__ import annotations

import ast
import math
from collections.abc import Callable
from math import prod
from typing import Any

from ...core import array, numerics
from ...core.operation import OPERATIONS
from .syntax import call, literal, number_in
from .terms import Term
from .writing import Writer

__all__ = ["TensorWriter", "is_list", "is_product", "is_total", "through"]

Loops = dict[str, ast.expr]  # a variable, and what it runs through


def is_stretched(term: Term) -> bool:
    """Is it a tensor that is filled with one number?"""
    return term.name == "broadcast_to" and term.inputs[0].shape == ()


def is_product(term: Term) -> bool:
    """Is it a matrix times a vector, or the reverse: a sum of products for each element?"""
    return term.name == "matmul" and sorted(len(x.shape) for x in term.inputs) == [1, 2]


def is_total(term: Term) -> bool:
    """Is it the sum of all elements?"""
    return term.name == "sum" and term.shape == () and term.options["axis"] is None


def is_list(term: Term) -> bool:
    """Is it computed element by element, so that a flat list will do?"""
    if term.operation is None or term.shape == ():
        return False
    in_a_loop = term.name == "reshape" or is_stretched(term) or is_product(term)
    return term.operation.is_elementwise or in_a_loop


def through(term: Term) -> Term:
    """The term below reshapes and stretched numbers, which cost nothing in a loop."""
    while (term.name == "reshape" and term.shape) or is_stretched(term):
        term = term.inputs[0]
    return term


class TensorWriter(Writer):
    """Writes terms of tensors, and of numbers that are made of tensors.

    `limits`: with the functions of `numerics`; without it, by `math`, as for single numbers.
    """

    def __init__(self, limits: bool = True) -> None:
        super().__init__()
        self.limits = limits
        self.unique.taken.update(array.__all__, {"numerics", "OPERATIONS"})
        self._variables: dict[str, str] = {}

    def line(self, term: Term) -> ast.expr:
        return self._loop(term) if is_list(term) else self.written_out(term)

    def result(self, term: Term) -> ast.expr:
        return self.array(term)

    def array(self, term: Term) -> ast.expr:
        """An Array, as the functions of `array` take it; a number for a number."""
        if term.shape == ():
            return self.number(term)
        if is_list(term):
            return self._of_array("from_flat", self.list(term), literal(term.shape))
        if term in self.names:
            return ast.Name(self.names[term])
        if term.operation is None:  # a constant without a name is filled with one number
            return self._of_array("broadcast_to", literal(term.data), literal(term.shape))
        return self.written_out(term)

    def written_out(self, term: Term) -> ast.expr:
        operation = term.operation
        assert operation is not None
        if operation.is_elementwise:
            return super().written_out(term)
        if term.shape == ():
            if term.name == "reshape":
                return ast.Subscript(self.list(term.inputs[0]), literal(0))
            if term.name == "matmul":
                return self._of_array("sumprod", *map(self.list, term.inputs))
            if is_total(term):
                return self._total(term.inputs[0])
        return self.call(operation, list(map(self.array, term.inputs)), dict(term.options))

    def list(self, term: Term) -> ast.expr:
        """The elements of a tensor, one after the other."""
        if term in self.names:
            name = ast.Name(self.names[term])
            return name if is_list(term) else ast.Attribute(name, "flat")
        return self._loop(term)

    def _loop(self, term: Term) -> ast.expr:
        """A list of the elements of a tensor."""
        loops: Loops = {}
        constant = term.operation is None
        element = literal(term.data) if constant else self._element_of(term, loops)
        if not loops:
            one, size = ast.List([element]), prod(term.shape)
            return one if size == 1 else ast.BinOp(one, ast.Mult(), literal(size))
        variable: ast.expr = ast.Name(next(iter(loops)))
        source = next(iter(loops.values()))
        if len(loops) > 1:
            variable, source = ast.Tuple(list(map(ast.Name, loops))), call("zip", *loops.values())
        elif isinstance(element, ast.Name) and element.id in loops:
            return source
        return ast.ListComp(element, [ast.comprehension(variable, source, [], 0)])

    def _element(self, term: Term, loops: Loops) -> ast.expr:
        """One element, by a variable of its own where the tensor has a name."""
        if term.shape == ():
            return self.number(term)
        if term in self.names:
            return self._running(self.names[term] + "_i", self.list(term), loops)
        return literal(term.data) if term.operation is None else self._element_of(term, loops)

    def _element_of(self, term: Term, loops: Loops) -> ast.expr:
        """One element of what an operation makes; adds to `loops` the variables in it."""
        operation = term.operation
        assert operation is not None
        if term.name == "reshape" or is_stretched(term):
            return self._element(term.inputs[0], loops)
        if operation.is_elementwise:
            return self.call(operation, [self._element(x, loops) for x in term.inputs])
        x, y = term.inputs  # of a product
        kind, matrix, vector = ("row", x, y) if len(x.shape) == 2 else ("column", y, x)
        line = kind
        while self._variables.get(line) in loops:
            line += "_"
        one = self._running(line, ast.Attribute(self.array(matrix), kind + "s"), loops)
        factors = [one, self.list(vector)] if kind == "row" else [self.list(vector), one]
        return self._of_array("sumprod", *factors)

    def _running(self, name: str, source: ast.expr, loops: Loops) -> ast.expr:
        """A loop variable, which hides no other name."""
        if name not in self._variables:
            self._variables[name] = self.unique(name)
        loops[self._variables[name]] = source
        return ast.Name(self._variables[name])

    def _total(self, x: Term) -> ast.expr:
        """The sum of all elements; of two factors each, it is one sumprod."""
        factors = [through(factor) for factor in x.inputs]
        are_lists = all(factor.shape and factor in self.names for factor in factors)
        if x.name == "multiply" and x not in self.names and are_lists:
            return self._of_array("sumprod", *map(self.list, factors))
        return call("sum", self.list(x))

    # ---- what differs from single numbers -----------------------------------------------------

    def refer(self, thing: Any) -> ast.expr:
        if getattr(thing, "__module__", None) == array.__name__:
            self.imports.add(thing.__name__)
            return ast.Name(thing.__name__)
        if not self.limits and _saves(thing):  # a fused operation that was left whole
            if thing not in self._helper_names:
                name = self._helper_names[thing] = self.unique(thing.__name__)
                self.needs_operations = True
                self.helpers[name] = f'{name} = OPERATIONS["{thing.__name__}"].function'
            return ast.Name(self._helper_names[thing])
        return super().refer(thing)

    def of_numerics(self, function: Callable[..., Any]) -> ast.expr:
        if not self.limits and hasattr(math, function.__name__):
            return super().of_numerics(function)
        if function not in self._helper_names:
            name = self._helper_names[function] = self.unique(function.__name__)
            self.imports.add("numerics")
            self.helpers[name] = f"{name} = numerics.{function.__name__}"
        return ast.Name(self._helper_names[function])

    def arithmetic(self, function: Any, x: ast.expr, y: ast.expr) -> ast.expr | None:
        cannot_fail = function is numerics.divide and number_in(y)
        return super().arithmetic(function, x, y) if cannot_fail or not self.limits else None

    def _of_array(self, name: str, *arguments: ast.expr) -> ast.expr:
        self.imports.add(name)
        return call(name, *arguments)


def _saves(function: Callable[..., Any]) -> bool:
    """Does it belong to an operation that saves something for its rules?"""
    operation = OPERATIONS.get(getattr(function, "__name__", ""))
    return operation is not None and operation.function is function and bool(operation.residuals)
