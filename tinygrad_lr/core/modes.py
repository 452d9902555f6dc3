"""Modes: what operations do beside computing, while a `with` block lasts.

    with no_grad():            results do not remember how they were made
    with detect_anomaly():     the first number that is not finite is an error, with a name

>>> from tinygrad_lr import Value, log
>>> with no_grad():
...     y = Value(2.0) * 3.0
>>> y                            # not made by multiply: a leaf
Value(6.0)
>>> with detect_anomaly():
...     log(Value(0.0))
Traceback (most recent call last):
FloatingPointError: the output of log has the element -inf; its inputs were Value(0.0)

The other two are for the machinery: transforms differentiate inside functions that are being
differentiated (`calculus`), and source code wants to see comparisons too (`graph`). A mode
holds in its own thread and task, like all that is kept in a ContextVar.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, NamedTuple

from .array import Data, flat_of, is_finite

if TYPE_CHECKING:
    from contextlib import _GeneratorContextManager as Block  # for `with`, or a decorator

__all__ = [
    "Mode",
    "check_finite",
    "current_mode",
    "detect_anomaly",
    "mode",
    "mode_or_none",
    "no_grad",
]


class Mode(NamedTuple):
    """How operations on Values behave in a context."""

    recording: bool = True  # results remember their inputs
    anomaly: bool = False  # the first number that is not finite is an error
    nested: bool = False  # inside a function that a transform differentiates
    tracing: bool = False  # comparisons are recorded too, for source code


ORDINARY = Mode()
_mode: ContextVar[Mode | None] = ContextVar("mode", default=None)  # None: ORDINARY, but faster
mode_or_none = _mode.get  # what every operation asks, so without a detour


def current_mode() -> Mode:
    """The mode in force here."""
    return _mode.get() or ORDINARY


@contextmanager
def mode(**changes: bool) -> Iterator[None]:
    """Operate in another mode inside this block."""
    token = _mode.set(current_mode()._replace(**changes))
    try:
        yield
    finally:
        _mode.reset(token)


def no_grad() -> Block[None]:
    """Inside `with no_grad():` (or under the decorator `@no_grad()`) nothing is remembered.

    Results are leaves: as fast as it gets for predictions, and nothing is kept alive.
    """
    return mode(recording=False)


def detect_anomaly() -> Block[None]:
    """Inside this block or function, the first number that is not finite is an error.

    FloatingPointError names the operation whose output or gradient it was, with its
    label and its inputs.
    """
    return mode(anomaly=True)


def check_finite(data: Data, what: str, inputs: tuple[Any, ...]) -> None:
    """Raise the error of `detect_anomaly` where one of these numbers is not finite."""
    if not is_finite(data):
        bad = next(v for v in flat_of(data) if not math.isfinite(v))
        made_of = ", ".join(map(repr, inputs))
        raise FloatingPointError(f"{what} has the element {bad}; its inputs were {made_of}")
