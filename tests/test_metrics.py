"""Metrics against scikit-learn's numbers, against definitions in fractions, and at the edges."""

import json
import math
from fractions import Fraction
from itertools import product
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinygrad_lr import Value, sigmoid
from tinygrad_lr.core.array import Array
from tinygrad_lr.losses import binary_cross_entropy, categorical_log_likelihood
from tinygrad_lr.metrics import (
    accuracy,
    brier_score,
    calibration_curve,
    confusion_matrix,
    expected_calibration_error,
    log_loss,
    roc_auc,
)

SKLEARN = json.loads((Path(__file__).parent / "reference" / "sklearn.json").read_text())["metrics"]
LABELS, PROBABILITIES = SKLEARN["labels"], SKLEARN["probabilities"]

OF_PROBABILITIES = [log_loss, brier_score, calibration_curve, expected_calibration_error]
OF_LABELS = [accuracy, confusion_matrix]
EVERY = [*OF_PROBABILITIES, *OF_LABELS, roc_auc]


def close(expected):
    return pytest.approx(expected, rel=1e-13, abs=1e-15)


# Labels and coarse probabilities (so that ties are common), both classes present.
coarse = st.integers(0, 8).map(lambda k: k / 8)
pairs = st.lists(st.tuples(st.integers(0, 1), coarse), min_size=1, max_size=20)
both_classes = pairs.map(lambda rows: [(0, 0.5), (1, 0.25), *rows])


# ---- scikit-learn's numbers ----------------------------------------------------------------


@pytest.mark.parametrize(
    ("metric", "key"),
    [(log_loss, "log_loss"), (brier_score, "brier_score_loss"), (roc_auc, "roc_auc_score")],
)
def test_probability_metrics_are_scikit_learns(metric, key):
    assert metric(LABELS, PROBABILITIES) == close(SKLEARN[key])


@pytest.mark.parametrize("example", [SKLEARN, SKLEARN["three_classes"]])
def test_label_metrics_are_scikit_learns(example):
    assert accuracy(example["labels"], example["predicted"]) == close(example["accuracy"])
    matrix = confusion_matrix(example["labels"], example["predicted"])
    assert matrix.tolist() == example["confusion_matrix"]


@pytest.mark.parametrize("strategy", ["uniform", "quantile"])
@pytest.mark.parametrize("bins", [5, 10])
def test_calibration_curve_is_scikit_learns(strategy, bins):
    expected = SKLEARN[f"calibration_curve_{strategy}_{bins}"]
    observed, predicted, counts = calibration_curve(LABELS, PROBABILITIES, bins, strategy)
    assert observed.tolist() == close(expected["fraction_of_positives"])
    assert predicted.tolist() == close(expected["mean_probability"])
    assert sum(counts.tolist()) == len(LABELS)


def test_several_classes_are_scikit_learns():
    # log_loss and brier_score_loss of scikit-learn 1.9.1 for these rows
    y = [0, 1, 2, 0]
    p = [[0.7, 0.2, 0.1], [0.2, 0.5, 0.3], [0.1, 0.1, 0.8], [0.3, 0.3, 0.4]]
    assert log_loss(y, p) == close(0.6192346200347059)
    assert brier_score(y, p) == close(0.33)
    # and for two columns, which mean two classes
    assert brier_score([0, 1, 1], [[0.7, 0.3], [0.2, 0.8], [0.6, 0.4]]) == close(0.49 / 3)


# ---- definitions, the long way -------------------------------------------------------------


@given(pairs)
def test_two_columns_are_the_binary_case(rows):
    y, p = zip(*rows)
    columns = [[1 - v, v] for v in p]
    assert log_loss(y, columns) == close(log_loss(y, p))
    assert brier_score(y, columns) == close(brier_score(y, p))


@given(st.lists(st.tuples(st.integers(0, 1), st.floats(1e-9, 1 - 1e-9)), min_size=1, max_size=9))
def test_log_loss_is_the_loss_that_training_minimises(rows):
    y, p = zip(*rows)
    assert log_loss(y, p) == pytest.approx(binary_cross_entropy(p, y), rel=1e-12)
    columns = [[1 - v, v] for v in p]
    assert log_loss(y, columns) == pytest.approx(
        -categorical_log_likelihood(columns, y, reduction="mean"), rel=1e-12
    )


@given(pairs)
def test_brier_score_in_fractions(rows):
    exact = sum((Fraction(p) - y) ** 2 for y, p in rows) / len(rows)
    y, p = zip(*rows)
    assert brier_score(y, p) == close(float(exact))


@given(both_classes)
def test_auc_is_the_share_of_pairs_in_the_right_order(rows):
    ones = [p for y, p in rows if y]
    zeros = [p for y, p in rows if not y]
    won = sum(Fraction((a > b) + (a >= b), 2) for a, b in product(ones, zeros))
    y, p = zip(*rows)
    assert roc_auc(y, p) == float(won / (len(ones) * len(zeros)))


@given(both_classes)
def test_auc_sees_the_order_alone(rows):
    y, p = zip(*rows)
    assert roc_auc(y, [math.exp(5 * v) - 100 for v in p]) == roc_auc(y, p)
    assert roc_auc(y, [-v for v in p]) == close(1 - roc_auc(y, p))
    assert roc_auc(y, [math.inf if v == 1 else v for v in p]) == roc_auc(y, p)


labels = st.lists(st.tuples(st.integers(-2, 2), st.integers(-2, 2)), min_size=1, max_size=20)


@given(labels)
def test_confusion_matrix_counts_every_row_once(rows):
    true, predicted = zip(*rows)
    matrix = confusion_matrix(true, predicted)
    classes = sorted(set(true) | set(predicted))
    assert matrix.shape == (len(classes), len(classes))
    assert [sum(row) for row in matrix.rows] == [true.count(c) for c in classes]
    assert [sum(column) for column in matrix.columns] == [predicted.count(c) for c in classes]
    diagonal = sum(row[k] for k, row in enumerate(matrix.rows))
    assert diagonal / len(rows) == accuracy(true, predicted)
    assert confusion_matrix(predicted, true) == matrix.T


@given(pairs, st.integers(1, 12))
def test_calibration_error_in_fractions(rows, bins):
    total = Fraction(0)
    for k in range(bins):  # the bin (k / bins, (k + 1) / bins], and 0 in the first
        inside = [
            (y, Fraction(p))
            for y, p in rows
            if Fraction(k, bins) < Fraction(p) <= Fraction(k + 1, bins) or (k == p == 0)
        ]
        total += abs(sum(y - p for y, p in inside))
    y, p = zip(*rows)
    assert expected_calibration_error(y, p, bins) == close(float(total / len(rows)))


@given(pairs, st.integers(1, 12), st.sampled_from(["uniform", "quantile"]))
def test_calibration_bins_share_the_rows(rows, bins, strategy):
    y, p = zip(*rows)
    observed, predicted, counts = (a.tolist() for a in calibration_curve(y, p, bins, strategy))
    assert min(counts) >= 1 and len(counts) <= bins
    assert predicted == sorted(predicted)
    assert sum(map(math.prod, zip(counts, observed))) == close(sum(y))
    assert sum(map(math.prod, zip(counts, predicted))) == close(sum(p))


def test_quantile_bins_hold_equally_many_rows():
    p = [k**3 / 1000 for k in range(1, 11)]
    assert calibration_curve([0, 1] * 5, p, 5, "quantile").counts.tolist() == [2.0] * 5
    assert calibration_curve([0, 1] * 5, p, 5).counts.tolist() == [5.0, 2.0, 1.0, 1.0, 1.0]


def test_edges_belong_to_the_bin_below():
    curve = calibration_curve([0, 1, 0, 1], [0.0, 0.5, 0.6, 1.0], n_bins=2)
    assert curve.counts.tolist() == [2.0, 2.0]
    assert curve.observed == Array([0.5, 0.5])


@pytest.mark.parametrize("score", [log_loss, brier_score])
def test_honesty_is_the_best_policy(score):
    happened = [1] * 7 + [0] * 3
    grid = [k / 100 for k in range(1, 100)]
    assert min(grid, key=lambda p: score(happened, [p] * 10)) == 0.7


def test_same_accuracy_different_confidence():
    y, modest, boastful = [1, 1, 1, 0], [0.75] * 4, [0.99] * 4
    predictions = [[int(p > 0.5) for p in model] for model in (modest, boastful)]
    assert accuracy(y, predictions[0]) == accuracy(y, predictions[1]) == 0.75
    assert log_loss(y, modest) < log_loss(y, boastful)
    assert brier_score(y, modest) < brier_score(y, boastful)


# ---- limits ----------------------------------------------------------------------------------


def test_the_impossible_happened():
    assert log_loss([1, 1], [0.0, 0.5]) == math.inf
    assert log_loss([0, 1], [1.0, 0.5]) == math.inf
    assert log_loss([1], [[1.0, 0.0]]) == math.inf
    assert brier_score([1], [0.0]) == 1.0
    assert brier_score([2], [[1.0, 0.0, 0.0]]) == 2.0


def test_an_oracle_loses_nothing():
    for loss in log_loss([1, 0], [1.0, 0.0]), log_loss([0, 1], [[1, 0], [0, 1]]):
        assert loss == 0.0 and math.copysign(1.0, loss) == 1.0
    assert roc_auc([0, 1], [0.0, 1.0]) == 1.0


def test_small_probabilities_keep_their_digits():
    assert log_loss([0], [1e-20]) == 1e-20
    assert log_loss([1], [5e-324]) == pytest.approx(744.44, abs=0.01)


def test_whatever_has_tolist_will_do():
    y, p = Array([0, 1]), Array([0.25, 0.75])
    assert log_loss(y, p) == log_loss([False, True], (0.25, 0.75))
    assert accuracy(y, range(2)) == 1.0


# ---- errors: the problem, and a way out ------------------------------------------------------


@pytest.mark.parametrize("metric", EVERY)
@pytest.mark.parametrize(
    ("y", "p", "message"),
    [
        ([0, 1, 1], [0, 1], "y_true has 3 rows and .* has 2.*same order"),
        ([0, 1], [[0], [1]], r"has shape \(2, 1\) and needs \(2,\).*x\[:, 0\]"),
        ([[0], [1]], [0, 1], r"y_true has shape \(2, 1\) and needs \(2,\)"),
        ([[0, 1], [1, 0]], [0, 1], r"y_true has shape \(2, 2\) and needs \(2,\).*argmax"),
        ([], [], "is empty"),
        (1, 1, "single number"),
        ([0, math.nan], [0, 1], r"y_true has NaN \(element 1\)"),
        ([0, 1], [0, math.nan], r"has NaN \(element 1\)"),
    ],
)
def test_errors_of_all(metric, y, p, message):
    with pytest.raises(ValueError, match=f"^{metric.__name__}: .*{message}"):
        metric(y, p)


@pytest.mark.parametrize("metric", [*OF_PROBABILITIES, roc_auc])
def test_labels_are_zero_and_one(metric):
    with pytest.raises(ValueError, match=rf"^{metric.__name__}: .*-1 and 1.*\(y \+ 1\) / 2"):
        metric([-1, 1], [0.5, 0.5])
    with pytest.raises(ValueError, match=f"^{metric.__name__}: .*0 and 1, got 2"):
        metric([0, 1, 2], [0.5, 0.5, 0.5])


@pytest.mark.parametrize("metric", OF_PROBABILITIES)
@pytest.mark.parametrize("wrong", [-0.1, 1.5, math.inf])
def test_logits_are_not_probabilities(metric, wrong):
    with pytest.raises(ValueError, match=f"^{metric.__name__}: .*got {wrong:g}.*logits.*sigmoid"):
        metric([0, 1], [0.5, wrong])


@pytest.mark.parametrize("metric", [roc_auc, calibration_curve, expected_calibration_error])
def test_one_column_is_to_be_chosen(metric):
    with pytest.raises(ValueError, match=rf"^{metric.__name__}: .*\(2, 2\).*p\[:, 1\]"):
        metric([0, 1], [[0.5, 0.5], [0.2, 0.8]])
    with pytest.raises(ValueError, match=r"one class k"):
        metric([0, 1], [[0.5, 0.5, 0.0], [0.2, 0.8, 0.0]])


@pytest.mark.parametrize("metric", [log_loss, brier_score])
def test_rows_of_probabilities(metric):
    with pytest.raises(ValueError, match="row 1 .* sums to 0.9, not 1.*softmax"):
        metric([0, 1], [[0.5, 0.5], [0.5, 0.4]])
    with pytest.raises(ValueError, match=r"got 2; did you pass logits"):
        metric([0, 1], [[0.5, 0.5], [2.0, -1.0]])
    with pytest.raises(ValueError, match=r"label 2 names no column .*\(1, 2\).* from 0 to 1"):
        metric([2], [[0.5, 0.5]])
    for strange in -1, 0.5, math.inf:
        with pytest.raises(ValueError, match="names no column"):
            metric([strange], [[0.5, 0.5]])
    with pytest.raises(ValueError, match="y_true has 1 rows and probabilities has 2"):
        metric([1], [[0.5, 0.5], [0.5, 0.5]])
    with pytest.raises(ValueError, match="NaN"):
        metric([1], [[0.5, math.nan]])


@pytest.mark.parametrize("metric", OF_LABELS)
def test_probabilities_are_not_labels(metric):
    with pytest.raises(ValueError, match=r"0.3, which looks like a probability.*p > 0.5"):
        metric([0, 1], [0.3, 0.8])
    with pytest.raises(ValueError, match="argmax"):
        metric([0, 1], [[0.3, 0.7], [0.8, 0.2]])


@pytest.mark.parametrize("label", [0, 1])
def test_auc_needs_both_classes(label):
    with pytest.raises(ValueError, match=f"all 2 labels are {label}.*no pairs"):
        roc_auc([label] * 2, [0.1, 0.9])


@pytest.mark.parametrize("bins", [0, -1, 2.5])
def test_bins_are_counted(bins):
    with pytest.raises(ValueError, match=f"n_bins is {bins}.*at least 1"):
        calibration_curve([0, 1], [0.1, 0.9], bins)


def test_unknown_strategy():
    with pytest.raises(ValueError, match="'kmeans' is neither \"uniform\" nor"):
        calibration_curve([0, 1], [0.1, 0.9], strategy="kmeans")


def test_text_is_not_a_label():
    with pytest.raises(TypeError, match="'cat' is a str"):
        accuracy(["cat"], ["cat"])


def test_values_are_read_as_what_they_hold():
    p = sigmoid(Value([1.0, 2.0]))
    assert log_loss([1, 0], p) == log_loss([1, 0], p.data)
    assert roc_auc(Value([1.0, 0.0]), p) == 0.0
