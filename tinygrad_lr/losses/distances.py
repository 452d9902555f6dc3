"""Losses of other distributions, and distances between distributions.

    gaussian_negative_log_likelihood    a number with a normal error
    mean_squared_error                  the same without its constants
    entropy                             how uncertain an outcome is
    kl_divergence                       cross-entropy minus entropy

`likelihood` says how they belong together.
"""

from __future__ import annotations

import math
from typing import Any

from .checks import check_shapes, check_unit_interval
from .likelihood import reduced
from ..core.array import flat_of
from ..core.lift import data_of, shape
from ..core.typed import composition
from ..ops.elementwise import log, multiply, power, subtract
from ..ops.probability import xlogy
from ..ops.tensors import sum

__all__ = [
    "entropy", "gaussian_negative_log_likelihood", "kl_divergence", "mean_squared_error",
]  # fmt: skip


@composition
def gaussian_negative_log_likelihood(
    mean: Any, targets: Any, variance: Any, reduction: str = "mean"
) -> Any:
    """(log(2 pi v) + (t - m)^2 / v) / 2: minus the log-density of a normal distribution.

    `mean` and `targets` have the same shape; `variance` (positive) has it too, or is one number.
    PyTorch leaves out the constant log(2 pi) / 2 by default; here it is kept.
    """
    name = "gaussian_negative_log_likelihood"
    check_shapes(name, mean, targets)
    if shape(variance) != ():
        check_shapes(name, mean, variance)
    if not all(v > 0.0 for v in flat_of(data_of(variance))):
        raise ValueError(f"{name}: a variance is positive; for a log-variance take its exp first")
    squared = power(subtract(targets, mean), 2.0)
    return reduced((log(multiply(variance, 2.0 * math.pi)) + squared / variance) * 0.5, reduction)


@composition
def mean_squared_error(predictions: Any, targets: Any, reduction: str = "mean") -> Any:
    """(prediction - target)^2: the Gaussian negative log-likelihood without its constants.

    `predictions` and `targets` have the same shape.
    """
    check_shapes("mean_squared_error", predictions, targets)
    return reduced(power(subtract(predictions, targets), 2.0), reduction)


@composition
def entropy(p: Any, reduction: str = "mean") -> Any:
    """-sum of p log p over the last axis, in nats: how uncertain the outcome is.

    `p` (..., K): each row is a distribution. From 0, where one outcome is certain, to log K.
    """
    check_unit_interval("entropy", "p", p)
    return reduced(-sum(xlogy(p, p), axis=-1), reduction)


@composition
def kl_divergence(p: Any, q: Any, reduction: str = "mean") -> Any:
    """sum of p (log p - log q) over the last axis, in nats: cross-entropy minus entropy.

    What it costs to predict q when p is true: 0 only where p = q, inf where q is 0 and p is not.
    It is not symmetric: `p` is the truth, as in kl_divergence(targets, predictions). `p` and `q`
    (..., K).
    """
    check_shapes("kl_divergence", p, q)
    check_unit_interval("kl_divergence", "p", p)
    check_unit_interval("kl_divergence", "q", q)
    return reduced(sum(xlogy(p, p) - xlogy(p, q), axis=-1), reduction)
