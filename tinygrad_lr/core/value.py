"""Value: a number that remembers how it was made, and the walk that uses the memory.

    x = Value(3.0)                       x ──┐
    y = Value(2.0)                           multiply ── z = 6.0
    z = x * y                            y ──┘
    z.backward()          # x.grad = dz/dx = y = 2.0,  y.grad = dz/dy = x = 3.0

The chain rule, told as a debt. The output owes itself 1. Each node, newest first, pays
what it is owed on to its inputs, each share multiplied by one local derivative, which is
all that an operation knows. A node is used by younger nodes alone, so by the time its
turn comes everything owed to it has arrived: *birth order is backward order*. No
recursion, hence no limit on depth.

>>> x = Value(3.0, label="x")
>>> y = x * x + 2 * x          # x is used three times; its shares add up: x + x + 2
>>> y.backward()
>>> y, x.grad
(Value(15.0, operation='add'), 8.0)

Glossary, one word for one thing:
    operation   what makes one Value of others, with a rule for each argument (`registry`)
    rule        local derivative times the gradient owed to the output
    leaf        a Value that no operation made: a parameter or an input
    owed        the gradient of the final output with respect to a node
    share       the part of it that one use of an input contributes
    constant    a float or Array among the inputs; it is owed nothing and costs nothing
    graph       Values and the operations between them

No particular operation is here (`operations`, `tensors`, `probability`, `losses`).
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Iterable, Iterator
from heapq import heappop, heappush
from itertools import count
from typing import TYPE_CHECKING, Any

from .array import Array, Data, Tracked, as_data, broadcast_to, shape_of
from .modes import check_finite, current_mode, mode_or_none

if TYPE_CHECKING:
    from .lift import Operation

    def _attached(self: Value, *others: Any) -> Any: ...


__all__ = ["Value"]

_next_birth = count().__next__
NO_OPTIONS: dict[str, Any] = {}


class Value(Tracked):
    """A float, or an Array of floats, with the operation and the inputs that made it.

    `data`: a real number, evenly nested sequences, anything with `.tolist()`, an Array.
    `label`: its name in drawings, explanations and errors.
    Raises TypeError for what is not a number, ValueError for ragged lists.
    """

    # One input or two stand in _x and _y, more in a tuple in _x: in a large graph the collector of
    # garbage has half as many objects to look at, which is an eighth of the time.
    __slots__ = ("_data", "_grad", "label", "operation", "_x", "_y", "options", "born")
    __array_ufunc__ = None  # numpy leaves `ndarray * Value` to us

    label: str
    operation: Any  # the Operation that made it; None: a leaf
    # Keyword arguments, and what the operation saved for its rules; of a leaf that has moved the
    # gradient from before: {"stale": grad}.
    options: dict[str, Any]
    born: int

    if TYPE_CHECKING:  # `operations`, `tensors`, `probability` attach operators and methods
        __add__ = __sub__ = __mul__ = __truediv__ = __pow__ = __matmul__ = _attached
        __radd__ = __rsub__ = __rmul__ = __rtruediv__ = __rpow__ = __rmatmul__ = _attached
        __lt__ = __le__ = __gt__ = __ge__ = __neg__ = __abs__ = __getitem__ = _attached

        def __getattr__(self, name: str) -> Any: ...

    def __init_subclass__(cls) -> None:
        raise TypeError(
            f"{cls.__name__}: Value has no subclasses, because the operations make plain Values; "
            "a new operation is a function (`elementwise`, `operation`), a model holds its Values"
        )

    def __init__(self, data: Any, *, label: str = "") -> None:
        self._data: Any = as_data(data)
        self._grad: Any = None
        self.label = label
        self.operation = None
        self._x: Any = ()
        self._y: Any = None
        self.options = NO_OPTIONS
        self.born = _next_birth()

    @property
    def inputs(self) -> tuple[Any, ...]:
        """What the operation was given, Values and constants, in the order of its arguments."""
        x, y = self._x, self._y
        return (x, y) if y is not None else x if type(x) is tuple else (x,)

    @property
    def data(self) -> Any:
        """The number itself: a float, or an Array for a tensor. A leaf's may be replaced."""
        return self._data

    @data.setter
    def data(self, data: Any) -> None:
        if self.operation is not None:
            raise AttributeError(
                f"data of a result of {self.operation.name} follows from its inputs; "
                "change the leaves and compute it again, or detach() it first"
            )
        self.move(self._fitting("data", data))

    def move(self, data: Data) -> None:
        """Replace the data of a leaf by others of the same shape, which is not checked."""
        self._data = data
        self.born = _next_birth()  # so that a graph built on the old number is noticed
        if self._grad is not None:
            self.options = {"stale": self._grad}  # as is a gradient taken at the old number

    @property
    def grad(self) -> Any:
        """What `backward` has added up so far: None, or of the form of data."""
        return self._grad

    @grad.setter
    def grad(self, gradient: Any) -> None:
        if gradient is not None:
            gradient = self._fitting("grad", gradient)
        self._grad = gradient
        if self.operation is None:
            self.options = NO_OPTIONS  # of whatever age the one before was

    def _fitting(self, what: str, given: Any) -> Data:
        """What is given, read as data, which must have the shape of this Value."""
        data = as_data(given)
        if shape_of(data) != self.shape:
            raise ValueError(f"{what} of shape {shape_of(data)} for a Value of shape {self.shape}")
        return data

    shape = property(lambda self: shape_of(self._data), doc="() for a scalar.")
    ndim = property(lambda self: len(self.shape), doc="How many axes.")
    size = property(lambda self: math.prod(self.shape), doc="How many elements.")

    def item(self) -> float:
        """The only element, as a float. Raises ValueError if there are more."""
        return self._data if type(self._data) is float else self._data.item()

    def tolist(self) -> Any:
        """A float, or nested lists of floats."""
        return self._data if type(self._data) is float else self._data.tolist()

    def detach(self) -> Value:
        """A leaf with the same data: what is computed from it owes nothing to this one."""
        return Value(self._data, label=self.label)

    def zero_grad(self) -> None:
        """Forget the gradient: None, as before any backward pass."""
        self._grad = None

    def backward(self, gradient: Any = None) -> None:
        """Add the derivatives of this Value to `.grad` of every leaf it was made from.

        `gradient`: what is owed to this Value itself, of its shape; 1 for a scalar.
        Raises ValueError for a tensor without it, RuntimeError when a leaf's data was
        replaced since; nothing is changed then. Warns where a `.grad` is added to that was
        taken before the data moved.
        """
        if gradient is None:
            if type(self._data) is not float:
                raise ValueError(
                    f"backward: a Value of shape {self.shape} has no single derivative; reduce it "
                    "to a scalar first (sum or mean), or pass gradient= of the same shape"
                )
            gradient = 1.0
        else:
            gradient = as_data(gradient._data if type(gradient) is Value else gradient)
            if shape_of(gradient) != self.shape:
                raise ValueError(
                    f"backward: gradient of shape {shape_of(gradient)}, Value of shape {self.shape}"
                )
        owed = pull_back(self, gradient)
        stale = False
        for leaf, share in owed.items():
            data = leaf._data
            fits = type(share) is type(data) and (type(data) is float or share.shape == data.shape)
            if not fits:
                owed[leaf] = _of_form(share, leaf)
            if leaf.options and leaf.options["stale"] is leaf._grad:
                stale = True
        if stale:  # before any change, because a warning may be made an error
            warnings.warn(_STALE, stacklevel=2)
        for leaf, share in owed.items():
            leaf._grad = share if leaf._grad is None else leaf._grad + share

    def __float__(self) -> float:
        if current_mode().nested:
            raise TypeError(
                "float() of a Value inside a function that is being differentiated would lose its "
                "derivative; use exp, sin, ... of tinygrad_lr, not of math (or .item() on purpose)"
            )
        return self.item()

    def __format__(self, how: str) -> str:
        """The only element, formatted as a float: f"{loss:.4f}"."""
        return format(self.item(), how) if how else repr(self)

    def __bool__(self) -> bool:
        mode = mode_or_none()
        if mode is not None and mode.tracing and self.operation is not None:
            raise TypeError(
                "this function decides by a computed value which way to go, and straight-line "
                "source goes one way only; use where, maximum or clip instead of `if`"
            )
        return bool(self._data)

    def __len__(self) -> int:
        if self.shape == ():
            raise TypeError("a scalar Value has no length")
        return len(self._data)

    def __iter__(self) -> Iterator[Value]:
        return (self[i] for i in range(len(self)))

    def __repr__(self) -> str:
        data = repr(self._data) if self.shape == () else repr(self._data)[len("Array(") : -1]
        label = f", label={self.label!r}" if self.label else ""
        made = f", operation={self.operation.name!r}" if self.operation else ""
        return f"Value({data}{label}{made})"

    # A copy or a pickle is a leaf: the number, not its history.
    def __reduce__(self) -> tuple[Any, ...]:
        return _restore, (self._data, self._grad, self.label)


_STALE = (
    "backward adds to a gradient that was taken before the parameter moved; call zero_grad() "
    "once a step, before backward"
)


def _of_form(share: Any, leaf: Value) -> Data:
    """A gradient in the shape of the data; a rule may give one number for all elements."""
    data: Data = as_data(share)
    if shape_of(data) == leaf.shape:
        return data
    if isinstance(data, Array):
        raise ValueError(
            f"a rule gives a gradient of shape {data.shape} for {leaf!r}, whose shape is "
            f"{leaf.shape}"
        )
    return broadcast_to(data, leaf.shape)


def _restore(data: Data, grad: Data | None, label: str) -> Value:
    value = Value(data, label=label)
    value._grad = grad
    return value


# ---- the birth of a node ---------------------------------------------------------------


def record(
    operation: Operation, data: Data, x: Any, y: Any = None, options: dict[str, Any] = NO_OPTIONS
) -> Value:
    """The Value that an operation made of x, of x and y, or of all that is in the tuple x.

    Every node of every graph is born here.
    """
    mode = mode_or_none()
    if mode is not None and not (mode.recording or mode.anomaly):
        return Value(data)
    if type(data) is not float and type(data) is not Array:  # of a user's function
        data = as_data(data)
    value = _new(Value)
    value._data = data
    value._grad = None
    value.label = ""
    value.operation = operation
    value._x = x
    value._y = y
    value.options = options
    value.born = _next_birth()
    if mode is not None and mode.anomaly:
        check_finite(data, f"the output of {operation.name}", value.inputs)
        return value if mode.recording else Value(data)
    return value


_new = object.__new__


# ---- the backward walk -----------------------------------------------------------------


def pull_back(
    output: Value, gradient: Any, stop: Iterable[Value] = (), graph: bool = False
) -> dict[Value, Any]:
    """What each leaf is owed, and each Value of `stop`, where the walk goes no further.

    `gradient`: what the output itself is owed. With `graph` the rules are given Values instead
    of numbers, so that the gradients are Values too and can be differentiated again. It is the
    same rules, read twice. Raises RuntimeError where a leaf's data was replaced after it had
    been used.
    """
    mode = mode_or_none()
    anomaly = mode is not None and mode.anomaly
    ends = set(stop) if stop else ()
    oldest = min([x.born for x in ends]) if ends else -1  # what is older leads to none of them
    if output.operation is None or output in ends:
        return {output: gradient}
    node, g = output, gradient
    owed: dict[Value, Any] = {}
    debtors: list[tuple[int, Value]] = []  # a heap: the youngest is at its top, and pays next
    while True:
        paid = shares(node, g, True) if graph else node.operation.shares(node, g)
        if anomaly:
            _check_shares(node, paid)
        for x, share in paid:
            if x.born > node.born:
                raise replaced(x, node.operation)
            if x in owed:
                owed[x] = owed[x] + share
            elif x.born >= oldest:
                owed[x] = share
                if x.operation is not None and x not in ends:
                    heappush(debtors, (-x.born, x))
        if not debtors:
            return owed
        _, node = heappop(debtors)
        g = owed.pop(node)


def replaced(x: Value, operation: Any) -> RuntimeError:
    """The error where a leaf is younger than what was computed from it."""
    return RuntimeError(
        f"data of {x!r} was replaced after {operation.name} had used it; "
        "call backward before the optimizer's step, or compute the loss again (a running total "
        "of losses adds loss.item(), which keeps no graph)"
    )


def shares(node: Value, g: Any, graph: bool = False) -> list[tuple[Value, Any]]:
    """What a node that is owed g pays to each of its inputs: local derivative times g."""
    operation, inputs, options = node.operation, node.inputs, node.options
    arguments: tuple[Any, ...]
    if graph:
        arguments = (g, node, *inputs)
        options = operation.options_on_graph(inputs, options)
    else:
        arguments = (g, node._data, *[x._data if type(x) is Value else x for x in inputs])
    if operation.variadic:
        (rule,) = operation.variadic
        amounts = rule(*arguments, **options) if rule is not None else []
        return [(x, share) for x, share in zip(inputs, amounts) if type(x) is Value]
    paid = []
    for x, rule in zip(inputs, operation.rules):
        if type(x) is Value:
            if rule is not None:
                paid.append((x, rule(*arguments, **options)))
            elif x.born > node.born:  # who is paid is looked at by the walk
                raise replaced(x, operation)
    return paid


# Most nodes have one or two inputs, each with a rule, and no options. Then numbers are paid
# without loops: the same, in a third of the time (`Operation` says who may).


def shares_of_one(node: Value, g: Any) -> list[tuple[Value, Any]]:
    """`shares` where an operation takes one argument."""
    x, (rule,) = node._x, node.operation.rules
    return [(x, rule(g, node._data, x._data))]


def shares_of_two(node: Value, g: Any) -> list[tuple[Value, Any]]:
    """`shares` where an operation takes two arguments."""
    x, y = node._x, node._y
    rule_x, rule_y = node.operation.rules
    if type(y) is not Value:
        return [(x, rule_x(g, node._data, x._data, y))]
    if type(x) is not Value:
        return [(y, rule_y(g, node._data, x, y._data))]
    out, a, b = node._data, x._data, y._data
    return [(x, rule_x(g, out, a, b)), (y, rule_y(g, out, a, b))]


def _check_shares(node: Value, paid: list[tuple[Value, Any]]) -> None:
    name = node.operation.name
    label = f" labelled {node.label!r}" if node.label else ""
    for _, share in paid:
        data = share._data if type(share) is Value else share
        check_finite(data, f"the gradient of {name}{label}", node.inputs)
