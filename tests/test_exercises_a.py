"""The exercises of the first half of the lessons, checked.

    TINYGRAD_LR_ANSWERS=mine.py pytest tests/test_exercises_a.py

checks the functions in your own file; those that it lacks are skipped. Without that variable
the answers below are checked. Do not read on before you have tried!
"""

import math
import os
import runpy

import pytest

from tinygrad_lr import (
    Value, binary_cross_entropy, binary_cross_entropy_with_logits, grad, log_sigmoid,
    mean_squared_error, sigmoid,
)  # fmt: skip
from tinygrad_lr.convexity import smoothness_constant
from tinygrad_lr.data import Batches
from tinygrad_lr.metrics import log_loss
from tinygrad_lr.models import LogisticRegression
from tinygrad_lr.optim import SGD


@pytest.fixture(scope="module")
def answer():
    """name -> the student's function of this name, or ours."""
    path = os.environ.get("TINYGRAD_LR_ANSWERS")
    theirs = runpy.run_path(path) if path else None

    def find(name):
        if theirs is None:
            return globals()[name]
        if name not in theirs:
            pytest.skip(f"{path} has no function {name} yet")
        return theirs[name]

    return find


# ---- the checks --------------------------------------------------------------------------------


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


def test_08_running_mean(answer):
    assert list(answer("running_mean")([4.0, 0.0, 2.0, 6.0])) == pytest.approx([4.0, 2.0, 2.0, 3.0])
    assert list(answer("running_mean")([])) == []


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


# ---- the answers -------------------------------------------------------------------------------


def _sigmoid(z):
    return 1.0 / (1.0 + math.exp(-z))


def slopes(w, b, x, y):
    error = _sigmoid(w * x + b) - y
    return error * x, error


def two_inputs(w1, w2, b, x1, x2, y):
    error = _sigmoid(w1 * x1 + w2 * x2 + b) - y
    return error * x1, error * x2, error


def steps_until_sure(lr):
    w = b = 0.0
    steps = 0
    while _sigmoid(w * 2.0 + b) < 0.95:
        error = _sigmoid(w * 2.0 + b) - 1.0
        w, b, steps = w - lr * error * 2.0, b - lr * error, steps + 1
    return steps


def line_height(w1, w2, b, x1):
    return -(w1 * x1 + b) / w2


def score_for(p):
    return math.log(p / (1.0 - p))


def threshold_for(cost_of_alarm, cost_of_miss):
    return cost_of_alarm / (cost_of_alarm + cost_of_miss)


def typical_probability(loss):
    return math.exp(-loss)


def best_constant(labels):
    return sum(labels) / len(labels)


def lowest_possible(targets):
    cost = lambda q: -q * math.log(q) if q else 0.0
    return sum(cost(q) + cost(1.0 - q) for q in targets) / len(targets)


def line_through(xs, ys):
    x, y = sum(xs) / len(xs), sum(ys) / len(ys)
    slope = sum((a - x) * (b - y) for a, b in zip(xs, ys)) / sum((a - x) ** 2 for a in xs)
    return y - slope * x, slope


def ridge_slope(xs, ys, l2):
    return sum(a * b for a, b in zip(xs, ys)) / (sum(a * a for a in xs) + len(xs) * l2)


def best_logit(share):
    return math.log(share / (1.0 - share))


def curves_down(f, a, b):
    return f((a + b) / 2) > (f(a) + f(b)) / 2


def longest_rate(curvature):
    return 2.0 / curvature


def smoothness(xs):
    return sum(x * x for x in xs) / (4 * len(xs))


def squared_slope(z, y):
    p = _sigmoid(z)
    return 2.0 * (p - y) * p * _sigmoid(-z)


def is_saddle(a, b, c):
    return a * c - b * b < 0.0


def count_valleys(heights):
    return sum(a > b < c for a, b, c in zip(heights, heights[1:], heights[2:]))


def steps_per_epoch(n, batch_size):
    return math.ceil(n / batch_size)


def noise(noise_of_one, batch_size):
    return noise_of_one / math.sqrt(batch_size)


def running_mean(numbers):
    means, total = [], 0.0
    for count, number in enumerate(numbers, 1):
        total += number
        means.append(total / count)
    return means


def expected_loss(p, q):
    return -q * math.log(p) - (1.0 - q) * math.log(1.0 - p)


def reliability_gap(probabilities, labels):
    return abs(sum(probabilities) - sum(labels)) / len(labels)


def cooled(p, T):
    return _sigmoid(math.log(p / (1.0 - p)) / T)


def separates(w, b, X, y):
    scores = [sum(a * c for a, c in zip(w, x)) + b for x in X]
    return all(z > 0.0 if label else z < 0.0 for z, label in zip(scores, y))


def scaled_loss(w, b, X, y, c):
    scores = [c * (sum(a * v for a, v in zip(w, x)) + b) for x in X]
    return sum(math.log1p(math.exp(-z if t else z)) for z, t in zip(scores, y)) / len(y)


def bound_on_weights(l2):
    return math.sqrt(2.0 * math.log(2.0) / l2)
