"""Newton, L-BFGS and the line searches: minima known exactly, or by scikit-learn."""

import json
import math
import random
from pathlib import Path

import pytest

from tinygrad_lr import Value, affine, binary_cross_entropy_with_logits, cross_entropy, hessian
from tinygrad_lr import log, no_grad, softplus, value_and_grad
from tinygrad_lr.core.array import Array, numbers
from tinygrad_lr.data import StandardScaler, load_breast_cancer
from tinygrad_lr.optim import LBFGS, BacktrackingLineSearch, Newton, lbfgs
from tinygrad_lr.optim.line_search import Trial, backtrack, between, strong_wolfe
from tinygrad_lr.optim.linear import NotPositiveDefiniteError, cholesky, dot, solve
from tinygrad_lr.core.backward import backward_pass

SKLEARN = json.loads(Path(__file__).parents[1].joinpath("reference", "sklearn.json").read_text())
ALL = [BacktrackingLineSearch, Newton, LBFGS]
each = pytest.mark.parametrize("make", ALL)


class Counted:
    """A closure that counts how often it is called."""

    def __init__(self, loss):
        self.loss, self.calls = loss, 0

    def __call__(self):
        self.calls += 1
        return self.loss()


def gradient_norm(closure, parameters):
    owed = backward_pass(closure(), 1.0)
    return math.hypot(*numbers(owed[p] for p in parameters))


def numbers_of(optimizer):
    return numbers(p.data for p in optimizer.parameters)


def rosenbrock():
    """Parameters and closure; the minimum is (1, 1), at the end of a curved valley."""
    x, y = Value(-1.2), Value(1.0)
    return [x, y], Counted(lambda: (1.0 - x) ** 2 + 100.0 * (y - x * x) ** 2)


def mixed():
    """A scalar, a vector and a matrix, tied together; the minimum is (1, [2, 3], [[4, 5]])."""
    s, v, m = Value(0.0), Value([0.0, 0.0]), Value([[0.0, 0.0]])

    def loss():
        ties = ((v - s - [1.0, 2.0]) ** 2).sum() + ((m - v - [[2.0, 2.0]]) ** 2).sum()
        return (s - 1.0) ** 2 + ties

    return [s, v, m], Counted(loss)


MIXED_MINIMUM = [1.0, 2.0, 3.0, 4.0, 5.0]


# ---- logistic regression -------------------------------------------------------------------


@pytest.fixture(scope="module")
def cancer():
    data = load_breast_cancer()
    return StandardScaler().fit_transform(data.X), data.y


def logistic(X, y, C):
    """Parameters, and scikit-learn's objective for C divided by C and the number of rows."""
    w, b = Value([0.0] * X.shape[1], label="w"), Value(0.0, label="b")
    penalty = 0.5 / (C * len(y))

    def loss():
        return binary_cross_entropy_with_logits(affine(X, w, b), y) + penalty * (w * w).sum()

    return [w, b], Counted(loss)


@pytest.mark.parametrize("C", [1.0, 0.1])
def test_newton_agrees_with_scikit_learn_after_ten_steps(cancer, C):
    parameters, closure = logistic(*cancer, C)
    optimizer = Newton(parameters)
    norms = []
    for _ in range(10):
        optimizer.step(closure)
        norms.append(gradient_norm(closure, parameters))
        if norms[-1] < 1e-10:
            break
    assert norms[-1] < 1e-10
    assert norms[-1] < 10.0 * norms[-2] ** 1.5  # faster than by any constant factor
    expected = SKLEARN[f"breast_cancer_C{C:g}"]
    assert parameters[0].tolist() == pytest.approx(expected["coef"], abs=1e-9)
    assert parameters[1].data == pytest.approx(expected["intercept"], abs=1e-9)
    assert closure().data == pytest.approx(expected["objective"] / (C * 569), rel=1e-12)


@pytest.mark.parametrize(("C", "evaluations"), [(1.0, 100), (0.1, 60)])
def test_lbfgs_agrees_with_scikit_learn_after_few_evaluations(cancer, C, evaluations):
    parameters, closure = logistic(*cancer, C)
    optimizer = LBFGS(parameters, max_iter=evaluations)
    loss = optimizer.step(closure)
    assert loss == pytest.approx(math.log(2.0), rel=1e-14)
    assert closure.calls <= evaluations
    assert "1e-10" in optimizer.stop_reason
    expected = SKLEARN[f"breast_cancer_C{C:g}"]
    assert parameters[0].tolist() == pytest.approx(expected["coef"], abs=1e-6)
    assert parameters[1].data == pytest.approx(expected["intercept"], abs=1e-6)


def test_lbfgs_wastes_nothing_where_the_loss_is_flat_to_all_its_digits(cancer):
    parameters, closure = logistic(*cancer, 0.1)
    optimizer = LBFGS(parameters, max_iter=200, tolerance_grad=1e-13)
    optimizer.step(closure)
    assert closure.calls <= 100
    assert gradient_norm(closure, parameters) < 1e-12


@pytest.mark.parametrize(
    ("X", "y"),
    [
        ([[0.0, 0.0], [1.0, 1.0], [2.0, 2.0], [3.0, 3.0]], [0, 1, 0, 1]),  # twice the same
        ([[0.0, 1.0], [1.0, 1.0], [2.0, 1.0], [3.0, 1.0]], [0, 1, 0, 1]),  # the intercept again
        ([[0.0, 0.1], [1.0, 0.4], [2.0, 0.7], [3.0, 1.0]], [0, 1, 0, 1]),  # 0.1 + 0.3 x
    ],
)
def test_collinear_features_are_reported_and_nothing_moves(X, y):
    parameters, closure = logistic(Array(X), y, math.inf)
    parameters[0].data = [0.25, -0.5]
    optimizer = Newton(parameters)
    with pytest.raises(NotPositiveDefiniteError, match="singular.* of [wb] .*L2.*damping") as found:
        optimizer.step(closure)
    assert found.value.singular
    assert numbers_of(optimizer) == [0.25, -0.5, 0.0]
    assert optimizer.steps == 0
    for _ in range(20):
        Newton(parameters, damping=1e-3).step(closure)
    assert gradient_norm(closure, parameters) < 1e-6


def test_newton_says_at_last_that_separable_classes_have_no_minimum():
    parameters, closure = logistic(Array([[0.0], [1.0], [2.0], [3.0]]), [0, 0, 1, 1], math.inf)
    optimizer = Newton(parameters)
    with pytest.raises(NotPositiveDefiniteError, match="a line separates"):
        for _ in range(1000):
            before = numbers_of(optimizer)
            optimizer.step(closure)
    assert numbers_of(optimizer) == before
    assert closure().data < 1e-9


def test_scores_of_softmax_may_shift_together():
    w = Value([[0.0, 0.0, 0.0]])
    closure = lambda: cross_entropy([[1.0], [2.0], [3.0], [4.0]] @ w, [0, 2, 0, 1])
    with pytest.raises(ValueError, match="shift together"):
        Newton([w]).step(closure)
    LBFGS([w], max_iter=50).step(closure)
    assert gradient_norm(closure, [w]) < 1e-9


# ---- other losses --------------------------------------------------------------------------


def test_newton_solves_a_quadratic_in_one_step():
    parameters, closure = mixed()
    optimizer = Newton(parameters)
    assert optimizer.step(closure) == 1.0 + (1.0 + 4.0) + (4.0 + 4.0)
    assert numbers_of(optimizer) == pytest.approx(MIXED_MINIMUM, abs=1e-13)
    assert closure.calls == 2


@pytest.mark.parametrize(
    ("make", "options", "calls"),
    [(LBFGS, {"max_iter": 100}, 60), (Newton, {}, 60), (Newton, {"line_search": True}, 60)],
)
def test_rosenbrock(make, options, calls):
    parameters, closure = rosenbrock()
    optimizer = make(parameters, **options)
    for _ in range(1 if make is LBFGS else 25):
        optimizer.step(closure)
    assert numbers_of(optimizer) == pytest.approx([1.0, 1.0], abs=1e-8)
    assert closure.calls <= calls


@pytest.mark.parametrize(("history_size", "converges"), [(5, True), (0, False)])
def test_pairs_are_what_makes_lbfgs_fast(history_size, converges):
    parameters, closure = rosenbrock()
    optimizer = LBFGS(parameters, max_iter=60, history_size=history_size)
    optimizer.step(closure)
    assert len(optimizer.pairs) == history_size
    assert (closure().data < 1e-12) is converges


def test_the_two_loops_are_the_bfgs_matrix():
    """On a quadratic in n numbers, n exact pairs tell all of the inverse Hessian."""
    optimizer = LBFGS([Value([0.0, 0.0])])
    H = Array([[2.0, 1.0], [1.0, 3.0]])
    for s in [1.0, 0.0], [-0.5, 1.0]:  # conjugate: s . H t = 0
        optimizer.remember(s, (H @ s).flat)
    for g in [1.0, 0.0], [0.3, -2.0]:
        assert (H @ optimizer.times_inverse_hessian(g)).tolist() == pytest.approx(g, abs=1e-14)


@pytest.mark.parametrize(("scale", "first"), [(0.25, 0.75), (4.0, 0.0)])
def test_the_first_step_of_lbfgs_is_the_gradient_or_of_length_lr_where_that_is_longer(scale, first):
    w, tried = Value(1.0), []

    def closure():
        tried.append(w.data)
        return scale * w * w / 2.0

    LBFGS([w], max_iter=1).step(closure)
    assert tried[:2] == [1.0, first]


def test_lbfgs_forgets_pairs_that_mislead():
    w = Value([3.0])
    optimizer = LBFGS([w], max_iter=1)
    optimizer.pairs.append(([1.0], [-1.0]))  # uphill
    closure = Counted(lambda: 5.0 + (w * w).sum() / 2.0)
    optimizer.step(closure)
    assert w.tolist() == [2.0]  # the first step has the length lr
    assert closure.calls == 2
    assert list(optimizer.pairs) == [([-1.0], [-1.0])]


@pytest.mark.parametrize("y", [[-1.0, 0.0], [0.0, 1.0], [1e-12, 1.0], [0.0, 0.0], [1e-170, 0.0]])
def test_pairs_that_do_not_curve_upwards_are_dropped(y):
    optimizer = LBFGS([Value([0.0, 0.0])])
    optimizer.remember([1.0, 0.0], y)
    assert not optimizer.pairs
    optimizer.remember([1.0, 0.0], [1e-8, 1.0])
    assert optimizer.pairs


def test_hessian_over_all_parameters_is_that_of_calculus():
    numbers = [0.5, -0.25, 2.0, 1.5, -1.0, 0.75, 0.25]

    def f(s, v, m):
        return (softplus(m @ v + s) * [1.0, 2.0]).sum() + (v * v * v).sum() * s

    s, v, m = Value(numbers[0]), Value(numbers[1:3]), Value([numbers[3:5], numbers[5:]])
    loss, g, rows = Newton([s, v, m]).derivatives(lambda: f(s, v, m))
    of_one_vector = lambda x: f(x[0], x[1:3], x[3:].reshape(2, 2))
    value, gradient = value_and_grad(of_one_vector)(numbers)
    assert loss == value
    assert g == pytest.approx(gradient.flat, rel=1e-14)
    assert sum(rows, []) == pytest.approx(hessian(of_one_vector)(numbers).flat, abs=1e-14)


def test_damping_is_added_to_the_diagonal():
    x, y = Value(3.0), Value(1.0)
    Newton([x, y], lr=0.5, damping=2.0).step(lambda: x * x + x * y + 3.0 * y * y)
    # H = (2 1; 1 6), g = (7, 9); (4 1; 1 8) d = g gives d = (47, 29) / 31
    assert [x.data, y.data] == pytest.approx([3.0 - 47 / 62, 1.0 - 29 / 62], rel=1e-15)


def test_newton_refuses_a_loss_that_curves_downwards():
    x, y = Value(1.0), Value(2.0, label="y")
    closure = lambda: x * x - y * y
    with pytest.raises(NotPositiveDefiniteError, match="number 0 of y.*downwards.*uphill") as found:
        Newton([x, y]).step(closure)
    assert (x.data, y.data, found.value.singular) == (1.0, 2.0, False)
    Newton([x, y], damping=4.0).step(closure)
    assert closure().data < -3.0


def test_line_search_mends_newtons_step_that_is_too_long():
    """At 6 this loss is nearly straight: Newton's parabola has its bottom far behind 0."""
    w = Value(6.0)
    closure = lambda: softplus(w) - 0.5 * w
    Newton([w]).step(closure)
    assert closure().data > 50.0
    w.data = 6.0
    optimizer = Newton([w], line_search=True)
    losses = [optimizer.step(closure) for _ in range(10)]
    assert losses[1] < 2.0
    assert w.data == pytest.approx(0.0, abs=1e-12)


# ---- the conditions at accepted steps ------------------------------------------------------


@pytest.mark.parametrize("shrink", [0.5, 0.1])
def test_armijo_holds_at_accepted_steps_and_failed_before(shrink):
    parameters, closure = rosenbrock()
    optimizer = BacktrackingLineSearch(parameters, shrink=shrink, sufficient_decrease=0.1)
    for _ in range(20):
        before = numbers_of(optimizer)
        g = numbers(backward_pass(closure(), 1.0)[p] for p in parameters)
        closure.calls = 0
        loss = optimizer.step(closure)
        tries = closure.calls - 1
        for tried in range(tries):
            step = shrink**tried
            optimizer.put([x - step * d for x, d in zip(before, g)])
            falls = closure().data <= loss - 0.1 * step * dot(g, g)
            assert falls is (tried == tries - 1)
        assert optimizer.stop_reason == ""
    assert closure().data < 5.0


def test_wolfe_holds_at_every_step_of_lbfgs(monkeypatch):
    accepted = []

    def recorded(tried, start, first):
        found = strong_wolfe(tried, start, first)
        accepted.append((start, found))
        return found

    monkeypatch.setattr(lbfgs, "strong_wolfe", recorded)
    parameters, closure = rosenbrock()
    LBFGS(parameters, max_iter=100).step(closure)
    assert len(accepted) > 20
    for start, found in accepted:
        assert found.loss <= start.loss + 1e-4 * found.step * start.slope
        assert abs(found.slope) <= 0.9 * abs(start.slope)
        assert dot(start.g, start.g) > 0.0 > start.slope


def one_number(f, slope):
    """`tried` and `start` for a search along the axis of a function of one number."""

    def tried(step):
        return Trial(step, [step], f(step), [slope(step)], slope(step))

    return tried, tried(0.0)


LINES = {  # the first two from More and Thuente 1994
    "long flat valley": (lambda a: -a / (a * a + 2), lambda a: (a * a - 2) / (a * a + 2) ** 2),
    "steep at the end": (
        lambda a: (a + 0.004) ** 5 - 2 * (a + 0.004) ** 4,
        lambda a: 5 * (a + 0.004) ** 4 - 8 * (a + 0.004) ** 3,
    ),
    "parabola": (lambda a: (a - 3.0) ** 2, lambda a: 2.0 * (a - 3.0)),
    "wall": (
        lambda a: -math.log(1.0 - a) - 3.0 * a if a < 1.0 else math.inf,
        lambda a: 1.0 / (1.0 - a) - 3.0 if a < 1.0 else math.nan,
    ),
    "waves": (
        lambda a: math.cos(3.0 * a) - a + a * a / 50,
        lambda a: -3.0 * math.sin(3.0 * a) - 1 + a / 25,
    ),
}


@pytest.mark.parametrize("line", LINES)
@pytest.mark.parametrize("first", [1e-3, 0.1, 1.0, 10.0, 1000.0])
def test_strong_wolfe_from_any_first_step(line, first):
    tried, start = one_number(*LINES[line])
    trials = []
    found = strong_wolfe(lambda step: trials.append(tried(step)) or trials[-1], start, first)
    assert 0.0 < found.step
    assert found.loss <= min(
        t.loss for t in trials if t.loss <= start.loss + t.step * start.slope / 1e4
    )
    assert found.loss <= start.loss + 1e-4 * found.step * start.slope
    assert abs(found.slope) <= 0.9 * abs(start.slope)


@pytest.mark.parametrize(
    "line",
    [
        (lambda a: a, lambda a: 1.0),  # uphill
        (lambda a: abs(a - 1e-30), lambda a: -1.0 if a < 1e-30 else 1.0),  # a kink
        (lambda a: 0.0 if a == 0.0 else math.nan, lambda a: -1.0),
    ],
)
def test_strong_wolfe_gives_the_start_where_nothing_is_gained(line):
    tried, start = one_number(*line)
    assert strong_wolfe(tried, start, 1.0).step == 0.0


def test_strong_wolfe_stops_going_where_the_loss_falls_for_ever():
    tried, start = one_number(lambda a: -a, lambda a: -1.0)
    found = strong_wolfe(tried, start, 1.0, max_trials=10)
    assert found.step == 2.0**9


def test_strong_wolfe_stops_at_a_kink_when_no_float_is_left():
    tried, start = one_number(lambda a: abs(a - 1 / 3), lambda a: -1.0 if a < 1 / 3 else 1.0)
    trials = []
    found = strong_wolfe(
        lambda step: trials.append(step) or tried(step), start, 1.0, max_trials=2000
    )
    assert found.step == pytest.approx(1 / 3, rel=1e-14)
    assert len(trials) < 1000


def test_between_finds_the_minimum_of_a_cubic():
    f, slope = lambda a: a**3 - 3.0 * a, lambda a: 3.0 * a * a - 3.0  # minimum at 1
    at = lambda a: Trial(a, [a], f(a), [slope(a)], slope(a))
    for ends in (0.0, 3.0), (3.0, 0.0), (0.5, 1.2), (1.5, -0.5):
        assert between(*map(at, ends)) == pytest.approx(1.0, abs=1e-14)
    assert between(at(0.0), at(0.0)._replace(step=4.0, loss=math.inf)) == 2.0
    assert between(at(0.98), at(2.98)) == pytest.approx(1.18)  # a tenth from the end


def test_backtrack_by_hand():
    tried = []

    def loss_at(w):
        tried.append(w[0])
        return {5.0: math.nan, 3.0: -math.inf, 2.0: 10.0, 1.5: 9.76, 1.25: 9.87}[w[0]]

    # from w = 1, slope -1, a half of it is wanted: below 10 - 0.5 * step
    assert backtrack(loss_at, [1.0], [1.0], 10.0, -1.0, 4.0, 0.5, 0.5) == 0.25
    assert tried == [5.0, 3.0, 2.0, 1.5, 1.25]
    assert backtrack(loss_at, [1.0], [1.0], 10.0, -1.0, 4.0, 0.5, 0.5, max_steps=3) == 0.0
    assert backtrack(loss_at, [1.0], [1.0], 10.0, 0.0, 4.0) == 0.0


def test_backtrack_ends_where_w_no_longer_moves():
    tried = []

    def loss_at(w):
        tried.append(w)
        return 10.1

    assert backtrack(loss_at, [1.0], [1.0], 10.0, -1.0, 1.0) == 0.0
    assert len(tried) == 53 and tried[-1] == [1.0 + 2.0**-52]


# ---- what all share ------------------------------------------------------------------------


@each
def test_scalar_vector_and_matrix_together(make):
    parameters, closure = mixed()
    optimizer = make(parameters)
    before = [closure().data]
    found = []
    for _ in range(300):
        found.append(optimizer.step(closure))
        before.append(closure().data)
    assert found == before[:-1]
    assert numbers_of(optimizer) == pytest.approx(MIXED_MINIMUM, abs=1e-6)
    assert [p.shape for p in parameters] == [(), (2,), (1, 2)]
    assert type(parameters[0].data) is float
    assert [p.grad for p in parameters] == [None] * 3
    assert optimizer.steps == 300


@each
def test_loss_never_rises_on_a_convex_loss(make):
    data = random.Random(3)
    X = Array([[data.gauss(0, 1), data.gauss(0, 5)] for _ in range(30)])
    y = [float(data.random() < 0.5) for _ in range(30)]
    parameters, closure = logistic(X, y, 1.0)
    optimizer = make(parameters)
    losses = [optimizer.step(closure) for _ in range(5)] + [closure().data]
    assert losses == sorted(losses, reverse=True) and losses[-1] < losses[0]


@each
def test_works_inside_no_grad_and_with_a_closure_that_calls_backward(make):
    def end(after=lambda optimizer, loss: None):
        parameters, closure = mixed()
        optimizer = make(parameters)

        def loss():
            value = closure()
            after(optimizer, value)
            return value

        optimizer.step(loss)
        return numbers_of(optimizer)

    def as_in_pytorch(optimizer, loss):
        optimizer.zero_grad()
        loss.backward()

    expected = end()
    assert expected != [0.0] * 5
    assert end(as_in_pytorch) == expected
    with no_grad():
        assert end() == expected


@each
def test_parameter_that_the_loss_ignores_stays(make):
    used, unused = Value([1.0, 2.0]), Value([3.0])
    options = {"damping": 1e-3} if make is Newton else {}
    optimizer = make([unused, used], **options)
    optimizer.step(lambda: (used * used).sum())
    assert unused.tolist() == [3.0]
    assert used.tolist() != [1.0, 2.0]


@each
@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (lambda w: 3.0, "scalar Value, not 3.0"),
        (lambda w: w * w, "scalar Value, not Value"),
        (lambda w: Value(3.0) * 2.0, "none of the parameters"),
    ],
)
def test_closure_that_gives_no_loss(make, wrong, message):
    w = Value([1.0, 2.0])
    optimizer = make([w])
    with pytest.raises(ValueError, match=message):
        optimizer.step(lambda: wrong(w))
    assert w.tolist() == [1.0, 2.0] and optimizer.steps == 0


@each
def test_loss_or_gradient_that_is_not_finite(make):
    w = Value([0.0, 1.0])
    for loss, message in [
        (lambda: log(w - 2.0).sum(), "the loss is nan"),
        (lambda: 1.0 / w[0], "the loss is inf"),
        (lambda: (w**0.5).sum(), "a derivative of it is not finite"),
    ]:
        with pytest.raises(FloatingPointError, match=message):
            make([w]).step(loss)
        assert w.tolist() == [0.0, 1.0]


@pytest.mark.parametrize(
    ("make", "options"),
    [
        (BacktrackingLineSearch, {"lr": 10.0}),
        (LBFGS, {"lr": 10.0}),
        (Newton, {"line_search": True}),
    ],
)
def test_line_searches_come_back_from_where_the_loss_is_not_finite(make, options):
    w = Value(3.0)  # the loss ends at 0, and each first try is below
    optimizer = make([w], **options)
    closure = lambda: w - log(w)
    for _ in range(20):
        optimizer.step(closure)
    assert w.data == pytest.approx(1.0, abs=1e-6)


@pytest.mark.parametrize("make", [BacktrackingLineSearch, LBFGS])
def test_a_loss_of_minus_infinity_is_not_the_lowest(make):
    w = Value(1.0)
    make([w], lr=4.0).step(lambda: w + (-math.inf if w.data < 0.0 else 0.0))
    assert 0.0 <= w.data < 1.0


def test_lbfgs_does_not_go_where_the_gradient_is_not_finite():
    w = Value(1.0)
    LBFGS([w], lr=2.0, max_iter=1).step(lambda: w**0.5)  # the first try is 0
    assert 0.0 < w.data < 1.0


def test_newton_does_not_go_where_the_loss_is_not_finite():
    w = Value(3.0)
    optimizer = Newton([w])
    with pytest.raises(FloatingPointError, match="the loss is nan.*back where they were"):
        optimizer.step(lambda: w - log(w))
    assert w.data == 3.0


@each
def test_closure_that_raises_at_a_try_leaves_the_parameters_as_they_were(make):
    w = Value([3.0, 4.0])

    def closure():
        if w.tolist() != [3.0, 4.0]:
            raise KeyboardInterrupt
        return (w * w).sum()

    optimizer = make([w])
    with pytest.raises(KeyboardInterrupt):
        optimizer.step(closure)
    assert w.tolist() == [3.0, 4.0]


@each
def test_stop_reason_says_when_there_is_nothing_to_gain(make):
    w = Value(2.0)
    optimizer = make([w], **({"line_search": True} if make is Newton else {}))
    assert optimizer.stop_reason == ""
    optimizer.step(lambda: w * w * w * w)
    assert optimizer.stop_reason == "" or make is LBFGS
    w.data = 0.0
    optimizer.step(lambda: w * w)
    assert optimizer.stop_reason.startswith("no ")
    assert w.data == 0.0
    w.data = 1.0
    optimizer.step(lambda: w * w)
    assert optimizer.stop_reason == "" or make is LBFGS


@each
def test_kink_that_no_step_leaves(make):
    """The slope of |w| counts as 0 at 0, and that of this loss as 1/2; yet it rises both ways."""
    w = Value(0.0)
    optimizer = make([w], **({"damping": 1.0, "line_search": True} if make is Newton else {}))
    optimizer.step(lambda: w.abs() + 0.5 * w)
    assert w.data == 0.0
    assert optimizer.stop_reason.startswith("no step") and "lowers" in optimizer.stop_reason


@each
def test_rate_may_be_a_schedule(make):
    w = Value(1.0)
    options = {"max_iter": 1} if make is LBFGS else {}
    optimizer = make([w], lr=lambda step: 0.5 ** (step + 1), **options)
    path = []
    for _ in range(2):
        before = w.data
        optimizer.step(lambda: w * w / 2.0)
        path.append(1.0 - w.data / before)
    assert path == pytest.approx([0.5, 0.25], rel=1e-14)


@each
def test_saved_state_continues_bit_for_bit(make):
    rate = {"max_iter": 2} if make is LBFGS else {}
    parameters, closure = rosenbrock()
    original = make(parameters, **rate)
    for _ in range(3):
        original.step(closure)
    saved = json.dumps(original.state_dict())
    others, other_closure = rosenbrock()
    restored = make(others, **rate | {"lr": 0.3})
    restored.step(other_closure)
    restored.put(numbers_of(original))
    restored.load_state_dict(json.loads(saved))
    for _ in range(5):
        assert original.step(closure) == restored.step(other_closure)
        assert numbers_of(original) == numbers_of(restored)
    assert restored.state_dict() == original.state_dict() != json.loads(saved)
    assert restored.lr == 1.0


def test_state_of_other_parameters_is_refused_and_changes_nothing():
    parameters, closure = rosenbrock()
    optimizer = LBFGS(parameters)
    optimizer.step(closure)
    before = optimizer.state_dict()
    w = Value([1.0, 2.0, 3.0]), Value(1.0)
    other = LBFGS(w)
    other.step(lambda: (w[0] ** 4).sum() + w[1] ** 2)
    with pytest.raises(ValueError, match="does not curve upwards"):
        LBFGS([Value([0.0])]).load_state_dict(
            LBFGS([Value([0.0])]).state_dict() | {"pairs": [[[1.0], [0.0]]]}
        )
    with pytest.raises(ValueError, match="a pair has 4 numbers, the parameters have 2"):
        optimizer.load_state_dict(other.state_dict())
    with pytest.raises(ValueError, match="belongs to 'Newton'"):
        optimizer.load_state_dict(Newton(parameters).state_dict())
    assert optimizer.state_dict() == before


@pytest.mark.parametrize(
    ("make", "options"),
    [
        *((make, {"lr": lr}) for make in ALL for lr in (-1.0, math.nan)),
        (BacktrackingLineSearch, {"shrink": 1.0}),
        (BacktrackingLineSearch, {"sufficient_decrease": -0.1}),
        (BacktrackingLineSearch, {"max_steps": -1}),
        (Newton, {"damping": -1.0}),
        (LBFGS, {"tolerance_grad": -1.0}),
        (LBFGS, {"max_iter": -1}),
        (LBFGS, {"history_size": -1}),
    ],
    ids=str,
)
def test_impossible_options_are_refused_by_name(make, options):
    (name,) = options
    with pytest.raises(ValueError, match=name):
        make([Value(1.0)], **options)


# ---- Cholesky ------------------------------------------------------------------------------


@pytest.mark.parametrize("n", [1, 2, 7, 20])
def test_cholesky_is_a_root_and_solves(n):
    numbers = random.Random(n)
    M = [[numbers.gauss(0, 1) for _ in range(n)] for _ in range(n)]
    A = [[dot(a, b) + (0.1 if a is b else 0.0) for b in M] for a in M]
    root = cholesky(A)
    for i in range(n):
        for j in range(i + 1):
            assert dot(root[i][: j + 1], root[j]) == pytest.approx(A[i][j], abs=1e-13)
    x = [numbers.gauss(0, 1) for _ in range(n)]
    b = [dot(row, x) for row in A]
    kept = b[:]
    assert solve(root, b) == pytest.approx(x, abs=1e-9)
    assert b == kept


@pytest.mark.parametrize(
    ("matrix", "place", "singular"),
    [
        ([[0.0]], 0, True),
        ([[-1.0]], 0, False),
        ([[math.nan]], 0, False),
        ([[1.0, 1.0], [1.0, 1.0]], 1, True),
        ([[1e-20, 1e-20], [1e-20, 1e-20]], 1, True),
        ([[1.0, 2.0], [2.0, 1.0]], 1, False),
        ([[4.0, 0.0, 2.0], [0.0, 1.0, 1.0], [2.0, 1.0, 2.0 + 1e-14]], 2, True),
    ],
)
def test_matrix_without_a_root(matrix, place, singular):
    with pytest.raises(NotPositiveDefiniteError, match=f"in row {place}") as found:
        cholesky(matrix)
    assert (found.value.place, found.value.singular) == (place, singular)


def test_small_or_badly_scaled_matrices_are_not_singular():
    for scale in 1e-150, 1.0, 1e150:
        A = [[2.0 * scale, 1e-8 * scale], [1e-8 * scale, 1e-15 * scale]]
        b = [scale * (2.0 + 1e-8), scale * (1e-8 + 1e-15)]
        assert solve(cholesky(A), b) == pytest.approx([1.0, 1.0], rel=1e-6)
    nearly = cholesky([[1.0, 1.0], [1.0, 1.0 + 1e-10]])
    assert solve(nearly, [2.0, 2.0 + 1e-10]) == pytest.approx([1.0, 1.0], rel=1e-5)


def test_halving_goes_on_until_the_step_is_short_enough():
    w = Value(0.0)
    optimizer = BacktrackingLineSearch([w])
    loss = lambda: 1e40 * (w - 3.0) ** 2
    optimizer.step(loss)
    assert not optimizer.stop_reason and loss().data < 9e40


def test_why_it_stopped_is_part_of_the_state():
    w = Value(1.0)
    optimizer, other = LBFGS([w]), LBFGS([w])
    optimizer.step(lambda: (w - 1.0) ** 2)
    other.load_state_dict(optimizer.state_dict())
    assert other.stop_reason == optimizer.stop_reason != ""


@pytest.mark.parametrize(
    "make",
    [lambda w: LBFGS(w, max_iter=2.5), lambda w: BacktrackingLineSearch(w, max_steps=2.5)],
)
def test_a_number_of_steps_is_whole(make):
    with pytest.raises(TypeError, match="float"):
        make([Value(1.0)])


def test_a_singular_hessian_names_the_line_search_only_where_it_is_off():
    for line_search in True, False:
        w = Value([1.0, 1.0])
        with pytest.raises(ValueError, match="singular") as error:
            Newton([w], line_search=line_search).step(lambda: w.sum() ** 2)
        assert ("set line_search=True" in str(error.value)) is not line_search
