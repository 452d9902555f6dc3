"""What a training leaves behind: `History`, or a `DivergenceError` that says what to try."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from ..core.array import sumprod

__all__ = ["DivergenceError", "History"]


@dataclass
class History:
    """What happened: numbers for each step and each epoch, and why training ended.

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

    def finish_epoch(self, rows: Sequence[int]) -> None:
        """Add the mean loss of an epoch. `rows`: how many each of its batches had."""
        if not sum(rows):
            used_up = "; were they used up by the first epoch? Give a list, or Batches"
            raise ValueError(
                "minimize: there are no batches with rows; nothing to learn from"
                + (used_up if self.epochs else "")
            )
        self.epoch_losses.append(sumprod(self.losses[-len(rows) :], rows) / sum(rows))


class DivergenceError(ArithmeticError):
    """The loss or its gradient is not finite any more: `.step .loss .learning_rate`.

    The parameters are the last ones that were finite and had a finite loss.
    """

    def __init__(self, what: str, step: int, loss: float, learning_rate: float) -> None:
        self.what, self.step, self.loss, self.learning_rate = what, step, loss, learning_rate
        super().__init__(
            f"{what} at step {step} (loss {loss}, learning rate {learning_rate:g}); the parameters "
            "are back at the last finite loss. Try a smaller learning rate "
            f"(lr={learning_rate / 10:g}), features of one scale (data.StandardScaler), or look "
            "for the operation with detect_anomaly()"
        )

    def __reduce__(self) -> tuple[Any, ...]:  # so that it can be sent to another process
        return type(self), (self.what, self.step, self.loss, self.learning_rate)
