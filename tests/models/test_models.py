"""The estimators: against scikit-learn's numbers, on bad input, and through a file."""

import json
import math
from fractions import Fraction
from functools import partial
from pathlib import Path

import pytest

from tinygrad_lr.data import Batches, StandardScaler, load_breast_cancer, load_digits, load_iris
from tinygrad_lr.data import train_test_split
from tinygrad_lr.models import LogisticRegression, SoftmaxRegression
from tinygrad_lr.optim import SGD, Newton
from tinygrad_lr.training import DivergenceError

REFERENCE = json.loads((Path(__file__).parents[1] / "reference" / "sklearn.json").read_text())


@pytest.fixture(scope="module")
def cancer():
    data = load_breast_cancer()
    return StandardScaler().fit_transform(data.X), data.y


@pytest.fixture(scope="module")
def fitted(cancer):
    return LogisticRegression(epochs=20).fit(*cancer)


TINY = [[0.0], [1.0], [2.0], [3.0]], [0, 1, 0, 1]


class Whole:
    """A whole number as numpy's are: no int, but with `__index__`."""

    def __init__(self, number):
        self.number = number

    def __index__(self):
        return self.number


def test_converged_weights_equal_scikit_learns(cancer):
    X, y = cancer
    expected = REFERENCE["breast_cancer_C1"]
    model = LogisticRegression(
        optimizer="LBFGS", batch_size=None, l2=1 / len(y), tol=1e-9, epochs=100
    ).fit(X, y)
    assert model.history_.converged
    assert model.coef_.tolist() == pytest.approx(expected["coef"], abs=1e-6)
    assert model.intercept_ == pytest.approx(expected["intercept"], abs=1e-6)
    assert model.score(X, y) == pytest.approx(expected["accuracy"], abs=1e-12)


def test_plain_gradient_descent_gets_there_too():
    """The bowl has one bottom: the plainest steps find the weights that Newton finds."""
    data = load_breast_cancer()
    X = StandardScaler().fit_transform(data.X)
    slow = LogisticRegression(batch_size=None, l2=0.1, epochs=1000, lr=0.3, tol=1e-8).fit(X, data.y)
    fast = LogisticRegression(
        optimizer="Newton", batch_size=None, l2=0.1, epochs=20, tol=1e-10
    ).fit(X, data.y)
    assert slow.history_.converged and fast.history_.converged and fast.history_.steps <= 10
    assert slow.coef_.tolist() == pytest.approx(fast.coef_.tolist(), abs=1e-6)


def test_default_settings_learn_breast_cancer():
    data = load_breast_cancer()
    X_train, X_test, y_train, y_test = train_test_split(data.X, data.y)
    scaler = StandardScaler().fit(X_train)
    model = LogisticRegression().fit(scaler.transform(X_train), y_train)
    assert model.score(scaler.transform(X_test), y_test) >= 0.95
    assert model.history_.epoch_losses[-1] < 0.1 < model.history_.epoch_losses[0]


def test_softmax_equals_scikit_learn_on_iris():
    data = load_iris()
    expected = REFERENCE["iris_raw_C1"]
    model = SoftmaxRegression(
        optimizer="LBFGS", batch_size=None, l2=1 / 150, tol=1e-9, epochs=200
    ).fit(data.X, data.y)
    assert model.coef_.shape == (3, 4) and model.classes_ == (0, 1, 2)
    for row, wanted in zip(model.coef_.rows, expected["coef"]):
        assert row == pytest.approx(wanted, abs=1e-5)
    centred = [b - sum(model.intercept_) / 3 for b in model.intercept_]
    assert centred == pytest.approx(expected["intercept"], abs=1e-5)


def test_newton_needs_damping_where_softmax_is_flat(tmp_path):
    """The same amount added to all intercepts changes nothing, so their Hessian is singular."""
    data = load_iris()
    settings = dict(batch_size=None, l2=0.1, epochs=30, tol=1e-9)
    with pytest.raises(ValueError, match="damping"):
        SoftmaxRegression(optimizer="Newton", **settings).fit(data.X, data.y)
    damped = partial(Newton, damping=1e-6)
    model = SoftmaxRegression(optimizer=damped, **settings).fit(data.X, data.y)
    assert model.history_.converged and model.history_.steps < 30
    model.save(tmp_path / "model.json")
    assert SoftmaxRegression.load(tmp_path / "model.json").optimizer == "Newton"


def test_digits_by_softmax():
    data = load_digits()
    X_train, X_test, y_train, y_test = train_test_split(data.X * (1 / 16), data.y)
    model = SoftmaxRegression(epochs=12, lr=0.5).fit(X_train, y_train)
    assert model.score(X_test, y_test) >= 0.95


def test_probabilities_of_a_row_sum_to_one_and_agree_with_the_decision(fitted, cancer):
    X, _ = cancer
    z, p, decided = fitted.decision_function(X), fitted.predict_proba(X), fitted.predict(X)
    assert p.shape == (569, 2)
    for score, (no, yes), label in zip(z, p.rows, decided):
        assert no + yes == pytest.approx(1.0, abs=1e-15)
        assert label == float(score >= 0) == float(yes >= 0.5)


@pytest.mark.filterwarnings("ignore:these weights separate")
def test_softmax_predicts_labels_with_gaps_in_their_names():
    X, y = [[0.0], [1.0], [5.0], [6.0], [10.0], [11.0]], [3, 3, 7, 7, 20, 20]
    model = SoftmaxRegression(epochs=500, lr=0.1, batch_size=None).fit(X, y)
    assert model.classes_ == (3, 7, 20) and model.predict(X).tolist() == y


def test_partial_fit_on_the_same_batches_equals_fit_bit_for_bit(cancer):
    X, y = cancer
    settings = dict(optimizer="Adam", lr=0.01, batch_size=32, l2=0.01, seed=3)
    whole = LogisticRegression(epochs=2, **settings).fit(X, y)
    parts = LogisticRegression(**settings)
    batches = Batches(X, y, 32, seed=3)
    for _ in range(2):
        for X_part, y_part in batches:
            parts.partial_fit(X_part, y_part)
    assert parts.coef_ == whole.coef_ and parts.intercept_ == whole.intercept_
    assert parts.history_.losses == whole.history_.losses


def test_batches_that_keep_one_order_will_do(cancer):
    X, y = cancer
    settings = dict(optimizer="Adam", lr=0.01, epochs=2)
    ordered = list(Batches(X, y, 64, shuffle=False))
    listed = LogisticRegression(**settings).fit_batches(ordered)
    drawn = LogisticRegression(**settings).fit_batches(Batches(X, y, 64, shuffle=False))
    assert listed.coef_ == drawn.coef_ and listed.history_ == drawn.history_


def test_batches_may_be_lists_of_lists():
    batches = [([[0.0], [1.0]], [0, 1]), ([[2.0], [3.0]], [0, 1])]
    listed = LogisticRegression(epochs=3).fit_batches(batches)
    drawn = LogisticRegression(epochs=3).fit_batches(Batches(*TINY, 2, shuffle=False))
    assert listed.coef_ == drawn.coef_ and listed.history_ == drawn.history_
    with pytest.raises(ValueError, match="nan in row 1, column 0"):
        listed.fit_batches([*batches, ([[0.0], [math.nan]], [0, 1])])
    assert listed.coef_ == drawn.coef_


def test_batches_that_are_none_or_can_be_read_only_once_are_refused():
    model = LogisticRegression(epochs=1)
    with pytest.raises(ValueError, match="no batches"):
        model.fit_batches([])
    with pytest.raises(TypeError, match="an iterator, <generator .* give a list"):
        model.fit_batches(TINY for _ in range(3))
    assert model.fit_batches([TINY] * 3).history_.steps == 3


def test_a_history_that_was_kept_stays_as_it_is():
    model = LogisticRegression(epochs=2).fit(*TINY)
    raw = model.for_raw_rows(StandardScaler().fit(TINY[0]))
    kept = model.history_
    model.partial_fit(*TINY)
    assert [h.steps for h in (kept, raw.history_, model.history_)] == [2, 2, 3]
    kept = model.history_
    model.partial_fit(*TINY)
    assert [h.steps for h in (kept, raw.history_, model.history_)] == [3, 2, 4]


def test_partial_fit_of_softmax_needs_the_classes_first():
    with pytest.raises(ValueError, match="classes="):
        SoftmaxRegression().partial_fit([[1.0]], [0])
    model = SoftmaxRegression().partial_fit([[1.0]], [0], classes=[0, 1, 2])
    model.partial_fit([[2.0]], [2])
    assert model.coef_.shape == (3, 1) and model.history_.steps == 2
    with pytest.raises(ValueError, match="labels 5 are not among the classes 0, 1, 2"):
        model.partial_fit([[2.0]], [5])


def test_the_penalty_leaves_the_intercept_alone():
    X, y = [[0.0], [0.0], [0.0], [0.0]], [1, 1, 1, 0]
    model = LogisticRegression(l2=100.0, lr=0.01, epochs=20_000, batch_size=None, tol=1e-9)
    assert model.fit(X, y).intercept_ == pytest.approx(math.log(3), abs=1e-6)


@pytest.mark.filterwarnings("ignore:these weights separate")
def test_separable_data_have_no_finite_minimum():
    X, y = [[-1.0], [1.0]], [0, 1]
    lengths = [
        abs(LogisticRegression(epochs=n, lr=1.0, batch_size=None).fit(X, y).coef_[0])
        for n in (10, 100, 1000)
    ]
    assert lengths[0] + 1 < lengths[1] and lengths[1] + 1 < lengths[2]


def test_refuses_bad_data_and_keeps_the_model(fitted, cancer):
    X, y = cancer
    before = fitted.coef_
    bad = [
        (X, y * 2 - 1, r"\(y \+ 1\) / 2"),
        (X, y + 1, "0 and 1"),
        ([[1.0]] * 3, [0, 1, 2], "SoftmaxRegression"),
        ([[1.0]] * 3, [1, 1, 1], "one class missing"),
        ([[1.0], [math.nan], [2.0]], [0, 1, 0], "row 1"),
        ([[1.0], [2.0]], [0, 1, 0], "2.*3|3.*2"),
        ([1.0, 2.0], [0, 1], "shape|2-D|column"),
        ([], [], "."),
        (X, y.flat[:-1] + [math.nan], "."),
    ]
    for X_bad, y_bad, message in bad:
        with pytest.raises(ValueError, match=message):
            fitted.fit(X_bad, y_bad)
        assert fitted.coef_ is before
    with pytest.raises(ValueError, match="30"):
        fitted.predict([[1.0, 2.0]])


def test_divergence_keeps_the_model():
    data = load_breast_cancer()
    model = LogisticRegression(lr=1e300, l2=1e10)
    with pytest.raises(DivergenceError, match="StandardScaler"):
        model.fit(data.X, data.y)
    with pytest.raises(RuntimeError, match="fit first"):
        model.predict(data.X)


@pytest.mark.parametrize("kind", [LogisticRegression, SoftmaxRegression])
def test_a_file_brings_the_model_back(kind, tmp_path):
    path = tmp_path / "model.json"
    model = kind(epochs=5, optimizer="Adam", l2=0.1, lr=lambda step: 0.1).fit(*TINY)
    model.save(path)
    again = kind.load(path)
    assert again.coef_ == model.coef_ and again.classes_ == model.classes_
    assert again.predict_proba(TINY[0]) == model.predict_proba(TINY[0])
    assert again.get_params() == {**model.get_params(), "lr": None}
    again.partial_fit(*TINY)  # and it goes on learning
    other = SoftmaxRegression if kind is LogisticRegression else LogisticRegression
    with pytest.raises(ValueError, match=kind.__name__):
        other.load(path)


class SGD_(SGD):
    """A user's own optimizer."""


SGD_.__name__ = "SGD"  # its name alone would load another one


@pytest.mark.parametrize(
    "optimizer", [lambda p, lr: SGD(p, lr=lr, momentum=0.9), SGD_, partial(SGD_, momentum=0.9)]
)
def test_an_optimizer_that_load_would_not_find_is_not_saved(optimizer, tmp_path):
    path = tmp_path / "model.json"
    model = LogisticRegression(epochs=1, optimizer=optimizer).fit(*TINY)
    path.write_text("older")
    with pytest.raises(ValueError, match="optimizer .* is unknown; there are .*SGD"):
        model.save(path)
    assert path.read_text() == "older"


@pytest.mark.parametrize(
    "settings", [{"optimizer": "nope"}, {"optimizer": "Newton"}, {"epochs": -1}, {"l2": math.nan}]
)
def test_settings_that_load_would_refuse_are_not_saved(settings, tmp_path):
    model = LogisticRegression(epochs=1).fit(*TINY).set_params(**settings)
    with pytest.raises(ValueError):
        model.save(tmp_path / "model.json")
    assert not list(tmp_path.iterdir())


def test_whole_numbers_and_numbers_of_any_kind_will_do(tmp_path):
    path = tmp_path / "model.json"
    plain = dict(epochs=3, batch_size=2, seed=1, l2=0.5, lr=0.25, tol=0.0)
    given = dict(
        epochs=Whole(3), batch_size=Whole(2), seed=Whole(1),
        l2=Fraction(1, 2), lr=Fraction(1, 4), tol=Fraction(0),
    )  # fmt: skip
    model = LogisticRegression(**given).fit(*TINY).partial_fit(*TINY)
    wanted = LogisticRegression(**plain).fit(*TINY).partial_fit(*TINY)
    assert model.coef_ == wanted.coef_ and model.history_ == wanted.history_
    assert model.get_params() == {"optimizer": "SGD", **given}  # as they were given
    model.save(path)
    assert LogisticRegression.load(path).get_params() == {"optimizer": "SGD", **plain}
    for bad in (
        {"epochs": Whole(-1)}, {"epochs": True}, {"seed": 1.0}, {"l2": 1j}, {"l2": -1},
        {"l2": 10**400}, {"tol": math.inf},
    ):  # fmt: skip
        with pytest.raises(ValueError, match=f"{next(iter(bad))} is "):
            LogisticRegression(**bad).fit(*TINY)


@pytest.mark.parametrize(
    "spoil",
    [
        lambda d: d.update(format="other"),
        lambda d: d.update(w=[1.0, 2.0], b=[1.0]),
        lambda d: d.update(w="abc"),
        lambda d: d.update(classes=[0, 1, 2]),
        lambda d: d.update(settings={"optimizer": "os.system"}),
        lambda d: d.update(settings={"optimiser": "SGD"}),
        lambda d: d.pop("b"),
        lambda d: d.update(w=[float("inf")]),
    ],
)
def test_refuses_a_spoiled_file(spoil, tmp_path):
    path = tmp_path / "model.json"
    LogisticRegression(epochs=1).fit(*TINY).save(path)
    document = json.loads(path.read_text())
    spoil(document)
    path.write_text(json.dumps(document))
    with pytest.raises(ValueError, match="holds no LogisticRegression"):
        LogisticRegression.load(path)


@pytest.mark.parametrize("text", ["", "{", "[]", "null", "[" * 100_000])
def test_refuses_what_is_no_model_file(text, tmp_path):
    path = tmp_path / "model.json"
    path.write_text(text)
    with pytest.raises(ValueError, match="holds no LogisticRegression"):
        LogisticRegression.load(path)


def test_for_raw_rows_undoes_the_scaler():
    data = load_iris()
    scaler = StandardScaler()
    model = SoftmaxRegression(epochs=5).fit(scaler.fit_transform(data.X), data.y)
    raw = model.for_raw_rows(scaler)
    for mine, theirs in zip(
        raw.predict_proba(data.X).flat, model.predict_proba(scaler.transform(data.X)).flat
    ):
        assert mine == pytest.approx(theirs, abs=1e-12)


def test_settings_can_be_read_and_changed():
    model = LogisticRegression(l2=0.5)
    assert model.get_params()["l2"] == 0.5
    assert model.get_params(deep=False) == model.get_params(deep=True)  # as scikit-learn asks
    assert model.set_params(l2=0.1, epochs=3) is model and model.epochs == 3
    with pytest.raises(ValueError, match="no setting 'C'"):
        model.set_params(C=1.0, l2=7.0)
    assert model.l2 == 0.1
    assert "l2=0.1" in repr(model)
    with pytest.raises(ValueError, match="unknown"):
        LogisticRegression(optimizer="Adamm").fit(*TINY)
    with pytest.raises(ValueError, match="batch_size=None"):
        LogisticRegression(optimizer="Newton").fit(*TINY)


def test_the_same_seed_gives_the_same_model():
    one, two = (LogisticRegression(epochs=3, batch_size=1).fit(*TINY) for _ in range(2))
    other = LogisticRegression(epochs=3, batch_size=1, seed=1).fit(*TINY)
    assert one.coef_ == two.coef_ != other.coef_
