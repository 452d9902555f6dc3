"""Losses of linear scores: the same numbers as the two operations they join, and the textbook's."""

import math
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinygrad_lr import (
    Array, Value, affine, binary_cross_entropy_with_logits, cross_entropy, grad, hessian,
    linear_binary_cross_entropy, linear_cross_entropy, no_grad, value_and_grad,
)  # fmt: skip
from tinygrad_lr.core.array import numbers


def a_problem(rows, features, classes=None, seed=0):
    """x, w, b, labels, soft targets, of standard normal numbers."""
    random = Random(seed)
    normal = lambda *size: (
        random.gauss(0, 1) if not size else [normal(*size[1:]) for _ in range(size[0])]
    )
    if classes is None:
        soft = [random.random() for _ in range(rows)]
        labels = [random.randrange(2) for _ in range(rows)]
        return normal(rows, features), normal(features), normal(), labels, soft
    labels = [random.randrange(classes) for _ in range(rows)]
    soft = [[random.random() for _ in range(classes)] for _ in range(rows)]
    soft = [[q / sum(row) for q in row] for row in soft]
    return normal(rows, features), normal(features, classes), normal(classes), labels, soft


sizes = st.tuples(st.integers(1, 6), st.integers(1, 5), st.integers(2, 4), st.integers(0, 10**6))
reductions = st.sampled_from(["mean", "sum", "none"])


@given(sizes, reductions, st.booleans())
def test_two_classes_are_scores_and_then_their_loss(size, reduction, with_labels):
    rows, features, _, seed = size
    x, w, b, labels, soft = a_problem(rows, features, seed=seed)
    y = labels if with_labels else soft
    both = [
        lambda x, w, b: linear_binary_cross_entropy(x, w, b, y, reduction),
        lambda x, w, b: binary_cross_entropy_with_logits(affine(x, w, b), y, reduction),
    ]
    agree(both, (x, w, b))


@given(sizes, reductions, st.booleans())
def test_several_classes_are_scores_and_then_their_loss(size, reduction, with_labels):
    x, w, b, labels, soft = a_problem(*size)
    y = labels if with_labels else soft
    both = [
        lambda x, w, b: linear_cross_entropy(x, w, b, y, reduction),
        lambda x, w, b: cross_entropy(affine(x, w, b), y, reduction),
    ]
    agree(both, (x, w, b))


def agree(both, point):
    """One value, and one gradient of a sum in which each row weighs something else."""
    one, other = (numbers([f(*point)]) for f in both)
    assert one == pytest.approx(other, rel=1e-14)
    weigh = lambda f: (
        lambda *args: (
            loss * 3.0 if (loss := f(*args)).shape == () else (loss * range(1, len(loss) + 1)).sum()
        )
    )
    one, other = (numbers(grad(weigh(f), (0, 1, 2))(*point)) for f in both)
    assert one == pytest.approx(other, rel=1e-13, abs=1e-13)


def test_the_gradient_is_features_times_errors():
    x, w, b, y, _ = a_problem(7, 3, seed=1)
    p = [1 / (1 + math.exp(-(sum(map(float.__mul__, row, w)) + b))) for row in x]
    errors = [(pi - yi) / 7 for pi, yi in zip(p, y)]
    loss, (dw, db) = value_and_grad(linear_binary_cross_entropy, (1, 2))(x, w, b, y)
    bernoulli = math.prod(pi if yi else 1 - pi for pi, yi in zip(p, y))
    assert loss == pytest.approx(-math.log(bernoulli) / 7)
    assert dw.tolist() == pytest.approx([sum(map(float.__mul__, errors, c)) for c in zip(*x)])
    assert db == pytest.approx(sum(errors))


def test_the_hessian_is_that_of_the_spelled_out_form():
    x, w, b, y, _ = a_problem(5, 2, seed=2)
    one = hessian(lambda w: linear_binary_cross_entropy(x, w, b, y))(w)
    p = [1 / (1 + math.exp(-(sum(map(float.__mul__, row, w)) + b))) for row in x]
    for i in range(2):
        for j in range(2):
            curvature = sum(q * (1 - q) * row[i] * row[j] for q, row in zip(p, x)) / 5
            assert one[i, j] == pytest.approx(curvature)


def test_softmax_with_one_score_fixed_at_0_is_the_sigmoid():
    x, w, b, y, _ = a_problem(6, 3, seed=3)
    two = linear_cross_entropy(x, [[0.0, v] for v in w], [0.0, b], y)
    assert two == pytest.approx(linear_binary_cross_entropy(x, w, b, y), rel=1e-14)


def test_sure_and_wrong_still_has_a_slope_and_sure_and_right_keeps_its_digits():
    w = Value([1.0])
    linear_binary_cross_entropy([[1000.0]], w, 0.0, [0.0]).backward()
    assert w.grad == Array([1000.0])
    slope = grad(linear_binary_cross_entropy, 1)([[1.0]], [50.0], 0.0, [1.0])
    assert slope.item() == pytest.approx(-math.exp(-50.0), rel=1e-12)


def test_one_node_is_recorded_and_none_where_nothing_is_tracked():
    x, w, b, y, _ = a_problem(4, 2, seed=4)
    loss = linear_binary_cross_entropy(x, Value(w), b, y)
    assert loss.operation.name == "linear_binary_cross_entropy"
    assert [type(i) for i in loss.inputs] == [Array, Value, float, Array]
    assert type(linear_binary_cross_entropy(x, w, b, y)) is float
    with no_grad():
        assert linear_binary_cross_entropy(x, Value(w), b, y).operation is None


@pytest.mark.parametrize(
    "x, w, b, y, told",
    [
        ([1.0, 2.0], [1.0, 2.0], 0.0, 1.0, r"\(2,\), \(2,\), \(\), \(\); .* \(n, d\), \(d\), \(\)"),
        ([[1.0, 2.0]], [1.0], 0.0, [1.0], r"\(1, 2\), \(1,\)"),
        ([[1.0, 2.0]], [[1.0], [2.0]], [0.0], [1.0], r"\(2, 1\)"),
        ([[1.0, 2.0]], [1.0, 2.0], [0.0], [1.0], "linear_binary_cross_entropy"),
        ([[1.0, 2.0]], [1.0, 2.0], 0.0, [[1.0]], "linear_binary_cross_entropy"),
        ([[1.0, 2.0]], [1.0, 2.0], 0.0, [-1.0], r"linear_binary.*use \(y \+ 1\) / 2"),
        ([[1.0, 2.0]], [1.0, 2.0], 0.0, 1.0, "targets of shapes"),
    ],
)
def test_what_does_not_fit_two_classes_is_told(x, w, b, y, told):
    with pytest.raises(ValueError, match=told):
        linear_binary_cross_entropy(x, w, b, y)


@pytest.mark.parametrize(
    "x, w, b, y, told",
    [
        ([1.0, 2.0], [[1.0], [2.0]], [0.0], [0.0], r"\(n, d\), \(d, K\), \(K\)"),
        ([[1.0]], [[1.0, 2.0]], 0.0, [0], "linear_cross_entropy: x, w, b and targets of shapes"),
        ([[1.0]], [[1.0, 2.0]], [0.0], [0], "linear_cross_entropy: x, w"),
        ([[1.0]], [[1.0, 2.0]], [0.0, 0.0], [2], "linear_cross_entropy: label 2.0 at row 0"),
        ([[1.0]], [[1.0, 2.0]], [0.0, 0.0], [[0.5, 0.9]], "linear_cross_entropy: a row of targets"),
        ([[1.0]], [[1.0, 2.0]], [0.0, 0.0], [0, 1], r"needs labels of shape \(1,\)"),
    ],
)
def test_what_does_not_fit_several_classes_is_told(x, w, b, y, told):
    with pytest.raises(ValueError, match=told):
        linear_cross_entropy(x, w, b, y)


def test_an_empty_batch_has_no_mean_and_an_unknown_reduction_is_refused():
    with pytest.raises(ValueError, match="empty batch"):
        linear_binary_cross_entropy(Array([[1.0]])[:0], [1.0], 0.0, [])
    with pytest.raises(ValueError, match="reduction is 'average'"):
        linear_binary_cross_entropy([[1.0]], [1.0], 0.0, [1.0], "average")
    with pytest.raises(ValueError, match="reduction is 'average'"):
        linear_cross_entropy([[1.0]], [[1.0, 0.0]], [0.0, 0.0], [1], "average")
