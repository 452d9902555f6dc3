"""Gradient descent: a step downhill, w <- w - lr * g, and momentum.

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
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ..value import Value
from .optimizer import Optimizer, Schedule

__all__ = ["SGD"]


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
