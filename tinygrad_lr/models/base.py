"""What both models share besides learning: the fitted state, batches, files, and checks of labels.

    Classifier    the base class
    two_labels, several_labels    the classes that labels stand for, or an error that helps

The formulas and `fit` are in `linear`.
"""

from __future__ import annotations

import json
import math
import random
from collections.abc import Callable, Iterable, Sequence
from copy import deepcopy
from operator import index
from os import PathLike
from typing import Any, Self, Unpack

from ..core.array import Array, Data, as_data, flat_of, from_flat, numbers, shape_of
from ..core.shapes import Shape
from ..core.typed import DataLike
from ..core.value import Value
from ..data import StandardScaler
from ..losses.checks import check_data, check_matrix, is_whole
from ..optim.optimizer import Optimizer
from ..training import History, minimize
from ..training.checkpoint import Checkpointing, Stateful
from .settings import OPTIMIZERS, Settings

__all__ = ["Classes", "Classifier", "Weights", "codes", "several_labels", "two_labels"]

FORMAT = "tinygrad_lr model 1"

Weights = tuple[Value, Value]  # w and b
Classes = tuple[int, ...]


class Classifier(Settings):
    """Base class. After `fit`: `coef_`, `intercept_`, `classes_`, `history_`."""

    coef_: Array
    intercept_: float | Array
    classes_: Classes

    one_score: bool  # a row has one score, or one for each class
    _weights: Weights | None = None
    _optimizer: Optimizer | None = None  # of `partial_fit`, with what it remembers

    @staticmethod
    def classes_of(labels: list[float] | None) -> Classes:
        """The classes that these sorted labels stand for; None: no labels are known yet."""
        raise NotImplementedError

    def loss(self, X: Array, y: Array, w: Value, b: Value) -> Value:
        """The loss of a batch, whose labels are given as their places among the classes."""
        raise NotImplementedError

    # -- learning from batches

    def start(self, features: int, classes: Classes) -> Weights:
        """Small random weights, as good a place to start the search as any."""
        self.check_settings()
        noise = random.Random(index(self.seed))
        shape = self.shape_of_weights(features, classes)
        w = from_flat([noise.gauss(0.0, 0.01) for _ in range(math.prod(shape))], shape)
        b = 0.0 if self.one_score else [0.0] * len(classes)
        return Value(w, label="w"), Value(b, label="b")

    def shape_of_weights(self, features: int, classes: Classes) -> Shape:
        """The shape of w."""
        return (features,) if self.one_score else (features, len(classes))

    def learn(
        self,
        loss: Callable[[Any, Any], Value],
        weights: Weights,
        batches: Iterable[tuple[Any, Any]],
        classes: Classes,
        callbacks: Sequence[Callable[[History], object]],
        **checkpointing: Unpack[Checkpointing],
    ) -> Self:
        """Run the loop, and take over what it has learned."""
        optimizer = self.make_optimizer(weights)
        epochs, tolerance = index(self.epochs), float(self.tol)
        history = minimize(
            loss, weights, batches, optimizer, epochs, callbacks, tolerance=tolerance,
            **checkpointing,
        )  # fmt: skip
        return self.become(weights, optimizer, classes, history)

    def fit_batches(
        self,
        batches: Iterable[tuple[DataLike, DataLike]],
        classes: Sequence[int] | None = None,
        callbacks: Sequence[Callable[[History], object]] = (),
        **checkpointing: Unpack[Checkpointing],
    ) -> Self:
        """Learn from scratch from batches, such as `SQLiteBatches`: more rows than fit in memory.

        The batches decide how many rows a step sees, not `batch_size`. The classes must be known
        beforehand, as in `partial_fit`. All else is as in `fit`. Raises TypeError for an iterator,
        such as a generator: it can be read only once, and each epoch reads it again.
        """
        known = self.classes_of(_sorted(classes))
        if iter(batches) is batches:
            raise TypeError(
                f"batches are an iterator, {batches!r}, which is empty after one epoch; give a "
                "list of them, or an object that begins anew whenever it is iterated over"
            )
        w, b = weights = self.start(_features_of(batches), known)

        def loss(X: DataLike, y: DataLike) -> Value:
            X, y = check_data(X, y)
            return self.loss(X, codes(y, known), w, b)

        return self.learn(loss, weights, batches, known, callbacks, **checkpointing)

    def partial_fit(self, X: DataLike, y: DataLike, classes: Sequence[int] | None = None) -> Self:
        """One step on these rows, from where the model stands: for data that come in batches.

        The classes must be known before the first batch: 0 and 1, or `classes` with the first
        call. Raises as `fit` does.
        """
        X, y = check_data(X, y)
        if self._weights is None or self._optimizer is None:
            known = self.classes_of(_sorted(classes))
            weights, history = self.start(X.shape[1], known), History()
            optimizer = self.make_optimizer(weights)
        else:
            known, history = self.classes_, self._history
            weights, optimizer = self._weights, self._optimizer
            self.check_features(X)
        w, b = weights
        batch = X, codes(y, known)
        now = minimize(lambda X, y: self.loss(X, y, w, b), weights, [batch], optimizer, 1)
        history.losses += now.losses
        history.gradient_norms += now.gradient_norms
        history.epoch_losses += now.epoch_losses
        return self.become(weights, optimizer, known, history)

    # -- the fitted state

    def become(
        self, weights: Weights, optimizer: Optimizer, classes: Classes, history: History
    ) -> Self:
        """Take over the learned weights. This is the only method that changes the fitted state."""
        self._weights, self._optimizer = weights, optimizer
        self.classes_, self._history = classes, history
        w, b = weights
        self.coef_, self.intercept_ = w.data.T, b.data  # one row a class, as in scikit-learn
        return self

    @property
    def history_(self) -> History:
        """What happened so far: a copy, which stays as it is when `partial_fit` goes on."""
        return deepcopy(self._history)

    def fitted(self) -> Weights:
        """w and b. Raises RuntimeError before `fit`."""
        if self._weights is None:
            raise RuntimeError(f"{type(self).__name__} has learned nothing yet; call fit first")
        return self._weights

    def check_features(self, X: DataLike) -> Array:
        """X (n, d) as an Array. Raises ValueError where d is not that of the learned rows."""
        w, _ = self.fitted()
        matrix, width = check_matrix(X), w.shape[0]
        if matrix.shape[1] != width:
            raise ValueError(
                f"X has shape {matrix.shape}; this model has learned {width} features: (n, {width})"
            )
        return matrix

    def for_raw_rows(self, scaler: StandardScaler) -> Self:
        """The same model for rows as they were before a `StandardScaler`.

        w . (x - mean) / scale + b is linear in x too: its weights are w / scale, and its intercept
        is b - mean . w / scale.
        """
        w, b = self.fitted()
        raw_w = (w.data.T / scaler.scale_).T
        raw_b = b.data - Array(scaler.mean_) @ raw_w
        return type(self)(**self.get_params())._with(raw_w, raw_b, self.classes_, self.history_)

    def _with(self, w: Data, b: Data, classes: Classes, history: History) -> Self:
        weights = Value(w, label="w"), Value(b, label="b")
        return self.become(weights, self.make_optimizer(weights), classes, history)

    # -- files

    def save(self, path: str | PathLike[str]) -> None:
        """Write the model to a file, as JSON.

        It holds what `predict` needs, and the settings, as numbers and names. It does not hold
        the history, a schedule (`lr` is None when it is loaded), what the optimizer remembers,
        and its options, such as the momentum of `partial(SGD, momentum=0.9)`. Raises ValueError,
        and writes nothing, where `load` would: for an optimizer that is not in `optim`, or a
        setting that cannot work.
        """
        w, b = self.fitted()
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
        model.check_settings()
        classes = model.classes_of(sorted(flat_of(as_data(document["classes"]))))
        w, b = as_data(document["w"]), as_data(document["b"])
        shape = shape_of(w)
        features = (shape or (0,))[0]
        fits = model.shape_of_weights(features, classes) == shape and shape_of(b) == shape[1:]
        if not features or not fits:
            raise ValueError(f"{len(classes)} classes do not fit weights of shape {shape}")
        if not all(map(math.isfinite, numbers([w, b]))):
            raise ValueError("a weight is not finite")
        return model._with(w, b, classes, History())


# ---- labels --------------------------------------------------------------------------------------


def two_labels(labels: list[float] | None) -> Classes:
    """The classes 0 and 1. Raises ValueError for other labels, and for one class alone."""
    if labels is None or labels == [0.0, 1.0]:
        return 0, 1
    if len(labels) == 1 and labels[0] in (0.0, 1.0):
        raise ValueError(
            f"all labels are {labels[0]:g}; with one class missing there is nothing to tell "
            "apart, and the best weights would be infinite; add rows of the other class"
        )
    if labels == [-1.0, 1.0]:
        hint = "use (y + 1) / 2"
    else:
        hint = "use SoftmaxRegression" if len(labels) > 2 else "name the classes 0 and 1"
    raise ValueError(f"labels are 0 and 1; found {_few(labels)}; {hint}")


def several_labels(labels: list[float] | None) -> Classes:
    """Whole numbers. Raises ValueError for other labels, and for one class alone."""
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


def codes(y: Array, classes: Classes) -> Array:
    """The place of each label among the classes. Raises ValueError for another label."""
    code = {float(name): float(place) for place, name in enumerate(classes)}
    unknown = sorted(set(y.flat) - code.keys())
    if unknown:
        hint = "use (y + 1) / 2" if unknown == [-1.0] else "name all classes at the start"
        raise ValueError(
            f"labels {_few(unknown)} are not among the classes {_few(classes)}; {hint}"
        )
    return from_flat([code[label] for label in y.flat], y.shape)


def _sorted(classes: Sequence[int] | None) -> list[float] | None:
    return None if classes is None else sorted(map(float, classes))


def _few(labels: Sequence[float]) -> str:
    """The first labels of many, for a message."""
    return ", ".join(f"{label:g}" for label in labels[:6]) + (", ..." if len(labels) > 6 else "")


def _features_of(batches: Iterable[tuple[DataLike, DataLike]]) -> int:
    """How many features the first batch has; the batches are then as if they had not been read."""
    state = batches.state_dict() if isinstance(batches, Stateful) else None
    first = next(iter(batches), None)
    if first is None:
        raise ValueError("there are no batches; nothing to learn from")
    if isinstance(batches, Stateful) and state is not None:
        batches.load_state_dict(state)
    return check_matrix(first[0]).shape[1]


def _plain(x: Any) -> int | float:
    """A setting as JSON has it: numpy's integers and other numbers."""
    return index(x) if is_whole(x) else float(x)
