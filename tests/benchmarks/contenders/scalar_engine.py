"""The shortest kind of scalar engine: a node for each number, with its local derivatives.

An operation computes its derivatives at once and keeps them on the node it makes. The backward
pass finds the order by calling itself (depth first), then multiplies and adds. There are no
tensors, no second derivatives, no checks, and no graph deeper than Python's recursion limit.
"""

import math

from .units import flat, layers, squared_error


class Number:
    __slots__ = ("data", "grad", "inputs", "derivatives")

    def __init__(self, data, inputs=(), derivatives=()):
        self.data = data
        self.grad = 0.0
        self.inputs = inputs
        self.derivatives = derivatives

    def __add__(self, other):
        other = other if isinstance(other, Number) else Number(other)
        return Number(self.data + other.data, (self, other), (1.0, 1.0))

    def __sub__(self, other):
        other = other if isinstance(other, Number) else Number(other)
        return Number(self.data - other.data, (self, other), (1.0, -1.0))

    def __mul__(self, other):
        other = other if isinstance(other, Number) else Number(other)
        return Number(self.data * other.data, (self, other), (other.data, self.data))

    def __pow__(self, exponent):
        slope = exponent * self.data ** (exponent - 1)
        return Number(self.data**exponent, (self,), (slope,))

    def tanh(self):
        t = math.tanh(self.data)
        return Number(t, (self,), (1.0 - t * t,))

    def relu(self):
        return Number(max(0.0, self.data), (self,), (1.0 if self.data > 0.0 else 0.0,))

    def backward(self):
        order, seen = [], set()

        def visit(node):
            if node not in seen:
                seen.add(node)
                for x in node.inputs:
                    visit(x)
                order.append(node)

        visit(self)
        self.grad = 1.0
        for node in reversed(order):
            for x, derivative in zip(node.inputs, node.derivatives):
                x.grad += derivative * node.grad


def scalars(problem):
    parameters = [Number(v) for v in flat(problem)]
    placed = layers(problem, parameters)

    def step():
        for p in parameters:
            p.grad = 0.0
        loss = squared_error(problem, placed, Number.tanh, Number.relu)
        loss.backward()
        return loss.data

    return step, lambda: [p.grad for p in parameters]
