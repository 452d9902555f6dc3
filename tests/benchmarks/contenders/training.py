"""A training step, or the gradient alone, as a user of tinygrad_lr writes it."""

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


def differentiated(loss, parameters):
    """Forward and backward pass without an update, and how to read the gradient."""

    def step():
        for p in parameters:
            p.grad = None
        value = loss()
        value.backward()
        return value.data

    return step, lambda: numbers(p.grad for p in parameters)


def numbers(datas):
    """All numbers of floats and Arrays in one list."""
    return [v for data in datas for v in _flat(data if type(data) is float else data.tolist())]


def _flat(x):
    return [v for part in x for v in _flat(part)] if type(x) is list else [x]
