"""Shapes against definitions index by index, and the errors that name what does not fit."""

import math
from itertools import product

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from oracles import SHAPES, indices, shrunk

from tinygrad_lr.core.shapes import broadcast_shape, normal_axes, positions, strides


@given(SHAPES)
def test_strides_lead_to_each_element_in_row_major_order(shape):
    steps = strides(shape)
    flat = [sum(i * step for i, step in zip(index, steps)) for index in indices(shape)]
    assert flat == list(range(math.prod(shape)))


# ---- broadcasting ----------------------------------------------------------------------------


@given(st.data())
def test_shapes_shrunk_from_one_shape_stretch_back_to_no_more_than_it(data):
    shape = data.draw(SHAPES)
    shapes = [data.draw(shrunk(shape)) for _ in range(data.draw(st.integers(1, 3)))]
    common = broadcast_shape(*shapes)
    assert broadcast_shape(common, shape) == shape
    for axis in range(1, len(common) + 1):
        sizes = [s[-axis] for s in shapes if len(s) >= axis]
        assert common[-axis] == (next((n for n in sizes if n != 1), 1))
    assert len(common) == max(map(len, shapes))


@given(SHAPES, SHAPES)
def test_broadcasting_two_shapes_is_refused_exactly_where_sizes_differ(a, b):
    pairs = list(zip(reversed(a), reversed(b)))
    if all(m == n or m == 1 or n == 1 for m, n in pairs):
        assert broadcast_shape(a, b) == broadcast_shape(b, a)
    else:
        with pytest.raises(ValueError, match="do not fit"):
            broadcast_shape(a, b)


def test_size_zero_stretches_only_size_one():
    assert broadcast_shape((0,), (1,)) == (0,)
    with pytest.raises(ValueError, match="sizes 0 and 2"):
        broadcast_shape((0,), (2,))


def test_error_names_the_shapes_the_axis_and_the_sizes():
    with pytest.raises(ValueError) as error:
        broadcast_shape((2, 3, 4), (2, 4))
    assert str(error.value) == (
        "shapes (2, 3, 4) and (2, 4) do not fit: axis -2 has sizes 2 and 3, "
        "which must be equal or 1"
    )


# ---- axes ------------------------------------------------------------------------------------


@given(st.integers(0, 5), st.data())
def test_axes_are_counted_from_either_end(ndim, data):
    chosen = data.draw(st.lists(st.integers(0, max(ndim - 1, 0)), unique=True, max_size=ndim))
    assume(ndim or not chosen)
    named = [a - ndim if data.draw(st.booleans()) else a for a in chosen]
    assert normal_axes(named, ndim) == tuple(sorted(chosen))


def test_axis_none_means_all_and_an_empty_tuple_none():
    assert normal_axes(None, 3) == (0, 1, 2)
    assert normal_axes((), 3) == ()
    assert normal_axes(-1, 3) == (2,)


@pytest.mark.parametrize(("axis", "ndim"), [(2, 2), (-3, 2), (0, 0), (-1, 0), ((0, 5), 3)])
def test_an_axis_that_does_not_exist_is_named(axis, ndim):
    with pytest.raises(ValueError, match=f"axis -?[0-9] does not exist; there are {ndim} axes"):
        normal_axes(axis, ndim)


@pytest.mark.parametrize("axis", [(0, 0), (1, -1)])
def test_an_axis_named_twice_is_refused(axis):
    with pytest.raises(ValueError, match="names the same axis twice"):
        normal_axes(axis, 2)


# ---- positions -------------------------------------------------------------------------------


@st.composite
def indexed(draw):
    """A shape, an index of ints, slices, `...` and None, and the choices along each axis."""
    shape = draw(SHAPES)
    whole = draw(st.integers(0, len(shape)))  # so many axes at the end are taken whole
    items, choices, result = [], [], []
    for n in shape[: len(shape) - whole]:
        item = draw(st.integers(-n, n - 1) if n and draw(st.booleans()) else st.slices(n))
        items.append(item)
        if isinstance(item, slice):
            choices.append(list(range(n))[item])
            result.append(len(choices[-1]))
        else:
            choices.append([item % n])
    for n in shape[len(shape) - whole :]:
        choices.append(list(range(n)))
        result.append(n)
    items += draw(st.sampled_from([[slice(None)] * whole, [], [...]]))
    if draw(st.booleans()):
        items.insert(0, None)
        result.insert(0, 1)
    return shape, tuple(items), choices, tuple(result)


@given(indexed())
def test_ints_slices_ellipsis_and_new_axes_choose_along_each_axis(case):
    shape, index, choices, result = case
    steps = strides(shape)
    expected = [sum(i * step for i, step in zip(chosen, steps)) for chosen in product(*choices)]
    assert positions(index, shape) == (expected, result)
    if len(index) == 1:
        assert positions(index[0], shape) == (expected, result)


@given(st.data())
def test_lists_are_read_in_pairs_and_an_int_joins_them(data):
    shape = data.draw(st.tuples(*[st.integers(1, 4)] * 3))
    count = data.draw(st.integers(0, 4))
    rows = data.draw(st.lists(st.integers(-shape[0], shape[0] - 1), min_size=count, max_size=count))
    columns = data.draw(st.lists(st.integers(0, shape[1] - 1), min_size=count, max_size=count))
    at = lambda i, j, k: ((i % shape[0]) * shape[1] + j) * shape[2] + k
    depth = range(shape[2])
    assert positions((rows, columns), shape) == (
        [at(i, j, k) for i, j in zip(rows, columns) for k in depth],
        (count, shape[2]),
    )
    assert positions((rows, 0), shape) == (
        [at(i, 0, k) for i in rows for k in depth],
        (count, shape[2]),
    )
    assert positions((slice(None), 0, [-1] * count), shape) == (
        [at(i, 0, shape[2] - 1) for i in range(shape[0]) for _ in range(count)],
        (shape[0], count),
    )


def test_an_index_may_be_anything_with_tolist_or_index():
    class Whole:
        def __index__(self):
            return 1

    class Column:
        def tolist(self):
            return [2, 0]

    assert positions(Whole(), (3,)) == ([1], ())
    assert positions(Column(), (3,)) == ([2, 0], (2,))
    assert positions(range(2), (3,)) == ([0, 1], (2,))


@pytest.mark.parametrize(
    ("index", "message"),
    [
        (3, r"index 3 is outside axis 0 of shape \(3, 2\)"),
        ((0, -3), r"index -3 is outside axis 1 of shape \(3, 2\)"),
        (([0, 7], 0), r"index 7 is outside axis 0 of shape \(3, 2\)"),
        ((0, 0, 0), "too many parts"),
        ((..., ...), "too many parts"),
        (1.0, r"index 1.0 is a float; .* \(to choose by a condition: where\)"),
        (True, "index True is a bool"),
        ([True, False, True], "index True is a bool"),
        ("a", "index 'a' is a str"),
        (([0, 1], [0, 1, 1]), "lists of different lengths"),
        (([0, 1], None, [0, 1]), "lists with a slice between them"),
    ],
)
def test_errors_name_the_index(index, message):
    with pytest.raises(IndexError, match=message):
        positions(index, (3, 2))


def test_lists_on_both_sides_of_a_slice_are_refused_with_a_way_out():
    with pytest.raises(IndexError, match="index twice instead"):
        positions(([0], slice(None), [1]), (2, 2, 2))
