"""A function and its gradient, traced: called once on Values, with the backward pass as a graph.

    f, numbers  ->  the term of its value, the terms of its gradients, and why they are so

The rules are read as they are for second derivatives, so their results are graphs; all
graphs, of the value and of the gradients, become terms of one table, where what they have in common
is one term. So what has been traced is differentiated once more by tracing `grad(f)`.

>>> traced = trace(lambda w, x: w * x, (2.0, 3.0), ["w", "x"])
>>> traced.values[0].name, [term.label for term in traced.gradients]
('multiply', ['x', 'w'])

How lines are made of the terms is in `lines`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import prod
from typing import Any, NamedTuple

from ...core.array import Data, broadcast_to
from ...core.operation import Operation
from ...core.modes import mode
from ...core.value import Value
from ...ops.elementwise import identity
from ..walk import is_local, products, steps
from .terms import Term, TermTable

__all__ = ["Reason", "Trace", "trace"]


class Reason(NamedTuple):
    """Why a value has its cotangent: one use of it, and the product that this use adds."""

    operation: Operation
    output: Term
    input: Term
    slope: Term | None  # the local derivative, where it is one number for each element
    product: Term


@dataclass
class Trace:
    """The terms of a function: its inputs, its values (one, but for a tuple), its gradients."""

    table: TermTable
    inputs: list[Term]
    values: list[Term]
    gradients: list[Term]  # of a single number, by all inputs
    cotangents: dict[Term, Term]  # of each value on the way
    reasons: dict[Term, list[Reason]]  # and why


def trace(
    f: Callable[..., Any], numbers: Sequence[Data], names: Sequence[str], formulas: bool = False
) -> Trace:
    """Call f on Values of these numbers, and differentiate the result if it is a single number.

    `formulas`: functions of numbers are read as their formulas, if they have one. Raises
    TypeError where f decides by a computed value which way to go.
    """
    with mode(recording=True, nested=True, tracing=True, anomaly=False):
        # A node in front of each leaf: `if x:` is then noticed like any other decision.
        inputs = [identity(Value(x, label=name)) for x, name in zip(numbers, names)]
        table = TermTable(dict(zip(inputs, names)), formulas)
        result = f(*inputs)
        together = result if isinstance(result, tuple) else (result,)
        values = [y if type(y) is Value else Value(y) for y in together]
        terms = [table.terms[x] for x in inputs]
        traced = Trace(table, terms, list(map(table.read, values)), [], {}, {})
        if len(values) == 1 and values[0].shape == ():
            cotangents = _backward(traced, values[0], inputs)
            for x in inputs:
                traced.gradients.append(table.read(cotangents.get(x, broadcast_to(0.0, x.shape))))
    return traced


def _backward(traced: Trace, y: Value, inputs: list[Value]) -> dict[Value, Any]:
    """The backward pass on the graph: notes each cotangent and the reasons for it."""

    def read(x: Any) -> Term:
        """A tensor of one element is computed as a number, so the remarks speak of the number."""
        term = traced.table.read(x)
        filled = term.name == "broadcast_to" and term.inputs[0].shape == ()
        return term.inputs[0] if filled and prod(term.shape) == 1 else term

    cotangents: dict[Value, Any] = {}
    twice = set()  # terms that f computed twice: no node has the whole cotangent of them
    for node, g, passed_on in steps(y, cotangents, inputs, graph=True):
        term = read(node)
        if any(term is read(x) for x in node.inputs):
            continue  # it changed nothing: a reshape to the same shape, a transform's identity
        twice.update([term] if term in traced.cotangents else [])
        traced.cotangents[term] = read(g)
        assert node.operation is not None
        local = products(node, graph=True) if is_local(node) else {}
        for place, product in passed_on.items():
            slope = read(local[place]) if place in local else None
            x = read(node.inputs[place])
            reason = Reason(node.operation, term, x, slope, read(product))
            traced.reasons.setdefault(reason.input, []).append(reason)
    for term in twice:
        del traced.cotangents[term]
    return cotangents
