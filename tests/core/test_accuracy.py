"""The targets of `tests/benchmarks/accuracy.py`, held on some hundred inputs of each kind."""

import decimal
import importlib.util
import math
from decimal import Decimal
from pathlib import Path
from random import Random

import pytest

PATH = Path(__file__).parents[1] / "benchmarks" / "accuracy.py"
spec = importlib.util.spec_from_file_location("accuracy", PATH)
accuracy = importlib.util.module_from_spec(spec)
spec.loader.exec_module(accuracy)

NAMES = [name for group in accuracy.GROUPS for name in group.functions]


@pytest.fixture(autouse=True)
def digits():
    with decimal.localcontext(accuracy.CONTEXT):
        yield


@pytest.mark.parametrize("name", NAMES)
def test_the_targets_are_met(name):
    results = accuracy.measure([name], 150, {})
    assert accuracy.missed(results) == []
    for by_kind in results[""][name].values():
        assert list(by_kind) == accuracy.KINDS
        assert all(errors["count"] > 0 for errors in by_kind.values())


def test_targets_name_what_is_measured():
    assert {name for name, _ in accuracy.TARGETS} <= set(NAMES)
    assert {order for _, order in accuracy.TARGETS} <= set(accuracy.ORDERS)


GROUPS = pytest.mark.parametrize(
    "group", accuracy.GROUPS, ids=lambda group: "-".join(group.functions)
)


@GROUPS
def test_what_is_called_exact_has_the_slopes_it_is_said_to_have(group):
    """By difference quotients in Decimals: 50 digits, of which some thirty are left."""
    random, h = Random(1), Decimal("1e-12")
    for _ in range(20):
        args = list(map(Decimal, group.draw("ordinary", random)))
        for name, (_, firsts, seconds) in group.exact(*args).items():
            for i in range(group.differentiated):
                by = lambda d, i=i: [x + d if j == i else x for j, x in enumerate(args)]
                above, below = group.exact(*by(h))[name], group.exact(*by(-h))[name]
                slope = lambda up, down: (up - down) / (2 * h)
                assert near(firsts[i], slope(above[0], below[0]))
                for (j, k), second in zip(accuracy.upper(group.differentiated), seconds):
                    if k == i:
                        assert near(second, slope(above[1][j], below[1][j]))


def near(x, y):
    return abs(x - y) <= Decimal("1e-15") * max(1, abs(x), abs(y))


def test_a_bad_formula_and_a_lost_limit_are_noticed(monkeypatch):
    def textbook(x):
        return 1 / (1 + accuracy.tg.exp(-x))

    (group, *_) = accuracy.GROUPS
    monkeypatch.setitem(group.functions, "sigmoid", textbook)
    missed = accuracy.missed(accuracy.measure(["sigmoid"], 300, {}))
    assert {order for _, order, _ in missed} >= {"value", "first", "on graph"}
    assert any("NaN where there is a limit" in why for _, _, why in missed)


def test_errors_are_counted_in_units_of_the_last_place():
    errors = accuracy.Errors()
    errors.add(1.0 + 2.0**-52, Decimal(1), "a")
    errors.add(1.0, Decimal(1), "b")
    errors.add(math.nan, Decimal(1), "c")
    errors.add(1.0, accuracy.NAN, "nothing is exact here")
    assert errors.told() == {
        "worst": 1.0, "at": "a", "mean": 0.5, "count": 2, "nans": 1, "nan at": "c",
    }  # fmt: skip
    errors.add(1.0, Decimal("1e400"), "d")
    errors.add(math.inf, Decimal("1e400"), "e")
    assert errors.told()["worst"] == math.inf
