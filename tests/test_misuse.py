"""Mistakes that are easily made, and the remedy that the message about each of them names."""

import math
import operator
from decimal import Decimal
from fractions import Fraction

import pytest

from tinygrad_lr import (
    Array, Value, bernoulli_log_likelihood, binary_cross_entropy,
    binary_cross_entropy_with_logits, categorical_log_likelihood, cross_entropy, detect_anomaly,
    entropy, exp, grad, mean_squared_error, negative_log_likelihood, sigmoid, softmax,
)  # fmt: skip
from tinygrad_lr.data import Batches, StandardScaler, train_test_split
from tinygrad_lr.metrics import accuracy, brier_score, log_loss, roc_auc
from tinygrad_lr.models import LogisticRegression, SoftmaxRegression
from tinygrad_lr.optim import LBFGS, SGD
from tinygrad_lr.training import minimize

X, Y = [[0.0], [1.0], [2.0], [3.0]], [0, 1, 0, 1]
SCORES, COLUMN = [0.5, -1.0, 2.0], [[0], [1], [0], [1]]
SIGNS = [-1, 1, -1, 1]
ONE_BATCH = [([[0.0]], [0.0])]


def leaf(data=2.0):
    return Value(data, label="w")


# ---- how each mistake is made; those of one line stand in the tables below --------------------


def data_replaced_before_backward():
    w = leaf()
    loss = w * w
    w.data = 3.0
    loss.backward()


def data_moved_before_backward():
    w = leaf([2.0])
    loss = (w * w).sum()
    w.data -= [1.0]
    loss.backward()


def losses_added_up_with_their_graphs():
    w, total = leaf(), Value(0.0)
    optimizer = SGD([w], lr=0.1)
    for _ in range(3):
        optimizer.zero_grad()
        loss = (w - 1.0) ** 2
        loss.backward()
        optimizer.step()
        total = total + loss  # should be loss.item()
    total.backward()


def losses_added_up_within_minimize():
    w, total = leaf(), [Value(0.0)]

    def loss(X, y):
        total.append(total[-1] + w * w)
        return total[-1]

    minimize(loss, [w], ONE_BATCH * 2, SGD([w]), 1)


def gradients_added_up_over_steps():
    w = leaf()
    optimizer = SGD([w], lr=0.1)
    for _ in range(2):  # without zero_grad
        (w * w).backward()
        optimizer.step()


def step_of_another_model():
    mine, other = leaf(), leaf()
    (mine * mine).backward()
    SGD([other]).step()


def optimizer_of_another_model():
    mine, other = leaf(), leaf()
    minimize(lambda X, y: mine * mine, [mine], ONE_BATCH, SGD([other]), 1)


def loss_of_another_model():
    mine, other = leaf(), leaf()
    LBFGS([mine]).step(lambda: other * other)


def fitted(model=LogisticRegression):
    return model(epochs=1).fit(X, Y)


# ---- errors -----------------------------------------------------------------------------------

ERRORS = {
    "scores given as probabilities": [
        (lambda: binary_cross_entropy(SCORES, [0, 1, 1]), r"take sigmoid .* loss of logits"),
        (lambda: bernoulli_log_likelihood(SCORES, [0, 1, 1]), "take sigmoid"),
        (lambda: categorical_log_likelihood([SCORES], [0]), r"sigmoid \(softmax\) of them"),
        (lambda: negative_log_likelihood([SCORES], [0]), "take log_softmax .* use cross_entropy"),
        (lambda: entropy(SCORES), r"take sigmoid \(softmax\) of them"),
        (lambda: log_loss([0, 1, 1], SCORES), "apply sigmoid"),
        (lambda: brier_score([0, 1, 1], SCORES), "apply sigmoid"),
    ],
    "probabilities given as something else": [
        (lambda: negative_log_likelihood(softmax([SCORES]), [0]), "log of probabilities"),
        (lambda: accuracy([0, 1], [0.2, 0.7]), r"threshold it first \(p > 0.5\)"),
    ],
    "labels -1 and 1": [
        (lambda: binary_cross_entropy([0.5] * 4, SIGNS), r"use \(y \+ 1\) / 2"),
        (lambda: binary_cross_entropy_with_logits([0.5] * 4, SIGNS), r"use \(y \+ 1\) / 2"),
        (lambda: cross_entropy([[1.0, 2.0]] * 4, SIGNS), "labels are whole numbers from 0 to 1"),
        (lambda: log_loss(SIGNS, [0.5] * 4), r"take \(y \+ 1\) / 2"),
        (lambda: roc_auc(SIGNS, [0.5] * 4), r"take \(y \+ 1\) / 2"),
        (lambda: LogisticRegression().fit(X, SIGNS), r"use \(y \+ 1\) / 2"),
        (lambda: LogisticRegression().partial_fit(X, SIGNS), r"use \(y \+ 1\) / 2"),
    ],
    "(n,) against (n, 1)": [
        (lambda: binary_cross_entropy([0.5] * 4, COLUMN), "reshape one of them"),
        (lambda: binary_cross_entropy_with_logits(COLUMN, Y), "reshape one of them"),
        (lambda: mean_squared_error(COLUMN, Y), "reshape one of them"),
        (lambda: cross_entropy([[1.0, 2.0]] * 4, COLUMN), r"needs labels of shape \(4,\)"),
        (lambda: accuracy(COLUMN, Y), r"take its only column, x\[:, 0\]"),
        (lambda: Batches(X, COLUMN), r"flatten it to \(n,\)"),
        (lambda: LogisticRegression().fit(X, COLUMN), r"flatten it to \(n,\)"),
        (lambda: LogisticRegression().fit([0.0, 1.0], [0, 1]), r"\[\[x\] for x in X\]"),
        (lambda: fitted().predict([1.0]), r"\[\[x\] for x in X\]"),
    ],
    "a class missing": [
        (lambda: LogisticRegression().fit(X, [1] * 4), "add rows of the other class"),
        (lambda: SoftmaxRegression().fit(X, [1] * 4), "add rows of other classes"),
        (lambda: LogisticRegression().fit(X, [0, 1, 2, 0]), "use SoftmaxRegression"),
        (lambda: LogisticRegression().fit(X, [1, 2, 1, 2]), "name the classes 0 and 1"),
        (lambda: SoftmaxRegression().fit(X, [0.5, 1, 0.5, 1]), "whole numbers; found 0.5, 1"),
        (lambda: SoftmaxRegression().partial_fit(X, Y), "classes="),
        (lambda: SoftmaxRegression().partial_fit(X, Y, classes=[0, 0, 1]), "named twice: 0, 0, 1"),
        (lambda: fitted(SoftmaxRegression).partial_fit(X, [0, 1, 2, 0]), "name all classes"),
        (lambda: roc_auc([1, 1], [0.1, 0.2]), "evaluate on more rows"),
    ],
    "rows that cannot be learned from or judged": [
        (lambda: LogisticRegression().fit([[math.nan], *X[1:]], Y), "leave the row out or fill in"),
        (lambda: fitted().predict([[math.nan]]), "leave the row out or fill in"),
        (lambda: fitted(SoftmaxRegression).predict_proba([[math.inf]]), "leave the row out or"),
        (lambda: fitted().predict([[1.0, 2.0]]), "has learned 1 features"),
        (lambda: train_test_split(X, Y, 1.0), "give a share such as 0.25"),
        (lambda: StandardScaler().fit([[1e200], [-1e200]]), "in a larger unit"),
    ],
    "settings that cannot work": [
        (lambda: LogisticRegression(l2=-1.0).fit(X, Y), "l2 is -1.0; .* at least 0"),
        (lambda: LogisticRegression(l2="much").fit(X, Y), "l2 is 'much'; .* a number"),
        (lambda: LogisticRegression(epochs=1.5).fit(X, Y), "epochs is 1.5; .* a whole number"),
        (lambda: LogisticRegression(batch_size=0).fit(X, Y), "at least 1, or None"),
        (lambda: LogisticRegression(lr="fast").fit(X, Y), "a number, a schedule, or None"),
        (lambda: LogisticRegression(seed=None).fit(X, Y), "seed is None; .* a whole number"),
        (lambda: LogisticRegression(optimizer=3).fit(X, Y), "the name of one, or a class"),
        (lambda: LogisticRegression(optimizer="Adamm").fit(X, Y), "there are .*Adam, "),
        (lambda: minimize(len, [w := leaf()], ONE_BATCH, SGD([w]), -1), "at least 0"),
        (lambda: minimize(len, [w := leaf()], ONE_BATCH, SGD([w]), 1, tolerance=-1), "at least 0"),
        (lambda: SGD([leaf()], lr=-0.1), "at least 0 and finite"),
        (lambda: SGD([leaf()], lr=math.nan), "at least 0 and finite"),
    ],
    "the parameters of another model": [
        (optimizer_of_another_model, "give the same list to both"),
        (loss_of_another_model, "the closure must compute it from them anew"),
    ],
    "no single derivative": [
        (lambda: leaf([1.0, 2.0]).backward(), r"\(sum or mean\), or pass gradient="),
        (lambda: bool(leaf([1.0, 2.0]) > 1.0), "reduce it first"),
    ],
    "numbers beyond every float": [
        (lambda: Value(10**400), "beyond the largest float, about 1.8e308"),
        (lambda: leaf() + 10**400, "beyond the largest float"),
        (lambda: Array([1.0]) * -(10**400), "beyond the largest float"),
        (lambda: Value(Fraction(10**400, 3)), "beyond the largest float"),
        (lambda: Value(Decimal("1e400")), "beyond the largest float"),
        (lambda: Value([[1.0], [2.0, 3.0]]), "all lists at one depth need the same length"),
    ],
}

TYPE_ERRORS = {
    "what is no real number": [
        (lambda: Value("1.5"), "'1.5' is a str, not a real number"),
        (lambda: Value([1.0, "2"]), "'2' is a str"),
        (lambda: Value(b"1"), "b'1' is a bytes"),
        (lambda: Value(1j), "1j is a complex"),
        (lambda: Value(complex(1, 0)), "is a complex"),
        (lambda: leaf() + 1j, "is a complex"),
        (lambda: Array([1.0]) * "a", "'a' is a str"),
        (lambda: Value([1.0, None]), "None is a NoneType"),
        (lambda: Value({1: 2.0}), "is a dict"),
        (lambda: LogisticRegression().fit([["tall"], ["short"]], [0, 1]), "'tall' is a str"),
        (lambda: Value([leaf(), leaf()]), r"join them with stack\(\[...\]\), or read .data"),
    ],
    "an Array or a Value changed in place": [
        (lambda: operator.setitem(Array([1.0, 2.0]), 0, 5.0), "make a new one"),
        (lambda: operator.setitem(leaf([1.0]).data, 0, 5.0), "make a new one"),
        (lambda: operator.setitem(leaf([1.0]), 0, 5.0), "item assignment"),
    ],
    "what is no parameter": [
        (lambda: SGD([leaf() * 2.0]), r"made by Value\(...\)"),
        (lambda: SGD([1.0]), r"made by Value\(...\)"),
    ],
    "a function of math": [
        (lambda: grad(lambda x: math.exp(x))(1.0), "use exp, sin, ... of tinygrad_lr"),
    ],
}

RUNTIME_ERRORS = {
    "data changed between forward and backward": [
        (data_replaced_before_backward, "before the optimizer's step, or compute the loss again"),
        (data_moved_before_backward, "before the optimizer's step, or compute the loss again"),
    ],
    "losses of several steps added up with their graphs": [
        (losses_added_up_with_their_graphs, "backward before the optimizer's step"),
        (losses_added_up_within_minimize, "backward before the optimizer's step"),
    ],
    "predictions before learning": [
        (lambda: LogisticRegression().predict(X), "call fit first"),
        (lambda: StandardScaler().transform(X), "call fit first"),
    ],
}

WARNINGS = {
    "probabilities given as scores": [
        (
            lambda: binary_cross_entropy_with_logits(sigmoid(Value(SCORES)), [0, 1, 1]),
            "pass what sigmoid was given",
        ),
        (lambda: cross_entropy(softmax(Value([SCORES])), [0]), "pass what softmax was given"),
    ],
    "a step without backward": [
        (lambda: SGD([leaf()]).step(), r"call loss.backward\(\) first"),
        (step_of_another_model, "the parameters that the loss was computed from"),
    ],
    "gradients of several steps added up": [
        (gradients_added_up_over_steps, r"zero_grad\(\) once a step, before backward"),
    ],
    "a constant feature": [
        (lambda: StandardScaler().fit([[1.0], [1.0]]), "column 0 .* leave it out"),
    ],
    "classes that a line separates": [
        (lambda: fitted().fit([[0.0], [9.0]], [0, 1]), "add l2 > 0"),
    ],
}


def each(table):
    """All mistakes of a table, by name."""
    return pytest.mark.parametrize(
        ("mistake", "remedy"),
        [
            pytest.param(mistake, remedy, id=f"{name} {number}")
            for name, cases in table.items()
            for number, (mistake, remedy) in enumerate(cases, 1)
        ],
    )


@each(ERRORS)
def test_the_message_of_a_value_error_names_the_remedy(mistake, remedy):
    with pytest.raises(ValueError, match=f"(?s){remedy}"):
        mistake()


@each(TYPE_ERRORS)
def test_the_message_of_a_type_error_names_the_remedy(mistake, remedy):
    with pytest.raises(TypeError, match=remedy):
        mistake()


@each(RUNTIME_ERRORS)
def test_the_message_of_a_runtime_error_names_the_remedy(mistake, remedy):
    with pytest.raises(RuntimeError, match=remedy):
        mistake()


@each(WARNINGS)
def test_the_warning_names_the_remedy(mistake, remedy):
    with pytest.warns(UserWarning, match=remedy) as caught:
        mistake()
    assert [warning.filename for warning in caught] == [__file__]  # the line that made it


# ---- what is no mistake, or cannot be noticed -------------------------------------------------


@pytest.mark.parametrize(
    ("data", "number"),
    [
        (True, 1.0),
        (False, 0.0),
        (7, 7.0),
        (10**30, 1e30),
        (2**53 + 1, 2.0**53),  # the nearest float
        (Fraction(1, 3), 1 / 3),
        (Decimal("0.1"), 0.1),
    ],
)
def test_every_kind_of_real_number_is_read_as_the_nearest_float(data, number):
    for read in Value(data).data, Value([data]).data[0], (Value(0.0) + data).data:
        assert read == number and type(read) is float


def test_floats_that_overflow_become_infinite_and_detect_anomaly_tells_where():
    huge = Value(1e308, label="huge")
    assert (huge * 10.0).data == exp(Value(1000.0)).data == (Value(10.0) ** 400).data == math.inf
    assert Array([1e308]) * 10.0 == Array([math.inf])
    with detect_anomaly(), pytest.raises(FloatingPointError, match="multiply .* inf; .*'huge'"):
        huge * 10.0


def test_a_running_total_of_numbers_keeps_no_graph():
    w, total = leaf(), 0.0
    for _ in range(3):
        loss = (w - 1.0) ** 2
        total += loss.item()
    assert type(total) is float


def test_augmented_assignment_makes_a_new_one():
    w = v = leaf([1.0])
    a = b = w.data
    w += 1.0
    a += 1.0
    assert v.data == b == Array([1.0]) and w.data == a == Array([2.0]) and w.operation is not None


def test_a_refused_mistake_changes_nothing():
    w = leaf()
    loss = w * w
    loss.backward()
    w.data = 3.0
    with pytest.raises(RuntimeError):
        (loss * 1.0).backward()
    assert (w.data, w.grad) == (3.0, 4.0)
    with pytest.raises(ValueError, match="shape"):
        w.data = [1.0, 2.0]
    with pytest.raises(TypeError, match="'a' is a str"):
        w.data = "a"
    assert w.data == 3.0


def test_a_gradient_of_another_shape_is_refused_where_it_is_given():
    v = Value([1.0, 2.0])
    v.grad = [3, 4]  # read as data are
    assert v.grad == Array([3.0, 4.0])
    with pytest.raises(ValueError, match=r"grad of shape \(1,\) for a Value of shape \(2,\)"):
        v.grad = Array([1.0])
    with pytest.raises(TypeError, match="'a' is a str"):
        v.grad = "a"
    assert v.grad == Array([3.0, 4.0])
    v.grad = None
    assert v.grad is None


def test_an_optimizer_wants_a_list_of_parameters_and_a_number_as_rate():
    with pytest.raises(TypeError, match=r"for a single one: \[parameter\]"):
        SGD(Value([1.0]), lr=0.1)
    with pytest.raises(ValueError, match="lr is 'a'"):
        SGD([Value(1.0)], lr="a")


def test_losses_that_add_up_to_more_than_a_float_are_infinite():
    scores = [1e308, 1e308]
    assert binary_cross_entropy_with_logits(scores, [0.0, 0.0]) == math.inf
    assert binary_cross_entropy_with_logits(scores, [0.0, 0.0], reduction="sum") == math.inf
