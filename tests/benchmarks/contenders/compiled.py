"""tinygrad_lr's own source of a whole training step, run as a function."""

from tinygrad_lr import (
    Array, Value, linear_binary_cross_entropy, linear_cross_entropy, relu, tanh, value_and_grad,
)  # fmt: skip
from tinygrad_lr.graph import compile

from .training import numbers
from .units import flat, layers, squared_error


def logistic(problem):
    def loss(w, b, X, y):
        return linear_binary_cross_entropy(X, w, b, y)

    return _of_layer(loss, problem)


def softmax(problem):
    labels = Array(problem.targets)

    def loss(W, b, X, y):
        return linear_cross_entropy(X, W, b, labels)

    return _of_layer(loss, problem)


def network(problem):
    """Of 337 single numbers, so that the source is nothing but `math`."""

    def loss(*numbers):
        return squared_error(problem, layers(problem, numbers), tanh, relu)

    parameters = flat(problem)
    run = _whole_step(loss, parameters, [], problem.rate)

    def step():
        nonlocal parameters
        value, *parameters = run(*parameters)
        return value

    return step, lambda: parameters


def _of_layer(loss, problem):
    w, b = Value(problem.weights).data, Value(problem.bias).data
    X, y = Array(problem.inputs), Array(problem.targets)
    run = _whole_step(loss, [w, b], [X, y], problem.rate)

    def step():
        nonlocal w, b
        value, w, b = run(w, b, X, y)
        return value

    return step, lambda: numbers([w, b])


def _whole_step(loss, parameters, batch, rate):
    """Forward, backward and update in one text: parameters and batch -> loss, parameters."""
    places = tuple(range(len(parameters)))

    def step(*inputs):
        value, gradients = value_and_grad(loss, places)(*inputs)
        return value, *(p - rate * d for p, d in zip(inputs, gradients))

    return compile(step, *parameters, *batch, argnums=())
