"""L-BFGS: Newton's direction without the Hessian, from the last few steps alone.

A step s changed the gradient by y. So along s the Hessian H is known: H s is about y. BFGS
builds its inverse out of such pairs; L-BFGS, L for limited memory, keeps the last few of
them, and never the matrix: all that is needed of it is its product with the gradient.

>>> from tinygrad_lr import Value
>>> x, y = Value(-1.2), Value(1.0)
>>> def rosenbrock():                         # a curved valley; its lowest point is (1, 1)
...     return (1.0 - x) ** 2 + 100.0 * (y - x * x) ** 2
>>> optimizer = LBFGS([x, y], max_iter=100)
>>> round(optimizer.step(rosenbrock), 3), round(x.data, 6), round(y.data, 6)
(24.2, 1.0, 1.0)
>>> optimizer.stop_reason
'no number of the gradient is larger than 1e-10'

Gradient descent needs thousands of steps here. Each step of `LBFGS` is many of its own
iterations; the line search of each is in `line_search`.
"""

from __future__ import annotations

import math
import operator
from collections import deque
from collections.abc import Iterable
from dataclasses import KW_ONLY, InitVar, dataclass

from ..core.array import numbers
from ..core.value import Value
from .line_search import Closure, ClosureOptimizer, Trial, strong_wolfe
from .linear import dot, moved
from .optimizer import LearningRate, State, Vector, option

__all__ = ["LBFGS"]


@dataclass(eq=False, repr=False)
class LBFGS(ClosureOptimizer):
    """Multiply the gradient by an inverse Hessian that a few pairs (s, y) tell of.

    s is a step that was made, y the change of the gradient by it, rho = 1 / (s . y). If G is
    the inverse Hessian that the older pairs tell of, the pair makes of it, for any vector g,

        alpha = rho * (s . g)
        q = g - alpha * y                   without the pair's direction
        r = G q                             what the older pairs say
        r + (alpha - rho * (y . r)) * s     and the pair's direction again: G y = s

    and before the oldest pair G q is (s . y) / (y . y) * q, with the newest s and y. Going
    from the newest pair to the oldest and back gives d = G g ("two-loop recursion"), then

        w <- w - step * d                   step: from lr on, by the strong Wolfe conditions

    These make s . y positive, and so G positive definite and -d downhill. Adds to Newton:
    any start will do, and no second derivative is needed. Price, for n numbers in all
    parameters and m = `history_size` pairs: 2 m n numbers of memory; an iteration costs
    6 m n multiplications and mostly one gradient. Nocedal 1980; Liu and Nocedal 1989;
    Nocedal and Wright 2006, algorithms 7.4 and 7.5.

    One call of `step` makes up to `max_iter` iterations, less if no number of the gradient
    is larger than `tolerance_grad` or no step lowers the loss; `stop_reason` then says
    which. Names are PyTorch's; its tolerance of 1e-7 is for floats of 7 digits, ours have 16.
    """

    parameters: InitVar[Iterable[Value]]
    lr: LearningRate = LearningRate(1.0)
    max_iter: int = option(20)
    _: KW_ONLY
    tolerance_grad: float = option(1e-10)
    history_size: int = option(10)

    def __post_init__(self, parameters: Iterable[Value]) -> None:
        super().__post_init__(parameters)
        self.max_iter = operator.index(self.max_iter)
        self.pairs: deque[tuple[Vector, Vector]] = deque(maxlen=self.history_size)

    def advance(self, closure: Closure, w: Vector) -> float:
        """Up to max_iter times w - step * d."""
        loss, g = self.start(closure)
        now = Trial(0.0, w, loss, g, 0.0)
        for _ in range(self.max_iter):
            if max(map(abs, now.g), default=0.0) <= self.tolerance_grad:
                self.stop_reason = (
                    f"no number of the gradient is larger than {self.tolerance_grad:g}"
                )
                break
            found = self.search(closure, now)
            if found.step == 0.0 and self.pairs:  # the pairs mislead; without them it is -g
                self.pairs.clear()
                found = self.search(closure, now)
            if found.step == 0.0:
                self.stop_reason = "no step downhill along the gradient lowers the loss"
                break
            self.remember(moved(found.w, -1.0, now.w), moved(found.g, -1.0, now.g))
            now = found
        self.put(now.w)
        return loss

    def search(self, closure: Closure, now: Trial) -> Trial:
        """The trial that the line search along -d ends with; its step is 0 if it found none."""
        direction = [-x for x in self.times_inverse_hessian(now.g)]
        first = self.lr
        if not self.pairs:  # no curvature is known: a step of length lr at most
            first *= min(1.0, 1.0 / sum(map(abs, now.g)))

        def tried(step: float) -> Trial:
            w = moved(now.w, step, direction)
            self.put(w)
            loss, gradients = self.loss_and_gradient(closure)
            g = numbers(gradients)
            slope = dot(g, direction)
            finite = math.isfinite(loss) and math.isfinite(slope)
            return Trial(step, w, loss if finite else math.inf, g, slope)

        return strong_wolfe(tried, now._replace(step=0.0, slope=dot(now.g, direction)), first)

    def times_inverse_hessian(self, g: Vector) -> Vector:
        """d = G g, by the two loops; g itself as long as there are no pairs."""
        alphas = []
        for s, y in reversed(self.pairs):
            alpha = dot(s, g) / dot(s, y)
            g = moved(g, -alpha, y)
            alphas.append(alpha)
        if self.pairs:
            s, y = self.pairs[-1]
            scale = dot(s, y) / dot(y, y)
            g = [scale * x for x in g]
        for (s, y), alpha in zip(self.pairs, reversed(alphas)):
            g = moved(g, alpha - dot(y, g) / dot(s, y), s)
        return g

    def remember(self, s: Vector, y: Vector) -> None:
        """Keep the pair if the loss curves upwards along s, beyond doubt.

        That is where y is not nearly orthogonal to s: for an s . y of rounding alone, or
        below 0 where a search ended early, G would be no inverse of a bowl.
        """
        if dot(s, y) > 1e-10 * math.sqrt(dot(s, s) * dot(y, y)) > 0.0:
            self.pairs.append((s, y))

    def state_dict(self) -> State:
        """As in the base class; `pairs`, oldest first."""
        return super().state_dict() | {"pairs": [[list(s), list(y)] for s, y in self.pairs]}

    def load_state_dict(self, saved: State) -> None:
        """As in the base class."""
        size = sum(p.size for p in self.parameters)
        pairs = [(list(s), list(y)) for s, y in saved.get("pairs", [])]
        for s, y in pairs:
            if not len(s) == len(y) == size:
                raise ValueError(f"a pair has {len(s)} numbers, the parameters have {size}")
            if not dot(s, y) > 0.0:
                raise ValueError("the loss does not curve upwards along the step of a pair")
        super().load_state_dict(saved)
        self.pairs.clear()
        self.pairs.extend(pairs)
