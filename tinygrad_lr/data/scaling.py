"""StandardScaler: every feature to mean 0 and standard deviation 1.

    x <- (x - mean) / scale

Gradient descent takes one step size for all directions. If one feature is measured in
thousands and another in thousandths, the bowl of the loss is a ravine, and the step that
is right along it is far too long across. Scaled features make it round. The weights then
say what a feature is worth in standard deviations, so they can be compared.

>>> scaler = StandardScaler()
>>> scaler.fit_transform([[1.0, 1000.0], [3.0, 5000.0]])
Array([[-1.0, -1.0], [1.0, 1.0]])
>>> scaler.mean_, scaler.scale_
([2.0, 3000.0], [1.0, 2000.0])

Fit it on the rows to learn from alone; what it knows of the test rows would be a leak.
"""

from __future__ import annotations

import math
import warnings
from itertools import chain
from typing import Any, Self

from ..array import Array, from_flat
from .checks import check_matrix

__all__ = ["StandardScaler"]


class StandardScaler:
    """Learns the mean and the population standard deviation of each column of X (n, d).

    `mean_`, `scale_` (d numbers each) and `n_samples_seen_` are there after `fit` or
    `partial_fit`. A constant feature keeps the scale 1, with a warning: it tells nothing.
    """

    mean_: list[float]
    scale_: list[float]

    def __init__(self) -> None:
        self.n_samples_seen_ = 0
        self._squares: list[float] = []  # sums of squared distances to the mean

    def fit(self, X: Any) -> Self:
        """Learn from these rows alone."""
        fresh = StandardScaler().partial_fit(X)
        self.__dict__.update(fresh.__dict__)
        return self

    def partial_fit(self, X: Any) -> Self:
        """Learn from these rows too; parts in any order give what the whole gives.

        Two parts of n and m rows, with means a and b and sums of squared distances S and
        T, together have the mean a + (b - a) m / (n + m) and the sum S + T + (b - a)^2
        n m / (n + m). (Chan, Golub and LeVeque 1979; for m = 1 it is Welford's rule.)
        """
        X = check_matrix(X)
        n, m = self.n_samples_seen_, X.shape[0]
        if n:
            self._check_width(X)
        means, squares = [], []
        for j, column in enumerate(X.columns):
            mean = math.fsum(column) / m
            if min(column) == max(column):  # rounding must not make a constant vary
                mean = column[0]
            square = math.fsum([(x - mean) ** 2 for x in column])
            if n:
                apart = mean - self.mean_[j]
                square += self._squares[j] + apart * apart * (n * m / (n + m))
                mean = self.mean_[j] + apart * (m / (n + m))
            means.append(mean)
            squares.append(square)
        self.mean_, self._squares, self.n_samples_seen_ = means, squares, n + m
        self.scale_ = [math.sqrt(s / (n + m)) or 1.0 for s in squares]
        if n + m > 1 and 0.0 in squares:
            warnings.warn(
                f"column {squares.index(0.0)} (counted from 0) is constant; it keeps the scale 1 "
                "and tells nothing",
                stacklevel=2,
            )
        return self

    def transform(self, X: Any) -> Array:
        """(X - mean_) / scale_, for any rows X (n, d)."""
        X = self._checked(X)
        scaled = [
            [(x - mean) / scale for x in column]
            for column, mean, scale in zip(X.columns, self.mean_, self.scale_)
        ]
        return from_flat(list(chain.from_iterable(zip(*scaled))), X.shape)

    def inverse_transform(self, X: Any) -> Array:
        """X * scale_ + mean_: back to the units of the table."""
        return self._checked(X) * self.scale_ + self.mean_

    def fit_transform(self, X: Any) -> Array:
        """`fit`, then `transform` of the same rows."""
        return self.fit(X).transform(X)

    def _checked(self, X: Any) -> Array:
        if not self.n_samples_seen_:
            raise RuntimeError("this StandardScaler has seen no rows yet; call fit first")
        X = check_matrix(X)
        self._check_width(X)
        return X

    def _check_width(self, X: Array) -> None:
        if X.shape[1] != len(self.mean_):
            raise ValueError(f"X has {X.shape[1]} columns, the scaler learned {len(self.mean_)}")

    def state_dict(self) -> dict[str, Any]:
        """What it has learned, JSON-able."""
        if not self.n_samples_seen_:
            return {"n": 0}
        return {"n": self.n_samples_seen_, "mean": self.mean_, "squares": self._squares}

    def load_state_dict(self, saved: dict[str, Any]) -> None:
        """Know what `state_dict` knew."""
        self.n_samples_seen_ = saved["n"]
        if saved["n"]:
            self.mean_, self._squares = list(saved["mean"]), list(saved["squares"])
            self.scale_ = [math.sqrt(s / saved["n"]) or 1.0 for s in self._squares]
