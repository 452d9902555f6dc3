"""A layer of weights and its loss in one operation: one step of logistic regression is this step.

    linear_binary_cross_entropy(X, w, b, y)  =  binary_cross_entropy_with_logits(X w + b, y)
    linear_cross_entropy(X, W, b, y)         =  cross_entropy(X W + b, y)

The forward pass keeps the error of each prediction, e = p - y (for a mean divided by n). With it
the derivatives are those of the textbook, a matrix product each:

    dL/dw = X' e             dL/db = sum of e             dL/dX = e w'

>>> from tinygrad_lr.core.value import Value
>>> w, b = Value([0.0, 0.0]), Value(0.0)
>>> loss = linear_binary_cross_entropy([[1.0, 2.0], [3.0, 5.0]], w, b, [0.0, 1.0])
>>> loss.backward()
>>> loss, w.grad, b.grad             # p = 1/2, so e = (1/2, -1/2) / 2
(Value(0.6931471805599453, operation='linear_binary_cross_entropy'), Array([-0.5, -0.75]), 0.0)

One node instead of two saves a sixth of the time of a step with few rows. What these losses
mean is explained in `likelihood`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..core.array import Data, shape_of, sumprod
from ..core.lift import operation, shape, sum_to
from ..ops.tensors import MATRIX, affine, reshape, transpose
from .fused import (
    bce_kernel, bce_residuals, bce_vjp_of_targets, binary_cross_entropy_with_logits, cross_entropy,
    cross_entropy_kernel, cross_entropy_residuals, cross_entropy_vjp_of_targets, scaled,
)  # fmt: skip

__all__ = ["linear_binary_cross_entropy", "linear_cross_entropy"]

COLUMN = [[0.4], [-0.9]]
WEIGHTS = [[1.0, 2.0], [0.5, -1.0], [0.1, 0.2]]


def after_affine(loss: Callable[..., Any]) -> Callable[..., Any]:
    """A function of logits as one of x, w and b."""
    return lambda x, w, b, targets, **options: loss(affine(x, w, b), targets, **options)


def _mismatch(name: str, wanted: str, *given: Data) -> ValueError:
    shapes = ", ".join(str(shape_of(x)) for x in given)
    return ValueError(f"{name}: x, w, b and targets of shapes {shapes}; they must be {wanted}")


# ---- two classes -------------------------------------------------------------------------


@operation(
    x=lambda g, out, x, w, b, targets, *, reduction, residuals: (
        reshape(scaled(g, residuals), (-1, 1)) * w
    ),
    w=lambda g, out, x, w, b, targets, *, reduction, residuals: scaled(g, residuals) @ x,
    b=lambda g, out, x, w, b, targets, *, reduction, residuals: sum_to(
        scaled(g, residuals), shape=()
    ),
    targets=lambda g, out, x, w, b, targets, **options: bce_vjp_of_targets(
        g, out, affine(x, w, b), targets, **options
    ),
    residuals=lambda x, w, b, targets, **options: bce_residuals(
        affine(x, w, b), targets, **options
    ),
    same_as=lambda x, w, b, targets, **options: binary_cross_entropy_with_logits(
        affine(x, w, b), targets, **options
    ),
    samples=[
        (MATRIX, [0.3, 0.7, 2.0], 0.5, [0.9, 0.2], {"reduction": "mean"}),
        (COLUMN, [1.1], -0.2, [0.3, 0.6], {"reduction": "none"}),
    ],
)
def linear_binary_cross_entropy(
    x: Any, w: Any, b: Any, targets: Any, *, reduction: str = "mean"
) -> tuple[Data, Data]:
    """Binary cross-entropy of the logits x @ w + b, exact for every logit.

    `x` (n, d), `w` (d), `b` one number, `targets` (n) in [0, 1]. Raises ValueError for
    other shapes and targets.
    """
    name = "linear_binary_cross_entropy"
    try:
        (n, d), (weights,), (answers,) = x.shape, w.shape, targets.shape
        fits = d == weights and n == answers and type(b) is float
    except (AttributeError, ValueError):
        fits = False
    if not fits:
        raise _mismatch(name, "(n, d), (d), () and (n)", x, w, b, targets)
    column = w.flat
    return bce_kernel(name, [sumprod(row, column) + b for row in x.rows], targets, reduction)


# ---- several classes ---------------------------------------------------------------------


@operation(
    x=lambda g, out, x, w, b, targets, *, reduction, residuals: scaled(g, residuals) @ transpose(w),
    w=lambda g, out, x, w, b, targets, *, reduction, residuals: transpose(x) @ scaled(g, residuals),
    b=lambda g, out, x, w, b, targets, *, reduction, residuals: sum_to(
        scaled(g, residuals), shape=shape(b)
    ),
    targets=lambda g, out, x, w, b, targets, **options: cross_entropy_vjp_of_targets(
        g, out, affine(x, w, b), targets, **options
    ),
    residuals=after_affine(cross_entropy_residuals),
    same_as=after_affine(cross_entropy),
    samples=[
        (MATRIX, WEIGHTS, [0.3, -0.4], [[0.2, 0.8], [0.7, 0.3]], {"reduction": "mean"}),
        (COLUMN, [[0.3, -0.7]], [0.3, -0.4], [[0.2, 0.8], [0.7, 0.3]], {"reduction": "none"}),
    ],
)
def linear_cross_entropy(
    x: Any, w: Any, b: Any, targets: Any, *, reduction: str = "mean"
) -> tuple[Data, Data]:
    """Cross-entropy of the logits x @ w + b of K classes.

    (PyTorch's function of this name takes w as (K, d), and b by name.)

    `x` (n, d), `w` (d, K), `b` (K), `targets` labels (n) or distributions (n, K), as in
    `cross_entropy`. Raises ValueError for other shapes and targets.
    """
    name = "linear_cross_entropy"
    try:
        (n, d), (weights, units), (classes,) = x.shape, w.shape, b.shape
        fits = d == weights and units == classes
    except (AttributeError, ValueError):
        fits = False
    if not fits:
        raise _mismatch(name, "(n, d), (d, K), (K) and (n) or (n, K)", x, w, b, targets)
    columns = list(zip(w.columns, b.flat))
    rows = [[sumprod(row, column) + bias for column, bias in columns] for row in x.rows]
    return cross_entropy_kernel(name, rows, (n, classes), targets, reduction)
