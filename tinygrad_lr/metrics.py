"""Metrics: one number that says how good predictions are, once the model has learned.

Two models predict how probable it is that y = 1. Both are right about three rows of four:

>>> y = [1, 1, 1, 0]
>>> modest, overconfident = [0.75, 0.75, 0.75, 0.75], [0.99, 0.99, 0.99, 0.99]
>>> accuracy(y, [1, 1, 1, 1])                 # what both predict, at the threshold 0.5
0.75
>>> round(log_loss(y, modest), 3), round(log_loss(y, overconfident), 3)
(0.562, 1.159)
>>> brier_score(y, modest), round(brier_score(y, overconfident), 4)
(0.1875, 0.2451)

Accuracy looks only at the side of the threshold, not at the distance. Log loss and Brier score see
that the second model is too sure. Both are *proper*: if an event happens in a share q of the cases,
the expected score is best exactly when the model predicts q. For log loss the derivative of
-q log p - (1 - q) log(1 - p) is (p - q) / (p (1 - p)), for Brier that of q (1 - p)^2 + (1 - q) p^2
is 2 (p - q). Both are zero only at p = q. So the best strategy is to predict the true probability;
confidence improves the score only where it is *calibrated*:

>>> expected_calibration_error(y, modest), expected_calibration_error(y, overconfident)
(0.0, 0.24)

    judges        functions
    -----------   ------------------------------------------------------------------
    labels        accuracy, confusion_matrix
    a ranking     roc_auc
    probability   log_loss, brier_score, calibration_curve, expected_calibration_error

The true labels come first, the predictions second, as in scikit-learn. Both may be lists, Arrays or
anything with `.tolist()`. Metrics have no derivatives; for what can be minimised see `losses`.
"""

import math
from bisect import bisect_left
from collections import Counter
from itertools import groupby
from numbers import Integral
from operator import itemgetter
from typing import NamedTuple

from .core import numerics
from .core.array import Array, from_flat
from .core.lift import data_of
from .core.typed import ArrayLike
from .losses.checks import check_zero_one

__all__ = [
    "CalibrationCurve", "accuracy", "brier_score", "calibration_curve", "confusion_matrix",
    "expected_calibration_error", "log_loss", "roc_auc",
]  # fmt: skip


SEVERAL_CLASSES = (
    "give a row of probabilities for each, or ask about one class k: y == k against p[:, k]"
)


# ---- of labels ---------------------------------------------------------------------------


def accuracy(y_true: ArrayLike, y_pred: ArrayLike) -> float:
    """The share of rows whose predicted label is the true one.

    Both (n,), any numbers as labels. Raises ValueError for shapes that differ, no rows, NaN, and
    for probabilities instead of labels.
    """
    true, predicted = _labels("accuracy", y_true, y_pred)
    return sum(t == p for t, p in zip(true, predicted)) / len(true)


def confusion_matrix(y_true: ArrayLike, y_pred: ArrayLike) -> Array:
    """Which class is taken for which: entry [i, j] counts rows of class i predicted as class j.

    (n,) and (n,) give (K, K), for the K labels that occur in either, in increasing order. The
    diagonal counts the correct predictions. Raises as `accuracy` does.

    >>> confusion_matrix([0, 0, 0, 1, 1], [0, 0, 1, 1, 0])
    Array([[2.0, 1.0], [1.0, 1.0]])
    """
    true, predicted = _labels("confusion_matrix", y_true, y_pred)
    classes = sorted({*true, *predicted})
    counts = Counter(zip(true, predicted))
    flat = [float(counts[t, p]) for t in classes for p in classes]
    return from_flat(flat, (len(classes), len(classes)))


# ---- of a ranking ------------------------------------------------------------------------


def roc_auc(y_true: ArrayLike, scores: ArrayLike) -> float:
    """The probability that a random row of class 1 is scored above a random row of class 0.

    A tie counts half. It is also the area under the receiver operating characteristic. With m rows
    of class 1 and k of class 0, and ranks from 1 in the order of the scores (equal scores share the
    mean of their ranks), Mann and Whitney (1947) need not compare the m k pairs:

        AUC = (sum of the ranks of class 1 - m (m + 1) / 2) / (m k)

    Both (n,): labels 0 and 1, and any scores that are larger where class 1 is more probable; only
    their order matters. Raises ValueError for shapes that differ, NaN, and one class alone.

    >>> roc_auc([0, 0, 1, 1], [0.1, 0.4, 0.35, 0.8])      # three of the four pairs
    0.75
    """
    name = "roc_auc"
    true, scored = _pair(name, y_true, "scores", scores)
    check_zero_one(name, true, SEVERAL_CLASSES)
    positive = int(sum(true))
    negative = len(true) - positive
    if not positive or not negative:
        raise ValueError(
            f"{name}: all {len(true)} labels are {true[0]:g}, so there are no pairs of two classes "
            "to rank; evaluate on more rows, or split the data so that both classes occur"
        )
    before, twice_ranks = 0, 0  # twice, because the mean of two ranks may end in .5
    for _, group in groupby(sorted(zip(scored, true)), key=itemgetter(0)):
        tied = [t for _, t in group]
        twice_ranks += int(sum(tied)) * (2 * before + len(tied) + 1)
        before += len(tied)
    return (twice_ranks - positive * (positive + 1)) / (2 * positive * negative)


# ---- of probabilities --------------------------------------------------------------------


def log_loss(y_true: ArrayLike, probabilities: ArrayLike) -> float:
    """The mean of -log(probability of what happened), in nats.

    0 for a perfect model; log K for a model that finds all K classes equally probable.

    Two classes: labels 0 and 1 (n,), probabilities of class 1 (n,). Several: whole labels from 0
    to K - 1 (n,), probabilities (n, K) whose rows sum to 1.

    If what happened had probability 0, the result is inf, as it should be: the model called it
    impossible. Some libraries clip the probabilities, which hides the error. If the cause is
    rounding (sigmoid(37.0) is 1.0), compute the loss from logits:
    `losses.binary_cross_entropy_with_logits`.

    Raises ValueError for shapes that differ, no rows, NaN, labels of another kind, numbers outside
    [0, 1], and rows that do not sum to 1.

    >>> log_loss([1, 0], [0.5, 0.5]), log_loss([1, 0], [0.0, 0.5])
    (0.6931471805599453, inf)
    >>> log_loss([2, 0], [[0.25, 0.25, 0.5], [0.5, 0.25, 0.25]])
    0.6931471805599453
    """
    name = "log_loss"
    rows = _rows(name, probabilities)
    if rows is None:
        true, predicted = _binary(name, y_true, probabilities)
        costs = [-numerics.log(p) if t else -numerics.log1p(-p) for t, p in zip(true, predicted)]
    else:
        costs = [-numerics.log(row[t]) for t, row in zip(_classes(name, y_true, rows), rows)]
    return math.fsum(costs) / len(costs)


def brier_score(y_true: ArrayLike, probabilities: ArrayLike) -> float:
    """The mean squared distance between probability and outcome (Brier 1950): 0 is best.

        two classes     mean of (p - y)^2                                    in [0, 1]
        K > 2 classes   mean over rows of the sum over k of (p_k - [y = k])^2  in [0, 2]

    Shapes and errors as for `log_loss`. The second formula gives twice the first for two columns;
    (n, 2) means two classes and gets the first, as in scikit-learn's `brier_score_loss`. Unlike
    log loss it is bounded: a wrong certainty costs 1, not inf.
    """
    name = "brier_score"
    rows = _rows(name, probabilities)
    if rows is None:
        costs = [(p - t) ** 2 for t, p in zip(*_binary(name, y_true, probabilities))]
    else:
        costs = [
            math.fsum((p - (t == k)) ** 2 for k, p in enumerate(row)) / (2 if len(row) == 2 else 1)
            for t, row in zip(_classes(name, y_true, rows), rows)
        ]
    return math.fsum(costs) / len(costs)


class CalibrationCurve(NamedTuple):
    """Three Arrays (bins,), of the bins that are not empty, in increasing order."""

    observed: Array
    """The share of rows of class 1."""
    predicted: Array
    """The mean of the probabilities."""
    counts: Array
    """How many rows."""


def calibration_curve(
    y_true: ArrayLike, probabilities: ArrayLike, n_bins: int = 10, strategy: str = "uniform"
) -> CalibrationCurve:
    """Of all rows with a predicted 70%, are 70% of class 1? The same for each bin.

    A calibrated model has `observed` near `predicted`. Where `observed` is larger it is not sure
    enough, where it is smaller it is too sure. For two classes: labels 0 and 1 (n,), probabilities
    of class 1 (n,). `strategy`: "uniform" cuts [0, 1] into `n_bins` equal intervals, "quantile"
    into intervals with about the same number of rows. A bin (low, high] includes its upper edge,
    and the first one also 0, as in scikit-learn's function of this name, which returns the first
    two of the three results.

    Raises ValueError for shapes that differ, no rows, NaN, labels other than 0 and 1, numbers
    outside [0, 1], no bins, and an unknown strategy.

    >>> observed, predicted, counts = calibration_curve(
    ...     [0, 1, 0, 0, 1, 1], [0.125, 0.25, 0.25, 0.375, 0.75, 1.0], n_bins=2)
    >>> observed, predicted, counts
    (Array([0.25, 1.0]), Array([0.25, 0.875]), Array([4.0, 2.0]))
    """
    return _curve("calibration_curve", y_true, probabilities, n_bins, strategy)


def _curve(
    name: str, y_true: ArrayLike, probabilities: ArrayLike, n_bins: int, strategy: str
) -> CalibrationCurve:
    true, predicted = _binary(name, y_true, probabilities)
    edges = _inner_edges(name, predicted, n_bins, strategy)
    bins: dict[int, list[int]] = {}
    for row, p in enumerate(predicted):
        bins.setdefault(bisect_left(edges, p), []).append(row)
    members = [bins[b] for b in sorted(bins)]
    shape = (len(members),)
    return CalibrationCurve(
        observed=from_flat([math.fsum(true[i] for i in m) / len(m) for m in members], shape),
        predicted=from_flat([math.fsum(predicted[i] for i in m) / len(m) for m in members], shape),
        counts=from_flat([float(len(m)) for m in members], shape),
    )


def expected_calibration_error(
    y_true: ArrayLike, probabilities: ArrayLike, n_bins: int = 10
) -> float:
    """How far a model is from calibrated: the mean of |observed - predicted| over the rows.

        ECE = sum over bins of (count / n) |observed - predicted|

    Bins, shapes and errors as in `calibration_curve` with equal intervals. 0 is best, but easy to
    reach: a model that always predicts the overall share of class 1 has it too. So read it next to
    log loss or Brier score, never alone. It also depends on the number of bins. Naeini, Cooper and
    Hauskrecht (2015). Guo et al. (2017) use the probability of the *predicted* class, which gives
    another number for the same model.
    """
    curve = _curve("expected_calibration_error", y_true, probabilities, n_bins, "uniform")
    bins = list(zip(curve.observed.flat, curve.predicted.flat, curve.counts.flat))
    gaps = [count * abs(observed - predicted) for observed, predicted, count in bins]
    return math.fsum(gaps) / sum(curve.counts.flat)


def _inner_edges(name: str, predicted: list[float], n_bins: int, strategy: str) -> list[float]:
    """The edges between the bins: n_bins - 1 numbers, in increasing order."""
    if not isinstance(n_bins, Integral) or n_bins < 1:
        raise ValueError(f"{name}: n_bins is {n_bins!r}; it is a whole number, at least 1")
    if strategy == "uniform":
        return [k / n_bins for k in range(1, n_bins)]
    if strategy != "quantile":
        raise ValueError(f'{name}: strategy {strategy!r} is neither "uniform" nor "quantile"')
    # Quantile k / n_bins is at position k (n - 1) / n_bins of the sorted numbers. Between two
    # positions one would interpolate; but no row lies between neighbours, so the lower one
    # separates the same rows. (scikit-learn rounds the position: with 3, 6, 7, 9 or 15 bins a row
    # on the edge may end up in the bin above.)
    ordered = sorted(predicted)
    return [ordered[k * (len(ordered) - 1) // n_bins] for k in range(1, n_bins)]


# ---- checks of the arguments -------------------------------------------------------------


def _vector(name: str, what: str, x: ArrayLike) -> list[float]:
    """The numbers of x, if it has the shape (n,) with n > 0 and no NaN."""
    data = data_of(x)
    if not isinstance(data, Array):
        raise ValueError(f"{name}: {what} is the single number {data}; give one for each row")
    n, *rest = data.shape
    if not data.flat:
        raise ValueError(f"{name}: {what} is empty; it needs at least one row")
    if rest == [1]:
        raise ValueError(
            f"{name}: {what} has shape ({n}, 1) and needs ({n},); take its only column, x[:, 0]"
        )
    if rest:
        if what in ("y_true", "y_pred"):
            hint = "argmax of each row gives labels"
        elif rest == [2]:
            hint = "take the column of class 1, p[:, 1]"
        else:
            hint = "take one class k: its column p[:, k] against the labels y == k"
        raise ValueError(f"{name}: {what} has shape {data.shape} and needs ({n},); {hint}")
    _check_no_nan(name, what, data.flat)
    return data.flat


def _check_no_nan(name: str, what: str, flat: list[float]) -> None:
    for place, v in enumerate(flat):
        if v != v:
            raise ValueError(
                f"{name}: {what} has NaN (element {place}); drop such rows, or look for the "
                "operation that made it with detect_anomaly()"
            )


def _pair(
    name: str, y_true: ArrayLike, what: str, predicted: ArrayLike
) -> tuple[list[float], list[float]]:
    """Two vectors of one length."""
    true, other = _vector(name, "y_true", y_true), _vector(name, what, predicted)
    _check_lengths(name, len(true), what, len(other))
    return true, other


def _check_lengths(name: str, n: int, what: str, m: int) -> None:
    if n != m:
        raise ValueError(
            f"{name}: y_true has {n} rows and {what} has {m}; "
            "both must come from the same rows in the same order"
        )


def _labels(name: str, y_true: ArrayLike, y_pred: ArrayLike) -> tuple[list[float], list[float]]:
    """True and predicted labels; probabilities are not labels."""
    true, predicted = _pair(name, y_true, "y_pred", y_pred)
    unsure = next((p for p in predicted if 0.0 < p < 1.0), None)
    if unsure is not None and all(map(float.is_integer, true)):
        raise ValueError(
            f"{name}: y_pred has {unsure:g}, which looks like a probability; labels are needed: "
            "threshold it first (p > 0.5), or use log_loss or brier_score, which want probabilities"
        )
    return true, predicted


def _binary(
    name: str, y_true: ArrayLike, probabilities: ArrayLike
) -> tuple[list[float], list[float]]:
    """Labels 0 and 1, and probabilities of class 1."""
    true, predicted = _pair(name, y_true, "probabilities", probabilities)
    check_zero_one(name, true, SEVERAL_CLASSES)
    _check_unit_interval(name, predicted)
    return true, predicted


def _rows(name: str, probabilities: ArrayLike) -> list[list[float]] | None:
    """The rows of probabilities (n, K), if each is a distribution; None for the shape (n,)."""
    data = data_of(probabilities)
    if not isinstance(data, Array) or data.ndim != 2 or data.shape[1] < 2 or not data.flat:
        return None
    _check_no_nan(name, "probabilities", data.flat)
    _check_unit_interval(name, data.flat)
    for place, row in enumerate(data.rows):
        if abs(math.fsum(row) - 1.0) > 1e-5:
            raise ValueError(
                f"{name}: row {place} of the probabilities sums to {math.fsum(row):g}, not 1; "
                "divide each row by its sum (or apply softmax to scores)"
            )
    return data.rows


def _classes(name: str, y_true: ArrayLike, rows: list[list[float]]) -> list[int]:
    """Labels that name a column of the rows."""
    true = _vector(name, "y_true", y_true)
    _check_lengths(name, len(true), "probabilities", len(rows))
    for t in true:
        if not (t.is_integer() and 0 <= t < len(rows[0])):
            raise ValueError(
                f"{name}: the label {t:g} names no column of probabilities with shape "
                f"({len(rows)}, {len(rows[0])}); labels are whole numbers from 0 to "
                f"{len(rows[0]) - 1}"
            )
    return list(map(int, true))


def _check_unit_interval(name: str, predicted: list[float]) -> None:
    for p in predicted:
        if not 0.0 <= p <= 1.0:
            raise ValueError(
                f"{name}: probabilities lie in [0, 1], got {p:g}; did you pass logits? "
                "apply sigmoid (two classes) or softmax (several)"
            )
