"""What holds for gradients whatever the function: laws, and one expression by all routes.

`test_calculus` has the laws of the first derivative of functions of one vector. Here they are
held for second derivatives, for several tensors at once and for models with their losses; and
random tensor expressions are computed by rules, on the graph, from fused and from composed
operations, by generated source, by finite differences, and, where they are rational, in
fractions (forward, index by index, so that nothing is shared with the engine).
"""

import math
import operator
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from oracles import aligned, indices, nested, table
from test_routes import Dual

from tinygrad_lr import (
    Array, Value, affine, binary_cross_entropy_with_logits, cos, cross_entropy, exp, grad,
    gradcheck, graph, hessian, hessian_vector_product, jacobian, log_softmax, logsumexp, matmul,
    mean, mean_squared_error, negative_log_likelihood, reshape, sigmoid, sin, softmax, sqrt, tanh,
    transpose, value_and_grad,
)  # fmt: skip
from tinygrad_lr import sum as total
from tinygrad_lr.core.array import as_data, flat_of
from tinygrad_lr.core.lift import data_of, shape
from tinygrad_lr.core.operation import OPERATIONS

close = lambda x, scale=1.0: pytest.approx(x, rel=1e-9, abs=1e-11 * scale)
reals = st.integers(-20, 20).map(lambda k: k / 10 + 0.03)  # no zeros, no kinks


def flat(x):
    return flat_of(as_data(data_of(x)))


def every(xs):
    return [v for x in xs for v in flat(x)]


def vectors(n):
    return st.lists(reals, min_size=n, max_size=n)


def matrices(m, n):
    return st.lists(vectors(n), min_size=m, max_size=m)


# ---- laws of calculus, up to second derivatives ----------------------------------------------

FUNCTIONS = [
    lambda x: total(x * x * x),
    lambda x: total(sin(x)) * total(x[1:] * x[:-1]),
    lambda x: logsumexp(x * 2) + x[0],
    lambda x: total(sigmoid(x) * cos(x[::-1])),
    lambda x: sqrt(total(x * x) + 1),
]
functions = st.sampled_from(FUNCTIONS)


@given(functions, functions, vectors(3), reals, reals)
def test_differentiation_is_linear_to_second_order(f, g, x, a, b):
    combined = lambda x: a * f(x) - b * g(x)
    for derive in grad, hessian:
        expected = a * derive(f)(x) - b * derive(g)(x)
        assert flat(derive(combined)(x)) == close(flat(expected))


@given(functions, vectors(3), vectors(3), vectors(3), reals)
def test_a_product_with_the_hessian_is_linear_in_the_vector(f, x, u, v, a):
    product = lambda v: hessian_vector_product(f)(x, v)
    u, v = Array(u), Array(v)
    assert flat(product(a * u + v)) == close(flat(a * product(u) + product(v)))
    assert matmul(product(u), v) == close(matmul(product(v), u))  # and the Hessian symmetric


@given(functions, functions, vectors(3))
def test_leibniz_rule_for_second_derivatives(f, g, x):
    (p, dp), (q, dq) = value_and_grad(f)(x), value_and_grad(g)(x)
    crossed = outer(dp, dq) + outer(dq, dp)
    expected = hessian(f)(x) * q + crossed + hessian(g)(x) * p
    assert flat(hessian(lambda x: f(x) * g(x))(x)) == close(flat(expected))


def outer(u, v):
    return matmul(reshape(u, (-1, 1)), reshape(v, (1, -1)))


@given(functions, vectors(3))
def test_chain_rule_for_second_derivatives(f, x):
    """H of f(g(x)) is J' H J, and what g itself bends, weighted by the slope of f."""
    inner = lambda x: tanh(x) * 2 + softmax(x)
    y, j = inner(x), jacobian(inner)(x)
    slope = grad(f)(y)
    bends = hessian(lambda x: matmul(inner(x), slope))(x)
    expected = j.T @ hessian(f)(y) @ j + bends
    assert flat(hessian(lambda x: f(inner(x)))(x)) == close(flat(expected))


@given(vectors(3), st.permutations([sin, tanh, softmax, lambda x: x * x, lambda x: x[::-1]]))
def test_jacobians_of_a_chain_multiply(x, maps):
    whole = lambda x: maps[2](maps[1](maps[0](x)))
    first = maps[0](as_data(x))
    second = maps[1](first)
    parts = jacobian(maps[2])(second) @ jacobian(maps[1])(first) @ jacobian(maps[0])(x)
    assert flat(jacobian(whole)(x)) == close(flat(parts))


@given(matrices(2, 3), matrices(3, 2), matrices(2, 2))
def test_product_rule_for_matrices(a, b, g):
    """<G, dA B + A dB>: the gradients are G B' and A' G, in every element of A and of B."""
    scalar = lambda a, b: total(matmul(a, b) * g)
    da, db = grad(scalar, (0, 1))(a, b)
    assert flat(da) == close(flat(Array(g) @ Array(b).T))
    assert flat(db) == close(flat(Array(a).T @ Array(g)))


@given(matrices(2, 3), vectors(3), reals)
def test_mixed_second_derivatives_do_not_depend_on_their_order(x, w, b):
    """Of three inputs of three shapes: d/dw (df/dx) is d/dx (df/dw), turned round."""
    f = lambda x, w, b: total(tanh(matmul(x, w) + b) ** 2) * exp(b * w[0] * 0.1)
    at = [Array(x), Array(w), b]
    for i, j in [(0, 1), (0, 2), (1, 2)]:
        directions = [as_data(x) * 0.0 + 0.3 * (k + 1) for k, x in enumerate(at)]
        one = along(lambda *xs: grad(f, i)(*xs), j, at, directions, i)
        other = along(lambda *xs: grad(f, j)(*xs), i, at, directions, j)
        assert one == close(other)


def along(slope, by, at, directions, paid):
    """The derivative by one input, along its direction, of a slope along its own."""
    scalar = lambda *xs: total(slope(*xs) * directions[paid])
    return total(grad(scalar, by)(*at) * directions[by])


HOMOGENEOUS = [
    (lambda x: total(x * x), 2),
    (lambda x: sqrt(total(x * x)), 1),
    (lambda x: total(x**3) / total(x * x), 1),
    (lambda x: total(x) / sqrt(total(x * x)), 0),
    (lambda x: total(x[0] / x[1:]) * total(x[:2]) ** 2, 2),
]


@pytest.mark.parametrize(("f", "degree"), HOMOGENEOUS)
@given(x=vectors(3), by=st.floats(0.5, 3.0))
def test_euler_s_theorem_holds_for_the_gradient_again(f, degree, x, by):
    """f(t x) = t^n f(x), so x . f' = n f; f' has degree n - 1, so f'' x = (n - 1) f'."""
    x = Array(x)
    value, slope = value_and_grad(f)(x)
    bend = hessian_vector_product(f)(x, x)
    size = sum(abs(a * b) for a, b in zip(slope.flat, x.flat)) + abs(value)
    assert matmul(slope, x) == close(degree * value, size)
    largest = max(abs(v) for v in [*hessian(f)(x).flat, *slope.flat])
    assert flat(bend) == close(flat((degree - 1) * slope), largest)
    scaled = grad(f)(x * by)
    assert flat(scaled) == close(flat(slope * by ** (degree - 1)), largest)


# ---- laws of probabilities -------------------------------------------------------------------


@given(matrices(2, 4), st.integers(-64, 64), st.sampled_from([0, 1, None]))
def test_softmax_is_blind_to_a_shift(z, shift, axis):
    """Whole shifts of eighths are exact, so softmax must not differ in a single bit."""
    z = Array([[round(8 * v) / 8 for v in row] for row in z])
    moved = z + float(shift)
    for f in softmax, log_softmax:
        assert f(moved, axis=axis) == f(z, axis=axis)
        weighted = lambda z, f=f: total(f(z, axis=axis) * [[1.0, -2.0, 0.5, 3.0], [0.3] * 4])
        slope = grad(weighted)(z)
        assert slope == grad(weighted)(moved)
        assert max(map(abs, flat(total(slope, axis=axis)))) < 1e-14
    assert flat(logsumexp(moved, axis=axis)) == close(flat(logsumexp(z, axis=axis) + float(shift)))


@given(vectors(4))
def test_what_a_shift_cannot_change_has_no_slope_and_no_bend_along_it(z):
    ones = [1.0] * 4
    assert flat(matmul(jacobian(softmax)(z), ones)) == pytest.approx([0.0] * 4, abs=1e-14)
    assert math.fsum(grad(logsumexp)(z)) == pytest.approx(1.0, abs=1e-15)
    bend = hessian_vector_product(logsumexp)(z, ones)
    assert flat(bend) == pytest.approx([0.0] * 4, abs=1e-14)
    curvature = hessian(logsumexp)(z)  # p (1 - p) on the diagonal: convex
    assert all(curvature[i, i] > 0.0 for i in range(4))
    assert flat(curvature) == close(flat(curvature.T))


NLL = {
    "negative_log_likelihood": lambda z, y: negative_log_likelihood(log_softmax(z), y),
    "cross_entropy": cross_entropy,
    "its spelled-out form": lambda z, y: cross_entropy.operation.same_as(z, y, reduction="mean"),
    "cross_entropy of distributions": lambda z, y: cross_entropy(
        z, [[float(k == label) * 0.6 + 0.1 for k in range(4)] for label in y]
    ),
}


@pytest.mark.parametrize("name", NLL)
@given(z=matrices(3, 4), y=st.lists(st.integers(0, 3), min_size=3, max_size=3), c=reals)
def test_the_gradient_of_the_nll_sums_to_zero_over_the_classes(name, z, y, c):
    loss = NLL[name]
    for slope in grad(loss)(z, y), grad(loss)(Value(z), y).data:
        assert flat(total(slope, axis=1)) == pytest.approx([0.0] * 3, abs=1e-15)
    bend = hessian_vector_product(lambda z: loss(z, y))(z, [[v * c for v in row] for row in z])
    assert flat(total(bend, axis=1)) == pytest.approx([0.0] * 3, abs=1e-14)


# ---- laws of batches -------------------------------------------------------------------------


def two_layers(w, v, x, y):
    return mean_squared_error(matmul(tanh(matmul(x, w)), v), y)


MODELS = {  # loss of (weights..., X, y), with the weights
    "linear": (lambda w, b, x, y: mean_squared_error(affine(x, w, b), y), [[0.3, -0.8], 0.2]),
    "logistic": (
        lambda w, b, x, y: binary_cross_entropy_with_logits(affine(x, w, b), y),
        [[0.3, -0.8], 0.2],
    ),
    "softmax": (
        lambda w, b, x, y: cross_entropy(affine(x, w, b), y),
        [[[0.3, -0.8, 0.1], [1.2, 0.4, -0.6]], [0.1, 0.0, -0.3]],
    ),
    "network": (two_layers, [[[0.3, -0.8, 0.1], [1.2, 0.4, -0.6]], [0.1, 0.7, -0.3]]),
}
batches = st.lists(st.tuples(vectors(2), st.integers(0, 1)), min_size=2, max_size=5)


def slopes(name, rows):
    """The gradient by all weights, of a batch of (x, y)."""
    loss, weights = MODELS[name]
    xs, ys = map(list, zip(*rows))
    return every(grad(loss, (0, 1))(*weights, xs, ys))


@pytest.mark.parametrize("name", MODELS)
@settings(max_examples=30)
@given(rows=batches, data=st.data())
def test_the_gradient_of_a_batch_is_the_mean_of_those_of_its_rows_in_any_order(name, rows, data):
    whole = slopes(name, rows)
    each = [slopes(name, [row]) for row in rows]
    assert whole == close([math.fsum(column) / len(rows) for column in zip(*each)])
    assert slopes(name, data.draw(st.permutations(rows))) == close(whole)
    cut = data.draw(st.integers(1, len(rows) - 1))  # mini-batches count by their sizes
    parts = zip(slopes(name, rows[:cut]), slopes(name, rows[cut:]))
    assert whole == close([(p * cut + q * (len(rows) - cut)) / len(rows) for p, q in parts])


@given(batches, st.permutations([0, 1, 2]))
def test_renamed_features_and_classes_rename_the_gradient(rows, order):
    loss, (w, b) = MODELS["softmax"]
    xs, ys = map(list, zip(*rows))
    dw, db = grad(loss, (0, 1))(w, b, xs, ys)
    renamed = [[row[k] for k in order] for row in w[::-1]], [b[k] for k in order]
    moved = [x[::-1] for x in xs], [order.index(y) for y in ys]
    new_w, new_b = grad(loss, (0, 1))(*renamed, *moved)
    assert flat(new_w) == close(flat(dw[::-1, order]))
    assert flat(new_b) == close(flat(db[order]))


# ---- rational expressions of tensors, in fractions -------------------------------------------


class Exact:
    """A tensor of fractions with their derivatives: every definition index by index."""

    def __init__(self, shape, numbers):
        self.shape, self.numbers = shape, numbers

    @classmethod
    def of(cls, rows):
        numbers = table(rows)
        deepest = max(numbers)
        return cls(tuple(i + 1 for i in deepest), numbers)

    def _with(self, other, f):
        other = other if isinstance(other, Exact) else Exact((), {(): other})
        n = max(len(self.shape), len(other.shape))
        sizes = zip(*[(1,) * (n - len(x.shape)) + x.shape for x in (self, other)])
        full = tuple(b if a == 1 else a for a, b in sizes)
        picked = lambda x, i: x.numbers[aligned(i, x.shape)]
        return Exact(full, {i: f(picked(self, i), picked(other, i)) for i in indices(full)})

    __add__ = lambda self, other: self._with(other, operator.add)
    __sub__ = lambda self, other: self._with(other, operator.sub)
    __mul__ = lambda self, other: self._with(other, operator.mul)
    __truediv__ = lambda self, other: self._with(other, operator.truediv)
    __pow__ = lambda self, n: self._with(n, operator.pow)
    __rmul__, __radd__ = __mul__, __add__

    def __matmul__(self, other):
        (m, k), (_, n) = self.shape, other.shape
        cell = lambda i, j: sum(self.numbers[i, t] * other.numbers[t, j] for t in range(k))
        return Exact((m, n), {(i, j): cell(i, j) for i, j in indices((m, n))})

    def __getitem__(self, index):
        return Exact.of(picked(nested(self.shape, self.numbers), index))

    def turned(self):
        return Exact(self.shape[::-1], {i[::-1]: v for i, v in self.numbers.items()})

    def summed(self, axis):
        kept = tuple(1 if a == axis else n for a, n in enumerate(self.shape))
        result = {i: 0 for i in indices(kept)}
        for i, v in self.numbers.items():
            at = tuple(0 if a == axis else k for a, k in enumerate(i))
            result[at] = result[at] + v
        return Exact(kept, result)


def picked(rows, index):
    """rows[index] of nested lists, one part of the index an axis."""
    if not index:
        return rows
    first, *rest = index
    chosen = rows[first] if isinstance(first, slice) else [rows[i] for i in first]
    return [picked(row, rest) for row in chosen]


turned = lambda x: x.turned() if isinstance(x, Exact) else transpose(x)
summed = lambda x, axis: (
    x.summed(axis) if isinstance(x, Exact) else total(x, axis=axis, keepdims=True)
)
whole = lambda x: summed(summed(x, 0), 1)

# Of matrices, matrices. Where shapes do not fit, the second is summed up to a single number.
ONE = [
    turned,
    lambda a: a * a,
    lambda a: a**3 * 0.25,
    lambda a: a / (1 + a * a),
    lambda a: summed(a, 0),
    lambda a: summed(a, 1),
    lambda a: a[::-1, :],
    lambda a: a[:1, ::2],
    lambda a: a[[0, -1, 0], :],
]
TWO = [
    lambda a, b: a + b,
    lambda a, b: a - b * 0.5,
    lambda a, b: a * b,
    lambda a, b: a / (2 + b * b),
]
MATMUL = lambda a, b: (a @ turned(b) if a.shape[1] == b.shape[1] else a * whole(b)) * 0.5
steps = st.tuples(st.sampled_from([*ONE, *TWO, MATMUL]), st.integers(0, 30), st.integers(0, 30))
programs = st.lists(steps, min_size=1, max_size=5)


def run(program, *leaves):
    """Each step takes any earlier matrices, the newest most often; the last two add up."""
    nodes = list(leaves)
    for f, i, j in program:
        a, b = nodes[-1 - i % len(nodes)], nodes[j % len(nodes)]
        if f in TWO and not all(1 in (m, n) or m == n for m, n in zip(a.shape, b.shape)):
            b = whole(b)
        nodes.append(f(a) if f in ONE else f(a, b))
    return whole(nodes[-1]) + whole(nodes[-2] * nodes[-2]) * 0.25


POINTS = [[[0.5, -0.75, 1.0], [0.25, 1.5, -0.5]], [[1.25, -0.25, 0.5]], [[0.75]]]


def in_fractions(program):
    """The value and all slopes of a program at POINTS."""
    n = len(every(POINTS))
    units = ([Fraction(i == j) for j in range(n)] for i in range(n))
    dual = lambda v: Dual(Fraction(v), next(units))
    leaves = [Exact.of([[dual(v) for v in row] for row in x]) for x in POINTS]
    (result,) = run(program, *leaves).numbers.values()
    return float(result.number), list(map(float, result.slopes))


@settings(max_examples=50)
@given(programs)
def test_rational_expressions_of_tensors_agree_with_fractions_by_every_route(program):
    value, expected = in_fractions(program)
    f = lambda *xs: total(run(program, *xs))
    size = max([1.0, abs(value), *map(abs, expected)])
    agree = lambda found: found == pytest.approx(expected, rel=1e-10, abs=1e-12 * size)
    leaves = [Value(x) for x in POINTS]
    y = f(*leaves)
    y.backward()
    assert y.data == pytest.approx(value, rel=1e-12, abs=1e-12 * size)
    assert agree(every(0.0 * x.data if x.grad is None else x.grad for x in leaves))
    points = [as_data(x) for x in POINTS]
    assert agree(every(grad(f, (0, 1, 2))(*map(Value, points))))
    compiled, slopes = graph.compile(f, *points)(*points)
    assert compiled == pytest.approx(value, rel=1e-12, abs=1e-12 * size)
    assert agree(every(slopes))
    if size < 1e4:
        assert gradcheck(
            f, *points, order=1, relative_tolerance=1e-5, absolute_tolerance=1e-6 * size
        )


# ---- fused and composed ----------------------------------------------------------------------

LABELS, SOFT = [1, 0], Array([[0.2, 0.8], [1.0, 0.0]])
FUSED = [  # a matrix of two columns and an option of the fused operation give a matrix
    ("softmax", lambda f, a: f(a, axis=-1)),
    ("softmax", lambda f, a: f(a * 2.0, axis=0)),
    ("log_softmax", lambda f, a: f(a, axis=-1) * 0.3),
    ("affine", lambda f, a: f(a, a[:2, :] * 0.5, a[0])),
    ("binary_cross_entropy_with_logits", lambda f, a: f(a[:2], SOFT, reduction="none")),
    ("cross_entropy", lambda f, a: reshape(f(a[:2], LABELS, reduction="none"), (2, 1)) * a),
    ("cross_entropy", lambda f, a: f(a[:2], SOFT, reduction="mean") * a),
    ("linear_binary_cross_entropy", lambda f, a: f(a, a[0], a[0, 1], [1, 0], reduction="sum") * a),
    ("linear_cross_entropy", lambda f, a: f(a, a * 0.5, a[1], SOFT, reduction="mean") * a),
    (None, lambda f, a: tanh(a)),
    (None, lambda f, a: a[::-1] * [1.0, -0.5]),
    (None, lambda f, a: a - mean(a, axis=0)),
]
fused_programs = st.lists(st.sampled_from(FUSED), min_size=1, max_size=4)


def chained(program, form, x):
    """Each step takes the last matrix, to which the one before it is added."""
    nodes = [x, sin(x)]
    for name, step in program:
        f = None if name is None else form(OPERATIONS[name])
        nodes.append(step(f, nodes[-1] + nodes[-2] * 0.5))
    return total(nodes[-1] * nodes[-2] + nodes[-1])


@settings(max_examples=60)
@given(fused_programs, matrices(2, 2))
def test_fused_operations_and_their_compositions_agree_wherever_they_stand(program, x):
    fused = lambda x: chained(program, lambda op: op.public, x)
    composed = lambda x: chained(program, lambda op: op.same_as, x)
    assert fused(as_data(x)) == close(composed(as_data(x)))
    (p, dp), (q, dq) = value_and_grad(fused)(x), value_and_grad(composed)(x)
    size = max(1.0, *map(abs, flat(dq)))
    assert (p, flat(dp)) == (close(q), close(flat(dq), size))
    assert flat(grad(fused)(Value(x))) == close(flat(dq), size)
    v = [[0.7, -0.2], [0.4, 1.1]]
    bends = flat(hessian_vector_product(composed)(x, v))
    size = max(1.0, *map(abs, bends))
    assert flat(hessian_vector_product(fused)(x, v)) == close(bends, size)
    value, (slope,) = graph.compile(fused, as_data(x))(as_data(x))
    assert (value, flat(slope)) == (close(q), close(flat(dq), size))


def test_every_fused_operation_stands_in_these_expressions():
    assert {name for name, _ in FUSED if name} == {
        name for name, op in OPERATIONS.items() if op.same_as is not None
    }
    assert shape(chained(FUSED, lambda op: op.public, SOFT)) == ()
