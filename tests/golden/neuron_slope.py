"""neuron and its derivatives, written by tinygrad_lr.graph.to_source."""

import math


def sigmoid(x: float) -> float:
    """1 / (1 + exp(-x)), the probability that belongs to the score x.

    Where exp(-x) overflows, far below 0, the 1 beside it counts for nothing.
    """
    try:
        return 1.0 / (1.0 + math.exp(-x))
    except OverflowError:
        return math.exp(x)


def logistic_density(x: float) -> float:
    """sigmoid(x) * sigmoid(-x), the slope of the sigmoid: symmetric, 1/4 at its top in 0.

    It is the density of the logistic distribution, whose distribution function is sigmoid.
    """
    e = math.exp(-abs(x))
    return e / (1.0 + e * (2.0 + e))  # (1 + e)**2, but 1 + e rounded would be rounded twice


def neuron(w, b, x, y):
    """value and its derivatives; d_v is the derivative of value by v."""
    z = w * x + b                       # multiply, add
    p = sigmoid(z)                      # 1 / (1 + exp(-z))
    value = (p - y) * x                 # subtract, multiply
    # The derivatives, from the value back to the inputs.
    d_w = x * logistic_density(z) * x   # multiply: d(w * x)/d w = x
    return value, d_w
