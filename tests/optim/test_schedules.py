"""Functions from step number to learning rate."""

import itertools
import math

import pytest

from tinygrad_lr.optim import schedules
from tinygrad_lr.optim.schedules import (
    constant, cosine_decay, exponential_decay, inverse_time_decay, step_decay, warmup,
)  # fmt: skip

DECAYING = [
    constant(0.3),
    step_decay(0.3, every=7, factor=0.5),
    exponential_decay(0.3, factor=0.95),
    inverse_time_decay(0.3, decay=0.1),
    cosine_decay(0.3, steps=50, final=0.01),
    cosine_decay(0.3, steps=50),
]


@pytest.mark.parametrize("schedule", DECAYING)
def test_begins_with_the_rate_and_never_grows(schedule):
    rates = [schedule(step) for step in range(200)]
    assert rates[0] == pytest.approx(0.3, rel=1e-15)
    assert all(0.0 <= b <= a for a, b in itertools.pairwise(rates))


@pytest.mark.parametrize("step", [0, 1, 6, 7, 13, 14, 49, 50, 51, 1000])
def test_formulas(step):
    assert constant(0.3)(step) == 0.3
    assert step_decay(0.3, 7)(step) == pytest.approx(0.3 * 0.1 ** math.floor(step / 7))
    exponential = exponential_decay(0.3, math.exp(-0.02))
    assert exponential(step) == pytest.approx(0.3 * math.exp(-0.02 * step))
    assert 1 / inverse_time_decay(0.5, 0.1)(step) == pytest.approx(2 + 0.2 * step)
    wave = math.cos(math.pi / 2 * min(step, 50) / 50) ** 2  # (1 + cos 2a) / 2 = cos(a)**2
    assert cosine_decay(0.3, 50, 0.01)(step) == pytest.approx(0.01 + 0.29 * wave)


def test_cosine_is_half_way_in_the_middle_and_stays_at_the_end():
    schedule = cosine_decay(0.5, steps=10, final=0.1)
    assert schedule(5) == pytest.approx(0.3)
    assert schedule(10) == schedule(11) == schedule(10**9) == 0.1


@pytest.mark.parametrize("follow", DECAYING)
def test_warmup_rises_linearly_and_then_follows(follow):
    schedule = warmup(5, follow)
    assert [schedule(step) for step in range(5)] == pytest.approx([0.06, 0.12, 0.18, 0.24, 0.3])
    assert [schedule(step) for step in range(4, 100)] == [follow(step) for step in range(96)]
    assert [warmup(1, follow)(step) for step in range(9)] == [follow(step) for step in range(9)]


def test_warmup_takes_a_number_too():
    assert [warmup(2, 0.5)(step) for step in range(4)] == [0.25, 0.5, 0.5, 0.5]


def test_only_inverse_time_decay_satisfies_robbins_and_monro():
    """Sums to 2**16 and 2**17 steps: one that goes on growing is infinite, as far as we look."""

    def growth(schedule, power):
        first = math.fsum(schedule(step) ** power for step in range(2**16))
        return math.fsum(schedule(step) ** power for step in range(2**16, 2**17)) / first

    satisfied = {
        name: (growth(schedule, 1) > 0.01, growth(schedule, 2) < 0.001)
        for name, schedule in {
            "constant": constant(0.5),
            "step": step_decay(0.5, every=100),
            "exponential": exponential_decay(0.5, 0.99),
            "inverse": inverse_time_decay(0.5, 0.1),
            "cosine": cosine_decay(0.5, 1000),
            "cosine to 0.1": cosine_decay(0.5, 1000, final=0.1),
            "warmup": warmup(100, inverse_time_decay(0.5, 0.1)),
        }.items()
    }
    assert satisfied == {
        "constant": (True, False),
        "step": (False, True),
        "exponential": (False, True),
        "inverse": (True, True),
        "cosine": (False, True),
        "cosine to 0.1": (True, False),
        "warmup": (True, True),
    }


@pytest.mark.parametrize(
    ("make", "arguments", "message"),
    [
        (constant, [-0.1], "lr is -0.1"),
        (constant, [math.nan], "lr is nan"),
        (step_decay, [-0.1, 10], "lr is -0.1"),
        (step_decay, [0.1, 0], "every is 0"),
        (step_decay, [0.1, 10, 1.5], "factor is 1.5"),
        (step_decay, [0.1, 10, -0.5], "factor is -0.5"),
        (exponential_decay, [math.inf, 0.9], "lr is inf"),
        (exponential_decay, [0.1, 1.01], "factor is 1.01"),
        (exponential_decay, [0.1, math.nan], "factor is nan"),
        (inverse_time_decay, [-0.1, 1.0], "lr is -0.1"),
        (inverse_time_decay, [0.1, -1.0], "decay is -1.0"),
        (cosine_decay, [-0.1, 10], "lr is -0.1"),
        (cosine_decay, [0.1, 0], "steps is 0"),
        (cosine_decay, [0.1, 10, -0.1], "final is -0.1"),
        (warmup, [0, 0.1], "steps is 0"),
        (warmup, [10, -0.1], "lr is -0.1"),
    ],
)
def test_impossible_arguments_are_refused_by_name(make, arguments, message):
    with pytest.raises(ValueError, match=message):
        make(*arguments)


def test_all_are_listed_and_shown():
    for name in schedules.__all__:
        assert ">>>" in getattr(schedules, name).__doc__
