"""Functions of one float against 50 digits, over all floats, and their limits."""

import decimal
import math
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from oracles import CORNERS, every_float, exact_exp, exact_log1p, ulps

from tinygrad_lr import (
    Value, binary_cross_entropy_with_logits, grad, log_sigmoid, sigmoid, softplus,
)  # fmt: skip
from tinygrad_lr.core import numerics

INFINITE = math.inf


# ---- what the functions are, exactly ---------------------------------------------------------


def exact_sigmoid(x):
    """exp(x) / (1 + exp(x)) for x < 0, 1 / (1 + exp(-x)) otherwise: nothing cancels."""
    e = exact_exp(-abs(x))
    return (e if x < 0 else 1) / (1 + e)


def exact_density(x):
    e = exact_exp(-abs(x))
    return e / (1 + e) ** 2


def exact_softplus(x):
    return Decimal(max(x, 0.0)) + exact_log1p(exact_exp(-abs(x)))


def exact_log_sigmoid(x):
    return -exact_softplus(-x)


def cost(label):
    """Binary cross-entropy of a score, and its slope: softplus and sigmoid, turned for label 1."""
    sign = 1 if label == 0 else -1
    return lambda x: exact_softplus(sign * x), lambda x: sign * exact_sigmoid(sign * x)


EXACTLY = {
    "sigmoid": (numerics.sigmoid, exact_sigmoid),
    "logistic_density": (numerics.logistic_density, exact_density),
    "softplus": (numerics.softplus, exact_softplus),
    "log_sigmoid": (numerics.log_sigmoid, exact_log_sigmoid),
    "derivative of sigmoid": (grad(sigmoid), exact_density),
    "derivative of sigmoid, on the graph": (
        lambda x: grad(sigmoid)(Value(x)).item(),
        exact_density,
    ),
    "derivative of softplus": (grad(softplus), exact_sigmoid),
    "derivative of log_sigmoid": (grad(log_sigmoid), lambda x: exact_sigmoid(-x)),
}
for label in 0, 1:
    loss = lambda x, label=label: binary_cross_entropy_with_logits(x, label)
    EXACTLY[f"cross-entropy, label {label}"] = loss, cost(label)[0]
    EXACTLY[f"derivative of cross-entropy, label {label}"] = grad(loss), cost(label)[1]


@pytest.mark.parametrize("name", EXACTLY)
def test_within_4_ulp_at_the_corners(name):
    function, exact = EXACTLY[name]
    wrong = {
        x: (function(x), float(exact(x)))
        for x in CORNERS
        if math.isfinite(x) and not ulps(function(x), exact(x)) <= 4
    }
    assert wrong == {}


@pytest.mark.parametrize("name", EXACTLY)
@given(x=every_float.filter(math.isfinite))
def test_within_4_ulp_everywhere(name, x):
    function, exact = EXACTLY[name]
    assert ulps(function(x), exact(x)) <= 4


def test_the_textbook_form_of_the_slope_loses_what_this_one_keeps():
    p = numerics.sigmoid(37.0)
    assert p * (1 - p) == 0.0
    assert ulps(numerics.logistic_density(37.0), exact_density(37.0)) <= 4


@pytest.mark.parametrize(
    ("function", "at_minus_infinity", "at_infinity"),
    [
        (numerics.sigmoid, 0.0, 1.0),
        (numerics.logistic_density, 0.0, 0.0),
        (numerics.softplus, 0.0, INFINITE),
        (numerics.log_sigmoid, -INFINITE, 0.0),
        (grad(sigmoid), 0.0, 0.0),
        (grad(softplus), 0.0, 1.0),
        (grad(log_sigmoid), 1.0, 0.0),
        (grad(grad(sigmoid)), 0.0, 0.0),
        (numerics.exp, 0.0, INFINITE),
        (numerics.expm1, -1.0, INFINITE),
    ],
)
def test_infinite_scores_have_limits(function, at_minus_infinity, at_infinity):
    assert function(-INFINITE) == at_minus_infinity
    assert function(INFINITE) == at_infinity
    assert math.isnan(function(math.nan))


@pytest.mark.parametrize("logit", [INFINITE, -INFINITE, 1e308, -1e308])
def test_a_score_without_bounds_costs_nothing_if_it_is_right_and_everything_if_not(logit):
    right, wrong = (1.0, 0.0) if logit > 0 else (0.0, 1.0)
    slope = grad(binary_cross_entropy_with_logits)
    assert binary_cross_entropy_with_logits(logit, right) == 0.0
    assert slope(logit, right) == 0.0
    assert binary_cross_entropy_with_logits(logit, wrong) == abs(logit)
    assert slope(logit, wrong) == math.copysign(1.0, logit)


@given(every_float)
def test_symmetries_hold_to_the_last_bit(x):
    assert numerics.logistic_density(x) == numerics.logistic_density(-x)
    assert numerics.log_sigmoid(x) == -numerics.softplus(-x)


@given(every_float, every_float)
def test_monotone_functions_do_not_turn_back(x, y):
    low, high = min(x, y), max(x, y)
    for function in numerics.softplus, numerics.log_sigmoid:
        assert function(low) <= function(high) + 2 * math.ulp(function(high))
    assert numerics.sigmoid(low) <= numerics.sigmoid(high) + 2 * math.ulp(numerics.sigmoid(high))


# ---- the elementary functions ----------------------------------------------------------------


@pytest.mark.parametrize(
    ("function", "x", "limit"),
    [
        (numerics.exp, 710.0, INFINITE),
        (numerics.exp, -746.0, 0.0),
        (numerics.expm1, 1e308, INFINITE),
        (numerics.expm1, 5e-324, 5e-324),
        (numerics.log, 0.0, -INFINITE),
        (numerics.log, -0.0, -INFINITE),
        (numerics.log, INFINITE, INFINITE),
        (numerics.log1p, -1.0, -INFINITE),
        (numerics.log1p, 5e-324, 5e-324),
        (numerics.sqrt, -0.0, 0.0),
        (numerics.sqrt, INFINITE, INFINITE),
        (numerics.log, -5e-324, math.nan),
        (numerics.log1p, -1.0000000000000002, math.nan),
        (numerics.sqrt, -5e-324, math.nan),
        (numerics.log, -INFINITE, math.nan),
        (numerics.sin, INFINITE, math.nan),
        (numerics.cos, -INFINITE, math.nan),
    ],
)
def test_limits_instead_of_exceptions(function, x, limit):
    found = function(x)
    assert found == limit or (math.isnan(found) and math.isnan(limit))


@given(st.floats(-700, 709.7))
def test_exp_and_log_are_exact_to_an_ulp(x):
    assert ulps(numerics.exp(x), exact_exp(x)) <= 1
    positive = math.exp(x)
    assert ulps(numerics.log(positive), Decimal(positive).ln()) <= 1


@pytest.mark.parametrize("name", ["exp", "expm1", "log", "log1p", "sqrt", "sin", "cos"])
@given(x=st.floats())
def test_nothing_raises_and_nan_stays_nan(name, x):
    found = getattr(numerics, name)(x)
    assert type(found) is float
    assert math.isnan(found) or not math.isnan(x)


# ---- division and powers, by IEEE 754 --------------------------------------------------------


def bits(x):
    """Equal for equal floats, with NaN equal to itself and -0.0 different from 0.0."""
    return "nan" if math.isnan(x) else x.hex()


@given(st.floats(), st.floats(allow_nan=False).filter(bool))
def test_division_by_anything_but_zero_is_division(x, y):
    assert bits(numerics.divide(x, y)) == bits(x / y)


@pytest.mark.parametrize("zero", [0.0, -0.0])
@given(x=st.floats())
def test_division_by_zero_multiplies_the_signs(zero, x):
    found = numerics.divide(x, zero)
    if x == 0 or math.isnan(x):
        assert math.isnan(found)
    else:
        assert found == math.copysign(INFINITE, x) * math.copysign(1.0, zero)


POWERS = [
    *[(0.0, -1.0, INFINITE), (-0.0, -1.0, -INFINITE), (-0.0, -3.0, -INFINITE)],
    *[(-0.0, -2.0, INFINITE), (0.0, -0.5, INFINITE), (-0.0, -0.5, INFINITE)],
    *[(0.0, -INFINITE, INFINITE), (-0.0, -INFINITE, INFINITE), (0.0, 0.0, 1.0)],
    *[(-0.0, 3.0, -0.0), (-0.0, 2.0, 0.0), (math.nan, 0.0, 1.0), (1.0, math.nan, 1.0)],
    *[(-1.0, INFINITE, 1.0), (-1.0, -INFINITE, 1.0), (0.5, INFINITE, 0.0)],
    *[(0.5, -INFINITE, INFINITE), (2.0, INFINITE, INFINITE), (-INFINITE, 3.0, -INFINITE)],
    *[(-INFINITE, 2.0, INFINITE), (-INFINITE, -1.0, -0.0), (-INFINITE, 0.5, INFINITE)],
    *[(-8.0, 1 / 3, math.nan), (-2.0, 0.5, math.nan), (math.nan, 2.0, math.nan)],
    *[(10.0, 309.0, INFINITE), (-10.0, 309.0, -INFINITE), (-10.0, 310.0, INFINITE)],
    *[(10.0, -400.0, 0.0), (-10.0, -401.0, -0.0), (-1e308, 1e308, INFINITE)],
    *[(-2.0, 9007199254740993.0, INFINITE), (-0.5, -1075.0, -INFINITE)],
    *[(0.5, -1075.0, INFINITE), (0.5, -1075.5, INFINITE)],
]  # fmt: skip


@pytest.mark.parametrize(("x", "y", "expected"), POWERS)
def test_power_has_the_limits_of_ieee_754(x, y, expected):
    assert bits(numerics.power(x, y)) == bits(expected)


@given(st.integers(-30, 30), st.integers(0, 10))
def test_small_whole_powers_are_exact(x, y):
    assert numerics.power(float(x), float(y)) == x**y


@given(st.floats(), st.floats())
def test_power_never_raises(x, y):
    assert type(numerics.power(x, y)) is float


@given(st.floats(0.01, 100.0), st.floats(-30, 30))
def test_powers_are_exact_to_an_ulp(x, y):
    assert ulps(numerics.power(x, y), (Decimal(x).ln() * Decimal(y)).exp()) <= 1


# ---- sums of exponentials --------------------------------------------------------------------

scores = st.floats(-1000, 1000) | st.floats(-2, 2) | st.integers(-50, 50).map(float)
vectors = st.lists(scores, min_size=1, max_size=6)


def exact_log_sum_exp(xs):
    """largest + log1p(sum of the other exponentials), and the logarithm in it."""
    *others, largest = sorted(map(Decimal, xs))
    rest = exact_log1p(sum(((x - largest).exp() for x in others), Decimal(0)))
    return largest + rest, rest


@given(vectors)
def test_log_softmax_is_within_4_ulp(xs):
    largest = Decimal(max(xs))
    _, rest = exact_log_sum_exp(xs)
    for x, found in zip(xs, numerics.log_softmax(xs)):
        assert ulps(found, (Decimal(x) - largest) - rest) <= 4


@given(vectors)
def test_softmax_is_within_4_ulp_and_sums_to_one(xs):
    total, _ = exact_log_sum_exp(xs)
    found = numerics.softmax(xs)
    for x, p in zip(xs, found):
        assert ulps(p, (Decimal(x) - total).exp()) <= 4
    assert math.fsum(found) == pytest.approx(1.0, abs=1e-15)


@given(vectors)
def test_log_sum_exp_is_within_4_ulp(xs):
    assert ulps(numerics.log_sum_exp(xs), exact_log_sum_exp(xs)[0]) <= 4


@given(vectors.filter(lambda xs: len(xs) > 1), st.floats(-1e-3, 1e-3))
def test_log_sum_exp_is_within_4_ulp_where_it_is_nearly_0(xs, gap):
    """Logarithms of probabilities: the largest and the logarithm of the sum cancel."""
    xs = [x + gap for x in numerics.log_softmax(xs)]
    assert ulps(numerics.log_sum_exp(xs), exact_log_sum_exp(xs)[0]) <= 4


@pytest.mark.parametrize("tiny", [1e-8, 1e-100, 1e-300])
def test_log_sum_exp_of_a_certain_outcome_and_a_nearly_impossible_one(tiny):
    xs = [-tiny, math.log(tiny)]
    with decimal.localcontext(prec=700):  # digits of 1, of 1e-300 beside it, and 50 of those
        exact = sum(Decimal(x).exp() for x in xs).ln()
    assert ulps(numerics.log_sum_exp(xs), exact) <= 1
    assert numerics.log_sum_exp([*xs, -math.inf, -1e308]) == numerics.log_sum_exp(xs)


@pytest.mark.parametrize(
    "xs", [[40.0, 0.1], [0.1, 310.149, 847.367], [1e-3, -700.1], [0.1] * 7, [1e308, -1e308]]
)
def test_what_rounding_takes_from_a_difference_does_not_reach_the_logarithm(xs):
    _, rest = exact_log_sum_exp(xs)
    assert ulps(-numerics.log_softmax(xs)[xs.index(max(xs))], rest) <= 4


def test_infinite_scores():
    inf = INFINITE
    assert numerics.log_sum_exp([inf, 0.0, -inf]) == inf
    assert numerics.log_sum_exp([-inf, -inf]) == -inf
    assert numerics.log_sum_exp([]) == -inf
    assert numerics.softmax([inf, 0.0, -inf]) == [1.0, 0.0, 0.0]
    assert numerics.log_softmax([inf, 0.0, -inf]) == [0.0, -inf, -inf]
    assert numerics.softmax([-inf, 3.0]) == [0.0, 1.0]
    assert numerics.log_softmax([-inf, 3.0]) == [-inf, 0.0]
    assert all(map(math.isnan, numerics.softmax([inf, inf])))  # which of them? there is no limit


@pytest.mark.parametrize("others", [[1.0], [math.inf], [-math.inf], [math.inf, 2.0]])
def test_nan_is_not_lost_whatever_its_place(others):
    for xs in ([math.nan, *others], [*others, math.nan]):
        assert math.isnan(numerics.log_sum_exp(xs))
        assert math.isnan(numerics.largest(xs))
        assert math.isnan(numerics.smallest(xs))
        assert math.isnan(numerics.softmax(xs)[xs.index(math.nan)])


def test_softmax_and_log_are_softmax_and_log_softmax():
    xs = [0.3, -2.0, 1.7]
    assert numerics.softmax_and_log(xs) == (numerics.softmax(xs), numerics.log_softmax(xs))


@settings(max_examples=50)
@given(st.floats(allow_nan=False, allow_infinity=False))
def test_the_distance_in_ulps_that_these_tests_rest_on(x):
    assert ulps(x, Decimal(x)) == 0
    assert ulps(math.nextafter(x, 0.0), Decimal(x)) in (0, 1) or x == 0 or math.frexp(x)[0] == 0.5
    assert ulps(float(Fraction(x) / 3), Decimal(x) / 3) <= 0.5
