"""Dataset: a table to learn from, with the names of its columns and classes."""

from __future__ import annotations

from typing import NamedTuple

from ..core.array import Array

__all__ = ["Dataset"]


class Dataset(NamedTuple):
    """A table to learn from.

    X                (n, d) one row a sample, one column a feature
    y                (n,) the target: the code of the class, 0 to K - 1, or a number
    feature_names    d names
    target_names     K names, in the order of the numbers in y; () where the target is no class
    description      where it comes from
    """

    X: Array
    y: Array
    feature_names: tuple[str, ...]
    target_names: tuple[str, ...]
    description: str

    def __repr__(self) -> str:
        n, d = self.X.shape
        names = list(self.target_names)
        if not all(name.lstrip("-").isdecimal() for name in names):  # else they are the numbers
            names = [f"{code}: {name}" for code, name in enumerate(names)]
        if len(names) > 10:
            names[3:-1] = ["..."]
        return f"Dataset({n} rows, {d} features, target {', '.join(names) or 'a number'})"
