"""L-BFGS: Newton's direction without the Hessian, from the last few steps alone.

A step s changed the gradient by y. So the Hessian H is known along s: H s is about y. BFGS builds
the inverse of H from such pairs. L-BFGS (L for limited memory) keeps the last few pairs instead
of the matrix, because it needs only the product of the matrix with the gradient.

>>> from tinygrad_lr import Value
>>> x, y = Value(-1.2), Value(1.0)
>>> def rosenbrock():                         # a curved valley; its lowest point is (1, 1)
...     return (1.0 - x) ** 2 + 100.0 * (y - x * x) ** 2
>>> optimizer = LBFGS([x, y], max_iter=100)
>>> round(optimizer.step(rosenbrock), 3), round(x.data, 6), round(y.data, 6)
(24.2, 1.0, 1.0)
>>> optimizer.stop_reason
'no number of the gradient is larger than 1e-10'

Gradient descent needs thousands of steps here. Each `step` of `LBFGS` makes many iterations; the
line search of each is in `line_search`.
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
    """Multiply the gradient by an inverse Hessian that is estimated from a few pairs (s, y).

    s is a step that was made, y the change of the gradient by it, rho = 1 / (s . y). If G is the
    inverse Hessian estimated from the older pairs, a new pair replaces G g, for any vector g, by

        alpha = rho * (s . g)
        q = g - alpha * y                   remove the direction of the pair
        r = G q                             use the older pairs
        r + (alpha - rho * (y . r)) * s     add the direction of the pair, so that G y = s

    Before the oldest pair G q is (s . y) / (y . y) * q, with the newest s and y. Going from the
    newest pair to the oldest and back gives d = G g (the "two-loop recursion"), then

        w <- w - step * d                   step: from lr on, by the strong Wolfe conditions

    These conditions make s . y positive, so that G is positive definite and -d points downhill.
    Adds to Newton: it works from any start and needs no second derivatives. Cost, for n numbers
    in all parameters and m = `history_size` pairs: 2 m n numbers of memory; 6 m n multiplications
    an iteration, and mostly one gradient. Nocedal 1980; Liu and Nocedal 1989; Nocedal and Wright
    2006, algorithms 7.4 and 7.5.

    One call of `step` makes up to `max_iter` iterations, fewer if no number of the gradient is
    larger than `tolerance_grad` or no step lowers the loss; `stop_reason` then says which. Names
    are PyTorch's. Its tolerance is 1e-7, for floats of 7 digits; these have 16.
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
            if (
                found.step == 0.0 and self.pairs
            ):  # the pairs mislead; without them the direction is -g
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
        """The trial that the line search along -d finds; its step is 0 if it finds none."""
        direction = [-x for x in self.times_inverse_hessian(now.g)]
        first = self.lr
        if not self.pairs:  # the curvature is not known: a step of length lr at most
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
        """d = G g, by the two loops; g itself while there are no pairs."""
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
        """Keep the pair if the loss clearly curves upwards along s.

        That is, if y is not nearly orthogonal to s. If s . y is only rounding, or negative because
        a search ended early, G would not be positive definite.
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
