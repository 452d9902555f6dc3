"""A training step as a user of tinygrad_lr writes it."""

from tinygrad_lr import Array
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


def numbers(data):
    """Floats and Arrays, one after the other in one list."""
    return [v for part in data for v in (part.flat if type(part) is Array else [part])]
