"""Losses of logits in one operation: faster than the spelled-out form, exact for every logit.

    binary_cross_entropy_with_logits(z, y) = log(1 + exp(z)) - y z          gradient  sigmoid(z) - y
    cross_entropy(z, y) = log(sum of exp(z)) - z[y]                         gradient  softmax(z) - y

The spelled-out forms in `likelihood` compute a probability first. Far from 0 it rounds to 0 or
1, and takes the digits of the loss and of the gradient with it:

>>> from tinygrad_lr import sigmoid
>>> 1.0 - sigmoid(40.0)                       # p - y for the label 1, computed as it is written
0.0
>>> from tinygrad_lr import Value
>>> z = Value(40.0)
>>> binary_cross_entropy_with_logits(z, 1.0).backward()
>>> z.grad                                    # -exp(-40), to all digits
-4.248354255291589e-18

The gradient is the error of the prediction, p - y. The forward pass has computed all that is
needed for it, so it keeps these errors as the residuals for the backward pass. Each operation
names the composition that it must equal (`same_as`), and the tests hold the two together.
"""

from __future__ import annotations

import math
import warnings
from functools import wraps
from typing import Any

from .checks import check_shapes, check_unit_interval, class_labels
from ..core import numerics
from ..core.array import Array, Data, cached, flat_of, from_flat, shape_of
from ..core.lift import operation, shape
from ..core.shapes import Shape
from ..core.typed import Whole
from ..core.value import Value
from ..ops.probability import log_softmax, sigmoid, softmax
from ..ops.tensors import getitem, reshape, scatter_add, sum
from .likelihood import bce_spelled_out, cross_entropy_spelled_out, reduced

__all__ = ["binary_cross_entropy_with_logits", "cross_entropy"]


def expects_logits(loss: Whole) -> Whole:
    """Decorator: warns where the operation that made the logits gives probabilities."""

    @wraps(loss)
    def checked(logits: Any, targets: Any, reduction: str = "mean") -> Any:
        made_by = logits.operation if type(logits) is Value else None
        if made_by is not None and made_by.name in ("sigmoid", "softmax"):
            warnings.warn(
                f"{loss.operation.name} expects scores and turns them into probabilities itself; "
                f"these come from {made_by.name} already: pass what {made_by.name} was given",
                stacklevel=2,
            )
        return loss(logits, targets, reduction=reduction)

    return checked  # type: ignore[return-value]  # `wraps` copies .operation too


# ---- two classes ---------------------------------------------------------------------------------


def bce_residuals(logits: Any, targets: Any, *, reduction: str) -> Any:
    """p - y, the derivative of the loss by each logit (of a mean over n rows: (p - y) / n).

    As the textbook writes it, for second derivatives. `bce_kernel` computes the numbers, and
    keeps their digits where p rounds to y.
    """
    return per_row(sigmoid(logits) - targets, logits, reduction)


def bce_vjp_of_targets(
    g: Any, out: Any, logits: Any, targets: Any, *, reduction: str, residuals: Any
) -> Any:
    """The loss is linear in y, with slope -z."""
    return scaled(g, per_row(-logits, logits, reduction))


@expects_logits
@operation(
    logits=lambda g, out, logits, targets, *, reduction, residuals: scaled(g, residuals),
    targets=bce_vjp_of_targets,
    residuals=bce_residuals,
    same_as=bce_spelled_out,
    samples=[
        ([0.5, -1.0, 2.0], [0.9, 0.1, 0.3], {"reduction": "mean"}),
        ([[0.5, -1.0]], [[0.2, 0.9]], {"reduction": "sum"}),
        ([0.5, -3.0], [0.6, 0.4], {"reduction": "none"}),
        (1.5, 0.7, {"reduction": "mean"}),
    ],
)
def binary_cross_entropy_with_logits(
    logits: Data, targets: Data, *, reduction: str = "mean"
) -> tuple[Data, Data]:
    """Binary cross-entropy of logits: log(1 + exp(z)) - y z, exact for every float z.

    Its gradient is p - y for each logit, where p = sigmoid(z). `logits` (any real numbers) and
    `targets` in [0, 1] have the same shape. For the label 1 the loss is softplus(-z), for 0
    softplus(z), so an infinite logit with the matching label costs 0.
    """
    name = "binary_cross_entropy_with_logits"
    check_shapes(name, logits, targets)
    return bce_kernel(name, flat_of(logits), targets, reduction)


def bce_kernel(name: str, zs: list[float], targets: Data, reduction: str) -> tuple[Data, Data]:
    """The loss, and the derivative by each of the logits `zs`."""
    full = shape_of(targets)
    scale = weight_of_row(len(zs), reduction)
    if signs := cached(_signs, targets):
        losses, slopes = _bce_of_labels(zs, signs, scale)
    else:
        check_unit_interval(name, "targets", targets)
        losses, slopes = _bce_of_soft_targets(zs, flat_of(targets), scale)
    return total(losses, full, reduction), _shaped(slopes, full)


def _signs(targets: Data) -> list[float]:
    """1 - 2y for each target: 1 for the label 0, -1 for the label 1; [] if one is soft."""
    ys = flat_of(targets)
    return [1.0 - 2.0 * y for y in ys] if {0.0, 1.0}.issuperset(ys) else []


def _bce_of_labels(
    zs: list[float], signs: list[float], scale: float
) -> tuple[list[float], list[float]]:
    """Losses log(1 + e) and slopes e / (1 + e), both of one e = exp(sign * z).

    So p - y is computed without a difference, and keeps its digits where p is close to y.
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
    if math.inf in losses:  # a logit above 709, whose exp no float can hold
        losses = [numerics.softplus(sign * z) for z, sign in zip(zs, signs)]
        slopes = [scale * sign * numerics.sigmoid(sign * z) for z, sign in zip(zs, signs)]
    return losses, slopes


def _bce_of_soft_targets(
    zs: list[float], ys: list[float], scale: float
) -> tuple[list[float], list[float]]:
    """Losses softplus(z) - y z; for z > 0 of -z and 1 - y, which is the same loss.

    softplus of a negative number is small, so little is lost in the difference.
    """
    losses, slopes = [], []
    for z, y in zip(zs, ys):
        signed = scale if z <= 0.0 else -scale
        z, y = (z, y) if z <= 0.0 else (-z, 1.0 - y)
        losses.append(numerics.softplus(z) - (y * z if y else 0.0))  # 0, also if z is infinite
        slopes.append(signed * ((1.0 - y) * numerics.sigmoid(z) - y * numerics.sigmoid(-z)))
    return losses, slopes


# ---- several classes -----------------------------------------------------------------------------


def cross_entropy_residuals(logits: Any, targets: Any, *, reduction: str) -> Any:
    """softmax(z) - q, the derivative of the loss by each logit, where q is the distribution given.

    For labels q is 1 at the label and 0 elsewhere. As the textbook writes it, for second
    derivatives; `cross_entropy_kernel` computes the numbers.
    """
    full = shape(logits)
    if shape(targets) == full:
        slopes = softmax(logits) * sum(targets, axis=-1, keepdims=True) - targets
    else:
        labels = class_labels("cross_entropy", full, targets)
        index = list(range(len(labels))), labels
        one_hot = scatter_add(1.0, index=index, shape=(len(labels), full[-1]))
        slopes = softmax(logits) - reshape(one_hot, full)
    return per_row(slopes, getitem(logits, (..., 0)), reduction)


def cross_entropy_vjp_of_targets(
    g: Any, out: Any, logits: Any, targets: Any, *, reduction: str, residuals: Any
) -> Any:
    """The loss is linear in q, with slopes -log softmax(z). Labels are names and have no slope."""
    if shape(targets) != shape(logits):
        return 0.0 * targets
    return scaled(g, per_row(-log_softmax(logits), getitem(logits, (..., 0)), reduction))


@expects_logits
@operation(
    logits=lambda g, out, logits, targets, *, reduction, residuals: scaled(g, residuals),
    targets=cross_entropy_vjp_of_targets,
    residuals=cross_entropy_residuals,
    same_as=cross_entropy_spelled_out,
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
def cross_entropy(logits: Data, targets: Data, *, reduction: str = "mean") -> tuple[Data, Data]:
    """Cross-entropy of logits: -log softmax(z)[label], or -sum of q log softmax(z).

    `logits` (n, K), or (K,) for one row. `targets`: labels (n,), whole numbers from 0 to K - 1;
    or distributions q (n, K), whose rows sum to 1. Its gradient is softmax(z) - q for each row,
    the error of the prediction, as with two classes.
    """
    if not isinstance(logits, Array):
        raise ValueError("cross_entropy: needs a score for each class, got a single number")
    rows = _rows_of(logits)
    return cross_entropy_kernel("cross_entropy", rows, logits.shape, targets, reduction)


def cross_entropy_kernel(
    name: str, rows: list[list[float]], full: Shape, targets: Data, reduction: str
) -> tuple[Data, Data]:
    """The loss, and the derivative by each logit, of rows that have the shape `full` together."""
    scale = weight_of_row(len(rows), reduction)
    if isinstance(targets, Array) and targets.shape == full:
        check_unit_interval(name, "targets", targets)
        losses, slopes = _cross_entropy_of_distributions(name, rows, _rows_of(targets), scale)
    else:
        labels = class_labels(name, full, targets)
        losses, slopes = _cross_entropy_of_labels(rows, labels, scale)
    return total(losses, full[:-1], reduction), _shaped(slopes, full)


def _cross_entropy_of_labels(
    rows: list[list[float]], labels: list[int], scale: float
) -> tuple[list[float], list[float]]:
    """Losses log(1 + rest) - z[label], the largest logit moved to 0 and so its exp to 1."""
    losses, slopes = [], []
    for z, label in zip(rows, labels):
        shifted, exps, rest = numerics.exponentials(z)
        losses.append(math.log1p(rest) - shifted[label])
        unit = scale / (1.0 + rest)
        row = [unit * e for e in exps]
        # p - 1 is minus the sum of the other probabilities. The difference itself would lose
        # its digits where p is close to 1.
        right = row[label]
        row[label] = right - scale if right < 0.5 * scale else -math.fsum([*row, -right])
        slopes += row
    return losses, slopes


def _cross_entropy_of_distributions(
    name: str, rows: list[list[float]], distributions: list[list[float]], scale: float
) -> tuple[list[float], list[float]]:
    """Losses -sum of q log p and slopes p - q, where p = softmax(z)."""
    losses, slopes = [], []
    for z, q in zip(rows, distributions):
        mass = math.fsum(q)
        if abs(mass - 1.0) > 0.01:
            raise ValueError(
                f"{name}: a row of targets sums to {mass:.6g}, a distribution to 1; "
                "for class labels give one whole number a row"
            )
        p, log_p = numerics.softmax_and_log(z)
        losses.append(-math.fsum(t * v for t, v in zip(q, log_p) if t))
        rest = [1.0 - v if v < 0.5 else math.fsum([*p, -v]) for v in p]  # 1 - p, to all digits
        slopes += [scale * ((mass - t) * v - t * r) for t, v, r in zip(q, p, rest)]
    return losses, slopes


# ---- what the losses share -----------------------------------------------------------------------


def total(losses: list[float], full: Shape, reduction: str) -> Data:
    """`reduced`, for a flat list of losses and the shape they have together."""
    try:
        if reduction == "mean" and losses:
            return math.fsum(losses) / len(losses)
        if reduction == "sum":
            return math.fsum(losses)
    except OverflowError:  # no loss is negative
        return math.inf
    unreduced: Data = reduced(_shaped(losses, full), reduction)
    return unreduced


def per_row(slopes: Any, losses: Any, reduction: str) -> Any:
    """Slopes of the loss of each row as slopes of the reduced loss."""
    scale = weight_of_row(math.prod(shape(losses)), reduction)
    return slopes * scale if scale != 1.0 else slopes


def weight_of_row(count: int, reduction: str) -> float:
    """How far the reduced loss moves where the loss of one of `count` rows moves by 1."""
    return 1.0 / count if reduction == "mean" and count else 1.0


def scaled(g: Any, slopes: Any) -> Any:
    """g * slopes, where g is the cotangent of the reduced loss, or of the loss of each row."""
    if type(g) is float and g == 1.0:  # a loss is usually the last node
        return slopes
    if 0 < len(shape(g)) < len(shape(slopes)):
        g = reshape(g, shape(g) + (1,))
    return g * slopes


def _shaped(flat: list[float], full: Shape) -> Data:
    return from_flat(flat, full) if full else flat[0]


def _rows_of(x: Array) -> list[list[float]]:
    """The lists along the last axis."""
    if x.ndim == 2:
        return x.rows  # cached
    width = x.shape[-1]
    return [x.flat[i : i + width] for i in range(0, x.size, width)]
