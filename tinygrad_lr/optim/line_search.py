r"""How far to go: optimizers that try a step, look at the loss there, and correct the step.

    w <- w + step * direction

SGD is given its rate and does not know whether the loss fell. With a closure, a function that
computes the loss from the parameters as they are now, an optimizer can find out. Along a
direction the loss is a function of one number:

    loss |*
         | *. .                 *     too long:  the loss is above the dotted line, which
         |  *    . . .         *                 falls at a small part of slope    (Armijo)
         |   *         . . .  *
         |     *            .*. .     too short: the curve still falls nearly as steeply
         |        *  *  *  *                     as at 0                           (Wolfe)
         +------------------------- step         slope: how steep the curve is at step 0

Each step that is tried costs one evaluation of the loss (Armijo), or of the loss and its gradient
(Wolfe).

>>> from tinygrad_lr import Value
>>> w = Value([3.0, -2.0])
>>> optimizer = BacktrackingLineSearch([w])          # no rate to choose
>>> def loss():
...     return (w * w * [50.0, 1.0]).sum()
>>> optimizer.step(loss), loss().data < 454.0
(454.0, True)

The loss must be the same function at every try: all rows, or the same batch. This module has the
two searches, the base class of optimizers with a closure, and gradient descent with the first
search. `newton` and `lbfgs` have better directions.
"""

from __future__ import annotations

import math
import operator
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import InitVar, dataclass
from typing import Any, NamedTuple

from ..core.array import numbers
from ..core.modes import mode, no_grad
from ..core.backward import backward_pass
from ..core.value import Value
from .linear import dot, moved
from .optimizer import LearningRate, Optimizer, State, Vector, option, place

__all__ = ["BacktrackingLineSearch", "ClosureOptimizer", "Trial", "backtrack", "strong_wolfe"]

Closure = Callable[[], Value]

SUFFICIENT_DECREASE = 1e-4  # c1 of Nocedal and Wright: slope of the dotted line, by slope at 0
MAX_STEPS = 1100  # halving goes no further: the smallest float is 2**-1074
FLATTENED = 0.9  # c2: slope that may be left where a step ends, by slope at 0


# ---- the base class -------------------------------------------------------------------------


class ClosureOptimizer(Optimizer):
    """Base class of optimizers that evaluate the loss themselves; a subclass defines `advance`.

    w is the list of the numbers of all parameters: those of the first, then of the second, and so
    on. `.grad` is neither read nor written, so `zero_grad` is not needed. After a step
    `stop_reason` says in a sentence why another step would gain nothing; "" if it may.
    """

    def __post_init__(self, parameters: Iterable[Value]) -> None:
        super().__post_init__(parameters)
        self.stop_reason = ""

    def step(self, closure: Closure) -> float:  # type: ignore[override]  # the base class reads .grad
        """Move the parameters to where the loss is less. Returns the loss before, as a float.

        `closure()`: the loss, a scalar Value, computed from the parameters as they are when it is
        called; it need not call backward. Raises FloatingPointError where the loss or its gradient
        is not finite, ValueError for a closure that returns something else. After an error the
        parameters are where they were before.
        """
        before = [p.data for p in self.parameters]
        self.stop_reason = ""
        try:
            loss = self.advance(closure, numbers(before))
        except BaseException:
            for p, data in zip(self.parameters, before):
                p.data = data
            raise
        self.steps += 1
        return loss

    def advance(self, closure: Closure, w: Vector) -> float:
        """Move the parameters, which are w now, and return the loss at w."""
        raise NotImplementedError

    def put(self, w: Vector) -> None:
        """Set the parameters to w."""
        place(self.parameters, w)

    def state_dict(self) -> State:
        """As in the base class, and `stop_reason`."""
        return super().state_dict() | {"stop_reason": self.stop_reason}

    def load_state_dict(self, saved: State) -> None:
        """As in the base class."""
        super().load_state_dict(saved)
        self.stop_reason = saved.get("stop_reason", "")

    def loss_at(self, w: Vector, closure: Closure) -> float:
        """The loss at w; the parameters stay there."""
        self.put(w)
        with no_grad():
            return _scalar(closure()).item()

    def loss_and_gradient(self, closure: Closure, graph: bool = False) -> tuple[float, list[Any]]:
        """The loss where the parameters are, and its gradient by each of them.

        The gradient is 0 for a parameter that the loss does not depend on. With `graph` the
        gradients are Values, which can be differentiated again.
        """
        with mode(recording=True):
            loss = _scalar(closure())
            cotangents = backward_pass(loss, 1.0, graph=graph)
        if cotangents.keys().isdisjoint(self.parameters):
            raise ValueError(
                "step: the loss depends on none of the parameters; the closure must compute it "
                "from them anew whenever it is called"
            )
        return loss.data, [cotangents.get(p, p.data * 0.0) for p in self.parameters]

    def start(self, closure: Closure) -> tuple[float, Vector]:
        """The loss and the gradient, as one list, before a step. Raises if one is not finite."""
        loss, gradients = self.loss_and_gradient(closure)
        g = numbers(gradients)
        require_finite(loss, g)
        return loss, g


def require_finite(loss: float, derivatives: Sequence[float] = ()) -> None:
    """Raise FloatingPointError if any of these is infinite or NaN."""
    if not math.isfinite(loss):
        what = f"the loss is {loss}"
    elif not all(map(math.isfinite, derivatives)):
        what = f"the loss is {loss:g}, but a derivative of it is not finite"
    else:
        return
    raise FloatingPointError(
        f"step: {what}; the parameters are back where they were. Try a smaller lr, features of "
        "one scale (data.StandardScaler), or look for the operation with detect_anomaly()"
    )


def _scalar(loss: object) -> Value:
    if not isinstance(loss, Value) or loss.shape != ():
        raise ValueError(f"step: the closure must return the loss, a scalar Value, not {loss!r}")
    return loss


# ---- Armijo: not too long ------------------------------------------------------------------


def backtrack(
    loss_at: Callable[[Vector], float],
    w: Vector,
    direction: Vector,
    loss: float,
    slope: float,
    first: float,
    shrink: float = 0.5,
    sufficient_decrease: float = SUFFICIENT_DECREASE,
    max_steps: int = MAX_STEPS,
) -> float:
    """The first of the steps first, first * shrink, first * shrink^2, ... that is short enough:

        loss_at(w + step * direction) <= loss + sufficient_decrease * step * slope

    0 if none of `max_steps` is, or none that still moves w. `slope`: negative, the derivative of
    the loss at w along the direction. For a short enough step the loss falls by nearly
    step * slope, so all steps fail only because of rounding, a kink, or a direction that is not
    downhill. Armijo 1966; Nocedal and Wright 2006, algorithm 3.1.
    """
    step = first
    for _ in range(max_steps if slope < 0.0 else 0):
        there = moved(w, step, direction)
        if there == w:
            break
        if -math.inf < loss_at(there) <= loss + sufficient_decrease * step * slope:
            return step
        step *= shrink
    return 0.0


@dataclass(eq=False, repr=False)
class BacktrackingLineSearch(ClosureOptimizer):
    """Gradient descent whose rate is found anew at each step.

        w <- w - step * g       step: the first of lr, lr * shrink, lr * shrink^2, ... with
        loss(w - step * g) <= loss(w) - sufficient_decrease * step * |g|^2

    Adds to SGD: a rate that cannot be too large, so the loss never rises. g is the gradient. lr is
    only the first try; if it is too small it is not enlarged. Where no try lowers the loss, down
    to steps that are too short for the digits of w (or `max_steps` of them), the parameters stay
    where they are and `stop_reason` says so: this is a minimum, to the digits of the loss, or a
    kink. Cost: one gradient and, for each try, one evaluation of the loss; no memory. Armijo
    1966; Nocedal and Wright 2006, algorithm 3.1.
    """

    parameters: InitVar[Iterable[Value]]
    lr: LearningRate = LearningRate(1.0)
    shrink: float = option(0.5, below=1.0)
    sufficient_decrease: float = option(SUFFICIENT_DECREASE, below=1.0)
    max_steps: int = option(MAX_STEPS)

    def __post_init__(self, parameters: Iterable[Value]) -> None:
        super().__post_init__(parameters)
        self.max_steps = operator.index(self.max_steps)

    def advance(self, closure: Closure, w: Vector) -> float:
        """w - step * g."""
        loss, g = self.start(closure)
        step = backtrack(
            lambda w: self.loss_at(w, closure), w, [-x for x in g], loss, -dot(g, g),
            self.lr, self.shrink, self.sufficient_decrease, self.max_steps,
        )  # fmt: skip
        if not step:
            self.put(w)
            self.stop_reason = "no step downhill along the gradient lowers the loss"
        return loss


# ---- Wolfe: not too short either -----------------------------------------------------------


class Trial(NamedTuple):
    """A step that was tried: w there, the loss, its gradient, and gradient . direction."""

    step: float
    w: Vector
    loss: float
    g: Vector
    slope: float


def strong_wolfe(
    tried: Callable[[float], Trial], start: Trial, first: float, max_trials: int = 25
) -> Trial:
    """A step that is neither too long nor too short.

        loss <= start.loss + 1e-4 * step * start.slope         Armijo's condition
        |slope| <= 0.9 * |start.slope|                         the curvature condition

    `start`: the trial with step 0. Steps are doubled, from `first` on, until a good one must lie
    between two: `low`, which satisfies the first condition and has the least loss so far, and
    `high`, on the other side of the valley. Then a cubic through both gives the next step to try,
    and this trial replaces one of them. If all trials are used up, the result is `low`, which is
    `start` where nothing was gained.

    The loss is exact only to a few units of its last digit, and may rise by so much. Near a
    minimum, where the loss is flat to all digits, the slopes decide. Nocedal and Wright 2006,
    algorithms 3.5 and 3.6, here in one loop; Hager and Zhang 2005 for the rounding.
    """
    if not start.slope < 0.0:
        return start  # this way is not downhill
    low, step = start, first
    high: Trial | None = None
    noise = 4.0 * sys.float_info.epsilon * abs(start.loss)
    for _ in range(max_trials):
        trial = tried(step)
        enough = min(start.loss + SUFFICIENT_DECREASE * step * start.slope, low.loss)
        if not trial.loss <= enough + noise:
            high = trial
        elif abs(trial.slope) <= FLATTENED * abs(start.slope):
            return trial
        else:
            ahead = 1.0 if high is None else high.step - low.step
            if trial.slope * ahead >= 0.0:
                high = low  # the loss rises from trial to high: the valley is behind
            low = trial
        step = 2.0 * step if high is None else between(low, high)
        if high is not None and step in (low.step, high.step):
            break  # no float lies between them
    return low


def between(low: Trial, high: Trial) -> float:
    """Where the cubic with the loss and slope of both trials has its minimum.

    At least a tenth of the distance from both ends, so that the bracket always shrinks. The middle
    if there is no such minimum or a number is not finite. Nocedal and Wright 2006, equation 3.59.
    """
    distance = high.step - low.step
    mean_slope = (high.loss - low.loss) / distance
    a = low.slope + high.slope - 3.0 * mean_slope
    discriminant = a * a - low.slope * high.slope
    part = 0.5
    if 0.0 <= discriminant < math.inf:
        b = math.copysign(math.sqrt(discriminant), distance)
        divisor = high.slope - low.slope + 2.0 * b
        if divisor:
            part = 1.0 - (high.slope + b - a) / divisor
    return low.step + min(max(part, 0.1), 0.9) * distance
