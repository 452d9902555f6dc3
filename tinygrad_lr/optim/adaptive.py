"""A learning rate for each number: large where its gradients are small, and vice versa.

    w <- w - lr * g / (size of the gradients that this number has had)

Write a feature in metres instead of kilometres, and its best weight is a thousandth of what it
was. But its gradients are a thousand times larger, so a step of SGD is a million times too long.
Divided by its size the gradient gives only the direction: all steps have the same length, and
this one is too long by a factor of a thousand, no more. (`Newton` gets it right.)

>>> from tinygrad_lr import Value
>>> from tinygrad_lr.optim import SGD
>>> for optimizer in SGD, Adagrad:
...     w = Value([0.0, 0.0])
...     (w * [1000.0, 1.0]).sum().backward()
...     optimizer([w], lr=0.5).step()
...     print(optimizer.__name__, [round(x, 9) for x in w.tolist()])
SGD [-500.0, -0.5]
Adagrad [-0.5, -0.5]

The optimizers differ in what "size" means: the root of the sum of all squares (Adagrad), or of a
mean that forgets (RMSprop, Adadelta). Rprop ignores the size and follows the sign. `adam` adds
momentum.

eps keeps the quotient finite where all gradients were 0. It stands outside the root, as in
sqrt(s) + eps, except in Adadelta: sqrt(s + eps). eps=0 is allowed; a number without gradients
then stays where it is. All averages start at 0.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable
from dataclasses import InitVar, dataclass, field
from math import sqrt

from ..core.value import Value
from .optimizer import LearningRate, Optimizer, State, Vector, option

__all__ = ["Adadelta", "Adagrad", "RMSprop", "Rprop", "mean", "mean_square"]

TINY = sys.float_info.min  # instead of eps=0: too small to change a root, but 0 / TINY is 0


def mean(state: State, name: str, terms: Vector, decay: float) -> Vector:
    """state[name] <- decay * state[name] + (1 - decay) * terms: a mean that forgets.

    Half of its weight lies on the last log(1/2) / log(decay) terms: 7 for 0.9, 693 for 0.999.
    """
    old, fresh = state.get(name) or [0.0] * len(terms), 1.0 - decay
    state[name] = new = [decay * a + fresh * d for a, d in zip(old, terms)]
    return new


def mean_square(state: State, name: str, terms: Vector, decay: float) -> Vector:
    """state[name] <- decay * state[name] + (1 - decay) * terms * terms."""
    old, fresh = state.get(name) or [0.0] * len(terms), 1.0 - decay
    state[name] = new = [decay * a + fresh * d * d for a, d in zip(old, terms)]
    return new


@dataclass(eq=False, repr=False)
class Adagrad(Optimizer):
    """Divide by the root of the sum of all squared gradients.

        s <- s + g * g                                 (starts at initial_accumulator_value)
        w <- w - lr / (1 + (t - 1) * lr_decay) * g / (sqrt(s) + eps)

    Adds to SGD: s, and the division. A rare feature, whose gradient is mostly 0, keeps a large
    rate for the rows in which it appears. The sum never shrinks, so rates fall like 1 / sqrt(t).
    That is right for a convex loss, and too soon where the way is long. Duchi, Hazan and
    Singer 2011.
    """

    parameters: InitVar[Iterable[Value]]
    lr: LearningRate = LearningRate(1e-2)
    lr_decay: float = option(0.0)
    weight_decay: float = option(0.0)
    initial_accumulator_value: float = option(0.0)
    eps: float = option(1e-10)
    maximize: bool = field(default=False, kw_only=True)

    def update(self, w: Vector, g: Vector, state: State, lr: float) -> Vector:
        """w - rate * g / (sqrt(s) + eps)."""
        s = state.get("sum_of_squares") or [self.initial_accumulator_value] * len(g)
        state["sum_of_squares"] = s = [a + d * d for a, d in zip(s, g)]
        rate, eps = lr / (1.0 + (state["t"] - 1) * self.lr_decay), self.eps or TINY
        return [x - rate * d / (sqrt(a) + eps) for x, d, a in zip(w, g, s)]


@dataclass(eq=False, repr=False)
class RMSprop(Optimizer):
    """Divide by the root of the mean of squared gradients, a mean that forgets.

        s <- alpha * s + (1 - alpha) * g * g
        step = g / (sqrt(s) + eps)
        w <- w - lr * step

    Adds to Adagrad: forgetting, so that the rate recovers when gradients get small. With
    `momentum` the steps are collected in a velocity, as in SGD: v <- momentum * v + step,
    w <- w - lr * v; the rate multiplies it from outside. `centered` divides by the standard
    deviation instead, sqrt(s - m * m), where m is the mean of g. (TensorFlow has eps inside
    the root.) Tieleman and Hinton 2012, lecture 6e; Graves 2013 (centered).
    """

    parameters: InitVar[Iterable[Value]]
    lr: LearningRate = LearningRate(1e-2)
    alpha: float = option(0.99, below=1.0)
    eps: float = option(1e-8)
    weight_decay: float = option(0.0)
    momentum: float = option(0.0)
    centered: bool = False
    maximize: bool = field(default=False, kw_only=True)

    def update(self, w: Vector, g: Vector, state: State, lr: float) -> Vector:
        """w - lr * g / (sqrt(s) + eps), or with momentum w - lr * v."""
        s, eps = mean_square(state, "mean_square", g, self.alpha), self.eps or TINY
        if self.centered:
            m = mean(state, "mean", g, self.alpha)
            # A variance; only rounding makes it negative, which is NaN in PyTorch.
            s = [max(a - b * b, 0.0) for a, b in zip(s, m)]
        step = [d / (sqrt(a) + eps) for d, a in zip(g, s)]
        if self.momentum:
            v, momentum = state.get("velocity"), self.momentum
            state["velocity"] = step = [momentum * a + d for a, d in zip(v, step)] if v else step
        return [x - lr * d for x, d in zip(w, step)]


@dataclass(eq=False, repr=False)
class Adadelta(Optimizer):
    """Multiply by the size of earlier steps too, so that the step has the unit of w.

        s <- rho * s + (1 - rho) * g * g
        step = sqrt(r + eps) / sqrt(s + eps) * g
        r <- rho * r + (1 - rho) * step * step
        w <- w - lr * step

    Adds to RMSprop: r, the mean square of the steps. If w is in metres, g is in 1/metres and
    g / sqrt(s) has no unit; only the factor sqrt(r) makes metres of it. So lr is a pure number,
    1 by default. The first steps are about sqrt(eps) long: here eps is what gets things going,
    and it stands inside both roots. Zeiler 2012.
    """

    parameters: InitVar[Iterable[Value]]
    lr: LearningRate = LearningRate(1.0)
    rho: float = option(0.9, below=1.0)
    eps: float = option(1e-6)
    weight_decay: float = option(0.0)
    maximize: bool = field(default=False, kw_only=True)

    def update(self, w: Vector, g: Vector, state: State, lr: float) -> Vector:
        """w - lr * sqrt(r + eps) / sqrt(s + eps) * g."""
        s, eps = mean_square(state, "mean_square", g, self.rho), self.eps or TINY
        r = state.get("mean_square_step") or [0.0] * len(g)
        step = [sqrt((b + eps) / (a + eps)) * d for a, b, d in zip(s, r, g)]
        mean_square(state, "mean_square_step", step, self.rho)
        return [x - lr * d for x, d in zip(w, step)]


@dataclass(eq=False, repr=False)
class Rprop(Optimizer):
    """Resilient propagation: use only the sign of the gradient, and a step size for each number.

        size <- size * (etas[1] if g has kept its sign, etas[0] if it has changed it),
                within step_sizes                      (the first size is lr)
        g    <- 0 where it has changed its sign        (also for the comparison next time)
        w    <- w - size * sign(g)

    A changed sign says that a minimum was jumped over: shorter steps, and this once none.
    Otherwise the steps get longer. How steep it is does not matter, so this is for exact
    gradients, of all rows; in mini-batches the signs are noise (RMSprop was made as the Rprop
    for these). A schedule as lr is asked once, for the first size. Riedmiller and Braun 1993.
    """

    parameters: InitVar[Iterable[Value]]
    lr: LearningRate = LearningRate(1e-2)
    etas: tuple[float, float] = (0.5, 1.2)
    step_sizes: tuple[float, float] = (1e-6, 50.0)
    maximize: bool = field(default=False, kw_only=True)

    def __post_init__(self, parameters: Iterable[Value]) -> None:
        super().__post_init__(parameters)
        (shrink, grow), (least, most) = self.etas, self.step_sizes
        if not 0.0 < shrink < 1.0 < grow:
            raise ValueError(
                f"etas are {self.etas}; the first must be in (0, 1), the second above 1"
            )
        if not 0.0 <= least <= most:
            raise ValueError(
                f"step_sizes are {self.step_sizes}; they must be at least 0, and in order"
            )

    def update(self, w: Vector, g: Vector, state: State, lr: float) -> Vector:
        """w - size * sign(g)."""
        (shrink, grow), (least, most) = self.etas, self.step_sizes
        previous = state.get("previous") or [0.0] * len(g)
        sizes = state.get("sizes") or [lr] * len(g)
        signs = [d * p for d, p in zip(g, previous)]  # above 0: the same sign as before
        factors = [grow if s > 0.0 else shrink if s < 0.0 else 1.0 for s in signs]
        sizes = [min(max(a * f, least), most) for a, f in zip(sizes, factors)]
        g = [0.0 if s < 0.0 else d for d, s in zip(g, signs)]
        state["sizes"], state["previous"] = sizes, g
        return [x - a if d > 0.0 else x + a if d < 0.0 else x for x, d, a in zip(w, g, sizes)]
