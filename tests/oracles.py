"""Slow and obvious versions of what the core does fast, and strategies for its inputs.

A table is a shape and a dict from index tuple to number: every definition below is then
the one in the textbook, index by index.

>>> table([[1, 2], [3, 4]])[1, 0]
3
>>> nested((2, 2), {(0, 0): 1, (0, 1): 2, (1, 0): 3, (1, 1): 4})
[[1, 2], [3, 4]]
>>> ulps(0.1, Decimal("0.1")) < 0.5
True
"""

import decimal
import functools
import math
from decimal import Decimal
from itertools import product

from hypothesis import strategies as st

from tinygrad_lr import Array
from tinygrad_lr.core.array import from_flat

# ---- index by index --------------------------------------------------------------------------


def indices(shape):
    """All index tuples of a shape, in row-major order."""
    return product(*map(range, shape))


def table(x):
    """The numbers of a float, an Array or nested lists by index."""
    x = x.tolist() if isinstance(x, Array) else x
    if not isinstance(x, list):
        return {(): x}
    return {(i, *rest): v for i, item in enumerate(x) for rest, v in table(item).items()}


def nested(shape, numbers):
    """Nested lists of this shape; `numbers` by index."""
    if not shape:
        return numbers[()]
    return [
        nested(shape[1:], {index[1:]: v for index, v in numbers.items() if index[0] == i})
        for i in range(shape[0])
    ]


def aligned(index, shape):
    """Where an element of the stretched shape comes from: its index's right end, 0 on size 1."""
    ending = index[len(index) - len(shape) :]
    return tuple(0 if n == 1 else i for i, n in zip(ending, shape))


def data(shape, numbers):
    """An Array of this shape, or a float; `numbers` by index."""
    return from_flat([float(numbers[i]) for i in indices(shape)], shape) if shape else numbers[()]


def same(found, shape, numbers):
    """Are they the same numbers in the same shape, all of them floats?"""
    flat = found.flat if isinstance(found, Array) else [found]
    return (
        (found.shape if isinstance(found, Array) else ()) == shape
        and flat == [numbers[index] for index in indices(shape)]
        and all(type(v) is float for v in flat)
    )


# ---- numbers ---------------------------------------------------------------------------------

# All of a test's arithmetic on Decimals keeps 50 digits, and has room for exp(-2000).
decimal.setcontext(decimal.Context(prec=50, Emax=decimal.MAX_EMAX, Emin=decimal.MIN_EMIN))


def exact_exp(x):
    """e to the power x; for x below -2000, where no float is as small, 0."""
    return Decimal(0) if x < -2000 else Decimal(x).exp()


def exact_expm1(x):
    """exp(x) - 1: a series where the difference would lose x's digits."""
    x = Decimal(x)
    return exact_exp(x) - 1 if abs(x) > SMALL else x + x**2 / 2 + x**3 / 6


def exact_log1p(t):
    """log(1 + t) of a Decimal t: a series where 1 + t would lose t's digits."""
    return (1 + t).ln() if abs(t) > SMALL else t - t**2 / 2 + t**3 / 3


SMALL = Decimal("1e-15")


def exact_sin_cos(x):
    """Sine and cosine of any finite float: a whole number of quarter turns, then a series."""
    with decimal.localcontext() as context:
        context.prec = 400  # all digits of the largest float, and of the pi it is divided by
        quarter = Decimal(pi_times_ten_to_the_400()).scaleb(-400) / 2
        rest = Decimal(x).remainder_near(quarter)
        turns = round((Decimal(x) - rest) / quarter) % 4
    rest, term, powers = +rest, Decimal(1), []
    while not powers or abs(term) > Decimal("1e-60"):
        powers.append(term)
        term *= rest / len(powers)
    powers.append(term)
    sine = sum(powers[1::4]) - sum(powers[3::4])
    cosine = sum(powers[0::4]) - sum(powers[2::4])
    return [(sine, cosine), (cosine, -sine), (-sine, -cosine), (-cosine, sine)][turns]


@functools.cache
def pi_times_ten_to_the_400():
    """By Machin's formula, pi = 16 arctan(1/5) - 4 arctan(1/239), in whole numbers."""

    def arctan(n):
        terms = ((-1) ** k * 10**420 // ((2 * k + 1) * n ** (2 * k + 1)) for k in range(320))
        return sum(terms)

    return (16 * arctan(5) - 4 * arctan(239)) // 10**20


def ulps(found, exact):
    """How far a float is from a Decimal, in units of the last place of the latter."""
    nearest = float(exact)
    if math.isinf(nearest) or math.isinf(found):
        return 0.0 if found == nearest else math.inf
    return abs(float((Decimal(found) - exact) / Decimal(math.ulp(nearest))))


# ---- strategies ------------------------------------------------------------------------------

SIZES = st.sampled_from([0, 1, 1, 2, 2, 3, 3])
SHAPES = st.lists(SIZES, max_size=4).map(tuple)
WHOLE = st.integers(-9, 9).map(float)  # their sums and products are exact in any order


@st.composite
def arrays(draw, shapes=SHAPES, numbers=WHOLE):
    """A float for the shape (), otherwise an Array."""
    shape = draw(shapes)
    size = math.prod(shape)
    flat = draw(st.lists(numbers, min_size=size, max_size=size))
    return from_flat(flat, shape) if shape else flat[0]


@st.composite
def shrunk(draw, shape):
    """A shape that stretches to this one: some sizes 1, some leading axes missing."""
    kept = shape[draw(st.integers(0, len(shape))) :]
    return tuple(1 if draw(st.booleans()) else n for n in kept)


every_float = st.one_of(
    st.floats(allow_nan=False),
    st.floats(-40.0, 40.0),
    st.floats(-760.0, 760.0),
    st.floats(-320, 308).map(lambda power: 10.0**power),
    st.floats(-320, 308).map(lambda power: -(10.0**power)),
)  # fmt: skip

CORNERS = sorted(
    {0.0, 5e-324, 2.2250738585072014e-308, 1e-300, 1e-17, 1.1e-16, 1e-8, 0.5, 1.0, 1e17, 1e308,
     math.log(2), math.inf}
    | {k + d for k in (*range(1, 41), *range(700, 712), *range(735, 750))
       for d in (-1e-9, 0.0, 0.37)}
)  # fmt: skip
CORNERS = [-x for x in reversed(CORNERS)] + CORNERS
