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

The modules, in the order to read them. Each imports only from those above it.

    shapes          which sizes fit, which axes are meant
    numerics        functions of one float that are right for every float
    array           Array: a shape and a flat list of floats
    modes           no_grad, detect_anomaly: what happens beside computing
    value           Value: a number that remembers how it was made; the backward walk
    registry        how an operation is made: value and rules in one place
    operations      the rulebook: arithmetic, elementary functions, kinks
    tensors         reductions, shapes, indexing, products
    probability     sigmoid and softmax
    targets         what losses are given, checked
    losses          likelihood, log-likelihood, cross-entropy
    linear_losses   cross-entropy of linear scores, in one step
    calculus        grad, jacobian, hessian
    gradcheck       derivatives against finite differences
    optim           gradient descent and its family, schedules, second order
    data            tables, batches, scaling
    metrics         how good are the predictions; are they calibrated?
    convexity       is it a bowl, how steep is it, and does it have a bottom?
    checkpoint      training that survives being killed
    parallel        the gradient as a sum over shards, one a process
    training        the loop, and its history
    models          LogisticRegression, SoftmaxRegression
    graph           draw it, explain it, print the derivative as Python

`from tinygrad_lr import *` leaves out what would hide Python's own abs, max, min and sum.
"""

from importlib import import_module
from typing import Any

from . import linear_losses, losses, operations, probability, tensors
from .array import Array
from .calculus import grad, hessian, hessian_vector_product, jacobian, value_and_grad
from .gradcheck import gradcheck
from .linear_losses import *
from .losses import *
from .modes import detect_anomaly, no_grad
from .operations import *
from .probability import *
from .registry import elementwise, operation
from .tensors import *
from .value import Value

__version__ = "0.1.0"

_on_demand = {
    "checkpoint", "convexity", "data", "graph", "metrics", "models", "optim", "parallel",
    "training",
}  # fmt: skip

_hidden = {  # from `import *`: what would hide Python's own, and the machinery
    "abs", "max", "min", "sum", "attach", "getitem", "identity", "scatter", "spread", "sum_to",
}  # fmt: skip

__all__ = [
    "Array", "Value", "detect_anomaly", "elementwise", "grad", "gradcheck", "hessian",
    "hessian_vector_product", "jacobian", "no_grad", "operation", "value_and_grad",
    *linear_losses.__all__,
    *losses.__all__,
    *(
        name
        for name in (*operations.__all__, *tensors.__all__)
        if name not in _hidden
    ),
    *probability.__all__,
]  # fmt: skip


def _repr_mimebundle_(value: Value, include: Any = None, exclude: Any = None) -> dict[str, Any]:
    """What a notebook shows: a drawing of the graph where graphviz is installed, and text."""
    bundle: dict[str, Any] = import_module(f"{__name__}.graph").mimebundle(value)
    return bundle


Value._repr_mimebundle_ = _repr_mimebundle_  # type: ignore[attr-defined]


def __getattr__(name: str) -> Any:
    """`tinygrad_lr.optim` and others are loaded when they are first named."""
    if name in _on_demand:
        return import_module(f"{__name__}.{name}")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
