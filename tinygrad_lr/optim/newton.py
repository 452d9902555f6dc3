"""Newton's method: go to the bottom of the parabola that fits the loss here.

    loss(w - d)  is about  loss(w) - g . d + d . H d / 2        lowest where  H d = g

w are the numbers of all parameters, d is how far each of them moves, g is the gradient, and H is
the Hessian, which holds all second derivatives: its row i is the gradient of g[i]. Where the loss
is a parabola itself, one step is enough:

>>> from tinygrad_lr import Value
>>> w = Value([3.0, -2.0])
>>> optimizer = Newton([w])
>>> optimizer.step(lambda: ((w - [1.0, 5.0]) ** 2 * [0.125, 2048.0]).sum())
100352.5
>>> w
Value([1.0, 5.0])

Near a minimum each step doubles the number of correct digits. The unit of a feature does not
matter: a unit that makes w a thousandth makes d a thousandth too. `lbfgs` does without the n^2
numbers of H.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import InitVar, dataclass, field
from itertools import chain

from ..core.array import from_flat, numbers
from ..core.backward import backward_pass
from ..core.value import Value
from .line_search import Closure, ClosureOptimizer, backtrack, require_finite
from .linear import NotPositiveDefiniteError, cholesky, dot, moved, solve
from .optimizer import LearningRate, Vector, option

__all__ = ["Newton"]


@dataclass(eq=False, repr=False)
class Newton(ClosureOptimizer):
    """Multiply the gradient by the inverse of the Hessian.

        w <- w - lr * d,   (H + damping * I) d = g

    Adds to gradient descent: H, the derivative of the gradient, which gives each direction the rate
    that fits its curvature. For logistic regression this is known as "iteratively reweighted least
    squares", and about ten steps are enough.

    Far from the minimum the step may be too long. `damping`, in the unit of H, shortens it and
    turns it towards -g; a very large one is gradient descent with the rate lr / damping
    (Levenberg 1944). `line_search` halves the step until the loss falls (`backtrack`); if it never
    falls, w stays and `stop_reason` says so.

    Raises NotPositiveDefiniteError, a ValueError, where the parabola has no lowest point,
    and FloatingPointError where the step would lead to a loss that is not finite; both change
    nothing. Cost, for n numbers in all parameters: n + 1 backward passes, n^2 numbers of memory,
    n^3 / 6 multiplications. Nocedal and Wright 2006, section 3.3.
    """

    parameters: InitVar[Iterable[Value]]
    lr: LearningRate = LearningRate(1.0)
    damping: float = option(0.0)
    line_search: bool = field(default=False, kw_only=True)

    def advance(self, closure: Closure, w: list[float]) -> float:
        """w - lr * d."""
        loss, g, rows = self.derivatives(closure)
        for i, row in enumerate(rows):
            row[i] += self.damping
        try:
            d = solve(cholesky(rows), g)
        except NotPositiveDefiniteError as error:
            raise self.explained(error) from None

        def loss_at(w: Vector) -> float:
            return self.loss_at(w, closure)

        down = [-x for x in d]
        if not self.line_search:
            require_finite(loss_at(moved(w, self.lr, down)))
        elif not backtrack(loss_at, w, down, loss, dot(g, down), self.lr):
            self.put(w)
            self.stop_reason = "no step along Newton's direction lowers the loss"
        return loss

    def derivatives(self, closure: Closure) -> tuple[float, list[float], list[list[float]]]:
        """The loss, its gradient, and the rows of its Hessian. Raises if one is not finite.

        The first backward pass gives the gradient as a graph. From each number of the gradient
        another backward pass gives one row of the Hessian.
        """
        loss, gradients = self.loss_and_gradient(closure, graph=True)
        g = numbers(x.data if type(x) is Value else x for x in gradients)
        rows = []
        for p, gradient in zip(self.parameters, gradients):
            for i in range(p.size):
                row = {}
                if type(gradient) is Value:  # otherwise it is constant
                    one = from_flat([float(j == i) for j in range(p.size)], p.shape)
                    row = backward_pass(gradient, one if p.shape else 1.0)
                rows.append(numbers(row.get(q, q.data * 0.0) for q in self.parameters))
        require_finite(loss, [*g, *chain.from_iterable(rows)])
        return loss, g, rows

    def explained(self, error: NotPositiveDefiniteError) -> NotPositiveDefiniteError:
        """The same error in terms of the loss: which number of which parameter, what to do."""
        places = [(k, p, i) for k, p in enumerate(self.parameters) for i in range(p.size)]
        k, p, i = places[error.place]
        name = f"number {i} of {p.label or f'parameter {k}'}"
        search = "" if self.line_search else "set line_search=True, "
        if error.singular:
            what = (
                f"the Hessian is singular: at {name} a direction was found along which the loss "
                "does not curve, so no step is best. In logistic regression: features that add up "
                "to another one, or to a constant beside an intercept; softmax scores, which may "
                "all shift together; classes that a line separates, whose best weights are "
                "infinite; or a step so long that all probabilities round to 0 or 1. Add an L2 "
                f"penalty to the loss, leave the feature out, {search}or"
            )
        else:
            what = (
                f"the Hessian is not positive definite: at {name} a direction was found along "
                "which the loss curves downwards, so Newton's step may go uphill. Start elsewhere, "
                "use LBFGS, or"
            )
        return NotPositiveDefiniteError(
            f"step: {what} set damping= (now {self.damping:g}). The parameters have not moved",
            error.place,
            error.singular,
        )
