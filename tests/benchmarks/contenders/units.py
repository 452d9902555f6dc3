"""The network 2-16-16-1, number by number: the same lines for each engine of single numbers."""


def flat(problem):
    """All weights and biases in one list: of a layer the units one after the other, then the b."""
    return [
        v for units, b in zip(problem.weights, problem.bias) for part in (*units, b) for v in part
    ]


def layers(problem, numbers):
    """The same numbers in their places: of each layer the units and the biases."""
    following = iter(numbers).__next__
    return [
        ([[following() for _ in unit] for unit in units], [following() for _ in b])
        for units, b in zip(problem.weights, problem.bias)
    ]


def squared_error(problem, layers, tanh, relu):
    """The sum of (network(x) - target)^2; `layers` may hold anything that adds and multiplies."""
    errors = []
    for x, target in zip(problem.inputs, problem.targets):
        for (units, b), activation in zip(layers, [tanh, relu, lambda z: z]):
            x = [
                activation(sum((w * v for w, v in zip(unit, x)), start))
                for unit, start in zip(units, b)
            ]
        errors.append((x[0] - target) ** 2)
    return sum(errors[1:], errors[0])
