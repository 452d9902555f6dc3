"""A training step as a user of tinygrad_lr writes it."""

from tinygrad_lr.core.array import numbers
from tinygrad_lr.optim import SGD


def trained(loss, parameters, rate):
    """The step that makes a loss of these parameters smaller, and how to read them."""
    optimizer = SGD(parameters, lr=rate)

    def step():
        optimizer.zero_grad()
        value = loss()
        value.backward()
        optimizer.step()
        return value.data

    return step, lambda: numbers(p.data for p in parameters)
