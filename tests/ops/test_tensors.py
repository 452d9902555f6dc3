"""Whole tensors: reductions, shapes, indexing and products, their gradients and their errors.

That every rule is right away from kinks is in test_rules.
"""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from oracles import arrays

import tinygrad_lr as t
from tinygrad_lr import Array, Value, grad
from tinygrad_lr.core.array import shape_of


def slope(f, *xs):
    """The gradient with respect to each argument."""
    return grad(f, tuple(range(len(xs))))(*xs)


# ---- reductions ------------------------------------------------------------------------------


@pytest.mark.parametrize("name", "sum mean max min logsumexp softmax log_softmax".split())
def test_reductions_take_lists_and_arrays(name):
    f = getattr(t, name)
    for x in ([[1, 2], [3, 5]], ((1, 2), (3, 5)), Array([[1, 2], [3, 5]])):
        assert f(x, axis=-1) == f(Value(x), axis=-1).data
        assert type(f(x, axis=-1)) is Array


@pytest.mark.parametrize("f", [t.max, t.min])
def test_nan_is_not_dropped_by_an_extreme(f):
    for x in ([math.nan, 1.0, 2.0], [1.0, math.nan, 2.0], [2.0, 1.0, math.nan]):
        assert math.isnan(f(x))


def test_extremes_of_nothing_are_an_error():
    for f in (t.max, t.min):
        with pytest.raises(ValueError):
            f([])


@given(arrays(), st.data())
def test_a_mean_is_a_sum_over_its_count(x, draw):
    sizes = shape_of(x)
    axis = draw.draw(st.sampled_from([None, *range(-len(sizes), len(sizes))]))
    count = math.prod(sizes) if axis is None else sizes[axis]
    if count == 0:
        with pytest.raises(ValueError, match="has nothing to average"):
            t.mean(x, axis=axis)
    else:
        assert t.mean(x, axis=axis) == t.sum(x, axis=axis) / count


def test_the_mean_of_equal_numbers_is_that_number():
    for n in range(1, 200):
        assert t.mean([1.0] * n) == 1.0
    x = Value([3.0] * 5)
    x.mean().backward()
    assert x.grad.tolist() == [0.2] * 5


def test_axes_may_be_named_by_position_and_kept():
    x = Value([[1.0, 2.0], [3.0, 4.0]])
    assert x.sum(0).tolist() == [4.0, 6.0]
    assert x.sum(0, True).tolist() == [[4.0, 6.0]]
    assert x.sum((0, 1), keepdims=True).tolist() == [[10.0]]
    assert x.mean((0, -1)).tolist() == 2.5
    assert x.sum(()).tolist() == x.tolist()
    for axis in (2, -3, (0, 5)):
        with pytest.raises(ValueError, match="does not exist; there are 2 axes"):
            x.sum(axis)
    with pytest.raises(ValueError, match="names the same axis twice"):
        x.sum((0, -2))


@pytest.mark.parametrize("name", ["sum", "mean", "max", "min", "logsumexp"])
@pytest.mark.parametrize("axis", [None, 0, 1, -1, (0, 1), (0, 2), ()])
@pytest.mark.parametrize("keepdims", [False, True])
def test_what_a_reduction_is_owed_is_spread_over_its_group(name, axis, keepdims):
    numbers = [[[0.3, -1.0], [0.7, 0.1], [2.0, 1.1]], [[-0.4, 0.9], [1.3, 0.2], [0.5, -2.0]]]
    x = Value(numbers)
    f = lambda x: (getattr(x, name)(axis=axis, keepdims=keepdims) ** 2).sum()
    f(x).backward()
    h = 1e-6
    for i, j, k in [(0, 0, 0), (1, 2, 1), (0, 2, 0)]:
        step = t.scatter_add(h, index=(i, j, k), shape=(2, 3, 2))
        quotient = (f(Value(numbers) + step) - f(Value(numbers) - step)).item() / (2 * h)
        assert x.grad[i, j, k] == pytest.approx(quotient, rel=1e-6, abs=1e-8)


# ---- shapes ----------------------------------------------------------------------------------


def test_reshape_by_sizes_or_by_a_shape():
    x = Value([[1.0, 2.0], [3.0, 4.0]])
    assert x.reshape(4).tolist() == [1.0, 2.0, 3.0, 4.0]
    assert x.reshape(-1, 1).shape == x.reshape((4, -1)).shape == x.reshape([4, 1]).shape == (4, 1)
    assert x.reshape(2, 2) is x
    assert t.reshape([1, 2], (2,)) == Array([1, 2])
    assert t.reshape(3, (1, 1)) == Array([[3]])
    assert Value([[5.0]]).reshape(()).data == t.reshape([5], ()) == 5.0
    with pytest.raises(ValueError, match=r"reshape: \(2, 2\) has 4 elements, \(3, -1\) has not"):
        x.reshape(3, -1)


def test_stack_and_concatenate_mix_values_and_numbers():
    x, v = Value(1.0), Value([1.0, 2.0])
    t.stack([x, 5, x]).backward([1, 10, 100])
    assert x.grad == 101.0
    t.concatenate([v, [3.0], v]).backward([1, 2, 3, 4, 5])
    assert v.grad.tolist() == [5.0, 7.0]
    assert t.stack([[1, 2], [3, 4]], axis=1) == Array([[1, 3], [2, 4]])
    assert t.stack([v, v], -1).tolist() == [[1.0, 1.0], [2.0, 2.0]]
    assert t.concatenate([[[1]], [[2]]], axis=-1) == Array([[1, 2]])
    assert t.stack(i for i in range(3)) == Array([0, 1, 2])
    assert t.concatenate([i] for i in range(3)) == Array([0, 1, 2])


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: t.stack([]), "stack: needs one shape, got nothing"),
        (lambda: t.stack([[1], [1, 2]]), r"stack: needs one shape, got \[\(1,\), \(2,\)\]"),
        (lambda: t.stack([1, 2], axis=1), "axis 1 does not exist"),
        (lambda: t.concatenate([1, 2]), "single numbers: stack"),
        (lambda: t.concatenate([]), "needs Arrays"),
        (lambda: t.concatenate([[1], [[1]]]), "differ"),
        (
            lambda: t.dot([1, 2], [[1, 2]]),
            r"dot: needs two vectors of one length, got \(2,\) and \(1, 2\)",
        ),
        (lambda: t.dot([1, 2], [1, 2, 3]), "of one length"),
        (lambda: t.matmul(2, [1, 2]), "a single number has no rows"),
        (lambda: Value([1.0]) @ 3, "multiply by it with"),
        (
            lambda: Value([[1.0, 2.0]]) @ [1, 2, 3],
            r"matmul: \(1, 2\) @ \(3,\): inner sizes 2 and 3 differ",
        ),
        (lambda: t.transpose([[1]], (0, 2)), "does not name each axis"),
        (lambda: t.broadcast_to([1, 2], (3,)), "do not fit"),
    ],
)
def test_errors_state_the_operation_and_the_shapes(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def test_a_dot_product_is_a_sum_of_products():
    x, y = slope(lambda x, y: t.dot(x, y), [1.0, 2.0], [3.0, 4.0])
    assert (x.tolist(), y.tolist()) == ([3.0, 4.0], [1.0, 2.0])
    assert t.dot([1, 2], [3, 4]) == 11.0


# ---- products --------------------------------------------------------------------------------

SHAPES = [
    ((3,), (3,)),
    ((2, 3), (3,)),
    ((2,), (2, 3)),
    ((1,), (1, 3)),
    ((2, 3), (3, 4)),
    ((2, 2, 3), (3, 1)),
    ((2, 3), (2, 3, 1)),
    ((2, 1, 2, 3), (3, 3, 2)),
    ((3,), (2, 3, 2)),
    ((2, 2, 3), (3,)),
    ((4, 0), (0, 2)),
    ((0, 3), (3, 2)),
]


@pytest.mark.parametrize(("left", "right"), SHAPES)
def test_the_gradient_of_a_product_is_the_adjoint(left, right):
    """matmul is linear in each argument: <X V, G> = <V, grad>, exactly, with whole numbers."""
    numbers = lambda shape, k: t.reshape(
        [float(k * i % 11 - 5) for i in range(math.prod(shape))], shape
    )
    inner = lambda a, b: t.sum(a * b)
    x, y = Value(numbers(left, 3)), Value(numbers(right, 5))
    product = x @ y
    g = numbers(product.shape, 7) if product.shape else 2.0
    product.backward(g)
    assert (x.grad.shape, y.grad.shape) == (left, right)
    assert inner(product.data, g) == inner(x.data, x.grad) == inner(y.data, y.grad)
    for v in (numbers(left, 2), numbers(left, 9)):
        assert inner(t.matmul(v, y.data), g) == inner(v, x.grad)
    for v in (numbers(right, 2), numbers(right, 9)):
        assert inner(t.matmul(x.data, v), g) == inner(v, y.grad)


def test_affine_is_the_scores_of_a_linear_model():
    x, w, b = (
        [[1, 2], [3, 4]],
        Value([[1.0, -1.0, 0.0], [2.0, 0.5, 1.0]]),
        Value([10.0, 20.0, 30.0]),
    )
    assert t.affine(x, w, b).data == (x @ w + b).data
    assert t.affine(x, [1, 1], 0.5) == Array([3.5, 7.5])
    for wrong in ([1.0, 2.0], [[1.0], [2.0]]):
        with pytest.raises(ValueError, match="affine|do not fit"):
            t.affine(x, w, wrong)
    with pytest.raises(ValueError, match="affine"):  # (2,) + (2, 1) would compare all with all
        t.affine(x, [1, 1], [[1.0], [2.0]])


# ---- indexing --------------------------------------------------------------------------------


def test_indexing_pays_back_to_where_it_took():
    x = Value([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]])
    (
        x[0, 0]
        + x[:, 1].sum() * 10
        + (x[[1, 1], [2, 2]] * [100, 200]).sum()
        + x[..., -1, None].sum()
    ).backward()
    assert x.grad.tolist() == [[1.0, 10.0, 1.0], [0.0, 10.0, 301.0]]


def test_an_index_outside_is_an_index_error():
    with pytest.raises(IndexError, match=r"index 2 is outside axis 0 of shape \(2,\)"):
        Value([1.0, 2.0])[2]
    with pytest.raises(IndexError, match="a scalar cannot be indexed"):
        t.getitem(3.0, 0)


def test_the_callers_lists_may_change_after_the_call():
    rows, columns, axes = [0, 1], [1, 0], [0]
    x = Value([[1.0, 2.0], [3.0, 4.0]])
    total = x[rows].sum() + 10.0 * x[rows, columns].sum() + 100.0 * x.max(axis=axes).sum()
    rows[:], columns[:], axes[:] = [1, 1], [1, 1], [1]
    total.backward()
    assert x.grad.tolist() == [[1.0, 11.0], [111.0, 101.0]]


def test_sizes_and_axes_are_whole_numbers_of_any_kind():
    class Whole:
        def __init__(self, n):
            self.n = n

        def __index__(self):
            return self.n

    x = Value([[1.0, 2.0, 3.0]])
    assert x.sum(axis=Whole(1)).tolist() == [6.0]
    assert x.reshape(Whole(3)).shape == x.reshape((Whole(3),)).shape == (3,)
    assert t.grad(lambda a, b: a * b, Whole(1))(3.0, 5.0) == 3.0
    for asked in 6 / 2, (3.0, 1):
        with pytest.raises(TypeError, match="axes and sizes are whole numbers, one or several"):
            x.reshape(asked)
    with pytest.raises(TypeError, match=r"1\.0: axes and sizes are whole numbers"):
        t.softmax(x, axis=1.0)


def test_sizes_and_axes_may_come_in_whatever_says_that_it_may_be_an_index():
    class Numbers:  # as numpy's arrays
        def __index__(self):
            raise TypeError("only integer scalar arrays can be converted to a scalar index")

        def __iter__(self):
            return iter([0, 1])

    assert Value([[1.0, 2.0]]).sum(axis=Numbers()).data == 3.0


def test_of_no_elements_there_are_no_probabilities_and_no_largest():
    assert t.softmax([]).tolist() == t.log_softmax([]).tolist() == []
    assert t.softmax([[], []]).shape == (2, 0)
    for name in "max", "min":
        with pytest.raises(ValueError, match=f"{name} of no numbers"):
            getattr(t, name)([])
    x = Value([[[]] * 3] * 2)
    (x @ Value([])).sum().backward()
    assert x.grad.shape == x.shape
