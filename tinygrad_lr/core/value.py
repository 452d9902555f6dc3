"""Value: a number, or a tensor of numbers, that remembers how it was made.

    x = Value(3.0)                       x ──┐
    y = Value(2.0)                           multiply ── z = 6.0
    z = x * y                            y ──┘
    z.backward()          # x.grad = dz/dx = y = 2.0,  y.grad = dz/dy = x = 3.0

The forward pass computes the numbers and records the graph. The backward pass (`backward`)
goes through the graph in reverse and adds the gradients to the leaves.

>>> x = Value(3.0, label="x")
>>> y = x * x + 2 * x          # x is used three times, so three products are added: 3 + 3 + 2
>>> y.backward()
>>> y, x.grad
(Value(15.0, operation='add'), 8.0)

Glossary, one word for one thing:

    operation            a function that makes a Value of others, with a rule for each argument
    rule                 computes the cotangent of one argument from the cotangent of the output
    cotangent            of a node: the derivative of the final output with respect to it
    vjp                  vector-Jacobian product: a cotangent times a local derivative
    leaf                 a Value that no operation made: a parameter or an input
    constant             a float or an Array among the inputs; it has no gradient
    graph                Values and the operations between them
    ancestors            the Values that a Value was made from, directly or not
    topological order    inputs before what is made of them; the backward pass goes in reverse
    residuals            what the forward pass keeps for the rules
    wrt                  with respect to: the Values whose gradient is asked for

The operators and methods (`x + y`, `x.exp()`, `x.sum()`) are operations; `ops.methods` gives
them to Value, and `backward` too.
"""

from __future__ import annotations

from itertools import count
from typing import TYPE_CHECKING, Any

from .array import Data, as_data, shape_of
from .facade import Facade
from .modes import check_finite, mode_or_none
from .operation import Operation

if TYPE_CHECKING:
    from .typed import DataLike

__all__ = ["Value", "record"]

next_birth = count().__next__

# What becomes of the gradient of a Value, its `grad_state`.
PASSED_ON = 0  # a result: its cotangent is passed on to its inputs and forgotten
KEPT = 1  # a leaf, or a result after retain_grad(): its cotangent is added to .grad
OUTDATED = 2  # a leaf whose data was replaced after .grad had been computed


class Value(Facade):
    """A float, or an Array of floats, with the operation and the inputs that made it.

    `data`: a real number, nested sequences of equal lengths, anything with `.tolist()`, or an
    Array. `label`: its name in drawings, explanations and errors.
    Raises TypeError for what is not a number, ValueError for ragged lists.

    A result of an elementwise operation keeps its inputs in the slots `_x` and `_y`. Any other
    result keeps all inputs as a tuple in `_x`, and the options of the call as a dict in `_y`.
    `born` is the serial number of its data: an input is older than what was made of it.
    """

    __slots__ = ("_data", "_grad", "grad_state", "label", "operation", "_x", "_y", "born")

    def __init_subclass__(cls) -> None:
        raise TypeError(
            f"{cls.__name__}: Value has no subclasses, because the operations make plain Values; "
            "a new operation is a function (`elementwise`, `operation`), a model holds its Values"
        )

    def __init__(self, data: DataLike, *, label: str = "") -> None:
        self._data: Any = as_data(data)
        self._grad: Any = None
        self.grad_state = KEPT
        self.label = label
        self.operation: Any = None  # the Operation that made it; None for a leaf
        self._x: Any = ()
        self._y: Any = None
        self.born = next_birth()

    # ---- what it holds

    @property
    def inputs(self) -> tuple[Any, ...]:
        """What the operation was given, Values and constants, in the order of its arguments."""
        return inputs_of(self._x, self._y)

    @property
    def options(self) -> dict[str, Any]:
        """The options of the call that made it, and the residuals."""
        return self._y if type(self._y) is dict else {}

    # Typed Any: only the user knows whether it is a float or an Array. A union of both would make
    # round(w.data, 4) and w.data[0] errors; with None in it, w.data - 0.1 * w.grad would be one.
    @property
    def data(self) -> Any:
        """A float, or an Array for a tensor. The data of a leaf may be replaced."""
        return self._data

    @data.setter
    def data(self, data: Any) -> None:
        if self.operation is not None:
            raise AttributeError(
                f"data of a result of {self.operation.name} follows from its inputs; "
                "change the leaves and compute it again, or detach() it first"
            )
        self.move(self._of_my_shape("data", data))

    def move(self, data: Data) -> None:
        """Replace the data of a leaf by other data of the same shape, which is not checked."""
        self._data = data
        self.born = next_birth()
        self.grad_state = KEPT if self._grad is None else OUTDATED

    @property
    def grad(self) -> Any:
        """The sum of the gradients so far, of the form of `data`; None before the first."""
        return self._grad

    @grad.setter
    def grad(self, gradient: Any) -> None:
        self._grad = None if gradient is None else self._of_my_shape("grad", gradient)
        if gradient is not None or self.grad_state == OUTDATED:
            self.grad_state = KEPT

    def _of_my_shape(self, what: str, given: Any) -> Data:
        data = as_data(given)
        if shape_of(data) != self.shape:
            raise ValueError(f"{what} of shape {shape_of(data)} for a Value of shape {self.shape}")
        return data

    def detach(self) -> Value:
        """A leaf with the same data: no gradient flows from it to this one."""
        return Value(self._data, label=self.label)

    # ---- the gradient

    def zero_grad(self) -> None:
        """Forget the gradient: None, as before any backward pass."""
        self.grad = None

    def retain_grad(self) -> None:
        """Keep `.grad` of this result in backward passes, as leaves do. (PyTorch has it too.)"""
        self.grad_state = self.grad_state or KEPT

    @property
    def retains_grad(self) -> bool:
        """Whether a backward pass adds to `.grad`: of leaves, and after `retain_grad()`."""
        return self.grad_state != PASSED_ON

    def __reduce__(self) -> tuple[Any, ...]:
        """A copy or a pickle is a leaf: the number, not its history."""
        return _restore, (self._data, self._grad, self.label)


def inputs_of(x: Any, y: Any) -> tuple[Any, ...]:
    """All inputs of a Value with these two slots."""
    if type(x) is tuple:
        return x
    return (x,) if y is None else (x, y)


def _restore(data: Data, grad: Data | None, label: str) -> Value:
    value = Value(data, label=label)
    value._grad = grad
    return value


def record(operation: Operation, data: Any, x: Any, y: Any = None) -> Value:
    """The Value that an operation made of x, or of x and y; or of a tuple x, with options y.

    Every node of every graph is made here. Under `no_grad` the result is a leaf. Under
    `detect_anomaly` data that is not finite is an error.
    """
    mode = mode_or_none()
    if mode is not None:
        if mode.anomaly:
            check_finite(as_data(data), f"the output of {operation.name}", inputs_of(x, y))
        if not mode.recording:
            return Value(data)
    value = new(Value)
    value._data = data if type(data) is float else as_data(data)
    value._grad = None
    value.grad_state = PASSED_ON
    value.label = ""
    value.operation = operation
    value._x = x
    value._y = y
    value.born = next_birth()
    return value


new = object.__new__
