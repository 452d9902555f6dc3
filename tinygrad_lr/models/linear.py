"""Estimators: logistic regression for two classes and for several, ready to use.

    score        z = w . x + b            w: the weights of the line that separates the classes
    probability  p = sigmoid(z)           softmax over the scores of K classes
    decision     1 if p >= 1/2            that is z >= 0: the line itself; or the largest p
    loss         mean cross-entropy + l2 / 2 * |w|^2              (never on the intercept)

Linear regression has a closed form; here the gradient is zero where sum (p - y) x = 0, and
p hides w inside a sigmoid, so nothing can be solved for w. We search: small random weights,
then downhill. The loss is convex, a bowl, so the search cannot get stuck. But a bowl can be
flat: if a line separates the classes perfectly, doubling all weights lowers the loss for
ever, and there is no finite minimum. Then only `l2` (or stopping early) gives an answer.

>>> from tinygrad_lr.data import load_iris
>>> X, y = load_iris()[:2]
>>> model = SoftmaxRegression(optimizer="LBFGS", batch_size=None, l2=1 / 150).fit(X, y)
>>> round(model.score(X, y), 3)
0.973

Names follow scikit-learn. Nothing here differentiates: the models only say what the loss is.
"""

from __future__ import annotations

import json
import math
import random
import warnings
from collections.abc import Sequence
from copy import deepcopy
from numbers import Real
from operator import index
from os import PathLike
from typing import Any, ClassVar, Self

from .. import optim
from ..core.array import Array, as_data, flat_of, from_flat, numbers
from ..core.lift import shape
from ..core.value import Value
from ..data import Batches
from ..checks import check_data, check_matrix, is_whole
from ..losses.linear import linear_binary_cross_entropy, linear_cross_entropy
from ..metrics import accuracy
from ..ops.probability import sigmoid, softmax
from ..ops.tensors import stack
from ..optim.line_search import ClosureOptimizer
from ..training.checkpoint import state_of
from ..training import History, minimize

__all__ = ["LogisticRegression", "SoftmaxRegression"]

FORMAT = "tinygrad_lr model 1"
OPTIMIZERS = {
    name: kind
    for name, kind in vars(optim).items()
    if isinstance(kind, type) and issubclass(kind, optim.Optimizer) and kind is not optim.Optimizer
}


class LinearClassifier:
    """What both models share: learning, predicting, settings, files.

    `optimizer`: a name in `optim`, a class, or a `functools.partial` of one. `lr`: learning
    rate, a number or a schedule; None means 0.1, and 1 for those that compute the loss themselves
    (Newton, LBFGS, BacktrackingLineSearch).
    `epochs`: passes over the data at most. `batch_size`: rows a step; None: all of them,
    batch gradient descent. `l2`: adds l2 / 2 * |w|^2 to the mean loss (scikit-learn's C is
    1 / (n * l2)). `seed`: of the random start and of the shuffling. `tol`: stop early, as in
    `training.minimize`.

    After `fit`: `coef_`, `intercept_`, `classes_`, `history_`.
    """

    coef_: Array
    intercept_: Any
    classes_: tuple[int, ...]

    _settings: ClassVar = ("optimizer", "lr", "epochs", "batch_size", "l2", "seed", "tol")

    def __init__(
        self,
        *,
        optimizer: Any = "SGD",
        lr: Any = None,
        epochs: int = 100,
        batch_size: int | None = 32,
        l2: float = 0.0,
        seed: int = 0,
        tol: float = 0.0,
    ) -> None:
        self.optimizer, self.lr, self.epochs, self.batch_size = optimizer, lr, epochs, batch_size
        self.l2, self.seed, self.tol = l2, seed, tol
        self._weights: tuple[Value, Value] | None = None  # w and b
        self._stepper: Any = None  # the optimizer of `partial_fit`, which remembers

    # -- what a subclass is made of

    @staticmethod
    def _classes(labels: list[float] | None) -> tuple[int, ...]:
        """The classes that these sorted labels stand for. Raises ValueError for others."""
        raise NotImplementedError

    @staticmethod
    def _shape(features: int, classes: tuple[int, ...]) -> tuple[int, ...]:
        """The shape of the weights."""
        raise NotImplementedError

    @staticmethod
    def _cross_entropy(X: Any, w: Any, b: Any, y: Any) -> Any:
        """The mean loss of a batch."""
        raise NotImplementedError

    def _publish(self) -> None:
        """Set `coef_` and `intercept_`."""
        raise NotImplementedError

    def predict(self, X: Any) -> Array:
        """The label of each row of X (n, d)."""
        raise NotImplementedError

    # -- learning

    def fit(self, X: Any, y: Any, callbacks: Sequence[Any] = (), **checkpointing: Any) -> Self:
        """Learn from X (n, d) and y (n,) from scratch.

        `callbacks`, and `checkpoint`, `every`, `resume`: as in `training.minimize`. Raises
        ValueError for data that is not finite, does not fit together, has labels that are
        none, or has only one class; DivergenceError for a learning rate that is too large.
        The model is as before then.
        """
        X, y = check_data(X, y)
        classes = self._classes(sorted(set(y.flat)))
        weights = self._start(X.shape[1], classes)
        batches = Batches(X, self._codes(y, classes), self.batch_size, seed=self.seed)
        self._learn(weights, self._loss(weights), batches, classes, callbacks, checkpointing)
        if self.l2 == 0.0 and self.predict(X) == y:
            warnings.warn(
                "these weights separate the classes perfectly, and twice as large they would have "
                "less loss: there is no finite minimum: the weights grow forever; add l2 > 0",
                stacklevel=2,
            )
        return self

    def fit_batches(
        self,
        batches: Any,
        classes: Sequence[int] | None = None,
        callbacks: Sequence[Any] = (),
        **checkpointing: Any,
    ) -> Self:
        """Learn from scratch from batches, such as `SQLiteBatches`: more rows than fit in memory.

        They say how many rows a step sees, not `batch_size`. The classes must be known
        beforehand, as in `partial_fit`. All else as in `fit`. Raises TypeError for an
        iterator, such as a generator: it could be read once, and each epoch reads again.
        """
        known = self._classes(classes if classes is None else sorted(map(float, classes)))
        if iter(batches) is batches:
            raise TypeError(
                f"batches are an iterator, {batches!r}, which is empty after one epoch; give a "
                "list of them, or an object that begins anew whenever it is iterated over"
            )
        begun = state_of(batches)
        first = next(iter(batches), None)
        if first is None:
            raise ValueError("there are no batches; nothing to learn from")
        if begun is not None:
            batches.load_state_dict(begun)  # as if nobody had looked
        weights = self._start(check_matrix(first[0]).shape[1], known)
        coded = self._loss(weights)

        def loss(X: Any, y: Any) -> Any:
            X, y = check_data(X, y)
            return coded(X, self._codes(y, known))

        self._learn(weights, loss, batches, known, callbacks, checkpointing)
        return self

    def _learn(
        self,
        weights: tuple[Value, Value],
        loss: Any,
        batches: Any,
        classes: tuple[int, ...],
        callbacks: Sequence[Any],
        checkpointing: dict[str, Any],
    ) -> None:
        stepper = self._make_optimizer(weights)
        history = minimize(
            loss, weights, batches, stepper, index(self.epochs), callbacks,
            tolerance=float(self.tol), **checkpointing,
        )  # fmt: skip
        self._become(weights, stepper, classes, history)

    def partial_fit(self, X: Any, y: Any, classes: Sequence[int] | None = None) -> Self:
        """One step on these rows, from where the model stands: data that come in batches.

        The classes must be known before the first batch: 0 and 1, or `classes` with the
        first call. Raises as `fit` does.
        """
        X, y = check_data(X, y)
        if self._weights is None:
            known = self._classes(classes if classes is None else sorted(map(float, classes)))
            weights = self._start(X.shape[1], known)
            stepper, history = self._make_optimizer(weights), History()
        else:
            known, history = self.classes_, self._history
            weights, stepper = self._weights, self._stepper
            self._check_width(X)
        now = minimize(self._loss(weights), weights, [(X, self._codes(y, known))], stepper, 1)
        history.losses += now.losses
        history.gradient_norms += now.gradient_norms
        history.epoch_losses += now.epoch_losses
        self._become(weights, stepper, known, history)
        return self

    @staticmethod
    def _codes(y: Array, classes: tuple[int, ...]) -> Array:
        """The place of each label among the classes."""
        code = {float(name): float(place) for place, name in enumerate(classes)}
        unknown = sorted(set(y.flat) - code.keys())
        if unknown:
            hint = "use (y + 1) / 2" if unknown == [-1.0] else "name all classes at the start"
            raise ValueError(
                f"labels {_few(unknown)} are not among the classes {_few(classes)}; {hint}"
            )
        return from_flat([code[label] for label in y.flat], y.shape)

    def _start(self, features: int, classes: tuple[int, ...]) -> tuple[Value, Value]:
        """Small random weights: where a search starts that has no better idea."""
        self._check_settings()
        noise = random.Random(index(self.seed))
        size = self._shape(features, classes)
        w = [noise.gauss(0.0, 0.01) for _ in range(math.prod(size))]
        b: Any = [0.0] * size[1] if len(size) == 2 else 0.0
        return Value(from_flat(w, size), label="w"), Value(b, label="b")

    def _loss(self, weights: tuple[Value, Value]) -> Any:
        """The loss of a batch: mean cross-entropy plus the penalty of large weights."""
        w, b = weights
        cross_entropy, l2 = self._cross_entropy, float(self.l2)

        def loss(X: Array, y: Array) -> Any:
            mean = cross_entropy(X, w, b, y)
            return mean + (w * w).sum() * (l2 / 2) if l2 else mean

        return loss

    def _make_optimizer(self, weights: tuple[Value, Value]) -> Any:
        make = self.optimizer
        if isinstance(make, str):
            if make not in OPTIMIZERS:
                raise ValueError(
                    f"optimizer {make!r} is unknown; there are {', '.join(OPTIMIZERS)}"
                )
            make = OPTIMIZERS[make]
        kind = getattr(make, "func", make)  # what a functools.partial will call
        computes_loss = isinstance(kind, type) and issubclass(kind, ClosureOptimizer)
        if computes_loss and self.batch_size is not None:
            raise ValueError(f"{kind.__name__} needs the loss of all rows: use batch_size=None")
        lr = self.lr if self.lr is not None else 1.0 if computes_loss else 0.1
        return make(weights, lr=lr if callable(lr) else float(lr))

    # -- predicting

    def decision_function(self, X: Any) -> Array:
        """The scores of each row of X (n, d): (n,) of LogisticRegression, (n, K) of the other."""
        w, b = self._fitted()
        X = check_matrix(X)
        self._check_width(X)
        scores: Array = X @ w.data + b.data
        return scores

    def score(self, X: Any, y: Any) -> float:
        """The share of rows of X (n, d) whose label in y (n,) is predicted right."""
        return accuracy(y, self.predict(X))

    def _fitted(self) -> tuple[Value, Value]:
        if self._weights is None:
            raise RuntimeError(f"{type(self).__name__} has learned nothing yet; call fit first")
        return self._weights

    def _check_width(self, X: Array) -> None:
        width = self._fitted()[0].shape[0]
        if X.shape[1] != width:
            raise ValueError(
                f"X has shape {X.shape}; this model has learned {width} features: (n, {width})"
            )

    def for_raw_rows(self, scaler: Any) -> Self:
        """The same model for rows as they were before a `StandardScaler`.

        w . (x - mean) / scale + b is a line too: its weights are w / scale, and its intercept is
        b - mean . w / scale.
        """
        w, b = self._fitted()
        mean, scale = Array(scaler.mean_), Array(scaler.scale_)
        raw_w = (w.data.T / scale).T
        raw = type(self)(**self.get_params())
        raw._take_weights(raw_w, b.data - mean @ raw_w, self.classes_, self.history_)
        return raw

    def _take_weights(self, w: Any, b: Any, classes: tuple[int, ...], history: History) -> None:
        """Be a model with these numbers."""
        weights = Value(w, label="w"), Value(b, label="b")
        self._become(weights, self._make_optimizer(weights), classes, history)

    def _become(
        self, weights: tuple[Value, Value], stepper: Any, classes: tuple[int, ...], history: History
    ) -> None:
        """Be the model that was learned; nothing else changes one."""
        self._weights, self._stepper = weights, stepper
        self.classes_, self._history = classes, history
        self._publish()

    @property
    def history_(self) -> History:
        """What happened so far: a copy, which stays as it is when `partial_fit` goes on."""
        return deepcopy(self._history)

    # -- settings, and files

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """The settings the model was made with; `deep` is for scikit-learn and changes nothing."""
        return {name: getattr(self, name) for name in self._settings}

    def set_params(self, **settings: Any) -> Self:
        """Change settings; the next `fit` uses them. Raises ValueError for an unknown one."""
        for name in settings:
            if name not in self._settings:
                raise ValueError(f"no setting {name!r}; there are {', '.join(self._settings)}")
        for name, setting in settings.items():
            setattr(self, name, setting)
        return self

    def _check_settings(self) -> None:
        """Raise ValueError for a setting that cannot work."""

        def amount(x: Any) -> bool:
            try:
                return isinstance(x, Real) and 0.0 <= float(x) < math.inf
            except OverflowError:  # an int beyond all floats
                return False

        make, lr, size = self.optimizer, self.lr, self.batch_size
        for name, fits, wanted in (
            ("optimizer", isinstance(make, str) or callable(make), "the name of one, or a class"),
            ("lr", lr is None or callable(lr) or amount(lr), "a number, a schedule, or None"),
            ("epochs", is_whole(self.epochs, 0), "a whole number, at least 0"),
            ("batch_size", size is None or is_whole(size, 1), "at least 1, or None"),
            ("l2", amount(self.l2), "a number, at least 0"),
            ("seed", is_whole(self.seed), "a whole number"),
            ("tol", amount(self.tol), "a number, at least 0"),
        ):
            if not fits:
                raise ValueError(f"{name} is {getattr(self, name)!r}; it must be {wanted}")

    def save(self, path: str | PathLike[str]) -> None:
        """Write the model to a file, as JSON.

        All that `predict` needs is in it, and the settings, as numbers and names. Not in it:
        the history, a schedule (`lr` is None when it is loaded), what the optimizer remembers,
        and its options, such as the momentum of `partial(SGD, momentum=0.9)`. Raises
        ValueError, and writes nothing, where `load` would: for an optimizer that is none of
        `optim`, a setting that cannot work.
        """
        w, b = self._fitted()
        settings = self.get_params()
        if not isinstance(self.optimizer, str):
            kind = getattr(self.optimizer, "func", self.optimizer)
            names = [name for name in OPTIMIZERS if OPTIMIZERS[name] is kind]
            settings["optimizer"] = names[0] if names else repr(kind)
        if callable(self.lr):
            settings["lr"] = None  # a schedule is a function, and functions are not data
        document = {
            "format": FORMAT,
            "model": type(self).__name__,
            "settings": settings,
            "classes": list(self.classes_),
            "w": w.tolist(),
            "b": b.tolist(),
        }
        text = json.dumps(document, allow_nan=False, indent=1, default=_plain)
        self._from_document(json.loads(text))  # may refuse, before an older file is lost
        with open(path, "w", encoding="utf-8") as file:
            file.write(text + "\n")

    @classmethod
    def load(cls, path: str | PathLike[str]) -> Self:
        """Read a model that `save` wrote. Raises ValueError for any other file."""
        with open(path, "rb") as file:
            text = file.read()
        try:
            return cls._from_document(json.loads(text))
        except (KeyError, TypeError, ValueError, RecursionError) as error:
            what = f"it lacks {error}" if isinstance(error, KeyError) else error
            raise ValueError(f"{path} holds no {cls.__name__}: {what}") from None

    @classmethod
    def _from_document(cls, document: dict[str, Any]) -> Self:
        if document["format"] != FORMAT or document["model"] != cls.__name__:
            raise ValueError(f"it says {document['format']!r}, {document['model']!r}")
        model = cls(**document["settings"])
        model._check_settings()
        classes = model._classes(sorted(flat_of(as_data(document["classes"]))))
        w, b = as_data(document["w"]), as_data(document["b"])
        features = (shape(w) or (0,))[0]
        if not features or model._shape(features, classes) != shape(w) or shape(b) != shape(w)[1:]:
            raise ValueError(f"{len(classes)} classes do not fit weights of shape {shape(w)}")
        if not all(map(math.isfinite, numbers([w, b]))):
            raise ValueError("a weight is not finite")
        model._take_weights(w, b, classes, History())
        return model

    def __repr__(self) -> str:
        settings = ", ".join(f"{name}={value!r}" for name, value in self.get_params().items())
        return f"{type(self).__name__}({settings})"


class LogisticRegression(LinearClassifier):
    """Two classes, 0 and 1: p = sigmoid(w . x + b).

    `coef_` (d,) and `intercept_`, a float. Settings: see `LinearClassifier`.

    >>> model = LogisticRegression(epochs=300, batch_size=None, lr=1.0)
    >>> model.fit([[0.0], [1.0], [2.0], [3.0]], [0, 1, 0, 1]).predict([[-5.0], [8.0]])
    Array([0.0, 1.0])
    """

    def predict_proba(self, X: Any) -> Array:
        """The probabilities of class 0 and of class 1 for each row of X (n, d): (n, 2)."""
        z = self.decision_function(X)
        p: Array = stack([sigmoid(-z), sigmoid(z)], axis=1)
        return p

    def predict(self, X: Any) -> Array:
        """1 where the score is at least 0, which is where the probability is at least 1/2."""
        ones: Array = self.decision_function(X) >= 0.0
        return ones

    @staticmethod
    def _classes(labels: list[float] | None) -> tuple[int, ...]:
        if labels is None or labels == [0.0, 1.0]:
            return 0, 1
        if len(labels) == 1 and labels[0] in (0.0, 1.0):
            raise ValueError(
                f"all labels are {labels[0]:g}; with one class missing there is nothing to tell "
                "apart, and the best weights would be infinite; add rows of the other class"
            )
        hint = (
            "use (y + 1) / 2"
            if labels == [-1.0, 1.0]
            else "use SoftmaxRegression"
            if len(labels) > 2
            else "name the classes 0 and 1"
        )
        raise ValueError(f"labels are 0 and 1; found {_few(labels)}; {hint}")

    @staticmethod
    def _shape(features: int, classes: tuple[int, ...]) -> tuple[int, ...]:
        return (features,)

    _cross_entropy = staticmethod(linear_binary_cross_entropy)

    def _publish(self) -> None:
        w, b = self._fitted()
        self.coef_, self.intercept_ = w.data, b.data


class SoftmaxRegression(LinearClassifier):
    """Several classes, named by whole numbers: p = softmax(W x + b).

    `coef_` (K, d) and `intercept_` (K,), one row a class in the order of `classes_`.
    Settings: see `LinearClassifier`.
    """

    def predict_proba(self, X: Any) -> Array:
        """The probability of each class for each row of X (n, d): (n, K), rows sum to 1."""
        p: Array = softmax(self.decision_function(X))
        return p

    def predict(self, X: Any) -> Array:
        """The class with the largest score, which is the one with the largest probability."""
        scores = self.decision_function(X).rows
        return Array([self.classes_[row.index(max(row))] for row in scores])

    @staticmethod
    def _classes(labels: list[float] | None) -> tuple[int, ...]:
        if labels is None:
            raise ValueError("name all classes at the first batch: partial_fit(X, y, classes=...)")
        if not all(label.is_integer() for label in labels):
            raise ValueError(f"labels are whole numbers; found {_few(labels)}")
        if len(labels) < 2:
            raise ValueError(
                f"all labels are {_few(labels)}; there is nothing to tell apart; add rows of other "
                "classes"
            )
        if len(set(labels)) < len(labels):
            raise ValueError(f"a class is named twice: {_few(labels)}")
        return tuple(map(int, labels))

    @staticmethod
    def _shape(features: int, classes: tuple[int, ...]) -> tuple[int, ...]:
        return features, len(classes)

    _cross_entropy = staticmethod(linear_cross_entropy)

    def _publish(self) -> None:
        w, b = self._fitted()
        self.coef_, self.intercept_ = w.data.T, b.data


def _plain(x: Any) -> int | float:
    """A setting as json knows it: numpy's integers and other numbers."""
    return index(x) if is_whole(x) else float(x)


def _few(labels: Sequence[float]) -> str:
    """The first labels of many, for a message."""
    return ", ".join(f"{label:g}" for label in labels[:6]) + (", ..." if len(labels) > 6 else "")
