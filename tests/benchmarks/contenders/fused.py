"""tinygrad_lr as it is meant to be used: layer and loss in one operation, networks of tensors.

A loss called with nothing is one of its parameters, and remembers; called with plain data it
is a plain number (`run` compares the two for the price of the gradient).
"""

from tinygrad_lr import (
    Array, Value, linear_binary_cross_entropy, linear_cross_entropy, relu, sum, tanh,
)  # fmt: skip

from .training import trained


def logistic_loss(problem):
    X, y = Array(problem.inputs), Array(problem.targets)
    w, b = Value(problem.weights), Value(problem.bias)

    def loss(w=w, b=b):
        return linear_binary_cross_entropy(X, w, b, y)

    return loss, [w, b]


def softmax_loss(problem):
    X, labels = Array(problem.inputs), Array(problem.targets)
    W, b = Value(problem.weights), Value(problem.bias)

    def loss(W=W, b=b):
        return linear_cross_entropy(X, W, b, labels)

    return loss, [W, b]


def network_loss(problem):
    x, target = Array(problem.inputs[0]), problem.targets[0]
    W1, W2, W3 = map(Value, problem.weights)
    b1, b2, b3 = map(Value, problem.bias)

    def loss(W1=W1, b1=b1, W2=W2, b2=b2, W3=W3, b3=b3):
        first = tanh(W1 @ x + b1)
        second = relu(W2 @ first + b2)
        return sum((W3 @ second + b3 - target) ** 2)

    return loss, [W1, b1, W2, b2, W3, b3]


def logistic(problem):
    return trained(*logistic_loss(problem), problem.rate)


def softmax(problem):
    return trained(*softmax_loss(problem), problem.rate)


def network(problem):
    return trained(*network_loss(problem), problem.rate)
