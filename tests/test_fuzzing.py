"""Files that were damaged at random: each gives a value or the documented error, nothing else.

    FUZZ_CASES=10000 pytest tests/test_fuzzing.py          more of them, for some minutes

A valid file is spoiled in its bytes (flipped, cut, doubled) or, if it is JSON, in its
structure (keys removed, values of other types, lists of other lengths, numbers that are
huge or none). What is read nevertheless must be whole: it is used, written and read again.
"""

import copy
import json
import math
import os
from contextlib import suppress

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tinygrad_lr import Value, affine, binary_cross_entropy_with_logits, optim
from tinygrad_lr.data import Batches, read_csv
from tinygrad_lr.models import LogisticRegression, SoftmaxRegression
from tinygrad_lr.training import DivergenceError, minimize

fuzz = settings(
    max_examples=int(os.environ.get("FUZZ_CASES", "60")),
    derandomize=True,
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)

ROWS = [[0.5, -1.0], [1.5, 0.0], [-0.5, 2.0], [0.0, 0.5], [1.0, 1.0], [-2.0, 0.0], [0.2, 0.1]]
LABELS = [0, 1, 0, 1, 1, 0, 1]


# ---- how a file is spoiled --------------------------------------------------------------------

places = st.integers(0, 1 << 20)  # taken modulo the length


@st.composite
def spoiled_bytes(draw, valid):
    """The bytes of a file with one to three changes."""
    content = valid
    for _ in range(draw(st.integers(1, 3))):
        first, last = sorted(draw(places) % (len(content) + 1) for _ in range(2))
        last = min(last, first + draw(st.sampled_from([0, 1, 2, 20, len(content)])))
        middle = draw(
            st.one_of(
                st.binary(max_size=8),
                st.just(content[first:last] * 2),
                st.sampled_from(
                    [b"", b'"', b"\n", b",", b"\0", b"\xff", b"-", b"e999", b"9" * 400]
                ),
            )
        )
        content = content[:first] + middle + content[last:]
    return content


NUMBERS = [0, -1, 0.5, -0.0, 1e308, -1e308, 5e-324, 1 << 60, 10**400, math.nan, -math.inf]
OTHERS = [None, True, "", "1.0", "SGD", "\0", [], {}, [[]], [0.5], [1, 2, 3], {"t": 1}]
junk = st.sampled_from([*NUMBERS, *OTHERS, "<deep>", "<1e999>"])


@st.composite
def spoiled_json(draw, valid):
    """The text of a JSON file with one to three values removed or replaced."""
    document = {"": copy.deepcopy(valid)}
    for _ in range(draw(st.integers(1, 3))):
        parent, key, value = document, "", document[""]
        while isinstance(value, (dict, list)) and value and draw(st.integers(0, 9)):
            keys = list(value) if isinstance(value, dict) else range(len(value))
            parent, key = value, draw(st.sampled_from(keys))
            value = parent[key]
        change = draw(st.sampled_from(["replace", "replace", "remove", "double", "swap"]))
        if change == "remove" and parent is not document:
            del parent[key]
        elif change == "double" and isinstance(parent, list):
            parent.insert(key, copy.deepcopy(value))
        elif change == "swap":
            other = draw(st.sampled_from(list(parent) if isinstance(parent, dict) else parent))
            parent[key] = copy.deepcopy(parent[other] if isinstance(parent, dict) else other)
        else:
            parent[key] = copy.deepcopy(draw(junk))
    text = json.dumps(document[""]).replace('"<deep>"', "[" * 5000 + "]" * 5000)
    return text.replace('"<1e999>"', "1e999").encode()


def spoiled(content):
    """Either of them."""
    valid = json.loads(content)
    return st.one_of(spoiled_bytes(content), spoiled_json(valid), spoiled_json(valid))


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    return tmp_path_factory.mktemp("fuzz") / "file"


# ---- model files ------------------------------------------------------------------------------


def model_file(path, model, labels):
    model.fit(ROWS, labels).save(path)
    return path.read_bytes()


@pytest.mark.parametrize(
    ("kind", "labels", "options"),
    [
        (LogisticRegression, LABELS, {"optimizer": "Adam", "l2": 0.5}),
        (SoftmaxRegression, [3, 5, 9, 3, 5, 9, 3], {"lr": 0.5}),
    ],
    ids=["LogisticRegression", "SoftmaxRegression"],
)
def test_model_files(kind, labels, options, path):
    valid = model_file(path, kind(epochs=1, **options), labels)

    @fuzz
    @given(spoiled(valid))
    def check(content):
        path.write_bytes(content)
        try:
            model = kind.load(path)
        except ValueError as error:
            assert str(path) in str(error)
            return
        rows = [[0.25] * (model.coef_.shape[-1])] * 2
        assert model.predict_proba(rows).shape == (2, len(model.classes_))
        assert set(model.predict(rows).flat) <= set(model.classes_)
        model.save(path)
        again = kind.load(path)
        assert (again.coef_, again.intercept_, again.classes_) == (
            model.coef_, model.intercept_, model.classes_,
        )  # fmt: skip
        assert repr(again) == repr(model)
        with suppress(DivergenceError, FloatingPointError, ValueError):  # too large to go on
            model.partial_fit(rows, list(model.classes_)[:2])

    check()


# ---- CSV files --------------------------------------------------------------------------------

TABLES = [
    b"age,weight,outcome\n41,70.5,well\n63,82,ill\n\n7,-1e-3,well\n",
    '"größe",y,"b, c"\r\n1,0,"2.5"\r\n3,1,4e2\r\n'.encode("utf-8-sig"),
]
FIELDS = st.sampled_from(
    [b"", b" ", b"nan", b"-inf", b"1e999", b"1_0", b"0x10", b"word", b'"', b'""', b"9" * 5000,
     b"-0", "١٢".encode(), b"\xa0", b"\0", b"1.5", b"2"]
)  # fmt: skip


@st.composite
def spoiled_table(draw, valid):
    """A table with one to three fields replaced, added or removed."""
    rows = [line.split(b",") for line in valid.split(b"\n")]
    for _ in range(draw(st.integers(1, 3))):
        row = rows[draw(places) % len(rows)]
        place = draw(places) % len(row)
        row[place : place + draw(st.integers(0, 2))] = draw(st.lists(FIELDS, max_size=2))
        if not row:
            row.append(b"")
    return draw(st.sampled_from([b"\n", b"\n", b"\r", b"\r\n"])).join(map(b",".join, rows))


@pytest.mark.parametrize(
    ("valid", "target"), [(TABLES[0], "outcome"), (TABLES[1], "y")], ids=["lines", "quotes"]
)
def test_csv_files(valid, target, path):
    @fuzz
    @given(st.one_of(spoiled_bytes(valid), spoiled_table(valid)))
    def check(content):
        path.write_bytes(content)
        try:
            data = read_csv(path, target=target)
        except ValueError as error:
            assert str(path) in str(error)
            return
        n, d = data.X.shape
        assert n > 0 and d > 0 and data.y.shape == (n,) and len(data.X.flat) == n * d
        assert len(set(data.feature_names)) == d and target not in data.feature_names
        assert all(map(math.isfinite, data.X.flat + data.y.flat))
        assert not data.target_names or len(data.target_names) == len(set(data.y.flat))
        assert f"{n} rows" in repr(data)
        Batches(data.X, data.y, 2)

    check()


# ---- checkpoints ------------------------------------------------------------------------------


class Stopped(Exception):
    """Ends a run before its end."""


class Run:
    """A training made anew, which goes on from the file if there is one."""

    def __init__(self, make, batch_size):
        self.w, self.b = Value([0.1, -0.1], label="w"), Value(0.0, label="b")
        self.optimizer = make([self.w, self.b])
        self.batches = Batches(ROWS, LABELS, batch_size, seed=3)
        self.steps = 0

    def loss(self, X, y):
        self.steps += 1
        if self.steps == 4:
            raise Stopped
        return binary_cross_entropy_with_logits(affine(X, self.w, self.b), y)

    def go(self, path):
        return minimize(
            self.loss, [self.w, self.b], self.batches, self.optimizer, 3,
            checkpoint=path, every=1, resume=True,
        )  # fmt: skip

    def state(self):
        return self.w.data, self.b.data, self.optimizer.state_dict(), self.batches.state_dict()


FIRST_ORDER = "ASGD Adadelta Adagrad Adam AdamW Adamax NAdam RAdam RMSprop Rprop SGD".split()


@pytest.mark.parametrize("name", [*FIRST_ORDER, "LBFGS", "Newton"])
def test_checkpoints(name, path, monkeypatch):
    monkeypatch.setattr("tinygrad_lr.training.checkpoint.os.fsync", lambda file: None)
    options = {"SGD": {"momentum": 0.9}, "Adam": {"amsgrad": True}, "ASGD": {"t0": 1},
               "LBFGS": {"max_iter": 1}, "Newton": {"damping": 0.1}}.get(name, {})  # fmt: skip
    size = 3 if name in FIRST_ORDER else None
    make = lambda: Run(lambda parameters: getattr(optim, name)(parameters, **options), size)
    path.unlink(missing_ok=True)
    with pytest.raises(Stopped):
        make().go(path)
    valid = path.read_bytes()

    @fuzz
    @given(spoiled(valid))
    def check(content):
        path.write_bytes(content)
        run = make()
        before = run.state()
        try:
            run.go(path)
        except Stopped:
            return  # it went on
        except (DivergenceError, FloatingPointError):
            assert run.steps  # it went on, with numbers too large to go far
        except ValueError as error:
            if "rows when the checkpoint was written" not in str(error):  # known later
                assert str(path) in str(error) and run.steps == 0
                assert run.state() == before  # nothing is half-loaded
        assert all(map(math.isfinite, [*run.w.data.flat, run.b.data]))

    check()
