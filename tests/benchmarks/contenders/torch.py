"""PyTorch: eager, one thread, float64, its fused losses and its SGD."""

import torch
from torch.nn.functional import binary_cross_entropy_with_logits, cross_entropy

torch.set_num_threads(1)


def logistic(problem):
    X, y = _tensor(problem.inputs), _tensor(problem.targets)
    w, b = _parameter(problem.weights), _parameter(problem.bias)
    return _trained(lambda: binary_cross_entropy_with_logits(X @ w + b, y), [w, b], problem.rate)


def softmax(problem):
    X, labels = _tensor(problem.inputs), torch.tensor(problem.targets, dtype=torch.long)
    W, b = _parameter(problem.weights), _parameter(problem.bias)
    return _trained(lambda: cross_entropy(torch.addmm(b, X, W), labels), [W, b], problem.rate)


def network(problem):
    x, target = _tensor(problem.inputs[0]), problem.targets[0]
    W1, W2, W3 = map(_parameter, problem.weights)
    b1, b2, b3 = map(_parameter, problem.bias)

    def loss():
        first = torch.tanh(torch.addmv(b1, W1, x))
        second = torch.relu(torch.addmv(b2, W2, first))
        return ((torch.addmv(b3, W3, second) - target) ** 2).sum()

    return _trained(loss, [W1, b1, W2, b2, W3, b3], problem.rate)


def chain(length):
    w, b = _parameter(0.9), _parameter(0.1)

    def build():
        y = w
        for _ in range(length // 2):
            y = y * w + b
        return y

    def backward(y):
        w.grad = b.grad = None
        y.backward()
        return w.grad.item()

    return build, backward


def _tensor(numbers):
    return torch.tensor(numbers, dtype=torch.float64)


def _parameter(numbers):
    return torch.tensor(numbers, dtype=torch.float64, requires_grad=True)


def _trained(loss, parameters, rate):
    optimizer = torch.optim.SGD(parameters, lr=rate)

    def step():
        optimizer.zero_grad()
        value = loss()
        value.backward()
        optimizer.step()
        return value.item()

    return step, lambda: [v for p in parameters for v in p.detach().ravel().tolist()]
