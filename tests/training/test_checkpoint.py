"""Checkpoints: killed at any moment a run ends with the same weights; bad files are refused."""

import json
import os
import random
import subprocess
import sys
from pathlib import Path

import pytest

from tinygrad_lr import Value, affine, binary_cross_entropy_with_logits, optim
from tinygrad_lr.data import Batches, Dataset, SQLiteBatches, write_sqlite
from tinygrad_lr.models import LogisticRegression
from tinygrad_lr.optim import LBFGS, SGD, Adam, schedules
from tinygrad_lr.training import DivergenceError, checkpoint, minimize

ROOT = Path(__file__).parents[2]
NOISE = random.Random(3)
X = [[NOISE.gauss(0.0, 1.0) for _ in range(4)] for _ in range(30)]
Y = [float(sum(row) + NOISE.gauss(0.0, 1.0) > 0.0) for row in X]


class Killed(Exception):
    """Stands for the end of the process."""


class Run:
    """A training made anew, as a program that was started again makes it."""

    def __init__(self, path, optimizer=SGD, batches=None, die_at=None, **options):
        self.path, self.die_at, self.steps = path, die_at, 0
        self.w, self.b = Value([0.1, 0.0, -0.1, 0.2], label="w"), Value(0.0, label="b")
        self.optimizer = optimizer([self.w, self.b], **options)
        self.batches = Batches(X, Y, 4, seed=1) if batches is None else batches

    def loss(self, X, y):
        if self.steps == self.die_at:
            raise Killed
        self.steps += 1
        return binary_cross_entropy_with_logits(affine(X, self.w, self.b), y)

    def go(self, epochs=4, **options):
        options = {"checkpoint": self.path, "every": 3, "resume": True} | options
        self.history = minimize(
            self.loss, [self.w, self.b], self.batches, self.optimizer, epochs, **options
        )
        return self.w.data, self.b.data, self.history

    def state(self):
        return self.w.data, self.b.data, self.optimizer.state_dict(), self.batches.state_dict()


@pytest.fixture
def path(tmp_path):
    return tmp_path / "run.json"


@pytest.fixture(autouse=True)
def no_waiting_for_the_disk(monkeypatch):
    monkeypatch.setattr(checkpoint.os, "fsync", lambda file: None)


def interrupted(path, make, deaths, every=3):
    """The result of a run that died after so many losses, each time since it was started."""
    for death in deaths:
        with pytest.raises(Killed):
            make(path, death).go(every=every)
    return make(path, None).go(every=every)


# ---- bit for bit -----------------------------------------------------------------------------

OPTIMIZERS = [
    (SGD, {"lr": 0.5}),
    (SGD, {"lr": 0.1, "momentum": 0.9, "nesterov": True, "weight_decay": 0.01}),
    (SGD, {"lr": schedules.warmup(5, schedules.cosine_decay(0.5, steps=20))}),
    (optim.ASGD, {"lr": 0.1, "t0": 3}),
    (Adam, {"lr": 0.1, "amsgrad": True}),
    *[
        (getattr(optim, name), {})
        for name in "Adagrad Adadelta RMSprop AdamW Adamax NAdam RAdam Rprop".split()
    ],
]


@pytest.mark.parametrize(("optimizer", "options"), OPTIMIZERS)
@pytest.mark.parametrize("deaths", [[1], [7], [8], [9, 2, 5, 11]])
def test_a_run_that_died_ends_with_the_weights_of_one_that_did_not(
    path, optimizer, options, deaths
):
    make = lambda path, death: Run(path, optimizer, die_at=death, **options)
    resumed = interrupted(path, make, deaths)
    path.unlink()
    assert make(path, None).go() == resumed  # weights and history
    assert make(None, None).go(resume=False) == resumed


@pytest.mark.parametrize("batch_size", [1, 4, 30, None])
@pytest.mark.parametrize("shuffle", [True, False])
def test_whatever_the_batches(path, batch_size, shuffle):
    make = lambda path, death: Run(
        path, Adam, Batches(X, Y, batch_size, shuffle, seed=2), die_at=death, lr=0.1
    )
    never = make(None, None).go(resume=False)
    assert interrupted(path, make, [2, 1], every=1) == never


def test_batches_from_a_database(path):
    write_sqlite(path.with_suffix(".db"), "t", Dataset(X, Y, tuple("abcd"), (), ""))
    table = path.with_suffix(".db"), "t", tuple("abcd"), "target"
    make = lambda path, death: Run(path, Adam, SQLiteBatches(*table, 4), die_at=death)
    never = make(None, None).go(resume=False)
    assert interrupted(path, make, [5, 9, 4]) == never


def test_batches_that_keep_one_order(path):
    batches = list(Batches(X, Y, 4))
    make = lambda path, death: Run(path, batches=batches, die_at=death, lr=0.5)
    never = make(None, None).go(resume=False)
    assert interrupted(path, make, [5, 9]) == never


def test_an_optimizer_that_evaluates_the_loss_itself(path):
    make = lambda path, death: Run(path, LBFGS, Batches(X, Y), die_at=death, max_iter=1)
    never = make(None, None).go(resume=False)
    with pytest.raises(Killed):
        make(path, 7).go(every=1)
    assert len(json.loads(path.read_text())["optimizer"]["pairs"]) == 2
    assert make(path, None).go(every=1) == never


def test_no_more_than_the_steps_since_the_last_checkpoint_are_lost(path):
    with pytest.raises(Killed):
        Run(path, die_at=11).go()  # step 12 is not taken; the file is of step 9
    resumed = Run(path)
    resumed.go(2)
    assert resumed.steps == 2 * 8 - 9


def test_stopping_rules_look_back_over_the_stop(path):
    make = lambda path, death: Run(path, die_at=death, lr=0.5)
    never = make(None, None).go(500, resume=False, tolerance=1e-3)
    with pytest.raises(Killed):
        make(path, 50).go(500, tolerance=1e-3)
    assert make(path, None).go(500, tolerance=1e-3) == never and never[2].converged


def test_a_run_that_ended_stays_ended_but_one_of_more_epochs_goes_on(path):
    ended = Run(path).go(callbacks=[lambda history: history.epochs == 2])
    again = Run(path)
    assert again.go() == ended and again.steps == 0
    path.unlink()
    Run(path).go(2)
    again = Run(path)
    assert again.go(4) == Run(None).go(4, checkpoint=None, resume=False) and again.steps == 2 * 8


def test_a_model_resumes_too(path):
    settings = {"optimizer": "Adam", "batch_size": 4, "epochs": 5}
    never = LogisticRegression(**settings).fit(X, Y)

    def die(history):
        if history.epochs == 3:
            raise Killed

    with pytest.raises(Killed):
        LogisticRegression(**settings).fit(X, Y, [die], checkpoint=path, every=5)
    resumed = LogisticRegression(**settings).fit(X, Y, checkpoint=path, resume=True)
    assert resumed.coef_ == never.coef_ and resumed.intercept_ == never.intercept_
    assert resumed.history_ == never.history_


# ---- when it is written ----------------------------------------------------------------------


def test_without_resume_it_starts_again(path):
    first = Run(path).go(resume=False)
    again = Run(path)
    assert again.go(resume=False) == first and again.steps == 4 * 8


def test_a_checkpoint_is_data_that_a_human_can_read(path):
    run = Run(path, Adam)
    w, b, history = run.go()
    saved = json.loads(path.read_text())
    assert saved["format"] == "tinygrad_lr checkpoint 1"
    assert saved["parameters"] == [
        {"label": "w", "data": w.tolist()}, {"label": "b", "data": b}
    ]  # fmt: skip
    assert saved["optimizer"]["optimizer"] == "Adam" and saved["optimizer"]["steps"] == 32
    assert saved["batches"] == {"epoch": 4, "batch_size": 4, "shuffle": True, "seed": 1}
    assert saved["rows"] == []
    assert saved["history"]["losses"] == history.losses
    assert os.listdir(path.parent) == ["run.json"]  # nothing is left beside it


def test_an_older_checkpoint_stays_until_the_new_one_is_complete(path, monkeypatch):
    Run(path).go(1)
    before = path.read_bytes()

    def fails(*_):
        raise OSError("disk full")

    for step in "fsync", "replace":
        with monkeypatch.context() as patch:
            patch.setattr(checkpoint.os, step, fails)
            with pytest.raises(OSError, match="disk full"):
                Run(path).go(2)
        assert path.read_bytes() == before
    Run(path).go(2)  # what lies beside it is in nobody's way
    assert path.read_bytes() != before and os.listdir(path.parent) == ["run.json"]


def test_it_reaches_the_disk_before_it_takes_the_name(path, monkeypatch):
    done = []
    for name in "fsync", "replace":
        original = getattr(os, name)
        monkeypatch.setattr(
            checkpoint.os, name, lambda *a, name=name, f=original: (done.append(name), f(*a))
        )
    Run(path).go(1, every=100)
    assert done == ["fsync", "replace", "fsync"]


def test_a_run_that_diverges_leaves_the_last_good_checkpoint(path):
    w = Value(1.0)
    loss = lambda X, y: (w * w).sum() * (1e306 if abs(w.data) > 2 else 1.0)
    batches = [([0.0], [0.0])] * 10
    with pytest.raises(DivergenceError):
        minimize(loss, [w], batches, SGD([w], lr=30.0), 5, checkpoint=path, every=1)
    kept = json.loads(path.read_text())
    assert kept["parameters"][0]["data"] == pytest.approx(-59.0)
    assert len(kept["history"]["losses"]) == 1
    path.unlink()
    with pytest.raises(DivergenceError, match="parameter"):  # by the last step
        minimize(
            lambda X, y: w * 1e300, [w], batches[:1], SGD([w], lr=1e300), 1,
            checkpoint=path, every=1,
        )  # fmt: skip
    assert not path.exists()


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"every": 0}, ValueError, "every"),
        ({"every": 2.5}, ValueError, "every"),
        ({"checkpoint": None}, ValueError, "resume=True needs checkpoint"),
        (
            {"checkpoint": "/no/such/place/run.json"},
            FileNotFoundError,
            "no directory /no/such/place",
        ),
    ],
)
def test_what_cannot_work_is_said_before_the_first_step(path, options, error, message):
    run = Run(path)
    with pytest.raises(error, match=message):
        run.go(**options)
    assert run.steps == 0


# ---- what is refused -------------------------------------------------------------------------


def refused(path, run, message):
    before = run.state()
    with pytest.raises(ValueError, match=message) as caught:
        run.go()
    assert str(path) in str(caught.value)
    assert run.state() == before and run.steps == 0


def test_a_truncated_file_is_refused_wherever_it_ends(path):
    with pytest.raises(Killed):
        Run(path, Adam, die_at=11).go()
    whole = path.read_bytes()
    for end in sorted({*range(0, len(whole) - 2, 37), len(whole) - 2}):
        path.write_bytes(whole[:end])
        refused(path, Run(path, Adam), "is no checkpoint of this training")
    path.write_bytes(whole)
    Run(path, Adam).go()


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\x80\x04\x95",  # a pickle
        b"\xff\xfe\x00",
        b"null",
        b"[]",
        b'"tinygrad_lr checkpoint 1"',
        b'{"format": "tinygrad_lr model 1"}',
        b'{"format": "tinygrad_lr checkpoint 2"}',
        b'{"format": "tinygrad_lr checkpoint 1"}',
        b"[" * 100_000,
        b'{"format": ' + b"9" * 5000 + b"}",
    ],
)
def test_a_foreign_file_is_refused(path, content):
    path.write_bytes(content)
    refused(path, Run(path), "is no checkpoint of this training: .")


def changed(document, place, new):
    """The document with another value at a place, such as "optimizer/states/0/mean"."""
    *parents, last = [int(key) if key.isdecimal() else key for key in place.split("/")]
    for key in parents:
        document = document[key]
    if new is None:
        del document[last]
    else:
        document[last] = json.loads(new)


@pytest.mark.parametrize(
    ("place", "new", "message"),
    [
        ("parameters", "[]", "it has 0 parameters, here are 2"),
        ("parameters", None, "it lacks 'parameters'"),
        ("parameters", "5", "no len"),
        ("parameters/0/label", '"v"', "'v' of shape .4,. stands where 'w' of shape .4,. is"),
        ("parameters/0/data", "[1, 2, 3]", "shape .3,."),
        ("parameters/0/data", "[[1, 2], [3, 4]]", "shape .2, 2."),
        ("parameters/0/data", "[1, 2, [3], 4]", "ragged"),
        ("parameters/0/data/2", '"1.0"', "'1.0' is a str"),
        ("parameters/0/data/2", "NaN", "NaN"),
        ("parameters/0/data/2", "1e999", "the number 1e999"),
        ("parameters/0/data/2", "-Infinity", "-Infinity"),
        ("parameters/1/data", "1" + "0" * 400, "beyond the largest float"),
        ("optimizer", "[]", "optimizer"),
        ("optimizer", "{}", "the state of the optimizer has , not optimizer, lr, steps, states"),
        ("optimizer/optimizer", '"SGD"', "belongs to 'SGD'"),
        ("optimizer/lr", '"x"', "lr is .x."),
        ("optimizer/lr", "-1.0", "lr"),
        ("optimizer/lr", "1" + "0" * 400, "int too large"),
        ("optimizer/steps", '"9"', "steps of the optimizer is '9'"),
        ("optimizer/states/0/t", '"9"', "holds '9'"),
        ("optimizer/states/0/t", "-9", "holds -9"),
        ("optimizer/states/0/t", "1" + "0" * 400, "holds 1000"),
        ("optimizer/states/0/mean", "0.5", "float"),
        ("optimizer/states/0/mean", "[[1], 2, 3, 4]", "sequence"),
        ("optimizer/states/0/mean_square", "[-1e-9, 1, 1, 1]", "domain error"),
        (
            "optimizer/states/0",
            '{"t": 9, "mean": [1e308, 0, 0, 0], "mean_square": [0, 0, 0, 0]}',
            "the next step leads nowhere",
        ),
        ("optimizer/states/0/mean/1", "null", "holds None"),
        ("optimizer/states/0/mean", "[1.0]", "1 numbers for a parameter of 4"),
        ("optimizer/states/1", None, "this state has 1 parameters, here are 2"),
        ("optimizer/states/1", "7", "no attribute"),
        ("batches", "null", "the state of the batches"),
        ("batches/epoch", '"0"', "epoch of the batches is '0'"),
        ("batches/epoch", None, "the state of the batches"),
        ("rows", "[4, 0]", "rows"),
        ("rows", "{}", "rows"),
        ("rows", "[4, true]", "rows"),
        ("rows", "[4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4]", "rows"),
        ("rows/0", "3", "batch 1 had 3 rows when the checkpoint was written, and has 4"),
        ("history/losses", "[1.0]", "not as many losses as gradients"),
        ("history/losses", "7", "losses of the history is 7"),
        ("history/losses/0", '"x"', "holds 'x'"),
        ("history/losses/0", "[1.0]", "losses of its history holds what is no float"),
        ("history/epoch_losses", None, "the state of the history"),
        ("history/converged", "1", "converged"),
    ],
)
def test_a_file_that_was_tampered_with_is_refused(path, place, new, message):
    with pytest.raises(Killed):
        Run(path, Adam, die_at=11).go()
    document = json.loads(path.read_text())
    changed(document, place, new)
    path.write_text(
        json.dumps(document).replace("Infinity", "1e999" if new == "1e999" else "Infinity")
    )
    if place == "rows/0":  # known only once the data are there
        with pytest.raises(ValueError, match=message):
            Run(path, Adam).go()
        return
    refused(path, Run(path, Adam), message)


def test_the_checkpoint_of_another_training_is_refused(path):
    with pytest.raises(Killed):
        Run(path, Adam, die_at=7).go()
    refused(path, Run(path, SGD), "belongs to 'Adam', not to 'SGD'|has optimizer")
    refused(path, Run(path, Adam, Batches(X, Y, 5, seed=1)), "batch_size was 4; now it is 5")
    refused(path, Run(path, Adam, Batches(X, Y, 4)), "seed was 1; now it is 0")
    refused(path, Run(path, Adam, Batches(X, Y, 4, False, 1)), "shuffle was True; now it is False")
    with pytest.raises(ValueError, match="resume with the same data and batch size"):
        Run(path, Adam, Batches(X[:20], Y[:20], 4, seed=1)).go()


def test_nothing_is_half_loaded_when_the_batches_refuse(path):
    write_sqlite(path.with_suffix(".db"), "t", Dataset(X, Y, tuple("abcd"), (), ""))
    table = path.with_suffix(".db"), "t", tuple("abcd"), "target"
    with pytest.raises(Killed):
        Run(path, Adam, SQLiteBatches(*table, 4), die_at=11).go()
    refused(path, Run(path, Adam, SQLiteBatches(*table, 4, seed=9)), "seed was 0; now it is 9")


# ---- SIGKILL ---------------------------------------------------------------------------------

KILLER = """
import mmap, os, random, signal, struct, sys, time
from tinygrad_lr import Value, affine, binary_cross_entropy_with_logits
from tinygrad_lr.data import Batches
from tinygrad_lr.optim import Adam
from tinygrad_lr.training import minimize

path, every = sys.argv[1], 7
noise = random.Random(0)
X = [[noise.gauss(0.0, 1.0) for _ in range(5)] for _ in range(200)]
y = [float(row[0] > row[1]) for row in X]
seen = mmap.mmap(-1, 16)  # shared with the children: steps at the start, and begun so far


def train(resume):
    w, b = Value([0.0] * 5), Value(0.0)
    optimizer = Adam([w, b], lr=0.01)

    def loss(X, y):
        if resume:
            first, _ = struct.unpack("qq", seen[:])
            seen[:] = struct.pack("qq", optimizer.steps if first < 0 else first, optimizer.steps)
        return binary_cross_entropy_with_logits(affine(X, w, b), y)

    options = {"checkpoint": path, "every": every, "resume": True} if resume else {}
    minimize(loss, [w, b], Batches(X, y, 8, seed=4), optimizer, 200, **options)
    return w.data, b.data


never = train(resume=False)
kills, reached = 0, 0
moments = random.Random(1)
while kills < 100:
    seen[:] = struct.pack("qq", -1, -1)
    child = os.fork()
    if child == 0:
        try:
            train(resume=True)
        finally:
            os._exit(0)
    time.sleep(moments.uniform(0.0, 0.02))
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    kills += 1
    start, now = struct.unpack("qq", seen[:])
    if start >= 0:
        assert start >= reached - every, f"{reached} steps were begun, but it went on from {start}"
        reached = now
assert 0 < reached < 5000  # on the way, not yet there
assert train(resume=True) == never
print("same weights after", kills, "kills")
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="processes are killed here that were forked")
def test_killed_at_a_hundred_random_moments_it_always_resumes(path):
    done = subprocess.run(
        [sys.executable, "-c", KILLER, path], capture_output=True, text=True, timeout=300,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    assert done.stdout == "same weights after 100 kills\n", done.stderr
