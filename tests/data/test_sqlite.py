"""Batches from a database: rows, their order, what is refused, what others write meanwhile."""

import math
import random
import sqlite3
import tracemalloc
from contextlib import closing

import lessons
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tinygrad_lr import Value, affine, binary_cross_entropy_with_logits
from tinygrad_lr.data import (
    Batches, Dataset, SQLiteBatches, StandardScaler, load_breast_cancer, load_iris, sqlite,
    write_sqlite,
)  # fmt: skip
from tinygrad_lr.models import LogisticRegression, SoftmaxRegression
from tinygrad_lr.optim import Adam
from tinygrad_lr.training import minimize


@pytest.fixture
def path(tmp_path):
    return tmp_path / "a #1 ? %20.db"  # a name that must not be read as a URI


@pytest.fixture
def small_blocks(monkeypatch):
    monkeypatch.setattr(sqlite, "BLOCK", 4)
    monkeypatch.setattr(sqlite, "BUFFER", 3)


def run(path, *statements):
    with closing(sqlite3.connect(path)) as connection, connection:
        for statement in statements:
            connection.execute(statement)


def make(path, keys, table="t"):
    """Rows a = key, b = 10 * key, y = key % 2; in the order of the keys as they are given."""
    rows = ", ".join(f"({k}, {k}, {10 * k}, {k % 2})" for k in keys)
    run(
        path,
        f"CREATE TABLE {table} (id INTEGER PRIMARY KEY, a REAL, b INTEGER, y INTEGER)",
        *([f"INSERT INTO {table} VALUES {rows}"] if rows else []),
    )


def order(batches):
    """The a of each row, as one epoch brings them."""
    return [row[0] for X, _ in batches for row in X.tolist()]


# ---- the rows --------------------------------------------------------------------------------


def test_without_shuffling_rows_come_in_the_order_of_keys(path, small_blocks):
    make(path, [9, 2, 30, 5, 7, 1, 8])
    batches = SQLiteBatches(path, "t", ["a", "b"], "y", 3, shuffle=False)
    assert [(X.tolist(), y.tolist()) for X, y in batches] == [
        ([[1.0, 10.0], [2.0, 20.0], [5.0, 50.0]], [1.0, 0.0, 1.0]),
        ([[7.0, 70.0], [8.0, 80.0], [9.0, 90.0]], [1.0, 0.0, 1.0]),
        ([[30.0, 300.0]], [0.0]),
    ]
    assert len(batches) == 3
    assert all(type(v) is float for X, y in batches for v in X.flat + y.flat)


@given(
    keys=st.sets(st.integers(-(2**62), 2**62) | st.integers(-20, 40), min_size=1, max_size=60),
    batch_size=st.integers(1, 70),
    block=st.integers(1, 9),
    buffer=st.integers(1, 9),
    seed=st.integers(0, 3),
)
@settings(max_examples=40)
def test_a_shuffled_epoch_has_each_row_once_whatever_the_gaps(
    tmp_path_factory, keys, batch_size, block, buffer, seed
):
    path = tmp_path_factory.mktemp("db") / "t.db"
    make(path, keys)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sqlite, "BLOCK", block)
        patch.setattr(sqlite, "BUFFER", buffer)
        batches = SQLiteBatches(path, "t", ["a", "b"], "y", batch_size, seed=seed)
        got = list(batches)
    assert [len(y) for _, y in got[:-1]] == [batch_size] * (len(batches) - 1)
    assert all(X.shape == (len(y), 2) for X, y in got)
    rows = [(*row, label) for X, y in got for row, label in zip(X.tolist(), y.tolist())]
    expected = [(float(k), float(10 * k), float(k % 2)) for k in keys if abs(k) < 2**40]
    assert len(rows) == len(keys)
    assert sorted(row for row in rows if abs(row[0]) < 2**40) == sorted(expected)


def test_orders_follow_from_seed_and_epoch_and_can_be_resumed(path, small_blocks):
    make(path, range(100))
    batches = SQLiteBatches(path, "t", ["a"], "y", 7, seed=5)
    first, second = order(batches), order(batches)
    assert sorted(first) == sorted(second) and first != second
    assert first != sorted(first)
    again = SQLiteBatches(path, "t", ["a"], "y", 9, seed=5)
    assert [order(again), order(again)] == [first, second]
    assert order(SQLiteBatches(path, "t", ["a"], "y", 7, seed=6)) != first
    resumed = SQLiteBatches(path, "t", ["a"], "y", 7, seed=5)
    batches = SQLiteBatches(path, "t", ["a"], "y", 7, seed=5)
    order(batches)
    resumed.load_state_dict(batches.state_dict())
    assert order(resumed) == second and resumed.epoch == 2
    for other in {"batch_size": 8}, {"seed": 6}, {"shuffle": False}:
        settings = {"batch_size": 7, "seed": 5, "shuffle": True} | other
        with pytest.raises(ValueError, match=next(iter(other))):
            SQLiteBatches(path, "t", ["a"], "y", **settings).load_state_dict(batches.state_dict())


def test_shuffling_reaches_over_blocks_and_mixes_inside_them(path, small_blocks):
    make(path, range(240))  # 60 blocks of 4, 20 buffers of 3 blocks
    got = order(SQLiteBatches(path, "t", ["a"], "y", 1))
    blocks = [int(a) // 4 for a in got]
    buffers = [blocks[i : i + 12] for i in range(0, 240, 12)]
    assert all(len(set(buffer)) == 3 for buffer in buffers)  # some blocks, as a whole,
    assert sum(sorted(buffer) != buffer for buffer in buffers) == 20  # whose rows are mixed
    firsts = [min(buffer) for buffer in buffers]
    assert firsts != sorted(firsts)  # from anywhere in the table
    apart = [max(buffer) - min(buffer) for buffer in buffers]
    assert sum(apart) / len(apart) > 20


def test_batches_larger_than_the_buffer(path, small_blocks):
    make(path, range(50))
    got = [len(y) for _, y in SQLiteBatches(path, "t", ["a"], "y", 30)]
    assert got == [30, 20]


def test_a_transform_is_applied_to_each_X(path):
    make(path, [1, 2, 3, 4])
    batches = SQLiteBatches(path, "t", ["a", "b"], "y", 3, False, transform=lambda X: X * 2)
    assert [X.tolist() for X, _ in batches][1] == [[8.0, 80.0]]


def test_all_columns_are_features_if_none_are_named(path):
    make(path, [1])
    assert SQLiteBatches(path, "t", None, "y", 1).features == ("a", "b")
    run(path, "CREATE TABLE plain (y, a)")
    assert SQLiteBatches(path, "plain", None, "y", 1).features == ("a",)


# ---- keys ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "columns",
    [
        "a REAL, y REAL",  # a rowid without a name
        "rowid REAL DEFAULT 7, a REAL, y REAL",  # or hidden by a column
        "rowid, _RowID_, a REAL, y REAL",  # or by two
        "rowid, _rowid_, oid INTEGER PRIMARY KEY, a, y",
        "a INTEGER PRIMARY KEY, y REAL",  # the key is a feature
        "id INTEGER PRIMARY KEY, a REAL, y REAL) WITHOUT ROWID; --",
    ],
)
def test_any_key_will_do(path, small_blocks, columns):
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(f"CREATE TABLE t ({columns})")
        has_id = "id INTEGER PRIMARY KEY, a" in columns and "WITHOUT" in columns
        for a in range(1, 30):
            names, marks = ("id, a, y", (a, a, 1)) if has_id else ("a, y", (a, 1))
            connection.execute(
                f"INSERT INTO t ({names}) VALUES ({', '.join('?' * len(marks))})", marks
            )
        connection.commit()
    got = order(SQLiteBatches(path, "t", ["a"], "y", 4))
    assert sorted(got) == [float(a) for a in range(1, 30)] and got != sorted(got)


@pytest.mark.parametrize(
    "columns",
    [
        "a TEXT PRIMARY KEY, y) WITHOUT ROWID; --",
        "a INTEGER, y INTEGER, PRIMARY KEY (a, y)) WITHOUT ROWID; --",
        "rowid, _rowid_, oid, a, y",
    ],
)
def test_a_table_without_a_usable_key_is_refused(path, columns):
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(f"CREATE TABLE t ({columns})")
    with pytest.raises(ValueError, match="neither a rowid nor an INTEGER PRIMARY KEY"):
        SQLiteBatches(path, "t", ["a"], "y", 1)


# ---- what is refused -------------------------------------------------------------------------


@pytest.mark.parametrize("shuffle", [True, False])
@pytest.mark.parametrize(
    ("bad", "found"),
    [
        ("NULL", "NULL"),
        ("'ill'", "'ill'"),
        ("'5.0x'", "'5.0x'"),
        ("x'00ff'", r"b'\\x00\\xff'"),
        ("CAST(x'ff' AS TEXT)", "'\ufffd'"),
        ("9e999", "inf"),
        ("-9e999", "-inf"),
    ],
)
@pytest.mark.parametrize("column", ["b", "y"])
def test_what_is_no_number_names_its_row_and_column(
    path, small_blocks, column, bad, found, shuffle
):
    make(path, [10 * k for k in range(40)])
    run(path, f"UPDATE t SET {column} = {bad} WHERE id = 230")
    with pytest.raises(ValueError, match=f"key 230, column '{column}': {found}"):
        list(SQLiteBatches(path, "t", ["a", "b"], "y", 3, shuffle))


def test_numbers_that_add_up_to_infinity_are_still_numbers(path):
    make(path, [1, 2])
    run(path, "UPDATE t SET a = 1.7e308")
    assert order(SQLiteBatches(path, "t", ["a"], "y", 1)) == [1.7e308, 1.7e308]


@pytest.mark.parametrize(
    "name",
    [
        't"; DROP TABLE t; --',
        "t; DROP TABLE t",
        "t' OR '1'='1",
        "sqlite_master",
        "v",
        "",
        "T",
        't" AS t --',
        None,
    ],
)
def test_a_hostile_name_is_an_error_never_sql(path, name):
    make(path, [1, 2, 3])
    run(path, "CREATE VIEW v AS SELECT * FROM t")
    for table, features, target in ((name, ["a"], "y"), ("t", [name], "y"), ("t", ["a"], name)):
        with pytest.raises(ValueError, match="has no (table|column)"):
            SQLiteBatches(path, table, features, target, 1)
    assert len(SQLiteBatches(path, "t", ["a"], "y", 1)) == 3


def test_strange_names_that_exist_are_names(path):
    table, column = 'vis"its; --', "a\"b', [c] `d` ü"
    write_sqlite(
        path, table, Dataset([[1.5], [2.5]], [0.0, 1.0], (column,), (), ""), target="select"
    )
    batches = SQLiteBatches(path, table, [column], "select", 1, shuffle=False)
    assert [(X.tolist(), y.tolist()) for X, y in batches] == [([[1.5]], [0.0]), ([[2.5]], [1.0])]


def test_a_wrong_name_gets_a_hint(path):
    make(path, [1])
    run(path, "CREATE TABLE visits (age, readmitted)")
    with pytest.raises(
        ValueError, match=r"no table 'visit'; did you mean 'visits'\? .* are t, visits"
    ):
        SQLiteBatches(path, "visit", ["age"], "readmitted", 1)
    with pytest.raises(ValueError, match="no column 'readmited'; did you mean 'readmitted'"):
        SQLiteBatches(path, "visits", ["age"], "readmited", 1)


@pytest.mark.parametrize(
    ("features", "target", "batch_size", "message"),
    [
        ("a", "y", 1, r"give a list: \['a'\]"),
        ([], "y", 1, "no features"),
        (["a", "y"], "y", 1, "that is the answer"),
        (["a"], "y", 0, "batch_size is 0; it must be at least 1; all rows at once"),
        (["a"], "y", None, "what `Batches` is for"),
    ],
)
def test_impossible_wishes_are_refused(path, features, target, batch_size, message):
    make(path, [1])
    with pytest.raises(ValueError, match=message):
        SQLiteBatches(path, "t", features, target, batch_size)


def test_a_file_that_is_no_database(path):
    with pytest.raises(FileNotFoundError, match="no database"):
        SQLiteBatches(path, "t", ["a"], "y", 1)
    assert not path.exists()
    path.write_text("a,b,y\n1,2,3\n" * 100)
    with pytest.raises(ValueError, match="not a database"):
        SQLiteBatches(path, "t", ["a"], "y", 1)


def test_a_damaged_database(path, small_blocks):
    make(path, range(2000))
    content = bytearray(path.read_bytes())
    content[4096 * 3 : 4096 * 5] = b"\xff" * (4096 * 2)
    path.write_bytes(content)
    batches = SQLiteBatches(path, "t", ["a"], "y", 1)
    with pytest.raises(ValueError, match="malformed"):
        list(batches)


def test_an_empty_table_has_no_batches(path):
    make(path, [])
    for shuffle in True, False:
        batches = SQLiteBatches(path, "t", ["a"], "y", 3, shuffle)
        assert list(batches) == [] and len(batches) == 0
    w = Value(0.0)
    with pytest.raises(ValueError, match="no batches"):
        minimize(lambda X, y: w * 1.0, [w], batches, Adam([w]), 1)


# ---- others write meanwhile ------------------------------------------------------------------


def test_with_write_ahead_logging_an_epoch_is_one_state(path, small_blocks):
    make(path, range(40))
    run(path, "PRAGMA journal_mode=WAL")
    batches = SQLiteBatches(path, "t", ["a"], "y", 2)
    seen = []
    for count, (X, _) in enumerate(batches):
        seen += X.flat
        if count == 0:
            run(path, "DELETE FROM t WHERE id > 5", "UPDATE t SET a = NULL", "ALTER TABLE t DROP b")
    assert sorted(seen) == [float(k) for k in range(40)]
    with pytest.raises(ValueError, match="NULL"):
        list(batches)  # the next epoch sees what was written


def test_without_it_the_writer_has_to_wait(path, small_blocks):
    make(path, range(40))
    seen = []
    for X, _ in SQLiteBatches(path, "t", ["a"], "y", 2):
        seen += X.flat
        locked = pytest.raises(sqlite3.OperationalError, match="locked")
        with closing(sqlite3.connect(path, timeout=0.0)) as writer, locked, writer:
            writer.execute("DELETE FROM t")
    assert sorted(seen) == [float(k) for k in range(40)]
    run(path, "DELETE FROM t")  # after the epoch nothing is in the way


def test_an_epoch_that_is_left_lets_go_of_the_database(path, small_blocks):
    make(path, range(40))
    batches = iter(SQLiteBatches(path, "t", ["a"], "y", 2))
    next(batches)
    batches.close()
    run(path, "DELETE FROM t")


def test_a_locked_database_is_told_after_a_while(path, monkeypatch):
    make(path, range(4))
    batches = SQLiteBatches(path, "t", ["a"], "y", 2)
    monkeypatch.setattr(sqlite, "LOCK_TIMEOUT", 0.01)
    with closing(sqlite3.connect(path, isolation_level=None)) as writer:
        writer.execute("BEGIN EXCLUSIVE")
        for wish in (
            lambda: list(batches),
            lambda: len(batches),
            lambda: SQLiteBatches(path, "t", ["a"], "y", 2),
            lambda: write_sqlite(path, "iris", load_iris()),
        ):
            with pytest.raises(TimeoutError, match="was locked for 0.01 seconds"):
                wish()


def test_a_column_that_has_gone_is_not_read_as_a_text(path):
    make(path, range(4))
    batches = SQLiteBatches(path, "t", ["a", "b"], "y", 2)
    run(path, "ALTER TABLE t DROP b")
    with pytest.raises(ValueError, match="no such column"):
        list(batches)


def test_reading_does_not_write(path):
    make(path, range(4))
    before = path.read_bytes(), path.stat().st_mtime_ns
    list(SQLiteBatches(path, "t", ["a"], "y", 2))
    assert (path.read_bytes(), path.stat().st_mtime_ns) == before
    readonly = pytest.raises(sqlite3.OperationalError, match="readonly")
    with sqlite.opened(path) as connection, readonly:
        connection.execute("DELETE FROM t")


# ---- writing ---------------------------------------------------------------------------------


def test_what_is_written_is_read(path):
    data = load_iris()
    write_sqlite(path, "iris", data)
    batches = SQLiteBatches(path, "iris", data.feature_names, "target", 1000, shuffle=False)
    [(X, y)] = list(batches)
    assert X == data.X and y == data.y


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"feature_names": ("a", "a")}, "duplicate column"),
        ({"feature_names": ("A", "a")}, "duplicate column"),
        ({"feature_names": ("a", "target")}, "duplicate column"),
        ({"feature_names": ("a",)}, "1 names for 2 features"),
        ({"feature_names": ("a", "b\0c")}, "null character"),
        ({"X": [[1.0, float("nan")]]}, "nan in row 0, column 1"),
        ({"y": [float("inf")]}, "inf in row 0"),
    ],
)
def test_what_cannot_be_written_writes_nothing(path, changes, message):
    make(path, [1])
    data = Dataset([[1.0, 2.0]], [1.0], ("a", "b"), (), "")._replace(**changes)
    with pytest.raises(ValueError, match=message):
        write_sqlite(path, "new", data)
    with pytest.raises(ValueError, match="its tables are t$"):
        SQLiteBatches(path, "new", ["a"], "target", 1)


def test_an_existing_table_is_never_written_to(path):
    make(path, [1, 2])
    for table in "t", "T":
        with pytest.raises(ValueError, match="already exists"):
            write_sqlite(path, table, load_iris())
    assert order(SQLiteBatches(path, "t", ["a"], "y", 2, False)) == [1.0, 2.0]


def test_rows_are_written_all_or_none(path):
    def rows():
        yield [1.0, 2.0]
        raise RuntimeError("the source has dried up")

    with pytest.raises(RuntimeError, match="dried up"):
        sqlite.write_rows(path, "t", ["a", "y"], rows())
    with pytest.raises(ValueError, match="NOT NULL"):
        sqlite.write_rows(path, "t", ["a", "y"], [[1.0, 2.0], [math.nan, 4.0]])
    sqlite.write_rows(path, "t", ["a", "y"], [[3.0, 4.0]])
    assert order(SQLiteBatches(path, "t", ["a"], "y", 2)) == [3.0]


# ---- learning --------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def tumours(tmp_path_factory):
    """The breast cancer data, standardised, in memory and in a database."""
    data = load_breast_cancer()
    data = data._replace(X=StandardScaler().fit_transform(data.X))
    path = tmp_path_factory.mktemp("db") / "tumours.db"
    write_sqlite(path, "tumours", data)
    return data, (path, "tumours", data.feature_names, "target")


def test_in_the_same_order_the_weights_are_those_of_memory_bit_for_bit(tumours):
    data, table = tumours

    def learn(batches):
        w, b = Value([0.0] * 30), Value(0.0)
        loss = lambda X, y: binary_cross_entropy_with_logits(affine(X, w, b), y)
        history = minimize(loss, [w, b], batches, Adam([w, b], lr=0.01), 2)
        return w.data, b.data, history

    in_memory = learn(Batches(data.X, data.y, 25, shuffle=False))
    assert learn(SQLiteBatches(*table, 25, shuffle=False)) == in_memory


def test_a_model_learns_from_it_as_from_memory(tumours):
    data, table = tumours
    model = LogisticRegression(epochs=3, batch_size=None, lr=0.5)
    everything = SQLiteBatches(*table, 569, shuffle=False)
    streamed = LogisticRegression(epochs=3, lr=0.5).fit_batches(everything, [0, 1])
    model.fit(data.X, data.y)
    assert streamed.coef_ == model.coef_ and streamed.intercept_ == model.intercept_
    assert streamed.history_ == model.history_

    by_parts = LogisticRegression(lr=0.5)
    for X, y in SQLiteBatches(*table, 32, seed=1):
        by_parts.partial_fit(X, y)
    by_fit = LogisticRegression(lr=0.5, epochs=1)
    by_fit.fit_batches(SQLiteBatches(*table, 32, seed=1))  # the first look costs no epoch
    assert by_parts.coef_ == by_fit.coef_
    assert by_parts.history_.losses == by_fit.history_.losses
    assert by_fit.score(data.X, data.y) > 0.95


def test_the_scaler_learns_from_it_as_from_memory(path):
    data = load_breast_cancer()
    write_sqlite(path, "t", data)
    whole, parts = StandardScaler().fit(data.X), StandardScaler()
    for X, _ in SQLiteBatches(path, "t", data.feature_names, "target", 64):
        parts.partial_fit(X)
    assert parts.n_samples_seen_ == 569
    assert parts.mean_ == pytest.approx(whole.mean_, rel=1e-14)
    assert parts.scale_ == pytest.approx(whole.scale_, rel=1e-13)


def test_several_classes_must_be_known_beforehand(path):
    data = load_iris()
    write_sqlite(path, "iris", data._replace(y=data.y * 10))
    batches = SQLiteBatches(path, "iris", None, "target", 30)
    with pytest.raises(ValueError, match="name all classes"):
        SoftmaxRegression().fit_batches(batches)
    with pytest.raises(ValueError, match="labels 20 are not among the classes 0, 10"):
        SoftmaxRegression().fit_batches(batches, [0, 10])
    model = SoftmaxRegression(epochs=40).fit_batches(batches, [20, 0, 10])
    assert model.classes_ == (0, 10, 20) and model.score(data.X, data.y * 10) > 0.8


def test_losses_of_the_first_epoch_are_of_rows_not_yet_learned_from():
    """Progressive validation: coins cannot be foretold, though they can be learned by heart."""
    noise = random.Random(0)
    X = [[noise.gauss(0.0, 1.0) for _ in range(100)] for _ in range(100)]
    y = [float(i % 2) for i in range(100)]
    noise.shuffle(y)
    model = LogisticRegression(epochs=20, batch_size=1, lr=0.1, l2=1e-3).fit(X, y)
    assert model.score(X, y) == 1.0 and model.history_.epoch_losses[-1] < 0.1
    assert sum(model.history_.losses[:100]) / 100 > math.log(2)  # no better than a coin


# ---- memory, and the example -----------------------------------------------------------------


@pytest.mark.parametrize("shuffle", [True, False])
def test_memory_does_not_grow_with_the_table(path, monkeypatch, shuffle):
    monkeypatch.setattr(sqlite, "BLOCK", 16)

    def peak(table):
        batches = SQLiteBatches(path, table, None, "y", 8, shuffle)
        tracemalloc.start()
        rows = sum(len(y) for _, y in batches)
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return rows, most

    columns = [*"abcdefgh", "y"]
    for table, count in ("short", 1000), ("long", 16000):
        sqlite.write_rows(path, table, columns, ([float(i)] * 9 for i in range(count)))
    peak("short")  # fills caches
    (rows, short), (many_rows, long) = peak("short"), peak("long")
    assert (rows, many_rows) == (1000, 16000)
    assert long < 1.2 * short + 100_000  # 15000 more rows would be 5 MB


def test_train_learns_from_a_database_and_goes_on(tmp_path):
    data = load_iris()
    path, saved, model = (tmp_path / name for name in ("iris.db", "run.json", "model.json"))
    write_sqlite(path, "flowers", data)

    def train(*options, ok=True):
        done = lessons.run(
            lessons.EXAMPLES / "train.py", "--database", path, "--table", "flowers",
            "--no-pictures", *options,
        )  # fmt: skip
        assert (done.returncode == 0) == ok, done.stdout + done.stderr
        return done.stdout + done.stderr

    said = train("--target", "target", "--epochs", 20, "--checkpoint", saved, "--resume")
    assert "150 rows to learn from, 4 features, 3 classes" in said
    train("--target", "target", "--epochs", 30, "--checkpoint", saved, "--resume", "--save", model)
    resumed = SoftmaxRegression.load(model)
    assert resumed.score(data.X, data.y) > 0.85
    train("--target", "target", "--epochs", 30, "--save", model)
    assert SoftmaxRegression.load(model).coef_ == resumed.coef_

    sqlite.write_rows(path, "empty", ["a", "target"], [])
    said = train("--table", "empty", "--target", "target", ok=False)
    assert "'empty' has no rows" in said and "Traceback" not in said
    said = train("--target", "targt", ok=False)
    assert "did you mean 'target'" in said and "Traceback" not in said
    assert "--checkpoint" in train("--target", "target", "--resume", ok=False)
    assert "together" in train("a.csv", "--target", "target", ok=False)
