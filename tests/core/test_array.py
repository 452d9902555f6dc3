"""Arrays against definitions index by index (`oracles`), and what they refuse to do."""

import copy
import math
import operator
import pickle
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from oracles import (
    SHAPES, SIZES, WHOLE, aligned, arrays, data, indices, nested, same, shrunk, table,
)  # fmt: skip

from tinygrad_lr import Array, Value
from tinygrad_lr.core import array
from tinygrad_lr.core.array import as_data, from_flat, shape_of
from tinygrad_lr.core.shapes import broadcast_shape


def zeros(*shape):
    return from_flat([0.0] * math.prod(shape), shape)


# ---- reading data ----------------------------------------------------------------------------


@given(arrays())
def test_tolist_and_as_data_undo_each_other(x):
    shape = shape_of(x)
    lists = x.tolist() if shape else x
    assert lists == nested(shape, table(x) if 0 not in shape else {})
    if 0 not in shape[:-1]:  # behind a size 0 nothing is left that could tell the shape
        assert as_data(lists) == x


def test_an_empty_array_keeps_its_shape_in_lists():
    assert zeros(2, 3, 0).tolist() == [[[], [], []], [[], [], []]]
    assert zeros(1, 1, 0).tolist() == [[[]]]
    assert zeros(2, 0, 3).tolist() == [[], []]
    assert as_data([[], []]).shape == (2, 0)


class Column:
    """Stands for numpy, pandas, array: it can turn itself into a list."""

    def __init__(self, items):
        self.items = items

    def tolist(self):
        return self.items


class Series(Column):
    tolist = None

    def __getattribute__(self, name):
        if name == "tolist":
            raise AttributeError(name)
        return super().__getattribute__(name)

    def to_list(self):
        return self.items


class Frame:
    def to_numpy(self):
        return Column([[1, 2], [3, 4]])


@pytest.mark.parametrize(
    "what",
    [
        [1, 2.0],
        (1, 2),
        range(1, 3),
        [True, Fraction(2)],
        [Decimal(1), 2],
        Column([1, 2]),
        Series([1, 2]),
        [Column(1), 2],
        bytearray([1, 2]),
        Array([1, 2]),
    ],
)
def test_everything_that_holds_numbers_is_data(what):
    assert as_data(what) == Array([1.0, 2.0])
    assert all(type(v) is float for v in as_data(what).flat)


def test_tables_and_nested_mixtures_are_data():
    assert as_data(Frame()).tolist() == [[1.0, 2.0], [3.0, 4.0]]
    assert as_data([Array([1, 2]), (3, Column(4))]).tolist() == [[1.0, 2.0], [3.0, 4.0]]


@pytest.mark.parametrize("number", [3, True, 0.1, Fraction(1, 3), Decimal("0.1"), -0.0, math.inf])
def test_a_single_number_is_a_float(number):
    assert type(as_data(number)) is float
    assert as_data(number) == float(number)
    assert math.copysign(1.0, as_data(number)) == math.copysign(1.0, number)


@pytest.mark.parametrize(
    ("what", "message"),
    [
        ("12", "'12' is a str, not a real number"),
        (["1", "2"], "'1' is a str"),
        (b"1", "is a bytes"),
        (1j, "1j is a complex"),
        ([1, 2j], "2j is a complex"),
        (None, "None is a NoneType"),
        ({1: 2}, "is a dict"),
        ({1, 2}, "is a set"),
        (iter([1]), "iterator, not a real number"),
        ([Value(1.0), 2], "a list of Values is not data; join them with stack"),
    ],
)
def test_strangers_are_named(what, message):
    with pytest.raises(TypeError, match=message):
        as_data(what)


@pytest.mark.parametrize(
    ("what", "message"),
    [
        ([[1, 2], [3]], "ragged data: at depth 1 the lengths are 1 and 2"),
        ([[1], 2], "at depth 1 the lengths are 1 and a number"),
        ([[[1]], [[2, 3]]], "at depth 2 the lengths are 1 and 2"),
        ([[], [1]], "at depth 1 the lengths are 0 and 1"),
    ],
)
def test_ragged_lists_say_at_which_depth(what, message):
    with pytest.raises(ValueError, match=message):
        as_data(what)


@pytest.mark.parametrize("huge", [10**400, -(10**400), Fraction(10**400), Decimal("-1e400")])
def test_numbers_beyond_all_floats_are_an_error_not_infinity(huge):
    with pytest.raises(ValueError, match="beyond the largest float"):
        as_data([1.0, huge])
    assert as_data(Decimal("-Infinity")) == -math.inf


def test_an_array_of_a_single_number_is_refused():
    with pytest.raises(TypeError, match="3 is a single number; a single number is a float here"):
        Array(3)


# ---- an Array as an object -------------------------------------------------------------------


def test_arrays_do_not_change():
    a = Array([[1, 2], [3, 4]])
    with pytest.raises(TypeError, match="Arrays do not change"):
        a[0, 0] = 5.0
    with pytest.raises((TypeError, AttributeError)):
        del a[0]
    before = a
    a += 1
    assert before.tolist() == [[1.0, 2.0], [3.0, 4.0]]
    assert a.tolist() == [[2.0, 3.0], [4.0, 5.0]]
    before.tolist()[0][0] = 9.0
    assert before[0, 0] == 1.0


def test_data_is_copied_when_it_is_read():
    rows = [[1.0, 2.0], [3.0, 4.0]]
    a = Array(rows)
    rows[0][0] = 9.0
    assert a[0, 0] == 1.0


@given(arrays(st.tuples(SIZES, SIZES)))
def test_rows_columns_and_transposes_agree(a):
    lists = a.tolist()
    assert a.rows == lists
    assert a.columns == [[row[j] for row in lists] for j in range(a.shape[1])]
    assert a.T.rows == a.columns
    assert a.T.columns == a.rows
    assert a.T.T == a


@pytest.mark.parametrize("name", ["rows", "columns"])
def test_only_a_matrix_has_rows_and_columns(name):
    with pytest.raises(AttributeError, match=r"shape \(2,\) is no matrix"):
        getattr(Array([1, 2]), name)


def test_other_attributes_do_not_exist():
    with pytest.raises(AttributeError, match="an Array has no attribute 'grad'"):
        Array([1, 2]).grad


def test_equality_is_of_shape_and_numbers_and_hash_agrees():
    assert Array([1, 2]) == Array([1.0, 2.0])
    assert hash(Array([1, 2])) == hash(Array([1.0, 2.0]))
    assert Array([1, 2]) != Array([[1, 2]])
    assert Array([1, 2]) != [1.0, 2.0]
    assert zeros(0, 2) != zeros(2, 0)


@pytest.mark.parametrize(
    "make", [copy.copy, copy.deepcopy, lambda a: pickle.loads(pickle.dumps(a))]
)
def test_copies_and_pickles_are_equal(make):
    a = Array([[1, 2], [3, 4]])
    assert a.rows  # cut and kept, which a copy must not need
    assert make(a) == a
    assert make(a).columns == a.columns


def test_a_deep_copy_shares_nothing():
    a = Array([1, 2])
    assert copy.deepcopy(a).flat is not a.flat


def test_a_comparison_needs_to_be_reduced_before_it_is_a_truth():
    with pytest.raises(ValueError, match="neither true nor false; reduce it first"):
        bool(Array([1, 2]) < 3)
    assert not Array([0.0])
    assert Array([[2.0]])


def test_one_element_is_an_item_and_a_float():
    assert Array([[4]]).item() == float(Array([[4]])) == 4.0
    with pytest.raises(ValueError, match=r"item: an Array of shape \(2,\) has 2 elements"):
        Array([1, 2]).item()


def test_length_iteration_and_size():
    a = Array([[1, 2], [3, 4], [5, 6]])
    assert (len(a), a.ndim, a.size) == (3, 2, 6)
    assert [row.tolist() for row in a] == a.tolist()
    assert list(Array([1, 2])) == [1.0, 2.0]


def test_long_arrays_are_abbreviated_in_the_middle():
    assert repr(Array([1, 2])) == "Array([1.0, 2.0])"
    assert repr(Array(range(7))) == "Array([0.0, 1.0, 2.0, ..., 4.0, 5.0, 6.0])"
    assert repr(zeros(100, 100)).count("...") == 7
    assert repr(Array(range(6))).count("...") == 0


# ---- element by element ----------------------------------------------------------------------

OPERATORS = [
    operator.add,
    operator.sub,
    operator.mul,
    operator.lt,
    operator.le,
    operator.gt,
    operator.ge,
]


@given(st.data(), st.sampled_from(OPERATORS))
def test_operators_broadcast(draw, operate):
    full = draw.draw(SHAPES)
    a, b = draw.draw(arrays(shrunk(full))), draw.draw(arrays(shrunk(full)))
    assume(isinstance(a, Array) or isinstance(b, Array))
    shape, x, y = broadcast_shape(shape_of(a), shape_of(b)), table(a), table(b)
    expected = {
        i: float(operate(x[aligned(i, shape_of(a))], y[aligned(i, shape_of(b))]))
        for i in indices(shape)
    }
    assert same(operate(a, b), shape, expected)


@given(st.data())
def test_elementwise_broadcasts_any_number_of_arguments(draw):
    full = draw.draw(SHAPES)
    xs = [draw.draw(arrays(shrunk(full))) for _ in range(draw.draw(st.integers(1, 3)))]
    shape, tables = broadcast_shape(*map(shape_of, xs)), [table(x) for x in xs]
    f = lambda *numbers: sum(k * number for k, number in enumerate(numbers, start=1))
    expected = {
        i: f(*(t[aligned(i, shape_of(x))] for t, x in zip(tables, xs))) for i in indices(shape)
    }
    assert same(array.elementwise(f, *xs), shape, expected)


def test_operators_take_numbers_and_nested_lists_on_both_sides():
    a = Array([[1, 2], [4, 8]])
    assert (2 - a).tolist() == [[1.0, 0.0], [-2.0, -6.0]]
    assert ([1, 2] - a).tolist() == [[0.0, 0.0], [-3.0, -6.0]]
    assert (a - (1, 2)).tolist() == [[0.0, 0.0], [3.0, 6.0]]
    assert (8 / a).tolist() == [[8.0, 4.0], [2.0, 1.0]]
    assert (a**2).tolist() == [[1.0, 4.0], [16.0, 64.0]]
    assert (2**a).tolist() == [[2.0, 4.0], [16.0, 256.0]]
    assert ([1, 1] @ a).tolist() == [5.0, 10.0]
    assert (a @ [1, 1]).tolist() == [3.0, 12.0]
    assert ([3, 3] > a).tolist() == [[1.0, 1.0], [0.0, 0.0]]
    assert (-a).tolist() == [[-1.0, -2.0], [-4.0, -8.0]]
    assert abs(-a) == a
    assert (a + Fraction(1, 2))[0, 0] == 1.5


def test_limits_instead_of_exceptions_one_element_at_a_time():
    assert (Array([1, -1, 0, 4]) / Array([0, 0, 0, 2])).tolist()[:2] == [math.inf, -math.inf]
    assert math.isnan((Array([0, 1]) / [0, 1])[0])
    assert (Array([0.0, 2.0]) ** -1).tolist() == [math.inf, 0.5]
    assert math.isnan((Array([-8.0]) ** Fraction(1, 3)).item())


@pytest.mark.parametrize("stranger", ["ab", None, 1j, [[1], [2, 3]], [1, 2, 3]])
def test_operators_refuse_strangers_and_shapes_that_do_not_fit(stranger):
    for operate in OPERATORS[:3]:
        with pytest.raises((TypeError, ValueError)):
            operate(Array([1, 2]), stranger)
        with pytest.raises((TypeError, ValueError)):
            operate(stranger, Array([1, 2]))


# ---- broadcasting and its adjoint ------------------------------------------------------------


@given(st.data())
def test_broadcast_to_copies(draw):
    shape = draw.draw(SHAPES)
    x = draw.draw(arrays(shrunk(shape)))
    t = table(x)
    assert same(
        array.broadcast_to(x, shape), shape, {i: t[aligned(i, shape_of(x))] for i in indices(shape)}
    )


@given(st.data())
def test_sum_to_adds_what_broadcasting_would_copy(draw):
    x = draw.draw(arrays())
    shape = draw.draw(shrunk(shape_of(x)))
    sums = dict.fromkeys(indices(shape), 0.0)
    for index, v in table(x).items():
        sums[aligned(index, shape)] += v
    assert same(array.sum_to(x, shape), shape, sums)


@pytest.mark.parametrize(
    ("x", "shape"), [([1, 2], (3,)), ([[1, 2]], (2,)), ([1, 2], ()), (2.0, (-1,))]
)
def test_broadcast_to_refuses_to_shrink(x, shape):
    with pytest.raises(ValueError, match="broadcast_to|do not fit"):
        array.broadcast_to(as_data(x), shape)


@pytest.mark.parametrize(("x", "shape"), [([1, 2], (1, 2)), (3.0, (1,)), ([[1, 2]], (3, 2))])
def test_sum_to_refuses_to_stretch(x, shape):
    with pytest.raises(ValueError, match="sum_to|do not fit"):
        array.sum_to(as_data(x), shape)


# ---- reductions ------------------------------------------------------------------------------


@st.composite
def some_axes(draw, x):
    """axis= as users give it: None, an int, or a tuple; and the axes that it means."""
    ndim = len(shape_of(x))
    axes = draw(st.lists(st.integers(0, ndim - 1), unique=True)) if ndim else []
    named = tuple(a - ndim if draw(st.booleans()) else a for a in axes)
    if len(axes) == ndim and draw(st.booleans()):
        return None, tuple(range(ndim))
    if len(axes) == 1 and draw(st.booleans()):
        return named[0], tuple(axes)
    return named, tuple(sorted(axes))


def groups(x, axes, keepdims):
    """The numbers of each group that differ only along axes, by the index of the result."""
    found = {}
    shape = shape_of(x)
    kept = tuple(1 if a in axes else n for a, n in enumerate(shape) if keepdims or a not in axes)
    for index in indices(kept):
        found[index] = []
    for index, v in table(x).items():
        short = tuple(
            0 if a in axes else i for a, i in enumerate(index) if keepdims or a not in axes
        )
        found[short].append(v)
    return kept, found


@given(st.data(), st.booleans())
def test_reduce_applies_a_function_to_each_group_in_order(draw, keepdims):
    x = draw.draw(arrays())
    axis, axes = draw.draw(some_axes(x))
    in_order = lambda numbers: sum(v * 3.0**-k for k, v in enumerate(numbers))
    shape, expected = groups(x, axes, keepdims)
    expected = {index: float(in_order(numbers)) for index, numbers in expected.items()}
    assert same(array.reduce(in_order, x, axis, keepdims), shape, expected)


@given(st.data())
def test_along_replaces_each_group(draw):
    x = draw.draw(arrays())
    axis, axes = draw.draw(some_axes(x))
    if not isinstance(x, Array):
        assert array.along(lambda numbers: [v + 1 for v in numbers], x, axis) == x + 1
        return
    _, found = groups(x, axes, True)
    running = {}  # the running sum along the axes: depends on the group and on the order in it
    for key, numbers in found.items():
        members = [
            i for i in indices(x.shape) if all(a in axes or i[a] == key[a] for a in range(x.ndim))
        ]
        running.update({i: sum(numbers[: k + 1]) for k, i in enumerate(members)})

    def accumulate(numbers):
        return [sum(numbers[: k + 1]) for k in range(len(numbers))]

    assert same(array.along(accumulate, x, axis), x.shape, running)


# ---- shapes ----------------------------------------------------------------------------------


@given(arrays(), st.data())
def test_reshape_keeps_the_order(x, draw):
    size = x.size if isinstance(x, Array) else 1
    other = draw.draw(st.sampled_from([(size,), (1, size), (size, 1, 1), shape_of(x)]))
    flat = list(table(x).values())
    assert same(array.reshape(x, other), other, dict(zip(indices(other), flat)))


@given(arrays(st.lists(st.integers(1, 4), min_size=1, max_size=4).map(tuple)), st.data())
def test_reshape_finds_the_size_that_is_left(x, draw):
    at = draw.draw(st.integers(0, x.ndim - 1))
    asked = tuple(-1 if a == at else n for a, n in enumerate(x.shape))
    assert array.reshape(x, asked) == x


@pytest.mark.parametrize("shape", [(4,), (-1, 4), (-1, -1), (-1, -1, -1), (-2, -3), (0, -1), ()])
def test_reshape_says_what_was_asked_for(shape):
    with pytest.raises(ValueError) as error:
        array.reshape(Array([[1, 2, 3], [4, 5, 6]]), shape)
    assert str(error.value) == f"reshape: (2, 3) has 6 elements, {shape} has not"


@given(arrays(), st.data())
def test_transpose_moves_axes(x, draw):
    shape = shape_of(x)
    order = draw.draw(st.permutations(range(len(shape))))
    named = [a - len(shape) if draw.draw(st.booleans()) else a for a in order]
    expected = {tuple(index[a] for a in order): v for index, v in table(x).items()}
    assert same(array.transpose(x, named), tuple(shape[a] for a in order), expected)
    backwards = {tuple(reversed(index)): v for index, v in table(x).items()}
    assert same(array.transpose(x), tuple(reversed(shape)), backwards)


@pytest.mark.parametrize("axes", [(0,), (0, 0), (0, 2), (2, 3), (0, 1, 2), (0, -3)])
def test_transpose_needs_each_axis_once(axes):
    with pytest.raises(ValueError, match=r"does not name each axis of \(1, 3\) once"):
        array.transpose(Array([[1, 2, 3]]), axes)


@given(st.data())
def test_concatenate_puts_one_after_the_other(draw):
    shape = draw.draw(SHAPES.filter(bool))
    axis = draw.draw(st.integers(0, len(shape) - 1))
    named = axis - len(shape) if draw.draw(st.booleans()) else axis
    sizes = draw.draw(st.lists(SIZES, min_size=1, max_size=3))
    parts = [draw.draw(arrays(st.just(shape[:axis] + (n,) + shape[axis + 1 :]))) for n in sizes]
    expected, start = {}, 0
    for part in parts:
        for index, v in table(part).items():
            expected[index[:axis] + (start + index[axis],) + index[axis + 1 :]] = v
        start += part.shape[axis]
    joined = shape[:axis] + (start,) + shape[axis + 1 :]
    assert same(array.concatenate(parts, named), joined, expected)


def test_concatenate_says_what_does_not_fit():
    with pytest.raises(ValueError, match="differ on another axis than 0"):
        array.concatenate([Array([[1, 2]]), Array([[1, 2, 3]])])
    with pytest.raises(ValueError, match="differ"):
        array.concatenate([Array([1, 2]), Array([[1, 2]])])
    with pytest.raises(ValueError, match="differ"):
        array.concatenate([zeros(2, 3), zeros(2)], 1)
    with pytest.raises(ValueError, match="single numbers: stack"):
        array.concatenate([1.0, 2.0])
    with pytest.raises(ValueError, match="needs Arrays"):
        array.concatenate([])
    with pytest.raises(ValueError, match="axis 1 does not exist"):
        array.concatenate([Array([1, 2])], 1)


# ---- products --------------------------------------------------------------------------------


def product_of(a, b):
    """matmul by its definition: for each pair of matrices, rows times columns."""
    x, y = table(a), table(b)
    left, right = a.shape, b.shape
    if a.ndim == 1:
        x, left = {(0, *i): v for i, v in x.items()}, (1, *a.shape)
    if b.ndim == 1:
        y, right = {(*i, 0): v for i, v in y.items()}, (*b.shape, 1)
    lead = broadcast_shape(left[:-2], right[:-2])
    found = {}
    for where in indices(lead):
        p, q = aligned(where, left[:-2]), aligned(where, right[:-2])
        for i in range(left[-2]):
            for j in range(right[-1]):
                total = sum(x[*p, i, k] * y[*q, k, j] for k in range(left[-1]))
                rows = (i,) if a.ndim > 1 else ()
                columns = (j,) if b.ndim > 1 else ()
                found[*where, *rows, *columns] = float(total)
    rows = (left[-2],) if a.ndim > 1 else ()
    columns = (right[-1],) if b.ndim > 1 else ()
    return (*lead, *rows, *columns), found


@given(st.data())
def test_matmul_is_rows_times_columns(draw):
    inner = draw.draw(SIZES)
    lead = draw.draw(st.lists(SIZES, max_size=2).map(tuple))
    left = draw.draw(st.sampled_from([(), (1,), (2,), (3,), (0,)]))
    right = draw.draw(st.sampled_from([(), (1,), (2,), (3,), (0,)]))
    a = draw.draw(arrays(st.just((*(draw.draw(shrunk(lead)) if left else ()), *left, inner))))
    b = draw.draw(arrays(st.just((*(draw.draw(shrunk(lead)) if right else ()), inner, *right))))
    shape, expected = product_of(a, b)
    assert same(array.matmul(a, b), shape, expected)


@pytest.mark.parametrize(
    ("left", "right", "message"),
    [
        ((4, 3), (2, 1), "matmul: (4, 3) @ (2, 1): inner sizes 3 and 2 differ"),
        ((4, 3), (4, 1), "inner sizes 3 and 4 differ; did you mean the transpose?"),
        ((4, 3), (2, 3), "inner sizes 3 and 2 differ; did you mean the transpose?"),
        (
            (4, 3),
            (4,),
            "matmul: (4, 3) @ (4,): inner sizes 3 and 4 differ; did you mean the transpose?",
        ),
        ((3,), (2,), "matmul: (3,) @ (2,): inner sizes 3 and 2 differ"),
    ],
)
def test_matmul_names_the_sizes_and_suggests_a_transpose_where_it_helps(left, right, message):
    with pytest.raises(ValueError) as error:
        zeros(*left) @ zeros(*right)
    assert message in str(error.value)
    assert ("transpose" in str(error.value)) == ("transpose" in message)


def test_matmul_with_a_number_points_to_multiplication():
    for operate in (lambda: Array([1, 2]) @ 2, lambda: 2 @ Array([1, 2])):
        with pytest.raises(ValueError, match="a single number has no rows; multiply by it with"):
            operate()


def test_stacks_that_do_not_fit_are_refused():
    with pytest.raises(ValueError, match="do not fit"):
        zeros(2, 1, 2) @ zeros(3, 2, 1)


# ---- indexing --------------------------------------------------------------------------------

INDICES = [
    0,
    -1,
    slice(None),
    slice(None, None, -1),
    (slice(1, None), 0),
    (..., 1),
    (None, 1),
    ([0, 1, 1],),
    [1, 0, 1],
    (slice(None), [2, 2, 0]),
    ([0, 1], [1, 2]),
    (0, [1, 1]),
    (0, 1),
    (0, 1, 2),
    ([], slice(None)),
    (0, []),
    (..., None, [0, 3]),
]


@pytest.mark.parametrize("index", INDICES, ids=str)
def test_scatter_is_the_adjoint_of_take(index):
    """<take(x), g> = <x, scatter(g)>: so the rule of the one is the other."""
    shape = (2, 3, 4)
    x = from_flat([float((7 * i) % 11 - 5) for i in range(24)], shape)
    taken = array.take(x, index)
    size = taken.size if isinstance(taken, Array) else 1
    g = [float((5 * i) % 7 - 3) for i in range(size)]
    g = from_flat(g, taken.shape) if isinstance(taken, Array) else g[0]
    inner = lambda a, b: sum(v * w for v, w in zip(table(a).values(), table(b).values()))
    put = array.scatter_add(g, index, shape)
    assert put.shape == shape
    assert inner(taken, g) == inner(x, put)


def test_taking_from_nested_lists_is_taking_from_arrays():
    lists = [[[float(100 * i + 10 * j + k) for k in range(4)] for j in range(3)] for i in range(2)]
    a = Array(lists)
    assert a[1].tolist() == lists[1]
    assert a[0, 2].tolist() == lists[0][2]
    assert a[0, 2, 3] == lists[0][2][3] == 23.0
    assert a[..., 1].tolist() == [[row[1] for row in matrix] for matrix in lists]
    assert a[::-1, 1:].tolist() == [matrix[1:] for matrix in reversed(lists)]
    assert a[[0, 1, 0], [2, 1, 0]].tolist() == [lists[0][2], lists[1][1], lists[0][0]]


def test_scatter_adds_where_positions_repeat():
    assert array.scatter_add(as_data([1, 2, 4]), [0, 0, 2], (3,)).tolist() == [3.0, 0.0, 4.0]
    assert array.scatter_add(1.0, ([0, 1], [1, 0]), (2, 2)).tolist() == [[0.0, 1.0], [1.0, 0.0]]


@given(arrays(st.lists(st.integers(1, 3), min_size=1, max_size=3).map(tuple), WHOLE))
def test_data_by_index_is_what_it_was_made_of(x):
    assert data(x.shape, table(x)) == x
