"""Optimizers: from gradients to better parameters. In reading order, each with the line it adds.

    optimizer   Optimizer   the loop over the parameters that all share
    sgd         SGD         w - lr * g, downhill; momentum: with a velocity
    averaging   ASGD        and the average of the points on the way
    adaptive    Adagrad     g / root of the sum of squared gradients: a rate for each number
                RMSprop     of their mean, which forgets
                Adadelta    times the root of the mean squared step: no unit left in lr
                Rprop       signs alone, and a step size for each number
    adam        Adam        momentum / root mean square, bias corrected
                AdamW       weight decay beside the means, not through them
                Adamax      the largest gradient for the root mean square
                NAdam       looks ahead, as Nesterov
                RAdam       waits until the mean square can be trusted
    schedules               learning rates that change with the number of steps
    linear                  solving A x = b, by hand
    line_search BacktrackingLineSearch   a rate that is tried before it is used
    newton      Newton      the inverse of the Hessian times g
    lbfgs       LBFGS       the same without the Hessian, from the last few steps

>>> from tinygrad_lr import Value
>>> from tinygrad_lr.optim import Adam, schedules
>>> w = Value([4.0, -2.0])
>>> optimizer = Adam([w], lr=schedules.cosine_decay(0.5, steps=100))
>>> for _ in range(100):
...     optimizer.zero_grad()
...     ((w - [1.0, 1.0]) ** 2).sum().backward()
...     optimizer.step()
>>> [round(x, 2) for x in w.tolist()]
[1.0, 1.0]

Names, defaults and formulas are PyTorch's. What to begin with: SGD for a convex loss and
scaled features, Adam where the scales differ.
"""

from . import schedules
from .adam import Adam, AdamW, Adamax, NAdam, RAdam
from .adaptive import Adadelta, Adagrad, RMSprop, Rprop
from .averaging import ASGD
from .lbfgs import LBFGS
from .line_search import BacktrackingLineSearch
from .newton import Newton
from .optimizer import Optimizer
from .sgd import SGD

__all__ = [
    "ASGD", "LBFGS", "SGD", "Adadelta", "Adagrad", "Adam", "AdamW", "Adamax",
    "BacktrackingLineSearch", "NAdam", "Newton", "Optimizer", "RAdam", "RMSprop", "Rprop",
    "schedules",
]  # fmt: skip
