"""A cotangent whose terms are collected first and added up once.

Indexing needs it. In `sum(v[i] for i in range(n))` each `v[i]` gives v a cotangent that is zero
but for one element. Adding n Arrays of n numbers would take n * n additions; a deferred sum
writes each element into one buffer (`ops.tensors.Scattered`).
"""

from __future__ import annotations

from typing import Any

from .array import Tracked

__all__ = ["Deferred", "plus", "total"]


class Deferred(Tracked):
    """A cotangent that is a sum whose terms are collected first and added up once.

    Indexing gives one for each element that was taken: n sums of n numbers would be slow.
    """

    __slots__ = ()

    def __add__(self, term: Any) -> Deferred:
        """The same sum with one more term."""
        raise NotImplementedError

    def __radd__(self, term: Any) -> Deferred:
        return term + self if isinstance(term, Deferred) else self + term

    def total(self) -> Any:
        """The sum: a float, an Array or a Value."""
        raise NotImplementedError


def plus(x: Any, y: Any) -> Any:
    """x + y, also where x is a Value and y is deferred."""
    return y.__radd__(x) if isinstance(y, Deferred) else x + y


def total(cotangent: Any) -> Any:
    """A cotangent, added up if it was deferred."""
    return cotangent.total() if isinstance(cotangent, Deferred) else cotangent
