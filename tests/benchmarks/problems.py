"""What is learned in the benchmark: data, first weights, learning rate. Plain lists only.

A contender makes of a problem a pair: `step()`, which computes the loss of the whole batch,
its gradient, moves the weights once and returns the loss (before the move); and
`weights()`, all numbers in one flat list, in the order in which they stand here.
("scalars": forward and backward pass only. Nothing moves; `weights()` is the gradient.)
"""

from random import Random
from typing import NamedTuple

from tinygrad_lr.data import StandardScaler, load_breast_cancer, load_digits


class Problem(NamedTuple):
    """One row of the table.

    kind      "logistic", "softmax", "network" or "scalars": the function of a contender
              that plays it
    inputs    (n, d) the fixed batch, n rows of d features; of "network" one row
    targets   n numbers: 0 or 1; a class; what the network should say
    weights   logistic: d numbers; softmax: d rows of K; network: the layers, each a list of
              units, each a list of weights
    bias      logistic: one number; softmax: K; network: a list for each layer
    rate      the learning rate
    """

    kind: str
    inputs: list
    targets: list
    weights: list
    bias: object
    rate: float

    @property
    def size(self):
        """How many rows the batch has."""
        return len(self.inputs)

    @property
    def features(self):
        """How many numbers a row has."""
        return len(self.inputs[0])


def logistic(features, batch):
    """Malignant or benign, by the first features of the first rows, standardised."""
    table = load_breast_cancer()
    inputs = StandardScaler().fit_transform(table.X).tolist()
    rows = [row[:features] for row in inputs[:batch]]
    random = Random(0)
    weights = [random.gauss(0.0, 0.1) for _ in range(features)]
    return Problem("logistic", rows, table.y.tolist()[:batch], weights, 0.1, 0.1)


def softmax(batch):
    """Which of ten digits, by 64 pixels from 0 to 1."""
    table = load_digits()
    inputs = (table.X[:batch] / 16.0).tolist()
    random = Random(0)
    weights = [[random.gauss(0.0, 0.1) for _ in range(10)] for _ in range(64)]
    bias = [random.gauss(0.0, 0.1) for _ in range(10)]
    return Problem("softmax", inputs, table.y.tolist()[:batch], weights, bias, 0.1)


def network(kind="network", batch=1):
    """Rows through 2-16-16-1: tanh, then relu, then a plain sum; the squared errors summed."""
    random = Random(0)
    sizes = [2, 16, 16, 1]
    weights = [
        [[random.gauss(0.0, n**-0.5) for _ in range(n)] for _ in range(units)]
        for n, units in zip(sizes, sizes[1:])
    ]
    bias = [[random.gauss(0.0, 0.1) for _ in range(units)] for units in sizes[1:]]
    more = [[random.gauss(0.0, 1.0) for _ in range(2)] for _ in range(batch - 1)]
    targets = [0.5, *[random.gauss(0.0, 1.0) for _ in range(batch - 1)]]
    return Problem(kind, [[0.6, -1.1], *more], targets, weights, bias, 0.001)


CHAINS = [10_000, 100_000, 1_000_000]  # operations


def of_kinds(kinds):
    """The problems of these kinds, one after the other, in the order of the table."""
    if "logistic" in kinds:
        yield logistic(features=2, batch=1)
        yield from (logistic(features=30, batch=batch) for batch in (1, 8, 32, 128, 569))
    if "softmax" in kinds:
        yield from map(softmax, (1, 32, 256, 1797))
    if "network" in kinds:
        yield network()
    if "scalars" in kinds:
        yield network("scalars", batch=8)
