"""From likelihood to loss: how wrong a model is, in one number.

A model says, for each row of data, how probable it finds each outcome. The *likelihood* is
the probability that it gave to all that really happened, the product over the rows. The
best weights are the argmax of the likelihood; products of many probabilities vanish, so we
add logarithms, which have their top at the same place; and we minimise the negative,
because downhill is the habit of optimization:

    argmax of the likelihood = argmax of the log-likelihood = argmin of its negative

>>> happened, said = [1, 0, 1], [0.8, 0.1, 0.6]
>>> likelihood = 0.8 * (1 - 0.1) * 0.6
>>> round(bernoulli_log_likelihood(said, happened), 6), round(math.log(likelihood), 6)
(-0.83933, -0.83933)
>>> round(binary_cross_entropy(said, happened), 6)   # its negative, as a mean over the rows
0.279777

*Why not call binary cross-entropy the negative log-likelihood?* For 0-1 labels it is one,
divided by n. But the words mean different things, and neither contains the other:

1.  Negative log-likelihood takes any distribution. With a Gaussian it is squared error,
    up to a factor and a constant that no weights can move:

    >>> t, m = [1.0, 2.0, 4.0], [1.5, 2.0, 3.0]
    >>> round(gaussian_negative_log_likelihood(m, t, 1.0) - mean_squared_error(m, t) / 2, 6)
    0.918939
    >>> round(math.log(2 * math.pi) / 2, 6)
    0.918939

2.  Cross-entropy compares two distributions, H(q, p) = -sum q log p: q the targets, p what
    the model says. Targets may be soft, "0.7 of a 1", for which no label was drawn and so no
    likelihood exists:

    >>> round(binary_cross_entropy([0.7], [0.7]), 6) # not 0: the targets' own entropy is left
    0.610864
    >>> round(entropy([0.7, 0.3]), 6)
    0.610864
    >>> kl_divergence([0.7, 0.3], [0.7, 0.3])        # cross-entropy - entropy
    0.0

3.  `negative_log_likelihood` in PyTorch, and here, is only the last step: it picks the
    log-probability of the label and changes its sign. `cross_entropy` starts from scores.

Each loss is first spelled out; where it is worth it, a fused form follows that is faster
and exact for every score, and names the long form it must equal (`same_as`). With the layer of
weights in front of it, in one operation, it is in `linear_losses`.
`reduction`: "mean" over the rows (the default), "sum", or "none". Losses raise ValueError
for shapes that differ, targets that are no probabilities, and an empty batch.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable
from functools import wraps
from typing import Any

from ..core import numerics
from ..core.array import Data, cached, flat_of, from_flat, shape_of
from ..core.lift import data_of, operation, shape
from ..core.shapes import Shape
from ..core.value import Value
from ..ops.elementwise import log, multiply, negative, power, subtract
from ..ops.probability import log_sigmoid, log_softmax, sigmoid, softmax, xlog1py, xlogy
from ..ops.tensors import getitem, mean, reshape, scatter_add, sum
from .targets import at_labels, check_shapes, check_unit_interval, class_labels, label_index

__all__ = [
    "bernoulli_log_likelihood", "binary_cross_entropy", "binary_cross_entropy_with_logits",
    "categorical_log_likelihood", "cross_entropy", "entropy", "gaussian_negative_log_likelihood",
    "kl_divergence", "mean_squared_error", "negative_log_likelihood",
]  # fmt: skip


def _expects_scores(loss: Callable[..., Any]) -> Callable[..., Any]:
    """Decorator: warns where the operation that made the scores gave probabilities."""

    @wraps(loss)
    def checked(logits: Any, targets: Any, reduction: str = "mean") -> Any:
        made_by = logits.operation if type(logits) is Value else None
        if made_by is not None and made_by.name in ("sigmoid", "softmax"):
            warnings.warn(
                f"{loss.__name__} expects scores and turns them into probabilities itself; these "
                f"come from {made_by.name} already: pass what {made_by.name} was given",
                stacklevel=2,
            )
        return loss(logits, targets, reduction=reduction)

    return checked


# ---- two classes -------------------------------------------------------------------------


def bernoulli_log_likelihood(probabilities: Any, targets: Any, reduction: str = "sum") -> Any:
    """log of the probability of all that happened: the sum of y log p + (1 - y) log(1 - p).

    To be maximised, hence a sum by default: the rows are independent, so probabilities
    multiply and logarithms add up. `probabilities` (of class 1) and `targets` lie in
    [0, 1] and have one shape. -inf where what happened had probability 0.
    """
    return _bernoulli("bernoulli_log_likelihood", probabilities, targets, reduction)


def _bernoulli(name: str, probabilities: Any, targets: Any, reduction: str) -> Any:
    check_shapes(name, probabilities, targets)
    check_unit_interval(name, "probabilities", probabilities)
    check_unit_interval(name, "targets", targets)
    happened = xlogy(targets, probabilities)
    did_not = xlog1py(subtract(1.0, targets), negative(probabilities))
    return _reduced(happened + did_not, reduction)


def binary_cross_entropy(probabilities: Any, targets: Any, reduction: str = "mean") -> Any:
    """The negative Bernoulli log-likelihood, as a mean: how wrong the model is a row.

    Of probabilities. From scores use `binary_cross_entropy_with_logits`: past a score of
    37 the probability rounds to 1, and if the label is 0 the loss is infinite and the
    gradient useless. (Some libraries clip the logarithm here; that hides the flaw.)
    """
    return -_bernoulli("binary_cross_entropy", probabilities, targets, reduction)


def _spelled_out_bce(logits: Any, targets: Any, *, reduction: str) -> Any:
    """-(y log p + (1 - y) log(1 - p)), where p = sigmoid(z) and so 1 - p = sigmoid(-z)."""
    losses = -(targets * log_sigmoid(logits) + (1.0 - targets) * log_sigmoid(-logits))
    return _reduced(losses, reduction)


def errors_of_two_classes(logits: Any, targets: Any, *, reduction: str) -> Any:
    """p - y: the whole derivative of a binary cross-entropy by its score.

    As the textbook tells it; numbers are computed by `_of_labels`, which keeps the digits
    where p rounds to y and this is 0.
    """
    return _of_the_total(sigmoid(logits) - targets, logits, reduction)


@_expects_scores
@operation(
    logits=lambda g, out, logits, targets, *, reduction, residuals: times(g, residuals),
    targets=lambda g, out, logits, targets, *, reduction, residuals: times(
        g, _of_the_total(-logits, logits, reduction)
    ),
    residuals=errors_of_two_classes,
    same_as=_spelled_out_bce,
    samples=[
        ([0.5, -1.0, 2.0], [0.9, 0.1, 0.3], {"reduction": "mean"}),
        ([[0.5, -1.0]], [[0.2, 0.9]], {"reduction": "sum"}),
        ([0.5, -3.0], [0.6, 0.4], {"reduction": "none"}),
        (1.5, 0.7, {"reduction": "mean"}),
    ],
)
def binary_cross_entropy_with_logits(
    logits: Data, targets: Data, *, reduction: str = "mean"
) -> Any:
    """Binary cross-entropy of scores: log(1 + exp(z)) - y z, exact for every float z.

    Its gradient is (p - y) for each score, where p = sigmoid(z): the error of the
    prediction, nothing else. `logits` (any real numbers) and `targets` in [0, 1] have one
    shape. For the label 1 the loss is softplus(-z), for 0 softplus(z): so an infinite
    score with the matching label costs 0.
    """
    name = "binary_cross_entropy_with_logits"
    check_shapes(name, logits, targets)
    return two_classes(name, flat_of(logits), targets, reduction)


def two_classes(name: str, zs: list[float], targets: Data, reduction: str) -> tuple[Any, Data]:
    """Binary cross-entropy of a score for each target, and its slopes p - y."""
    full = shape_of(targets)
    scale = _scale(len(zs), reduction)
    if signs := cached(_signs, targets):
        losses, slopes = _of_labels(zs, signs, scale)
    else:
        check_unit_interval(name, "targets", targets)
        losses, slopes = _of_soft_targets(zs, flat_of(targets), scale)
    return _total(losses, full, reduction), _shaped(slopes, full)


def _signs(targets: Data) -> list[float]:
    """The sign of the wrong answer, 1 - 2y, for each target; nothing if one is no label."""
    ys = flat_of(targets)
    return [1.0 - 2.0 * y for y in ys] if {0.0, 1.0}.issuperset(ys) else []


def _of_labels(
    zs: list[float], signs: list[float], scale: float
) -> tuple[list[float], list[float]]:
    """Losses log(1 + e) and slopes e / (1 + e) of one e = exp(sign * z).

    So p - y keeps its digits where p is close to y.
    """
    losses, slopes = [], []
    exp, log1p = math.exp, math.log1p
    try:
        for z, sign in zip(zs, signs):
            e = exp(sign * z)
            losses.append(log1p(e))
            slopes.append(scale * sign * e / (1.0 + e))
    except OverflowError:
        losses = [math.inf]
    if math.inf in losses:  # a score above 709, beside whose exp the 1 counts for nothing
        losses = [numerics.softplus(sign * z) for z, sign in zip(zs, signs)]
        slopes = [scale * sign * numerics.sigmoid(sign * z) for z, sign in zip(zs, signs)]
    return losses, slopes


def _of_soft_targets(
    zs: list[float], ys: list[float], scale: float
) -> tuple[list[float], list[float]]:
    """Losses and slopes by softplus(z) - y z, for the score -z and the target 1 - y if z > 0.

    A softplus of what is negative is small, so little is lost in the difference.
    """
    losses, slopes = [], []
    for z, y in zip(zs, ys):
        signed = scale if z <= 0.0 else -scale
        z, y = (z, y) if z <= 0.0 else (-z, 1.0 - y)
        losses.append(numerics.softplus(z) - (y * z if y else 0.0))  # 0, also if z is infinite
        slopes.append(signed * ((1.0 - y) * numerics.sigmoid(z) - y * numerics.sigmoid(-z)))
    return losses, slopes


# ---- several classes ------------------------------------------------------------------------


def categorical_log_likelihood(probabilities: Any, labels: Any, reduction: str = "sum") -> Any:
    """log of the probability of all labels: the sum of log p[row, label]. To be maximised.

    `probabilities` (n, K), whose rows sum to 1, and `labels` (n,), whole numbers from 0 to
    K - 1; or one row (K,) and one label.
    """
    check_unit_interval("categorical_log_likelihood", "probabilities", probabilities)
    picked = at_labels("categorical_log_likelihood", probabilities, labels)
    return _reduced(log(picked), reduction)


def negative_log_likelihood(log_probabilities: Any, labels: Any, reduction: str = "mean") -> Any:
    """Minus the log-probability of each label: PyTorch's `nll_loss`.

    `log_probabilities` (n, K) from `log_softmax`, `labels` (n,) whole numbers from 0 to
    K - 1; or (K,) and one label. Raises ValueError for positive numbers, which no
    logarithm of a probability is.
    """
    name = "negative_log_likelihood"
    picked = at_labels(name, log_probabilities, labels)
    if any(v > 1e-6 for v in flat_of(data_of(log_probabilities))):
        raise ValueError(
            f"{name}: a log-probability is never positive; were these scores or probabilities? "
            "take log_softmax of scores (or use cross_entropy), log of probabilities"
        )
    return _reduced(-picked, reduction)


def _spelled_out_cross_entropy(logits: Any, targets: Any, *, reduction: str) -> Any:
    if shape(targets) != shape(logits):
        return negative_log_likelihood(log_softmax(logits), targets, reduction)
    return _reduced(-sum(targets * log_softmax(logits), axis=-1), reduction)


def errors_of_several_classes(logits: Any, targets: Any, *, reduction: str) -> Any:
    """softmax - target, the target as a distribution: all of it on the label, or as given."""
    full = shape(logits)
    if shape(targets) == full:
        slopes = softmax(logits) * sum(targets, axis=-1, keepdims=True) - targets
    else:
        rows, columns = label_index("cross_entropy", full, targets)
        one_hot = scatter_add(1.0, index=(rows, columns), shape=(len(rows), full[-1]))
        slopes = softmax(logits) - reshape(one_hot, full)
    return _of_the_total(slopes, getitem(logits, (..., 0)), reduction)


@_expects_scores
@operation(
    logits=lambda g, out, logits, targets, *, reduction, residuals: times(g, residuals),
    targets=lambda g, out, logits, targets, *, reduction, residuals: (
        times(g, _of_the_total(-log_softmax(logits), getitem(logits, (..., 0)), reduction))
        if shape(targets) == shape(logits)
        else 0.0 * targets  # labels are names, not amounts
    ),
    residuals=errors_of_several_classes,
    same_as=_spelled_out_cross_entropy,
    samples=[
        (
            [[0.5, -1.0, 2.0], [0.1, 0.2, 0.3]],
            [[0.2, 0.3, 0.5], [0.8, 0.1, 0.1]],
            {"reduction": "mean"},
        ),
        ([[0.5, -1.0], [0.3, 0.1]], [[0.2, 0.8], [0.6, 0.4]], {"reduction": "none"}),
        ([0.5, -1.0, 0.7], [0.2, 0.5, 0.3], {"reduction": "sum"}),
    ],
)
def cross_entropy(logits: Data, targets: Data, *, reduction: str = "mean") -> Any:
    """Cross-entropy of scores: -log softmax(z)[label], or -sum of target * log softmax(z).

    `logits` (n, K), or (K,) for one row. `targets`: labels (n,), whole numbers from 0 to
    K - 1; or distributions (n, K), whose rows sum to 1. Its gradient is softmax(z) - target
    for each row, the error of the prediction, as with two classes.
    """
    full = shape_of(logits)
    if full == ():
        raise ValueError("cross_entropy: needs a score for each class, got a single number")
    return several_classes("cross_entropy", _as_rows(logits), full, targets, reduction)


def several_classes(
    name: str, rows: list[list[float]], full: Shape, targets: Data, reduction: str
) -> tuple[Any, Data]:
    """Cross-entropy of rows of scores, which are of this shape together, and its slopes."""
    scale = _scale(len(rows), reduction)
    losses, slopes = [], []
    if shape_of(targets) == full:
        check_unit_interval(name, "targets", targets)
        for z, q in zip(rows, _as_rows(targets)):
            total = math.fsum(q)
            if abs(total - 1.0) > 0.01:
                raise ValueError(
                    f"{name}: a row of targets sums to {total:.6g}, a distribution to 1; "
                    "for class labels give one whole number a row"
                )
            p, log_p = numerics.softmax_and_log(z)
            losses.append(-math.fsum(t * v for t, v in zip(q, log_p) if t))
            rest = [1.0 - v if v < 0.5 else math.fsum([*p, -v]) for v in p]
            slopes += [scale * ((total - t) * v - t * r) for t, v, r in zip(q, p, rest)]
    else:
        for z, label in zip(rows, class_labels(name, full, targets)):
            shifted, exps, others = numerics.exponentials(z)
            losses.append(math.log1p(others) - shifted[label])
            unit = scale / (1.0 + others)
            row = [unit * e for e in exps]
            # p - 1, told by the other probabilities where p is so close to 1 that it would
            # lose its digits.
            right = row[label]
            row[label] = right - scale if right < 0.5 * scale else -math.fsum([*row, -right])
            slopes += row
    return _total(losses, full[:-1], reduction), _shaped(slopes, full)


# ---- other distributions, and distances between distributions ----------------------------------


def gaussian_negative_log_likelihood(
    mean: Any, targets: Any, variance: Any, reduction: str = "mean"
) -> Any:
    """(log(2 pi v) + (t - m)^2 / v) / 2: minus the log-density of a normal distribution.

    `mean` and `targets` have one shape; `variance` (positive) has it too, or is one number.
    Unlike PyTorch's default it keeps the constant log(2 pi) / 2, so it is a likelihood.
    """
    name = "gaussian_negative_log_likelihood"
    check_shapes(name, mean, targets)
    if shape(variance) != ():
        check_shapes(name, mean, variance)
    if not all(v > 0.0 for v in flat_of(data_of(variance))):
        raise ValueError(f"{name}: a variance is positive; for a log-variance take its exp first")
    squared = power(subtract(targets, mean), 2.0)
    return _reduced((log(multiply(variance, 2.0 * math.pi)) + squared / variance) * 0.5, reduction)


def mean_squared_error(predictions: Any, targets: Any, reduction: str = "mean") -> Any:
    """(prediction - target)^2: the Gaussian negative log-likelihood without what is constant.

    `predictions` and `targets` have one shape.
    """
    check_shapes("mean_squared_error", predictions, targets)
    return _reduced(power(subtract(predictions, targets), 2.0), reduction)


def entropy(p: Any, reduction: str = "mean") -> Any:
    """-sum of p log p over the last axis, in nats: how surprising p's own draws are.

    `p` (..., K): rows that are distributions. 0 if one outcome is certain, log K at most.
    """
    check_unit_interval("entropy", "p", p)
    return _reduced(-sum(xlogy(p, p), axis=-1), reduction)


def kl_divergence(p: Any, q: Any, reduction: str = "mean") -> Any:
    """sum of p (log p - log q) over the last axis: what believing q costs when p is true.

    Cross-entropy minus entropy, in nats; 0 only where p = q; not symmetric; inf where q is 0
    and p is not. As usual p is the truth here, and q what is believed: of a model it is
    kl_divergence(targets, predictions). `p` and `q` (..., K).
    """
    check_shapes("kl_divergence", p, q)
    check_unit_interval("kl_divergence", "p", p)
    check_unit_interval("kl_divergence", "q", q)
    return _reduced(sum(xlogy(p, p) - xlogy(p, q), axis=-1), reduction)


# ---- what the losses share -----------------------------------------------------------------------


def _reduced(losses: Any, reduction: str) -> Any:
    """The losses of all rows in one number, or as they are."""
    if reduction == "mean":
        if shape(losses) == ():
            return losses
        if 0 in shape(losses):
            raise ValueError("an empty batch has no mean loss; leave it out")
        return mean(losses)
    if reduction == "sum":
        return sum(losses) if shape(losses) else losses
    if reduction == "none":
        return losses
    raise ValueError(f"reduction is {reduction!r}; it must be 'mean', 'sum' or 'none'")


def _total(losses: list[float], full: Shape, reduction: str) -> Any:
    """`_reduced` for a flat list of numbers and the shape they stand for."""
    try:
        if reduction == "mean" and losses:
            return math.fsum(losses) / len(losses)
        if reduction == "sum":
            return math.fsum(losses)
    except OverflowError:  # no loss is negative
        return math.inf
    return _reduced(_shaped(losses, full), reduction)


def _of_the_total(slopes: Any, losses: Any, reduction: str) -> Any:
    """Slopes of single losses as slopes of the reduced one: a mean moves by an nth of each."""
    scale = _scale(math.prod(shape(losses)), reduction)
    return slopes * scale if scale != 1.0 else slopes


def _scale(count: int, reduction: str) -> float:
    """How far the reduced loss moves when one of `count` losses moves by 1."""
    return 1.0 / count if reduction == "mean" and count else 1.0


def times(g: Any, slopes: Any) -> Any:
    """g * slopes, where g is owed to the whole loss, or to the loss of each row."""
    if type(g) is float and g == 1.0:  # a loss is usually the last node
        return slopes
    if 0 < len(shape(g)) < len(shape(slopes)):
        g = reshape(g, shape(g) + (1,))
    return g * slopes


def _shaped(flat: list[float], full: Shape) -> Data:
    return from_flat(flat, full) if full else flat[0]


def _as_rows(x: Any) -> Any:
    """The lists along the last axis."""
    if x.ndim == 1:
        return [x.flat]
    return x.rows if x.ndim == 2 else reshape(x, (-1, x.shape[-1])).rows
