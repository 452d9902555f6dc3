"""What first-order optimizers share: go through the parameters and replace each by a better one.

    w <- w - lr * direction(gradient, memory of earlier gradients)

An optimizer is its method `update`: from the numbers, their gradient and what it remembers of
earlier gradients, it computes the new numbers. All of them are flat lists of floats, because to
an optimizer a model is one long vector: the numbers of all parameters, one parameter after the
other. They are updated together. The memory is a dict that JSON can hold: a list in it has an
entry for each number of w, anything else is one entry for all. The base class does what all have
in common: going uphill, weight decay, and t, the count of gradients so far. A parameter without a
gradient stays where it is and does not age.

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

The optimizers of this folder are dataclasses: the options stand at the top of the class, in the
order in which they are given, each with its default and, by `option`, the limit it must be below.

Letters, in code and formulas: w the numbers (x one of them), g their gradient (d one of them),
lr the learning rate, t the count above. Products, quotients and roots of w and g are taken
number by number. Optimizers that evaluate the loss themselves (`Newton`, `LBFGS`) have another
`step`, see `line_search`.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Iterable, Iterator
from dataclasses import field
from itertools import accumulate
from numbers import Real
from typing import Any, NamedTuple, TypeAlias

from ..core.array import from_flat
from ..core.value import Value

__all__ = ["LearningRate", "Optimizer", "Schedule", "State", "Vector", "option"]

Schedule: TypeAlias = Callable[[int], float]
Vector: TypeAlias = list[float]
State: TypeAlias = dict[str, Any]


def option(default: float, below: float = math.inf) -> Any:
    """An option of an optimizer, for a dataclass: a number from 0 to below this limit."""
    return field(default=default, metadata={"below": below})


class LearningRate:
    """The option `lr`: set to a number or a schedule, it reads as the rate of the next step.

    A descriptor: Python calls `__get__` for `optimizer.lr`, `__set__` for `optimizer.lr = 0.1`.
    """

    def __init__(self, default: float) -> None:
        self.default = default

    def __get__(self, optimizer: Optimizer | None, kind: type | None = None) -> float:
        if optimizer is None:  # a dataclass asks the class for the default
            return self.default
        if not callable(optimizer._lr):
            return optimizer._lr
        lr = float(optimizer._lr(optimizer.steps))
        Optimizer.check(lr=lr)
        return lr

    def __set__(self, optimizer: Optimizer, lr: float | Schedule) -> None:
        if not callable(lr):
            Optimizer.check(lr=lr)
            lr = float(lr)
        optimizer._lr = lr


class Group(NamedTuple):
    """Parameters that have had all gradients together, and what is remembered of them."""

    parameters: list[Value]
    state: State  # lists have an entry for each number of each parameter

    def split(self) -> Iterator[State]:
        """What is remembered of each parameter."""
        ends = list(accumulate(p.size for p in self.parameters))
        for start, end in zip([0, *ends], ends):
            yield {k: v[start:end] if isinstance(v, list) else v for k, v in self.state.items()}

    @classmethod
    def joined(cls, members: list[tuple[Value, State]]) -> Group:
        """The group of parameters of the same age, each with what is remembered of it."""
        (_, first), *_ = members
        return cls(
            [p for p, _ in members],
            {
                k: [v for _, state in members for v in state[k]] if isinstance(one, list) else one
                for k, one in first.items()
            },
        )


class Optimizer:
    """Base class. A subclass defines `update`.

    `parameters`: leaf Values. `lr`: the learning rate, a number, or a function from the number
    of steps already taken to a number (`optim.schedules`). `weight_decay`: adds weight_decay * w
    to each gradient, which is an L2 penalty of weight_decay / 2 * |w|^2. `maximize`: go uphill,
    as for a log-likelihood. Raises ValueError for an impossible option, TypeError where a
    parameter is not a leaf.
    """

    lr = LearningRate(1e-3)
    _lr: float | Schedule  # as it was set
    parameters: list[Value]
    weight_decay: float = 0.0
    maximize: bool = False
    decoupled_weight_decay: bool = False  # w <- (1 - lr * weight_decay) * w instead, see AdamW

    def __init__(
        self,
        parameters: Iterable[Value],
        lr: float | Schedule,
        *,
        weight_decay: float = 0.0,
        maximize: bool = False,
    ) -> None:
        self.check(weight_decay=weight_decay)
        self.lr, self.weight_decay, self.maximize = lr, weight_decay, maximize
        self.__post_init__(parameters)

    def __post_init__(self, parameters: Iterable[Value]) -> None:
        """Check the parameters and options; a dataclass calls this when its options are set."""
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
        for name, declared in getattr(self, "__dataclass_fields__", {}).items():
            if "below" in declared.metadata:
                self.check(below=declared.metadata["below"], **{name: getattr(self, name)})
        self.steps = 0
        self._idle = [False] * len(self.parameters)  # which had no gradient in the last step
        self._groups = [Group(self.parameters, {})]

    @staticmethod
    def check(*, below: float = math.inf, **options: float) -> None:
        """Raise ValueError for an option outside [0, below), or one that is not a number."""
        for name, option in options.items():
            if not isinstance(option, Real) or not 0.0 <= option < below:
                limit = "finite" if below == math.inf else f"below {below:g}"
                raise ValueError(f"{name} is {option!r}; it must be at least 0 and {limit}")

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
            w, g = numbers_and_gradients(parameters)
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

    def _decayed(self, w: Vector, g: Vector, lr: float) -> tuple[Vector, Vector]:
        """The numbers and gradients for `update`, with `maximize` and weight decay in them."""
        decay = self.weight_decay
        if self.maximize:
            g = [-d for d in g]
        if decay and self.decoupled_weight_decay:
            w = [(1.0 - lr * decay) * x for x in w]
        elif decay:
            g = [d + decay * x for x, d in zip(w, g)]
        return w, g

    def update(self, w: Vector, g: Vector, state: State, lr: float) -> Vector:
        """The new numbers. `state` is what is remembered, at first {"t": 1}."""
        raise NotImplementedError

    @property
    def states(self) -> list[State]:
        """What is remembered of each parameter, in their order."""
        states = {p: s for group in self._groups for p, s in zip(group.parameters, group.split())}
        return [states[p] for p in self.parameters]

    def _regroup(self, states: list[State], idle: list[bool]) -> None:
        """Group the parameters of one age that have a gradient, and those that have none."""
        groups: dict[str, list[tuple[Value, State]]] = {}
        for p, state, without in zip(self.parameters, states, idle):
            age = sorted((k, [] if isinstance(v, list) else v) for k, v in state.items())
            groups.setdefault(repr((without, age)), []).append((p, state))
        self._idle = idle
        self._groups = list(map(Group.joined, groups.values()))

    def zero_grad(self) -> None:
        """Forget all gradients. Call it once for each step, before backward."""
        for parameter in self.parameters:
            parameter._grad = None

    def state_dict(self) -> State:
        """What the next step depends on besides the parameters and options; JSON can hold it."""
        return {
            "optimizer": type(self).__name__,
            "lr": None if callable(self._lr) else self._lr,
            "steps": self.steps,
            "states": self.states,
        }

    def load_state_dict(self, saved: State) -> None:
        """Go on from a `state_dict`. Raises ValueError for that of another optimizer."""
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


def numbers_and_gradients(parameters: list[Value]) -> tuple[Vector, Vector]:
    """The numbers of all parameters in one list, their gradients in another."""
    w: Vector = []
    g: Vector = []
    for parameter in parameters:
        data, gradient = parameter._data, parameter._grad
        if type(data) is float:
            w.append(data)
            g.append(gradient)
        else:
            w += data.flat
            g += gradient.flat
    return w, g


def place(parameters: list[Value], w: Vector) -> None:
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
