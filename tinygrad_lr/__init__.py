"""How logistic regression is learned, in code that can be read from top to bottom.

>>> from tinygrad_lr import Value, binary_cross_entropy_with_logits, sigmoid
>>> hours, passed = [0.5, 1.5, 2.0, 3.5, 4.0], [0, 0, 1, 0, 1]
>>> w, b = Value(0.0, label="w"), Value(0.0, label="b")
>>> for step in range(2000):
...     loss = binary_cross_entropy_with_logits(w * hours + b, passed)
...     loss.backward()                    # the chain rule, newest node first
...     for parameter in w, b:
...         parameter.data -= 0.1 * parameter.grad         # a step downhill
...         parameter.zero_grad()
>>> for hours in 1.0, 5.0:
...     print(f"after {hours:g} hours: probability to pass {sigmoid(w * hours + b).item():.2f}")
after 1 hours: probability to pass 0.18
after 5 hours: probability to pass 0.84

The folders and modules, in the order to read them. Each imports only from those above it.

    core         numbers, operations, Value, the backward pass: automatic differentiation
    ops          the rulebook: arithmetic, elementary functions, tensors, probability
    losses       likelihood, log-likelihood, cross-entropy; then faster forms of the same
    calculus     grad, jacobian, hessian
    gradcheck    derivatives against finite differences
    optim        gradient descent and its family, schedules, second order
    data         tables, batches, scaling
    metrics      how good are the predictions; are they calibrated?
    convexity    is it a bowl, how steep is it, and does it have a bottom?
    training     the loop, its history, checkpoints, work shared among processes
    models       LogisticRegression, SoftmaxRegression
    graph        draw it, explain it, print the derivative as Python

`from tinygrad_lr import *` leaves out what would hide Python's own abs, max, min and sum.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from .calculus import grad, hessian, hessian_vector_product, jacobian, value_and_grad
from .core.array import Array
from .core.lift import elementwise, operation
from .core.modes import detect_anomaly, no_grad
from .core.value import Value
from .gradcheck import gradcheck
from .losses import *
from .ops.elementwise import *
from .ops.probability import *
from .ops.tensors import *

__version__ = "0.1.0"

# In full, because type checkers read it. Left out is what would hide Python's own (abs, max, min,
# sum), and the machinery (identity, sum_to and others).
__all__ = [
    "Array", "Value", "add", "affine", "bernoulli_log_likelihood", "binary_cross_entropy",
    "binary_cross_entropy_with_logits", "broadcast_to", "categorical_log_likelihood", "clip",
    "concatenate", "cos", "cross_entropy", "detect_anomaly", "divide", "dot", "elementwise",
    "entropy", "exp", "expm1", "gaussian_negative_log_likelihood", "grad", "gradcheck", "hessian",
    "hessian_vector_product", "jacobian", "kl_divergence", "less", "less_equal",
    "linear_binary_cross_entropy", "linear_cross_entropy", "log", "log1p", "log_sigmoid",
    "log_softmax", "logistic_density", "logsumexp", "matmul", "maximum", "mean",
    "mean_squared_error", "minimum", "multiply", "negative", "negative_log_likelihood", "no_grad",
    "operation", "power", "relu", "reshape", "sigmoid", "sin", "softmax", "softplus", "sqrt",
    "stack", "subtract", "tanh", "transpose", "value_and_grad", "where", "xlog1py", "xlogy",
]  # fmt: skip


def _repr_mimebundle_(value: Value, include: Any = None, exclude: Any = None) -> dict[str, Any]:
    """What a notebook shows: a drawing of the graph where graphviz is installed, and text."""
    bundle: dict[str, Any] = import_module(f"{__name__}.graph").mimebundle(value)
    return bundle


Value._repr_mimebundle_ = _repr_mimebundle_  # type: ignore[attr-defined]


if TYPE_CHECKING:
    from . import convexity as convexity, data as data, graph as graph, metrics as metrics
    from . import models as models, optim as optim, training as training
else:
    _on_demand = {
        "convexity", "data", "graph", "metrics", "models", "optim", "training",
    }  # fmt: skip

    def __getattr__(name: str) -> Any:
        """`tinygrad_lr.optim` and others are loaded when they are first named."""
        if name in _on_demand:
            return import_module(f"{__name__}.{name}")
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
