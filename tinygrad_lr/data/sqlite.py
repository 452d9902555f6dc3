"""Batches from a database: more rows than fit in memory, shuffled all the same.

    table    | block | block | block | block | block | ...    rows in the order of their keys
    epoch        5       2       9       1       7   ...      the blocks in random order
    buffer   [ rows of the next 16 blocks, shuffled ]         handed out in batches

To read single rows at random costs a search on the disk for each. So an epoch reads blocks of 512
rows that stand side by side, in random order, and shuffles the rows of 16 blocks at a time. That
is random enough for gradients, and memory holds 8192 rows, however long the table is.

>>> import tempfile, pathlib
>>> from tinygrad_lr.data import load_iris
>>> path = pathlib.Path(tempfile.mkdtemp()) / "flowers.db"
>>> write_sqlite(path, "iris", load_iris())
>>> batches = SQLiteBatches(path, "iris", ["petal length (cm)"], "target", 2, shuffle=False)
>>> next(iter(batches)), len(batches)
((Array([[1.4], [1.4]]), Array([0.0, 0.0])), 75)

An epoch sees one state of the table, the one it began with. Another program may write meanwhile
if the database has write-ahead logging (PRAGMA journal_mode=WAL), and the next epoch sees the
change. Without it the program has to wait for the end of the epoch. Reading never changes a
database; `write_sqlite` makes a new table.
"""

from __future__ import annotations

import math
import random
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from itertools import chain
from os import PathLike
from pathlib import Path
from typing import Any

from ..core.array import Array, from_flat
from ..losses.checks import check_data, check_known, is_whole
from .batches import Ordered
from .table import Dataset

__all__ = ["SQLiteBatches", "write_rows", "write_sqlite"]

BLOCK = 512  # rows that are read side by side
BUFFER = 16  # blocks whose rows are shuffled with each other
LOCK_TIMEOUT = 5.0  # seconds to wait for a program that has locked the database

Row = tuple[Any, ...]  # key, target, features


class SQLiteBatches(Ordered):
    """The rows of a table of a SQLite database in batches; iterating once is one epoch.

    `features`: the columns of X, by name; None: all but the target and the key. `target`: the
    column of y. `shuffle`: the order follows from `seed` and the number of the epoch, as in
    `Batches`; without it, rows come in the order of the keys. `transform`: applied to each X, such
    as the `transform` of a StandardScaler. The table needs a rowid or an INTEGER PRIMARY KEY, as
    nearly every table has; keys may have gaps.

    Raises FileNotFoundError; ValueError for a file that is not a database, for an unknown table or
    column, and, while reading, for NULL, text or a number that is not finite, with the key of its
    row; TimeoutError where the database stays locked.
    """

    batch_size: int

    def __init__(
        self,
        path: str | PathLike[str],
        table: str,
        features: Sequence[str] | None,
        target: str,
        batch_size: int,
        shuffle: bool = True,
        seed: int = 0,
        *,
        transform: Callable[[Array], Array] | None = None,
    ) -> None:
        if not is_whole(batch_size, 1):
            raise ValueError(
                f"batch_size is {batch_size!r}; it must be at least 1; all rows at once are what "
                "`Batches` is for"
            )
        super().__init__(batch_size, shuffle, seed)
        if isinstance(features, str):
            raise ValueError(f"features is one name, {features!r}; give a list: [{features!r}]")
        self.path, self.table, self.target = Path(path), table, target
        self.transform = transform
        with opened(self.path) as connection:
            tables = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
            check_known(self.path, "table", table, [name for (name,) in tables])
            columns, primary = _columns(connection, table)
            self.key = _find_key(connection, table, columns, primary)
        if features is None:
            features = [name for name in columns if name not in (target, primary)]
        self.features = tuple(features)
        for name in (target, *self.features):
            check_known(f"table {table!r}", "column", name, columns)
        if target in self.features:
            raise ValueError(f"the target {target!r} is among the features; that is the answer")
        if not self.features:
            raise ValueError("there are no features, nothing to learn from")
        wanted = ", ".join(f"t.{quoted(name)}" for name in (target, *self.features))
        self._select = f"SELECT {self.key}, {wanted} FROM {quoted(table)} AS t"

    def __len__(self) -> int:
        """How many batches an epoch has. It reads the whole table to count the rows."""
        with opened(self.path) as connection:
            count = connection.execute(f"SELECT count(*) FROM {quoted(self.table)}")
            rows: int = count.fetchone()[0]
        return -(-rows // self.batch_size)

    def __iter__(self) -> Iterator[tuple[Array, Array]]:
        epoch, self.epoch = self.epoch, self.epoch + 1
        waiting: list[Row] = []
        with opened(self.path) as connection:
            connection.execute("BEGIN")  # until the end all reads see one state of the table
            read = self._shuffled(connection, epoch) if self.shuffle else self._in_order(connection)
            for rows in read:
                self._check(rows)
                waiting += rows
                whole = len(waiting) - len(waiting) % self.batch_size
                for first in range(0, whole, self.batch_size):
                    yield self._batch(waiting[first : first + self.batch_size])
                del waiting[:whole]
        if waiting:
            yield self._batch(waiting)

    def _in_order(self, connection: sqlite3.Connection) -> Iterator[list[Row]]:
        cursor = connection.execute(f"{self._select} ORDER BY {self.key}")
        while rows := cursor.fetchmany(BLOCK):
            yield rows

    def _shuffled(self, connection: sqlite3.Connection, epoch: int) -> Iterator[list[Row]]:
        dice = random.Random(f"{self.seed}/{epoch}")
        starts = self._starts(connection)
        dice.shuffle(starts)
        block = f"{self._select} WHERE {self.key} >= ? ORDER BY {self.key} LIMIT {BLOCK}"
        for first in range(0, len(starts), BUFFER):
            rows: list[Row] = []
            for start in starts[first : first + BUFFER]:
                rows += connection.execute(block, start)
            dice.shuffle(rows)
            yield rows

    def _starts(self, connection: sqlite3.Connection) -> list[tuple[Any]]:
        """The first key of each block. Reads the keys, not the rows."""
        later = (
            f"SELECT {self.key} FROM {quoted(self.table)} AS t WHERE {self.key} >= ? "
            f"ORDER BY {self.key} LIMIT 1 OFFSET {BLOCK}"
        )
        first = f"SELECT {self.key} FROM {quoted(self.table)} AS t ORDER BY {self.key} LIMIT 1"
        starts = connection.execute(first).fetchall()
        while starts and (start := connection.execute(later, starts[-1]).fetchone()):
            starts.append(start)
        return starts

    def _check(self, rows: list[Row]) -> None:
        """Raise ValueError for what is not a finite number."""
        try:
            if math.isfinite(sum(chain.from_iterable(rows))):  # then all of them are finite
                return
        except TypeError:  # NULL, text and blobs cannot be added up
            pass
        for key, *values in rows:
            for name, value in zip((self.target, *self.features), values):
                if not isinstance(value, (int, float)) or not math.isfinite(value):
                    found = "NULL (as which SQLite keeps NaN)" if value is None else repr(value)
                    raise ValueError(
                        f"{self.path}, table {self.table!r}, row with the key {key!r}, column "
                        f"{name!r}: {found} is no finite number; leave the row out or fill one in"
                    )

    def _batch(self, rows: list[Row]) -> tuple[Array, Array]:
        """X and y of some rows."""
        numbers = map(float, chain.from_iterable([row[2:] for row in rows]))
        X = from_flat(list(numbers), (len(rows), len(self.features)))
        y = from_flat([float(row[1]) for row in rows], (len(rows),))
        return self.transform(X) if self.transform else X, y


def write_sqlite(
    path: str | PathLike[str], table: str, dataset: Dataset, *, target: str = "target"
) -> None:
    """Write a dataset as a new table: a column a feature, and one for the target.

    Makes the database if there is none. Raises ValueError, and writes nothing, where the table
    exists, two columns have the same name, or a number is not finite.
    """
    X, y = check_data(dataset.X, dataset.y, dataset.feature_names)
    if len(dataset.feature_names) != X.shape[1]:
        raise ValueError(f"{len(dataset.feature_names)} names for {X.shape[1]} features")
    rows = ([*row, t] for row, t in zip(X.rows, y.flat))
    write_rows(path, table, (*dataset.feature_names, target), rows)


def write_rows(
    path: str | PathLike[str], table: str, columns: Sequence[str], rows: Iterable[Sequence[float]]
) -> None:
    """Write rows of numbers as a new table, all or none. There may be more than fit in memory."""
    declared = ", ".join(f"{quoted(name)} REAL NOT NULL" for name in columns)
    marks = ", ".join("?" * len(columns))
    with translated(path), connected(path, "rwc") as new:
        new.execute("BEGIN IMMEDIATE")
        new.execute(f"CREATE TABLE {quoted(table)} ({declared})")
        new.executemany(f"INSERT INTO {quoted(table)} VALUES ({marks})", rows)
        new.execute("COMMIT")  # closed without it, the file is as it was


# ---- names, connections and errors of SQLite -------------------------------------------------


def quoted(name: str) -> str:
    """A name, quoted so that SQL reads it as a name whatever it contains."""
    return '"' + name.replace('"', '""') + '"'


@contextmanager
def opened(path: Path) -> Iterator[sqlite3.Connection]:
    """A connection that can only read. Its errors are those of `translated`."""
    if not path.is_file():
        raise FileNotFoundError(f"there is no database {path}")
    with translated(path), connected(path, "ro") as connection:
        connection.text_factory = lambda text: text.decode(errors="replace")
        yield connection


def connected(path: str | PathLike[str], mode: str) -> closing[sqlite3.Connection]:
    """A connection to be closed by `with`: "ro" can only read, "rwc" may write and create."""
    uri = f"{Path(path).absolute().as_uri()}?mode={mode}"
    return closing(sqlite3.connect(uri, timeout=LOCK_TIMEOUT, isolation_level=None, uri=True))


@contextmanager
def translated(path: str | PathLike[str]) -> Iterator[None]:
    """An error of SQLite becomes a ValueError that names the file, or a TimeoutError."""
    try:
        yield
    except sqlite3.Error as error:
        if "locked" in str(error):
            raise TimeoutError(
                f"{path} was locked for {LOCK_TIMEOUT:g} seconds by a program that writes to it"
            ) from None
        raise ValueError(f"{path}: {error}") from None


def _columns(connection: sqlite3.Connection, table: str) -> tuple[list[str], str | None]:
    """The names of the columns, and which of them is an INTEGER PRIMARY KEY."""
    columns = connection.execute(f"PRAGMA table_xinfo({quoted(table)})").fetchall()
    keys = [(name, kind) for _, name, kind, _, _, rank, _ in columns if rank]
    primary = keys[0][0] if len(keys) == 1 and keys[0][1].upper() == "INTEGER" else None
    return [name for _, name, *_ in columns], primary


def _find_key(
    connection: sqlite3.Connection, table: str, columns: list[str], primary: str | None
) -> str:
    """The key of the rows, as SQL: the rowid, by a name that no column has, or the primary key."""
    taken = {name.lower() for name in columns}
    keys = [name for name in ("rowid", "_rowid_", "oid") if name not in taken]
    if primary is not None:
        keys.append(quoted(primary))
    for key in keys:
        try:
            connection.execute(f"SELECT t.{key} FROM {quoted(table)} AS t LIMIT 0")
            return f"t.{key}"
        except sqlite3.OperationalError as error:
            if "no such column" not in str(error):
                raise
    raise ValueError(
        f"table {table!r} has neither a rowid nor an INTEGER PRIMARY KEY to find its blocks by; "
        "make a copy that has: CREATE TABLE copy AS SELECT * FROM ..."
    )
