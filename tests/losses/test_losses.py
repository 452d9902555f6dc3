"""Losses against PyTorch (reference/make_losses.py), closed forms, 50 digits, and misuse."""

import json
import math
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from oracles import exact_log1p, ulps

from tinygrad_lr import (
    Array, Value, bernoulli_log_likelihood, binary_cross_entropy,
    binary_cross_entropy_with_logits, categorical_log_likelihood, cross_entropy, entropy, exp,
    gaussian_negative_log_likelihood, grad, gradcheck, hessian, kl_divergence, log_softmax,
    mean_squared_error, negative_log_likelihood, sigmoid, softmax,
)  # fmt: skip

CASES = json.loads(
    Path(__file__).parents[1].joinpath("reference", "losses.json").read_text(encoding="ascii")
)["cases"]

# PyTorch's functions, told with ours; a divergence with rows for elements.
OURS = {
    "nll_loss": lambda input, target, **r: negative_log_likelihood(input, target, **r),
    "cross_entropy": lambda input, target, **r: cross_entropy(input, target, **r),
    "binary_cross_entropy": lambda input, target, **r: binary_cross_entropy(input, target, **r),
    "binary_cross_entropy_with_logits": (
        lambda input, target, **r: binary_cross_entropy_with_logits(input, target, **r)
    ),
    "gaussian_nll_loss": lambda input, target, var, **r: gaussian_negative_log_likelihood(
        input, target, var, **r
    ),
    "mse_loss": lambda input, target, **r: mean_squared_error(input, target, **r),
    "kl_div": lambda input, target, **r: kl_divergence(target, exp(input), **r),
}
ALL = [
    binary_cross_entropy,
    binary_cross_entropy_with_logits,
    bernoulli_log_likelihood,
    mean_squared_error,
]
close = lambda x: pytest.approx(x, rel=1e-12, abs=1e-15)


def flat(x):
    """The numbers of nested lists, an Array or a Value, one after the other."""
    x = x.tolist() if hasattr(x, "tolist") else x
    return [v for item in x for v in flat(item)] if isinstance(x, list) else [x]


# ---- PyTorch ---------------------------------------------------------------------------------


@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
@pytest.mark.parametrize("case", [c for c in CASES if "note" not in c], ids=lambda c: c["loss"])
def test_values_and_gradients_are_those_of_pytorch(case, reduction):
    expected = case[reduction]
    if case["loss"] == "kl_div":
        expected = case["batchmean" if reduction == "mean" else reduction]
    inputs = {name: Value(data) for name, data in case["inputs"].items()}
    y = OURS[case["loss"]](**inputs, reduction=reduction)
    if case["loss"] == "kl_div" and reduction == "none":
        assert flat(y) == close([sum(row) for row in expected["value"]])
    else:
        assert flat(y) == close(flat(expected["value"]))
    if reduction != "none":
        y.backward()
        for name, gradient in expected["gradients"].items():
            assert flat(inputs[name].grad) == close(flat(gradient))


def test_where_pytorch_leaves_the_mathematics_we_do_not():
    inf = math.inf
    losses = binary_cross_entropy([0.0, 1.0, 0.0, 1.0], [0.0, 1.0, 1.0, 0.0], reduction="none")
    assert losses == Array([0.0, 0.0, inf, inf])
    tiny = gaussian_negative_log_likelihood([0.003], [0.0], [1e-9])
    assert tiny == close((math.log(2 * math.pi * 1e-9) + 0.003**2 / 1e-9) / 2)
    p = Value([1.0, 0.0])
    kl_divergence(p, [0.5, 0.5]).backward()
    assert p.grad.tolist() == [1.0 - math.log(0.5), -inf]


# ---- what the losses are ---------------------------------------------------------------------

probabilities = st.floats(0.001, 0.999)
labels = st.sampled_from([0.0, 1.0])
scores = st.floats(-20, 20)
pairs = lambda first, second: st.lists(st.tuples(first, second), min_size=1, max_size=5).map(
    lambda rows: list(map(list, zip(*rows)))
)


@given(pairs(probabilities, labels))
def test_cross_entropy_is_minus_the_mean_log_likelihood_of_what_happened(rows):
    p, y = rows
    likelihood = math.prod(q if label else 1 - q for q, label in zip(p, y))
    assert bernoulli_log_likelihood(p, y) == close(math.log(likelihood))
    assert binary_cross_entropy(p, y) == close(-math.log(likelihood) / len(p))


@given(pairs(scores, probabilities | labels))
def test_of_scores_and_of_probabilities(rows):
    z, y = rows
    one = binary_cross_entropy_with_logits(z, y)
    assert one == pytest.approx(binary_cross_entropy(sigmoid(z), y), rel=1e-6)
    assert flat(grad(binary_cross_entropy_with_logits)(z, y)) == pytest.approx(
        [(p - t) / len(z) for p, t in zip(flat(sigmoid(z)), y)], rel=1e-9, abs=1e-16
    )
    q = flat(sigmoid(z))
    assert flat(hessian(lambda z: binary_cross_entropy_with_logits(z, y))(z)) == pytest.approx(
        [(i == j) * p * (1 - p) / len(z) for i, p in enumerate(q) for j, _ in enumerate(q)],
        abs=1e-9,
    )


@given(st.floats(-700, 700), st.floats(0, 1))
def test_soft_targets_are_a_mixture_of_the_two_labels(z, y):
    loss = binary_cross_entropy_with_logits
    mixed = y * loss(z, 1.0) + (1 - y) * loss(z, 0.0)
    assert loss(z, y) == pytest.approx(mixed, rel=1e-14)
    mirrored = loss(-z, 1 - y)
    assert loss(z, y) == pytest.approx(mirrored, rel=1e-9) or 1 - (1 - y) != y


@given(st.lists(scores, min_size=2, max_size=4), st.data())
def test_cross_entropy_is_the_log_probability_of_the_label(z, data):
    label = data.draw(st.integers(0, len(z) - 1))
    hot = [float(i == label) for i in range(len(z))]
    loss = cross_entropy(z, label)
    assert loss == close(-log_softmax(z)[label])
    assert loss == close(cross_entropy(z, hot))
    assert loss == close(negative_log_likelihood(log_softmax(z), label))
    assert loss == pytest.approx(-categorical_log_likelihood(softmax(z), label), rel=1e-6)
    assert flat(grad(cross_entropy)(z, label)) == close(flat(softmax(z) - hot))


@given(
    st.lists(st.lists(scores, min_size=3, max_size=3), min_size=1, max_size=4),
    st.lists(st.integers(0, 2), min_size=4, max_size=4),
)
def test_the_gradient_sums_to_zero_over_the_classes_and_a_batch_is_the_mean_of_its_rows(z, labels):
    labels = labels[: len(z)]
    gradient = grad(cross_entropy)(z, labels)
    for row in gradient:
        assert math.fsum(row) == pytest.approx(0.0, abs=1e-15)
    each = [grad(cross_entropy)(row, label) for row, label in zip(z, labels)]
    assert flat(gradient) == close([v / len(z) for row in each for v in row])
    assert cross_entropy(z, labels) == close(math.fsum(map(cross_entropy, z, labels)) / len(z))
    shuffled = list(reversed(z)), list(reversed(labels))
    assert cross_entropy(*shuffled) == close(cross_entropy(z, labels))


@given(pairs(scores, scores), st.floats(0.01, 10))
def test_squared_error_is_a_gaussian_likelihood_without_its_constant(rows, variance):
    m, t = rows
    constant = math.log(2 * math.pi * variance) / 2
    assert gaussian_negative_log_likelihood(m, t, variance) - constant == pytest.approx(
        mean_squared_error(m, t) / (2 * variance), rel=1e-9, abs=1e-9
    )
    assert flat(grad(mean_squared_error)(m, t)) == close(
        [2 * (a - b) / len(m) for a, b in zip(m, t)]
    )


@given(st.lists(st.integers(1, 100), min_size=2, max_size=5), st.data())
def test_cross_entropy_is_entropy_plus_divergence(weights, data):
    others = data.draw(st.permutations(weights))
    p, q = ([w / sum(ws) for w in ws] for ws in (weights, others))
    crossed = -sum(a * math.log(b) for a, b in zip(p, q))
    assert crossed == pytest.approx(entropy(p) + kl_divergence(p, q), abs=1e-12)
    assert kl_divergence(p, q) >= -1e-15
    assert kl_divergence(p, p) == 0.0
    assert 0 <= entropy(p) <= math.log(len(p)) + 1e-15


def test_certain_outcomes():
    assert entropy([1.0, 0.0]) == 0.0
    assert kl_divergence([1.0, 0.0], [0.5, 0.5]) == math.log(2)
    assert kl_divergence([0.5, 0.5], [1.0, 0.0]) == math.inf
    assert bernoulli_log_likelihood([1.0, 0.0], [1, 0]) == 0.0
    assert bernoulli_log_likelihood([1.0], [0]) == -math.inf
    assert categorical_log_likelihood([[1.0, 0.0]], [0]) == 0.0


# ---- digits ----------------------------------------------------------------------------------


@given(st.lists(st.floats(-800, 800) | st.floats(-1, 1), min_size=2, max_size=4), st.data())
def test_cross_entropy_and_its_slopes_are_within_4_ulp(z, data):
    label = data.draw(st.integers(0, len(z) - 1))
    top = z.index(max(z))
    shifted = [Decimal(x) - Decimal(z[top]) for x in z]
    rest = exact_log1p(sum((d.exp() for i, d in enumerate(shifted) if i != top), Decimal(0)))
    assert ulps(cross_entropy(z, label), rest - shifted[label]) <= 4
    p = [(d - rest).exp() for d in shifted]
    slopes = grad(cross_entropy)(z, label)
    for i, found in enumerate(slopes):
        exact = p[i] if i != label else -sum((q for j, q in enumerate(p) if j != label), Decimal(0))
        assert ulps(found, exact) <= 5


@pytest.mark.parametrize("gap", [37.0, 40.0, 300.0, 745.0])
def test_a_right_and_certain_prediction_still_has_a_gradient(gap):
    e = pytest.approx(math.exp(-gap), rel=1e-9, abs=0)
    right, other = grad(cross_entropy)([gap, 0.0], 0)
    assert -right == other == e
    assert cross_entropy([gap, 0.0], 0) == e
    assert -grad(binary_cross_entropy_with_logits)(gap, 1.0) == e


@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
def test_infinite_scores_cost_nothing_where_they_are_right(reduction):
    inf = math.inf
    z, y = [inf, -inf], [1, 0]
    for x in (z, Value(z)):
        assert flat(binary_cross_entropy_with_logits(x, y, reduction)) in ([0.0], [0.0, 0.0])
    assert flat(grad(binary_cross_entropy_with_logits)(z, y)) == [0.0, 0.0]
    assert binary_cross_entropy_with_logits(z, [0, 1]) == inf
    assert binary_cross_entropy_with_logits(z, [0.5, 0.5]) == inf
    table = Value([[inf, 0.0], [-inf, 3.0]])
    loss = cross_entropy(table, [0, 1])
    assert loss.data == 0.0
    loss.backward()
    assert flat(table.grad) == [0.0, 0.0, 0.0, 0.0]
    assert cross_entropy([[inf, 0.0]], [1]) == inf
    assert cross_entropy([[inf, 0.0]], [[1.0, 0.0]]) == 0.0


# ---- forms -----------------------------------------------------------------------------------


@pytest.mark.parametrize("loss", ALL, ids=lambda f: f.__name__)
def test_reductions(loss):
    a, b = [[0.2, 0.9], [0.6, 0.5]], [[0.0, 1.0], [1.0, 0.25]]
    each = loss(a, b, reduction="none")
    assert each.shape == (2, 2)
    assert loss(a, b, reduction="sum") == close(math.fsum(each.flat))
    assert loss(a, b, "mean") == close(math.fsum(each.flat) / 4)
    assert loss(a, b) == (
        loss(a, b, "sum") if loss is bernoulli_log_likelihood else loss(a, b, "mean")
    )
    assert loss(0.2, 1.0) == loss(0.2, 1.0, "none") == close(loss([0.2], [1.0], "none")[0])
    for wrong in ("average", None, "Mean"):
        with pytest.raises(ValueError, match="it must be 'mean', 'sum' or 'none'"):
            loss(a, b, reduction=wrong)


@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
@pytest.mark.parametrize(
    ("z", "labels"), [([[0.5, -1.0, 2.0], [0.1, 0.2, 0.3]], [2, 0]), ([0.5, -1.0], 1)]
)
def test_cross_entropy_of_labels_has_second_derivatives(z, labels, reduction):
    """The registry's samples are distributions: labels are names, and not differentiable."""
    assert gradcheck(lambda z: cross_entropy(z, labels, reduction=reduction), z)
    spelled_out = cross_entropy.operation.same_as
    scalar = lambda loss: lambda z: (loss(z, labels, reduction=reduction) ** 2).sum()
    assert flat(hessian(scalar(cross_entropy))(z)) == close(flat(hessian(scalar(spelled_out))(z)))
    tracked = Value(labels)
    cross_entropy(Value(z), tracked).backward()
    assert set(flat(tracked.grad)) == {0.0}


@pytest.mark.parametrize(
    "targets",
    [[[0, 2], [1, 1]], [[[1, 0, 0], [0, 0.5, 0.5]], [[0, 1, 0], [0.2, 0.3, 0.5]]]],
    ids=str,
)
def test_cross_entropy_of_more_than_one_leading_axis(targets):
    z = [[[0.5, -1.0, 2.0], [0.1, 0.2, 0.3]], [[1.0, 1.5, -0.5], [0.0, 2.0, 1.0]]]
    each = cross_entropy(z, targets, reduction="none")
    assert each.shape == (2, 2)
    assert flat(each) == close(
        [cross_entropy(z[i][j], targets[i][j]) for i in range(2) for j in range(2)]
    )
    x = Value(z)
    cross_entropy(x, targets).backward()
    one = grad(cross_entropy)(z[1][0], targets[1][0])
    assert flat(x.grad[1, 0]) == close([v / 4 for v in one.flat])


def test_rows_are_the_last_axis():
    p = [[0.2, 0.8], [0.5, 0.5]]
    assert entropy(p, reduction="none") == Array([entropy(p[0]), entropy(p[1])])
    assert kl_divergence(p, [p[1], p[0]], reduction="none").shape == (2,)
    logs = log_softmax([[0.0, 1.0], [2.0, 0.0]])
    assert negative_log_likelihood(logs, [0, 1], "none") == Array([-logs[0, 0], -logs[1, 1]])
    assert negative_log_likelihood(logs[0], 1) == -logs[0, 1]


def test_plain_numbers_in_plain_numbers_out():
    assert type(binary_cross_entropy_with_logits([1, -1], [1, 0])) is float
    assert type(binary_cross_entropy_with_logits([1, -1], [True, False], "none")) is Array
    assert type(binary_cross_entropy_with_logits(Value([1.0, -1.0]), [1, 0])) is Value
    assert type(cross_entropy([1, 2], Value([0.5, 0.5]))) is Value


def test_targets_have_gradients_too():
    z, y = [0.5, -2.0], [0.3, 0.9]
    assert flat(grad(binary_cross_entropy_with_logits, 1)(z, y)) == [-0.25, 1.0]
    q = [[0.2, 0.8]]
    assert flat(grad(cross_entropy, 1)([z], q)) == close([-v for v in flat(log_softmax(z))])


# ---- misuse ----------------------------------------------------------------------------------


@pytest.mark.parametrize("loss", [*ALL, kl_divergence], ids=lambda f: f.__name__)
@pytest.mark.parametrize(
    ("a", "b"),
    [([0.5, 0.5], [[1.0], [0.0]]), ([[0.5], [0.5]], [1, 0]), ([0.5], 1.0), ([0.5, 0.1], [1.0])],
)
def test_a_loss_does_not_broadcast(loss, a, b):
    with pytest.raises(ValueError, match="shapes .* differ, and a loss does not broadcast"):
        loss(Value(a), b)


@pytest.mark.parametrize("loss", ALL[:3], ids=lambda f: f.__name__)
@pytest.mark.parametrize(
    ("targets", "message"),
    [
        ([-1, 1], r"found -1.0; for labels -1 and 1 use \(y \+ 1\) / 2"),
        ([2, 1], "found 2.0; labels are 0 or 1, soft targets lie between"),
        ([-1, 2], "found -1.0; labels are 0 or 1"),
        ([0, math.nan], "found nan"),
        ([math.inf, 0], "found inf"),
        ([1.0000001, 0], "found 1.0000001"),
    ],
)
def test_targets_that_are_no_probabilities_are_refused_with_a_hint(loss, targets, message):
    with pytest.raises(ValueError, match=rf"targets must lie in \[0, 1\], {message}"):
        loss([0.5, 0.5], targets)


@pytest.mark.parametrize(
    "loss",
    [
        lambda p: binary_cross_entropy(p, [1, 0]),
        lambda p: bernoulli_log_likelihood(p, [1, 0]),
        lambda p: categorical_log_likelihood(p, 0),
        lambda p: entropy(p),
    ],
)
@pytest.mark.parametrize("scores", [[0.5, 1.7], [-0.5, 0.2], [math.nan, 0.5]])
def test_scores_given_as_probabilities_are_noticed(loss, scores):
    with pytest.raises(
        ValueError, match=r"must lie in \[0, 1\], found .*; were these scores\? take sigmoid"
    ):
        loss(scores)


@pytest.mark.parametrize(("loss", "link", "targets"), [
    (binary_cross_entropy_with_logits, sigmoid, [1, 0]),
    (cross_entropy, softmax, 1),
])  # fmt: skip
def test_probabilities_given_as_scores_are_noticed(loss, link, targets):
    p = link(Value([0.3, 0.7]))
    with pytest.warns(
        UserWarning, match=f"{loss.__name__} expects scores.*come from {link.__name__}"
    ) as warned:
        loss(p, targets)
    assert [w.filename for w in warned] == [__file__]  # the line to look at is the caller's
    loss(p * 1.0, targets)  # only what is certain is said


@pytest.mark.parametrize("label", [0.5, 3, -1, math.nan, math.inf])
def test_labels_that_are_no_classes_are_named_with_their_row(label):
    message = r"label .* at row 1; with 3 classes the labels are whole numbers from 0 to 2"
    z = [[0.1, 0.2, 0.7], [0.3, 0.3, 0.4]]
    for loss in (cross_entropy, categorical_log_likelihood):
        with pytest.raises(ValueError, match=f"{loss.__name__}: {message}"):
            loss(z, [0, label])
    with pytest.raises(ValueError, match=message):
        negative_log_likelihood(log_softmax(z), [0, label])


def test_labels_of_the_wrong_shape_are_told_what_is_needed():
    with pytest.raises(
        ValueError,
        match=r"\(2, 3\) needs labels of shape \(2,\).*or distributions of shape \(2, 3\)",
    ):
        cross_entropy([[1, 2, 3], [4, 5, 6]], [[0], [1]])
    with pytest.raises(ValueError, match="needs a score for each class, got a single number"):
        cross_entropy(1.0, 0)
    with pytest.raises(ValueError, match="needs a row of classes"):
        negative_log_likelihood(-1.0, 0)


def test_rows_of_targets_that_are_no_distributions_are_refused():
    with pytest.raises(
        ValueError, match="a row of targets sums to 2, a distribution to 1; for class labels"
    ):
        cross_entropy([[1, 2], [3, 4]], [[0.5, 0.5], [1, 1]])
    with pytest.raises(ValueError, match=r"targets must lie in \[0, 1\]"):
        cross_entropy([[1, 2]], [[-0.5, 1.5]])


def test_log_probabilities_are_never_positive():
    with pytest.raises(ValueError, match="take log_softmax of scores"):
        negative_log_likelihood([[0.1, 0.9]], [1])


def test_a_variance_is_positive():
    for variance in (0.0, -1.0, [1.0, 0.0], math.nan):
        with pytest.raises(
            ValueError, match="a variance is positive; for a log-variance take its exp"
        ):
            gaussian_negative_log_likelihood([0.0, 1.0], [0.0, 1.0], variance)
    with pytest.raises(ValueError, match="does not broadcast"):
        gaussian_negative_log_likelihood([0.0, 1.0], [0.0, 1.0], [1.0])


@pytest.mark.parametrize("loss", [*ALL, cross_entropy], ids=lambda f: f.__name__)
def test_an_empty_batch_has_no_mean(loss):
    empty = Array([[], []]).T if loss is cross_entropy else []
    with pytest.raises(ValueError, match="an empty batch has no mean loss; leave it out"):
        loss(empty, [], reduction="mean")
    assert loss(empty, [], reduction="sum") == 0.0
    assert loss(empty, [], reduction="none").shape == (0,)


def test_a_refused_loss_changes_nothing():
    w = Value([1.0, 2.0])
    w.grad = Array([5.0, 6.0])
    with pytest.raises(ValueError):
        binary_cross_entropy_with_logits(w * 2, [-1, 1])
    assert w.grad.tolist() == [5.0, 6.0]


def test_gradients_of_the_divergence_from_and_to():
    p, q = Value([0.3, 0.7]), Value([0.6, 0.4])
    kl_divergence(p, q).backward()
    assert flat(p.grad) == close([math.log(0.3 / 0.6) + 1, math.log(0.7 / 0.4) + 1])
    assert flat(q.grad) == close([-0.3 / 0.6, -0.7 / 0.4])
    entropic = Value([0.3, 0.7])
    entropy(entropic).backward()
    assert flat(entropic.grad) == close([-math.log(0.3) - 1, -math.log(0.7) - 1])


def test_binary_cross_entropy_names_itself_in_its_errors():
    with pytest.raises(ValueError, match="^binary_cross_entropy: probabilities must lie"):
        binary_cross_entropy([2.0], [1.0])


def test_a_distribution_that_is_all_on_one_class_has_the_slopes_of_the_label():
    for scores in [40.0, 0.0], [0.0, 40.0, 39.0], [700.0, 0.0]:
        slopes = []
        for targets in 0, [1.0] + [0.0] * (len(scores) - 1):
            z = Value(scores)
            cross_entropy(z, targets).backward()
            slopes.append(z.grad.tolist())
        assert slopes[0] == pytest.approx(slopes[1], rel=1e-14, abs=0.0)
