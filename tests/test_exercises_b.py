"""The exercises of the second half of the lessons, checked.

    TINYGRAD_LR_ANSWERS=mine.py pytest tests/test_exercises_b.py

checks the functions in your own file; those that it lacks are skipped. Without that variable
the answers below are checked. Do not read on before you have tried!
"""

import ast
import math
import os
import random
import runpy
import subprocess
import sys

import pytest

from tinygrad_lr import (
    Value, cross_entropy, elementwise, exp, grad, gradcheck, log_sigmoid, sigmoid, sin, softmax,
    softplus, where,
)  # fmt: skip
from tinygrad_lr.graph import compile, to_source
from tinygrad_lr.optim import SGD
from tinygrad_lr.registry import OPERATIONS


@pytest.fixture
def answer():
    """name -> the student's function of this name, or ours; new operations are forgotten after."""
    known = dict(OPERATIONS)
    path = os.environ.get("TINYGRAD_LR_ANSWERS")
    theirs = runpy.run_path(path) if path else None

    def find(name):
        if theirs is None:
            return ANSWERS[name]()
        if name not in theirs:
            pytest.skip(f"{path} has no function {name} yet")
        return theirs[name]

    yield find
    OPERATIONS.clear()
    OPERATIONS.update(known)


# ---- the checks --------------------------------------------------------------------------------


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
    owed = answer("backward")(MADE_OF, ["x", "y", "c", "a", "loss"])
    assert owed == {"loss": 1.0, "a": 1.0, "c": 7.0, "x": 14.0, "y": 21.0}


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


def test_18_shares(answer):
    for rows, workers in (569, 2), (569, 4), (3, 3), (10, 4):
        sizes = list(answer("shares")(rows, workers))
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


# ---- the answers -------------------------------------------------------------------------------


def slope_of_chain(links, x):
    slope = 1.0
    for f, slope_of_f in links:
        slope, x = slope * slope_of_f(x), f(x)
    return slope


def paths_to(made_of, node):
    if node not in made_of:
        return 1
    return sum(paths_to(made_of, source) for source, _ in made_of[node])


def backward(made_of, nodes):
    owed = dict.fromkeys(nodes, 0.0) | {nodes[-1]: 1.0}
    for node in reversed(nodes):
        for source, slope in made_of.get(node, []):
            owed[source] += slope * owed[node]
    return owed


def running_mean(numbers):
    mean = 0.0
    for count, number in enumerate(numbers, 1):
        mean += (number - mean) / count
    return mean


def reservoir(rows, k, rng):
    kept = []
    for i, row in enumerate(rows):
        if i < k:
            kept.append(row)
        elif rng.random() < k / (i + 1):
            kept[rng.randrange(k)] = row
    return kept


def rows_in_memory(table_rows, block, blocks):
    return min(table_rows, block * blocks)


def by_hand(w, b, x, y):
    z = w * x + b
    p = 1.0 / (1.0 + math.exp(-z))
    d_p = 2.0 * (p - y)
    d_z = d_p * p * (1.0 - p)
    return (p - y) ** 2, (d_z * x, d_z)


def lines_of(source):
    (function,) = ast.parse(source).body
    computing = ast.Assign, ast.AugAssign, ast.AnnAssign
    return sum(isinstance(line, computing) for line in function.body)


def bottom(f, x, steps):
    both = compile(grad(f), x, argnums=0)
    for _ in range(steps):
        slope, curvature = both(x)
        x -= slope / curvature
    return x


def merged(means, counts):
    return sum(m * n for m, n in zip(means, counts)) / sum(counts)


def shares(rows, workers):
    return [rows // workers + (k < rows % workers) for k in range(workers)]


def speedup(workers, part):
    return 1.0 / (1.0 - part + part / workers)


def momentum_step(w, velocity, g, lr, momentum):
    velocity = [momentum * v + d for v, d in zip(velocity, g)]
    return [x - lr * v for x, v in zip(w, velocity)], velocity


def best_rate(curvatures):
    return 2.0 / (min(curvatures) + max(curvatures))


def steps_of_descent(condition):
    kept = (condition - 1.0) / (condition + 1.0)
    return math.ceil(math.log(1000.0) / -math.log(kept))


def shifted_to_sigmoid(z):
    return z[1] - z[0]


def one_against_rest(rows):
    return [[p / sum(row) for p in row] for row in rows]


def softmax_slope(z, k):
    return [p - (j == k) for j, p in enumerate(softmax(z))]


def log_add(a, b):
    return max(a, b) + math.log1p(math.exp(-abs(a - b)))


def binary_loss(z, y):
    z = -z if y == 1 else z
    return max(z, 0.0) + math.log1p(math.exp(-abs(z)))


def log_odds(log_p):
    return log_p - math.log(-math.expm1(log_p))


def newton_step(w, g, h):
    return w - g / h


def odds_after(p, ratio):
    odds = p / (1.0 - p) * ratio
    return odds / (1.0 + odds)


def rows_needed(n, error, wanted):
    return n * (error / wanted) ** 2


def make_arctan():
    @elementwise(x=lambda g, out, x: g / (1.0 + x * x))
    def arctan(x):
        return math.atan(x)

    return arctan


def make_squared_distance():
    @elementwise(x=lambda g, out, x, y: g * 2 * (x - y), y=lambda g, out, x, y: g * 2 * (y - x))
    def squared_distance(x, y):
        return (x - y) ** 2

    return squared_distance


def make_leaky():
    @elementwise(x=lambda g, out, x: g * where(x > 0.0, 1.0, 0.1))
    def leaky(x):
        return x if x > 0.0 else x / 10.0

    return leaky


ANSWERS = {
    f.__name__: lambda f=f: f
    for f in (
        momentum_step, best_rate, steps_of_descent, shifted_to_sigmoid, one_against_rest,
        softmax_slope, log_add, binary_loss, log_odds, newton_step, odds_after, rows_needed,
        slope_of_chain, paths_to, backward, running_mean, reservoir, rows_in_memory, by_hand,
        lines_of, bottom, merged, shares, speedup,
    )
} | {
    "arctan": make_arctan,
    "squared_distance": make_squared_distance,
    "leaky": make_leaky,
}  # fmt: skip
