"""The one loop: forget, compute, walk back, step. Everything else here is keeping watch.

    for X, y in batches:            one pass over all batches is an epoch
        optimizer.zero_grad()       forget the last gradient
        value = loss(X, y)          how wrong are we on this batch?
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

`History` keeps the loss of every batch as it was *before* the model learned from it. Read
in order these are an honest test on unseen rows, during the first epoch (progressive
validation): each prediction was made by weights that had not met the row. It keeps numbers:
a running total of your own adds up `loss.item()` too, because `total += loss` would keep the
graphs of all batches alive.

With `checkpoint=` a run that is killed can be resumed (`checkpoint`); `DataParallel` shares
the rows among processes or machines (`parallel`). The loop knows nothing of logistic
regression: any loss that gives a scalar Value will do.
"""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import partial
from numbers import Integral, Real
from os import PathLike
from pathlib import Path
from typing import Any

from ..core.array import is_finite, numbers, sumprod
from ..core.modes import current_mode
from ..core.value import Value
from .checkpoint import after, read_checkpoint, state_of, write_checkpoint
from .parallel import DataParallel

__all__ = ["DataParallel", "DivergenceError", "History", "minimize"]

PATIENCE = 5  # epochs without progress after which stochastic training is called finished


@dataclass
class History:
    """What happened: numbers by step and by epoch, and why it ended.

    losses            of each batch, before the step that learned from it
    gradient_norms    the length of each batch's gradient, over all parameters
    epoch_losses      mean loss of each epoch, over its rows
    stop_reason       one sentence; "" while training goes on
    converged         whether it stopped because there was nothing left to gain
    """

    losses: list[float] = field(default_factory=list)
    gradient_norms: list[float] = field(default_factory=list)
    epoch_losses: list[float] = field(default_factory=list)
    stop_reason: str = ""
    converged: bool = False

    @property
    def steps(self) -> int:
        """How many steps were taken."""
        return len(self.losses)

    @property
    def epochs(self) -> int:
        """How many epochs were finished."""
        return len(self.epoch_losses)


class DivergenceError(ArithmeticError):
    """The loss or its gradient is no finite number any more: `.step .loss .learning_rate`.

    The parameters are the last finite ones with a finite loss.
    """

    def __init__(self, what: str, step: int, loss: float, learning_rate: float) -> None:
        self.step, self.loss, self.learning_rate = step, loss, learning_rate
        super().__init__(
            f"{what} at step {step} (loss {loss}, learning rate {learning_rate:g}); the parameters "
            "are back at the last finite loss. Try a smaller learning rate "
            f"(lr={learning_rate / 10:g}), features of one scale (data.StandardScaler), or look "
            "for the operation with detect_anomaly()"
        )
        self.what = what

    def __reduce__(self) -> tuple[Any, ...]:  # so that another process can be told
        return type(self), (self.what, self.step, self.loss, self.learning_rate)


def minimize(
    loss: Callable[[Any, Any], Value],
    parameters: Iterable[Value],
    batches: Iterable[tuple[Any, Any]],
    optimizer: Any,
    epochs: int,
    callbacks: Sequence[Callable[[History], Any]] = (),
    *,
    tolerance: float = 0.0,
    checkpoint: str | PathLike[str] | None = None,
    every: int = 1000,
    resume: bool = False,
) -> History:
    """Move the parameters downhill for some epochs; what happened is returned as `History`.

    `loss(X, y)`: a scalar Value for one batch. `optimizer`: of these parameters.
    `callbacks`: each is called with the history after every epoch; training stops if one
    returns True. `tolerance`: stop when there is nothing left to gain; with one batch an
    epoch, when its gradient is no longer than this; with several, whose gradients never
    vanish, when the best loss of an epoch has not fallen by more than this for 5 epochs.
    With one batch it also stops when the optimizer says in its `stop_reason` that another
    step would gain nothing, as those do that evaluate the loss themselves.

    `checkpoint`: a file in which all that matters is kept, after each `every` steps and at
    the end. It has about 45 bytes for each step so far; in a run of millions write it less often.
    `resume`: go on from there, or from the start if there is no such file; to the same
    weights, bit for bit, as without a stop. A training that had a reason to end has ended.

    Raises DivergenceError where the loss stops being finite, ValueError for a loss that is
    no scalar, without any batch, for an optimizer of other parameters, and for a checkpoint
    that is none of this training.
    """
    if isinstance(parameters, Value):
        raise TypeError("minimize: parameters are a list of Values; for a single one: [parameter]")
    parameters = list(parameters)
    _check_settings(parameters, optimizer, epochs, tolerance)
    history = History()
    rows: list[int] = []  # of each batch of this epoch that is done
    if checkpoint is not None:
        _check_checkpointing(checkpoint, every)
        if resume:
            rows = read_checkpoint(checkpoint, parameters, optimizer, batches, history)
    elif resume:
        raise ValueError("minimize: resume=True needs checkpoint=, the file to resume from")
    # Those do that evaluate the loss themselves.
    asks_again = bool(inspect.signature(optimizer.step).parameters)
    safe = [p.data for p in parameters]  # the last finite numbers whose loss was finite
    rate = optimizer.lr  # of the step that led to where the parameters are

    def diverged(what: str, value: float) -> DivergenceError:
        for p, data in zip(parameters, safe):
            p.data = data
        return DivergenceError(what, history.steps, value, rate)

    while history.epochs < epochs and not history.stop_reason:
        begun = state_of(batches)
        first = history.steps - len(rows)
        for X, y in after(batches, rows):
            optimizer.zero_grad()
            value = loss(X, y)
            if not isinstance(value, Value) or value.shape != ():
                raise ValueError(f"minimize: the loss must be a scalar Value, not {value!r}")
            if not math.isfinite(value.data):
                raise diverged("the loss is not finite", value.data)
            now = [p.data for p in parameters]
            if not all(map(is_finite, now)):  # infinite scores with the right sign cost nothing
                raise diverged("a parameter is not finite", value.data)
            safe = now
            value.backward()
            norm = gradient_norm(parameters)
            if not math.isfinite(norm):
                raise diverged("the gradient is not finite", value.data)
            history.losses.append(value.data)
            history.gradient_norms.append(norm)
            rows.append(len(y))
            rate = optimizer.lr
            try:
                if asks_again:
                    optimizer.step(partial(loss, X, y))
                else:
                    optimizer.step()
            except FloatingPointError as error:
                if current_mode().anomaly:  # whose error says more
                    raise
                raise diverged("the step meets a number that is not finite", value.data) from error
            if checkpoint is not None and history.steps % every == 0:
                write_checkpoint(checkpoint, parameters, optimizer, begun, rows, history)
        if not sum(rows):
            used_up = "; were they used up by the first epoch? Give a list, or Batches"
            raise ValueError(
                "minimize: there are no batches with rows; nothing to learn from"
                + (used_up if history.epochs else "")
            )
        weighted = sumprod(history.losses[first:], rows)
        history.epoch_losses.append(weighted / sum(rows))
        if tolerance:
            _judge(history, len(rows), tolerance, uphill=getattr(optimizer, "maximize", False))
        reason: str = getattr(optimizer, "stop_reason", "")
        if reason and len(rows) == 1:  # of several, the next may have something to gain
            history.converged = True
            history.stop_reason = history.stop_reason or reason
        rows = []
        if any([_says_stop(callback(history)) for callback in callbacks]):
            stopped = f"a callback stopped it in epoch {history.epochs}"
            history.stop_reason = history.stop_reason or stopped
    if not all(is_finite(p.data) for p in parameters):
        raise diverged("a parameter is not finite", history.losses[-1])
    if checkpoint is not None:
        write_checkpoint(checkpoint, parameters, optimizer, state_of(batches), rows, history)
    history.stop_reason = history.stop_reason or f"all {epochs} epochs done"
    return history


def _says_stop(answer: Any) -> bool:
    """True, or numpy's; not what a callback returns that was not asked, such as a count."""
    return type(answer).__name__ in ("bool", "bool_") and bool(answer)


def gradient_norm(parameters: Iterable[Value]) -> float:
    """The length of the gradient over all parameters; those without one count as zeros."""
    return math.hypot(*numbers(p.grad for p in parameters if p.grad is not None))


def _check_settings(
    parameters: Sequence[Value], optimizer: Any, epochs: int, tolerance: float
) -> None:
    """Say now what would otherwise go wrong in silence."""
    if not isinstance(epochs, Integral) or epochs < 0:
        raise ValueError(f"minimize: epochs is {epochs!r}; it must be a whole number, at least 0")
    if not isinstance(tolerance, Real) or not tolerance >= 0.0:
        raise ValueError(f"minimize: tolerance is {tolerance!r}; it must be at least 0")
    if set(optimizer.parameters) != set(parameters):
        raise ValueError(
            "minimize: the optimizer moves other Values than these parameters (those of another "
            "model?); give the same list to both"
        )


def _check_checkpointing(path: str | PathLike[str], every: int) -> None:
    """Say now what would be found out too late."""
    if not Path(path).parent.is_dir():
        raise FileNotFoundError(f"there is no directory {Path(path).parent} for the checkpoint")
    if not isinstance(every, Integral) or every < 1:
        raise ValueError(f"minimize: every is {every!r}; it must be at least 1 step")


def _judge(history: History, batches: int, tolerance: float, uphill: bool) -> None:
    """Say so in the history if there is nothing left to gain."""
    if batches == 1:
        norm = history.gradient_norms[-1]
        if norm <= tolerance:
            history.converged = True
            history.stop_reason = f"the gradient is {norm:.3g} long, at most {tolerance:g}"
    elif history.epochs > PATIENCE:
        losses = [-v for v in history.epoch_losses] if uphill else history.epoch_losses
        if min(losses[:-PATIENCE]) - min(losses[-PATIENCE:]) <= tolerance:
            history.converged = True
            moved = "rose" if uphill else "fell"
            history.stop_reason = (
                f"the loss {moved} by no more than {tolerance:g} in {PATIENCE} epochs"
            )
