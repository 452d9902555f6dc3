"""From scores to probabilities: sigmoid for two classes, softmax for several.

A score may be any number; a probability lies between 0 and 1. `sigmoid` maps one score to
the probability of "yes"; `softmax` maps K scores to K probabilities that sum to 1.

    sigmoid(z) = 1 / (1 + exp(-z))              softmax(z)_k = exp(z_k) / sum_j exp(z_j)

>>> softmax([1.0, 2.0, 3.0])
Array([0.09003057317038046, 0.24472847105479764, 0.6652409557748218])

*What sums to one, and why.* Softmax divides by the sum, so its K numbers describe one
choice among K classes. K sigmoids are K separate yes-or-no questions: nothing ties them.

>>> round(sum(softmax([1.0, 2.0, 3.0])), 12)
1.0
>>> sigmoid(1.0) + sigmoid(2.0) + sigmoid(3.0)
2.5644297834303207

The same number added to all scores changes nothing: softmax has one score too many. Fix one
of them at 0 and, for K = 2, a sigmoid is left:

>>> softmax([1.0, 2.0, 3.0]).tolist() == softmax([101.0, 102.0, 103.0]).tolist()
True
>>> softmax([0.0, 2.0])[1] - sigmoid(2.0)
0.0

Losses are made of the logarithms, which stay exact where probabilities round to 0 or 1.
No losses are here (`losses`).
"""

# mypy: disable-error-code="has-type"
# A rule may name the function that it belongs to, whose type is not known yet.

from __future__ import annotations

from typing import Any

from ..core import array, numerics
from ..core.array import Data
from ..core.lift import elementwise, operation, shape
from .elementwise import ANY, abs, divide, exp, log, log1p, where
from .tensors import MATRIX, REDUCTIONS, Axis, max, expand_reduced, sum

__all__ = [
    "log_sigmoid", "log_softmax", "logistic_density", "logsumexp", "sigmoid", "softmax",
    "softplus", "tanh", "xlog1py", "xlogy",
]  # fmt: skip

FAR = [(-30.0,), (25.0,)]


@elementwise(x=lambda g, out, x: g * logistic_density(x), samples=ANY + FAR)
def sigmoid(x: float) -> float:
    """1 / (1 + exp(-x)): the probability of class 1 at score x; at score 0 it is one half.

    Its slope is p * (1 - p), but not computed so: past x = 37 the output p has rounded
    to 1 and 1 - p to 0, though the slope is exp(-37). See `logistic_density`.
    """
    return numerics.sigmoid(x)


@elementwise(x=lambda g, out, x: -g * out * tanh(x * 0.5), samples=ANY + FAR)
def logistic_density(x: float) -> float:
    """sigmoid(x) * sigmoid(-x), the slope of the sigmoid: the density of the logistic law."""
    return numerics.logistic_density(x)


@elementwise(x=lambda g, out, x: g * 4 * logistic_density(x * 2), samples=ANY)
def tanh(x: float) -> float:
    """2 * sigmoid(2x) - 1: the same curve, stretched to run from -1 to 1."""
    return numerics.tanh(x)


@elementwise(x=lambda g, out, x: g * sigmoid(x), samples=ANY + FAR)
def softplus(x: float) -> float:
    """log(1 + exp(x)), a smooth relu: the loss of a score x when the label is 0."""
    return numerics.softplus(x)


@elementwise(x=lambda g, out, x: g * sigmoid(-x), samples=ANY + FAR)
def log_sigmoid(x: float) -> float:
    """log(sigmoid(x)), the log-probability of class 1 at score x; exact where sigmoid is not."""
    return numerics.log_sigmoid(x)


@elementwise(
    x=lambda g, out, x, y: g * log(y),
    y=lambda g, out, x, y: divide(g * x, where(abs(x) > 0, y, 1.0)),
    samples=[(0.3, 0.8), ([1.0, 0.5], [[0.2], [2.0]])],
)
def xlogy(x: float, y: float) -> float:
    """x * log(y), and 0 where x is 0, also at y = 0: its limit there."""
    return x * numerics.log(y) if x else 0.0


@elementwise(
    x=lambda g, out, x, y: g * log1p(y),
    y=lambda g, out, x, y: divide(g * x, where(abs(x) > 0, 1 + y, 1.0)),
    samples=[(0.3, -0.8), ([1.0, 0.5], [[-0.2], [2.0]])],
)
def xlog1py(x: float, y: float) -> float:
    """x * log(1 + y), and 0 where x is 0; exact for a small y."""
    return x * numerics.log1p(y) if x else 0.0


@operation(
    x=lambda g, out, x, *, axis, keepdims: expand_reduced(g, x, axis) * softmax(x, axis=axis),
    samples=REDUCTIONS,
)
def logsumexp(x: Data, *, axis: Axis = None, keepdims: bool = False) -> Data:
    """log(exp(x1) + exp(x2) + ...) along these axes, a smooth max. Its gradient is softmax."""
    return array.reduce(numerics.log_sum_exp, x, axis, keepdims)


def softmax_spelled_out(x: Any, *, axis: Axis = -1) -> Any:
    """exp(x) over its sum; the largest score is taken out first, so that nothing overflows."""
    e = exp(x - expand_reduced(max(x, axis=axis), x, axis))
    return e / expand_reduced(sum(e, axis=axis), x, axis)


def _softmax_x(g: Any, out: Any, x: Any, *, axis: Axis) -> Any:
    """p * (g - sum of p g), for each class.

    The same number added to every g changes nothing. So the g of the likeliest class is first
    subtracted from all: where its p rounds to 1, the other classes then decide, with all digits.
    """
    if 0 in shape(out):
        return g
    likeliest = out >= max(out, axis=axis, keepdims=True)
    count = sum(likeliest, axis=axis, keepdims=True)
    g = g - sum(g * likeliest, axis=axis, keepdims=True) / count
    return out * (g - sum(g * out, axis=axis, keepdims=True))


@operation(
    x=_softmax_x,
    same_as=softmax_spelled_out,
    samples=[(MATRIX,), (MATRIX, {"axis": 0}), (MATRIX, {"axis": None}), ([30.0, -30.0],)],
)
def softmax(x: Data, *, axis: Axis = -1) -> Data:
    """Probabilities of the classes along an axis: positive, their sum is 1. The shape is x's."""
    return array.along(numerics.softmax, x, axis)


@operation(
    x=lambda g, out, x, *, axis: g - softmax(x, axis=axis) * sum(g, axis=axis, keepdims=True),
    same_as=lambda x, *, axis: x - expand_reduced(logsumexp(x, axis=axis), x, axis),
    samples=[(MATRIX,), (MATRIX, {"axis": 0}), (MATRIX, {"axis": None}), ([30.0, -30.0],)],
)
def log_softmax(x: Data, *, axis: Axis = -1) -> Data:
    """log(softmax(x)), exact where a probability rounds to 0 or 1. The shape is x's."""
    return array.along(numerics.log_softmax, x, axis)
