"""The notes on convexity, proved by the engine: what is a bowl, and how to walk in it."""

import math
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tinygrad_lr import (
    Value, affine, binary_cross_entropy_with_logits, cross_entropy, hessian, mean_squared_error,
    sigmoid, softmax, tanh,
)  # fmt: skip
from tinygrad_lr.convexity import (
    is_linearly_separable, is_positive_semidefinite, largest_eigenvalue, safe_learning_rate,
    smoothness_constant,
)  # fmt: skip
from tinygrad_lr.data import Batches, StandardScaler, load_iris
from tinygrad_lr.models import LogisticRegression, SoftmaxRegression
from tinygrad_lr.optim import SGD
from tinygrad_lr.training import minimize

seeds = st.integers(0, 10_000)


def problem(seed, n=12, d=3):
    """Random rows, random labels of both classes, random weights."""
    noise = random.Random(seed)
    X = [[noise.gauss(0, 2) for _ in range(d)] for _ in range(n)]
    y = [1.0, 0.0] + [float(noise.random() < 0.5) for _ in range(n - 2)]
    return X, y, [noise.gauss(0, 1) for _ in range(d)]


def loss_of(X, y):
    return lambda w: binary_cross_entropy_with_logits(Value(X) @ w, y)


@given(seeds)
@settings(derandomize=True, deadline=None, max_examples=25)
def test_the_hessian_is_the_mean_of_p_q_x_x(seed):
    X, y, w = problem(seed)
    H = hessian(loss_of(X, y))(w)
    for i in range(3):
        for j in range(3):
            expected = 0.0
            for row in X:
                z = sum(a * b for a, b in zip(row, w))
                p = 1 / (1 + math.exp(-z))
                expected += p * (1 - p) * row[i] * row[j] / len(X)
            assert H[i, j] == pytest.approx(expected, rel=1e-9, abs=1e-12)
    assert is_positive_semidefinite(H)
    assert largest_eigenvalue(H) <= smoothness_constant(X) * (1 + 1e-9)


@given(seeds)
@settings(derandomize=True, deadline=None, max_examples=25)
def test_the_softmax_loss_is_a_bowl_too_with_flat_directions(seed):
    X, _, _ = problem(seed, d=2)
    noise = random.Random(seed)
    labels = [noise.randrange(3) for _ in X]
    W = [[noise.gauss(0, 1) for _ in range(3)] for _ in range(2)]
    H = hessian(lambda w: cross_entropy(Value(X) @ w.reshape(2, 3), labels))(sum(W, []))
    assert is_positive_semidefinite(H)
    # The same amount added to all scores changes nothing: flat along (1, 1, 1) in each row of W.
    for along in [1.0, 1.0, 1.0, 0.0, 0.0, 0.0], [0.0, 0.0, 0.0, 1.0, 1.0, 1.0]:
        assert (H @ along).tolist() == pytest.approx([0.0] * 6, abs=1e-12)


@given(seeds, st.sampled_from([0.0, 0.1]))
@settings(derandomize=True, deadline=None, max_examples=15)
def test_steps_of_one_over_L_go_down_every_time(seed, l2):
    X, y, start = problem(seed)
    w = Value(start)
    loss = lambda X, y: binary_cross_entropy_with_logits(X @ w, y) + (w @ w) * (l2 / 2)
    rate = safe_learning_rate(X, l2=l2)
    history = minimize(loss, [w], Batches(X, y), SGD([w], lr=rate), 100)
    for before, after, slope in zip(history.losses, history.losses[1:], history.gradient_norms):
        assert after <= before - 0.499 * rate * slope**2 + 1e-14  # the descent lemma


def test_steps_over_two_over_L_may_diverge():
    X, y = [[1.0], [1.0]], [0, 1]  # at its minimum, w = 0, the loss curves by L

    def walked(factor):
        w = Value([0.01])
        loss = lambda X, y: binary_cross_entropy_with_logits(X @ w, y)
        minimize(loss, [w], Batches(X, y), SGD([w], lr=factor * safe_learning_rate(X)), 200)
        return abs(w.data[0])

    assert walked(1.0) < 1e-9 and walked(1.9) < 1e-6
    assert walked(2.1) > 0.3  # thrown from wall to wall, though it started next to the bottom


def is_below_its_chords(f, a, b, steps=50):
    """Whether f lies on or below the line between its values at a and b: so does any bowl."""
    ends = f(a), f(b)
    for k in range(1, steps):
        t = k / steps
        between = f([(1 - t) * u + t * v for u, v in zip(a, b)])
        if between > (1 - t) * ends[0] + t * ends[1] + 1e-12:
            return False
    return True


def test_cross_entropy_is_below_its_chords_and_squared_error_is_not():
    X, y = [[1.0], [-2.0], [0.5]], [1.0, 0.0, 0.0]
    bowl = lambda w: binary_cross_entropy_with_logits(affine(X, w, 0.0), y)
    not_a_bowl = lambda w: mean_squared_error(sigmoid(affine(X, w, 0.0)), y)
    pairs = [([-9.0], [3.0]), ([-30.0], [30.0]), ([0.0], [12.0])]
    assert all(is_below_its_chords(bowl, a, b) for a, b in pairs)
    assert not all(is_below_its_chords(not_a_bowl, a, b) for a, b in pairs)
    assert not is_positive_semidefinite(hessian(lambda w: not_a_bowl(w.reshape(1)))(-4.0))


def test_a_network_with_a_hidden_layer_is_no_bowl():
    """Exchange its two hidden neurons: the same loss, and a mountain in between."""
    X, y = [[-1.0], [0.0], [1.0]], [1.0, 0.0, 1.0]

    def loss(w):
        hidden = tanh(affine(X, [list(w[:2])], list(w[2:4])))
        return binary_cross_entropy_with_logits(affine(hidden, list(w[4:6]), w[6]), y)

    found = [8.0, -8.0, -4.0, -4.0, 5.0, 5.0, 4.0]  # one neuron each for the left and the right
    exchanged = [-8.0, 8.0, -4.0, -4.0, 5.0, 5.0, 4.0]
    assert loss(found) == pytest.approx(loss(exchanged), rel=1e-12) and loss(found) < 0.02
    assert not is_below_its_chords(loss, found, exchanged)


def test_separable_data_are_decided_and_said_plainly():
    X, y = [[-2.0], [-1.0], [1.0], [2.0]], [0, 0, 1, 1]
    assert is_linearly_separable(X, y)
    with pytest.warns(UserWarning, match="no finite minimum: the weights grow forever; .* l2"):
        LogisticRegression().fit(X, y)
    with pytest.warns(UserWarning, match="no finite minimum"):
        SoftmaxRegression().fit(X, y)
    LogisticRegression(l2=0.1).fit(X, y)  # no warning: the penalty gives the bowl a bottom
    LogisticRegression().fit(X, [0, 1, 0, 1])
    data = load_iris()
    setosa = [float(t == 0) for t in data.y]
    with pytest.warns(UserWarning, match="no finite minimum"):
        LogisticRegression().fit(StandardScaler().fit_transform(data.X), setosa)


def test_softmax_over_two_scores_is_a_sigmoid_and_K_sigmoids_sum_to_anything():
    for z in -800.0, -3.0, 0.0, 0.7, 800.0:
        assert softmax([0.0, z])[1] == pytest.approx(sigmoid(z), rel=1e-15)
    scores = [1.0, 2.0, 3.0]
    assert sum(softmax(scores)) == pytest.approx(1.0) != pytest.approx(sum(map(sigmoid, scores)))
