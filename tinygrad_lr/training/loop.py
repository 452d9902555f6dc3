"""The one loop: forget, compute, go backward, step.

    for X, y in batches:            one pass over all batches is an epoch
        optimizer.zero_grad()       forget the last gradient
        value = loss(X, y)          how wrong is the model on this batch?
        value.backward()            which way is uphill?
        optimizer.step()            w <- w - lr * gradient

>>> from tinygrad_lr import Value, binary_cross_entropy_with_logits
>>> from tinygrad_lr.data import Batches
>>> from tinygrad_lr.optim import SGD
>>> w, b = Value([0.0]), Value(0.0)
>>> loss = lambda X, y: binary_cross_entropy_with_logits(X @ w + b, y)
>>> batches = Batches([[1.0], [2.0], [3.0], [4.0]], [0, 1, 0, 1])
>>> history = minimize(loss, [w, b], batches, SGD([w, b], lr=0.5), epochs=200)
>>> f"{history.epoch_losses[0]:.4f} -> {history.epoch_losses[-1]:.4f}"
'0.6931 -> 0.5871'
>>> history.stop_reason
'all 200 epochs done'

`History` keeps the loss of every batch as it was *before* the model learned from it. In the
first epoch these are losses on rows that the model has not seen: an honest test (progressive
validation). It keeps numbers. To add up losses yourself, add `loss.item()`: `total += loss` would
keep the graphs of all batches alive.

`watching` raises errors and stops; `checkpoint` lets a run that was killed go on; `parallel`
shares the rows among processes. The loop knows nothing of logistic regression: any loss that is
a scalar Value will do.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from os import PathLike
from typing import Any

from ..core.array import numbers
from ..core.value import Value
from ..optim import Optimizer
from ..optim.line_search import ClosureOptimizer
from .checkpoint import Progress
from .history import History
from .watching import Guard, checked, is_true, reason_to_stop

__all__ = ["gradient_norm", "minimize"]


def minimize(
    loss: Callable[[Any, Any], Value],
    parameters: Iterable[Value],
    batches: Iterable[tuple[Any, Any]],
    optimizer: Optimizer,
    epochs: int,
    callbacks: Sequence[Callable[[History], object]] = (),
    *,
    tolerance: float = 0.0,
    checkpoint: str | PathLike[str] | None = None,
    every: int = 1000,
    resume: bool = False,
) -> History:
    """Move the parameters downhill for some epochs; returns what happened as a `History`.

    `loss(X, y)`: a scalar Value for one batch. `optimizer`: of these parameters.
    `callbacks`: each is called with the history after every epoch; training stops if one
    returns True. `tolerance`: stop when there is nothing left to gain. With one batch an epoch,
    when its gradient is at most this long; with several, whose gradients never vanish, when
    the best loss of an epoch has not fallen by more than this for 5 epochs. With one batch it
    also stops when an optimizer that evaluates the loss itself says in its `stop_reason` that
    another step would gain nothing.

    `checkpoint`: a file that keeps the state of the run, written after each `every` steps and at
    the end. It has about 45 bytes for each step so far; in a run of millions write it less often.
    `resume`: go on from the checkpoint, or from the start if there is no such file; to the same
    weights, bit for bit, as without a stop. A training that had a reason to end has ended.

    Raises DivergenceError where the loss stops being finite, ValueError for a loss that is not
    a scalar, without any batch, for an optimizer of other parameters, and for a checkpoint of
    another training.
    """
    parameters = checked(parameters, optimizer, epochs, tolerance)
    history = History()
    progress = Progress(parameters, optimizer, batches, history, checkpoint, every, resume)
    guard = Guard(parameters, optimizer, history)
    while history.epochs < epochs and not history.stop_reason:
        for X, y in progress.rest_of_epoch():
            optimizer.zero_grad()
            value = loss(X, y)
            guard.check_loss(value)
            value.backward()
            norm = gradient_norm(parameters)
            guard.check_gradient(norm, value.data)
            history.losses.append(value.data)
            history.gradient_norms.append(norm)
            with guard:
                if isinstance(optimizer, ClosureOptimizer):
                    optimizer.step(partial(loss, X, y))
                else:
                    optimizer.step()
            progress.finish_step(len(y))
        history.finish_epoch(progress.rows)
        history.stop_reason = reason_to_stop(history, len(progress.rows), optimizer, tolerance)
        history.converged = history.stop_reason != ""
        progress.rows = []
        if any([is_true(callback(history)) for callback in callbacks]):
            stopped = f"a callback stopped it in epoch {history.epochs}"
            history.stop_reason = history.stop_reason or stopped
    if history.losses:
        guard.check_parameters(history.losses[-1])
    progress.save()
    history.stop_reason = history.stop_reason or f"all {epochs} epochs done"
    return history


def gradient_norm(parameters: Iterable[Value]) -> float:
    """The length of the gradient over all parameters; those without one count as zeros."""
    return math.hypot(*numbers(p.grad for p in parameters if p.grad is not None))
