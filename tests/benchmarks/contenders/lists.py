"""tinygrad_lr, a Value for each number, where `dot` and `sum` of lists make one node each.

The same network as in `composed`, written as a user would who wants it fast. A tree without
`dot` and `sum` of lists of Values cannot play.
"""

from tinygrad_lr import Value, dot, relu, sum, tanh

from .training import differentiated
from .units import flat, layers


def scalars(problem):
    try:
        sum([dot([Value(1.0)], [2.0]), Value(1.0)])
    except TypeError as error:
        raise NotImplementedError(f"dot and sum of lists of Values: {error}") from None
    parameters = [Value(v) for v in flat(problem)]
    placed = layers(problem, parameters)

    def network(x):
        for (units, b), activation in zip(placed, [tanh, relu, lambda z: z]):
            x = [activation(dot(unit, x) + start) for unit, start in zip(units, b)]
        return x[0]

    def loss():
        return sum([(network(x) - y) ** 2 for x, y in zip(problem.inputs, problem.targets)])

    return differentiated(loss, parameters)
