"""The backward pass: the chain rule, from the output to the leaves (backpropagation).

    x ── square ── a ── exp ── y          dy/da = exp(a)
                                          dy/dx = dy/da * da/dx = exp(a) * 2x

Each node has a *cotangent*: the derivative of the output with respect to it. The output's own
is 1. A node's cotangent times its local derivatives gives the cotangents of its inputs: that
is its vector-Jacobian product (vjp), which the rules of its operation compute. An input that is
used several times gets the sum.

The order matters: a cotangent must be complete before it is passed on. A node is older than
every node that uses it, because a Value is made after its inputs. So the pass goes through the
ancestors of the output from the newest to the oldest. That is a *reverse topological order*,
and sorting by serial number finds it: no recursion, hence no limit on depth.

>>> from tinygrad_lr import Value, exp
>>> x = Value(1.0)
>>> y = exp(x * x)
>>> [node.operation.name for node in reverse_topological_order(y)]
['exp', 'multiply']
>>> backward_pass(y, 1.0)[x] == 2 * exp(1.0)
True

The pass knows no rules, and the rules know no pass.
"""

from __future__ import annotations

import warnings
from collections.abc import Collection
from operator import attrgetter
from typing import Any

from .array import Array, Data, as_data, broadcast_to, shape_of
from .deferred import Deferred, plus, total
from .modes import check_finite, current_mode
from .operation import Operation
from .value import KEPT, OUTDATED, PASSED_ON, Value

__all__ = ["backward", "backward_pass", "reverse_topological_order", "vjps"]


def backward(output: Value, gradient: Any = None) -> None:
    """Add the derivatives of a Value to `.grad` of every leaf it was made from.

    `gradient`: the cotangent of this Value itself, of its shape; 1 for a scalar.
    Raises ValueError for a tensor without it, RuntimeError where data of a leaf was replaced
    after its use. Nothing is changed then. Warns where a `.grad` is added to that was
    computed before the data was replaced.
    """
    cotangent: Data = 1.0
    if gradient is not None:
        cotangent = as_data(gradient.data if type(gradient) is Value else gradient)
        if shape_of(cotangent) != output.shape:
            raise ValueError(
                f"backward: gradient of shape {shape_of(cotangent)}, Value of shape {output.shape}"
            )
    elif type(output.data) is not float:
        raise ValueError(
            f"backward: a Value of shape {output.shape} has no single derivative; reduce it "
            "to a scalar first (sum or mean), or pass gradient= of the same shape"
        )
    gradients = backward_pass(output, cotangent)
    outdated = False
    for x, g in gradients.items():
        data = x._data
        if type(g) is not type(data) or (type(g) is Array and g.shape != data.shape):
            gradients[x] = of_form(g, x)
        outdated = outdated or (x.grad_state == OUTDATED and x._grad is not None)
    if outdated:  # warn before any change, because a warning may be turned into an error
        warnings.warn(
            "backward adds to a gradient that was taken before the parameter moved; call "
            "zero_grad() once a step, before backward",
            stacklevel=2,
        )
    for x, g in gradients.items():
        x._grad = g if x._grad is None else x._grad + g
        x.grad_state = KEPT


def of_form(gradient: Any, x: Value) -> Data:
    """A gradient in the shape of x; a rule may give one number for all elements."""
    data = as_data(gradient)
    if isinstance(data, Array) and data.shape != x.shape:
        raise ValueError(
            f"a rule gives a gradient of shape {data.shape} for {x!r}, whose shape is {x.shape}"
        )
    return broadcast_to(data, x.shape)


def backward_pass(
    output: Value, cotangent: Any, wrt: Collection[Value] = (), graph: bool = False
) -> dict[Value, Any]:
    """The cotangent of every leaf, and of every Value in `wrt`, where `output` has `cotangent`.

    The pass does not go past the Values in `wrt` ("with respect to"), and visits only what may
    depend on them. Nodes that retain their gradient are in the result too. With `graph` the
    rules are given Values instead of numbers: the cotangents are then Values as well, and can be
    differentiated again. Raises RuntimeError where data of a leaf was replaced after its use.
    """
    anomaly = current_mode().anomaly
    cotangents = {output: cotangent}
    for node in reverse_topological_order(output, wrt):
        if node not in cotangents:
            continue  # no rule leads to it
        g = cotangents.pop(node)
        if isinstance(g, Deferred):
            g = g.total()
        if node.grad_state != PASSED_ON:
            cotangents[node] = g
        operation, x, y = node.operation, node._x, node._y
        if anomaly or graph or not operation.is_simple:
            for x, product in vjps(node, g, graph):
                if anomaly:
                    check_gradient(node, product)
                cotangents[x] = plus(cotangents[x], product) if x in cotangents else product
        elif y is None:  # a function of x: its one rule
            product = operation.rules[0](g, node._data, x._data)
            cotangents[x] = cotangents[x] + product if x in cotangents else product
        else:  # a function of x and y, of which one may be a constant
            rule_x, rule_y = operation.rules
            a = x._data if type(x) is Value else x
            b = y._data if type(y) is Value else y
            if type(x) is Value:
                product = rule_x(g, node._data, a, b)
                cotangents[x] = cotangents[x] + product if x in cotangents else product
            if type(y) is Value:
                product = rule_y(g, node._data, a, b)
                cotangents[y] = cotangents[y] + product if y in cotangents else product
    return {x: total(g) for x, g in cotangents.items()}


def vjps(node: Value, g: Any, graph: bool = False) -> list[tuple[Value, Any]]:
    """The vector-Jacobian products of a node whose cotangent is g: pairs (input, product).

    One for each input that is a Value and has a rule. With `graph` the rules are read on
    Values, otherwise on the numbers behind them.
    """
    operation, inputs, options = node.operation, node.inputs, node.options
    output: Any
    arguments: Any
    if graph:
        output, arguments = node, inputs
        if operation.residuals is not None:
            given = operation.given(options)
            options = {**given, "residuals": operation.residuals(*inputs, **given)}
    else:
        output, arguments = node._data, [x._data if type(x) is Value else x for x in inputs]
    if operation.is_variadic:
        (rule,) = operation.rules
        products = rule(g, output, *arguments, **options) if rule is not None else []
        return [(x, product) for x, product in zip(inputs, products) if type(x) is Value]
    return [
        (x, rule(g, output, *arguments, **options))
        for x, rule in zip(inputs, operation.rules)
        if type(x) is Value and rule is not None
    ]


def reverse_topological_order(output: Value, wrt: Collection[Value] = ()) -> list[Value]:
    """The nodes that the pass visits, each before its inputs: output first, no leaves.

    What is older than everything in `wrt` cannot depend on it and is left out.
    """
    oldest = min([x.born for x in wrt], default=-1)
    seen = {output, *wrt}
    found = [output] if output.operation is not None and output not in wrt else []
    for node in found:  # grows as it is read
        inputs = node._x if type(node._x) is tuple else (node._x, node._y)
        for x in inputs:
            if type(x) is not Value:
                continue
            if x.operation is None:
                if x.born > node.born:
                    raise replaced(x, node.operation)
            elif x not in seen and x.born >= oldest:
                seen.add(x)
                found.append(x)
    found.sort(key=attrgetter("born"), reverse=True)
    return found


def replaced(x: Value, operation: Operation | None) -> RuntimeError:
    """The error where data of a leaf is younger than what was computed from it."""
    assert operation is not None
    return RuntimeError(
        f"data of {x!r} was replaced after {operation.name} had used it; "
        "call backward before the optimizer's step, or compute the loss again (a running total "
        "of losses adds loss.item(), which keeps no graph)"
    )


def check_gradient(node: Value, product: Any) -> None:
    """Raise FloatingPointError where a vjp of this node is not finite (`detect_anomaly`)."""
    assert node.operation is not None
    label = f" labelled {node.label!r}" if node.label else ""
    product = total(product)
    data = product.data if type(product) is Value else product
    check_finite(data, f"the gradient of {node.operation.name}{label}", node.inputs)
