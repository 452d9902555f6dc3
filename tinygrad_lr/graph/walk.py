"""The backward pass step by step: each node, its cotangent, and the products it passes on.

    dL/dx  +=  dL/dnode * dnode/dx         for each input x of the node, newest node first

`core.backward` does the same pass and returns the result alone. Here one can watch it:

>>> from tinygrad_lr.core.value import Value
>>> x = Value(3.0, label="x")
>>> for node, cotangent, products in steps(x * x, {}):
...     print(node.operation.name, cotangent, products)
multiply 1.0 {0: 3.0, 1: 3.0}

The products are by the places of the inputs, because an input may be used twice. The order and
the rules are those of `core.backward`; there are no rules here.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator
from typing import Any

from ..core.backward import reverse_topological_order, vjps
from ..core.deferred import total
from ..core.value import Value

__all__ = ["is_local", "products", "steps"]


def steps(
    output: Value, cotangents: dict[Value, Any], wrt: Iterable[Value] = (), graph: bool = False
) -> Iterator[tuple[Value, Any, dict[int, Any]]]:
    """The backward pass from `output`; `cotangents` holds those that are known so far.

    The pass begins with the cotangent 1 of the output, unless another one is given. At its end
    `cotangents` holds those of the leaves, and of the Values in `wrt`.
    """
    cotangents.setdefault(output, 1.0)
    for node in reverse_topological_order(output, set(wrt)):
        if node not in cotangents:
            continue  # no rule leads to it
        g = cotangents.pop(node)
        passed_on = products(node, g, graph)
        yield node, g, passed_on
        for place, term in passed_on.items():
            x = node.inputs[place]
            cotangents[x] = cotangents[x] + term if x in cotangents else term


def products(node: Value, g: Any = 1.0, graph: bool = False) -> dict[int, Any]:
    """The vector-Jacobian products for the inputs, by place. For g = 1: the local derivatives."""
    operation = node.operation
    rules = operation.rules * (len(node.inputs) if operation.is_variadic else 1)
    pairs = enumerate(zip(node.inputs, rules))
    places = [i for i, (x, rule) in pairs if type(x) is Value and rule is not None]
    return dict(zip(places, (total(term) for _, term in vjps(node, g, graph))))


def is_local(node: Value) -> bool:
    """Is its derivative one number for each element, so that a formula can show it?"""
    assert node.operation is not None
    return node.operation.is_elementwise or all(
        type(x) is float or (type(x) is Value and x.shape == ()) for x in (node, *node.inputs)
    )


def ancestors(value: Value, known: Container[Value] = ()) -> list[Value]:
    """The Values that `value` was made from, itself included, each after its inputs.

    Leaves come first. Values in `known`, and what only they were made from, are left out.
    Unlike the backward pass it also goes where there are no rules, as in a comparison.
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
