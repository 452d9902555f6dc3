"""The backward pass in sentences: the chain rule, one node at a time, with its numbers.

>>> from tinygrad_lr.core.value import Value
>>> x = Value(3.0, label="x")
>>> y = x * x + 2 * x
>>> y.label = "y"
>>> print(explain(y))
How y was made:
  x = 3
  v1 = x * x (multiply) = 9
  v2 = 2 * x (multiply) = 6
  y = v1 + v2 (add) = 15
<BLANKLINE>
What each value is owed: the derivative of y by it, newest value first.
<BLANKLINE>
1. y = v1 + v2 (add) is owed 1, the derivative of a value by itself.
   v1 is given 1 * 1 = 1, because d y/d v1 = 1.
   v2 is given 1 * 1 = 1, because d y/d v2 = 1.
2. v2 = 2 * x (multiply) is owed 1.
   x is given 1 * 2 = 2, because d v2/d x = 2.
3. v1 = x * x (multiply) is owed 1.
   x is given 1 * 3 = 3, because d v1/d x = x = 3.
   x is given 1 * 3 = 3, because d v1/d x = x = 3.
4. x is owed 2 + 3 + 3 = 8: it was used 3 times, and its shares add up.
   It is a leaf: backward() adds 8 to its .grad.

The formulas are the rules, read on the graph; the numbers are the same rules, read on
numbers. Nothing is changed by it, and there is no rule here.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from typing import Any

from ..core.array import Data, broadcast_to, shape_of
from ..core.modes import mode
from ..core.shapes import Shape
from ..core.value import Value
from .notation import formula, names_of, shown
from .terms import Book, Term
from .walk import Share, Step, behind, is_local, slopes, steps

__all__ = ["explain"]

WIDTH = 100  # columns
MOST = 50  # values and steps that are told; a long chain is of the same kind all along


def explain(value: Value) -> str:
    """The backward pass from a Value as numbered sentences, at most 100 columns wide.

    A tensor is explained as its sum would be: each element is owed 1. Raises RuntimeError
    where a leaf's data was replaced since the Value was computed.
    """
    told = _Explanation(value)
    if value.operation is None:
        return f"{told.names[value]} = {shown(value.data)} is a leaf."
    return "\n".join(told.lines())


class _Explanation:
    """The names and formulas of one graph, and the shares that each Value has been given."""

    def __init__(self, value: Value) -> None:
        self.value = value
        self.values = behind(value)
        self.names = names_of(self.values)
        self.book = Book(self.names)
        self.given: dict[Value, list[Data]] = {}

    def lines(self) -> Iterator[str]:
        """All lines, of the values and of the walk."""
        name = self.names[self.value]
        yield f"How {name} was made:"
        if len(self.values) > MOST:
            yield f"  ... {len(self.values) - MOST} values before these"
        for x in self.values[-MOST:]:
            yield _filled(f"{self._made(x)} = {shown(x.data)}", "  ")
        yield f"\nWhat each value is owed: the derivative of {name} by it, newest value first.\n"
        owed: dict[Value, Any] = {self.value: broadcast_to(1.0, self.value.shape)}
        number = 0
        for number, step in enumerate(steps(self.value, owed), 1):
            if number <= MOST:
                yield from self._step(number, step)
            for _, x, amount in step.shares:
                self.given.setdefault(x, []).append(amount)
        if number > MOST:
            yield f"... and {number - MOST} steps of the same kind."
        leaves = [x for x in self.values if x in owed]
        for place, leaf in enumerate(leaves[:MOST], number + 1):
            yield _filled(f"{place}. {self._debt(leaf, owed[leaf])}", "", "   ")
            yield f"   It is a leaf: backward() adds {shown(owed[leaf])} to its .grad."

    def _step(self, number: int, step: Step) -> Iterator[str]:
        yield _filled(f"{number}. {self._debt(step.node, step.owed)}", "", "   ")
        with mode(recording=True, tracing=True, anomaly=False):
            sentences = self._by_slopes(step) if is_local(step.node) else self._by_formulas(step)
        for sentence in sentences:
            yield _filled(sentence, "   ")

    def _by_slopes(self, step: Step) -> list[str]:
        """One local derivative for each element: as a formula and as a number."""
        formulas, numbers = slopes(step.node, graph=True), slopes(step.node)
        made = self.names[step.node]
        sentences = []
        for place, x, amount in step.shares:
            name, number = self.names[x], shown(numbers[place])
            slope, told = f"d {made}/d {name}", formula(self.book.read(formulas[place]))
            product = f"{shown(step.owed)} * {number}" if x.shape == () else f"d_{made} * {slope}"
            because = told if told == number else f"{told} = {number}"
            given = f"{name} is given {product} = {shown(amount)}"
            sentences.append(f"{given}, because {slope} = {because}.")
        return sentences

    def _by_formulas(self, step: Step) -> list[str]:
        """What each input is given, as a formula of what the node is owed, d_node."""
        g = Value(step.owed)
        self.book.input(g, f"d_{self.names[step.node]}")
        inputs = [x for x in step.node.inputs if type(x) is Value]
        (on_graph,) = steps(step.node, {step.node: g}, stop=inputs, graph=True)
        return [
            f"{self.names[x]} is given {formula(self.book.read(told.amount))} = {shown(amount)}."
            + self._copies(told, shape_of(amount))
            for (_, x, amount), told in zip(step.shares, on_graph.shares)
        ]

    def _copies(self, share: Share, old: Shape) -> str:
        """What broadcasting did to an input, in words, if its share is a sum over copies."""
        made = share.amount
        if type(made) is not Value or made.operation is None or made.operation.name != "sum_to":
            return ""
        full = made.inputs[0].shape
        old = (1,) * (len(full) - len(old)) + old
        along = [axis for axis, (a, b) in enumerate(zip(old, full)) if a != b]
        copies = " and ".join(
            f"{full[axis]} {('rows', 'columns')[axis] if len(full) < 3 else f'along axis {axis}'}"
            for axis in along
        )
        name = self.names[share.input]
        return f" {name} was copied to {copies}, so its gradient is a sum over {copies}."

    def _made(self, x: Value) -> str:
        """`z = w * x + b`, or the name alone for a leaf."""
        operation = x.operation
        if operation is None:
            return self.names[x]
        options = operation.given(x.options)
        term = Term(x.shape, operation, tuple(map(self.book.read, x.inputs)), options)
        told = formula(term)
        if operation.name == "broadcast_to":  # which formulas do not show
            told = f"{told} copied to {x.shape}"
        elif operation.symbol != operation.name:
            told = f"{told} ({operation.name})"
        return f"{self.names[x]} = {told}"

    def _debt(self, x: Value, total: Data) -> str:
        """What a Value is owed, as the sum of its shares."""
        told, shares = f"{self._made(x)} is owed", self.given.get(x, [])
        if x is self.value:
            return f"{told} {shown(total)}, the derivative of a value by itself."
        if len(shares) < 2:
            return f"{told} {shown(total)}."
        together = " + ".join(map(shown, shares)) if len(shares) <= 5 else f"{len(shares)} shares"
        used = "twice" if len(shares) == 2 else f"{len(shares)} times"
        return f"{told} {together} = {shown(total)}: it was used {used}, and its shares add up."


def _filled(text: str, first: str, rest: str = "     ") -> str:
    return textwrap.fill(
        text, WIDTH, initial_indent=first, subsequent_indent=rest,
        break_long_words=False, break_on_hyphens=False,
    )  # fmt: skip
