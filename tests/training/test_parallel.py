"""Data-parallel gradients: those of one process, whoever computes them and in whatever order."""

import math
import multiprocessing
import os
import pickle
import random
import shutil
import signal
import subprocess
import sys
import threading
from concurrent.futures import (
    BrokenExecutor, Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor,
)  # fmt: skip
from pathlib import Path

import pytest

from tinygrad_lr import (
    Value, affine, binary_cross_entropy_with_logits, grad, hessian, value_and_grad,
)  # fmt: skip
from tinygrad_lr.data import Batches
from tinygrad_lr.optim import LBFGS, SGD, Adam, BacktrackingLineSearch, Newton
from tinygrad_lr.training import DataParallel, minimize, parallel

NOISE = random.Random(0)
X = [[NOISE.gauss(0.0, 1.0) for _ in range(3)] for _ in range(50)]
Y = [float(row[0] + NOISE.gauss(0.0, 1.0) > 0.0) for row in X]
SHARDS = [(X[:7], Y[:7]), (X[7:30], Y[7:30]), (X[30:31], Y[30:31]), (X[31:], Y[31:])]


def loss(X, y, w, b):
    return binary_cross_entropy_with_logits(affine(X, w, b), y)


def loss_of_w_alone(X, y, w, b):
    return binary_cross_entropy_with_logits(X @ w, y)


def not_a_scalar(X, y, w, b):
    return X @ w


def dies(X, y, w, b):
    if len(y) == 1:
        os.kill(os.getpid(), signal.SIGKILL)
    return loss(X, y, w, b)


def whole(w, b):
    return loss(X, Y, w, b)


class Here(Executor):
    """Does the work at once; with several workers of separate memory, in turn or by lot."""

    def __init__(self, workers=1, pick=None):
        self.memories = [{} for _ in range(workers)]
        self.pick = pick or (lambda task: task % workers)
        self.sent = []  # which shards travelled
        self.tasks = 0

    def submit(self, f, name, shard, *arguments):
        self.sent += [name] if shard is not None else []
        future = Future()
        parallel._held = self.memories[self.pick(self.tasks)]
        self.tasks += 1
        try:
            # Pickled, as it would be on the way to another process.
            f, *given = pickle.loads(pickle.dumps((f, name, shard, *arguments)))
            future.set_result(f(*given))
        except Exception as error:
            future.set_exception(error)
        return future


@pytest.fixture(autouse=True)
def own_memory(monkeypatch):
    monkeypatch.setattr(parallel, "_held", {})


def weights():
    return Value([0.3, -0.2, 0.1], label="w"), Value(0.05, label="b")


def gradients(f):
    w, b = weights()
    value = f(w, b)
    value.backward()
    return value.data, w.grad, b.grad


# ---- the same as one process -----------------------------------------------------------------


def test_value_and_gradient_are_those_of_all_rows():
    value, slope, offset = gradients(DataParallel(loss, SHARDS, Here()))
    expected = gradients(whole)
    assert value == pytest.approx(expected[0], rel=1e-14)
    assert slope.tolist() == pytest.approx(expected[1].tolist(), rel=1e-13)
    assert offset == pytest.approx(expected[2], rel=1e-13)


def test_a_single_shard_is_the_plain_loss_bit_for_bit():
    assert gradients(DataParallel(loss, [(X, Y)], Here())) == gradients(whole)


def test_it_is_a_function_like_any_other():
    f = DataParallel(loss, SHARDS, Here())
    w, b = weights()
    value, slopes = value_and_grad(f, argnums=(0, 1))(w.data, b.data)
    assert f(w.data, b.data) == value and type(value) is float
    assert (value, *slopes) == gradients(f)
    assert grad(lambda b: 3.0 * f(w.data, b) + b * b)(0.05) == pytest.approx(3.0 * slopes[1] + 0.1)
    constant = f(w.data, b)  # w is a constant here
    constant.backward()
    assert b.grad == slopes[1] and w.grad is None
    assert "data_parallel" in repr(constant)


def test_a_parameter_that_no_shard_uses_has_the_gradient_0():
    _, slope, offset = gradients(DataParallel(loss_of_w_alone, SHARDS, Here()))
    assert offset == 0.0 and max(map(abs, slope.flat)) > 0.0


@pytest.mark.parametrize(
    "make",
    [
        lambda p: SGD(p, lr=0.5, momentum=0.9),
        lambda p: Adam(p, lr=0.1),
        lambda p: LBFGS(p),
        lambda p: BacktrackingLineSearch(p),
    ],
)
def test_minimize_finds_the_same_weights(make):
    w, b = weights()
    v, c = weights()
    f = DataParallel(loss, SHARDS, Here(3))
    penalised = lambda X, y: f(w, b) + 0.01 * (w @ w)
    history = minimize(penalised, [w, b], f.batches, make([w, b]), 10)
    plain = lambda X, y: loss(X, y, v, c) + 0.01 * (v @ v)
    expected = minimize(plain, [v, c], Batches(X, Y), make([v, c]), 10)
    assert w.data.tolist() == pytest.approx(v.data.tolist(), rel=1e-9)
    assert b.data == pytest.approx(c.data, rel=1e-9)
    assert history.epoch_losses == pytest.approx(expected.epoch_losses, rel=1e-12)


def test_a_run_can_be_checkpointed(tmp_path):
    def train(epochs):
        w, b = weights()
        f = DataParallel(loss, SHARDS, Here())
        options = {"checkpoint": tmp_path / "run.json", "resume": True}
        minimize(lambda X, y: f(w, b), [w, b], f.batches, Adam([w, b]), epochs, **options)
        return w.data, b.data

    first = train(3)
    resumed = train(6)
    (tmp_path / "run.json").unlink()
    assert train(6) == resumed != first


# ---- who computes it -------------------------------------------------------------------------


@pytest.mark.parametrize("workers", [1, 2, 3, 5])
def test_any_worker_may_get_any_task(workers):
    dice = random.Random(workers)
    executor = Here(workers, pick=lambda task: dice.randrange(workers))
    f = DataParallel(loss, SHARDS, executor)
    expected = gradients(DataParallel(loss, SHARDS, Here()))
    assert all(gradients(f) == expected for _ in range(300))  # bit for bit
    assert set(executor.sent) == set(f._names)
    executor.sent.clear()  # by now every worker holds every shard
    assert all(gradients(f) == expected for _ in range(20)) and not executor.sent


def test_shards_travel_once():
    executors = [Here() for _ in SHARDS]
    f = DataParallel(loss, SHARDS, executors)
    for _ in range(5):
        f(*weights())
    assert [executor.sent for executor in executors] == [[name] for name in f._names]


def test_what_others_left_behind_goes():
    executor = Here()
    for _ in range(3):
        f = DataParallel(loss, SHARDS, executor)
        f(*weights())
        assert set(executor.memories[0]) == set(f._names)
    smaller = DataParallel(loss, SHARDS[:2], executor)
    smaller(*weights())
    assert set(executor.memories[0]) == set(smaller._names)
    assert gradients(f) == gradients(DataParallel(loss, SHARDS, Here()))  # is sent again


def test_the_sum_does_not_depend_on_who_is_done_first():
    turns = [threading.Event() for _ in SHARDS]

    def slow_first(X, y, w, b):
        place = [len(y) for _, y in SHARDS].index(len(y))
        if place + 1 < len(SHARDS):
            turns[place + 1].wait(10)  # the last shard is done first, the first one last
        result = loss(X, y, w, b)
        turns[place].set()
        return result

    with ThreadPoolExecutor(len(SHARDS)) as executor:
        assert gradients(DataParallel(slow_first, SHARDS, executor)) == gradients(
            DataParallel(loss, SHARDS, Here())
        )


def test_processes():
    expected = gradients(DataParallel(loss, SHARDS[:2], Here()))
    with DataParallel(loss, SHARDS[:2]) as f:
        assert gradients(f) == expected and gradients(f) == expected
    with pytest.raises(RuntimeError, match="shutdown"):
        f(*weights())


def test_a_pool_of_processes_that_is_given():
    fresh = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(2, mp_context=fresh) as executor:
        with DataParallel(loss, SHARDS, executor) as f:
            assert gradients(f) == gradients(DataParallel(loss, SHARDS, Here()))
        assert executor.submit(math.sqrt, 4.0).result() == 2.0  # it is not closed with it


def test_a_cluster():
    distributed = pytest.importorskip("distributed")
    expected = gradients(DataParallel(loss, SHARDS, Here()))
    with distributed.Client(
        n_workers=2, threads_per_worker=1, dashboard_address=None, set_as_default=False
    ) as client:
        executor = client.get_executor()
        f = DataParallel(loss, SHARDS, executor)
        assert gradients(f) == expected and gradients(f) == expected
        client.restart()  # all workers are new and know nothing
        assert gradients(f) == expected


MPI = """
from mpi4py.futures import MPIPoolExecutor
from test_parallel import SHARDS, DataParallel, Here, gradients, loss

if __name__ == "__main__":
    with MPIPoolExecutor() as executor:
        f = DataParallel(loss, SHARDS, executor)
        assert gradients(f) == gradients(f) == gradients(DataParallel(loss, SHARDS, Here()))
        print("the same on", executor.num_workers, "workers")
"""


def test_mpi(tmp_path):
    pytest.importorskip("mpi4py")
    mpiexec = shutil.which("mpiexec") or pytest.skip("needs mpiexec")
    script = tmp_path / "script.py"
    script.write_text(MPI)
    root = Path(__file__).parents[2]
    allowed = "ALLOW_RUN_AS_ROOT", "ALLOW_RUN_AS_ROOT_CONFIRM", "MCA_rmaps_base_oversubscribe"
    done = subprocess.run(
        [mpiexec, "-n", "3", sys.executable, "-m", "mpi4py.futures", script],
        capture_output=True, text=True, timeout=120,
        env={**os.environ, **{f"OMPI_{name}": "1" for name in allowed},
             "PYTHONPATH": f"{root}{os.pathsep}{root / 'tests'}"},
    )  # fmt: skip
    assert done.stdout == "the same on 2 workers\n", done.stderr


# ---- what goes wrong -------------------------------------------------------------------------


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="needs SIGKILL")
def test_a_worker_that_dies_leaves_the_last_good_weights():
    w, b = weights()
    with DataParallel(loss, SHARDS[1:3]) as f:
        minimize(lambda X, y: f(w, b), [w, b], f.batches, SGD([w, b], lr=0.5), 2)
        good = w.data, b.data
        f.loss = dies
        with pytest.raises(BrokenExecutor, match="worker of shard 2 of 2 has died.*last step"):
            minimize(lambda X, y: f(w, b), [w, b], f.batches, SGD([w, b], lr=0.5), 2)
        assert (w.data, b.data) == good
        with pytest.raises(BrokenExecutor, match="shard 2 of 2"):
            f(w, b)
    with DataParallel(loss, SHARDS[1:3]) as f:  # as the message says
        f(w, b).backward()


def test_errors_of_the_loss_arrive():
    with pytest.raises(ValueError, match="DataParallel: the loss must be a scalar Value"):
        DataParallel(not_a_scalar, SHARDS, Here())(*weights())
    with pytest.raises(ValueError, match="inner sizes"):
        DataParallel(not_a_scalar, SHARDS, Here())(Value([1.0]), Value(0.0))


def test_second_derivatives_are_refused_not_wrong():
    f = DataParallel(loss, SHARDS, Here())
    w, b = weights()
    with pytest.raises(TypeError, match="first derivatives alone"):
        hessian(lambda w: f(w, 0.0))(w.data)
    with pytest.raises(TypeError, match="first derivatives alone"):
        minimize(lambda X, y: f(w, b), [w, b], f.batches, Newton([w, b]), 1)


@pytest.mark.parametrize(
    ("shards", "executor", "message"),
    [
        ([], None, "no shards"),
        ([([[1.0], [2.0]], [1.0])], None, "one target a row"),
        ([([[float("nan")]], [1.0])], None, "nan in row 0"),
        (SHARDS, [Here()], "1 executors for 4 shards"),
    ],
)
def test_refuses_what_it_cannot_share_out(shards, executor, message):
    with pytest.raises(ValueError, match=message):
        DataParallel(loss, shards, executor)


def test_the_example_says_what_it_needs_or_runs():
    root = Path(__file__).parents[2]
    done = subprocess.run(
        [sys.executable, root / "examples/cluster.py"], capture_output=True, text=True, timeout=120,
        env={**os.environ, "PYTHONPATH": str(root)},
    )  # fmt: skip
    assert "Traceback" not in done.stderr
    if done.returncode == 0:
        assert "rows on 2 workers" in done.stdout
        assert float(done.stdout.split(" at most")[0].split()[-1]) < 1e-12
    else:
        assert "pip install 'tinygrad_lr[cluster]'" in done.stderr
