"""A user's file, as `mypy --strict` sees it; test_types runs both mypy and the file.

The comment behind a `reveal_type` is the type that mypy must find, without the names of modules.
`# error: code` marks a line that mypy must not let pass; no other line may have an error.
"""

import math
from functools import partial
from typing import Any, reveal_type

import tinygrad_lr
from tinygrad_lr import *
from tinygrad_lr import abs, max, min, sum
from tinygrad_lr.convexity import (
    is_linearly_separable,
    is_positive_semidefinite,
    largest_eigenvalue,
    safe_learning_rate,
    smoothness_constant,
)
from tinygrad_lr.core.array import Data, from_flat
from tinygrad_lr.data import Batches, StandardScaler, load_iris, train_test_split
from tinygrad_lr.graph import compile, explain, named_scope, to_dot, to_mermaid, to_source
from tinygrad_lr.metrics import (
    accuracy,
    brier_score,
    calibration_curve,
    confusion_matrix,
    expected_calibration_error,
    log_loss,
    roc_auc,
)
from tinygrad_lr.models import LogisticRegression, SoftmaxRegression
from tinygrad_lr.optim import (
    ASGD,
    LBFGS,
    SGD,
    Adadelta,
    Adagrad,
    Adam,
    AdamW,
    BacktrackingLineSearch,
    Newton,
    Optimizer,
    RMSprop,
    schedules,
)
from tinygrad_lr.training import History, minimize

x, w, W = Value(2.0, label="x"), Value([1.0, 2.0]), Value([[1.0, 2.0], [3.0, 5.0]])
hours, a, A = [1.0, 2.0], Array([1.0, 2.0]), Array([[1.0, 2.0], [3.0, 5.0]])

# ---- what a Value holds. Whether data and grad are floats or Arrays, only you know.

(w * w).sum().backward()
reveal_type(w.data)  # Any
reveal_type(w.grad)  # Any
w.data = w.data - 0.1 * w.grad
w.data -= 0.1 * w.grad
round(x.data, 4) + w.data[0] + w.grad.shape[0]
w.zero_grad()
reveal_type(w.shape)  # tuple[int, ...]
reveal_type(w.ndim)  # int
reveal_type(w.label)  # str
reveal_type(w.T)  # Value
reveal_type(w.detach())  # Value
reveal_type(x.item())  # float
reveal_type(float(x))  # float
reveal_type(len(w))  # int
reveal_type(w[0])  # Value
reveal_type(W[:, 0])  # Value
reveal_type([v for v in w])  # list[Value]
first, second = w
reveal_type(first)  # Value

# ---- operators, both ways

reveal_type(Value(1.0) + 2)  # Value
reveal_type(2 + x)  # Value
reveal_type(w - [1.0, 2.0])  # Value
reveal_type([1.0, 2.0] - w)  # Value
reveal_type(w * a)  # Value
reveal_type(a * w)  # Value
reveal_type(w / 2)  # Value
reveal_type(2 / w)  # Value
reveal_type(w**2)  # Value
reveal_type(2**w)  # Value
reveal_type(-w)  # Value
reveal_type(W @ w)  # Value
reveal_type(A @ w)  # Value
reveal_type([1.0, 2.0] @ w)  # Value
reveal_type(w < 1.0)  # bool | Array
reveal_type(1.0 <= x)  # bool | Array
if x > 1.0:
    x.label = "large"

reveal_type(a + 1)  # Array
reveal_type(1 - a)  # Array
reveal_type(hours * a)  # Array
reveal_type(hours * w)  # Value
reveal_type(a / a)  # Array
reveal_type(a**2)  # Array
reveal_type(-a)  # Array
reveal_type(a > 1)  # Array
reveal_type(a == a)  # bool
reveal_type(A @ a)  # float | Array
reveal_type(a[0])  # float | Array
reveal_type(A.T)  # Array
reveal_type(A.rows)  # list[list[float]]
reveal_type(a.item)  # def () -> float

# ---- operations: methods

reveal_type(w.sum())  # Value
reveal_type(W.sum(axis=0, keepdims=True))  # Value
reveal_type(w.mean())  # Value
reveal_type(w.max())  # Value
reveal_type(w.exp().log().sqrt().tanh())  # Value
reveal_type(w.relu().sigmoid().softplus())  # Value
reveal_type(w.softmax(axis=0))  # Value
reveal_type(w.logsumexp())  # Value
reveal_type(w.clip(0, 1).where(w, 0.0))  # Value
reveal_type(w.reshape(2, 1).transpose())  # Value
reveal_type(w.reshape((1, -1)))  # Value
reveal_type(w.dot([1.0, 2.0]))  # Value
reveal_type(w.maximum(0.0))  # Value

# ---- operations: functions of floats, Arrays, lists and Values

reveal_type(exp(1.0))  # float
reveal_type(exp(1))  # float
reveal_type(exp(Value(1.0)))  # Value
reveal_type(exp(a))  # Array
reveal_type(exp([1.0, 2.0]))  # Array
reveal_type(log(2.0) + log1p(2.0) + sqrt(2.0) + expm1(2.0))  # float
reveal_type(sin(w) + cos(w) + tanh(w) + abs(w))  # Value
reveal_type(sigmoid(0.0) + log_sigmoid(0.0) + softplus(0.0) + relu(0.0))  # float
reveal_type(add(1.0, 2.0))  # float
reveal_type(add(w, 1))  # Value
reveal_type(subtract([1.0, 2.0], w))  # Value
reveal_type(multiply(a, 2.0))  # Array
reveal_type(divide(2.0, [1.0, 2.0]))  # Array
reveal_type(power(a, a))  # Array
reveal_type(maximum(0.0, 1.0))  # float
reveal_type(minimum(w, 1.0))  # Value
reveal_type(less(1.0, 2.0))  # bool | Array
reveal_type(where(a > 1, w, 0.0))  # Value
reveal_type(where(a > 1, a, 0.0))  # Array
reveal_type(where([1, 0], 0.0, w))  # Value
reveal_type(clip(0.5, 0, 1))  # float
reveal_type(clip(w, 0, 1))  # Value
reveal_type(clip(w, low=0, high=1))  # Value
reveal_type(clip([0.5], 0, 1))  # Array
reveal_type(xlogy(0.0, w))  # Value

reveal_type(sum(w))  # Value
reveal_type(sum([w[0], w[1]]))  # Value
reveal_type(sum([x, 1.0]))  # Value
reveal_type(sum(a))  # float
reveal_type(sum([1.0, 2.0]))  # float
reveal_type(sum(A, axis=0))  # float | Array
reveal_type(mean(w))  # Value
reveal_type(mean([x, x]))  # Value
reveal_type(mean(a))  # float
reveal_type(max(w))  # Value
reveal_type(min(a))  # float | Array
reveal_type(logsumexp(w))  # Value
reveal_type(softmax(w))  # Value
reveal_type(softmax([1.0, 2.0]))  # float | Array
reveal_type(log_softmax(W, axis=1))  # Value
reveal_type(reshape(w, (2, 1)))  # Value
reveal_type(reshape(a, 2, 1))  # float | Array
reveal_type(transpose(W))  # Value
reveal_type(broadcast_to(x, (2, 2)))  # Value
reveal_type(concatenate([w, w]))  # Value
reveal_type(concatenate([w, [1.0]]))  # Value
reveal_type(concatenate([a, [1.0]]))  # Array
reveal_type(stack([x, x]))  # Value
reveal_type(stack([x, 1.0]))  # Value
reveal_type(stack([1.0, 2.0]))  # Array
reveal_type(matmul(W, a))  # Value
reveal_type(matmul(A, w))  # Value
reveal_type(affine(A, w, x))  # Value
reveal_type(affine(A, a, x))  # Value
reveal_type(dot(w, a))  # Value
reveal_type(dot([x, x], [1.0, 2.0]))  # Value
reveal_type(dot([1.0, 2.0], [x, x]))  # Value
reveal_type(dot(a, a))  # float
reveal_type(tinygrad_lr.exp(1.0))  # float

# ---- losses

reveal_type(binary_cross_entropy_with_logits(w, [1, 0]))  # Value
reveal_type(binary_cross_entropy_with_logits([0.3], [1]))  # float | Array
reveal_type(binary_cross_entropy(sigmoid(w), [1, 0], reduction="sum"))  # Value
reveal_type(binary_cross_entropy([0.3], [1]))  # float | Array
reveal_type(cross_entropy(W, [1, 0]))  # Value
reveal_type(linear_binary_cross_entropy(A, w, x, [1, 0]))  # Value
reveal_type(linear_cross_entropy(A, A, w, [1, 0]))  # Value
reveal_type(mean_squared_error(w, a))  # Value
reveal_type(mean_squared_error(a, w))  # Value
reveal_type(gaussian_negative_log_likelihood([0.0], [1.0], x))  # Value
reveal_type(negative_log_likelihood(log_softmax(W), [0, 1]))  # Value
reveal_type(bernoulli_log_likelihood([0.3], [1]))  # float | Array
reveal_type(categorical_log_likelihood(softmax(W), [0, 1]))  # Value
reveal_type(kl_divergence([0.5, 0.5], softmax(w)))  # Value
reveal_type(entropy(softmax(w)))  # Value

# ---- functions that differentiate


def f(x: Value) -> Value:
    return x * x


def product(x: Value, y: Value) -> Value:
    return (x * y).sum()


reveal_type(grad(f)(1.0))  # float
reveal_type(grad(grad(f))(1.0))  # float
reveal_type(grad(f)(x))  # Value
reveal_type(grad(product)(a, a))  # Array
reveal_type(grad(product)(a, w))  # Value
reveal_type(grad(product, argnums=(0, 1))(a, a))  # tuple[Any, ...]
reveal_type(value_and_grad(f)(1.0))  # tuple[float, float]
reveal_type(value_and_grad(product)([1.0, 2.0], a))  # tuple[float, Array]
reveal_type(value_and_grad(f)(x))  # tuple[Value, Value]
reveal_type(jacobian(f)(a))  # Array
reveal_type(jacobian(f)(w))  # Value
reveal_type(jacobian(f)(1.0))  # float | Array
reveal_type(hessian(lambda x: (x * x).sum())([1.0, 2.0]))  # Array
reveal_type(hessian_vector_product(lambda x: (x * x).sum())(a, a))  # Array
reveal_type(gradcheck(f, 1.0))  # bool


@no_grad()
def predict(x: Value) -> float:
    return f(x).item()


reveal_type(predict(x))  # float
with no_grad(), detect_anomaly():
    reveal_type(f(x))  # Value

# ---- an operation of your own


@elementwise(x=lambda g, out, x: g / (1 + x * x))
def arctan(x: float) -> float:
    """Angle whose tangent is x."""
    return math.atan(x)


@elementwise(x=lambda g, out, x, y: g * x / out, y=lambda g, out, x, y: g * y / out)
def hypotenuse(x: float, y: float) -> float:
    """The long side of a right triangle."""
    return math.hypot(x, y)


def roll_back(g: Any, out: Any, x: Any, *, by: int) -> Any:
    return roll(g, by=-by)


@operation(x=roll_back)
def roll(x: Data, *, by: int = 1) -> Data:
    """x with its elements moved by some places."""
    assert isinstance(x, Array)
    return from_flat(x.flat[-by:] + x.flat[:-by], x.shape)


reveal_type(arctan(1.0))  # float
reveal_type(arctan(w))  # Value
reveal_type(arctan(a))  # Array
reveal_type(hypotenuse(3.0, w))  # Value
reveal_type(hypotenuse(3.0, 4.0))  # float
reveal_type(roll(w, by=1))  # Value
reveal_type(roll(a))  # float | Array

# ---- optimizers and the loop

reveal_type(SGD([w], lr=0.1))  # SGD
reveal_type(SGD([w], lr=0.1).lr)  # float
reveal_type(Adam([w]).betas)  # tuple[float, float]
reveal_type(AdamW([w], lr=schedules.cosine_decay(0.1, steps=10)).steps)  # int
reveal_type(schedules.warmup(3, 0.1)(0))  # float
reveal_type(schedules.step_decay(0.1, every=3))  # def (int) -> float
reveal_type(SGD([w], lr=0.1).zero_grad())  # None
reveal_type(SGD([w], lr=0.1).state_dict())  # dict[str, Any]
reveal_type(LBFGS([w]).step(lambda: (w * w).sum()))  # float
reveal_type(LBFGS([w]).stop_reason)  # str
reveal_type(Newton([w]).parameters)  # list[Value]
optimizers: list[Optimizer] = [
    ASGD([w]), Adadelta([w]), Adagrad([w]), RMSprop([w]), BacktrackingLineSearch([w]),
]  # fmt: skip


def loss(X: Array, y: Array) -> Value:
    return binary_cross_entropy_with_logits(X @ w + x, y) + 0.01 * (w * w).sum()


def low_enough(history: History) -> bool:
    return history.epoch_losses[-1] < 0.1


batches = Batches(A, [1, 0], batch_size=1)
history = minimize(loss, [w, x], batches, SGD([w, x], lr=0.1), 3, [low_enough, lambda h: h.steps])
reveal_type(history)  # History
reveal_type(history.losses)  # list[float]
reveal_type(history.stop_reason)  # str

# ---- data, models, metrics

data = load_iris()
reveal_type(data.X)  # Array
reveal_type(data.feature_names)  # tuple[str, ...]
X_train, X_test, y_train, y_test = train_test_split(data.X, data.y)
reveal_type(X_train)  # Array
reveal_type(StandardScaler().fit(X_train))  # StandardScaler
reveal_type(StandardScaler().fit_transform(X_train))  # Array
reveal_type([X.shape for X, y in batches])  # list[tuple[int, ...]]

X, y = [[0.0], [1.0], [2.0], [3.0]], [0, 1, 0, 1]
reveal_type(LogisticRegression().fit(X, y))  # LogisticRegression
model = LogisticRegression(optimizer=partial(SGD, momentum=0.5), lr=0.1, epochs=2).fit(X, y)
reveal_type(model.predict(X))  # Array
reveal_type(model.predict_proba(X))  # Array
reveal_type(model.decision_function(X))  # Array
reveal_type(model.score(X, y))  # float
reveal_type(model.coef_)  # Array
reveal_type(model.intercept_)  # float
reveal_type(model.classes_)  # tuple[int, ...]
reveal_type(model.history_)  # History
reveal_type(model.set_params(l2=0.1))  # LogisticRegression
softmax_model = SoftmaxRegression(epochs=1).fit(X_train, y_train, callbacks=[lambda h: h.steps])
reveal_type(softmax_model)  # SoftmaxRegression
reveal_type(softmax_model.partial_fit(X_test, y_test))  # SoftmaxRegression
reveal_type(softmax_model.intercept_)  # Array
reveal_type(tinygrad_lr.models.LogisticRegression())  # LogisticRegression

reveal_type(accuracy(y, model.predict(X)))  # float
reveal_type(confusion_matrix(y, y))  # Array
reveal_type(roc_auc(y, model.decision_function(X)))  # float
reveal_type(log_loss(y, model.predict_proba(X)))  # float
reveal_type(brier_score(y, [0.1, 0.2, 0.3, 0.4]))  # float
reveal_type(expected_calibration_error(y, [0.1, 0.2, 0.3, 0.4]))  # float
reveal_type(calibration_curve(y, [0.1, 0.2, 0.3, 0.4]).observed)  # Array
reveal_type(largest_eigenvalue(A.T @ A))  # float
reveal_type(smoothness_constant(X) + safe_learning_rate(X))  # float
reveal_type(is_positive_semidefinite([[1.0]]))  # bool
reveal_type(is_linearly_separable(X, y))  # bool

# ---- the graph

reveal_type(to_dot(x * x))  # str
reveal_type(to_mermaid(x * x))  # str
reveal_type(explain(x * x))  # str
reveal_type(to_source(f, 1.0))  # str
reveal_type(compile(f, 1.0, argnums=0))  # def (*Any, **Any) -> Any
with named_scope("square"):
    f(x)

# ---- mistakes


def mistakes(model: LogisticRegression, anything: Any) -> None:
    w.bakward()  # error: attr-defined
    w.sofmax()  # error: attr-defined
    w.sum(axes=0)  # error: call-arg
    w.clip(0.0)  # error: call-arg
    Value(x)  # error: arg-type
    Value(None)  # error: arg-type
    w + None  # error: operator
    a + None  # error: arg-type
    a.shap  # error: attr-defined
    exp(None)  # error: call-overload
    exp(1.0, 2.0)  # error: call-overload
    sum(w, axes=0)  # error: call-overload
    tinygrad_lr.sofmax(w)  # error: attr-defined
    SGD([w], learning_rate=0.1)  # error: call-arg
    SGD([w], lr=[0.1])  # error: arg-type
    model.fit(X)  # error: call-arg
    model.fit(X, None)  # error: arg-type
    model.predict(w)  # error: arg-type
    model.predict_probabilities(X)  # error: attr-defined
    minimize(loss, [w], batches, 0.1, 3)  # error: arg-type
    accuracy(y)  # error: call-arg
    jacobian(f)(w, 1)  # error: call-overload
