"""Threads and asyncio tasks: none disturbs another, whatever its mode and whoever comes first."""

import asyncio
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from tinygrad_lr import Value, detect_anomaly, exp, grad, hessian, no_grad
from tinygrad_lr.data import StandardScaler, load_breast_cancer, load_iris
from tinygrad_lr.graph import compile, to_source
from tinygrad_lr.models import LogisticRegression, SoftmaxRegression
from tinygrad_lr.core.modes import Mode, current_mode


@pytest.fixture(autouse=True)
def switch_often():
    """Threads take turns every few operations, not every 5 ms."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(before)


def at_once(*tasks):
    """The results of tasks that are started together, each in a thread of its own."""
    barrier = threading.Barrier(len(tasks))

    def begin(task):
        barrier.wait(10)
        return task()

    with ThreadPoolExecutor(len(tasks)) as executor:
        return [future.result() for future in [executor.submit(begin, task) for task in tasks]]


# ---- the same numbers as one after the other --------------------------------------------------


def learned(model, data, **settings):
    X = StandardScaler().fit_transform(data.X)
    model = model(**settings).fit(X, data.y)
    return model.coef_, model.intercept_, model.history_


def trainings():
    cancer, iris = load_breast_cancer(), load_iris()
    settings = {"optimizer": "LBFGS", "batch_size": None, "l2": 0.01}
    return [
        lambda: learned(LogisticRegression, cancer, epochs=3, optimizer="Adam"),
        lambda: learned(SoftmaxRegression, iris, epochs=5, batch_size=8),
        lambda: learned(SoftmaxRegression, iris, epochs=5, **settings),
    ]


def test_models_that_learn_at_once_learn_what_each_learns_alone():
    alone = [train() for train in trainings()]
    assert at_once(*trainings()) == alone  # bit for bit


def test_models_that_learn_at_once_from_the_same_rows():
    iris = load_iris()  # one Array, whose rows and columns are cut when first needed
    train = lambda: learned(SoftmaxRegression, iris, epochs=2)
    assert at_once(*[train] * 4) == [learned(SoftmaxRegression, load_iris(), epochs=2)] * 4


def test_every_thread_has_its_own_graph_of_a_shared_constant():
    x = Value([0.5, -0.25], label="shared")

    def slopes(a):
        found = []
        for _ in range(200):
            w = Value(a)
            (exp(x.detach() * w) * w).sum().backward()
            found.append(w.grad)
        return found

    alone = [slopes(0.5), slopes(-1.5)]
    assert at_once(lambda: slopes(0.5), lambda: slopes(-1.5)) == alone
    assert len({slope for found in alone for slope in found}) == 2 and x.grad is None


def test_derivatives_and_sources_made_at_once():
    def f(x):
        return (exp(x) * x).sum()

    def derivatives():
        return grad(f)([0.3, 0.7]), hessian(f)([0.3, 0.7]), compile(f, [0.3, 0.7])([0.3, 0.7])

    expected = derivatives(), to_source(f, [0.3, 0.7])
    found = at_once(*[lambda: [derivatives() for _ in range(10)]] * 3)
    assert all(one == expected[0] for many in found for one in many)
    assert at_once(*[lambda: to_source(f, [0.3, 0.7])] * 3) == [expected[1]] * 3


def test_serial_numbers_are_never_given_twice():
    births = at_once(*[lambda: [Value(0.0).born for _ in range(2000)]] * 4)
    assert len({born for many in births for born in many}) == 8000
    assert all(many == sorted(many) for many in births)


# ---- modes ------------------------------------------------------------------------------------


def made_by():
    """The operation that is remembered; None under no_grad."""
    return (Value(2.0) * 3.0).operation


def overflows():
    """Whether a number that is not finite is an error."""
    try:
        exp(Value(1000.0))
    except FloatingPointError:
        return True
    return False


MODES = [(no_grad, lambda: made_by() is None), (detect_anomaly, overflows)]


@pytest.mark.parametrize(("switch", "is_on"), MODES)
def test_a_mode_holds_in_the_thread_that_set_it(switch, is_on):
    inside, done = threading.Event(), threading.Event()

    def with_mode():
        with switch():
            inside.set()
            assert done.wait(10)
            return is_on()

    def without():
        assert inside.wait(10)
        try:
            return is_on(), current_mode()
        finally:
            done.set()

    assert at_once(with_mode, without) == [True, (False, Mode())]
    assert not is_on()


@pytest.mark.parametrize(("switch", "is_on"), MODES)
def test_a_new_thread_starts_without_the_modes_of_the_one_that_made_it(switch, is_on):
    with switch():
        assert at_once(is_on) == [False] and is_on()


@pytest.mark.parametrize(("switch", "is_on"), MODES)
def test_tasks_that_take_turns_have_their_own_modes(switch, is_on):
    async def with_mode(log):
        with switch():
            for _ in range(3):
                log.append(("with", is_on()))
                await asyncio.sleep(0)

    async def without(log):
        for _ in range(3):
            log.append(("without", is_on()))
            await asyncio.sleep(0)

    async def both():
        log = []
        await asyncio.gather(with_mode(log), without(log))
        return log

    assert asyncio.run(both()) == [("with", True), ("without", False)] * 3
    assert not is_on()


def test_a_task_starts_in_the_mode_of_the_one_that_made_it_and_keeps_its_own():
    async def inner():
        assert made_by() is None
        with detect_anomaly():
            await asyncio.sleep(0)
            return overflows()

    async def outer():
        with no_grad():
            task = asyncio.create_task(inner())
        assert made_by() is not None
        return await task, overflows()

    assert asyncio.run(outer()) == (True, False)


def test_a_decorated_function_called_at_once():
    @no_grad()
    def scores():
        return [made_by() for _ in range(500)]

    def training():
        return [made_by().name for _ in range(500)]

    found = at_once(scores, training, scores)
    assert found == [[None] * 500, ["multiply"] * 500, [None] * 500]


def test_a_mode_ends_when_its_block_raises():
    def fails():
        with pytest.raises(ZeroDivisionError), no_grad(), detect_anomaly():
            raise ZeroDivisionError
        return current_mode()

    assert at_once(fails, fails) == [Mode(), Mode()]
