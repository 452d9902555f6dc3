"""StandardScaler, against exact fractions."""

import json
import math
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tinygrad_lr.data import StandardScaler

matrices = st.integers(1, 3).flatmap(
    lambda d: st.lists(
        st.lists(st.integers(-1000, 1000).map(lambda k: k / 8), min_size=d, max_size=d),
        min_size=2,
        max_size=12,
    )
)


def exact(X):
    """Mean and population variance of each column, as fractions."""
    means, variances = [], []
    for column in zip(*X):
        values = [Fraction(v) for v in column]
        mean = sum(values) / len(values)
        means.append(mean)
        variances.append(sum((v - mean) ** 2 for v in values) / len(values))
    return means, variances


def scaler_of(*parts):
    scaler = StandardScaler()
    for part in parts:
        scaler.partial_fit(part)
    return scaler


@given(X=matrices, cut=st.integers(1, 11))
@settings(deadline=None, derandomize=True)
@pytest.mark.filterwarnings("ignore:constant")
def test_equals_exact_fractions_in_one_part_or_two(X, cut):
    means, variances = exact(X)
    parts = [part for part in (X[:cut], X[cut:]) if part]
    for scaler in StandardScaler().fit(X), scaler_of(*parts):
        assert scaler.n_samples_seen_ == len(X)
        assert scaler.mean_ == pytest.approx([float(m) for m in means], rel=1e-12, abs=1e-11)
        for scale, variance in zip(scaler.scale_, variances):
            if variance:
                assert scale == pytest.approx(math.sqrt(variance), rel=1e-9)


@given(
    steps=st.lists(st.integers(0, 20), min_size=2, max_size=12).filter(lambda s: len(set(s)) > 1),
    cuts=st.sets(st.integers(1, 11), max_size=4),
    mean=st.sampled_from([1e9, -1e9, 1e15]),
)
@settings(deadline=None, derandomize=True)
@pytest.mark.filterwarnings("ignore:constant")
def test_a_large_mean_does_not_cost_the_digits_of_the_variance(steps, cuts, mean):
    X = [[mean + step * math.ulp(mean)] for step in steps]  # neighbours among the floats
    _, [variance] = exact(X)
    edges = [0, *sorted(cuts), len(X)]
    parts = [X[a:b] for a, b in zip(edges, edges[1:]) if X[a:b]]
    for scaler in StandardScaler().fit(X), scaler_of(*parts):
        assert scaler.scale_ == pytest.approx([math.sqrt(variance)], rel=1e-13)


def test_scaled_features_have_mean_0_and_deviation_1_and_come_back():
    X = [[1.0, -30.0], [2.0, 10.0], [4.0, 20.0]]
    scaler = StandardScaler()
    scaled = scaler.fit_transform(X)
    for column in scaled.columns:
        assert math.fsum(column) == pytest.approx(0.0, abs=1e-15)
        assert math.fsum(v * v for v in column) / 3 == pytest.approx(1.0)
    for row, wanted in zip(scaler.inverse_transform(scaled).rows, X):
        assert row == pytest.approx(wanted, rel=1e-14)


def test_a_constant_feature_is_noticed_and_kept():
    with pytest.warns(UserWarning, match="constant in all 3 rows .* column 1 ") as caught:
        scaled = StandardScaler().fit_transform([[1.0, 0.1], [2.0, 0.1], [3.0, 0.1]])
    assert scaled.columns[1] == [0.0, 0.0, 0.0]
    assert [warning.filename for warning in caught] == [__file__]  # the caller's line, not ours


def test_all_constant_features_are_named_and_each_is_named_once():
    scaler = StandardScaler()
    with pytest.warns(UserWarning, match="in all 2 rows .* column 0, column 2 ") as caught:
        for row in [1.0, 5.0, 3.0], [1.0, 6.0, 3.0], [1.0, 7.0, 3.0], [1.0, 8.0, 4.0]:
            scaler.partial_fit([row])
    assert len(caught) == 1 and caught[0].filename == __file__
    assert scaler.scale_[0] == 1.0 and scaler.scale_[2] == pytest.approx(math.sqrt(3) / 4)


def test_numbers_too_large_to_be_squared_are_refused_by_column():
    scaler = scaler_of([[1.0, 2.0], [3.0, 5.0]])
    before = scaler.state_dict()
    far_apart = [[1.0, 1.7e308]] + [[2.0, -1.7e308]] * 2  # their distance is inf, and raises not
    for large in (
        [[1.0, 1e200], [2.0, -1e200]], [[1.0, 1e308]] * 2 + [[2.0, 1.1e308]], far_apart
    ):  # fmt: skip
        for call in scaler.fit, scaler.partial_fit:
            with pytest.raises(ValueError, match="column 1 .* too large .* unit"):
                call(large)
    assert scaler.state_dict() == before


@pytest.mark.parametrize("n, x", [(1, 1.7e308), (100_000, 5e153)])
@pytest.mark.filterwarnings("ignore:constant")
def test_parts_that_are_too_far_apart_are_refused(n, x):
    scaler = scaler_of([[x]] * n)
    before = scaler.state_dict()
    with pytest.raises(ValueError, match="column 0 .* too large"):
        scaler.partial_fit([[-x]] * n)
    assert scaler.state_dict() == before


def test_what_varies_too_little_for_its_squares_is_not_called_constant_outright():
    with pytest.warns(UserWarning, match=r"constant .* \(to within 1e-161\): column 0 .* unit"):
        scaler = StandardScaler().fit([[0.0], [1e-170], [2e-170]])
    assert scaler.scale_ == [1.0]
    StandardScaler().fit([[0.0], [1e-161]])  # no warning


def test_fit_forgets_what_was_seen_before():
    scaler = scaler_of([[5.0], [7.0]]).fit([[1.0], [3.0]])
    assert scaler.mean_ == [2.0] and scaler.n_samples_seen_ == 2
    for _ in range(2):  # also that it has warned
        with pytest.warns(UserWarning, match="constant in all 2 rows"):
            scaler.fit([[1.0], [1.0]])


def test_the_state_goes_through_json():
    step = math.ulp(1e9)
    scaler, other = scaler_of([[1e9], [1e9 + step]]), StandardScaler()
    other.load_state_dict(json.loads(json.dumps(scaler.state_dict())))
    assert other.scale_ == scaler.scale_
    for more in scaler, other:
        more.partial_fit([[1e9 + 4 * step]])
    assert other.state_dict() == scaler.state_dict() and other.scale_ == scaler.scale_
    empty = StandardScaler()
    empty.load_state_dict(StandardScaler().state_dict())
    with pytest.raises(RuntimeError, match="fit first"):
        empty.transform([[1.0]])


def test_refuses_what_does_not_fit():
    scaler = scaler_of([[1.0, 2.0], [3.0, 5.0]])
    before = scaler.state_dict()
    for call in scaler.transform, scaler.partial_fit, scaler.inverse_transform:
        with pytest.raises(ValueError, match="1 columns, the scaler learned 2"):
            call([[1.0]])
    with pytest.raises(ValueError, match="row 1, column 0"):
        scaler.partial_fit([[1.0, 2.0], [math.inf, 0.0]])
    with pytest.raises(ValueError, match="rows and columns"):
        scaler.fit([1.0, 2.0])
    assert scaler.state_dict() == before
