"""Batches and splits: which rows come, in which order, and that the order can be repeated."""

from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tinygrad_lr.data import Batches, check_data, train_test_split

sizes = st.integers(1, 40)


class Whole:
    """A whole number as numpy's are: no int, but with `__index__`."""

    def __init__(self, number):
        self.number = number

    def __index__(self):
        return self.number


def rows_of(n):
    """n rows that can be told apart, the target too."""
    return [[float(i), 10.0 * i] for i in range(n)], [float(i) for i in range(n)]


@given(n=sizes, batch_size=st.one_of(st.none(), st.integers(1, 50)), shuffle=st.booleans())
@settings(deadline=None, derandomize=True)
def test_an_epoch_has_each_row_once_with_its_target(n, batch_size, shuffle):
    batches = Batches(*rows_of(n), batch_size, shuffle)
    got = list(batches)
    assert len(got) == len(batches)
    seen = [(row, target) for X, y in got for row, target in zip(X.tolist(), y.tolist())]
    assert all(row == [target, 10.0 * target] for row, target in seen)
    assert sorted(target for _, target in seen) == [float(i) for i in range(n)]
    full = batch_size or n
    assert [len(y) for _, y in got[:-1]] == [full] * (len(got) - 1)
    assert all(X.rows == X.tolist() and X.flat == sum(X.rows, []) for X, _ in got)


def test_without_shuffling_rows_come_in_order():
    got = [y.tolist() for _, y in Batches(*rows_of(5), 2, shuffle=False)]
    assert got == [[0.0, 1.0], [2.0, 3.0], [4.0]]


def test_every_epoch_has_its_own_order_which_can_be_repeated():
    def orders(batches, epochs):
        return [[t for _, y in batches for t in y] for _ in range(epochs)]

    first, second = orders(Batches(*rows_of(30), 4, seed=1), 2)
    assert first != second
    assert orders(Batches(*rows_of(30), 7, seed=1), 2) == [first, second]
    assert orders(Batches(*rows_of(30), 4, seed=2), 1) != [first]
    resumed = Batches(*rows_of(30), 4, seed=1)
    resumed.load_state_dict(resumed.state_dict() | {"epoch": 1})
    assert orders(resumed, 1) == [second]
    assert resumed.state_dict() == {"epoch": 2, "batch_size": 4, "shuffle": True, "seed": 1}


@pytest.mark.parametrize(
    ("saved", "message"),
    [
        ({"seed": 1}, "seed was 1; now it is 0.*start afresh"),
        ({"batch_size": None}, "batch_size was None; now it is 4"),
        ({"shuffle": False}, "shuffle was False; now it is True"),
        ({"epoch": -1}, "epoch is -1"),
        ({"epoch": "1"}, "epoch is '1'"),
    ],
)
def test_a_state_of_other_batches_is_refused(saved, message):
    batches = Batches(*rows_of(30), 4)
    with pytest.raises(ValueError, match=message):
        batches.load_state_dict(batches.state_dict() | saved)
    assert batches.epoch == 0


def test_batch_descent_gets_the_same_objects_every_epoch():
    batches = Batches(*rows_of(5))
    [(X, y)], [(again, _)] = list(batches), list(batches)
    assert X is again and X is batches.X and y is batches.y


@pytest.mark.parametrize("batch_size", [0, -1, 2.0, True, "3"])
def test_refuses_a_batch_size_that_is_none(batch_size):
    with pytest.raises(ValueError, match="batch_size"):
        Batches(*rows_of(3), batch_size)


def test_whole_numbers_of_any_kind_will_do():
    batches, plain = Batches(*rows_of(9), Whole(2), seed=Whole(5)), Batches(*rows_of(9), 2, seed=5)
    assert list(batches) == list(plain) and batches.state_dict() == plain.state_dict()
    split = train_test_split(*rows_of(9), Whole(3), Whole(5))
    assert split == train_test_split(*rows_of(9), 3, 5)
    assert split == train_test_split(*rows_of(9), Fraction(1, 3), 5)  # and a share is any number
    with pytest.raises(ValueError, match="batch_size is <.*Whole.*at least 1"):
        Batches(*rows_of(9), Whole(0))
    with pytest.raises(ValueError, match="seed is '5'; it must be a whole number"):
        Batches(*rows_of(9), 2, seed="5")


@given(n=st.integers(2, 60), share=st.floats(0.01, 0.99), seed=st.integers(0, 5))
@settings(deadline=None, derandomize=True)
def test_a_split_is_a_partition(n, share, seed):
    X, y = rows_of(n)
    if not 0 < round(n * share) < n:
        with pytest.raises(ValueError, match="empty"):
            train_test_split(X, y, share, seed)
        return
    X_train, X_test, y_train, y_test = train_test_split(X, y, share, seed)
    assert len(y_test) == round(n * share) == len(X_test)
    assert sorted(y_train.tolist() + y_test.tolist()) == y
    assert all(row[0] == t for row, t in zip(X_train.tolist(), y_train))
    again = train_test_split(X, y, share, seed)
    assert again == (X_train, X_test, y_train, y_test)


def test_another_seed_is_another_split():
    assert train_test_split(*rows_of(50), seed=0) != train_test_split(*rows_of(50), seed=1)


def test_a_split_takes_a_number_of_rows_and_shuffles():
    _, _, _, y_test = train_test_split(*rows_of(50), test_size=10)
    assert len(y_test) == 10 and y_test.tolist() != sorted(y_test)
    for bad in 0, 50, 1.0, 0.0, True, -3, float("nan"), float("inf"), "0.25", None:
        with pytest.raises(ValueError, match="test_size"):
            train_test_split(*rows_of(50), test_size=bad)


@pytest.mark.parametrize(
    "X, y, message",
    [
        ([[1.0, 2.0], [3.0, float("nan")]], [0, 1], "nan in row 1, column 1"),
        ([[float("inf"), 2.0]], [0], "inf in row 0, column 0"),
        ([[1.0], [2.0]], [0, float("nan")], "y: nan in row 1"),
        ([[1.0], [2.0]], [0], "2 rows"),
        ([[1.0], [2.0]], [[0], [1]], r"flatten it to \(n,\)"),
        ([1.0, 2.0], [0, 1], "a single feature is a column"),
        ([], [], "rows and columns"),
        ([[], []], [0, 1], "rows and columns"),
        (3.0, [0], "rows and columns"),
    ],
)
def test_bad_data_is_refused_at_the_door(X, y, message):
    with pytest.raises(ValueError, match=message):
        Batches(X, y)
    with pytest.raises(ValueError, match=message):
        train_test_split(X, y)


def test_a_column_is_named_if_its_name_is_known():
    with pytest.raises(ValueError, match=r"nan in row 0, column 1 \('age'\)"):
        check_data([[1.0, float("nan")]], [0], ["size", "age"])
