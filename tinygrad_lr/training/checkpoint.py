"""Checkpoints: a run that was killed goes on as if nothing had happened.

What comes next depends on four things. A checkpoint holds these four, as JSON:

    parameters      the numbers learned so far
    optimizer       what it remembers: velocities, means, the number of steps
    batches         which epoch this is, which decides its order, and how many of its batches
                    are done: these are skipped when the run is resumed
    history         what happened so far

Floats are written by `repr`, with all their digits. So a run that was killed and resumed ends with
the same weights, bit for bit, as a run that never stopped.

The file is never half-written, whenever the machine stops: the new one is written beside it, and
takes its name once it has reached the disk. And the file is never trusted: all of it is checked
before the first number is used, and as JSON it can hold only data. (A pickle can hold commands.)

>>> import tempfile, pathlib
>>> from tinygrad_lr.data import Batches
>>> from tinygrad_lr.optim import Adam
>>> from tinygrad_lr.training import minimize
>>> path = pathlib.Path(tempfile.mkdtemp()) / "run.json"
>>> def train(epochs):
...     w = Value(0.0, label="w")
...     batches = Batches([[1.0], [2.0], [4.0]], [0, 0, 0], batch_size=2)
...     loss = lambda X, y: ((X * w - 3.0) ** 2).mean()
...     minimize(loss, [w], batches, Adam([w]), epochs, checkpoint=path, resume=True)
...     return w.data
>>> train(epochs=2) != train(epochs=5)       # goes on after the second epoch
True
>>> resumed = train(epochs=5)                # is complete already: nothing happens
>>> path.unlink()
>>> train(epochs=5) == resumed               # from the start
True

Not in the file: the loss and the data, which you pass in again, and the state of callbacks.
"""

from __future__ import annotations

import copy
import json
import math
import os
from collections.abc import Iterable, Iterator, Sequence
from numbers import Integral
from os import PathLike
from pathlib import Path
from typing import Any, Protocol, TypedDict, runtime_checkable

from ..core.array import Data, as_data, numbers, shape_of
from ..core.value import Value
from ..optim import Optimizer
from ..optim.line_search import ClosureOptimizer
from .history import History

__all__ = ["Checkpointing", "Progress", "Stateful"]

FORMAT = "tinygrad_lr checkpoint 1"
LARGEST = 2**53  # of all counts: from here on the floats n and n + 1 may be the same


class Checkpointing(TypedDict, total=False):
    """Arguments of `minimize` that others pass on to it."""

    checkpoint: str | PathLike[str] | None
    every: int
    resume: bool


class Progress:
    """Where a run stands, in memory and in its file. Without a `path` nothing is written.

    `rows`: how many rows each batch of this epoch had that is done. Raises ValueError or
    FileNotFoundError for a path, `every` or `resume` that cannot work, before the first step.
    """

    def __init__(
        self,
        parameters: Sequence[Value],
        optimizer: Optimizer,
        batches: Iterable[tuple[Any, Any]],
        history: History,
        path: str | PathLike[str] | None = None,
        every: int = 1000,
        resume: bool = False,
    ) -> None:
        self.parameters, self.optimizer = parameters, optimizer
        self.batches, self.history = batches, history
        self.path, self.every = None if path is None else Path(path), every
        self.rows: list[int] = []
        if self.path is None:
            if resume:
                raise ValueError("minimize: resume=True needs checkpoint=, the file to resume from")
            return
        if not self.path.parent.is_dir():
            raise FileNotFoundError(f"there is no directory {self.path.parent} for the checkpoint")
        if not isinstance(every, Integral) or every < 1:
            raise ValueError(f"minimize: every is {every!r}; it must be at least 1 step")
        if resume and self.path.exists():
            self.restore(self.path)

    def rest_of_epoch(self) -> Iterator[tuple[Any, Any]]:
        """The batches of this epoch that are not done yet."""
        self.begun = state_of(self.batches)
        drawn = iter(self.batches)
        for place, expected in enumerate(self.rows):
            _, y = next(drawn, (None, ()))
            if len(y) != expected:
                raise ValueError(
                    f"batch {place + 1} had {expected} rows when the checkpoint was written, and "
                    f"has {len(y)}; resume with the same data and batch size, or delete the "
                    "checkpoint"
                )
        yield from drawn

    def finish_step(self, rows: int) -> None:
        """Count a batch of so many rows as done, and save after every so many steps."""
        self.rows.append(rows)
        if self.path is not None and self.history.steps % self.every == 0:
            self.write(self.path, self.begun)

    def save(self) -> None:
        """Save between two epochs."""
        if self.path is not None:
            self.write(self.path, state_of(self.batches))

    def write(self, path: Path, begun: Any) -> None:
        """Replace the checkpoint by a new one. The older one stays until this one is complete.

        `begun`: the state of the batches when the epoch began. Where a number is not finite
        nothing is written: the older checkpoint is of more use.
        """
        document = {
            "format": FORMAT,
            "parameters": [{"label": p.label, "data": p.tolist()} for p in self.parameters],
            "optimizer": self.optimizer.state_dict(),
            "batches": begun,
            "rows": self.rows,
            "history": vars(self.history),
        }
        try:
            text = json.dumps(document, allow_nan=False)
        except ValueError:
            return
        partial = path.with_name(path.name + ".partial")
        with open(partial, "w", encoding="utf-8") as file:
            file.write(text + "\n")
            file.flush()
            os.fsync(file.fileno())  # to the disk, before the name points to it
        os.replace(partial, path)
        if os.name == "posix":  # pragma: no branch (elsewhere a directory cannot be opened)
            directory = os.open(path.parent, os.O_RDONLY)
            try:
                os.fsync(directory)  # the new name, too
            finally:
                os.close(directory)

    def restore(self, path: Path) -> None:
        """Go back to where the checkpoint was written.

        Raises ValueError for a file that is not a checkpoint, or one of another training;
        nothing is changed then.
        """
        try:
            saved = json.loads(path.read_bytes(), parse_float=_finite, parse_constant=_finite)
            if not isinstance(saved, dict) or saved.get("format") != FORMAT:
                raise ValueError(f"it does not begin with the format {FORMAT!r}")
            datas = _checked_parameters(saved["parameters"], self.parameters)
            events = _checked_history(saved["history"], saved["rows"], self.history)
            _check_alike("the optimizer", saved["optimizer"], self.optimizer.state_dict())
            _check_alike("the batches", saved["batches"], state_of(self.batches))
            _try_out(self.optimizer, saved["optimizer"], dict(zip(self.parameters, datas)))
            if isinstance(self.batches, Stateful):
                self.batches.load_state_dict(saved["batches"])  # the last that may refuse
        except (
            ArithmeticError, AttributeError, LookupError, RecursionError, TypeError, ValueError,
        ) as error:  # fmt: skip
            what = f"it lacks {error}" if isinstance(error, KeyError) else error
            raise ValueError(f"{path} is no checkpoint of this training: {what}") from None
        self.optimizer.load_state_dict(saved["optimizer"])
        for p, data in zip(self.parameters, datas):
            p.data = data
        vars(self.history).update(events)
        self.rows = list(saved["rows"])


@runtime_checkable
class Stateful(Protocol):
    """Batches whose order changes from epoch to epoch, as `Batches`."""

    def state_dict(self) -> dict[str, Any]:
        """What the order of the next epoch depends on."""

    def load_state_dict(self, saved: dict[str, Any]) -> None:
        """Go on with that epoch."""


def state_of(batches: Any) -> dict[str, Any] | None:
    """The state of batches; None for those that have the same order in every epoch."""
    return batches.state_dict() if isinstance(batches, Stateful) else None


# ---- everything in the file is checked --------------------------------------------------------


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(f"it holds the number {text}")
    return number


def _checked_parameters(saved: Any, parameters: Sequence[Value]) -> list[Data]:
    """The numbers of each parameter."""
    if len(saved) != len(parameters):
        raise ValueError(f"it has {len(saved)} parameters, here are {len(parameters)}")
    datas = []
    for p, one in zip(parameters, saved):
        data = as_data(one["data"])
        there = one["label"], shape_of(data)
        if there != (p.label, p.shape):
            raise ValueError(
                "its parameter {!r} of shape {} stands where {!r} of shape {} is here".format(
                    *there, p.label, p.shape
                )
            )
        datas.append(data)
    return datas


def _checked_history(saved: Any, rows: Any, history: History) -> dict[str, Any]:
    """The fields of the history."""
    _check_alike("the history", saved, vars(history))
    for name, part in saved.items():
        if isinstance(part, list) and any(type(x) is not float for x in part):
            raise ValueError(f"{name} of its history holds what is no float")
    if len(saved["losses"]) != len(saved["gradient_norms"]):
        raise ValueError("its history has not as many losses as gradients")
    counts = type(rows) is list and all(type(n) is int and 0 < n <= LARGEST for n in rows)
    if not counts or len(rows) > len(saved["losses"]):
        raise ValueError("its rows do not fit its history")
    return dict(saved)


def _try_out(optimizer: Optimizer, saved: dict[str, Any], datas: dict[Value, Data]) -> None:
    """Let a copy of the optimizer take a step, to see that its state is complete.

    Optimizers that evaluate the loss themselves check what they load.
    """
    trial = copy.deepcopy(optimizer)
    trial.load_state_dict(saved)
    if isinstance(trial, ClosureOptimizer):
        return
    for p, original in zip(trial.parameters, optimizer.parameters):
        p.data = datas[original]
        p.grad = p.data * 0.0
    trial.step()
    moved = numbers(p.data for p in trial.parameters)
    if len(moved) < len(numbers(datas.values())) or not all(map(math.isfinite, moved)):
        raise ValueError("with this state of the optimizer the next step leads nowhere")


def _check_alike(what: str, saved: Any, now: Any) -> None:
    """The same names, values of the same types, and only numbers in lists and dicts."""
    if type(saved) is not type(now):
        raise ValueError(f"the state of {what} is {saved!r}")
    if now is None:
        return
    if saved.keys() != now.keys():
        raise ValueError(f"the state of {what} has {', '.join(saved)}, not {', '.join(now)}")
    for name, part in saved.items():
        if type(part) is not type(now[name]) and name != "lr":  # a number; None for a schedule
            raise ValueError(f"{name} of {what} is {part!r}, and here {now[name]!r}")
        if isinstance(part, (list, dict)):
            _check_numbers(f"{name} of {what}", part)


def _check_numbers(what: str, part: Any) -> None:
    """Only floats and counts, in lists and dicts of any depth."""
    for x in part.values() if isinstance(part, dict) else part:
        if isinstance(x, (list, dict)):
            _check_numbers(what, x)
        elif type(x) is not float and not (type(x) is int and 0 <= x <= LARGEST):
            raise ValueError(f"{what} holds {x!r}, which is no float and counts nothing")
