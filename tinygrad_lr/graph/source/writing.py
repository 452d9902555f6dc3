"""From terms to Python: an expression for a term, out of the names of other terms.

    add(multiply(w, x), b)          w * x + b
    softplus(z)                     softplus(z), which is a helper
    X @ w + b                       [sumprod(row, w.flat) + b for row in X.rows]
    sum(abs(z - y))                 sum([abs(z_i - y_i) for z_i, y_i in zip(z, y.flat)])
    transpose(X)                    transpose(X, None)

An operation is written as the body of its own function (`bodies`) around its operands, or as
a call of the function. A chain of elementwise operations on tensors becomes one loop, and there
is no list between them. What is computed element by element is a flat list. The inputs, and
the results of functions that take whole Arrays, are Arrays.

Expressions have an operand in parentheses wherever it stands; `syntax.tidy` removes them. Which
terms get a name and a line is decided in `lines`.
"""

from __future__ import annotations

from math import prod

from .bodies import References, body_of
from .syntax import literal
from .terms import Term

__all__ = ["Writer", "is_product", "is_total", "through"]

Loops = dict[str, str]  # a variable, and what it runs through


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


class Writer:
    """Writes terms by the names of other terms; `needs` notes what the text refers to."""

    def __init__(self, needs: References) -> None:
        self.needs = needs
        self.names: dict[Term, str] = {}
        self._variables: dict[str, str] = {}

    def line(self, term: Term) -> str:
        """What stands at the right in the line that gives a term its name."""
        return self._loop(term) if is_list(term) else self._made(term)

    def array(self, term: Term) -> str:
        """An Array, as the functions of `array` take it; a number for a number."""
        if term.shape and is_list(term):
            return self._of_array("from_flat", self._list(term), literal(term.shape))
        if term.shape and term.operation is None and term not in self.names:
            return self._of_array("broadcast_to", literal(term.data), literal(term.shape))
        return self._number(term)

    def _number(self, term: Term) -> str:
        """A single number, or what is written like one: its name, or what it is made of."""
        if term in self.names:
            return self.names[term]
        return self._made(term) if term.operation else literal(term.data)

    def _made(self, term: Term) -> str:
        """The operation that makes a number, or an Array as a whole."""
        assert term.operation is not None
        if term.operation.is_elementwise:
            return self._call(term, list(map(self._number, term.inputs)))
        if term.shape == ():
            if term.name == "reshape":
                return f"{self._list(term.inputs[0])}[0]"
            if term.name == "matmul":
                return self._of_array("sumprod", *map(self._list, term.inputs))
            if is_total(term):
                return self._total(term.inputs[0])
        return self._call(term, list(map(self.array, term.inputs)))

    def _call(self, term: Term, operands: list[str]) -> str:
        """The body of an operation around its operands, or a call of it."""
        operation = term.operation
        assert operation is not None
        if term.name in ("divide", "power"):  # functions of numerics; or operators
            number = term.inputs[1].number
            if term.name == "divide" and (number or not self.needs.limits):
                return f"({operands[0]}) / ({operands[1]})"
            if number is not None and number.is_integer() and not self.needs.limits:
                return f"({operands[0]}) ** ({int(number)})"  # of others, some are complex
        options = {name: literal(value) for name, value in term.options.items()}
        body = body_of(operation.function)
        if body.expression:
            given = [f"{', '.join(operands)},"] if operation.is_variadic else operands
            meaning = options | dict(zip(operation.arguments, given))
            return body.rewritten(body.expression, meaning, self.needs.refer)
        arguments = [*operands, *(f"{name}={value}" for name, value in options.items())]
        called = f"{self.needs.refer(operation.function)}({', '.join(arguments)})"
        return f"{called}[0]" if operation.residuals else called

    # ---- element by element ---------------------------------------------------------------------

    def _list(self, term: Term) -> str:
        """The elements of a tensor, one after the other."""
        if term in self.names:
            return self.names[term] if is_list(term) else f"{self.names[term]}.flat"
        return self._loop(term)

    def _loop(self, term: Term) -> str:
        """A list of the elements of a tensor."""
        loops: Loops = {}
        element = self._element_of(term, loops) if term.operation else literal(term.data)
        if not loops:
            size = prod(term.shape)
            return f"[{element}]" if size == 1 else f"[{element}] * {size}"
        source = ", ".join(loops.values())
        if len(loops) > 1:
            source = f"zip({source})"
        elif element in loops:
            return source
        return f"[{element} for {', '.join(loops)} in {source}]"

    def _element(self, term: Term, loops: Loops) -> str:
        """One element, by a variable of its own where the tensor has a name."""
        if term.shape and term in self.names:
            return self._running(f"{self.names[term]}_i", self._list(term), loops)
        if term.shape and term.operation:
            return self._element_of(term, loops)
        return self._number(term)

    def _element_of(self, term: Term, loops: Loops) -> str:
        """One element of what an operation makes; adds to `loops` the variables in it."""
        assert term.operation is not None
        if term.name == "reshape" or is_stretched(term):
            return self._element(term.inputs[0], loops)
        if term.operation.is_elementwise:
            return self._call(term, [self._element(x, loops) for x in term.inputs])
        x, y = term.inputs  # of a product
        kind, matrix, vector = ("row", x, y) if len(x.shape) == 2 else ("column", y, x)
        line = kind
        while self._variables.get(line) in loops:
            line += "_"
        factors = [self._running(line, f"{self.array(matrix)}.{kind}s", loops), self._list(vector)]
        return self._of_array("sumprod", *(factors if kind == "row" else factors[::-1]))

    def _running(self, name: str, source: str, loops: Loops) -> str:
        """A loop variable, which hides no other name."""
        if name not in self._variables:
            self._variables[name] = self.needs.unique(name)
        loops[self._variables[name]] = source
        return self._variables[name]

    def _total(self, x: Term) -> str:
        """The sum of all elements; of two factors each, it is one sumprod."""
        factors = [through(factor) for factor in x.inputs]
        are_lists = all(factor.shape and factor in self.names for factor in factors)
        if x.name == "multiply" and x not in self.names and are_lists:
            return self._of_array("sumprod", *map(self._list, factors))
        return f"sum({self._list(x)})"

    def _of_array(self, name: str, *arguments: str) -> str:
        return f"{self.needs.imported(name)}({', '.join(arguments)})"
