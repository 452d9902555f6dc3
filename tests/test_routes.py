"""One gradient, many routes to it: all must arrive at the same numbers.

The routes: a plain backward pass; the rules read on a graph; the walk of the anomaly mode;
jacobians, row by row; products with the Hessian; the function along a line; finite
differences; fused and spelled-out forms; generated source; and, where a function is
rational, exact arithmetic on fractions.
"""

import math
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import tinygrad_lr
from tinygrad_lr import (
    Array, Value, affine, concatenate, cos, detect_anomaly, exp, grad, gradcheck, hessian,
    hessian_vector_product, jacobian, log_softmax, logsumexp, matmul, maximum, mean, relu,
    reshape, sigmoid, sin, softmax, softplus, sqrt, stack, tanh, transpose, value_and_grad,
    where,
)  # fmt: skip
from tinygrad_lr import sum as total
from tinygrad_lr.core.array import as_data, from_flat, shape_of
from tinygrad_lr.losses import binary_cross_entropy, binary_cross_entropy_with_logits
from tinygrad_lr.core.lift import data_of, shape
from tinygrad_lr.core.operation import OPERATIONS

X = [[0.5, -1.2, 0.8], [1.5, 0.3, -0.7]]
W = [[0.2, -0.5], [1.1, 0.4], [-0.3, 0.9]]
B = [0.1, -0.2]
HERE = Array(X), Array(W), Array(B)
close = lambda x: pytest.approx(x, rel=1e-10, abs=1e-12)


def flat(x):
    x = as_data(data_of(x))
    return [x] if isinstance(x, float) else x.flat


def every(xs):
    """The numbers of several tensors, one after the other."""
    return [v for x in xs for v in flat(x)]


# ---- a wild function -------------------------------------------------------------------------


def pieces(x, w, b):
    """Nodes that share, stretch, cut, join, choose, reduce and multiply: a vector of six."""
    z = matmul(x, w) + b
    h = tanh(z) * sigmoid(-z[::-1])
    chosen = where(z > 0.1, z * z, sin(z))
    joined = concatenate([h, transpose(chosen), reshape(z, (-1, 2))], axis=0)
    smooth = logsumexp(joined, axis=1) + softplus(joined[..., 1] ** 3)
    crossed = matmul(softmax(joined, axis=0), transpose(h))
    biggest = joined.max(axis=0) if isinstance(joined, Value) else Value(joined).max(axis=0).data
    return stack(
        [
            total(smooth[1:] * smooth[:-1]),
            total(crossed / (1 + joined[:, :1] ** 2)),
            matmul(biggest, log_softmax(b)),
            mean(exp(h * 0.3) * b),
            total(abs(chosen - 0.05) ** 1.5),
            maximum(total(relu(z)), total(x[0, [0, 2, 2]])) * cos(z[1, 0]),
        ]
    )


def wild(x, w, b):
    p = pieces(x, w, b)
    return total(p * p[::-1] * [1.0, 2.0, 3.0, 0.5, 0.7, 0.1]) + sqrt(1 + total(p * p))


@pytest.fixture(scope="module")
def expected():
    """By a plain backward pass."""
    leaves = [Value(x) for x in HERE]
    wild(*leaves).backward()
    return every(leaf.grad for leaf in leaves)


def test_the_wild_function_is_one_number_on_numbers_and_on_values():
    assert wild(*HERE) == wild(*map(Value, HERE)).data == wild(HERE[0], Value(W), HERE[2]).data


def test_by_the_transform(expected):
    value, gradients = value_and_grad(wild, (0, 1, 2))(*HERE)
    assert value == wild(*HERE)
    assert every(gradients) == expected
    assert every(grad(wild, i)(*HERE) for i in range(3)) == expected


def test_by_the_rules_on_the_graph(expected):
    gradients = grad(wild, (0, 1, 2))(*map(Value, HERE))
    assert all(type(g) is Value for g in gradients)
    assert every(gradients) == close(expected)


def test_by_the_walk_of_the_anomaly_mode(expected):
    leaves = [Value(x) for x in HERE]
    with detect_anomaly():
        wild(*leaves).backward()
    assert every(leaf.grad for leaf in leaves) == expected


def test_by_one_argument_at_a_time(expected):
    found = []
    for i, x in enumerate(HERE):
        arguments = list(HERE)
        arguments[i] = leaf = Value(x)
        wild(*arguments).backward()
        found.append(leaf.grad)
    assert every(found) == close(expected)


def test_by_pieces_and_the_chain_rule(expected):
    p = pieces(*HERE)
    outer = grad(
        lambda p: total(p * p[::-1] * [1.0, 2.0, 3.0, 0.5, 0.7, 0.1]) + sqrt(1 + total(p * p))
    )(p)
    found = []
    for i, x in enumerate(HERE):
        at = lambda v, i=i: pieces(*[v if j == i else y for j, y in enumerate(HERE)])
        rows = reshape(jacobian(at)(x), (6, -1))
        found.append(matmul(outer, rows))
    assert every(found) == close(expected)
    leaves = [Value(x) for x in HERE]
    pieces(*leaves).backward(outer)
    assert every(leaf.grad for leaf in leaves) == close(expected)


def test_by_finite_differences():
    assert gradcheck(wild, *HERE)


def along_a_line(t):
    """The wild function along a line through HERE, and the line's direction."""
    directions = [
        [[1.0, -0.5, 0.3], [0.2, 0.1, -1.0]],
        [[0.5, 1.0], [-1.0, 0.3], [0.2, 0.2]],
        [1.0, -2.0],
    ]
    return wild(*[x + t * as_data(v) for x, v in zip(HERE, directions)]), every(directions)


def test_along_a_line(expected):
    directions = along_a_line(0.0)[1]
    slope = grad(lambda t: along_a_line(t)[0])(0.0)
    assert slope == close(math.fsum(g * v for g, v in zip(expected, directions)))


def packed(v):
    """The wild function of one vector that holds all its inputs."""
    return wild(v[:6].reshape(2, 3), v[6:12].reshape(3, 2), v[12:])


def test_second_derivatives(expected):
    here = from_flat(every(HERE), (14,))
    assert flat(grad(packed)(here)) == close(expected)
    full = hessian(packed)(here)
    assert flat(full) == pytest.approx(flat(full.T), rel=1e-9, abs=1e-9)
    directions = along_a_line(0.0)[1]
    product = hessian_vector_product(packed)(here, directions)
    assert flat(product) == pytest.approx(flat(full @ directions), rel=1e-9, abs=1e-9)
    bend = grad(grad(lambda t: along_a_line(t)[0]))(0.0)
    assert bend == pytest.approx(
        math.fsum(p * v for p, v in zip(flat(product), directions)), rel=1e-9
    )
    forward_over_reverse = grad(
        lambda t: total(grad(packed)(here + t * as_data(directions)) * directions)
    )(0.0)
    assert forward_over_reverse == pytest.approx(bend, rel=1e-9)


def test_by_generated_source(expected):
    value, gradients = tinygrad_lr.graph.compile(wild, *HERE)(*HERE)
    assert value == close(wild(*HERE))
    assert every(gradients) == close(expected)


def test_fused_and_spelled_out():
    targets = [[0.0, 1.0], [0.3, 1.0]]
    long = lambda x, w, b: binary_cross_entropy(sigmoid(matmul(x, w) + b), targets)
    middle = lambda x, w, b: mean(softplus(matmul(x, w) + b) - (matmul(x, w) + b) * targets)
    short = lambda x, w, b: binary_cross_entropy_with_logits(affine(x, w, b), targets)
    assert [long(*HERE), middle(*HERE)] == close([short(*HERE)] * 2)
    slopes = every(grad(short, (0, 1, 2))(*HERE))
    for f in (long, middle):
        assert every(grad(f, (0, 1, 2))(*HERE)) == close(slopes)


# ---- random expressions ----------------------------------------------------------------------

UNARY = [
    sin,
    tanh,
    softplus,
    lambda a: a * a * 0.3,
    lambda a: a / (1 + a * a),
    transpose,
    lambda a: reshape(a, (-1,)),
    lambda a: a[::-1] if shape(a) else a,
    lambda a: a[0] if shape(a) else a,
    lambda a: a[..., [0, -1, 0]] if shape(a) else a,
    lambda a: total(a, axis=0, keepdims=True) if shape(a) else a,
    lambda a: mean(a, axis=-1) if shape(a) else a,
    lambda a: logsumexp(a, axis=-1) if shape(a) else a,
    lambda a: softmax(a) if shape(a) else sigmoid(a),
    lambda a: log_softmax(a, axis=0) * 0.3 if shape(a) else exp(a * 0.1),
]


def stretched(f):
    """f where the shapes fit; the second as a single number where they do not."""

    def fitted(a, b):
        try:
            return f(a, b)
        except ValueError:
            return f(a, total(b) * 0.1)

    return fitted


BINARY = [
    stretched(lambda a, b: a + b),
    stretched(lambda a, b: a - b * 0.5),
    stretched(lambda a, b: a * b * 0.3),
    stretched(lambda a, b: a / (1.5 + b * b)),
    lambda a, b: stack([total(a), mean(b)]),
    lambda a, b: concatenate([reshape(a, (-1,)), reshape(b, (-1,))]),
    lambda a, b: matmul(reshape(a, (-1, 1)), reshape(b, (1, -1)))[:3, :2],
    stretched(
        lambda a, b: (
            matmul(a, b) * 0.2 if shape(a) and shape(b) and shape(a)[-1] == shape(b)[0] else a - b
        )
    ),
]
programs = st.lists(
    st.tuples(st.sampled_from(UNARY + BINARY), st.integers(0, 30), st.integers(0, 30)),
    min_size=1,
    max_size=7,
)


def run(program, *leaves):
    """Each step takes any earlier nodes, again and again; all nodes add to the result."""
    nodes = list(leaves)
    for f, i, j in program:
        a, b = nodes[i % len(nodes)], nodes[j % len(nodes)]
        nodes.append(f(a, b) if f in BINARY else f(a))
    result = 0.0
    for k, node in enumerate(nodes):  # not Python's sum, which adds floats more exactly than Values
        s = total(node) * (1.0 + 0.1 * k)
        result = result + s * s * 0.1 + s
    return result


@settings(max_examples=60)
@given(programs)
def test_random_expressions_agree_by_every_route(program):
    f = lambda *leaves: run(program, *leaves)
    points = [as_data(x) for x in ([[0.4, -0.7, 1.1], [0.2, 0.9, -0.3]], [0.6, -0.2, 0.8], 0.7)]
    leaves = [Value(x) for x in points]
    y = f(*leaves)
    assert y.data == f(*points)
    y.backward()
    once = every(leaf.grad for leaf in leaves)
    y.backward()
    assert every(leaf.grad for leaf in leaves) == [2 * v for v in once]
    assert every(grad(f, (0, 1, 2))(*points)) == once
    assert every(grad(f, (0, 1, 2))(*map(Value, points))) == close(once)
    of_vector = lambda v: f(v[:6].reshape(2, 3), v[6:9], v[9])
    here = from_flat(every(points), (10,))
    full = hessian(of_vector)(here)
    size = max(1.0, *map(abs, flat(full)))
    assert flat(full) == pytest.approx(flat(full.T), rel=1e-9, abs=1e-9 * size)
    v = [math.cos(k) for k in range(10)]
    product = hessian_vector_product(of_vector)(here, v)
    assert flat(product) == pytest.approx(flat(full @ v), rel=1e-9, abs=1e-9 * size)
    assert gradcheck(f, *points, relative_tolerance=1e-5, absolute_tolerance=1e-6 * size)


@settings(max_examples=40)
@given(programs)
def test_random_expressions_agree_with_their_generated_source(program):
    f = lambda *leaves: run(program, *leaves)
    points = [as_data(x) for x in ([[0.4, -0.7, 1.1], [0.2, 0.9, -0.3]], [0.6, -0.2, 0.8], 0.7)]
    compiled = tinygrad_lr.graph.compile(f, *points)
    for shift in (0.0, 0.25):  # the source holds at other inputs of the same shapes, too
        here = [x + shift for x in points]
        value, gradients = compiled(*here)
        assert value == close(f(*here))
        assert every(gradients) == close(every(grad(f, (0, 1, 2))(*here)))


# ---- exactly, on fractions -------------------------------------------------------------------


class Dual:
    """A fraction and its derivatives by each variable: calculus without rounding, forward."""

    def __init__(self, number, slopes):
        self.number, self.slopes = number, slopes

    def _with(self, other, number, here, there):
        return Dual(number, [here * p + there * q for p, q in zip(self.slopes, other.slopes)])

    def _lift(self, other):
        return (
            other
            if isinstance(other, Dual)
            else Dual(Fraction(other), [Fraction(0)] * len(self.slopes))
        )

    def __add__(self, other):
        other = self._lift(other)
        return self._with(other, self.number + other.number, 1, 1)

    def __sub__(self, other):
        other = self._lift(other)
        return self._with(other, self.number - other.number, 1, -1)

    def __mul__(self, other):
        other = self._lift(other)
        return self._with(other, self.number * other.number, other.number, self.number)

    def __truediv__(self, other):
        other = self._lift(other)
        quotient = self.number / other.number
        return self._with(other, quotient, 1 / other.number, -quotient / other.number)

    def __pow__(self, n):
        return self * self ** (n - 1) if n > 1 else self

    def __neg__(self):
        return self * -1

    __radd__, __rmul__ = __add__, __mul__

    def __rsub__(self, other):
        return self._lift(other) - self

    def __rtruediv__(self, other):
        return self._lift(other) / self


def exactly(f, xs):
    """The value and the gradient of f, as fractions."""
    n = len(xs)
    return f(*[Dual(Fraction(x), [Fraction(i == j) for j in range(n)]) for i, x in enumerate(xs)])


POLYNOMIAL = [
    lambda a, b: a + b,
    lambda a, b: a - b,
    lambda a, b: a * b,
    lambda a, b: 3 - a,
    lambda a, b: 2 * b + 1,
    lambda a, b: -a,
    lambda a, b: a**2,
]
RATIONAL = [*POLYNOMIAL, lambda a, b: a / (1 + b * b), lambda a, b: 2 / (3 + a**2)]
steps = lambda choices, most: st.lists(
    st.tuples(st.sampled_from(choices), st.integers(0, 20), st.integers(0, 20)),
    min_size=1,
    max_size=most,
)


def scalar_program(program):
    def f(*xs):
        nodes = list(xs)
        for g, i, j in program:
            nodes.append(g(nodes[-1 - i % len(nodes)], nodes[j % len(nodes)]))
        return nodes[-1] + nodes[0] * nodes[1]

    return f


@given(steps(POLYNOMIAL, 6), st.tuples(*[st.integers(-3, 3)] * 3))
def test_polynomials_of_whole_numbers_are_exact(program, xs):
    f = scalar_program(program)
    exact = exactly(f, xs)
    if abs(exact.number) < 2**50 and max(map(abs, exact.slopes)) < 2**40:
        value, gradient = value_and_grad(f, (0, 1, 2))(*xs)
        assert value == exact.number
        assert list(gradient) == exact.slopes


@given(steps(RATIONAL, 5), st.tuples(*[st.integers(-8, 8).map(lambda k: k / 4)] * 3))
def test_rational_functions_agree_with_fractions(program, xs):
    f = scalar_program(program)
    exact = exactly(f, xs)
    value, gradient = value_and_grad(f, (0, 1, 2))(*xs)
    size = max(1.0, abs(float(exact.number)), *(abs(float(s)) for s in exact.slopes))
    assert value == pytest.approx(float(exact.number), rel=1e-9, abs=1e-12 * size)
    assert list(gradient) == pytest.approx(
        list(map(float, exact.slopes)), rel=1e-9, abs=1e-12 * size
    )
    on_graph = grad(f, (0, 1, 2))(*map(Value, xs))
    assert every(on_graph) == pytest.approx(
        list(map(float, exact.slopes)), rel=1e-9, abs=1e-12 * size
    )


def test_least_squares_with_tensors_and_with_fractions():
    x, y = [[1, 2, -1], [0, 3, 1], [2, -2, 4], [1, 1, 1]], [3, 1, 0, 2]

    def by_elements(*w):
        errors = [row[0] * w[0] + row[1] * w[1] + row[2] * w[2] - t for row, t in zip(x, y)]
        return sum(e * e for e in errors) / (1 + sum(v * v for v in w))

    by_tensors = lambda w: total((matmul(x, w) - y) ** 2) / (1 + matmul(w, w))
    exact = exactly(by_elements, [Fraction(1, 2), Fraction(-3, 4), Fraction(2)])
    value, gradient = value_and_grad(by_tensors)([0.5, -0.75, 2.0])
    assert value == close(float(exact.number))
    assert flat(gradient) == close(list(map(float, exact.slopes)))


def test_these_expressions_use_most_operations():
    """What the routes do not visit is at least known."""
    seen, found = set(), [wild(*map(Value, HERE))]
    for node in found:
        for x in node.inputs:
            if type(x) is Value and x.operation and x.born not in seen:
                seen.add(x.born)
                found.append(x)
    visited = {node.operation.name for node in found}
    wanted = {
        "add", "subtract", "multiply", "divide", "power", "negative", "exp", "sin", "cos", "tanh",
        "sqrt", "sigmoid", "softplus", "softmax", "log_softmax", "logsumexp", "relu", "abs",
        "maximum", "where", "sum", "max", "reshape", "transpose", "broadcast_to", "concatenate",
        "getitem", "matmul",
    }  # fmt: skip
    assert wanted <= visited <= set(OPERATIONS)
    assert shape_of(pieces(*HERE)) == (6,)
