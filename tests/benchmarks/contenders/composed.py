"""tinygrad_lr, each loss spelled out in primitive operations.

two classes       softplus(z) - z y
several classes   logsumexp(z) - z[label]
a network         a Value for each number
"""

from tinygrad_lr import Array, Value, logsumexp, relu, softplus, tanh

from .training import differentiated, trained
from .units import flat, layers, squared_error


def logistic(problem):
    X, y = Array(problem.inputs), Array(problem.targets)
    w, b = Value(problem.weights), Value(problem.bias)

    def loss():
        z = X @ w + b
        return (softplus(z) - z * y).mean()

    return trained(loss, [w, b], problem.rate)


def softmax(problem):
    X, rows = Array(problem.inputs), list(range(problem.size))
    labels = [int(label) for label in problem.targets]
    W, b = Value(problem.weights), Value(problem.bias)

    def loss():
        z = X @ W + b
        return (logsumexp(z, axis=1) - z[rows, labels]).mean()

    return trained(loss, [W, b], problem.rate)


def network(problem):
    parameters = [Value(v) for v in flat(problem)]
    placed = layers(problem, parameters)
    return trained(lambda: squared_error(problem, placed, tanh, relu), parameters, problem.rate)


def scalars(problem):
    parameters = [Value(v) for v in flat(problem)]
    placed = layers(problem, parameters)
    return differentiated(lambda: squared_error(problem, placed, tanh, relu), parameters)


def chain(length):
    w, b = Value(0.9), Value(0.1)

    def build():
        y = w
        for _ in range(length // 2):
            y = y * w + b
        return y

    def backward(y):
        y.backward()
        return w.grad

    return build, backward
