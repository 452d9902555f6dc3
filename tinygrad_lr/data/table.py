"""Dataset: a table to learn from, with the names of its columns and classes."""

from __future__ import annotations

from typing import NamedTuple

from ..array import Array

__all__ = ["Dataset"]


class Dataset(NamedTuple):
    """A table to learn from.

    X                (n, d) one row a sample, one column a feature
    y                (n,) the target: the code of the class, 0 to K - 1, or a number
    feature_names    d names
    target_names     K names, in the order of the codes; () where the target is no class
    description      where it comes from
    """

    X: Array
    y: Array
    feature_names: tuple[str, ...]
    target_names: tuple[str, ...]
    description: str

    def __repr__(self) -> str:
        n, d = self.X.shape
        names = ", ".join(f"{code}: {name}" for code, name in enumerate(self.target_names))
        return f"Dataset({n} rows, {d} features, target {names or 'a number'})"
