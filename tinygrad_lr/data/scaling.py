"""StandardScaler: every feature to mean 0 and standard deviation 1.

    x <- (x - mean) / scale

Gradient descent has one step size for all directions. If one feature is measured in thousands and
another in thousandths, the bowl of the loss is a ravine, and a step of the right length along it is
far too long across it. Scaling makes the bowl rounder, but not round: where features say nearly
the same (radius, perimeter and area of a tumour), the ravine is not parallel to an axis, and
stays. The weights of scaled features can be compared: each belongs to one standard deviation.

>>> scaler = StandardScaler()
>>> scaler.fit_transform([[1.0, 1000.0], [3.0, 5000.0]])
Array([[-1.0, -1.0], [1.0, 1.0]])
>>> scaler.mean_, scaler.scale_
([2.0, 3000.0], [1.0, 2000.0])

Fit it only on the rows to learn from. What it knew of the test rows would leak into the model.
"""

from __future__ import annotations

import math
import warnings
from itertools import chain
from typing import Any, Self

from ..core.array import Array, from_flat
from ..core.typed import DataLike
from ..losses.checks import check_matrix

__all__ = ["StandardScaler"]


class StandardScaler:
    """Learns the mean and the population standard deviation of each column of X (n, d).

    After `fit` or `partial_fit` it has `mean_`, `scale_` (d numbers each) and `n_samples_seen_`. A
    constant feature keeps the scale 1, with a warning: it has no information. So does a feature
    that varies by less than 1e-161, because the squares of such floats are 0.
    """

    mean_: list[float]
    scale_: list[float]

    def __init__(self) -> None:
        self.n_samples_seen_ = 0
        self._rests: list[float] = []  # what was rounded off the means
        self._squares: list[float] = []  # sums of squared distances to the mean
        self._reported: set[int] = set()  # constant columns, each warned of once

    def fit(self, X: DataLike) -> Self:
        """Learn from these rows only. Raises ValueError for numbers too large to be squared."""
        return self._learn(X, 0)

    def partial_fit(self, X: DataLike) -> Self:
        """Learn from these rows too. Parts, in any order, give the same as all rows at once.

        Two parts of n and m rows, with means a and b and sums of squared distances S and T, have
        together the mean a + (b - a) m / (n + m) and the sum S + T + (b - a)^2 n m / (n + m).
        (Chan, Golub and LeVeque 1979; for m = 1 it is Welford's rule.)
        """
        return self._learn(X, self.n_samples_seen_)

    def _learn(self, X: DataLike, n: int) -> Self:
        """Add the rows X to the n rows that were seen before; n = 0 forgets them."""
        X = check_matrix(X)
        m = X.shape[0]
        if n:
            self._check_width(X)
        means, rests, squares = [], [], []
        for j, column in enumerate(X.columns):
            try:
                mean, rest, square = _moments(column)
                if n:
                    apart = (mean - self.mean_[j]) + (rest - self._rests[j])
                    square += self._squares[j] + apart**2 * (n * m / (n + m))
                    moved = self._rests[j] + apart * (m / (n + m))
                    mean = self.mean_[j] + moved
                    rest = moved - (mean - self.mean_[j])
                if not math.isfinite(square):  # sums and products do not raise, powers do
                    raise OverflowError
            except OverflowError:
                raise ValueError(
                    f"X: column {j} (counted from 0) has numbers too large to be squared; measure "
                    "it in a larger unit"
                ) from None
            means.append(mean)
            rests.append(rest)
            squares.append(square)
        reported = self._reported if n else set()
        constant = {j for j, s in enumerate(squares) if s == 0.0 and n + m > 1} - reported
        if constant:
            names = ", ".join(f"column {j}" for j in sorted(constant))
            warnings.warn(
                f"constant in all {n + m} rows seen (to within 1e-161): {names} (counted from 0); "
                "the scale stays 1. It tells nothing; leave it out, or take a smaller unit",
                stacklevel=3,  # the line that called fit, partial_fit or fit_transform
            )
        self.mean_, self._rests, self._squares = means, rests, squares
        self.scale_ = [math.sqrt(s / (n + m)) or 1.0 for s in squares]
        self.n_samples_seen_, self._reported = n + m, reported | constant
        return self

    def transform(self, X: DataLike) -> Array:
        """(X - mean_) / scale_, for any rows X (n, d)."""
        X = self._checked(X)
        scaled = [
            [(x - mean) / scale for x in column]
            for column, mean, scale in zip(X.columns, self.mean_, self.scale_)
        ]
        return from_flat(list(chain.from_iterable(zip(*scaled))), X.shape)

    def inverse_transform(self, X: DataLike) -> Array:
        """X * scale_ + mean_: back to the units of the table."""
        rows: Array = self._checked(X) * self.scale_ + self.mean_
        return rows

    def fit_transform(self, X: DataLike) -> Array:
        """`fit`, then `transform` of the same rows."""
        return self._learn(X, 0).transform(X)

    def _checked(self, X: DataLike) -> Array:
        if not self.n_samples_seen_:
            raise RuntimeError("this StandardScaler has seen no rows yet; call fit first")
        checked = check_matrix(X)
        self._check_width(checked)
        return checked

    def _check_width(self, X: Array) -> None:
        if X.shape[1] != len(self.mean_):
            raise ValueError(f"X has {X.shape[1]} columns, the scaler learned {len(self.mean_)}")

    def state_dict(self) -> dict[str, Any]:
        """What it has learned; JSON can hold it."""
        if not self.n_samples_seen_:
            return {"n": 0}
        return {
            "n": self.n_samples_seen_,
            "mean": self.mean_,
            "rest": self._rests,
            "squares": self._squares,
        }

    def load_state_dict(self, saved: dict[str, Any]) -> None:
        """Take over what `state_dict` returned."""
        self.n_samples_seen_ = saved["n"]
        if saved["n"]:
            self.mean_, self._rests = list(saved["mean"]), list(saved["rest"])
            self._squares = list(saved["squares"])
            self.scale_ = [math.sqrt(s / saved["n"]) or 1.0 for s in self._squares]


def _moments(column: list[float]) -> tuple[float, float, float]:
    """The mean, what was rounded off it, and the sum of squared distances to the exact mean.

    Distances to the rounded mean are wrong where floats lie far apart: the mean of two neighbours
    near 1e9 is rounded to one of them, which doubles the sum. Raises OverflowError.
    """
    if min(column) == max(column):  # a constant, which rounding would make vary
        return column[0], 0.0, 0.0
    mean = math.fsum(column) / len(column)
    distances = [x - mean for x in column]
    rest = math.fsum(distances) / len(column)
    return mean, rest, math.fsum([(x - rest) ** 2 for x in distances])
