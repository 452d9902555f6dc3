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
4. x is owed 2 + 3 + 3 = 8: it was used 3 times, and the contributions add up.
   It is a leaf: backward() adds 8 to its .grad.

The formulas are the rules, read on the graph; the numbers are the same rules, read on
numbers. Nothing is changed by it, and there is no rule here.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ..core.array import Data, broadcast_to, shape_of
from ..core.modes import mode
from ..core.shapes import Shape
from ..core.value import Value
from .source.notation import formula, names_of, shown
from .source.syntax import filled
from .source.terms import TermTable, Term
from .walk import ancestors, is_local, products, steps

__all__ = ["explain"]

MOST = 50  # values and steps that are written out; in a long chain the others are like them


def explain(value: Value) -> str:
    """The backward pass from a Value as numbered sentences, at most 100 columns wide.

    A tensor is explained as its sum would be: each element is owed 1. Raises RuntimeError
    where a leaf's data was replaced since the Value was computed.
    """
    explanation = _Explanation(value)
    if value.operation is None:
        return f"{explanation.names[value]} = {shown(value.data)} is a leaf."
    return "\n".join(explanation.lines())


class _Explanation:
    """The names and formulas of one graph, and the contributions that each Value has got."""

    def __init__(self, value: Value) -> None:
        self.value = value
        self.values = ancestors(value)
        self.names = names_of(self.values)
        self.table = TermTable(self.names)
        self.given: dict[Value, list[Data]] = {}

    def lines(self) -> Iterator[str]:
        """All lines, of the forward pass and of the backward pass."""
        name = self.names[self.value]
        yield f"How {name} was made:"
        if len(self.values) > MOST:
            yield f"  ... {len(self.values) - MOST} values before these"
        for x in self.values[-MOST:]:
            yield filled(f"{self._made(x)} = {shown(x.data)}", "  ", "     ")
        yield f"\nWhat each value is owed: the derivative of {name} by it, newest value first.\n"
        cotangents: dict[Value, Any] = {self.value: broadcast_to(1.0, self.value.shape)}
        number = 0
        for number, (node, g, passed_on) in enumerate(steps(self.value, cotangents), 1):
            if number <= MOST:
                yield filled(f"{number}. {self._is_owed(node, g)}", "", "   ")
                for sentence in self._passed_on(node, g, passed_on):
                    yield filled(sentence, "   ", "     ")
            for place, product in passed_on.items():
                self.given.setdefault(node.inputs[place], []).append(product)
        if number > MOST:
            yield f"... and {number - MOST} steps of the same kind."
        leaves = [x for x in self.values if x in cotangents]
        for place, leaf in enumerate(leaves[:MOST], number + 1):
            yield filled(f"{place}. {self._is_owed(leaf, cotangents[leaf])}", "", "   ")
            yield f"   It is a leaf: backward() adds {shown(cotangents[leaf])} to its .grad."

    def _passed_on(self, node: Value, g: Data, passed_on: dict[int, Any]) -> list[str]:
        """What each input is given, and why.

        By the local derivative, if it is one number for each element; else by a formula of what
        the node is owed, d_node.
        """
        made, local = self.names[node], is_local(node)
        cotangent = Value(g)
        self.table.input(cotangent, f"d_{made}")
        sentences = []
        with mode(recording=True, tracing=True, anomaly=False):
            formulas = products(node, 1.0 if local else cotangent, graph=True)
            texts = {place: formula(self.table.read(x)) for place, x in formulas.items()}
            slopes = products(node) if local else {}
        for place, product in passed_on.items():
            x = node.inputs[place]
            name, text = self.names[x], texts[place]
            if not local:
                copies = self._copies(name, formulas[place], shape_of(product))
                sentences.append(f"{name} is given {text} = {shown(product)}.{copies}")
                continue
            slope, number = f"d {made}/d {name}", shown(slopes[place])
            factors = f"{shown(g)} * {number}" if x.shape == () else f"d_{made} * {slope}"
            because = text if text == number else f"{text} = {number}"
            given = f"{name} is given {factors} = {shown(product)}"
            sentences.append(f"{given}, because {slope} = {because}.")
        return sentences

    def _copies(self, name: str, product: Any, old: Shape) -> str:
        """What broadcasting did to an input, in words, if its product is a sum over copies."""
        if (
            type(product) is not Value
            or not product.operation
            or product.operation.name != "sum_to"
        ):
            return ""
        full = product.inputs[0].shape
        old = (1,) * (len(full) - len(old)) + old
        copies = " and ".join(
            f"{n} {('rows', 'columns')[axis] if len(full) < 3 else f'along axis {axis}'}"
            for axis, n in enumerate(full)
            if n != old[axis]
        )
        return f" {name} was copied to {copies}, so its gradient is a sum over {copies}."

    def _made(self, x: Value) -> str:
        """`z = w * x + b`, or the name alone for a leaf."""
        operation, name = x.operation, self.names[x]
        if operation is None:
            return name
        inputs = tuple(map(self.table.read, x.inputs))
        text = formula(Term(x.shape, operation, inputs, operation.given(x.options)))
        if operation.name == "broadcast_to":  # which formulas do not show
            return f"{name} = {text} copied to {x.shape}"
        kind = f" ({operation.name})" if operation.symbol != operation.name else ""
        return f"{name} = {text}{kind}"

    def _is_owed(self, x: Value, total: Data) -> str:
        """What a Value is owed, as the sum of its contributions."""
        text, terms = f"{self._made(x)} is owed", self.given.get(x, [])
        if x is self.value:
            return f"{text} {shown(total)}, the derivative of a value by itself."
        if len(terms) < 2:
            return f"{text} {shown(total)}."
        added = " + ".join(map(shown, terms)) if len(terms) < 6 else f"{len(terms)} contributions"
        used = f"it was used {'twice' if len(terms) == 2 else f'{len(terms)} times'}"
        return f"{text} {added} = {shown(total)}: {used}, and the contributions add up."
