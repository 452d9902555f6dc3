"""Averaged stochastic gradient descent: SGD, and the mean of the points it visits.

Gradients of single rows keep w moving around the minimum. The movement averages out, so the mean
of the points is a better answer than the last one:

>>> import random
>>> from tinygrad_lr import Value
>>> noise = random.Random(0)
>>> w = Value(0.0)
>>> optimizer = ASGD([w], lr=0.5, lambd=0.0, t0=10)
>>> for _ in range(1000):
...     w.grad = w.data - 3.0 + noise.gauss(0.0, 1.0)    # of (w - 3)**2 / 2, and noise
...     optimizer.step()
>>> round(w.data, 2), round(optimizer.averages()[0], 2)
(2.6, 2.98)
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import InitVar, dataclass, field

from ..core.array import Data, from_flat
from ..core.value import Value
from .optimizer import LearningRate, Optimizer, State, Vector, option

__all__ = ["ASGD"]


@dataclass(eq=False, repr=False)
class ASGD(Optimizer):
    """SGD, and beside it the mean of the points on the way.

        w <- (1 - lambd * rate) * w - rate * g                  (the first rate is lr)
        average <- average + (w - average) / max(1, t - 1 - t0)
        rate <- lr / (1 + lambd * lr * t) ** alpha

    Adds to SGD: the average. It does not change the path, and large rates do it no harm;
    `averages` returns it. Up to step t0 + 2 the average is w itself, which is still on its way
    to the minimum (set t0: by default that is a million steps). `lambd` is a weight decay that
    makes the rate shrink too. A schedule acts one step late, as in PyTorch. Polyak and Juditsky
    1992; Bottou 2010 (the rate).
    """

    parameters: InitVar[Iterable[Value]]
    lr: LearningRate = LearningRate(1e-2)
    lambd: float = option(1e-4)
    alpha: float = option(0.75)
    t0: float = option(1e6)
    weight_decay: float = option(0.0)
    maximize: bool = field(default=False, kw_only=True)

    def update(self, w: Vector, g: Vector, state: State, lr: float) -> Vector:
        """(1 - lambd * rate) * w - rate * g, and the average beside it."""
        t, rate = state["t"], state.get("rate", lr)
        shrink, share = 1.0 - self.lambd * rate, 1.0 / max(1.0, t - 1 - self.t0)
        w = [shrink * x - rate * d for x, d in zip(w, g)]
        average = state.get("average")
        if average and share < 1.0:
            state["average"] = [a + share * (x - a) for a, x in zip(average, w)]
        else:
            state["average"] = w
        state["rate"] = lr / (1.0 + self.lambd * lr * t) ** self.alpha
        return w

    def averages(self) -> list[Data]:
        """The averaged data of each parameter, in their order; before any step its own data."""
        means = (state.get("average") for state in self.states)
        return [
            p.data if mean is None else from_flat(mean, p.shape) if p.shape else mean[0]
            for p, mean in zip(self.parameters, means)
        ]
