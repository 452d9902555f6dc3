"""The loop: what it records, when it stops, and what it leaves behind when it diverges."""

import copy
import math
import pickle
from functools import partial

import pytest

from tinygrad_lr import Array, Value, binary_cross_entropy_with_logits, detect_anomaly, softplus
from tinygrad_lr.data import Batches, StandardScaler, load_breast_cancer
from tinygrad_lr.optim import LBFGS, SGD, BacktrackingLineSearch, Newton
from tinygrad_lr.optim.linear import NotPositiveDefiniteError
from tinygrad_lr.training import DivergenceError, History, minimize
from tinygrad_lr.training.loop import gradient_norm

X = [[-2.0], [-1.0], [0.5], [1.0], [2.0], [3.0]]
Y = [0, 0, 1, 0, 1, 1]


def problem(lr=0.5, batch_size=None):
    w, b = Value([0.0]), Value(0.0)
    loss = lambda X, y: binary_cross_entropy_with_logits(X @ w + b, y)
    return loss, [w, b], Batches(X, Y, batch_size), SGD([w, b], lr=lr)


def test_batch_descent_follows_the_closed_form_of_the_gradient():
    loss, (w, b), batches, optimizer = problem(lr=0.5)
    minimize(loss, [w, b], batches, optimizer, 20)
    v, c = 0.0, 0.0
    for _ in range(20):
        errors = [1 / (1 + math.exp(-(v * x + c))) - y for (x,), y in zip(X, Y)]
        v, c = (
            v - 0.5 * sum(e * x for e, (x,) in zip(errors, X)) / 6,
            c - 0.5 * sum(errors) / 6,
        )
    assert w.data.tolist() == pytest.approx([v], rel=1e-12)
    assert b.data == pytest.approx(c, rel=1e-12)


def test_history_records_each_batch_before_it_was_learned_from():
    loss, parameters, batches, optimizer = problem(batch_size=1)
    seen = []

    def spying(X, y):
        value = loss(X, y)
        seen.append(value.item())
        return value

    history = minimize(spying, parameters, batches, optimizer, 3)
    assert history.losses == seen and history.steps == 18 and history.epochs == 3
    assert history.losses[0] == pytest.approx(math.log(2))  # weights of zero say one half
    assert len(history.gradient_norms) == 18
    for epoch in range(3):
        mean = sum(seen[6 * epoch : 6 * epoch + 6]) / 6
        assert history.epoch_losses[epoch] == pytest.approx(mean, rel=1e-14)
    assert history.stop_reason == "all 3 epochs done" and not history.converged


def test_epoch_loss_is_a_mean_over_rows_even_if_the_last_batch_is_small():
    loss, parameters, batches, optimizer = problem(batch_size=4)
    history = minimize(loss, parameters, batches, optimizer, 1)
    four, two = history.losses
    assert history.epoch_losses == pytest.approx([(4 * four + 2 * two) / 6], rel=1e-14)


def test_stops_when_the_gradient_vanishes_and_says_so():
    loss, parameters, batches, optimizer = problem(lr=2.0)
    history = minimize(loss, parameters, batches, optimizer, 5000, tolerance=1e-8)
    assert history.converged and history.epochs < 5000
    assert history.gradient_norms[-1] <= 1e-8 < history.gradient_norms[-2]
    assert "gradient" in history.stop_reason


def test_stochastic_training_stops_when_the_loss_no_longer_falls():
    loss, parameters, batches, optimizer = problem(lr=0.5, batch_size=2)
    history = minimize(loss, parameters, batches, optimizer, 5000, tolerance=1e-3)
    assert history.converged and history.epochs < 5000 and "fell" in history.stop_reason
    best_before = min(history.epoch_losses[:-5])
    assert best_before - min(history.epoch_losses[-5:]) <= 1e-3


@pytest.mark.parametrize("make", [LBFGS, BacktrackingLineSearch, partial(Newton, line_search=True)])
def test_it_ends_when_the_optimizer_says_that_nothing_is_left_to_gain(make):
    w = Value(3.0)
    optimizer = make([w])
    history = minimize(lambda X, y: (w - 1.0) ** 2, [w], [([0.0], [0.0])], optimizer, 100)
    assert history.converged and history.stop_reason == optimizer.stop_reason != ""
    assert w.data == 1.0 and history.steps < 5


def test_a_tolerance_that_is_met_first_is_the_reason():
    loss, parameters, batches, _ = problem()
    optimizer = LBFGS(parameters, max_iter=1)
    history = minimize(loss, parameters, batches, optimizer, 1000, tolerance=0.1)
    assert history.stop_reason.endswith("at most 0.1") and history.gradient_norms[-1] <= 0.1


def test_nothing_to_gain_from_one_batch_of_several_is_no_reason_to_end():
    w = Value(0.0)
    optimizer = LBFGS([w])
    batches = [([0.0], [goal]) for goal in (1.0, 2.0)]
    history = minimize(lambda X, y: ((w - y) ** 2).sum(), [w], batches, optimizer, 3)
    assert optimizer.stop_reason and history.stop_reason == "all 3 epochs done"


def test_callbacks_see_every_epoch_and_may_stop():
    loss, parameters, batches, optimizer = problem()
    seen = []

    def callback(history):
        seen.append(history.epochs)
        return history.epochs == 4

    history = minimize(loss, parameters, batches, optimizer, 10, callbacks=[callback])
    assert seen == [1, 2, 3, 4] and history.stop_reason == "a callback stopped it in epoch 4"


@pytest.mark.parametrize("factor", [1e200, 1e308])
def test_divergence_restores_the_last_finite_loss(factor):
    w = Value(1.0)
    loss = lambda X, y: (w * w).sum() * factor if abs(w.data) > 2 else w * w
    batches = [([0.0], [0.0])] * 10
    optimizer = SGD([w], lr=30.0)  # w: 1 -> -59 -> 1e200 or so: the loss overflows
    with pytest.raises(DivergenceError, match="smaller learning rate") as caught:
        minimize(loss, [w], batches, optimizer, 5)
    assert caught.value.learning_rate == 30.0 and not math.isfinite(caught.value.loss)
    assert math.isfinite(w.data) and math.isfinite(loss(None, None).item())


def test_a_gradient_that_is_not_finite_is_divergence_too():
    w = Value(0.0)
    with pytest.raises(DivergenceError, match="gradient is not finite"):
        minimize(lambda X, y: w.sqrt(), [w], [([0.0], [0.0])], SGD([w], lr=0.1), 1)
    assert w.data == 0.0


def test_a_last_step_into_infinity_is_noticed():
    w = Value(1.0)
    with pytest.raises(DivergenceError, match="parameter"):
        minimize(lambda X, y: w * 1e300, [w], [([0.0], [0.0])], SGD([w], lr=1e300), 1)
    assert w.data == 1.0


def test_refuses_what_it_cannot_learn_from():
    w = Value([1.0, 2.0])
    with pytest.raises(ValueError, match="no batches"):
        minimize(lambda X, y: w.sum(), [w], [], SGD([w]), 1)
    with pytest.raises(ValueError, match="scalar"):
        minimize(lambda X, y: w * 2, [w], [([0.0], [0.0])], SGD([w]), 1)
    assert w.data.tolist() == [1.0, 2.0]


def test_gradient_norm_is_over_all_parameters():
    a, b, c = Value([3.0, 0.0]), Value(2.0), Value(1.0)
    a.grad, b.grad = a.data, 4.0
    assert gradient_norm([a, b, c]) == 5.0


def test_zero_epochs_change_nothing():
    loss, (w, b), batches, optimizer = problem()
    history = minimize(loss, [w, b], batches, optimizer, 0)
    assert history == History(stop_reason="all 0 epochs done") and w.data.tolist() == [0.0]


def test_mini_batches_come_close_to_the_minimum_and_tremble_there():
    data = load_breast_cancer()
    X = StandardScaler().fit_transform(data.X)

    def final_loss(batch_size, lr, epochs):
        w, b = Value([0.0] * 30), Value(0.0)
        loss = lambda X, y: binary_cross_entropy_with_logits(X @ w + b, y) + 0.1 * (w @ w)
        minimize(loss, [w, b], Batches(X, data.y, batch_size), SGD([w, b], lr=lr), epochs)
        return loss(X, data.y).item()

    minimum, mini = final_loss(None, 0.3, 200), final_loss(32, 0.02, 30)
    assert minimum < mini < minimum + 0.003


# ---- what goes wrong, and is told ----------------------------------------------------------


def test_infinite_weights_whose_loss_is_zero_are_divergence():
    w = Value([0.0])
    loss = lambda X, y: binary_cross_entropy_with_logits(X @ w, y)
    with pytest.raises(DivergenceError, match="a parameter is not finite at step 1"):
        minimize(loss, [w], Batches([[10.0]], [1]), SGD([w], lr=1e308), 5)
    assert w.data == Array([0.0])


def test_a_newton_step_that_fails_is_divergence_unless_anomalies_are_asked_for():
    w = Value(720.0)
    loss = lambda X, y: softplus(w) + softplus(-w)  # nearly straight: the step is exp(720) long
    with pytest.raises(DivergenceError, match="not finite at step 1") as caught:
        minimize(loss, [w], [(0, [0])], Newton([w]), 5)
    assert caught.value.learning_rate == 1.0 and w.data == 720.0
    with pytest.raises(FloatingPointError, match="the output of"), detect_anomaly():
        minimize(loss, [w], [(0, [0])], Newton([w]), 5)


def test_the_rate_of_the_step_that_diverged_is_named():
    w = Value(1.0)
    rates = [0.1, 1e80, 1e-5, 1e-6]
    with pytest.raises(DivergenceError) as caught:
        minimize(lambda X, y: w**4, [w], [(0, [0])], SGD([w], lr=lambda s: rates[s]), 4)
    assert caught.value.learning_rate == 1e80 and caught.value.step == 2


def test_errors_travel_between_processes():
    error = pickle.loads(pickle.dumps(DivergenceError("x", 3, math.inf, 0.1)))
    assert (error.step, error.loss, error.learning_rate) == (3, math.inf, 0.1)
    assert str(error).startswith("x at step 3")
    error = copy.copy(NotPositiveDefiniteError("flat", 2, singular=True))
    assert (str(error), error.place, error.singular) == ("flat", 2, True)


def test_parameters_may_come_from_a_generator_but_not_alone():
    w = Value([0.0])
    loss = lambda X, y: binary_cross_entropy_with_logits(X @ w, y)
    batches = Batches([[1.0], [2.0]], [0, 1])
    history = minimize(loss, (p for p in [w]), batches, SGD([w], lr=0.1), 5, tolerance=1e-9)
    assert not history.converged and min(history.gradient_norms) > 0.0
    with pytest.raises(TypeError, match=r"for a single one: \[parameter\]"):
        minimize(loss, w, batches, SGD([w], lr=0.1), 1)


def test_uphill_the_loss_has_to_rise():
    w = Value(0.0)
    batches = [(0, [0]), (0, [0])]
    up = lambda X, y: -((w - 1.0) ** 2)
    optimizer = SGD([w], lr=0.05, maximize=True)
    history = minimize(up, [w], batches, optimizer, 500, tolerance=1e-9)
    assert history.converged and "rose" in history.stop_reason
    assert w.data == pytest.approx(1.0, abs=1e-3)


def test_batches_that_are_used_up_and_batches_without_rows():
    w = Value(1.0)
    with pytest.raises(ValueError, match="used up by the first epoch"):
        minimize(lambda X, y: w * w, [w], iter([(0, [0])]), SGD([w], lr=0.1), 2)
    with pytest.raises(ValueError, match="no batches with rows; nothing to learn from$"):
        minimize(lambda X, y: w * w, [w], [(0, [])], SGD([w], lr=0.1), 2)


def test_what_a_callback_returns_by_the_way_does_not_stop():
    class bool_(int):  # as numpy's truth is called
        pass

    w = Value(1.0)
    run = lambda answer: (
        minimize(
            lambda X, y: w * w, [w], [(0, [0])], SGD([w], lr=0.1), 3, [lambda h: answer]
        ).epochs
    )
    assert [run(answer) for answer in (True, bool_(1), 1, "x", None, False)] == [1, 1, 3, 3, 3, 3]
