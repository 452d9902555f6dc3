"""Check the answers to the exercises of the lessons.

    TINYGRAD_LR_ANSWERS=mine.py pytest tests/course/test_exercises.py

checks the functions in your own file and skips the missing ones. Without that variable the tests
check the answers in answers.py.
"""

import math
import os
import random
import runpy
import subprocess
import sys

import answers
import pytest

from tinygrad_lr import (
    Value, binary_cross_entropy, binary_cross_entropy_with_logits, cross_entropy, exp, grad,
    gradcheck, log_sigmoid, mean_squared_error, sigmoid, sin, softmax, softplus,
)  # fmt: skip
from tinygrad_lr.convexity import smoothness_constant
from tinygrad_lr.data import Batches
from tinygrad_lr.graph import to_source
from tinygrad_lr.metrics import log_loss
from tinygrad_lr.models import LogisticRegression
from tinygrad_lr.optim import SGD


@pytest.fixture
def answer(new_operations):
    """A function that finds an answer by name: the student's, or ours."""
    path = os.environ.get("TINYGRAD_LR_ANSWERS")
    theirs = runpy.run_path(path) if path else None

    def find(name):
        if theirs is None:
            make = getattr(answers, f"make_{name}", None)  # an operation, removed after the test
            return make() if make else getattr(answers, name)
        if name not in theirs:
            pytest.skip(f"{path} has no function {name} yet")
        return theirs[name]

    return find


def neuron_loss(z, y):
    return binary_cross_entropy_with_logits(z, float(y))


@pytest.mark.parametrize(
    "w, b, x, y", [(0.5, -2.0, 2.0, 1), (0.5, -2.0, 2.0, 0), (-1.0, 0.3, 4.0, 1)]
)
def test_01_slopes(answer, w, b, x, y):
    by_engine = grad(lambda w, b: neuron_loss(w * x + b, y), (0, 1))(w, b)
    assert answer("slopes")(w, b, x, y) == pytest.approx(by_engine, rel=1e-9)


@pytest.mark.parametrize("y", [0, 1])
def test_01_two_inputs(answer, y):
    f = lambda w1, w2, b: neuron_loss(w1 * 1.5 + w2 * -2.0 + b, y)
    by_engine = grad(f, (0, 1, 2))(0.4, 0.7, -0.1)
    assert answer("two_inputs")(0.4, 0.7, -0.1, 1.5, -2.0, y) == pytest.approx(by_engine, rel=1e-9)


@pytest.mark.parametrize("lr", [0.9, 0.3, 0.1])
def test_01_steps_until_sure(answer, lr):
    w, b, steps = Value(0.0), Value(0.0), 0
    optimizer = SGD([w, b], lr=lr)
    while sigmoid(w.data * 2.0 + b.data) < 0.95:
        optimizer.zero_grad()
        neuron_loss(w * 2.0 + b, 1).backward()
        optimizer.step()
        steps += 1
    assert answer("steps_until_sure")(lr) == steps


def test_02_slope_of_chain(answer):
    links = [
        (lambda x: 3.0 * x, lambda x: 3.0),
        (math.sin, math.cos),
        (math.exp, math.exp),
    ]
    slope = grad(lambda x: exp(sin(3.0 * x)))(0.4)
    assert answer("slope_of_chain")(links, 0.4) == pytest.approx(slope, rel=1e-12)
    assert answer("slope_of_chain")([], 0.4) == 1.0


# loss = c + a, a = c * c, c = 2 * x * y at x = 1.5, y = 1
MADE_OF = {
    "loss": [("c", 1.0), ("a", 1.0)],
    "a": [("c", 3.0), ("c", 3.0)],
    "c": [("x", 2.0), ("y", 3.0)],
}


def test_02_paths_to(answer):
    assert answer("paths_to")(MADE_OF, "loss") == 6
    assert answer("paths_to")(MADE_OF, "x") == 1


def test_02_backward(answer):
    cotangents = answer("backward")(MADE_OF, ["x", "y", "c", "a", "loss"])
    assert cotangents == {"loss": 1.0, "a": 1.0, "c": 7.0, "x": 14.0, "y": 21.0}


@pytest.mark.parametrize("w1, w2, b, x1", [(5.755, 10.447, -45.272, 4.0), (1.0, -2.0, 3.0, 0.0)])
def test_03_line_height(answer, w1, w2, b, x1):
    x2 = answer("line_height")(w1, w2, b, x1)
    assert sigmoid(w1 * x1 + w2 * x2 + b) == pytest.approx(0.5, rel=1e-9)


@pytest.mark.parametrize("p", [0.01, 0.5, 0.7, 0.999])
def test_03_score_for(answer, p):
    assert sigmoid(answer("score_for")(p)) == pytest.approx(p, rel=1e-9)


@pytest.mark.parametrize("alarm, miss", [(1.0, 1.0), (1.0, 9.0), (3.0, 1.0)])
def test_03_threshold_for(answer, alarm, miss):
    t = answer("threshold_for")(alarm, miss)
    for p in t - 0.01, t + 0.01:  # saying 1 costs (1 - p) alarms, saying 0 costs p misses
        assert ((1.0 - p) * alarm < p * miss) == (p > t)


@pytest.mark.parametrize("said", [[0.5, 0.5], [0.9, 0.4, 0.7]])
def test_04_typical_probability(answer, said):
    loss = binary_cross_entropy(said, [1.0] * len(said))
    right = math.prod(said) ** (1.0 / len(said))
    assert answer("typical_probability")(loss) == pytest.approx(right, rel=1e-9)


@pytest.mark.parametrize("labels", [[0, 1, 1, 1], [1, 0, 0, 0, 0], [0, 1]])
def test_04_best_constant(answer, labels):
    best = answer("best_constant")(labels)
    cost = lambda p: log_loss(labels, [p] * len(labels))
    assert cost(best) < min(cost(best - 1e-3), cost(best + 1e-3))


@pytest.mark.parametrize("targets", [[0.7], [0.5, 0.9, 0.2], [0.0, 1.0], [0.0, 0.4]])
def test_04_lowest_possible(answer, targets):
    right = binary_cross_entropy(targets, targets)
    assert answer("lowest_possible")(targets) == pytest.approx(right)


def test_05_line_through(answer):
    xs, ys = [1.0, 2.0, 4.0, 7.0], [2.0, 1.0, 5.0, 6.0]
    line = tuple(answer("line_through")(xs, ys))
    cost = lambda intercept, slope: mean_squared_error(intercept + slope * Value(xs).detach(), ys)
    assert grad(cost, (0, 1))(*line) == pytest.approx((0.0, 0.0), abs=1e-9)


@pytest.mark.parametrize("l2", [0.0, 0.5, 10.0])
def test_05_ridge_slope(answer, l2):
    xs, ys = [1.0, -2.0, 3.0], [2.0, -3.0, 7.0]
    cost = lambda w: mean_squared_error(w * xs, ys) / 2 + l2 / 2 * w**2
    assert grad(cost)(float(answer("ridge_slope")(xs, ys, l2))) == pytest.approx(0.0, abs=1e-9)


@pytest.mark.parametrize("share", [0.1, 0.5, 0.95])
def test_05_best_logit(answer, share):
    slope = grad(lambda b: binary_cross_entropy_with_logits(b, share))
    assert slope(float(answer("best_logit")(share))) == pytest.approx(0.0, abs=1e-12)


def test_06_curves_down(answer):
    shows = answer("curves_down")
    assert shows(math.sin, 0.0, math.pi) and shows(lambda x: -x * x, -1.0, 3.0)
    assert not shows(lambda x: x * x, -1.0, 3.0) and not shows(math.exp, 2.0, -2.0)


@pytest.mark.parametrize("curvature", [0.5, 1.0, 8.0])
def test_06_longest_rate(answer, curvature):
    rate = answer("longest_rate")(curvature)
    for factor, shrinks in (0.99, True), (1.01, False):
        assert (abs(1.0 - factor * rate * curvature) < 1.0) is shrinks


@pytest.mark.parametrize("xs", [[1.0, -2.0, 3.0], [0.5], [4.0, 4.0]])
def test_06_smoothness(answer, xs):
    right = smoothness_constant([[x] for x in xs])
    assert answer("smoothness")(xs) == pytest.approx(right, rel=1e-9)


@pytest.mark.parametrize("z, y", [(1.0, 0), (-2.0, 1), (3.0, 1), (20.0, 0)])
def test_07_squared_slope(answer, z, y):
    right = grad(lambda z: (sigmoid(z) - y) ** 2)(z)
    assert answer("squared_slope")(z, y) == pytest.approx(right, rel=1e-6)


def test_07_is_saddle(answer):
    is_saddle = answer("is_saddle")
    assert is_saddle(1.0, 0.0, -1.0) and is_saddle(1.0, 2.0, 1.0) and is_saddle(0.0, 1.0, 0.0)
    assert not is_saddle(1.0, 0.0, 1.0) and not is_saddle(-1.0, 0.5, -1.0)
    assert not is_saddle(1.0, 1.0, 1.0), "flat in one direction, but down in none"


def test_07_count_valleys(answer):
    count = answer("count_valleys")
    assert count([3, 1, 2, 0, 5]) == 2 and count([4, 2, 1, 2, 4]) == 1
    assert count([1, 2, 3]) == 0 and count([0, 2, 0]) == 0  # the ends have no two neighbours


@pytest.mark.parametrize("n, size", [(427, 32), (64, 32), (5, 1), (5, 8)])
def test_08_steps_per_epoch(answer, n, size):
    batches = Batches([[float(i)] for i in range(n)], [0.0] * n, size)
    assert answer("steps_per_epoch")(n, size) == len(list(batches))


@pytest.mark.parametrize("alone, size", [(2.0, 1), (2.0, 4), (3.0, 100)])
def test_08_noise(answer, alone, size):
    # Variances of independent rows add up: size * alone^2, for the mean divided by size^2.
    assert answer("noise")(alone, size) ** 2 == pytest.approx(size * alone**2 / size**2)


def test_08_running_means(answer):
    means = answer("running_means")([4.0, 0.0, 2.0, 6.0])
    assert list(means) == pytest.approx([4.0, 2.0, 2.0, 3.0])
    assert list(answer("running_means")([])) == []


def test_09_running_mean(answer):
    numbers = [1e9 + v for v in (4.0, 7.0, 13.0, 16.0)]
    assert answer("running_mean")(iter(numbers)) == pytest.approx(1e9 + 10.0, abs=1e-5)


def test_09_reservoir(answer):
    counts = [0] * 10
    for seed in range(2000):
        kept = answer("reservoir")(iter(range(10)), 3, random.Random(seed))
        assert len(kept) == len(set(kept)) == 3
        for row in kept:
            counts[row] += 1
    assert all(abs(count - 600) < 100 for count in counts)  # five standard deviations
    assert sorted(answer("reservoir")(iter(range(2)), 3, random.Random(0))) == [0, 1]


def test_09_rows_in_memory(answer):
    assert answer("rows_in_memory")(10**9, 512, 16) == 8192
    assert answer("rows_in_memory")(100, 512, 16) == 100


def test_10_momentum_step(answer):
    step = answer("momentum_step")
    w = Value([1.0, -2.0])
    optimizer = SGD([w], lr=0.1, momentum=0.9)
    ours, velocity = [1.0, -2.0], [0.0, 0.0]
    for _ in range(4):
        optimizer.zero_grad()
        (w * w * [0.5, 3.0]).sum().backward()
        g = [ours[0], 6.0 * ours[1]]
        ours, velocity = step(ours, velocity, g, 0.1, 0.9)
        optimizer.step()
        assert list(ours) == pytest.approx(w.tolist(), rel=1e-12)


def test_10_best_rate(answer):
    best = answer("best_rate")
    for curvatures in [1.0, 100.0], [2.0, 5.0, 3.0], [4.0]:
        slowest = lambda lr: max(abs(1.0 - lr * c) for c in curvatures)
        lr = best(curvatures)
        assert slowest(lr) <= min(slowest(lr * 0.999), slowest(lr * 1.001)) + 1e-12


@pytest.mark.parametrize("condition", [2.0, 10.0, 100.0])
def test_10_steps_of_descent(answer, condition):
    lr, distance, steps = 2.0 / (1.0 + condition), 1.0, 0
    while distance > 1e-3:
        distance *= abs(1.0 - lr)
        steps += 1
    assert abs(answer("steps_of_descent")(condition) - steps) <= 1


@pytest.mark.parametrize("p, share", [(0.8, 0.8), (0.99, 0.8), (0.25, 0.5)])
def test_11_expected_loss(answer, p, share):
    right = binary_cross_entropy(p, share)
    assert answer("expected_loss")(p, share) == pytest.approx(right, rel=1e-9)


def test_11_reliability_gap(answer):
    gap = answer("reliability_gap")
    assert gap([0.7, 0.9], [1, 0]) == pytest.approx(0.3)
    assert gap([0.2, 0.2, 0.2, 0.2], [0, 1, 1, 0]) == pytest.approx(0.3)  # a distance: no sign


@pytest.mark.parametrize("z, T", [(3.0, 2.0), (-4.0, 5.0), (1.0, 1.0), (2.0, 0.5)])
def test_11_cooled(answer, z, T):
    assert answer("cooled")(sigmoid(z), T) == pytest.approx(sigmoid(z / T), rel=1e-9)


def test_12_shifted_to_sigmoid(answer):
    for z in [0.0, 0.0], [3.0, -1.0], [-2.0, 5.5]:
        assert sigmoid(answer("shifted_to_sigmoid")(z)) == pytest.approx(softmax(z)[1], rel=1e-12)


def test_12_one_against_rest(answer):
    rows = [[0.9, 0.6, 0.1], [0.05, 0.01, 0.02]]
    for before, after in zip(rows, answer("one_against_rest")(rows)):
        after = list(after)
        assert sum(after) == pytest.approx(1.0)
        assert after.index(max(after)) == before.index(max(before))
        assert after[0] / after[1] == pytest.approx(before[0] / before[1])


def test_12_softmax_slope(answer):
    z = [1.0, -0.5, 2.0]
    for k in range(3):
        by_engine = grad(lambda scores: cross_entropy(scores, k))(z)
        assert list(answer("softmax_slope")(z, k)) == pytest.approx(by_engine.tolist(), rel=1e-9)


def test_13_separates(answer):
    separates = answer("separates")
    X, y = [[0.0, 1.0], [1.0, 0.0], [3.0, 3.0]], [0, 0, 1]
    assert separates([1.0, 1.0], -4.0, X, y)
    assert not separates([1.0, 1.0], -0.5, X, y) and not separates([-1.0, -1.0], 4.0, X, y)
    assert not separates([1.0, 1.0], -1.0, X, y), "z = 0 is on neither side"


@pytest.mark.parametrize("c", [0.0, 1.0, 10.0])
def test_13_scaled_loss(answer, c):
    X, y = [[0.0, 1.0], [1.0, 0.0], [3.0, 3.0]], [0, 0, 1]
    scores = [c * (a + b - 4.0) for a, b in X]
    right = -sum(log_sigmoid(s if t else -s) for s, t in zip(scores, y)) / 3
    assert answer("scaled_loss")([1.0, 1.0], -4.0, X, y, c) == pytest.approx(right, rel=1e-9)


@pytest.mark.parametrize("l2", [0.01, 0.1, 2.0])
def test_13_bound_on_weights(answer, l2):
    bound = answer("bound_on_weights")(l2)
    assert l2 / 2 * bound**2 == pytest.approx(math.log(2.0), rel=1e-9)
    settings = {"optimizer": "LBFGS", "batch_size": None, "epochs": 20, "tol": 1e-8}
    model = LogisticRegression(l2=l2, **settings).fit([[-50.0], [50.0]], [0, 1])
    assert abs(model.coef_[0]) < bound


def test_14_log_add(answer):
    for a, b in (1000.0, 1000.0), (-1000.0, -1000.0), (-3.0, 800.0), (0.0, -2.0):
        larger = max(a, b)
        right = larger + math.log1p(math.exp(min(a, b) - larger))
        assert answer("log_add")(a, b) == pytest.approx(right, rel=1e-12)


def test_14_binary_loss(answer):
    for z in (-1000.0, -700.0, -40.0, -1.0, 0.0, 2.0, 37.0, 745.0, 1000.0):
        for y in 0, 1:
            right = softplus(-z if y else z)
            assert answer("binary_loss")(z, y) == pytest.approx(right, rel=1e-12, abs=0.0)


def test_14_log_odds(answer):
    for z in (-700.0, -36.0, -1.0, 0.5, 20.0, 50.0, 700.0):
        assert answer("log_odds")(log_sigmoid(z)) == pytest.approx(z, rel=1e-9)


def test_15_newton_step(answer):
    step = answer("newton_step")
    assert step(3.0, 2.0 * (3.0 - 5.0), 2.0) == pytest.approx(5.0)  # (w - 5)^2: one step
    w = 0.5
    for _ in range(6):  # 3 w - log w, whose bottom is at 1/3
        w = step(w, 3.0 - 1.0 / w, 1.0 / w**2)
    assert w == pytest.approx(1.0 / 3.0, rel=1e-9)


def test_15_odds_after(answer):
    assert answer("odds_after")(0.5, 3.0) == pytest.approx(0.75)
    assert answer("odds_after")(0.2, 1.0) == pytest.approx(0.2)
    assert answer("odds_after")(0.9, 1.0 / 9.0) == pytest.approx(0.5)


def test_15_rows_needed(answer):
    assert answer("rows_needed")(100, 0.5, 0.25) == pytest.approx(400)
    assert answer("rows_needed")(569, 0.3, 0.3) == pytest.approx(569)


@pytest.mark.parametrize("x, y", [(3.0, 1.0), (-1.0, 0.0)])
def test_16_by_hand(answer, x, y):
    def squared(w, b):
        return (sigmoid(w * x + b) - y) ** 2

    value, slopes = answer("by_hand")(0.5, -1.0, x, y)
    assert value == pytest.approx(squared(0.5, -1.0), rel=1e-12)
    assert slopes == pytest.approx(grad(squared, (0, 1))(0.5, -1.0), rel=1e-9)


def test_16_lines_of(answer):
    body = '    """f."""\n    # twice\n\n    y = x * x\n    z = (y +\n    x)\n    return z'
    text = "def f(x):\n" + body
    assert answer("lines_of")(text) == 2
    long = to_source(lambda x: sin(sin(sin(sin(x)))), 1.0)
    short = to_source(lambda x: sin(sin(x)), 1.0)
    count = lambda text: answer("lines_of")(text[text.index("def f") :])
    assert 2 < count(short) < count(long) <= 2 * count(short) + 2


def test_16_bottom(answer):
    f = lambda x: exp(x) - 2.0 * x
    assert answer("bottom")(f, 0.0, 8) == pytest.approx(math.log(2.0), rel=1e-12)


def test_17_arctan(answer):
    arctan = answer("arctan")
    assert arctan(1.0) == pytest.approx(math.pi / 4)
    assert gradcheck(arctan, [0.3, -2.0, 0.0])


def test_17_squared_distance(answer):
    squared_distance = answer("squared_distance")
    assert squared_distance(5.0, 2.0) == pytest.approx(9.0)
    assert gradcheck(squared_distance, [0.3, -2.0], 0.7)
    assert squared_distance(Value(5.0), 2.0).operation is not None
    assert len(squared_distance(Value(5.0), 2.0).inputs) == 2, "one operation, not several"


def test_17_leaky(answer):
    leaky = answer("leaky")
    assert [leaky(3.0), leaky(-3.0)] == pytest.approx([3.0, -0.3])
    assert gradcheck(leaky, [2.0, -1.0])
    with pytest.raises(AssertionError, match="kink"):
        gradcheck(leaky, 0.0)


def test_18_merged(answer):
    numbers = [1.0, 2.0, 4.0, 9.0, 5.0]
    means = [sum(numbers[:2]) / 2, sum(numbers[2:]) / 3]
    assert answer("merged")(means, [2, 3]) == pytest.approx(sum(numbers) / 5)


def test_18_shard_sizes(answer):
    for rows, workers in (569, 2), (569, 4), (3, 3), (10, 4):
        sizes = list(answer("shard_sizes")(rows, workers))
        assert len(sizes) == workers and sum(sizes) == rows and max(sizes) - min(sizes) <= 1


def test_18_speedup(answer):
    assert answer("speedup")(2, 1.0) == pytest.approx(2.0)
    assert answer("speedup")(8, 0.0) == pytest.approx(1.0)
    assert answer("speedup")(1000, 0.9) == pytest.approx(1.0 / (0.1 + 0.9 / 1000))


def test_a_students_file_is_read(tmp_path):
    mine = tmp_path / "mine.py"
    mine.write_text(
        "def shifted_to_sigmoid(z):\n    return z[0] - z[1]\n"  # the wrong way round
        "def one_against_rest(rows):\n    return [[p / sum(row) for p in row] for row in rows]\n"
    )
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-k", "test_12", __file__],
        capture_output=True,
        text=True,
        env={**os.environ, "TINYGRAD_LR_ANSWERS": str(mine)},
    )
    assert "1 failed, 1 passed, 1 skipped" in done.stdout
    assert "test_12_shifted_to_sigmoid" in done.stdout
