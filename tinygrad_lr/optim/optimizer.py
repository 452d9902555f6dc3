"""What all first-order optimizers share: walk the parameters, replace each by a better one.

    w <- w - lr * direction(gradient, memory of earlier gradients)

An optimizer is its `update`: from numbers, their gradient and what it remembers of earlier
ones, the new numbers. All are flat lists of floats, because to an optimizer a model is one
long vector: the numbers of all parameters, one parameter after the other, are updated in one
go. The memory is a dict; a list in it has a place for each number of w, anything else is one
number for all, so it can be saved as JSON. What all optimizers have in common happens
before: going uphill, weight decay, and counting t, the gradients so far. A parameter that no
gradient reaches stays and does not age; with those of its age it is updated when one does.

>>> import math
>>> from tinygrad_lr import Value
>>> from tinygrad_lr.optim import Optimizer
>>> class SignDescent(Optimizer):
...     def update(self, w, g, state, lr):
...         return [x - math.copysign(lr, d) for x, d in zip(w, g)]
>>> w = Value([1.0, 1.0])
>>> (w * [5.0, -0.1]).sum().backward()
>>> SignDescent([w], lr=0.25).step()
>>> w
Value([0.75, 1.25])

Letters, in code and formulas: w the numbers (x one of them), g their gradient (d one of
them), lr the learning rate, t the count above. Products, quotients and roots of w and g are
number by number. Optimizers that evaluate the loss themselves (`Newton`, `LBFGS`) step in
another way.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Iterable, Iterator
from itertools import accumulate
from numbers import Real
from typing import Any, NamedTuple

from ..core.array import from_flat
from ..core.value import Value

__all__ = ["Optimizer"]

Schedule = Callable[[int], float]


class Group(NamedTuple):
    """Parameters that have had all gradients together, and what is remembered of them."""

    parameters: list[Value]
    state: dict[str, Any]  # lists have a place for each number of each parameter


def _split(group: Group) -> Iterator[dict[str, Any]]:
    """What a group remembers of each parameter."""
    ends = list(accumulate(p.size for p in group.parameters))
    for start, end in zip([0, *ends], ends):
        yield {k: v[start:end] if isinstance(v, list) else v for k, v in group.state.items()}


def _joined(states: list[dict[str, Any]]) -> dict[str, Any]:
    """What is remembered of parameters of one age as the memory of a group."""
    return {
        k: [v for state in states for v in state[k]] if isinstance(first, list) else first
        for k, first in states[0].items()
    }


class Optimizer:
    """Base class. A subclass defines `update`, and stores its options before the first step.

    `parameters`: leaf Values. `lr`: the learning rate, a number, or a function from the
    number of steps already taken to a number (`optim.schedules`). `weight_decay`: adds
    weight_decay * w to each gradient, which is an L2 penalty of weight_decay / 2 * |w|^2.
    `maximize`: go uphill, as for a log-likelihood. Raises ValueError for an impossible
    option, TypeError where a parameter is no leaf.
    """

    decoupled_weight_decay = False  # True: w <- (1 - lr * weight_decay) * w instead, see AdamW

    def __init__(
        self,
        parameters: Iterable[Value],
        lr: float | Schedule,
        *,
        weight_decay: float = 0.0,
        maximize: bool = False,
    ) -> None:
        if isinstance(parameters, Value):
            raise TypeError("parameters are a list of Values; for a single one: [parameter]")
        self.parameters = list(parameters)
        if not self.parameters:
            raise ValueError("an optimizer needs at least one parameter")
        for p in self.parameters:
            if not isinstance(p, Value) or p.operation is not None:
                raise TypeError(f"a parameter is a leaf Value, made by Value(...); got {p!r}")
        if len(set(self.parameters)) < len(self.parameters):
            raise ValueError("the same parameter is given twice")
        self.lr = lr
        self.check(weight_decay=weight_decay)
        self.weight_decay = weight_decay
        self.maximize = maximize
        self.steps = 0
        self._idle = [False] * len(self.parameters)  # which had no gradient, last time
        self._groups = [Group(self.parameters, {})]

    @staticmethod
    def check(*, below: float = math.inf, **options: float) -> None:
        """Refuse an option outside [0, below), or one that is no number, by its name."""
        for name, option in options.items():
            if not isinstance(option, Real) or not 0.0 <= option < below:
                limit = "finite" if below == math.inf else f"below {below:g}"
                raise ValueError(f"{name} is {option!r}; it must be at least 0 and {limit}")

    @property
    def lr(self) -> float:
        """The learning rate of the next step; may be set to a number or a schedule."""
        if not callable(self._lr):
            return self._lr
        lr = float(self._lr(self.steps))
        self.check(lr=lr)
        return lr

    @lr.setter
    def lr(self, lr: float | Schedule) -> None:
        if not callable(lr):
            self.check(lr=lr)
            lr = float(lr)
        self._lr = lr

    def step(self) -> None:
        """Move every parameter that has a gradient. Reads `.grad`, replaces `.data`."""
        lr = self.lr
        idle = [p._grad is None for p in self.parameters]
        if idle != self._idle:
            self._regroup(self.states, idle)
        for parameters, state in self._groups:
            if parameters[0]._grad is None:
                continue
            state["t"] = state.get("t", 0) + 1
            w, g = _side_by_side(parameters)
            if self.weight_decay or self.maximize:
                w, g = self._decayed(w, g, lr)
            place(parameters, self.update(w, g, state, lr))
        if all(idle):
            warnings.warn(
                "step: no parameter has a gradient, so nothing moved; call loss.backward() first, "
                "and give the optimizer the parameters that the loss was computed from",
                stacklevel=2,
            )
        self.steps += 1

    @property
    def states(self) -> list[dict[str, Any]]:
        """What is remembered of each parameter, apart from the others."""
        states = {
            p: state for group in self._groups for p, state in zip(group.parameters, _split(group))
        }
        return [states[p] for p in self.parameters]

    def _regroup(self, states: list[dict[str, Any]], idle: list[bool]) -> None:
        """Put side by side the parameters of one age that have a gradient, or that have none."""
        groups: dict[str, list[tuple[Value, dict[str, Any]]]] = {}
        for p, state, without in zip(self.parameters, states, idle):
            age = sorted((k, [] if isinstance(v, list) else v) for k, v in state.items())
            groups.setdefault(repr((without, age)), []).append((p, state))
        self._idle = idle
        self._groups = [
            Group([p for p, _ in group], _joined([state for _, state in group]))
            for group in groups.values()
        ]

    def _decayed(
        self, w: list[float], g: list[float], lr: float
    ) -> tuple[list[float], list[float]]:
        """What the update sees: the gradient turned to go uphill, and with the weight decay."""
        decay = self.weight_decay
        if self.maximize:
            g = [-d for d in g]
        if decay and self.decoupled_weight_decay:
            kept = 1.0 - lr * decay
            w = [kept * x for x in w]
        elif decay:
            g = [d + decay * x for x, d in zip(w, g)]
        return w, g

    def update(
        self, w: list[float], g: list[float], state: dict[str, Any], lr: float
    ) -> list[float]:
        """The new numbers; `state` is what is remembered, at first {"t": 1}."""
        raise NotImplementedError

    def zero_grad(self) -> None:
        """Forget all gradients; call it once for each step, before backward."""
        for parameter in self.parameters:
            parameter._grad = None

    def state_dict(self) -> dict[str, Any]:
        """All that the next step depends on beside the parameters and options, JSON-able."""
        return {
            "optimizer": type(self).__name__,
            "lr": None if callable(self._lr) else self._lr,
            "steps": self.steps,
            "states": self.states,
        }

    def load_state_dict(self, saved: dict[str, Any]) -> None:
        """Continue where `state_dict` was taken. Raises ValueError if it is another's."""
        if saved.get("optimizer") != type(self).__name__:
            raise ValueError(
                f"this state belongs to {saved.get('optimizer')!r}, not to {type(self).__name__!r}"
            )
        if len(saved["states"]) != len(self.parameters):
            raise ValueError(
                f"this state has {len(saved['states'])} parameters, here are {len(self.parameters)}"
            )
        for parameter, state in zip(self.parameters, saved["states"]):
            for name, memory in state.items():
                if isinstance(memory, list) and len(memory) != parameter.size:
                    raise ValueError(
                        f"{name} has {len(memory)} numbers for a parameter of {parameter.size}"
                    )
                if name == "t" and (type(memory) is not int or memory < 0):
                    raise ValueError(f"t is {memory!r}; it counts the gradients so far")
        if saved["lr"] is not None and not callable(self._lr):  # a schedule is not replaced
            self.lr = saved["lr"]
        self.steps = saved["steps"]
        self._regroup(saved["states"], self._idle)

    def __repr__(self) -> str:
        return f"<{type(self).__name__}: {len(self.parameters)} parameters, {self.steps} steps>"


def _side_by_side(parameters: list[Value]) -> tuple[list[float], list[float]]:
    """The numbers of all parameters in one list, and their gradients in another."""
    w: list[float] = []
    g: list[float] = []
    for parameter in parameters:
        data, gradient = parameter._data, parameter._grad
        if type(data) is float:
            w.append(data)
            g.append(gradient)
        else:
            w += data.flat
            g += gradient.flat
    return w, g


def place(parameters: list[Value], w: list[float]) -> None:
    """Give each parameter its part of the numbers of all."""
    start = 0
    for parameter in parameters:
        data = parameter._data
        if type(data) is float:
            parameter.move(w[start])
            start += 1
        else:
            stop = start + len(data.flat)
            parameter.move(from_flat(w[start:stop], data.shape))
            start = stop
