"""Gradient descent, momentum, and averages; test_optimizer.py has what all share."""

import random

import pytest

from tinygrad_lr import Value
from tinygrad_lr.core.array import as_data
from tinygrad_lr.optim import ASGD, SGD


def steps(optimizer, gradients):
    """The only parameter after each of these gradients."""
    (w,) = optimizer.parameters
    for g in gradients:
        w.grad = as_data(g)
        optimizer.step()
        yield w.data


def test_plain_descent_by_hand():
    assert list(steps(SGD([Value(1.0)], lr=0.5), [1.0, -0.5])) == [0.5, 0.75]


@pytest.mark.parametrize(
    ("options", "path"),
    [
        ({}, [-1.0, -2.5, -4.25]),  # v = 1, 1.5, 1.75
        ({"dampening": 0.5}, [-1.0, -2.0, -3.0]),  # the first v is g, not damped
        ({"nesterov": True}, [-1.5, -3.25, -5.125]),  # g + v / 2
    ],
)
def test_velocity_by_hand(options, path):
    assert list(steps(SGD([Value(0.0)], 1.0, 0.5, **options), [1.0] * 3)) == path


def test_rate_is_outside_the_velocity():
    """A smaller rate shortens the momentum of earlier steps too, at once."""
    optimizer = SGD([Value(0.0)], lr=lambda step: [1.0, 0.0][step], momentum=0.9)
    assert list(steps(optimizer, [1.0, 1.0])) == [-1.0, -1.0]


def test_momentum_is_faster_in_a_ravine():
    def loss_after(momentum):
        w = Value([1.0, 1.0])
        optimizer = SGD([w], lr=0.01, momentum=momentum)
        for _ in range(100):
            optimizer.zero_grad()
            loss = (w * w * [100.0, 1.0]).sum() / 2
            loss.backward()
            optimizer.step()
        return loss.data

    assert loss_after(0.8) < loss_after(0.0) / 1000


def test_average_is_the_mean_of_the_points_from_step_t0_plus_2_on():
    # With lambd * lr = 1 the old w is forgotten: each point is -g / 2.
    optimizer = ASGD([Value([0.0, 1.0])], lr=0.5, lambd=2.0, alpha=0.0, t0=3.0)
    points = [[1e20, -1e20], [0.1, 0.3], [-3.0, 1.0], [4.0, 2.0], [0.1, 0.7], [2.0, -1.0]]
    visited, averages = [], []
    for data in steps(optimizer, [[-2.0 * x for x in point] for point in points]):
        visited.append(data.tolist())
        averages.append(optimizer.averages()[0].tolist())
    assert visited == points
    assert averages[:5] == points[:5]  # not a digit is lost to the first point
    assert averages[5] == pytest.approx([(0.1 + 2.0) / 2, (0.7 - 1.0) / 2])


def test_averages_have_the_form_of_the_data():
    scalar, matrix = Value(2.0), Value([[1.0, 2.0]])
    optimizer = ASGD([scalar, matrix], lr=0.5, lambd=0.0)
    assert optimizer.averages() == [2.0, matrix.data]
    scalar.grad = 1.0  # the matrix gets none, and stands for itself
    optimizer.step()
    assert optimizer.averages() == [1.5, matrix.data]


def test_average_trembles_less_than_the_last_point():
    noise = random.Random(0)
    optimizer = ASGD([Value(0.0)], lr=0.5, lambd=0.0, t0=10.0)
    (w,) = optimizer.parameters
    far, near = [], []
    for step in range(500):
        w.grad = w.data + noise.gauss(0.0, 1.0)  # the gradient of w * w / 2, and noise
        optimizer.step()
        if step >= 100:
            far.append(w.data**2)
            near.append(optimizer.averages()[0] ** 2)
    assert sum(near) < sum(far) / 10


def test_rate_of_averaged_descent_shrinks_by_its_formula():
    gradients = [1.0, 2.0, -3.0]
    path = list(steps(ASGD([Value(1.0)], lr=0.5, lambd=2.0, alpha=0.5), gradients))
    rates = [0.5, 0.5 / 2.0**0.5, 0.5 / 3.0**0.5]  # lr / (1 + lambd * lr * steps before)**alpha
    for before, rate, g, after in zip([1.0, *path], rates, gradients, path):
        assert after == pytest.approx((1.0 - 2.0 * rate) * before - rate * g, rel=1e-12)
