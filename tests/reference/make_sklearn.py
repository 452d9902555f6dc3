"""Write sklearn.json: what scikit-learn says about our data sets and metrics.

    pip install scikit-learn && python tests/reference/make_sklearn.py

Each model is fitted by scikit-learn's LogisticRegression and then polished by Newton
steps in numpy, because the solvers stop near a gradient of 1e-8. The objective is
scikit-learn's own, a sum and not a mean, with no penalty on the intercepts b:

    0.5 * sum(W**2) + C * sum over rows of -log p(label of the row)

The multinomial model has one row of W and one of b per class. A constant added to all
of b changes nothing, so b is reported with mean zero; the penalty makes each column
of W sum to zero by itself. The binary model has one row, for class 1.
"""

import json
import platform
from pathlib import Path

import numpy as np
import scipy
import sklearn
from scipy.special import log_softmax
from sklearn import metrics
from sklearn.calibration import calibration_curve
from sklearn.datasets import load_breast_cancer, load_iris
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler

OUTPUT = Path(__file__).with_name("sklearn.json")


class Objective:
    """The penalised loss as a function of one matrix, rows [w, b], with derivatives.

    A single row is the binary model: its logits stand against a fixed row of zeros.
    """

    def __init__(self, X, y, C, rows):
        self.X = np.column_stack([X, np.ones(len(X))])
        self.y, self.C, self.rows = y, C, rows
        self.penalised = np.ones(self.X.shape[1])
        self.penalised[-1] = 0.0  # the intercept is free
        classes = max(rows, 2)
        self.onehot = np.eye(classes)[y][:, classes - rows :]

    def log_probabilities(self, W):
        logits = self.X @ W.T
        if self.rows == 1:
            logits = np.column_stack([np.zeros(len(logits)), logits])
        return log_softmax(logits, axis=1)

    def log_loss(self, W):
        return -self.log_probabilities(W)[np.arange(len(self.y)), self.y].mean()

    def value(self, W):
        penalty = 0.5 * np.sum(self.penalised * W * W)
        return penalty + self.C * len(self.y) * self.log_loss(W)

    def own_probabilities(self, W):
        return np.exp(self.log_probabilities(W))[:, -self.rows :]

    def gradient(self, W):
        error = self.own_probabilities(W) - self.onehot
        return self.penalised * W + self.C * error.T @ self.X

    def hessian(self, W):
        p = self.own_probabilities(W)
        between = np.eye(self.rows) * p[:, :, None] - p[:, :, None] * p[:, None, :]
        data = np.einsum("nkl,ni,nj->kilj", between, self.X, self.X, optimize=True)
        penalty = np.kron(np.eye(self.rows), np.diag(self.penalised))
        return self.C * data.reshape(W.size, W.size) + penalty

    def polish(self, W, steps=20):
        """Newton steps while the gradient shrinks. `lstsq`, for b is free to shift."""
        for _ in range(steps):
            gradient = self.gradient(W)
            step = np.linalg.lstsq(self.hessian(W), gradient.ravel(), rcond=1e-12)[0]
            better = W - step.reshape(W.shape)
            better[:, -1] -= better[:, -1].mean() if self.rows > 1 else 0.0
            if np.linalg.norm(self.gradient(better)) >= np.linalg.norm(gradient):
                break
            W = better
        return W


def fit(X, y, C, shown_rows):
    """Fit, polish, check and describe one model; binary if `y` has two classes."""
    model = LogisticRegression(C=C, solver="lbfgs", tol=1e-10, max_iter=100_000)
    model.fit(X, y)
    W = np.column_stack([model.coef_, model.intercept_])
    objective = Objective(X, y, C, rows=len(W))
    polished = objective.polish(W)
    norm = np.linalg.norm(objective.gradient(polished))
    assert norm < 1e-9, norm
    assert np.abs(polished - W).max() < 1e-3, "scikit-learn's own answer is elsewhere"

    model.coef_, model.intercept_ = polished[:, :-1].copy(), polished[:, -1].copy()
    probabilities = model.predict_proba(X)
    assert np.isclose(metrics.log_loss(y, probabilities), objective.log_loss(polished))
    binary = len(W) == 1
    return {
        "C": C,
        "coef": model.coef_[0].tolist() if binary else model.coef_.tolist(),
        "intercept": model.intercept_[0] if binary else model.intercept_.tolist(),
        "objective": objective.value(polished),
        "gradient_norm": norm,
        "moved_by_polishing": np.abs(polished - W).max(),
        "log_loss": objective.log_loss(polished),
        "accuracy": model.score(X, y),
        "rows": shown_rows,
        "probabilities": probabilities[shown_rows, 1].tolist()
        if binary
        else probabilities[shown_rows].tolist(),
    }


def models():
    """Breast cancer standardised, at two penalties; iris raw and standardised."""
    cancer, iris = load_breast_cancer(), load_iris()
    scaled_cancer, scaled_iris = StandardScaler(), StandardScaler()
    cancer_X = scaled_cancer.fit_transform(cancer.data)
    iris_X = scaled_iris.fit_transform(iris.data)
    first = list(range(10))
    some = [0, 1, 2, 3, 4, 50, 100]
    return {
        "breast_cancer_scaler": scaler_numbers(scaled_cancer),
        "iris_scaler": scaler_numbers(scaled_iris),
        "breast_cancer_C1": fit(cancer_X, cancer.target, 1.0, first),
        "breast_cancer_C0.1": fit(cancer_X, cancer.target, 0.1, first),
        "iris_raw_C1": fit(iris.data, iris.target, 1.0, some),
        "iris_standardised_C1": fit(iris_X, iris.target, 1.0, some),
    }


def scaler_numbers(scaler):
    return {"mean": scaler.mean_.tolist(), "scale": scaler.scale_.tolist()}


# Ties within a class and across classes, and 0.2, 0.4, 0.6 on the edges of the bins.
LABELS = [int(c) for c in "0010010001011010101101101111010111110111"]
PROBABILITIES = [
    0.02, 0.05, 0.05, 0.08, 0.11, 0.15, 0.15, 0.15, 0.2, 0.2,
    0.23, 0.27, 0.31, 0.35, 0.35, 0.4, 0.4, 0.44, 0.48, 0.49,
    0.52, 0.55, 0.55, 0.55, 0.6, 0.6, 0.63, 0.67, 0.7, 0.7,
    0.74, 0.78, 0.81, 0.85, 0.85, 0.9, 0.93, 0.96, 0.97, 0.99,
]  # fmt: skip

THREE_LABELS = [0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 2]
THREE_PREDICTED = [0, 0, 1, 1, 1, 2, 1, 2, 2, 2, 0, 1]


def metric_numbers():
    """Every metric on one small binary example; counts on a three-class one."""
    y, p = np.array(LABELS), np.array(PROBABILITIES)
    predicted = (p >= 0.5).astype(int)
    numbers = {
        "labels": LABELS,
        "probabilities": PROBABILITIES,
        "predicted": predicted.tolist(),
        "accuracy": metrics.accuracy_score(y, predicted),
        "log_loss": metrics.log_loss(y, p),
        "brier_score_loss": metrics.brier_score_loss(y, p),
        "roc_auc_score": metrics.roc_auc_score(y, p),
        "confusion_matrix": metrics.confusion_matrix(y, predicted).tolist(),
    }
    for strategy in "uniform", "quantile":
        for bins in 5, 10:
            true, mean = calibration_curve(y, p, n_bins=bins, strategy=strategy)
            numbers[f"calibration_curve_{strategy}_{bins}"] = {
                "fraction_of_positives": true.tolist(),
                "mean_probability": mean.tolist(),
            }
    matrix = metrics.confusion_matrix(THREE_LABELS, THREE_PREDICTED)
    numbers["three_classes"] = {
        "labels": THREE_LABELS,
        "predicted": THREE_PREDICTED,
        "accuracy": metrics.accuracy_score(THREE_LABELS, THREE_PREDICTED),
        "confusion_matrix": matrix.tolist(),
    }
    return numbers


if __name__ == "__main__":
    versions = {
        "python": platform.python_version(),
        "numpy": np.__version__,
        "scipy": scipy.__version__,
        "scikit-learn": sklearn.__version__,
    }
    reference = {"versions": versions, **models(), "metrics": metric_numbers()}
    lines = [f"{json.dumps(k)}: {json.dumps(v)}" for k, v in reference.items()]
    OUTPUT.write_text("{\n" + ",\n".join(lines) + "\n}\n", encoding="ascii")
