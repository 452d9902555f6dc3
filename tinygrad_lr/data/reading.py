"""A CSV file as a table to learn from: every column a number, one column the target.

>>> import tempfile, pathlib
>>> path = pathlib.Path(tempfile.mkdtemp()) / "visits.csv"
>>> _ = path.write_text("age,weight,outcome\\n41,70.5,well\\n63,82,ill\\n")
>>> data = read_csv(path, target="outcome")
>>> data.X, data.y, data.target_names
(Array([[41.0, 70.5], [63.0, 82.0]]), Array([1.0, 0.0]), ('ill', 'well'))

It does not guess. An empty field, or a word where a number belongs, is an error that names the
line of the file and the column. So is a word in a target of numbers: `NA` is not a class.
Categories and missing values have to be turned into numbers first, because how to do that is part
of the model.
"""

from __future__ import annotations

import csv
import math
from collections.abc import Iterator
from os import PathLike

from ..core.array import from_flat
from ..losses.checks import check_known
from .table import Dataset

__all__ = ["read_csv"]


def read_csv(path: str | PathLike[str], target: str) -> Dataset:
    """The table in a CSV file with a header row; `target` names the column to predict.

    Words in the target become codes 0 to K - 1, in the order of the sorted words, which are
    `target_names`. Numbers in the target are kept; if all are whole, `target_names` lists them. A
    word among numbers is an error. Empty lines are skipped. Raises FileNotFoundError, and
    ValueError with the line number for a row that is too short or too long, and for a field that
    is not a finite number.
    """
    with open(path, newline="", encoding="utf-8-sig") as file:
        reader = csv.reader(file, strict=True)
        try:
            header = [name.strip() for name in next(filter(None, reader), [])]
            place = _target_place(path, header, target)
            names = header[:place] + header[place + 1 :]
            flat: list[float] = []
            targets: list[str] = []
            lines: list[int] = []
            for row in filter(None, reader):
                where = f"{path}, line {reader.line_num}"
                if len(row) != len(header):
                    raise ValueError(
                        f"{where}: {len(row)} fields, but the header names {len(header)} columns"
                    )
                targets.append(row.pop(place).strip())
                lines.append(reader.line_num)
                if not targets[-1]:
                    raise ValueError(f"{where}, column {target!r}: the field is empty")
                flat += _numbers(where, row, names)
        except csv.Error as error:
            raise ValueError(f"{path}, line {reader.line_num}: {error}") from None
        except UnicodeDecodeError as error:
            byte = f"byte {error.object[error.start]:#x}"
            raise ValueError(f"{path} is no UTF-8 text ({byte}); save it as UTF-8") from None
    if not targets:
        raise ValueError(f"{path}: there is a header, but no row below it")
    numbers, target_names = _coded(path, lines, targets, target)
    X, y = from_flat(flat, (len(targets), len(names))), from_flat(numbers, (len(targets),))
    return Dataset(X, y, tuple(names), target_names, f"read from {path}")


def _target_place(path: object, header: list[str], target: str) -> int:
    """Where the target stands in the header, which must name each column once."""
    if not header:
        raise ValueError(f"{path} is empty; the first line must name the columns")
    if "" in header:
        nameless = header.index("") + 1
        raise ValueError(
            f"{path}: column {nameless} of the header has no name; name it, or leave it out"
        )
    twice = sorted({name for name in header if header.count(name) > 1})
    if twice:
        raise ValueError(f"{path}: the header names {twice[0]!r} twice")
    check_known(path, "column", target, header)
    if len(header) == 1:
        raise ValueError(f"{path} has no column beside the target, nothing to learn from")
    return header.index(target)


def _numbers(where: str, row: list[str], names: list[str]) -> Iterator[float]:
    """The fields of a row as floats. Raises ValueError for one that is not a finite number."""
    for field, name in zip(row, names):
        number = _number(field)
        if number is None:
            found = f"{field!r} is no number" if field.strip() else "the field is empty"
            raise ValueError(f"{where}, column {name!r}: {found}")
        if not math.isfinite(number):
            raise ValueError(f"{where}, column {name!r}: {field!r} is not finite")
        yield number


def _number(field: str) -> float | None:
    """The field as a float; None for a word, and for `1_000`: only Python reads that."""
    try:
        return float(field.replace("_", "?"))
    except ValueError:
        return None


def _coded(
    path: object, lines: list[int], targets: list[str], target: str
) -> tuple[list[float], tuple[str, ...]]:
    """The target as numbers, and the names of its values."""
    if all(_number(text) is None for text in targets):
        words = sorted(set(targets))
        code = {word: float(i) for i, word in enumerate(words)}
        return [code[text] for text in targets], tuple(words)
    numbers: list[float] = []
    for line, text in zip(lines, targets):  # here a word is a mistake, not a class
        numbers += _numbers(f"{path}, line {line}", [text], [target])
    whole = all(number.is_integer() for number in numbers)
    return numbers, tuple(str(int(number)) for number in sorted(set(numbers))) if whole else ()
