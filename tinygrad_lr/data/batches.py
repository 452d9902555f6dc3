"""Which rows a gradient sees: all of them, one, or some.

    batch_size=None    all rows      batch gradient descent: the exact gradient, one step an epoch
    batch_size=1       one row       stochastic: n steps an epoch, each by a noisy gradient
    batch_size=k       k rows        mini-batch: in between, and the usual choice

The gradient of a mean over random rows is, on average, the gradient of the mean over all rows. So
a cheap step goes in the right direction on average. There may be too many rows to read all of
them before each step, or to hold them in memory (`SQLiteBatches`).

>>> for X, y in Batches([[1.0], [2.0], [3.0]], [0, 1, 1], batch_size=2, shuffle=False):
...     print(X, y)
Array([[1.0], [2.0]]) Array([0.0, 1.0])
Array([[3.0]]) Array([1.0])

To scale the features, see `scaling`.
"""

from __future__ import annotations

import operator
import random
from collections.abc import Iterator, Sequence
from itertools import chain
from numbers import Real
from typing import Any, SupportsIndex

from ..core.array import Array, from_flat
from ..core.typed import DataLike
from ..losses.checks import check_data, is_whole

__all__ = ["Batches", "Ordered", "shuffled", "take_rows", "train_test_split"]


class Ordered:
    """Base class of batches: `seed` and the number of the epoch decide the order of its rows."""

    def __init__(self, batch_size: SupportsIndex | None, shuffle: bool, seed: int) -> None:
        if not is_whole(seed):
            raise ValueError(f"seed is {seed!r}; it must be a whole number")
        self.batch_size = None if batch_size is None else operator.index(batch_size)
        self.shuffle, self.seed = shuffle, operator.index(seed)
        self.epoch = 0  # how many epochs have begun

    def state_dict(self) -> dict[str, Any]:
        """What the batches of the coming epochs depend on, besides the rows."""
        return {
            "epoch": self.epoch,
            "batch_size": self.batch_size,
            "shuffle": self.shuffle,
            "seed": self.seed,
        }

    def load_state_dict(self, saved: dict[str, Any]) -> None:
        """Go on with the epoch that was next when `state_dict` was called.

        Raises ValueError where the batches would have another size or order.
        """
        for name, now in self.state_dict().items():
            was = saved.get(name)
            if name != "epoch" and was != now:
                raise ValueError(
                    f"{name} was {was!r}; now it is {now!r}. Resume with what it was, or start "
                    "afresh"
                )
        epoch = saved.get("epoch")
        if type(epoch) is not int or epoch < 0:
            raise ValueError(f"epoch is {epoch!r}; it counts the epochs that have begun")
        self.epoch = epoch


class Batches(Ordered):
    """The rows of X (n, d) and y (n,) in batches; iterating once is one epoch.

    Each epoch has its own order. It follows from `seed` and the number of the epoch, so that a run
    can be repeated, or resumed in the middle. The last batch of an epoch may be smaller. Raises
    ValueError for data that are not finite or do not fit together, and for a batch size below 1.
    """

    def __init__(
        self, X: DataLike, y: DataLike, batch_size: int | None = None, shuffle: bool = True,
        seed: int = 0,
    ) -> None:  # fmt: skip
        self.X, self.y = check_data(X, y)
        if batch_size is not None and not is_whole(batch_size, 1):
            raise ValueError(
                f"batch_size is {batch_size!r}; it must be at least 1, or None for all rows at once"
            )
        super().__init__(batch_size, shuffle, seed)

    def __len__(self) -> int:
        """How many batches an epoch has."""
        return -(-len(self.y) // (self.batch_size or len(self.y)))

    def __iter__(self) -> Iterator[tuple[Array, Array]]:
        epoch, self.epoch = self.epoch, self.epoch + 1
        if self.batch_size is None:
            yield self.X, self.y  # the same objects, which keep their rows and columns
            return
        order: Sequence[int] = range(len(self.y))
        if self.shuffle:
            order = shuffled(len(self.y), f"{self.seed}/{epoch}")
        for start in range(0, len(order), self.batch_size):
            yield take_rows(self.X, self.y, order[start : start + self.batch_size])


def train_test_split(
    X: DataLike, y: DataLike, test_size: float = 0.25, seed: int = 0
) -> tuple[Array, Array, Array, Array]:
    """Rows to learn from and rows to test on: X_train, X_test, y_train, y_test.

    `test_size`: a share between 0 and 1, or a whole number of rows. The rows are drawn at random,
    by `seed`. A model may have memorised the rows it learned from; only rows that it has never
    seen show how good it is. Raises ValueError where one part would be empty.
    """
    X, y = check_data(X, y)
    n = len(y)
    held_back = 0
    if is_whole(test_size):
        held_back = operator.index(test_size)
    elif isinstance(test_size, Real) and 0 < test_size < 1:
        held_back = round(n * float(test_size))
    if not 0 < held_back < n:
        raise ValueError(
            f"test_size {test_size!r} of {n} rows leaves one part empty; give a share such as "
            "0.25, or a whole number of rows"
        )
    order = shuffled(n, f"{operator.index(seed)}/split")
    X_test, y_test = take_rows(X, y, order[:held_back])
    X_train, y_train = take_rows(X, y, order[held_back:])
    return X_train, X_test, y_train, y_test


def shuffled(n: int, seed: str) -> list[int]:
    """The numbers from 0 to n - 1 in an order that follows from the seed."""
    order = list(range(n))
    random.Random(seed).shuffle(order)
    return order


def take_rows(X: Array, y: Array, order: Sequence[int]) -> tuple[Array, Array]:
    """These rows of X (n, d) and y (n,), in this order; row lists are shared, not copied."""
    all_rows, targets = X.rows, y.flat
    rows = [all_rows[i] for i in order]
    taken = from_flat(list(chain.from_iterable(rows)), (len(rows), X.shape[1]))
    taken.rows = rows
    return taken, from_flat([targets[i] for i in order], (len(rows),))
