"""The rulebook: values against `math`, subgradients at kinks, limits, shapes, errors.

That every rule is right away from kinks is in test_rules.
"""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

import tinygrad_lr as t
from tinygrad_lr import Array, Value, grad
from tinygrad_lr.core.lift import data_of

reals = st.floats(-50, 50)
INF = math.inf


def slope(f, *xs):
    """The gradient with respect to each argument."""
    return grad(f, tuple(range(len(xs))))(*xs)


# ---- numbers in, numbers out -----------------------------------------------------------------


@pytest.mark.parametrize("name", "exp expm1 sin cos tanh".split())
@given(x=reals)
def test_functions_of_all_numbers_are_those_of_math(name, x):
    assert getattr(t, name)(x) == getattr(math, name)(x)


@pytest.mark.parametrize("name", "log log1p sqrt".split())
@given(x=st.floats(1e-300, 1e300))
def test_functions_of_positive_numbers_are_those_of_math(name, x):
    assert getattr(t, name)(x) == getattr(math, name)(x)


@pytest.mark.parametrize("name", "exp log log1p expm1 sqrt abs sin cos tanh relu".split())
def test_floats_arrays_and_values_by_what_is_given(name):
    f = t.ops.elementwise.abs if name == "abs" else getattr(t, name)
    assert type(f(1)) is float
    assert f([1, 4]) == f((1, 4)) == f(Array([1, 4])) == Array([f(1.0), f(4.0)])
    assert type(f(Value(1))) is Value
    assert f(Value([1, 4])).data == f([1, 4])


# ---- powers and quotients at the edge --------------------------------------------------------


def test_powers_at_zero_have_the_slope_of_the_polynomial():
    assert grad(lambda x: x**2)(0.0) == 0.0
    assert grad(lambda x: x**1)(0.0) == 1.0
    assert grad(lambda x: x**0)(0.0) == 0.0
    assert grad(grad(lambda x: x**2))(0.0) == 2.0
    assert grad(grad(grad(lambda x: x**3)))(0.0) == 6.0
    assert grad(grad(grad(lambda x: x**2)))(0.0) == 0.0
    assert grad(lambda x: x**0.5)(0.0) == INF


def test_the_exponent_is_owed_nothing_where_the_base_is_zero():
    assert slope(lambda x, y: x**y, 0.0, 2.0) == (0.0, 0.0)
    assert slope(lambda x, y: x**y, 2.0, 3.0) == (12.0, 8.0 * math.log(2))
    base, exponent = slope(lambda x, y: (x**y).sum(), [0.0, 2.0], [1.0, 1.0])
    assert base.tolist() == [1.0, 1.0]
    assert exponent.tolist() == [0.0, 2 * math.log(2)]


def test_a_negative_base_with_a_whole_exponent():
    assert grad(lambda x: x**3)(-2.0) == 12.0
    assert grad(lambda x: x**-2)(-2.0) == 0.25
    assert math.isnan(grad(lambda x: x**0.5)(-2.0))


def test_limits_travel_through_the_rules():
    assert grad(lambda x: 1 / x)(0.0) == -INF
    assert grad(t.log)(0.0) == INF
    assert grad(t.sqrt)(0.0) == INF
    assert grad(t.exp)(1000.0) == INF
    assert grad(t.exp)(-INF) == 0.0


# ---- comparisons and kinks -------------------------------------------------------------------


@pytest.mark.parametrize(
    ("f", "at", "expected"),
    [
        (abs, 0.0, 0.0),
        (abs, -0.0, 0.0),
        (t.relu, 0.0, 0.0),
        (lambda x: t.maximum(x, 0.0), 0.0, 0.5),
        (lambda x: t.maximum(0.0, x), 0.0, 0.5),
        (lambda x: t.minimum(x, 0.0), 0.0, 0.5),
        (lambda x: t.maximum(x, x), 3.0, 1.0),
        (lambda x: t.clip(x, -1.0, 1.0), 1.0, 1.0),
        (lambda x: t.clip(x, -1.0, 1.0), 1.5, 0.0),
        (lambda x: t.stack([x, x, 1.0]).max(), 2.0, 1.0),
    ],
)
def test_the_subgradient_at_a_kink(f, at, expected):
    assert grad(f)(at) == expected


@pytest.mark.parametrize("f", [t.maximum, t.minimum])
def test_two_that_are_equal_share_what_is_owed(f):
    assert slope(f, 2.0, 2.0) == (0.5, 0.5)


def test_equal_extremes_share_what_is_owed():
    x = Value([[1.0, 3.0, 3.0], [2.0, 2.0, 2.0]])
    x.max(axis=1).backward([6, 6])
    assert x.grad.tolist() == [[0.0, 3.0, 3.0], [2.0, 2.0, 2.0]]
    x.zero_grad()
    (x.min() * 2).backward()
    assert x.grad.tolist() == [[2.0, 0.0, 0.0], [0.0, 0.0, 0.0]]


def test_what_is_not_chosen_is_owed_zero():
    unguarded = lambda x: t.where(x > 0, t.log(x), x)
    assert math.isnan(grad(unguarded)(0.0))  # log is owed 0, and pays 0 / 0: guard its argument
    guarded = lambda x: t.where(x > 0, t.log(t.where(x > 0, x, 1.0)), x)
    assert grad(guarded)(0.0) == 1.0
    assert grad(guarded)(2.0) == 0.5


def test_where_takes_any_truth():
    for condition in ([True, False], [2, 0], Array([1, 0]), Value([-1.0, 0.0])):
        assert data_of(t.where(condition, 1, [3, 4])) == Array([1, 4])
    x, y = slope(lambda x, y: t.where([1, 0, 1], x, y).sum(), 2.0, [1.0, 2.0, 3.0])
    assert (x, y.tolist()) == (2.0, [0.0, 1.0, 0.0])


@pytest.mark.parametrize("f", [t.maximum, t.minimum])
def test_nan_is_not_dropped_by_a_comparison(f):
    assert math.isnan(f(math.nan, 1.0))
    assert math.isnan(f(1.0, math.nan))
    assert math.isnan(t.relu(math.nan))
    assert math.isnan(t.clip(math.nan, 0.0, 1.0))


def test_comparisons_are_functions_too():
    assert t.less(1, 2) is True
    assert t.less_equal([1, 3], 2) == Array([1, 0])
    assert t.less(Value([1.0, 3.0]), Value(2.0)) == Array([1, 0])


# ---- what is not chosen ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("f", "x", "expected"),
    [
        (lambda x: t.log(t.clip(x, 0.0, 1.0)), -1.0, 0.0),
        (lambda x: t.sqrt(t.maximum(x, 0.0)), -1.0, 0.0),
        (lambda x: t.sqrt(t.maximum(0.0, x)), -1.0, 0.0),
        (lambda x: t.sqrt(t.minimum(x, 0.0)), 1.0, 0.0),
        (lambda x: t.log(t.max(x)), [0.0, -1.0], [math.inf, 0.0]),
        (lambda x: t.log(t.min(x)), [0.0, 1.0], [math.inf, 0.0]),
    ],
)
def test_an_infinite_slope_behind_it_does_not_reach_what_was_not_chosen(f, x, expected):
    found = t.grad(f)(x)
    assert (found if type(found) is float else found.tolist()) == expected


def test_clip_owes_to_the_limit_that_held():
    x, low, high = Value([-2.0, 0.5, 7.0]), Value(-1.0), Value(1.0)
    (t.clip(x, low, high) * [2.0, 3.0, 5.0]).sum().backward()
    assert (x.grad.tolist(), low.grad, high.grad) == ([0.0, 3.0, 0.0], 2.0, 5.0)


def test_a_power_of_zero_falls_without_end_as_the_exponent_does():
    assert t.grad(lambda y: t.power(0.0, y))(-1.0) == -math.inf
    assert t.grad(lambda y: t.power(0.0, y))(2.0) == 0.0


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: t.maximum([1, 2], [1, 2, 3]), r"maximum: shapes \(2,\) and \(3,\) do not fit"),
        (lambda: t.where([1, 2], 0, [1, 2, 3]), r"where: shapes \(2,\) and \(\) and \(3,\)"),
        (lambda: t.Array([1, 2]) < [1, 2, 3], "less: shapes"),
    ],
)
def test_errors_state_the_operation_and_the_shapes(make, message):
    with pytest.raises(ValueError, match=message):
        make()
