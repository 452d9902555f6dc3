"""Estimators: logistic regression for two classes and for several, ready to use.

    score        z = w . x + b            w: the weights of the line that separates the classes
    probability  p = sigmoid(z)           softmax of the scores of K classes
    decision     1 if p >= 1/2            that is z >= 0: the line itself; or the largest p
    loss         mean cross-entropy + l2 / 2 * |w|^2              (never on the intercept)

Linear regression has a closed form. Here the gradient is zero where sum (p - y) x = 0, and p
hides w inside a sigmoid, so we cannot solve for w. We search: small random weights, then
downhill. The loss is convex, a bowl, so the search cannot get stuck. But a bowl can be flat: if
a line separates the classes perfectly, doubling all weights lowers the loss for ever, and there
is no finite minimum. Then only `l2` (or stopping early) gives an answer.

>>> from tinygrad_lr.data import load_iris
>>> X, y = load_iris()[:2]
>>> model = SoftmaxRegression(optimizer="LBFGS", batch_size=None, l2=1 / 150).fit(X, y)
>>> round(model.score(X, y), 3)
0.973

Names follow scikit-learn. This module contains no derivatives. Each model defines its loss;
`backward` does the rest. The settings are described in `settings.Settings`.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from typing import Any, Self, Unpack

from ..core.array import Array
from ..core.typed import DataLike
from ..core.value import Value
from ..data import Batches
from ..losses.checks import check_data
from ..losses.linear import linear_binary_cross_entropy, linear_cross_entropy
from ..metrics import accuracy
from ..ops.probability import sigmoid, softmax
from ..ops.tensors import stack
from ..training import History
from ..training.checkpoint import Checkpointing
from .base import Classifier, codes, several_labels, two_labels

__all__ = ["LinearClassifier", "LogisticRegression", "SoftmaxRegression"]


class LinearClassifier(Classifier):
    """What both models share: the score, the loss, and how they learn."""

    cross_entropy: Callable[..., Any]

    def decision_function(self, X: DataLike) -> Array:
        """The scores w . x + b of each row of X (n, d): (n,), or (n, K) for K classes."""
        X = self.check_features(X)
        w, b = self.fitted()
        scores: Array = X @ w.data + b.data
        return scores

    def loss(self, X: Array, y: Array, w: Value, b: Value) -> Value:
        """The mean cross-entropy of a batch, plus the penalty for large weights."""
        mean: Value = self.cross_entropy(X, w, b, y)
        return mean + (w * w).sum() * (float(self.l2) / 2) if self.l2 else mean

    def fit(
        self,
        X: DataLike,
        y: DataLike,
        callbacks: Sequence[Callable[[History], object]] = (),
        **checkpointing: Unpack[Checkpointing],
    ) -> Self:
        """Learn from X (n, d) and y (n,) from scratch.

        `callbacks`, and `checkpoint`, `every`, `resume`: as in `training.minimize`. Raises
        ValueError for data that are not finite or do not fit together, for labels that are not
        classes, and for one class alone; DivergenceError for a learning rate that is too large.
        The model then stays as it was.
        """
        X, y = check_data(X, y)
        classes = self.classes_of(sorted(set(y.flat)))
        w, b = self.start(X.shape[1], classes)
        batches = Batches(X, codes(y, classes), self.batch_size, seed=self.seed)
        loss = lambda X, y: self.loss(X, y, w, b)
        self.learn(loss, (w, b), batches, classes, callbacks, **checkpointing)
        if self.l2 == 0.0 and self.predict(X) == y:
            warnings.warn(
                "these weights separate the classes perfectly, and twice as large they would have "
                "less loss: there is no finite minimum: the weights grow forever; add l2 > 0",
                stacklevel=2,
            )
        return self

    def predict(self, X: DataLike) -> Array:
        """The label of each row of X (n, d)."""
        raise NotImplementedError

    def score(self, X: DataLike, y: DataLike) -> float:
        """The share of rows of X (n, d) whose label in y (n,) is predicted right."""
        return accuracy(y, self.predict(X))


class LogisticRegression(LinearClassifier):
    """Two classes, 0 and 1: p = sigmoid(w . x + b).

    `coef_` (d,) and `intercept_`, a float. Settings: see `settings.Settings`.

    >>> model = LogisticRegression(epochs=300, batch_size=None, lr=1.0)
    >>> model.fit([[0.0], [1.0], [2.0], [3.0]], [0, 1, 0, 1]).predict([[-5.0], [8.0]])
    Array([0.0, 1.0])
    """

    intercept_: float
    one_score = True
    classes_of = staticmethod(two_labels)
    cross_entropy = staticmethod(linear_binary_cross_entropy)

    def predict_proba(self, X: DataLike) -> Array:
        """The probabilities of class 0 and of class 1 for each row of X (n, d): (n, 2)."""
        z = self.decision_function(X)
        p: Array = stack([sigmoid(-z), sigmoid(z)], axis=1)
        return p

    def predict(self, X: DataLike) -> Array:
        """1 where the score is at least 0, which is where the probability is at least 1/2."""
        labels: Array = self.decision_function(X) >= 0.0
        return labels


class SoftmaxRegression(LinearClassifier):
    """Several classes, named by whole numbers: p = softmax(W x + b).

    `coef_` (K, d) and `intercept_` (K,), one row a class in the order of `classes_`.
    Settings: see `settings.Settings`.
    """

    intercept_: Array
    one_score = False
    classes_of = staticmethod(several_labels)
    cross_entropy = staticmethod(linear_cross_entropy)

    def predict_proba(self, X: DataLike) -> Array:
        """The probability of each class for each row of X (n, d): (n, K), rows sum to 1."""
        p = softmax(self.decision_function(X))
        assert isinstance(p, Array)  # the scores are a matrix
        return p

    def predict(self, X: DataLike) -> Array:
        """The class with the largest score, which is the one with the largest probability."""
        scores = self.decision_function(X).rows
        return Array([self.classes_[row.index(max(row))] for row in scores])
