"""From likelihood to loss: how wrong a model is, in one number, spelled out.

A model gives a probability to each outcome of each row of data. The *likelihood* is the
probability that it gave to everything that happened: the product over the rows. The best
weights are those with the largest likelihood. A product of many probabilities is too small for
a float, so we take its logarithm, which turns it into a sum and is largest at the same weights.
And optimizers go downhill, so we change the sign:

    argmax of the likelihood = argmax of the log-likelihood = argmin of its negative

>>> import math
>>> from tinygrad_lr.losses import *
>>> happened, predicted = [1, 0, 1], [0.8, 0.1, 0.6]
>>> likelihood = 0.8 * (1 - 0.1) * 0.6
>>> round(math.log(likelihood), 6), round(bernoulli_log_likelihood(predicted, happened), 6)
(-0.83933, -0.83933)
>>> round(binary_cross_entropy(predicted, happened), 6)   # its negative, as a mean over the rows
0.279777

*Is binary cross-entropy the same as the negative log-likelihood?* For labels 0 and 1 it is,
divided by n. But the two words mean different things, and neither includes the other:

1.  A negative log-likelihood exists for any distribution. For a Gaussian it is the squared
    error, up to a factor and a constant that does not depend on the weights:

    >>> t, m = [1.0, 2.0, 4.0], [1.5, 2.0, 3.0]
    >>> round(gaussian_negative_log_likelihood(m, t, 1.0) - mean_squared_error(m, t) / 2, 6)
    0.918939
    >>> round(math.log(2 * math.pi) / 2, 6)
    0.918939

2.  A cross-entropy compares two distributions: H(q, p) = -sum of q log p, where q are the
    targets and p the predictions. Targets may be soft, such as 0.7. No label was drawn then,
    so there is no likelihood:

    >>> round(binary_cross_entropy([0.7], [0.7]), 6)  # not 0: the entropy of the targets is left
    0.610864
    >>> round(entropy([0.7, 0.3]), 6)
    0.610864
    >>> kl_divergence([0.7, 0.3], [0.7, 0.3])         # cross-entropy - entropy
    0.0

3.  `negative_log_likelihood` is only the last step, here and in PyTorch: it takes the
    log-probability of the label and changes its sign. `cross_entropy` starts from logits.

*Logits* are the scores before sigmoid or softmax makes probabilities of them. The losses of
logits are spelled out here too (`bce_spelled_out`, `cross_entropy_spelled_out`); `fused` has
the faster forms that users call.

`reduction`: "mean" over the rows (the default), "sum", or "none". Losses raise ValueError for
shapes that differ, for targets that are not probabilities, and for an empty batch.
"""

from __future__ import annotations

from typing import Any

from .checks import check_shapes, check_unit_interval, class_labels
from ..core.array import flat_of
from ..core.lift import data_of, shape
from ..core.typed import composition
from ..ops.elementwise import log, negative, subtract
from ..ops.probability import log_sigmoid, log_softmax, xlog1py, xlogy
from ..ops.tensors import getitem, mean, reshape, sum

__all__ = [
    "bernoulli_log_likelihood", "binary_cross_entropy", "categorical_log_likelihood",
    "negative_log_likelihood",
]  # fmt: skip


def reduced(losses: Any, reduction: str) -> Any:
    """The losses of the rows in one number, or as they are."""
    if reduction not in ("mean", "sum", "none"):
        raise ValueError(f"reduction is {reduction!r}; it must be 'mean', 'sum' or 'none'")
    if reduction == "none" or shape(losses) == ():
        return losses
    if reduction == "sum":
        return sum(losses)
    if 0 in shape(losses):
        raise ValueError("an empty batch has no mean loss; leave it out")
    return mean(losses)


# ---- two classes ---------------------------------------------------------------------------------


@composition
def bernoulli_log_likelihood(probabilities: Any, targets: Any, reduction: str = "sum") -> Any:
    """log of the probability of everything that happened: the sum of y log p + (1 - y) log(1 - p).

    The rows are independent, so their probabilities multiply and the logarithms add up: hence
    "sum" by default. To be maximised. `probabilities` (of class 1) and `targets` lie in [0, 1]
    and have the same shape. -inf where something happened that had probability 0.
    """
    rows = _bernoulli("bernoulli_log_likelihood", probabilities, targets)
    return reduced(rows, reduction)


@composition
def binary_cross_entropy(probabilities: Any, targets: Any, reduction: str = "mean") -> Any:
    """The negative Bernoulli log-likelihood, as a mean over the rows.

    For probabilities. If you have logits, use `binary_cross_entropy_with_logits`: for a logit
    above 37 the probability rounds to 1, and if the label is 0 the loss is infinite and the
    gradient useless. (Some libraries clip the logarithm here, which hides the problem.)
    """
    rows = _bernoulli("binary_cross_entropy", probabilities, targets)
    return -reduced(rows, reduction)


def _bernoulli(name: str, probabilities: Any, targets: Any) -> Any:
    """The log-likelihood of each row. xlogy(y, p) = y log p, and 0 where y and p are 0."""
    check_shapes(name, probabilities, targets)
    check_unit_interval(name, "probabilities", probabilities)
    check_unit_interval(name, "targets", targets)
    if_one = xlogy(targets, probabilities)
    if_zero = xlog1py(subtract(1.0, targets), negative(probabilities))
    return if_one + if_zero


def bce_spelled_out(logits: Any, targets: Any, *, reduction: str) -> Any:
    """-(y log p + (1 - y) log(1 - p)), where p = sigmoid(z) and so 1 - p = sigmoid(-z)."""
    losses = -(targets * log_sigmoid(logits) + (1.0 - targets) * log_sigmoid(-logits))
    return reduced(losses, reduction)


# ---- several classes -----------------------------------------------------------------------------


@composition
def categorical_log_likelihood(probabilities: Any, labels: Any, reduction: str = "sum") -> Any:
    """log of the probability of all labels: the sum of log p[row, label]. To be maximised.

    `probabilities` (n, K), whose rows sum to 1, and `labels` (n,), whole numbers from 0 to
    K - 1; or one row (K,) and one label.
    """
    check_unit_interval("categorical_log_likelihood", "probabilities", probabilities)
    of_labels = at_labels("categorical_log_likelihood", probabilities, labels)
    return reduced(log(of_labels), reduction)


@composition
def negative_log_likelihood(log_probabilities: Any, labels: Any, reduction: str = "mean") -> Any:
    """Minus the log-probability of each label: PyTorch's `nll_loss`.

    `log_probabilities` (n, K) from `log_softmax`, `labels` (n,) whole numbers from 0 to K - 1;
    or (K,) and one label. Raises ValueError for positive numbers: a log-probability is at most 0.
    """
    of_labels = at_labels("negative_log_likelihood", log_probabilities, labels)
    if any(v > 1e-6 for v in flat_of(data_of(log_probabilities))):
        raise ValueError(
            "negative_log_likelihood: a log-probability is never positive; were these scores or "
            "probabilities? take log_softmax of scores (or use cross_entropy), log of probabilities"
        )
    return reduced(-of_labels, reduction)


def at_labels(name: str, table: Any, labels: Any) -> Any:
    """The entry of each row in the column of its label: table[row, label]."""
    full = shape(table)
    if full == ():
        raise ValueError(f"{name}: needs a row of classes, got a single number")
    columns = class_labels(name, full, labels)
    matrix = reshape(table, (-1, full[-1]))
    return reshape(getitem(matrix, index=(list(range(len(columns))), columns)), full[:-1])


def cross_entropy_spelled_out(logits: Any, targets: Any, *, reduction: str) -> Any:
    """-log softmax(z)[label] for labels, -sum of q log softmax(z) for distributions q."""
    if shape(targets) != shape(logits):
        return negative_log_likelihood(log_softmax(logits), targets, reduction)
    return reduced(-sum(targets * log_softmax(logits), axis=-1), reduction)
