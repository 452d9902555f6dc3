"""Curvature against exact and random matrices, separability against elimination in fractions."""

import csv
import itertools
import math
import random
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tinygrad_lr import convexity
from tinygrad_lr.core.array import Array, matmul
from tinygrad_lr.convexity import (
    is_linearly_separable,
    is_positive_semidefinite,
    largest_eigenvalue,
    safe_learning_rate,
    smoothness_constant,
)
from tinygrad_lr.core.numerics import sigmoid, softplus

TABLES = Path(convexity.__file__).parent / "data" / "tables"


def gaussian(rng, n, d):
    return [[rng.gauss(0.0, 1.0) for _ in range(d)] for _ in range(n)]


def product(*matrices):
    result = Array(matrices[0])
    for m in matrices[1:]:
        result = matmul(result, Array(m))
    return result


def rotation(rng, d):
    """An orthogonal matrix: reflections at random planes, one after the other."""
    q = [[float(i == j) for j in range(d)] for i in range(d)]
    for _ in range(d):
        v = [rng.gauss(0.0, 1.0) for _ in range(d)]
        square = sum(x * x for x in v)
        reflection = [[(i == j) - 2 * v[i] * v[j] / square for j in range(d)] for i in range(d)]
        q = product(q, reflection)
    return q


def with_eigenvalues(rng, eigenvalues):
    d = len(eigenvalues)
    q = rotation(rng, d)
    diagonal = [[eigenvalues[i] * (i == j) for j in range(d)] for i in range(d)]
    m = product(q, diagonal, q.T)
    return (m + m.T) / 2.0


def table(name):
    with open(TABLES / f"{name}.csv", newline="", encoding="ascii") as file:
        rows = list(csv.reader(file))[1:]
    return [list(map(float, row[:-1])) for row in rows], [int(row[-1]) for row in rows]


def standardised(X):
    columns = []
    for values in zip(*X):
        mean = math.fsum(values) / len(values)
        scale = math.sqrt(math.fsum((v - mean) ** 2 for v in values) / len(values))
        columns.append([(v - mean) / scale for v in values])
    return [list(row) for row in zip(*columns)]


# ---- positive semidefinite -----------------------------------------------------------------


def determinant(m):
    """By Leibniz's formula, exact for fractions."""
    total = 0
    for order in itertools.permutations(range(len(m))):
        swaps = sum(a > b for a, b in itertools.combinations(order, 2))
        total += (-1) ** swaps * math.prod(m[i][j] for i, j in enumerate(order))
    return total


def sylvester(m):
    """All principal minors >= 0: the definition of textbooks, exponentially slow."""
    places = range(len(m))
    subsets = (s for k in places for s in itertools.combinations(places, k + 1))
    return all(determinant([[m[i][j] for j in s] for i in s]) >= 0 for s in subsets)


@st.composite
def symmetric_integers(draw):
    d = draw(st.integers(1, 4))
    m = [[0] * d for _ in range(d)]
    for i in range(d):
        for j in range(i + 1):
            m[i][j] = m[j][i] = draw(st.integers(-1 if i != j else 0, 2))
    return m


@settings(max_examples=300)
@given(symmetric_integers())
def test_definiteness_by_minors(m):
    assert is_positive_semidefinite(m) == sylvester(m)


@given(st.integers(0, 10**6), st.integers(1, 8), st.integers(1, 8))
def test_gram_matrices_are_positive_semidefinite(seed, n, d):
    x = Array(gaussian(random.Random(seed), n, d))
    assert is_positive_semidefinite(matmul(x.T, x))  # singular if n < d
    assert is_positive_semidefinite(matmul(x.T, x) * 1e-200)
    assert is_positive_semidefinite(matmul(x.T, x) * 1e200)


@pytest.mark.parametrize("scale", [1e-150, 1.0, 1e150])
@pytest.mark.parametrize("lowest", [-1e-3, -1e-6, 0.0, 1e-6])
@pytest.mark.parametrize("d", [2, 5, 12])
def test_definiteness_by_eigenvalues(d, lowest, scale):
    m = with_eigenvalues(random.Random(d), [lowest, *(1.0 + k for k in range(d - 1))]) * scale
    assert is_positive_semidefinite(m) == (lowest >= 0.0)


def test_definiteness_of_small_ones():
    assert is_positive_semidefinite([[0.0]]) and is_positive_semidefinite(0.0)
    assert is_positive_semidefinite(2.0) and not is_positive_semidefinite(-1e-300)
    assert not is_positive_semidefinite([[0, 1], [1, 0]])  # a saddle with nothing on the diagonal
    assert not is_positive_semidefinite([[0, 1e-3], [1e-3, 1]])
    assert not is_positive_semidefinite([[-1, 0], [0, 1]])
    # Entries that are too large for their diagonal must not grow on into inf - inf.
    a = -1e200
    assert not is_positive_semidefinite([[0, a, a, a], [a, 3, 0, 2], [a, 0, 3, 1], [a, 2, 1, 2]])


def test_tolerance_is_relative_to_the_diagonal():
    m = [[1.0, 0.0], [0.0, -1e-6]]
    assert not is_positive_semidefinite(m)
    assert is_positive_semidefinite(m, tolerance=1e-5)


# ---- the largest eigenvalue ----------------------------------------------------------------


@pytest.mark.parametrize(
    "eigenvalues",
    [
        [3.0],
        [1.0, 2.0],
        [5.0, 5.0, 1.0],
        [1.0, 1.0 - 1e-7, 0.5, 0.0],  # too close for power iteration
        [0.0, 0.0, 1e-3, 1e3],
        [-10.0, 1.0, 2.0],  # the largest, not the largest in size
        [-3.0, -2.0, -1.0],
        [-1.0, 1.0],
    ],
)
@pytest.mark.parametrize("seed", range(3))
def test_known_eigenvalues(eigenvalues, seed):
    m = with_eigenvalues(random.Random(seed), eigenvalues)
    size = max(map(abs, eigenvalues))
    assert largest_eigenvalue(m) == pytest.approx(max(eigenvalues), rel=0, abs=5e-10 * size)


@pytest.mark.parametrize("max_steps", [0, 1, 3])
def test_few_steps_are_enough_because_the_bound_is_tested(max_steps):
    m = with_eigenvalues(random.Random(9), [4.0, 3.99, -1.0, 0.5])
    assert largest_eigenvalue(m, max_steps=max_steps) == pytest.approx(4.0, abs=1e-8)


@pytest.mark.parametrize("d", range(2, 7))
def test_no_start_is_unlucky(d):
    """A matrix whose top eigenvector is orthogonal to the start of the power iteration."""
    golden = (1 + math.sqrt(5)) / 2
    start = [1.0 + (k * golden) % 1.0 for k in range(d)]
    top = [start[1], -start[0], *[0.0] * (d - 2)]
    square = sum(v * v for v in top)
    m = [[0.5 * (i == j) + top[i] * top[j] / square for j in range(d)] for i in range(d)]
    assert largest_eigenvalue(m) == pytest.approx(1.5, rel=1e-9)


@given(st.integers(0, 10**6), st.integers(1, 6))
def test_never_below_a_rayleigh_quotient(seed, d):
    rng = random.Random(seed)
    a = Array(gaussian(rng, d, d))
    m = a + a.T
    value = largest_eigenvalue(m)
    for v in gaussian(rng, 20, d):
        quotient = matmul(Array(v), matmul(m, Array(v))) / sum(x * x for x in v)
        assert quotient <= value + 1e-8
    assert is_positive_semidefinite(  # and it is reached: value - 1e-8 is no bound
        [[(value + 1e-8) * (i == j) - x for j, x in enumerate(row)] for i, row in enumerate(m.rows)]
    )
    assert not is_positive_semidefinite(
        [[(value - 1e-6) * (i == j) - x for j, x in enumerate(row)] for i, row in enumerate(m.rows)]
    )


def test_eigenvalues_of_small_ones():
    assert largest_eigenvalue([[0, 0], [0, 0]]) == 0.0
    assert largest_eigenvalue(7.0) == 7.0
    assert largest_eigenvalue([[1, -1], [-1, 1]]) == pytest.approx(2.0)  # all ones are orthogonal
    assert largest_eigenvalue([[2, 1], [1, 2]], tolerance=0.0) == pytest.approx(3.0)
    assert largest_eigenvalue([[1e200, 0], [0, 1e-200]]) == 1e200


@pytest.mark.parametrize("f", [is_positive_semidefinite, largest_eigenvalue])
@pytest.mark.parametrize(
    ("matrix", "message"),
    [
        ([[1, 2, 3], [4, 5, 6]], r"shape \(2, 3\) is not square"),
        ([1, 2], r"shape \(2,\) is not square"),
        ([], r"shape \(0,\) is not square"),
        ([[1, 2], [3, 1]], r"not symmetric, \[0, 1\] is 2 and \[1, 0\] is 3.*\(M \+ M'\) / 2"),
        ([[1, math.nan], [math.nan, 1]], r"nan at \[0, 1\]"),
        ([[math.inf]], r"inf at \[0, 0\]"),
        ([[1e308, 1e308], [1e308, 1e308]], "too large to be added up; divide"),
    ],
)
def test_errors_of_matrices(f, matrix, message):
    with pytest.raises(ValueError, match=f"^{f.__name__}: .*{message}"):
        f(matrix)


# ---- smoothness and the safe step ----------------------------------------------------------


def loss(X, y, w, l2=0.0):
    """Mean binary cross-entropy, written without the library's losses."""
    scores = [sum(map(float.__mul__, x, w)) for x in X]
    costs = [softplus(-z if t else z) for z, t in zip(scores, y)]
    return math.fsum(costs) / len(y) + l2 / 2 * sum(v * v for v in w)


def gradient(X, y, w, l2=0.0):
    errors = [sigmoid(sum(map(float.__mul__, x, w))) - t for x, t in zip(X, y)]
    sums = [math.fsum(map(float.__mul__, errors, column)) for column in zip(*X)]
    return [s / len(y) + l2 * v for s, v in zip(sums, w)]


def descend(X, y, w, rate, steps, l2=0.0):
    path = [w]
    for _ in range(steps):
        g = gradient(X, y, path[-1], l2)
        path.append([v - rate * u for v, u in zip(path[-1], g)])
    return path


def test_smoothness_by_hand():
    assert smoothness_constant([[3.0], [-1.0]]) == pytest.approx(10 / 8)
    assert smoothness_constant([[3.0], [-1.0]], l2=0.5) == pytest.approx(10 / 8 + 0.5)
    assert smoothness_constant([[3.0, 1.0], [-1.0, 1.0]]) == pytest.approx(
        smoothness_constant([[3.0], [-1.0]], intercept=True)
    )
    assert safe_learning_rate([[3.0], [-1.0]], l2=0.5) == pytest.approx(1 / 1.75)


@given(st.integers(0, 10**6), st.integers(1, 6), st.integers(1, 6))
def test_curvature_never_exceeds_the_constant_and_reaches_it_at_zero(seed, n, d):
    x = Array(gaussian(random.Random(seed), n, d))
    L = smoothness_constant(x)
    assert largest_eigenvalue(matmul(x.T, x) / (4.0 * n)) == pytest.approx(L, rel=1e-8)
    p = [sigmoid(v) for v in matmul(x, Array(gaussian(random.Random(seed + 1), 1, d)[0])).flat]
    weighted = Array([[v * q * (1 - q) / n for v in row] for row, q in zip(x.rows, p)])
    assert largest_eigenvalue(matmul(x.T, weighted)) <= L * (1 + 1e-8)


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("l2", [0.0, 0.1])
def test_a_safe_step_always_descends_enough(seed, l2):
    rng = random.Random(seed)
    X = [[v * 10.0 for v in row] + [1.0] for row in gaussian(rng, 12, 3)]
    y = [rng.randrange(2) for _ in X]
    rate = safe_learning_rate([row[:-1] for row in X], l2=l2, intercept=True)
    path = descend(X, y, gaussian(rng, 1, 4)[0], rate, 30, l2)
    for before, after in itertools.pairwise(path):
        promised = rate / 2 * sum(g * g for g in gradient(X, y, before, l2))
        assert loss(X, y, after, l2) <= loss(X, y, before, l2) - promised + 1e-12


def test_the_constant_is_sharp():
    """Each x with both labels: the minimum is w = 0, where the curvature is L."""
    X, y = [[2.0], [2.0], [1.0], [1.0]], [0, 1, 0, 1]
    rate = safe_learning_rate(X)
    start = [0.01]
    assert abs(descend(X, y, start, 1.9 * rate, 40)[-1][0]) < 1e-3
    far = descend(X, y, start, 2.1 * rate, 40)
    assert loss(X, y, far[1]) > loss(X, y, far[0]) and abs(far[-1][0]) > 0.1


@pytest.mark.parametrize("f", [smoothness_constant, safe_learning_rate])
@pytest.mark.parametrize(
    ("X", "options", "message"),
    [
        ([1.0, 2.0], {}, r"X has shape \(2,\) and needs \(rows, .*one feature is \[\[x1\]"),
        (1.0, {}, r"X has shape \(\)"),
        ([], {}, r"X has shape \(0,\)"),
        ([[]], {}, r"X of shape \(1, 0\) is empty"),
        ([[1.0, 2.0], [math.nan, 0.0]], {}, r"X has nan at \[1, 0\]"),
        ([[1.0]], {"l2": -1.0}, "l2 is -1.0"),
        ([[1.0]], {"l2": math.nan}, "l2 is nan"),
    ],
)
def test_errors_of_features(f, X, options, message):
    with pytest.raises(ValueError, match=f"^{f.__name__}: .*{message}"):
        f(X, **options)


def test_zeros_have_no_largest_safe_step():
    assert smoothness_constant([[0.0], [0.0]]) == 0.0
    assert safe_learning_rate([[0.0], [0.0]], intercept=True) == pytest.approx(4.0)
    with pytest.raises(ValueError, match="all zeros.*intercept=True"):
        safe_learning_rate([[0.0], [0.0]])


# ---- separability: named cases ---------------------------------------------------------------


def separable(X, y):
    """(complete, complete or quasi-complete)"""
    return is_linearly_separable(X, y), is_linearly_separable(X, y, strict=False)


NEITHER, QUASI, BOTH = (False, False), (False, True), (True, True)
SQUARE = [[0, 0], [0, 1], [1, 0], [1, 1]]

CASES = {
    "xor": (SQUARE, [0, 1, 1, 0], NEITHER),
    "and": (SQUARE, [0, 0, 0, 1], BOTH),
    "or": (SQUARE, [0, 1, 1, 1], BOTH),
    "one feature, a gap": ([[0], [1], [2], [3]], [0, 0, 1, 1], BOTH),
    "one feature, touching": ([[0], [1], [1], [2]], [0, 0, 1, 1], QUASI),
    "one feature, overlapping": ([[0], [2], [1], [3]], [0, 0, 1, 1], NEITHER),
    "touching at an end": ([[0], [1], [1]], [0, 0, 1], QUASI),
    "one point, both labels": ([[1], [1]], [0, 1], NEITHER),
    "the same points, both labels": ([[1], [1], [2], [2]], [0, 1, 0, 1], NEITHER),
    "on a line": ([[0, 0], [1, 1], [2, 2], [3, 3]], [0, 0, 1, 1], BOTH),
    "on a line, touching": ([[0, 0], [1, 1], [1, 1], [3, 3]], [0, 0, 1, 1], QUASI),
    "on a line, overlapping": ([[0, 0], [2, 2], [1, 1], [3, 3]], [0, 0, 1, 1], NEITHER),
    "overlapping on a line, the rest beside it": (
        [[0, 0], [2, 0], [1, 0], [3, 0], [0, 1], [5, -1]], [0, 0, 1, 1, 1, 0], QUASI,
    ),
    "overlapping on a line, the rest on both sides": (
        [[0, 0], [2, 0], [1, 0], [3, 0], [0, 1], [0, -1]], [0, 0, 1, 1, 1, 1], NEITHER,
    ),
    "a corner of each touches": ([[0, 0], [1, 0], [1, 0], [2, 5]], [0, 0, 1, 1], QUASI),
    "only ones": ([[1, 2], [3, 4]], [1, 1], BOTH),
    "only zeros": ([[1, 2], [1, 2]], [0, 0], BOTH),
    "one row": ([[5]], [1], BOTH),
    "a feature without variation": ([[7, 0], [7, 1]], [0, 1], BOTH),
    "a gap far from zero": ([[1e9], [1e9 + 1], [1e9 + 2]], [0, 0, 1], BOTH),
    "a gap of one float": ([[0], [0.3], [0.1 + 0.2], [1]], [0, 0, 1, 1], BOTH),
    "an overlap of one float": ([[0], [0.1 + 0.2], [0.3], [1]], [0, 0, 1, 1], NEITHER),
    "largest and smallest floats": ([[1e308], [-1e308], [5e-324], [0]], [1, 0, 1, 0], BOTH),
    "between them": ([[1e308], [-1e308], [5e-324], [0]], [1, 0, 0, 1], NEITHER),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_named_cases(name):
    X, y, expected = CASES[name]
    assert separable(X, y) == expected


@pytest.mark.parametrize("name", CASES)
def test_fractions_alone_find_the_same(name, monkeypatch):
    """Without a proposal of the floats, and with a useless one."""
    X, y, expected = CASES[name]
    solve = convexity._simplex
    proposals = [lambda n, m: [n + k for k in range(m)], lambda n, m: [k % n for k in range(m)]]
    for propose in proposals:

        def without_floats(columns, target, proposal, number, propose=propose):
            if number is float:
                return propose(len(columns), len(target)), math.nan
            return solve(columns, target, proposal, number)

        monkeypatch.setattr(convexity, "_simplex", without_floats)
        assert separable(X, y) == expected


# ---- separability: oracles -------------------------------------------------------------------


def feasible(inequalities):
    """Whether some w has c.w >= b for all (c, b): elimination by Fourier and Motzkin.

    Every pair of a lower and an upper bound of the first coordinate leaves an inequality
    about the others. Exact for integers and exponentially slow.
    """
    while inequalities[0][0]:
        lower = [(c, b) for c, b in inequalities if c[0] > 0]
        upper = [(c, b) for c, b in inequalities if c[0] < 0]
        left = {(c[1:], b) for c, b in inequalities if c[0] == 0}
        for (c, b), (e, f) in itertools.product(lower, upper):
            mixed = [-e[0] * u + c[0] * v for u, v in zip(c[1:] + (b,), e[1:] + (f,))]
            divisor = math.gcd(*mixed) or 1
            left.add((tuple(v // divisor for v in mixed[:-1]), mixed[-1] // divisor))
        inequalities = list(left)
        if not inequalities:
            return True
    return all(b <= 0 for _, b in inequalities)


def by_elimination(X, y):
    a = [tuple((1 if t else -1) * v for v in (*x, 1)) for x, t in zip(X, y)]
    total = tuple(map(sum, zip(*a)))
    return feasible([(r, 1) for r in a]), feasible([(total, 1), *((r, 0) for r in a)])


@st.composite
def integer_points(draw):
    d = draw(st.integers(1, 2))
    point = st.lists(st.integers(-2, 2), min_size=d, max_size=d)
    rows = draw(st.lists(st.tuples(point, st.integers(0, 1)), min_size=1, max_size=7))
    return [x for x, _ in rows], [t for _, t in rows]


@settings(max_examples=300, deadline=None)
@given(integer_points())
def test_separability_by_elimination(data):
    assert separable(*data) == by_elimination(*data)


@settings(deadline=None)
@given(st.lists(st.tuples(st.floats(-1e3, 1e3), st.integers(0, 1)), min_size=1, max_size=12))
def test_separability_of_one_feature_by_sorting(rows):
    zeros, ones = ([x for x, t in rows if t == label] for label in (0, 1))
    X, y = [[x] for x, _ in rows], [t for _, t in rows]
    if not zeros or not ones:
        expected = BOTH
    else:
        gaps = min(ones) - max(zeros), min(zeros) - max(ones)
        touching = max(gaps) == 0 and len({x for x, _ in rows}) > 1
        expected = BOTH if max(gaps) > 0 else QUASI if touching else NEITHER
    assert separable(X, y) == expected


@settings(max_examples=50, deadline=None)
@given(integer_points(), st.randoms(use_true_random=False))
def test_what_separability_does_not_depend_on(data, rng):
    X, y = data
    expected = separable(X, y)
    order = rng.sample(range(len(y)), len(y))
    assert separable([X[i] for i in order], [y[i] for i in order]) == expected
    assert separable(X, [1 - t for t in y]) == expected
    assert separable([[3 * v - 7 for v in x] for x in X], y) == expected
    assert separable([[*x, sum(x)] for x in X], y) == expected  # a feature that adds nothing
    assert separable(X + X, y + y) == expected


@pytest.mark.parametrize("seed", range(4))
def test_many_rows_around_a_plane(seed):
    rng = random.Random(seed)
    d = 6
    X = gaussian(rng, 200, d)
    w = gaussian(rng, 1, d)[0]
    scores = [sum(map(float.__mul__, x, w)) + 0.2 for x in X]
    y = [int(z > 0) for z in scores]
    assert separable(X, y) == BOTH
    y[scores.index(max(scores))] = 0  # the row that was farthest on the other side
    assert separable(X, y) == NEITHER
    # The same overlap in the plane x0 = 0; all that is new has one label and lies on one side.
    beside = [[0.0, *x] for x in X] + [[1.0, *x] for x in X[:20]]
    assert separable(beside, y + [1] * 20) == QUASI


# ---- separability: the data sets, and what follows from it ------------------------------------


@pytest.mark.parametrize("prepare", [list, standardised])
def test_breast_cancer_is_separable(prepare):
    X, y = table("breast_cancer")
    assert separable(prepare(X), y) == BOTH


def test_breast_cancer_is_not_separable_by_its_ten_means():
    X, y = table("breast_cancer")
    assert separable([row[:10] for row in X], y) == NEITHER


@pytest.mark.parametrize("prepare", [list, standardised])
def test_iris(prepare):
    X, y = table("iris")
    X = prepare(X)
    assert [separable(X, [int(t == k) for t in y]) for k in range(3)] == [BOTH, NEITHER, NEITHER]
    assert separable(X[50:], [t - 1 for t in y[50:]]) == NEITHER  # versicolor, virginica
    assert separable(X[:100], y[:100]) == BOTH  # setosa, versicolor


@pytest.mark.parametrize(
    "name", ["one feature, a gap", "one feature, touching", "one feature, overlapping"]
)
def test_training_ends_if_and_only_if_not_separable(name):
    X, y, (_, endless) = CASES[name]
    X = [[float(v) for v in x] + [1.0] for x in X]
    path = descend(X, y, [0.0, 0.0], safe_learning_rate(X), 4000)
    growth = math.hypot(*path[4000]) - math.hypot(*path[2000])
    assert (growth > 0.3) if endless else (abs(growth) < 1e-9)
    path = descend(X, y, [0.0, 0.0], safe_learning_rate(X, l2=0.1), 1000, l2=0.1)
    assert math.dist(path[1000], path[500]) < 1e-9  # L2 is the way out


@pytest.mark.parametrize(
    ("X", "y", "message"),
    [
        ([[1.0], [2.0]], [-1, 1], r"-1 and 1, must be 0 and 1; take \(y \+ 1\) / 2"),
        ([[1.0], [2.0]], [0, 2], "must be 0 and 1, got 2"),
        ([[1.0], [2.0]], [0, math.nan], "must be 0 and 1, got nan"),
        ([[1.0], [2.0]], [0], r"y has shape \(1,\) and needs \(2,\); one label for each row"),
        ([[1.0], [2.0]], [[0], [1]], r"y has shape \(2, 1\) and needs \(2,\).*y\[:, 0\]"),
        ([[1.0], [2.0]], 1, r"y has shape \(\)"),
        ([1.0, 2.0], [0, 1], r"X has shape \(2,\) and needs \(rows, features\)"),
        ([], [], r"X has shape \(0,\)"),
        ([[1.0], [math.inf]], [0, 1], r"X has inf at \[1, 0\]"),
    ],
)
def test_errors_of_separability(X, y, message):
    with pytest.raises(ValueError, match=f"^is_linearly_separable: .*{message}"):
        is_linearly_separable(X, y)
