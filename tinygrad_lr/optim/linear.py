"""Solving A x = b for a symmetric matrix A, by its square root: Cholesky's method.

    A = L L'         L is lower triangular, L' its transpose        n^3 / 6 multiplications
    L z = b          from the first row down: each row has one new unknown        n^2 / 2
    L' x = z         from the last row up                                         n^2 / 2

The root of a number exists where the number is positive. L exists where A is *positive definite*:
x . A x > 0 for every x but zero, a bowl that curves upwards in all directions. So the attempt is
also the test, and the error says at which row it failed.

>>> cholesky([[4.0, 2.0], [2.0, 5.0]])
[[2.0], [1.0, 2.0]]
>>> solve(_, [8.0, 12.0])
[1.0, 2.0]

Vectors are lists of floats, matrices are lists of rows. Only symmetric matrices, and no
derivatives. `convexity.is_positive_semidefinite` also answers where A is singular.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from ..core.array import sumprod as dot

__all__ = ["NotPositiveDefiniteError", "Vector", "cholesky", "dot", "moved", "solve"]

Vector = list[float]

ROUNDING = 1e-12  # the part of a diagonal entry below which what is left of it is only rounding


class NotPositiveDefiniteError(ValueError):
    """A matrix without a Cholesky root. `place`: the first row at which it has none. `singular`:
    whether it is flat there (to its digits), otherwise it curves downwards.
    """

    def __init__(self, message: str, place: int, singular: bool) -> None:
        super().__init__(message)
        self.place, self.singular = place, singular

    def __reduce__(self) -> tuple[Any, ...]:  # so that it can be sent to another process
        return type(self), (str(self), self.place, self.singular)


def moved(x: Vector, step: float, direction: Vector) -> Vector:
    """x + step * direction."""
    return [a + step * d for a, d in zip(x, direction)]


def cholesky(rows: Sequence[Vector]) -> list[Vector]:
    """The rows of L, each up to its diagonal, where L L' is the symmetric matrix of these rows.

    Row after row, and in each from the left:

        L[i][j] = (A[i][j] - L[i] . L[j]) / L[j][j]       the products of the j entries so far
        L[i][i] = sqrt(A[i][i] - L[i] . L[i])

    Under the root is what the rows above have left of A[i][i]. Raises NotPositiveDefiniteError
    where it is not positive, or less than 1e-12 of A[i][i]. Reads only the lower triangle. Golub
    and Van Loan, Matrix Computations, section 4.2.
    """
    root: list[Vector] = []
    for i, row in enumerate(rows):
        new: Vector = []
        for j, above in enumerate(root):
            new.append((row[j] - dot(new, above[:j])) / above[j])
        left, noise = row[i] - dot(new, new), ROUNDING * abs(row[i])
        if not left > noise:
            message = f"cholesky: not positive definite; {left:g} is left of {row[i]:g} in row {i}"
            raise NotPositiveDefiniteError(message, i, singular=abs(left) <= noise)
        new.append(math.sqrt(left))
        root.append(new)
    return root


def solve(root: Sequence[Vector], b: Vector) -> Vector:
    """The x with L L' x = b, where `root` is L as `cholesky` gives it."""
    z: Vector = []
    for i, row in enumerate(root):
        z.append((b[i] - dot(z, row[:i])) / row[i])
    x = z  # in place: z[i] is read once, just before x[i] takes its place
    for i in reversed(range(len(root))):
        below = [root[k][i] for k in range(i + 1, len(root))]
        x[i] = (z[i] - dot(below, x[i + 1 :])) / root[i][i]
    return x
