"""The backward walk told step by step: who is owed what, and who is given which share of it.

`value.pull_back` does this walk as fast as it can and tells the end alone. Here it is told:

    step      a node, what it is owed, and the shares that it pays
    share     an input, its place among the arguments, the amount

>>> from tinygrad_lr.core.value import Value
>>> x = Value(3.0, label="x")
>>> for node, owed, shares in steps(x * x, {}):
...     print(node.operation.name, "is owed", owed, "and pays", [s.amount for s in shares])
multiply is owed 1.0 and pays [3.0, 3.0]

The rules are those of `value`, and so is the order, found in another way: the walk keeps the
debtors in a heap, here all nodes are collected first, and sorted by birth.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from ..core.backward import (
    ancestors as behind,
    reverse_topological_order as newest_first,
    total,
    vjps,
)
from ..core.value import Value

__all__ = ["Share", "Step", "behind", "is_local", "newest_first", "slopes", "steps"]


class Share(NamedTuple):
    """What one use of an input is given."""

    place: int
    input: Value
    amount: Any


class Step(NamedTuple):
    """A node, what it is owed when its turn comes, and what it pays."""

    node: Value
    owed: Any
    shares: list[Share]


def steps(
    output: Value, owed: dict[Value, Any], stop: Iterable[Value] = (), graph: bool = False
) -> Iterator[Step]:
    """The walk from output down, as `value.pull_back` goes; `owed` is its ledger.

    It starts with a debt of 1 to the output (unless it holds another one), and when the
    walk is over it holds what the leaves, and the Values of `stop`, are owed.
    """
    owed.setdefault(output, 1.0)
    for node in newest_first(output, set(stop)):
        if node not in owed:
            continue  # no rule leads to it
        g = owed.pop(node)
        paid = _paid(node, g, graph)
        yield Step(node, g, paid)
        for _, x, share in paid:
            owed[x] = owed[x] + share if x in owed else share


def _paid(node: Value, g: Any, graph: bool) -> list[Share]:
    """`vjps` with the place of each input among the arguments."""
    operation = node.operation
    assert operation is not None
    places = [
        i
        for i, x in enumerate(node.inputs)
        if type(x) is Value and operation.rules[0 if operation.is_variadic else i] is not None
    ]
    return [Share(i, x, total(amount)) for i, (x, amount) in zip(places, vjps(node, g, graph))]


def is_local(node: Value) -> bool:
    """Is its derivative one number for each element, so that it can be told by a formula?"""
    assert node.operation is not None
    return node.operation.is_elementwise or all(
        type(x) is float or (type(x) is Value and x.shape == ()) for x in (node, *node.inputs)
    )


def slopes(node: Value, graph: bool = False) -> dict[int, Any]:
    """The local derivatives, by place: what the inputs would be given if the node were owed 1."""
    return {share.place: share.amount for share in _paid(node, 1.0, graph)}
