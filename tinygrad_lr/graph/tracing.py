"""A function and its gradient, traced: called once on Values, and walked back on the graph.

    f, numbers  ->  the term of its value, the terms of its gradients, and why they are so

The rules are read as they are for second derivatives, so their results are graphs; all
graphs, of the value and of the gradients, become terms of one book, where what they share
is one term. So what has been traced is differentiated once more by tracing `grad(f)`.

>>> traced = trace(lambda w, x: w * x, (2.0, 3.0), ["w", "x"])
>>> traced.value.name, [term.label for term in traced.gradients]
('multiply', ['x', 'w'])

How lines are made of the terms is in `lines`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from ..array import Data, broadcast_to
from ..operations import identity
from ..registry import Operation
from ..value import Value, mode
from .terms import Book, Term
from .walk import is_local, slopes, steps

__all__ = ["Reason", "Trace", "trace"]


class Reason(NamedTuple):
    """Why a value is owed something: one use of it, and what this use gives it."""

    operation: Operation
    output: Term
    input: Term
    slope: Term | None  # the local derivative, where it is one number for each element
    share: Term


@dataclass
class Trace:
    """The terms of a function: its inputs, its value, and its gradients by all inputs."""

    book: Book
    inputs: list[Term]
    value: Term
    gradients: list[Term]
    owed: dict[Term, Term]  # what each value on the way is owed
    reasons: dict[Term, list[Reason]]  # and why


def trace(f: Callable[..., Any], numbers: Sequence[Data], names: Sequence[str]) -> Trace:
    """Call f on Values of these numbers, and walk back if the result is a single number.

    Raises TypeError where f decides by a computed value which way to go.
    """
    with mode(recording=True, nested=True, tracing=True, anomaly=False):
        # A node in front of each leaf: `if x:` is then noticed like any other decision.
        inputs = [identity(Value(x, label=name)) for x, name in zip(numbers, names)]
        book = Book(dict(zip(inputs, names)))
        y = f(*inputs)
        if type(y) is not Value:
            y = Value(y)
        traced = Trace(book, [book.terms[x] for x in inputs], book.read(y), [], {}, {})
        owed: dict[Value, Any] = {}
        if y.shape == ():
            _walk(traced, y, inputs, owed)
        for x in inputs:
            gradient = book.read(owed.get(x, broadcast_to(0.0, x.shape)))
            traced.gradients.append(gradient)
    return traced


def _walk(traced: Trace, y: Value, inputs: list[Value], owed: dict[Value, Any]) -> None:
    """The backward walk on the graph; writes down what is owed and why."""
    read = traced.book.read
    twice = set()  # terms that f computed twice: no node is owed all that they are
    for node, g, shares in steps(y, owed, inputs, graph=True):
        term = read(node)
        if any(term is read(x) for x in node.inputs):
            continue  # it changed nothing: a reshape to the same shape, a transform's identity
        twice.update([term] if term in traced.owed else [])
        traced.owed[term] = read(g)
        assert node.operation is not None
        local = slopes(node, graph=True) if is_local(node) else {}
        for place, x, amount in shares:
            slope = read(local[place]) if place in local else None
            reason = Reason(node.operation, term, read(x), slope, read(amount))
            traced.reasons.setdefault(reason.input, []).append(reason)
    for term in twice:
        del traced.owed[term]
