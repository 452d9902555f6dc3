"""micrograd: a Value for each number, derivatives kept as closures.

It has no exp, log and tanh; softplus and tanh are added here in its own way, as one node
each, which is the fastest that it allows. More than 32 rows take it seconds.
"""

from math import exp, log1p, tanh

from micrograd.engine import Value

from .units import flat, layers, squared_error


def logistic(problem):
    if problem.size > 32:
        return None
    w, b = [Value(v) for v in problem.weights], Value(problem.bias)

    def loss():
        total = 0.0
        for row, y in zip(problem.inputs, problem.targets):
            z = sum((v * x for v, x in zip(w, row)), b)
            total = total + (_softplus(z) - z * y)
        return total * (1.0 / problem.size)

    return _trained(loss, [*w, b], problem.rate)


def network(problem):
    parameters = [Value(v) for v in flat(problem)]
    placed = layers(problem, parameters)
    return _trained(
        lambda: squared_error(problem, placed, _tanh, Value.relu), parameters, problem.rate
    )


def scalars(problem):
    parameters = [Value(v) for v in flat(problem)]
    placed = layers(problem, parameters)

    def step():
        for p in parameters:
            p.grad = 0.0
        loss = squared_error(problem, placed, _tanh, Value.relu)
        loss.backward()
        return loss.data

    return step, lambda: [p.grad for p in parameters]


# No chain: its walk calls itself for each node, and 1000 nodes are too deep for Python.


def _softplus(x):
    e = exp(-abs(x.data))
    out = Value(max(x.data, 0.0) + log1p(e), (x,), "softplus")

    def backward():
        x.grad += out.grad * (1.0 if x.data > 0.0 else e) / (1.0 + e)

    out._backward = backward
    return out


def _tanh(x):
    t = tanh(x.data)
    out = Value(t, (x,), "tanh")

    def backward():
        x.grad += out.grad * (1.0 - t * t)

    out._backward = backward
    return out


def _trained(loss, parameters, rate):
    def step():
        for p in parameters:
            p.grad = 0.0
        value = loss()
        value.backward()
        for p in parameters:
            p.data -= rate * p.grad
        return value.data

    return step, lambda: [p.data for p in parameters]
