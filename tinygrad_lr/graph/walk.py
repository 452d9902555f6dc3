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

from collections.abc import Container, Iterable, Iterator
from operator import attrgetter
from typing import Any, NamedTuple

from ..core.value import Value, replaced, shares

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
    for node in newest_first(output, stop):
        g = owed.pop(node)
        paid = _paid(node, g, graph)
        yield Step(node, g, paid)
        for _, x, share in paid:
            owed[x] = owed[x] + share if x in owed else share


def newest_first(output: Value, stop: Iterable[Value] = ()) -> list[Value]:
    """The nodes between the leaves and output, output included, each before its inputs."""
    seen = set(stop)
    found = [output] if output.operation is not None and output not in seen else []
    for node in found:  # grows as it is read
        for x, rule in zip(node.inputs, node.operation.rules):
            if type(x) is Value and x.born > node.born:
                raise replaced(x, node.operation)
            if type(x) is Value and x.operation is not None and rule is not None and x not in seen:
                seen.add(x)
                found.append(x)
    found.sort(key=attrgetter("born"), reverse=True)
    return found


def _paid(node: Value, g: Any, graph: bool) -> list[Share]:
    """`value.shares` with the place of each input among the arguments."""
    assert node.operation is not None
    pairs = zip(node.inputs, node.operation.rules)
    places = [i for i, (x, rule) in enumerate(pairs) if type(x) is Value and rule is not None]
    return [Share(i, x, amount) for i, (x, amount) in zip(places, shares(node, g, graph))]


def is_local(node: Value) -> bool:
    """Is its derivative one number for each element, so that it can be told by a formula?"""
    assert node.operation is not None
    return node.operation.is_elementwise or all(
        type(x) is float or (type(x) is Value and x.shape == ()) for x in (node, *node.inputs)
    )


def slopes(node: Value, graph: bool = False) -> dict[int, Any]:
    """The local derivatives, by place: what the inputs would be given if the node were owed 1."""
    return {share.place: share.amount for share in _paid(node, 1.0, graph)}


def behind(value: Value, known: Container[Value] = ()) -> list[Value]:
    """The Values that made it and are not known yet, itself included, each after its inputs.

    Unlike `newest_first` it also goes where there are no rules, as in a comparison.
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
