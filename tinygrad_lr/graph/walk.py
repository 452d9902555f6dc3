"""The backward pass step by step: each node, its cotangent, and the products it passes on.

`core.backward` does the same pass and returns the result alone. Here one can watch it:

    step       a node, its cotangent when its turn comes, and the products for its inputs
    product    an input, its place among the arguments, and the vector-Jacobian product

>>> from tinygrad_lr.core.value import Value
>>> x = Value(3.0, label="x")
>>> for node, cotangent, products in steps(x * x, {}):
...     print(node.operation.name, cotangent, [p.amount for p in products])
multiply 1.0 [3.0, 3.0]

The order and the rules are those of `core.backward`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from ..core.backward import reverse_topological_order, total, vjps
from ..core.value import Value

__all__ = ["Product", "Step", "is_local", "slopes", "steps"]


class Product(NamedTuple):
    """What one use of an input adds to its cotangent."""

    place: int
    input: Value
    amount: Any


class Step(NamedTuple):
    """A node, its cotangent when its turn comes, and the products for its inputs."""

    node: Value
    cotangent: Any
    products: list[Product]


def steps(
    output: Value, cotangents: dict[Value, Any], wrt: Iterable[Value] = (), graph: bool = False
) -> Iterator[Step]:
    """The backward pass from `output`; `cotangents` holds those that are known so far.

    The pass begins with the cotangent 1 of the output, unless another one is given. At its end
    `cotangents` holds those of the leaves, and of the Values in `wrt`.
    """
    cotangents.setdefault(output, 1.0)
    for node in reverse_topological_order(output, set(wrt)):
        if node not in cotangents:
            continue  # no rule leads to it
        g = cotangents.pop(node)
        products = products_of(node, g, graph)
        yield Step(node, g, products)
        for _, x, term in products:
            cotangents[x] = cotangents[x] + term if x in cotangents else term


def products_of(node: Value, g: Any, graph: bool) -> list[Product]:
    """`vjps` with the place of each input among the arguments."""
    operation = node.operation
    places = [
        i
        for i, x in enumerate(node.inputs)
        if type(x) is Value and operation.rules[0 if operation.is_variadic else i] is not None
    ]
    pairs = zip(places, vjps(node, g, graph))
    return [Product(i, x, total(amount)) for i, (x, amount) in pairs]


def is_local(node: Value) -> bool:
    """Is its derivative one number for each element, so that it can be told by a formula?"""
    assert node.operation is not None
    return node.operation.is_elementwise or all(
        type(x) is float or (type(x) is Value and x.shape == ()) for x in (node, *node.inputs)
    )


def slopes(node: Value, graph: bool = False) -> dict[int, Any]:
    """The local derivatives, by place: the products where the cotangent of the node is 1."""
    return {p.place: p.amount for p in products_of(node, 1.0, graph)}
