"""HIPS autograd: numpy that remembers."""

import autograd.numpy as np
from autograd import value_and_grad
from autograd.core import make_vjp
from autograd.extend import vspace


def logistic(problem):
    X, y = np.array(problem.inputs), np.array(problem.targets)

    def loss(w, b):
        z = np.dot(X, w) + b
        return np.mean(np.logaddexp(0.0, z) - z * y)

    return _trained(loss, [np.array(problem.weights), problem.bias], problem.rate)


def softmax(problem):
    X, labels = np.array(problem.inputs), np.array(problem.targets, dtype=int)
    rows = np.arange(problem.size)

    def loss(W, b):
        z = np.dot(X, W) + b
        z = z - np.max(z, axis=1, keepdims=True)
        return np.mean(np.log(np.sum(np.exp(z), axis=1)) - z[rows, labels])

    return _trained(loss, [np.array(problem.weights), np.array(problem.bias)], problem.rate)


def network(problem):
    x, target = np.array(problem.inputs[0]), problem.targets[0]

    def loss(W1, b1, W2, b2, W3, b3):
        first = np.tanh(np.dot(W1, x) + b1)
        second = np.maximum(np.dot(W2, first) + b2, 0.0)
        return np.sum((np.dot(W3, second) + b3 - target) ** 2)

    pairs = zip(problem.weights, problem.bias)
    return _trained(loss, [np.array(p) for pair in pairs for p in pair], problem.rate)


def chain(length):
    if length > 100_000:
        return None  # a minute

    def f(w):
        y = w
        for _ in range(length // 2):
            y = y * w + 0.1
        return y

    def build():
        return make_vjp(f, 0.9)

    def backward(graph):
        walk, value = graph
        return walk(vspace(value).ones())

    return build, backward


def _trained(loss, parameters, rate):
    both = value_and_grad(loss, argnum=tuple(range(len(parameters))))

    def step():
        value, gradients = both(*parameters)
        parameters[:] = [p - rate * g for p, g in zip(parameters, gradients)]
        return value

    return step, lambda: [v for p in parameters for v in np.ravel(p)]
