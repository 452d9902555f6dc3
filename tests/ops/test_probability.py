"""From scores to probabilities: what sums to one, what moves nothing, what stays exact."""

import math
from decimal import Decimal, localcontext

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinygrad_lr import (
    Array, Value, cross_entropy, exp, grad, hessian, jacobian, linear_cross_entropy, log,
    log_sigmoid, log_softmax, logsumexp, sigmoid, softmax, softplus, tanh, xlog1py, xlogy,
)  # fmt: skip
from tinygrad_lr import max as largest
from tinygrad_lr import sum as total
from tinygrad_lr.core.array import flat_of as flat
from tinygrad_lr.ops.probability import logistic_density, softmax_spelled_out

scores = st.floats(-30, 30)
rows = st.lists(scores, min_size=1, max_size=5)
close = lambda x: pytest.approx(x, rel=1e-12, abs=1e-12)


# ---- two classes -----------------------------------------------------------------------------


@given(scores)
def test_a_sigmoid_and_its_mirror_image_sum_to_one(x):
    assert sigmoid(x) + sigmoid(-x) == close(1.0)
    assert softplus(x) - softplus(-x) == close(x)
    assert log_sigmoid(x) == -softplus(-x) == close(math.log(1 / (1 + math.exp(-x))))
    assert tanh(x) == close(2 * sigmoid(2 * x) - 1)


@given(scores)
def test_each_slope_is_the_next_function(x):
    assert grad(softplus)(x) == sigmoid(x)
    assert grad(log_sigmoid)(x) == sigmoid(-x)
    assert grad(sigmoid)(x) == logistic_density(x) == close(sigmoid(x) * sigmoid(-x))
    assert grad(tanh)(x) == close(1 - math.tanh(x) ** 2)
    assert grad(grad(softplus))(x) == logistic_density(x)
    assert grad(logistic_density)(x) == close(logistic_density(x) * (1 - 2 * sigmoid(x)))


@pytest.mark.parametrize("x", [40.0, 300.0, 700.0])
def test_slopes_are_not_lost_where_the_output_has_rounded(x):
    assert sigmoid(x) == 1.0
    assert grad(sigmoid)(x) == pytest.approx(math.exp(-x))
    assert grad(grad(sigmoid))(x) == pytest.approx(-math.exp(-x))
    assert grad(grad(grad(softplus)))(x) == pytest.approx(-math.exp(-x))
    assert grad(tanh)(x / 2) == pytest.approx(4 * math.exp(-x))
    assert grad(log_sigmoid)(x) == pytest.approx(math.exp(-x))
    assert log(sigmoid(-x)) == pytest.approx(log_sigmoid(-x))


# ---- x log y ---------------------------------------------------------------------------------


@given(st.floats(-5, 5), st.floats(0.01, 5))
def test_away_from_zero_it_is_the_product(x, y):
    assert xlogy(x, y) == x * math.log(y)
    assert xlog1py(x, y) == x * math.log1p(y)


@pytest.mark.parametrize(("f", "pole"), [(xlogy, 0.0), (xlog1py, -1.0)])
def test_what_never_happens_costs_nothing(f, pole):
    assert f(0.0, pole) == 0.0
    assert f(2.0, pole) == -math.inf
    assert grad(f, (0, 1))(0.0, pole) == (-math.inf, 0.0)
    assert grad(f, 1)(2.0, pole) == math.inf
    x, y = Value([0.0, 1.0]), Value([pole, 1.0])
    f(x, y).sum().backward()
    assert y.grad.tolist() == [0.0, 1.0 / (1.0 - pole)]


# ---- several classes -------------------------------------------------------------------------


@given(rows, st.integers(-1000, 1000))
def test_softmax_is_a_distribution_that_a_constant_does_not_move(xs, c):
    whole = [round(8 * x) / 8 for x in xs]  # so that adding c is exact
    p = softmax(whole)
    assert math.fsum(p) == close(1.0)
    assert min(p) >= 0
    assert softmax([x + c for x in whole]) == p
    assert log_softmax([x + c for x in whole]) == log_softmax(whole)
    assert logsumexp([x + c for x in whole]) == close(logsumexp(whole) + c)


@given(rows, st.randoms(use_true_random=False))
def test_the_order_of_the_classes_is_irrelevant(xs, chance):
    order = chance.sample(range(len(xs)), len(xs))
    shuffled = [xs[i] for i in order]
    assert softmax(shuffled) == Array([softmax(xs)[i] for i in order])
    assert log_softmax(shuffled) == Array([log_softmax(xs)[i] for i in order])
    assert logsumexp(shuffled) == logsumexp(xs)


@given(rows)
def test_the_long_way_and_the_short_way(xs):
    assert flat(softmax(xs)) == close(flat(softmax_spelled_out(xs)))
    assert flat(softmax(xs)) == close([math.exp(x - logsumexp(xs)) for x in xs])
    assert flat(log_softmax(xs)) == close([x - logsumexp(xs) for x in xs])
    assert logsumexp(xs) == close(math.log(math.fsum(map(math.exp, xs))))


@given(rows)
def test_gradients_have_their_closed_forms(xs):
    p = softmax(xs)
    assert flat(grad(logsumexp)(xs)) == close(flat(p))
    n = range(len(xs))
    assert flat(jacobian(softmax)(xs)) == close([p[i] * ((i == j) - p[j]) for i in n for j in n])
    assert flat(jacobian(log_softmax)(xs)) == close([(i == j) - p[j] for i in n for j in n])
    assert flat(hessian(logsumexp)(xs)) == close(flat(jacobian(softmax)(xs)))


@given(scores)
def test_for_two_classes_softmax_is_sigmoid(x):
    assert softmax([0.0, x])[1] == close(sigmoid(x))
    assert log_softmax([0.0, x])[1] == close(log_sigmoid(x))
    assert logsumexp([0.0, x]) == close(softplus(x))


@given(rows)
def test_logsumexp_is_a_smooth_maximum(xs):
    assert largest(xs) <= logsumexp(xs) <= largest(xs) + math.log(len(xs)) + 1e-12


@pytest.mark.parametrize("axis", [0, 1, 2, -1, (0, 2), (1, 2), None])
def test_axes(axis):
    x = Array([[[0.3, -1.0], [2.0, 0.4], [0.1, 1.0]], [[1.5, 0.2], [-0.7, 0.0], [3.0, -2.0]]])
    assert softmax(x, axis=axis).shape == log_softmax(x, axis=axis).shape == (2, 3, 2)
    assert flat(softmax(x, axis=axis)) == close(flat(exp(log_softmax(x, axis=axis))))
    assert flat(softmax(x, axis=axis)) == close(
        flat(exp(x - logsumexp(x, axis=axis, keepdims=True)))
    )
    sums = total(softmax(x, axis=axis), axis=axis)
    assert flat(sums) == close([1.0] * len(flat(sums)))
    assert softmax(x, axis) == softmax(x, axis=axis)


def test_the_default_axis_is_the_last():
    x = [[0.3, -1.0], [2.0, 0.4]]
    assert softmax(x) == softmax(x, axis=1)
    assert Value(x).log_softmax().data == log_softmax(x, -1)


def test_a_number_has_no_classes():
    for f in (softmax, log_softmax):
        with pytest.raises(ValueError, match="axis -1 does not exist"):
            f(1.0)
    assert logsumexp(1.5) == 1.5


def test_the_long_way_does_not_overflow_either():
    assert softmax_spelled_out([1000.0, 1000.0], axis=0) == Array([0.5, 0.5])
    assert softmax_spelled_out([-1000.0, 0.0]) == Array([0, 1])


def test_scores_without_bounds():
    x = Value([math.inf, 0.0, 1.0])
    assert softmax(x).tolist() == [1.0, 0.0, 0.0]
    assert log_softmax(x).tolist() == [0.0, -math.inf, -math.inf]
    assert softmax([-math.inf, 0.0]) == Array([0, 1])
    assert grad(logsumexp)([-math.inf, 0.0, 0.0]) == Array([0, 0.5, 0.5])
    assert grad(logsumexp)([math.inf, 0.0]) == Array([1, 0])
    assert logsumexp([1e308, 1e308]) == 1e308


@pytest.mark.parametrize("gap", [0.0, 18.0, 40.0, 700.0])
@pytest.mark.parametrize(
    "loss",
    [
        lambda z: cross_entropy(z, 0),
        lambda z: cross_entropy(z, [1.0, 0.0, 0.0]),
        lambda z: -log_softmax(z)[0],
        lambda z: logsumexp(z),
        lambda z: linear_cross_entropy([[1.0]], z.reshape(1, 3), [0.0] * 3, [0]),
    ],
)
def test_the_curvature_of_sure_scores_keeps_its_digits(loss, gap):
    """p_i ([i = j] - p_j), whose diagonal is p times all the other probabilities."""
    z = [gap, 0.0, -1.0]
    with localcontext(prec=700):
        e = [Decimal(v).exp() for v in z]
        p = [v / sum(e) for v in e]
        exact = [
            float(p[i] * (sum(p) - p[i]) if i == j else -p[i] * p[j])
            for i in range(3)
            for j in range(3)
        ]
    assert hessian(loss)(z).flat == pytest.approx(exact, rel=1e-14, abs=0.0)
