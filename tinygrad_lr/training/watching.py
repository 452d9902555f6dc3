"""What the loop watches for: numbers that are not finite, and the moment when nothing is left.

Guard             raises DivergenceError, with the parameters back at the last finite loss
reason_to_stop    the sentence for `History.stop_reason`
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from numbers import Integral, Real
from types import TracebackType

from ..core.array import is_finite
from ..core.modes import current_mode
from ..core.value import Value
from ..optim import Optimizer
from .history import DivergenceError, History

__all__ = ["Guard", "checked", "is_true", "reason_to_stop"]

PATIENCE = 5  # epochs without progress after which stochastic training is called finished


class Guard:
    """Checks each step. `with guard:` around a step, its FloatingPointError is a divergence."""

    def __init__(self, parameters: Sequence[Value], optimizer: Optimizer, history: History) -> None:
        self.parameters, self.optimizer, self.history = parameters, optimizer, history
        self.safe = [p.data for p in parameters]  # the last finite numbers with a finite loss
        self.rate = optimizer.lr  # of the step that led to where the parameters are

    def check_loss(self, loss: object) -> None:
        """Raise ValueError if it is not a scalar Value, DivergenceError if it is not finite."""
        if not isinstance(loss, Value) or loss.shape != ():
            raise ValueError(f"minimize: the loss must be a scalar Value, not {loss!r}")
        if not math.isfinite(loss.data):
            raise self.diverged("the loss is not finite", loss.data)
        self.check_parameters(loss.data)  # infinite logits of the right sign have the loss 0
        self.safe = [p.data for p in self.parameters]

    def check_gradient(self, norm: float, loss: float) -> None:
        """Raise DivergenceError for a gradient whose length is not finite."""
        if not math.isfinite(norm):
            raise self.diverged("the gradient is not finite", loss)

    def check_parameters(self, loss: float) -> None:
        """Raise DivergenceError for a parameter that is not finite."""
        if not all([is_finite(p.data) for p in self.parameters]):
            raise self.diverged("a parameter is not finite", loss)

    def diverged(self, what: str, loss: float) -> DivergenceError:
        """The error to raise; the parameters go back."""
        for p, data in zip(self.parameters, self.safe):
            p.data = data
        return DivergenceError(what, self.history.steps, loss, self.rate)

    def __enter__(self) -> None:
        self.rate = self.optimizer.lr

    def __exit__(
        self, kind: type | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        # Under detect_anomaly() the error names the operation, which says more.
        if isinstance(error, FloatingPointError) and not current_mode().anomaly:
            what = "the step meets a number that is not finite"
            raise self.diverged(what, self.history.losses[-1]) from error


def reason_to_stop(history: History, batches: int, optimizer: Optimizer, tolerance: float) -> str:
    """Why another epoch would gain nothing; "" if it may. `batches`: how many an epoch has."""
    if batches > 1:
        return _no_progress(history, optimizer, tolerance) if tolerance else ""
    norm = history.gradient_norms[-1]
    if tolerance and norm <= tolerance:
        return f"the gradient is {norm:.3g} long, at most {tolerance:g}"
    # Of several batches, the next may have something to gain where this one has nothing.
    return str(getattr(optimizer, "stop_reason", ""))


def _no_progress(history: History, optimizer: Optimizer, tolerance: float) -> str:
    if history.epochs <= PATIENCE:
        return ""
    uphill = optimizer.maximize
    losses = [-v for v in history.epoch_losses] if uphill else history.epoch_losses
    if min(losses[:-PATIENCE]) - min(losses[-PATIENCE:]) > tolerance:
        return ""
    moved = "rose" if uphill else "fell"
    return f"the loss {moved} by no more than {tolerance:g} in {PATIENCE} epochs"


def is_true(answer: object) -> bool:
    """True, or numpy's. Other answers of a callback, such as a count, do not stop the training."""
    return type(answer).__name__ in ("bool", "bool_") and bool(answer)


def checked(
    parameters: Iterable[Value], optimizer: Optimizer, epochs: int, tolerance: float
) -> list[Value]:
    """The parameters. Raises for settings that would fail later without a message."""
    if isinstance(parameters, Value):
        raise TypeError("minimize: parameters are a list of Values; for a single one: [parameter]")
    if not isinstance(epochs, Integral) or epochs < 0:
        raise ValueError(f"minimize: epochs is {epochs!r}; it must be a whole number, at least 0")
    if not isinstance(tolerance, Real) or not tolerance >= 0.0:
        raise ValueError(f"minimize: tolerance is {tolerance!r}; it must be at least 0")
    parameters = list(parameters)
    if set(optimizer.parameters) != set(parameters):
        raise ValueError(
            "minimize: the optimizer moves other Values than these parameters (those of another "
            "model?); give the same list to both"
        )
    return parameters
