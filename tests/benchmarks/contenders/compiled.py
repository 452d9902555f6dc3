"""tinygrad_lr's own source of value and gradient, run as a function."""

from tinygrad_lr import Array, affine, binary_cross_entropy_with_logits, cross_entropy, relu, tanh
from tinygrad_lr.graph import compile

from .training import numbers
from .units import flat, layers, squared_error


def logistic(problem):
    X, y = Array(problem.inputs), Array(problem.targets)

    def loss(w, b, X, y):
        return binary_cross_entropy_with_logits(affine(X, w, b), y)

    return _trained(loss, [Array(problem.weights), problem.bias], [X, y], problem.rate)


def softmax(problem):
    X, labels = Array(problem.inputs), Array(problem.targets)

    def loss(W, b, X):
        return cross_entropy(affine(X, W, b), labels)

    return _trained(loss, [Array(problem.weights), Array(problem.bias)], [X], problem.rate)


def network(problem):
    """Of 337 single numbers, so that the source is nothing but `math`."""
    numbers, rate = flat(problem), problem.rate

    def loss(*numbers):
        return squared_error(problem, layers(problem, numbers), tanh, relu)

    both = compile(loss, *numbers)

    def step():
        nonlocal numbers
        value, gradient = both(*numbers)
        numbers = [v - rate * d for v, d in zip(numbers, gradient)]
        return value

    return step, lambda: numbers


def _trained(loss, parameters, batch, rate):
    both = compile(loss, *parameters, *batch, argnums=(0, 1))
    w, b = parameters

    def step():
        nonlocal w, b
        value, (d_w, d_b) = both(w, b, *batch)
        w, b = w - rate * d_w, b - rate * d_b
        return value

    return step, lambda: numbers([w, b])
