"""A CSV file as a table to learn from: every column a number, one column the target.

>>> import tempfile, pathlib
>>> path = pathlib.Path(tempfile.mkdtemp()) / "visits.csv"
>>> _ = path.write_text("age,weight,outcome\\n41,70.5,well\\n63,82,ill\\n")
>>> data = read_csv(path, target="outcome")
>>> data.X, data.y, data.target_names
(Array([[41.0, 70.5], [63.0, 82.0]]), Array([1.0, 0.0]), ('ill', 'well'))

It guesses nothing: an empty field or a word where a number belongs is an error that names
the line and the column. Categories and missing values have to be turned into numbers
first, because how that is done is a part of the model.
"""

from __future__ import annotations

import csv
import difflib
import math
from collections.abc import Iterator
from os import PathLike
from typing import Any

from ..array import Array, from_flat
from .table import Dataset

__all__ = ["read_csv"]


def read_csv(path: str | PathLike[str], target: str) -> Dataset:
    """The table in a CSV file with a header row; `target` names the column to predict.

    A target of words gives codes 0 to K - 1 in the order of the sorted words, which are
    `target_names`. A target of numbers is kept; if all are whole, `target_names` lists
    them. Raises FileNotFoundError, and ValueError with the line number for a row that is
    too short or too long, and for a field that is no finite number.
    """
    with open(path, newline="", encoding="utf-8-sig") as file:
        reader = csv.reader(file, strict=True)
        try:
            header = [name.strip() for name in next(reader, [])]
            place = _target_place(path, header, target)
            names = header[:place] + header[place + 1 :]
            flat: list[float] = []
            targets: list[str] = []
            for row in reader:
                if not row:
                    continue  # an empty line
                where = f"{path}, line {reader.line_num}"
                if len(row) != len(header):
                    raise ValueError(
                        f"{where}: {len(row)} fields, but the header names {len(header)} columns"
                    )
                targets.append(row.pop(place).strip())
                flat += _numbers(where, row, names)
        except (csv.Error, UnicodeDecodeError) as error:
            raise ValueError(f"{path}, line {reader.line_num}: {error}") from None
    if not targets:
        raise ValueError(f"{path}: there is a header, but no row below it")
    y, target_names = _coded(f"{path}, column {target!r}", targets)
    X = from_flat(flat, (len(targets), len(names)))
    return Dataset(X, y, tuple(names), target_names, f"read from {path}")


def _target_place(path: Any, header: list[str], target: str) -> int:
    """Where the target stands in the header, which must name each column once."""
    if not header:
        raise ValueError(f"{path} is empty; the first line must name the columns")
    twice = sorted({name for name in header if header.count(name) > 1})
    if twice:
        raise ValueError(f"{path}: the header names {twice[0]!r} twice")
    if target not in header:
        near = difflib.get_close_matches(target, header, 1)
        hint = f"did you mean {near[0]!r}? " if near else ""
        raise ValueError(
            f"{path} has no column {target!r}; {hint}its columns are {', '.join(header)}"
        )
    if len(header) == 1:
        raise ValueError(f"{path} has no column beside the target, nothing to learn from")
    return header.index(target)


def _numbers(where: str, row: list[str], names: list[str]) -> Iterator[float]:
    """The fields of a row as floats."""
    for field, name in zip(row, names):
        try:
            number = float(field)
        except ValueError:
            found = f"{field!r} is no number" if field.strip() else "the field is empty"
            raise ValueError(f"{where}, column {name!r}: {found}") from None
        if not math.isfinite(number):
            raise ValueError(f"{where}, column {name!r}: {field!r} is not finite")
        yield number


def _coded(where: str, targets: list[str]) -> tuple[Array, tuple[str, ...]]:
    """The target as numbers, and the names of its values."""
    if "" in targets:
        raise ValueError(f"{where}: the target of data row {targets.index('') + 1} is empty")
    try:
        numbers = [float(text) for text in targets]
    except ValueError:
        words = sorted(set(targets))
        code = {word: float(i) for i, word in enumerate(words)}
        return from_flat([code[text] for text in targets], (len(targets),)), tuple(words)
    if not all(map(math.isfinite, numbers)):
        raise ValueError(f"{where}: a target is not finite")
    whole = all(number.is_integer() for number in numbers)
    names = tuple(f"{number:.0f}" for number in sorted(set(numbers))) if whole else ()
    return from_flat(numbers, (len(numbers),)), names
