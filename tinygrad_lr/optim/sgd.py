"""Gradient descent: a step downhill, w <- w - lr * g, and momentum.

The gradient points uphill, so we go the other way. With the gradient of all rows this is batch
gradient descent, with that of one row at a time stochastic, with that of some rows mini-batch
gradient descent. The update is the same; `data.Batches` decides which rows the gradient sees.

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

All numbers of all parameters have the same rate. The optimizers in `adaptive` give each number
its own.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import InitVar, dataclass

from ..core.value import Value
from .optimizer import LearningRate, Optimizer, State, Vector, option

__all__ = ["SGD"]


@dataclass(eq=False, repr=False)
class SGD(Optimizer):
    """Gradient descent, with momentum if wanted.

        v <- momentum * v + (1 - dampening) * g        (the first v is g itself)
        w <- w - lr * v                                nesterov: w - lr * (g + momentum * v)

    Without momentum v is g. With it, steps in the same direction add up and steps to and fro
    cancel: a ball that rolls through a ravine instead of bouncing between its walls. As in
    PyTorch the rate multiplies the velocity from outside, and the gradient enters undamped.
    Polyak 1964; Nesterov 1983; Sutskever et al. 2013.
    """

    parameters: InitVar[Iterable[Value]]
    lr: LearningRate = LearningRate(1e-3)
    momentum: float = option(0.0)
    dampening: float = 0.0
    weight_decay: float = option(0.0)
    nesterov: bool = False
    maximize: bool = False

    def __post_init__(self, parameters: Iterable[Value]) -> None:
        super().__post_init__(parameters)
        if self.nesterov and (self.momentum == 0.0 or self.dampening != 0.0):
            raise ValueError("nesterov needs a momentum above 0 and a dampening of 0")

    def update(self, w: Vector, g: Vector, state: State, lr: float) -> Vector:
        """w - lr * g, or with momentum w - lr * v."""
        if self.momentum:
            v, m, damped = state.get("velocity"), self.momentum, 1.0 - self.dampening
            v = [m * a + damped * d for a, d in zip(v, g)] if v else g
            state["velocity"] = v
            g = [d + m * a for d, a in zip(g, v)] if self.nesterov else v
        return [x - lr * d for x, d in zip(w, g)]
