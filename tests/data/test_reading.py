"""CSV files, good and bad, and the tables that come along."""

import csv

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tinygrad_lr.data import load_breast_cancer, load_digits, load_iris, read_csv

numbers = st.floats(allow_nan=False, allow_infinity=False)


@pytest.fixture
def write(tmp_path):
    def write(text, encoding="utf-8"):
        path = tmp_path / "table.csv"
        path.write_bytes(text.encode(encoding))
        return path

    return write


@given(rows=st.lists(st.tuples(numbers, numbers, st.sampled_from("cab")), min_size=1))
@settings(deadline=None, derandomize=True, max_examples=50)
def test_numbers_come_back_exactly(rows, tmp_path_factory):
    path = tmp_path_factory.mktemp("csv") / "table.csv"
    with open(path, "w", newline="") as file:
        csv.writer(file).writerows([["x", "y, z", "kind"], *rows])
    data = read_csv(path, target="kind")
    assert data.X.tolist() == [[x, y] for x, y, _ in rows]
    assert data.feature_names == ("x", "y, z")
    assert data.target_names == tuple(sorted({kind for *_, kind in rows}))
    assert [data.target_names[int(code)] for code in data.y] == [kind for *_, kind in rows]


def test_the_target_may_stand_anywhere_and_quotes_and_byte_order_marks_are_read(write):
    data = read_csv(write('﻿"a",y,b\r\n1,0,"2.5"\r\n\r\n3,1,4e2\r\n'), target="y")
    assert data.X.tolist() == [[1.0, 2.5], [3.0, 400.0]] and data.feature_names == ("a", "b")
    assert data.y.tolist() == [0.0, 1.0] and data.target_names == ("0", "1")


def test_a_target_of_numbers_is_kept(write):
    data = read_csv(write("a,y\n1,2.5\n2,-1\n"), target="y")
    assert data.y.tolist() == [2.5, -1.0] and data.target_names == ()
    assert repr(data) == "Dataset(2 rows, 1 features, target a number)"
    data = read_csv(write("\na,y\n1,2\n2,-0\n3,-1\n"), target="y")
    assert data.y.tolist() == [2.0, 0.0, -1.0] and data.target_names == ("-1", "0", "2")
    assert repr(data) == "Dataset(3 rows, 1 features, target -1, 0, 2)"


def test_the_repr_stays_short_with_many_classes(write):
    lines = "".join(f"{i},{i}\n" for i in range(300))
    assert repr(read_csv(write("a,y\n" + lines), target="y")).endswith("target 0, 1, 2, ..., 299)")


@pytest.mark.parametrize(
    "text, target, message",
    [
        ("", "y", "is empty"),
        ("a,y\n", "y", "no row below"),
        ("a,a,y\n1,2,0\n", "y", "names 'a' twice"),
        ("a,diagnosis\n1,0\n", "diagnoses", "did you mean 'diagnosis'"),
        ("a,y\n1,0\n", "zzz", "columns are a, y"),
        ("y\n1\n", "y", "nothing to learn from"),
        ("a,b,y\n1,2,0\n1,2\n", "y", "line 3: 2 fields, but the header names 3"),
        ("a,b,y\n1,2,0\n1,2,3,4\n", "y", "line 3: 4 fields"),
        ("a,b,y\n1,2,0\n1,two,1\n", "y", "line 3, column 'b': 'two' is no number"),
        ("a,b,y\n1,,0\n", "y", "line 2, column 'b': the field is empty"),
        ("a,b,y\n1,nan,0\n", "y", "line 2, column 'b': 'nan' is not finite"),
        ("a,b,y\n1,1e999,0\n", "y", "line 2, column 'b': '1e999' is not finite"),
        ("a,b,y\n1,1_000,0\n", "y", "line 2, column 'b': '1_000' is no number"),
        ("a,y\n1,0\n\n2, \n", "y", "line 4, column 'y': the field is empty"),
        ("a,y\n1,0\n\n2,inf\n", "y", "line 4, column 'y': 'inf' is not finite"),
        ("a,y\n1,0\n\n2,1\n3,NA\n4,?\n", "y", "line 5, column 'y': 'NA' is no number"),
        ("a,y\n1,1.5\n2,2.5\n3,1_000\n", "y", "line 4, column 'y': '1_000' is no number"),
        ("a,y\n1,yes\n2,nan\n", "y", "line 2, column 'y': 'yes' is no number"),
        ("a,,y\n1,2,0\n", "y", "column 2 of the header has no name"),
        ("\n\n", "y", "is empty"),
        ('a,y\n1,"0\n', "y", "line 2"),
        ('"two\nlines",y\n1,0\nx,1\n', "y", "line 4"),
    ],
)
def test_says_what_is_wrong_and_where(write, text, target, message):
    with pytest.raises(ValueError, match=message):
        read_csv(write(text), target=target)


def test_a_file_that_is_no_text_or_not_there(write, tmp_path):
    with pytest.raises(ValueError, match="table.csv is no UTF-8 text .*0xe4.*save it as UTF-8"):
        read_csv(write("a,y\n1,ä\n", encoding="latin-1"), target="y")
    with pytest.raises(FileNotFoundError):
        read_csv(tmp_path / "none.csv", target="y")


@pytest.mark.parametrize(
    "load, shape, counts, first",
    [
        (load_breast_cancer, (569, 30), [212, 357], 17.99),
        (load_iris, (150, 4), [50, 50, 50], 5.1),
        (load_digits, (1797, 64), [178, 182, 177, 183, 181, 182, 181, 179, 174, 180], 0.0),
    ],
)
def test_the_tables_that_come_along(load, shape, counts, first):
    data = load()
    assert data.X.shape == shape and len(data.feature_names) == shape[1]
    assert [data.y.flat.count(float(k)) for k in range(len(counts))] == counts
    assert len(data.target_names) == len(counts) and data.X[0, 0] == first
    assert "CC BY 4.0" in data.description
    assert f"{shape[0]} rows" in repr(data) and len(repr(data)) < 200
