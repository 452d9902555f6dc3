"""Adam and its family: momentum and a rate for each number, from two means of the gradient.

    m <- b1 * m + (1 - b1) * g                  mean: where it points, without the noise
    s <- b2 * s + (1 - b2) * g * g              mean square: how large it usually is
    w <- w - lr * m / sqrt(s)

m / sqrt(s) is near 1 or -1 where the gradients agree, and near 0 where they are noise of either
sign. So lr is about the longest step, in the unit of w.

Both means start at 0, so they are too small at first: after t steps with the same g, m is
(1 - b1**t) * g. Dividing by that factor is the correction of the bias. With it the first step
is lr long, whatever the gradient:

>>> from tinygrad_lr import Value
>>> for slope in 1000.0, 0.001:
...     w = Value(0.0)
...     (slope * w).backward()
...     Adam([w], lr=0.5).step()
...     print(round(w.data, 4))
-0.5
-0.5

b1 and b2 are `betas`. Where nothing else is said, eps stands outside the root, and the root is
of the corrected s. The rate is outside both means, so a schedule acts at once.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import InitVar, dataclass, field
from math import sqrt

from ..core.value import Value
from .adaptive import TINY, mean, mean_square
from .optimizer import LearningRate, Optimizer, State, Vector, option

__all__ = ["Adam", "AdamW", "Adamax", "NAdam", "RAdam"]


@dataclass(eq=False, repr=False)
class Moments(Optimizer):
    """What the family shares: betas, eps, and the two means m and s (moments 1 and 2 of g)."""

    parameters: InitVar[Iterable[Value]]
    lr: LearningRate = LearningRate(1e-3)
    betas: tuple[float, float] = (0.9, 0.999)
    eps: float = option(1e-8)
    weight_decay: float = option(0.0)
    maximize: bool = field(default=False, kw_only=True)

    def __post_init__(self, parameters: Iterable[Value]) -> None:
        super().__post_init__(parameters)
        b1, b2 = self.betas
        self.check(below=1.0, beta1=b1, beta2=b2)

    def moments(self, g: Vector, state: State) -> tuple[Vector, Vector]:
        """m and s with this gradient in them, not yet corrected."""
        b1, b2 = self.betas
        return mean(state, "mean", g, b1), mean_square(state, "mean_square", g, b2)


@dataclass(eq=False, repr=False)
class Adam(Moments):
    """Momentum divided by the root mean square.

        m <- b1 * m + (1 - b1) * g
        s <- b2 * s + (1 - b2) * g * g
        w <- w - lr * m / (1 - b1**t) / (sqrt(s / (1 - b2**t)) + eps)

    Adds to RMSprop: the mean in place of the gradient, and the corrections. Unlike the velocity
    of SGD this mean is damped by 1 - b1, so the step does not grow with momentum. Kingma and Ba
    2015. With `amsgrad` s is replaced by the largest s so far, so that rates cannot grow again;
    this mends an example where Adam does not converge: Reddi, Kale and Kumar 2018. (The largest
    is taken before the correction, as in PyTorch.)
    """

    amsgrad: bool = False
    decoupled_weight_decay: bool = field(default=False, kw_only=True)

    def update(self, w: Vector, g: Vector, state: State, lr: float) -> Vector:
        """w - rate * m / (sqrt(s) / root + eps), where rate and root hold the corrections."""
        (b1, b2), t, eps = self.betas, state["t"], self.eps or TINY
        m, s = self.moments(g, state)
        if self.amsgrad:
            state["largest"] = s = list(map(max, state.get("largest", s), s))
        rate, root = lr / (1.0 - b1**t), sqrt(1.0 - b2**t)
        return [x - rate * a / (sqrt(b) / root + eps) for x, a, b in zip(w, m, s)]


@dataclass(eq=False, repr=False)
class AdamW(Adam):
    """Adam whose weight decay does not pass through the means.

        w <- (1 - lr * weight_decay) * w,  then Adam's step with the bare gradient

    Adds to Adam: the first factor. In Adam weight_decay * w is a part of g and is divided by
    sqrt(s) with it, so weights with large gradients hardly decay. Here all of them decay by the
    same factor. For plain SGD both are the same. Loshchilov and Hutter 2019 (the paper has no lr
    in that factor: divide its weight decay by lr).
    """

    weight_decay: float = option(1e-2)
    decoupled_weight_decay: bool = field(default=True, init=False)


@dataclass(eq=False, repr=False)
class Adamax(Moments):
    """Adam with the largest gradient in place of the root mean square.

        m <- b1 * m + (1 - b1) * g
        u <- max(b2 * u, |g| + eps)
        w <- w - lr / (1 - b1**t) * m / u

    Changes in Adam: u for sqrt(s). The square and the root become a p-th power and root, and p
    goes to infinity. What remains is a maximum that fades by b2, and it needs no correction. eps
    is inside the maximum. Kingma and Ba 2015, section 7.1.
    """

    lr: LearningRate = LearningRate(2e-3)

    def update(self, w: Vector, g: Vector, state: State, lr: float) -> Vector:
        """w - rate * m / u."""
        (b1, b2), eps = self.betas, self.eps or TINY
        m = mean(state, "mean", g, b1)
        u = state.get("largest") or [0.0] * len(g)
        state["largest"] = u = [max(abs(d) + eps, b2 * a) for a, d in zip(u, g)]
        rate = lr / (1.0 - b1 ** state["t"])
        return [x - rate * a / b for x, a, b in zip(w, m, u)]


@dataclass(eq=False, repr=False)
class NAdam(Moments):
    """Adam that looks ahead, as Nesterov's momentum does.

        mu(t) = b1 * (1 - 0.96**(t * momentum_decay) / 2),   M(t) = mu(1) * ... * mu(t)
        m, s as in Adam
        ahead = (1 - mu(t)) / (1 - M(t)) * g + mu(t+1) / (1 - M(t+1)) * m
        w <- w - lr * ahead / (sqrt(s / (1 - b2**t)) + eps)

    Adds to Adam: the present gradient once more, as if m had already made its next step (the
    `nesterov` of SGD), and a momentum mu that rises slowly from b1 / 2 to b1. Dozat 2016.
    `decoupled_weight_decay`: as in AdamW.
    """

    lr: LearningRate = LearningRate(2e-3)
    momentum_decay: float = option(4e-3)
    decoupled_weight_decay: bool = False

    def momentum(self, t: int) -> float:
        """mu(t)."""
        missing: float = 0.5 * 0.96 ** (t * self.momentum_decay)
        return self.betas[0] * (1.0 - missing)

    def update(self, w: Vector, g: Vector, state: State, lr: float) -> Vector:
        """w - (now * g + ahead * m) / (sqrt(s) / root + eps)."""
        t, eps = state["t"], self.eps or TINY
        m, s = self.moments(g, state)
        mu, next_mu = self.momentum(t), self.momentum(t + 1)
        product = state["momentum_product"] = state.get("momentum_product", 1.0) * mu
        now = lr * (1.0 - mu) / (1.0 - product)
        ahead = lr * next_mu / (1.0 - product * next_mu)
        root = sqrt(1.0 - self.betas[1] ** t)
        return [
            x - (now * d + ahead * a) / (sqrt(b) / root + eps) for x, d, a, b in zip(w, g, m, s)
        ]


@dataclass(eq=False, repr=False)
class RAdam(Moments):
    """Adam that does not divide by s before s is known well enough.

        n_max = 2 / (1 - b2) - 1,   n = n_max - 2 * t * b2**t / (1 - b2**t)
        m, s as in Adam
        w <- w - lr * m / (1 - b1**t)                                       while n <= 5
        w <- w - lr * m / (1 - b1**t) * r * sqrt(1 - b2**t) / (sqrt(s) + eps)     after
        r = sqrt((n - 4) * (n - 2) * n_max / ((n_max - 4) * (n_max - 2) * n))

    Adds to Adam: a warm-up that follows from the statistics. s is a mean of about n squares; if
    these are few, 1 / sqrt(s) varies wildly. r, below 1, shortens the step as far as its variance
    is above the final one. At n <= 4 that variance is infinite, so up to 5, to be safe, the step
    is momentum alone. eps is added before the correction of s, not after it as in Adam. Liu et
    al. 2020. `decoupled_weight_decay`: as in AdamW.
    """

    decoupled_weight_decay: bool = False

    def update(self, w: Vector, g: Vector, state: State, lr: float) -> Vector:
        """w - rate * m, later w - rate * r * root * m / (sqrt(s) + eps)."""
        (b1, b2), t, eps = self.betas, state["t"], self.eps or TINY
        m, s = self.moments(g, state)
        rate, bias = lr / (1.0 - b1**t), 1.0 - b2**t
        n_max = 2.0 / (1.0 - b2) - 1.0
        n = n_max - 2.0 * t * b2**t / bias
        if n <= 5.0:
            return [x - rate * a for x, a in zip(w, m)]
        r = sqrt((n - 4.0) * (n - 2.0) * n_max / ((n_max - 4.0) * (n_max - 2.0) * n))
        rate *= r * sqrt(bias)
        return [x - rate * a / (sqrt(b) + eps) for x, a, b in zip(w, m, s)]
