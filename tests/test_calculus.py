"""Transforms: nesting, forms, and the laws that every gradient obeys."""

import functools
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinygrad_lr import (
    Array, Value, broadcast_to, cos, detect_anomaly, exp, grad, gradcheck, hessian,
    hessian_vector_product, jacobian, log, logsumexp, matmul, no_grad, sigmoid, sin, softmax,
    sqrt, stack, tanh, value_and_grad,
)  # fmt: skip
from tinygrad_lr.core.array import as_data, flat_of
from tinygrad_lr.core.lift import data_of

reals = st.floats(-3, 3)
vectors = st.lists(reals, min_size=1, max_size=4)
close = lambda x: pytest.approx(x, rel=1e-9, abs=1e-9)


def flat(x):
    return flat_of(data_of(x))


# ---- nesting ---------------------------------------------------------------------------------


@given(reals)
def test_derivatives_of_any_order(x):
    third = grad(grad(grad(lambda t: t**4 + sin(t))))
    assert third(x) == close(24 * x - math.cos(x))
    f = sin
    for expected in (math.cos, lambda t: -math.sin(t), lambda t: -math.cos(t), math.sin) * 2:
        f = grad(f)
        assert f(x) == close(expected(x))


def test_a_closure_over_an_outer_variable_is_not_confused_with_it():
    assert grad(lambda x: grad(lambda t: t * x)(2.0))(3.0) == 1.0
    assert grad(lambda x: x * grad(lambda y: x + y)(1.0))(1.0) == 1.0
    assert grad(lambda x: x * grad(lambda y: x * y * y)(x))(3.0) == 6 * 9.0  # of x * 2 x * x
    assert grad(lambda x: grad(lambda y: grad(lambda z: x * y * z)(1.0) * y)(x))(2.0) == 4 * 2.0
    inner = lambda x: jacobian(lambda v: v * x)([1.0, 2.0])
    assert jacobian(inner)(5.0).tolist() == [[1.0, 0.0], [0.0, 1.0]]


def test_the_argument_is_one_thing_and_the_same_value_used_inside_another():
    x = Value(3.0)
    assert grad(lambda t: t * x)(x).data == 3.0
    assert grad(lambda t: t * t)(x).data == 6.0
    f = lambda t: x * 1.0
    assert grad(f)(x).data == 0.0


def test_a_gradient_of_values_is_a_value_that_backward_can_follow():
    x, y = Value(2.0), Value(3.0)
    slope = grad(lambda a: a**2 * y)(x)
    assert slope.data == 12.0
    slope.backward()
    assert (x.grad, y.grad) == (6.0, 4.0)


def test_a_gradient_penalty_trains():
    w = Value([1.0, -2.0])
    penalty = lambda: (grad(lambda v: (v**3).sum())(w) ** 2).sum()  # sum of 9 w^4
    penalty().backward()
    assert w.grad.tolist() == [36.0, -288.0]


# ---- forms -----------------------------------------------------------------------------------


def test_plain_in_plain_out_and_values_in_values_out():
    f = lambda x: (x * x).sum()
    for x in ([1.0, 2.0], (1, 2), Array([1, 2])):
        assert grad(f)(x) == Array([2, 4])
        assert type(grad(f)(x)) is Array
    assert type(grad(lambda x: x * x)(3)) is float
    assert type(value_and_grad(lambda x: x * x)(3)[0]) is float
    for transform in (grad, jacobian, hessian):
        assert type(transform(f)(Value([1.0, 2.0]))) is Value
        assert transform(f)(Value([1.0, 2.0])).data == transform(f)([1.0, 2.0])
    assert all(type(v) is Value for v in value_and_grad(f)(Value([1.0, 2.0])))
    assert type(hessian_vector_product(f)(Value([1.0, 2.0]), [1.0, 0.0])) is Value


def test_arguments_by_number():
    f = lambda x, y, z=1.0: x * y**2 * z
    assert grad(f)(2.0, 3.0) == 9.0
    assert grad(f, 1)(2.0, 3.0) == 12.0
    assert grad(f, argnums=-1)(2.0, 3.0) == 12.0
    assert grad(f, argnums=-2)(2.0, 3.0) == 9.0
    assert grad(f, (1, 0))(2.0, 3.0) == (12.0, 9.0)
    assert grad(f, (0,))(2.0, 3.0) == (9.0,)
    assert grad(f, (0, 1))(2.0, 3.0, z=10.0) == (90.0, 120.0)
    assert value_and_grad(f, (0, 1))(2.0, 3.0) == (18.0, (9.0, 12.0))
    value, gradient = value_and_grad(f, 1)(Value(2.0), 3.0)
    assert (data(value), data(gradient)) == (18.0, 12.0)


def data(x):
    return x.data if type(x) is Value else x


def test_other_arguments_are_handed_through_as_they_are():
    seen = []

    def f(x, names, *, scale):
        seen.append((names, scale))
        return x * scale

    assert grad(f)(1.0, {"a": "b"}, scale=2.0) == 2.0
    assert seen == [({"a": "b"}, 2.0)]
    assert grad(functools.partial(f, names=None, scale=3.0))(1.0) == 3.0


def test_name_and_docstring_are_those_of_the_function():
    def height(x):
        """How high."""
        return x * x

    for transform in (grad, jacobian, hessian, value_and_grad):
        assert transform(height).__name__ == "height"
        assert transform(height).__doc__ == "How high."


@pytest.mark.parametrize("x", [2.0, -2.0, math.inf, [1.0, -math.inf], [[1.0], [2.0]], []])
def test_what_a_function_ignores_is_owed_zeros(x):
    for f in (lambda x: 1.0, lambda x: Value(3.0) * 2):
        gradient = grad(f)(x)
        assert flat(gradient) == [0.0] * len(flat(as_data(x)))
        assert all(math.copysign(1.0, v) == 1.0 for v in flat(gradient))
        assert flat(grad(f)(Value(x))) == flat(gradient)
    assert grad(lambda a, b: a, (0, 1))(1.0, [1.0, 2.0]) == (1.0, Array([0, 0]))
    assert grad(grad(lambda x: 3 * x))(1.0) == 0.0
    assert jacobian(lambda x: [1.0, 2.0])([1.0, 2.0, 3.0]) == Array([[0.0] * 3] * 2)


def test_the_function_that_is_its_argument():
    assert grad(lambda x: x)(2.0) == 1.0
    assert jacobian(lambda x: x)([1.0, 2.0]).tolist() == [[1.0, 0.0], [0.0, 1.0]]
    assert hessian(lambda x: x.sum())([1.0, 2.0]).tolist() == [[0.0, 0.0], [0.0, 0.0]]


@pytest.mark.parametrize(
    ("x_shape", "y_shape"),
    [((), ()), ((2,), ()), ((), (3,)), ((2, 1), (3,)), ((2,), (2, 3)), ((0,), (2,)), ((2,), (0,))],
)
def test_shapes_of_jacobians(x_shape, y_shape):
    x = broadcast_to(1.5, x_shape)
    f = lambda x: broadcast_to((x * x).sum(), y_shape)
    found = jacobian(f)(x)
    assert (found.shape if isinstance(found, Array) else ()) == y_shape + x_shape
    if 0 not in y_shape + x_shape:
        assert flat(found) == [2 * v for _ in range(math.prod(y_shape)) for v in flat(x)]


def test_the_jacobian_of_a_linear_map_is_its_matrix():
    m = [[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]
    assert jacobian(lambda v: matmul(m, v))([0.3, 0.1, 0.7]).tolist() == m
    of_matrix = jacobian(lambda m: matmul(m, [1.0, 10.0]))([[1.0, 2.0], [3.0, 4.0]])
    assert of_matrix.tolist() == [[[1.0, 10.0], [0.0, 0.0]], [[0.0, 0.0], [1.0, 10.0]]]


# ---- errors and modes ------------------------------------------------------------------------


@pytest.mark.parametrize("transform", [grad, value_and_grad, hessian])
def test_only_a_scalar_has_a_gradient(transform):
    with pytest.raises(
        ValueError, match=r"gave shape \(2,\), and only a scalar has a gradient.*jacobian"
    ):
        transform(lambda x: x * 2)([1.0, 2.0])


def test_a_product_needs_a_vector_of_the_right_shape():
    with pytest.raises(ValueError, match=r"x has shape \(2,\), v \(3,\)"):
        hessian_vector_product(lambda x: (x * x).sum())([1.0, 2.0], [1.0, 2.0, 3.0])


def test_a_list_of_values_points_to_stack():
    with pytest.raises(TypeError, match="stack"):
        jacobian(lambda x: [x, x * x])(2.0)
    assert jacobian(lambda x: stack([x, x * x]))(2.0).tolist() == [1.0, 4.0]


@pytest.mark.parametrize("f", [math.sin, lambda x: x * math.exp(x), lambda x: float(x) * 2])
def test_functions_of_math_are_refused_and_not_differentiated_to_zero(f):
    second = lambda f: grad(grad(f))
    check = lambda f: lambda x: gradcheck(f, x)
    for transform in (grad, jacobian, hessian, second, check):
        with pytest.raises(TypeError, match="use exp, sin, ... of tinygrad_lr, not of math"):
            transform(f)(1.0)
    assert grad(lambda x: x * x.item())(3.0) == 3.0
    assert math.sin(Value(0.0)) == 0.0


def test_an_argument_that_was_not_given_is_named():
    f = lambda x, y=1.0: x * y
    with pytest.raises(
        ValueError, match=r"argnums \(2,\): no such argument, 2 were given by position"
    ):
        grad(f, argnums=2)(1.0, 2.0)
    with pytest.raises(ValueError, match="0 were given by position"):
        grad(f)(x=1.0)


def test_no_grad_around_a_transform_does_not_blind_it():
    with no_grad():
        assert grad(lambda x: x**3)(2.0) == 12.0
        assert grad(grad(lambda x: x**3))(2.0) == 12.0
        assert hessian(lambda x: (x**3).sum())([1.0, 2.0]).tolist() == [[6.0, 0.0], [0.0, 12.0]]
        assert grad(lambda x: x**3)(Value(2.0)).data == 12.0


def test_no_grad_inside_a_function_holds_a_part_constant():
    def f(x):
        with no_grad():
            constant = x * x
        return constant * x

    assert grad(f)(3.0) == 9.0


def test_transforms_leave_no_trace():
    x = Value(2.0)
    outer = Value(5.0)
    grad(lambda t: t * outer)(x)
    hessian(lambda t: t * t * outer)(x)
    assert (x.grad, outer.grad) == (None, None)
    with pytest.raises(ZeroDivisionError):
        grad(lambda t: 1 // 0)(1.0)
    assert type(grad(lambda t: t * t)(1.0)) is float  # the mode has ended


def test_anomalies_are_found_in_transforms():
    with detect_anomaly(), pytest.raises(FloatingPointError, match="the output of log"):
        grad(log)(0.0)
    with detect_anomaly(), pytest.raises(FloatingPointError, match="the gradient of sqrt"):
        grad(sqrt)(0.0)


# ---- second derivatives ----------------------------------------------------------------------


def curved(x):
    """Smooth, and no element is alone."""
    return (exp(x * 0.3) * sin(x)).sum() * logsumexp(x) + tanh(x).sum() ** 2


@given(vectors)
def test_a_hessian_is_symmetric_and_its_product_needs_no_matrix(x):
    full = hessian(curved)(x)
    n = len(x)
    assert full.shape == (n, n)
    assert flat(full) == close(flat(full.T))
    v = [math.cos(3 * i) for i in range(n)]
    product = hessian_vector_product(curved)(x, v)
    assert flat(product) == close(flat(full @ v))


def test_hessians_of_matrices_and_numbers():
    assert hessian(lambda x: x**3)(2.0) == 12.0
    assert hessian_vector_product(lambda x: x**3)(2.0, 0.5) == 6.0
    found = hessian(lambda x: (x @ x).sum())([[1.0, 2.0], [3.0, 4.0]])
    assert found.shape == (2, 2, 2, 2)
    assert found[0, 1, 1, 0] == found[1, 0, 0, 1] == 2.0


# ---- the algebra of gradients ----------------------------------------------------------------

FUNCTIONS = [
    lambda x: (x * x).sum(),
    lambda x: sin(x).sum() * 2.0,
    lambda x: logsumexp(x),
    lambda x: (sigmoid(x) * cos(x)).sum(),
    lambda x: sqrt((x * x).sum() + 1),
]
functions = st.sampled_from(FUNCTIONS)


@given(functions, functions, vectors, reals, reals)
def test_linearity(f, g, x, a, b):
    combined = grad(lambda x: a * f(x) + b * g(x))(x)
    assert flat(combined) == close(
        [a * p + b * q for p, q in zip(flat(grad(f)(x)), flat(grad(g)(x)))]
    )


@given(functions, functions, vectors)
def test_product_and_quotient_rule(f, g, x):
    fx, df = value_and_grad(f)(x)
    gx, dg = value_and_grad(g)(x)
    product = grad(lambda x: f(x) * g(x))(x)
    assert flat(product) == close([p * gx + fx * q for p, q in zip(flat(df), flat(dg))])
    square = gx * gx + 1
    quotient = grad(lambda x: f(x) / (g(x) * g(x) + 1))(x)
    assert flat(quotient) == close(
        [(p * square - fx * 2 * gx * q) / square**2 for p, q in zip(flat(df), flat(dg))]
    )


@given(functions, vectors)
def test_chain_rule(f, x):
    inner = lambda x: tanh(x) * 2 + softmax(x)
    along = jacobian(inner)(x)
    outer = grad(f)(inner(x))
    assert flat(grad(lambda x: f(inner(x)))(x)) == close(flat(outer @ along))


HOMOGENEOUS = [
    (lambda x: (x * x).sum(), 2),
    (lambda x: sqrt((x * x).sum()), 1),
    (lambda x: (x**3).sum() / (x * x).sum(), 1),
    (lambda x: x.sum() / sqrt((x * x).sum()), 0),
    (lambda x: ((x * x).sum()) ** 2.5, 5),
    (lambda x: x.max() * abs(x).sum(), 2),
    (lambda x: 1 / (x * x).sum(), -2),
]


@pytest.mark.parametrize(("f", "degree"), HOMOGENEOUS)
@given(x=st.lists(st.floats(0.1, 3) | st.floats(-3, -0.1), min_size=1, max_size=4))
def test_euler_s_theorem_for_homogeneous_functions(f, degree, x):
    value, gradient = value_and_grad(f)(x)
    assert matmul(gradient, x) == close(degree * value)


@given(vectors, st.randoms(use_true_random=False))
def test_the_order_of_the_inputs_is_irrelevant(x, chance):
    order = chance.sample(range(len(x)), len(x))
    shuffled = grad(curved)([x[i] for i in order])
    assert flat(shuffled) == close([grad(curved)(x)[i] for i in order])


@given(st.lists(st.tuples(reals, reals), min_size=1, max_size=5), reals)
def test_the_gradient_of_a_batch_is_the_mean_of_the_gradients_of_its_rows(rows, w):
    loss = lambda w, x, y: (sigmoid(w * x) - y) ** 2
    xs, ys = map(list, zip(*rows))
    batch = grad(lambda w: loss(w, Array(xs), Array(ys)).mean())(w)
    assert batch == close(math.fsum(grad(loss)(w, x, y) for x, y in rows) / len(rows))


def test_a_walk_does_not_go_into_what_is_older_than_the_variables():
    w = sqrt(Value(0.0))  # whose own slope is infinite
    with detect_anomaly():
        assert grad(lambda x: x * x + w)(2.0) == 4.0
    moved = Value(1.0)
    y = moved * 2.0
    moved.data = 5.0  # so that y itself could not be walked through
    assert grad(lambda x: x * x + y)(2.0) == 4.0


def test_a_value_among_the_arguments_makes_values_of_all():
    w = Value(2.0)
    slope = grad(lambda x, w: x * x * w)(3.0, w)
    slope.backward()
    assert (slope.data, w.grad) == (12.0, 6.0)
    v = Value([1.0, 0.0])
    product = hessian_vector_product(lambda x: (x * x * x).sum())([1.0, 2.0], v)
    assert type(product) is Value and product.data == Array([6.0, 0.0])
    value, gradient = value_and_grad(lambda x: 1.0)(Value(2.0))
    assert type(value) is type(gradient) is Value


def test_an_argument_is_named_once():
    with pytest.raises(ValueError, match="the same argument twice"):
        grad(lambda x, y: x * y, (1, -1))(2.0, 3.0)


def test_of_nothing_there_is_an_empty_jacobian():
    assert jacobian(lambda x: x * 2.0)(Value([])).shape == (0, 0)
    assert hessian(lambda x: x.sum())(Value([])).shape == (0, 0)
