"""Rates for each number, and Adam's family; test_optimizer.py has what all share."""

import math

import pytest

from tinygrad_lr import Value, optim
from tinygrad_lr.core.array import as_data
from tinygrad_lr.optim.adaptive import mean, mean_square

WITH_EPS = ["Adagrad", "RMSprop", "Adadelta", "Adam", "AdamW", "Adamax", "NAdam", "RAdam"]


def steps(name, gradients, start=0.0, **options):
    """The parameter after each of these gradients."""
    w = Value(start)
    optimizer = getattr(optim, name)([w], **options)
    for g in gradients:
        w.grad = as_data(g)
        optimizer.step()
        yield w.data


IRREGULAR = [1.0, -0.5, 3.0, 0.25, -2.0, 1.5, 0.125, -4.0, 2.0, 1.0, 0.75, -0.5]


# ---- means that forget -------------------------------------------------------------------


def test_means_start_at_zero_and_forget():
    state = {}
    assert mean(state, "m", [8.0, -4.0], 0.75) == [2.0, -1.0]
    assert mean(state, "m", [0.0, 4.0], 0.75) == [1.5, 0.25]
    assert mean_square(state, "s", [2.0, -4.0], 0.5) == [2.0, 8.0]
    assert mean_square(state, "s", [0.0, 0.0], 0.5) == [1.0, 4.0]
    assert state == {"m": [1.5, 0.25], "s": [1.0, 4.0]}


# ---- the size of the gradients -----------------------------------------------------------


@pytest.mark.parametrize(
    "name", ["Adagrad", "RMSprop", "Adam", "AdamW", "Adamax", "NAdam", "Rprop"]
)
@pytest.mark.parametrize("scale", [1e-3, 1e5])
def test_step_does_not_depend_on_the_scale_of_the_loss(name, scale):
    options = {"lr": 0.1} | ({"eps": 0.0} if name in WITH_EPS else {})
    scaled = [scale * g for g in IRREGULAR]
    one, other = steps(name, IRREGULAR, **options), steps(name, scaled, **options)
    assert list(one) == pytest.approx(list(other), rel=1e-12)


def test_plain_descent_does_depend_on_it():
    assert list(steps("SGD", [1e5], lr=0.1)) != pytest.approx(list(steps("SGD", [1.0], lr=0.1)))


@pytest.mark.parametrize("name", WITH_EPS)
def test_without_eps_a_number_whose_gradient_is_zero_stays(name):
    path = list(steps(name, [[0.0, g] for g in IRREGULAR], [0.5, 0.0], lr=0.1, eps=0.0,
                      weight_decay=0.0))  # fmt: skip
    assert [w.tolist()[0] for w in path] == [0.5] * len(path)
    assert name == "Adadelta" or all(w.tolist()[1] != 0.0 for w in path)


def test_adagrad_rates_fall_like_the_root_of_the_number_of_steps():
    path = [0.0, *steps("Adagrad", [-2.0] * 100, lr=1.0, eps=0.0)]
    assert path[100] - path[99] == pytest.approx(1 / math.sqrt(100))
    assert path[25] - path[24] == pytest.approx(1 / math.sqrt(25))


def test_rmsprop_recovers_after_a_large_gradient_and_adagrad_does_not():
    gradients = [-1000.0] + [-1.0] * 2000

    def last(name):
        *_, before, after = steps(name, gradients, lr=0.01)
        return after - before

    assert last("RMSprop") == pytest.approx(0.01, rel=1e-3)
    assert last("Adagrad") < 1e-4


def test_centered_variance_that_rounding_makes_negative_counts_as_zero():
    state = {}
    for _ in range(100):
        variance = mean_square(state, "s", [0.7], 0.5)[0] - mean(state, "m", [0.7], 0.5)[0] ** 2
    assert variance < 0.0
    path = list(steps("RMSprop", [0.7] * 100, lr=1e-10, alpha=0.5, centered=True))
    assert path[-2] - path[-1] == pytest.approx(1e-10 * 0.7 / 1e-8)  # lr * g / eps


def test_rmsprop_velocity_by_hand():
    path = steps("RMSprop", [2.0, 2.0], lr=1.0, alpha=0.0, eps=0.0, momentum=0.5)
    assert list(path) == [-1.0, -2.5]  # g / sqrt(g * g) = 1; v = 1, then 0.5 + 1


def test_adadelta_begins_with_steps_of_the_root_of_eps():
    (step,) = steps("Adadelta", [-1000.0], rho=0.9, eps=1e-6)
    assert step == pytest.approx(math.sqrt(1e-6 / 0.1), rel=1e-6)


# ---- signs alone -------------------------------------------------------------------------


def test_resilient_steps_by_hand():
    path = steps("Rprop", [1.0, 1.0, -1.0, -1.0, -1.0, 0.0], lr=1.0, etas=(0.5, 2.0))
    # sizes 1, 2, then 1 and no step, 1 (nothing to compare with), 2, none at gradient 0
    assert list(path) == [-1.0, -3.0, -3.0, -2.0, 0.0, 0.0]


def test_resilient_sizes_stay_within_their_limits():
    options = {"lr": 1.0, "etas": (0.5, 2.0), "step_sizes": (0.75, 3.0)}
    up = [0.0, *steps("Rprop", [-1.0] * 5, **options)]
    assert [b - a for a, b in zip(up, up[1:])] == [1.0, 2.0, 3.0, 3.0, 3.0]
    to_and_fro = list(steps("Rprop", [-1.0, 1.0, 1.0], **options))
    assert to_and_fro == [1.0, 1.0, 0.25]  # 0.5 would be less than allowed


# ---- Adam's family -----------------------------------------------------------------------


@pytest.mark.parametrize("name", ["Adam", "AdamW", "Adamax"])
@pytest.mark.parametrize("slope", [1e-6, -1.0, 1e6])
def test_first_step_is_as_long_as_the_rate(name, slope):
    (w,) = steps(name, [slope], lr=0.5, eps=0.0)
    assert w == pytest.approx(-math.copysign(0.5, slope), rel=1e-12)


def test_adamw_decays_where_there_is_no_gradient_and_adam_moves_by_its_rate():
    (w,) = steps("AdamW", [0.0], 2.0, lr=0.25, weight_decay=0.5)
    assert w == 2.0 * (1 - 0.25 * 0.5)
    (w,) = steps("Adam", [0.0], 2.0, lr=0.25, weight_decay=0.5)
    assert w == pytest.approx(2.0 - 0.25)  # the decay, divided by its own size
    options = {"lr": 0.25, "weight_decay": 0.5}
    adamw = steps("AdamW", IRREGULAR, 2.0, **options)
    assert list(adamw) == list(
        steps("Adam", IRREGULAR, 2.0, decoupled_weight_decay=True, **options)
    )


def test_amsgrad_mends_the_example_on_which_adam_walks_uphill():
    """Reddi, Kale and Kumar 2018, theorem 1: slopes 4, -1, -1 in turn, so downhill is down.

    Adam has forgotten the large slope when the two small ones come, and divides them by
    their own small size.
    """
    slopes = [4.0, -1.0, -1.0] * 300
    options = {"lr": lambda step: 0.1 / math.sqrt(1 + step), "betas": (0.0, 1 / 17)}
    *_, adam = steps("Adam", slopes, **options)
    *_, amsgrad = steps("Adam", slopes, amsgrad=True, **options)
    assert adam > 0.5 and amsgrad < -0.5


def test_adamax_divides_by_the_fading_maximum():
    path = steps("Adamax", [4.0, 1.0, -1.0], lr=1.0, betas=(0.0, 0.5), eps=0.0)
    assert list(path) == [-1.0, -1.5, -0.5]  # u = 4, max(2, 1), max(1, 1)


def test_nadam_momentum_rises_from_half_of_beta1_to_all_of_it():
    optimizer = optim.NAdam([Value(0.0)], betas=(0.8, 0.9), momentum_decay=1.0)
    assert optimizer.momentum(0) == 0.4
    assert optimizer.momentum(1) == pytest.approx(0.8 * (1 - 0.48))
    assert optimizer.momentum(1000) == pytest.approx(0.8)


def test_radam_does_not_divide_while_the_mean_square_is_young():
    """With beta2 = 0.999 n passes 5 at step 6: five steps of length lr * |mean|, then others."""
    path = [0.0, *steps("RAdam", [-8.0] * 6, lr=0.125)]
    lengths = [b - a for a, b in zip(path, path[1:])]
    assert lengths[:5] == pytest.approx([1.0] * 5)
    assert 0.0 < lengths[5] < 0.125
