"""Learning rates that change: functions from the number of steps already taken to the rate.

    constant(lr)                      lr
    step_decay(lr, every, factor)     lr * factor ** (step // every)       a staircase
    exponential_decay(lr, factor)     lr * factor ** step                  the staircase made smooth
    inverse_time_decay(lr, decay)     lr / (1 + decay * step)
    cosine_decay(lr, steps, final)    half a wave of the cosine, then final
    warmup(steps, schedule)           up a ramp, then what follows

Why rates shrink: the gradient of a few rows is the true gradient plus noise, and the noise does
not end at the minimum. With a constant rate w keeps moving around the minimum, at a distance of
about sqrt(rate). Robbins and Monro (1951) showed that w converges if

    sum of all lr      is infinite    (otherwise w may stop before it is there), and
    sum of all lr**2   is finite      (otherwise the noise never dies down).

Only `inverse_time_decay` does both. A constant rate violates the second condition, and so does a
cosine with final > 0. A staircase, an exponential, and a cosine down to 0 violate the first. They
are used all the same: the number of steps is finite, and the loss shows whether w came far enough.
A `warmup` changes finitely many terms, so it satisfies the conditions that its schedule satisfies.

>>> from tinygrad_lr import Value
>>> from tinygrad_lr.optim import SGD
>>> w = Value(0.0)
>>> optimizer = SGD([w], lr=inverse_time_decay(0.5, decay=1.0))
>>> for _ in range(3):
...     optimizer.zero_grad()
...     ((w - 3.0) ** 2).backward()
...     print(optimizer.lr)
...     optimizer.step()
0.5
0.25
0.16666666666666666

A step is one call of `Optimizer.step`, not an epoch. Any function from step number to rate will do
as `lr`. These do not look at the loss.
"""

from __future__ import annotations

import math

from .optimizer import Optimizer, Schedule

__all__ = [
    "constant", "cosine_decay", "exponential_decay", "inverse_time_decay", "step_decay", "warmup",
]  # fmt: skip


def constant(lr: float) -> Schedule:
    """lr, always; the same as giving the number itself.

    >>> constant(0.5)(1000)
    0.5
    """
    Optimizer.check(lr=lr)
    return lambda step: lr


def step_decay(lr: float, every: int, factor: float = 0.1) -> Schedule:
    """lr * factor ** (step // every): the same for `every` steps, then a `factor` of it.

    Raises ValueError for a factor outside [0, 1]. PyTorch's StepLR.

    >>> [step_decay(1.0, every=2, factor=0.5)(step) for step in range(6)]
    [1.0, 1.0, 0.5, 0.5, 0.25, 0.25]
    """
    Optimizer.check(lr=lr)
    _check_factor(factor)
    _check_count(every=every)
    return lambda step: lr * factor ** (step // every)


def exponential_decay(lr: float, factor: float) -> Schedule:
    """lr * factor ** step: each step a `factor` of the rate before.

    It halves every log(1/2) / log(factor) steps: 69 for 0.99. Written lr * exp(-k * step)
    it is factor = exp(-k). Raises ValueError for a factor outside [0, 1]. PyTorch's
    ExponentialLR.

    >>> [exponential_decay(1.0, factor=0.5)(step) for step in range(4)]
    [1.0, 0.5, 0.25, 0.125]
    """
    Optimizer.check(lr=lr)
    _check_factor(factor)
    return lambda step: lr * factor**step


def inverse_time_decay(lr: float, decay: float) -> Schedule:
    """lr / (1 + decay * step): half of lr at step 1 / decay, a third at 2 / decay.

    The schedule of Robbins and Monro 1951.

    >>> [inverse_time_decay(1.0, decay=1.0)(step) for step in range(4)]
    [1.0, 0.5, 0.3333333333333333, 0.25]
    """
    Optimizer.check(lr=lr, decay=decay)
    return lambda step: lr / (1.0 + decay * step)


def cosine_decay(lr: float, steps: int, final: float = 0.0) -> Schedule:
    """final + (lr - final) * (1 + cos(pi * step / steps)) / 2, and final from `steps` on.

    Slow at first, fast in the middle, slow towards the end. Loshchilov and Hutter 2017
    (without the restarts).

    >>> [round(cosine_decay(1.0, steps=4)(step), 3) for step in range(6)]
    [1.0, 0.854, 0.5, 0.146, 0.0, 0.0]
    """
    Optimizer.check(lr=lr, final=final)
    _check_count(steps=steps)

    def rate(step: int) -> float:
        if step >= steps:
            return final
        return final + (lr - final) * (1.0 + math.cos(math.pi * step / steps)) / 2.0

    return rate


def warmup(steps: int, schedule: float | Schedule) -> Schedule:
    """A ramp of `steps` steps up to the first rate of `schedule` (or a number), then the schedule.

    The first rate is 1 / steps of it; 0 would be a step that does not move. For optimizers whose
    averages know little at the beginning, and for rates that are too large for a steep start.
    Goyal et al. 2017.

    >>> [warmup(4, 1.0)(step) for step in range(6)]
    [0.25, 0.5, 0.75, 1.0, 1.0, 1.0]
    >>> [warmup(2, exponential_decay(1.0, factor=0.5))(step) for step in range(5)]
    [0.5, 1.0, 0.5, 0.25, 0.125]
    """
    follow = schedule if callable(schedule) else constant(schedule)
    _check_count(steps=steps)

    def rate(step: int) -> float:
        if step < steps:
            return follow(0) * (step + 1) / steps
        return follow(step - steps + 1)

    return rate


def _check_factor(factor: float) -> None:
    if not 0.0 <= factor <= 1.0:
        raise ValueError(f"factor is {factor!r}; it must be between 0 and 1, or the rate grows")


def _check_count(**counts: int) -> None:
    for name, count in counts.items():
        if not count >= 1:
            raise ValueError(f"{name} is {count!r}; it must be at least 1 step")
