"""Gradient descent: a step downhill, w <- w - lr * g; momentum, and an average of the path.

The gradient points uphill, so we go the other way. On all rows it is batch gradient
descent; on one row at a time stochastic, on some mini-batch gradient descent: the update
is the same, `data.Batches` decides which rows the gradient saw.

>>> from tinygrad_lr import Value
>>> w = Value(0.0)
>>> optimizer = SGD([w], lr=0.25)
>>> for _ in range(3):
...     optimizer.zero_grad()
...     ((w - 3.0) ** 2).backward()
...     optimizer.step()
...     print(w.data)
1.5
2.25
2.625

One rate serves all numbers of all parameters; `adaptive` is about giving each its own.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ..core.array import Data, from_flat
from ..core.value import Value
from .optimizer import Optimizer, Schedule

__all__ = ["ASGD", "SGD"]


class SGD(Optimizer):
    """Gradient descent, with momentum if wanted.

        v <- momentum * v + (1 - dampening) * g        (the first v is g itself)
        w <- w - lr * v                                nesterov: w - lr * (g + momentum * v)

    Without momentum v is g. With it, steps in one direction add up and steps to and fro
    cancel: a ball that rolls through a ravine instead of bouncing between its walls. The
    rate multiplies the velocity from outside and the gradient enters undamped, as in
    PyTorch. Polyak 1964; Nesterov 1983; Sutskever et al. 2013.
    """

    def __init__(
        self,
        parameters: Iterable[Value],
        lr: float | Schedule = 1e-3,
        momentum: float = 0.0,
        dampening: float = 0.0,
        weight_decay: float = 0.0,
        nesterov: bool = False,
        maximize: bool = False,
    ) -> None:
        super().__init__(parameters, lr, weight_decay=weight_decay, maximize=maximize)
        self.check(momentum=momentum)
        if nesterov and (momentum == 0.0 or dampening != 0.0):
            raise ValueError("nesterov needs a momentum above 0 and a dampening of 0")
        self.momentum, self.dampening, self.nesterov = momentum, dampening, nesterov

    def update(
        self, w: list[float], g: list[float], state: dict[str, Any], lr: float
    ) -> list[float]:
        """w - lr * g, or with momentum w - lr * v."""
        if self.momentum:
            v, m, damped = state.get("velocity"), self.momentum, 1.0 - self.dampening
            v = [m * a + damped * d for a, d in zip(v, g)] if v else g
            state["velocity"] = v
            g = [d + m * a for d, a in zip(g, v)] if self.nesterov else v
        return [x - lr * d for x, d in zip(w, g)]


class ASGD(Optimizer):
    """Averaged stochastic gradient descent: SGD, and the mean of the points it visited.

        w <- (1 - lambd * rate) * w - rate * g                  (the first rate is lr)
        average <- average + (w - average) / max(1, t - 1 - t0)
        rate <- lr / (1 + lambd * lr * t) ** alpha

    Adds to SGD: the average. Gradients of single rows keep w trembling around the minimum;
    the tremor averages out, so the mean of the w that were visited is a better answer than
    the last one, and large rates do no harm to it. Up to step t0 + 2 the average is w
    itself, on the way to the minimum (set t0: by default that is a million steps). It does
    not change the path; `averages` gives it. `lambd` is a weight decay by which the rate
    shrinks too; a schedule acts one step late, as in PyTorch. Polyak and Juditsky 1992;
    Bottou 2010 (the rate).
    """

    def __init__(
        self,
        parameters: Iterable[Value],
        lr: float | Schedule = 1e-2,
        lambd: float = 1e-4,
        alpha: float = 0.75,
        t0: float = 1e6,
        weight_decay: float = 0.0,
        *,
        maximize: bool = False,
    ) -> None:
        super().__init__(parameters, lr, weight_decay=weight_decay, maximize=maximize)
        self.check(lambd=lambd, alpha=alpha, t0=t0)
        self.lambd, self.alpha, self.t0 = lambd, alpha, t0

    def update(
        self, w: list[float], g: list[float], state: dict[str, Any], lr: float
    ) -> list[float]:
        """(1 - lambd * rate) * w - rate * g, and the average beside it."""
        t, rate = state["t"], state.get("rate", lr)
        kept, share = 1.0 - self.lambd * rate, 1.0 / max(1.0, t - 1 - self.t0)
        w = [kept * x - rate * d for x, d in zip(w, g)]
        average = state.get("average")
        if average and share < 1.0:
            state["average"] = [a + share * (x - a) for a, x in zip(average, w)]
        else:
            state["average"] = w
        state["rate"] = lr / (1.0 + self.lambd * lr * t) ** self.alpha
        return w

    def averages(self) -> list[Data]:
        """The averaged data of each parameter, in their order; its own before any step."""
        means = (state.get("average") for state in self.states)
        return [
            p.data if mean is None else from_flat(mean, p.shape) if p.shape else mean[0]
            for p, mean in zip(self.parameters, means)
        ]
