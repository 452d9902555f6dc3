"""neuron and its derivatives, written by tinygrad_lr.graph.to_source."""

import math


def softplus(x: float) -> float:
    """log(1 + exp(x)), a smooth max(x, 0): what a score x costs when the label is 0.

    Where exp(x) overflows, far above 0, the 1 beside it counts for nothing.
    """
    try:
        return math.log1p(math.exp(x))
    except OverflowError:
        return x


def log_sigmoid(x: float) -> float:
    """log(sigmoid(x)) = -softplus(-x), the log-probability of the label 1."""
    return -softplus(-x)


def sigmoid(x: float) -> float:
    """1 / (1 + exp(-x)), the probability that belongs to the score x.

    Where exp(-x) overflows, far below 0, the 1 beside it counts for nothing.
    """
    try:
        return 1.0 / (1.0 + math.exp(-x))
    except OverflowError:
        return math.exp(x)


def neuron(w, b, x, y):
    """loss and its derivatives; d_v is the derivative of loss by v."""
    z = w * x + b                       # multiply, add
    # binary_cross_entropy_with_logits(z, y)
    loss = -(y * log_sigmoid(z) + (1.0 - y) * log_sigmoid(-z))
    # The derivatives, from the value back to the inputs.
    p = sigmoid(z)                      # 1 / (1 + exp(-z))
    d_z = p - y                         # binary_cross_entropy_with_logits: d loss/d z = p - y
    d_w = d_z * x                       # multiply: d(w * x)/d w = x, so d_w = (p - y) * x
    d_x = d_z * w                       # multiply: d(w * x)/d x = w, so d_x = (p - y) * w
    d_b = d_z                           # add: d z/d b = 1
    d_y = -z                            # binary_cross_entropy_with_logits: d loss/d y = -z
    return loss, (d_w, d_b, d_x, d_y)
