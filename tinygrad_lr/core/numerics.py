"""Functions of one or two floats that are right for every float.

The standard `math` module raises where IEEE arithmetic has a limit: `math.exp(1000)`
is an OverflowError, `math.log(0)` a ValueError, `1 / 0` a ZeroDivisionError. While
something is learned a limit is the better answer: inf, -inf or NaN travels on to the
loss, where training stops and says why (or `detect_anomaly` finds the operation).

    function          the textbook form        breaks at    because
    ---------------   ----------------------   ----------   ------------------------------
    sigmoid(x)        1 / (1 + exp(-x))        x < -709     exp(-x) overflows
    softplus(x)       log(1 + exp(x))          x > 709      exp(x) overflows
                                               x < -36.7    1 + exp(x) rounds to 1, log to 0
    log_sigmoid(x)    log(sigmoid(x))          x > 36.7     sigmoid rounds to 1, log to 0
                                               x < -745     sigmoid rounds to 0, log fails
    logistic_density  p * (1 - p), where       x > 36.7     p rounds to 1, 1 - p to 0
                      p = sigmoid(x)
    log_sum_exp(xs)   log(sum(exp(x)))         any x > 709  exp(x) overflows
                                               all < -745   the sum rounds to 0, log fails

Two ideas mend them all. `log1p(e)` is log(1 + e) without rounding 1 + e first. And where an
exponential overflows, the 1 beside it counts for nothing, so the rest of the formula is
the answer; a sum of exponentials has its largest term taken out first.

>>> sigmoid(0.0), sigmoid(-800.0), sigmoid(math.inf)
(0.5, 0.0, 1.0)
>>> softplus(-40.0)                      # log(1 + exp(-40)) would be 0.0
4.248354255291589e-18
>>> log_sum_exp([1000.0, 1000.0])       # 1000 + log 2; exp(1000) would overflow
1000.6931471805599

No Arrays and no derivatives here: `operations`, `tensors` and `probability` lift these.
"""

import math
from collections.abc import Sequence
from decimal import Context, Decimal, localcontext
from operator import add, mul as multiply, neg as negative, sub as subtract

__all__ = [
    "add", "cos", "divide", "exp", "expm1", "exponentials", "largest", "less",
    "less_equal", "log", "log1p", "log_sigmoid", "log_softmax", "log_sum_exp",
    "logistic_density", "multiply", "negative", "power", "sigmoid", "sin", "smallest", "softmax",
    "softmax_and_log", "softplus", "sqrt", "subtract", "tanh", "where",
]  # fmt: skip


# ---- the elementary functions, with their limits instead of exceptions ---------------


def exp(x: float) -> float:
    """e to the power x; inf where it is larger than the largest float (x > 709.78)."""
    try:
        return math.exp(x)
    except OverflowError:
        return math.inf


def expm1(x: float) -> float:
    """exp(x) - 1, exact to the last digits near 0; inf where it overflows."""
    try:
        return math.expm1(x)
    except OverflowError:
        return math.inf


def log(x: float) -> float:
    """Natural logarithm; -inf at 0, NaN below."""
    try:
        return math.log(x)
    except ValueError:
        return -math.inf if x == 0.0 else math.nan


def log1p(x: float) -> float:
    """log(1 + x), exact to the last digits near 0; -inf at -1, NaN below."""
    try:
        return math.log1p(x)
    except ValueError:
        return -math.inf if x == -1.0 else math.nan


def sqrt(x: float) -> float:
    """Square root; NaN below 0."""
    try:
        return math.sqrt(x)
    except ValueError:
        return math.nan


def sin(x: float) -> float:
    """Sine of an angle in radians; NaN at plus or minus infinity."""
    return math.sin(x) if math.isfinite(x) else math.nan


def cos(x: float) -> float:
    """Cosine of an angle in radians; NaN at plus or minus infinity."""
    return math.cos(x) if math.isfinite(x) else math.nan


def tanh(x: float) -> float:
    """Hyperbolic tangent: (exp(2x) - 1) / (exp(2x) + 1), without the overflow."""
    return math.tanh(x)


def divide(x: float, y: float) -> float:
    """x / y; by zero: NaN for 0/0, otherwise infinity with the signs multiplied."""
    try:
        return x / y
    except ZeroDivisionError:
        if x == 0.0 or x != x:
            return math.nan
        return math.copysign(math.inf, x) * math.copysign(1.0, y)


def power(x: float, y: float) -> float:
    """x to the power y; inf where it overflows or 0 is inverted, NaN for (-8)**(1/3)."""
    try:
        return math.pow(x, y)
    except (OverflowError, ValueError):
        odd = math.fmod(y, 2.0) in (1.0, -1.0)
        if x == 0.0:  # 0 to a negative power
            return math.copysign(math.inf, x) if odd else math.inf
        if not y.is_integer() and x < 0.0:
            return math.nan
        return -math.inf if x < 0.0 and odd else math.inf


def less(x: float, y: float) -> float:
    """1 where x < y, else 0."""
    return float(x < y)


def less_equal(x: float, y: float) -> float:
    """1 where x <= y, else 0."""
    return float(x <= y)


def where(condition: float, x: float, y: float) -> float:
    """x where the condition holds (is not 0), else y."""
    return x if condition else y


def largest(xs: Sequence[float]) -> float:
    """The maximum, NaN if one is NaN: Python's own `max` then depends on their order."""
    if not xs:
        raise ValueError("max of no numbers: there is none")
    return math.nan if any(map(math.isnan, xs)) else max(xs)


def smallest(xs: Sequence[float]) -> float:
    """The minimum, NaN if one is NaN."""
    if not xs:
        raise ValueError("min of no numbers: there is none")
    return math.nan if any(map(math.isnan, xs)) else min(xs)


# ---- the functions of logistic regression -------------------------------------------------


def sigmoid(x: float) -> float:
    """1 / (1 + exp(-x)), the probability that belongs to the score x.

    Where exp(-x) overflows, far below 0, the 1 beside it counts for nothing.
    """
    try:
        return 1.0 / (1.0 + math.exp(-x))
    except OverflowError:
        return math.exp(x)


def logistic_density(x: float) -> float:
    """sigmoid(x) * sigmoid(-x), the slope of the sigmoid: symmetric, 1/4 at its top in 0.

    It is the density of the logistic distribution, whose distribution function is sigmoid.
    """
    e = math.exp(-abs(x))
    return e / (1.0 + e * (2.0 + e))  # (1 + e)**2, but 1 + e rounded would be rounded twice


def softplus(x: float) -> float:
    """log(1 + exp(x)), a smooth max(x, 0): what a score x costs when the label is 0.

    Where exp(x) overflows, far above 0, the 1 beside it counts for nothing.
    """
    try:
        return math.log1p(math.exp(x))
    except OverflowError:
        return x


def log_sigmoid(x: float) -> float:
    """log(sigmoid(x)) = -softplus(-x), the log-probability of the label 1."""
    return -softplus(-x)


def log_sum_exp(xs: Sequence[float]) -> float:
    """log(exp(x1) + exp(x2) + ...): the largest x is taken out first, so nothing overflows.

    -inf for no terms at all: the logarithm of an empty sum.
    """
    top = max(xs, default=-math.inf)
    if math.isinf(top):
        return math.nan if any(map(math.isnan, xs)) else top
    total = top + math.log1p(exponentials(xs)[2])
    return _log_of_about_1(xs, top) if abs(total) < -0.5 * top else total


def _log_of_about_1(xs: Sequence[float], top: float) -> float:
    """log_sum_exp where the top and the logarithm cancel, as they do for log-probabilities.

    The exponentials sum up to nearly 1, and what is left of the sum without the 1 are digits
    that floats never had. Decimals have as many as one asks for, at thirty times the price.
    """
    with localcontext(Context(prec=60 - Decimal(top).adjusted())):
        return math.log1p(sum(Decimal(x).exp() for x in xs) - 1)


def softmax(xs: Sequence[float]) -> list[float]:
    """exp(x) / (exp(x1) + exp(x2) + ...) for each x: positive, and together 1."""
    _, exps, others = exponentials(xs)
    total = 1.0 + others
    return [e / total for e in exps]


def log_softmax(xs: Sequence[float]) -> list[float]:
    """x - log_sum_exp(xs) for each x, without the digits that this difference would lose."""
    return softmax_and_log(xs)[1]


def softmax_and_log(xs: Sequence[float]) -> tuple[list[float], list[float]]:
    """softmax and log_softmax, from the same exponentials."""
    shifted, exps, others = exponentials(xs)
    total, log_total = 1.0 + others, math.log1p(others)
    return [e / total for e in exps], [d - log_total for d in shifted]


def exponentials(xs: Sequence[float]) -> tuple[list[float], list[float], float]:
    """d = x - top and exp(d) for each x, and the sum of all but the top, whose own is 1.

    1 + others is the sum of all, and log1p(others) its logarithm: it keeps the digits
    even where the others are too small to move the 1.
    """
    top = max(xs)
    if top == math.inf and xs.count(top) == 1:  # the limit; inf - inf would be NaN
        xs, top = [0.0 if x == top else x - top for x in xs], 0.0
    shifted = [x - top for x in xs]
    exps = []
    for x, d in zip(xs, shifted):
        e = math.exp(d)
        if e:
            # d was rounded, which exp would multiply: at d = -500 it costs 9 bits of e. What
            # the rounding took away is known exactly (Knuth's two-sum), and put back.
            t = d - x
            e += e * ((x - (d - t)) - (top + t))
        exps.append(e)
    return shifted, exps, math.fsum([-1.0, *exps])
