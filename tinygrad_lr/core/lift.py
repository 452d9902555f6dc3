"""How a function of numbers becomes an operation: `@elementwise` and `@operation`.

    @elementwise(x=lambda g, out, x: g / (1 + x * x), samples=[(0.3,), (-2.0,)])
    def arctan(x):
        '''Angle whose tangent is x.'''
        return math.atan(x)

The function below the decorator computes one number of one number. What comes out is `arctan`
of floats, of Arrays and nested lists (element by element), and of Values, which remember. That
is called *lifting* a function. The rule of each argument stands in the decorator, keyed by the
name of the argument (see `operation`).

Where shapes differ they are *broadcast*. That is an operation too: a Value is stretched by
`broadcast_to`, whose rule is `sum_to`, whose rule is `broadcast_to`. So all other rules are of
equal shapes and stay pure calculus.

>>> square = elementwise(x=lambda g, out, x: g * 2 * x)(lambda x: x * x)
Traceback (most recent call last):
ValueError: an operation needs a name: use def, not lambda
"""

# mypy: disable-error-code="has-type"
# A rule may name a function that is defined below it.

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from functools import wraps
from typing import Any

from . import array
from .array import Array, Data, as_data
from .operation import OPERATIONS, Operation, Rule
from .shapes import Shape, broadcast_shape
from .typed import Lift, Whole
from .value import Value, record

__all__ = ["broadcast_to", "data_of", "elementwise", "operation", "shape", "sum_to"]


def data_of(x: Any) -> Data:
    """The float or Array behind a Value; anything else is converted to one."""
    data: Data = x.data if type(x) is Value else as_data(x)
    return data


def shape(x: Any) -> Shape:
    """The shape of a Value, an Array, a float, or of nested lists."""
    data = x._data if type(x) is Value else as_data(x)
    return data.shape if type(data) is Array else ()


# ---- functions of single numbers ---------------------------------------------------------------


def elementwise(
    *,
    samples: Sequence[tuple[Any, ...]] = (),
    symbol: str | None = None,
    same_as: Callable[..., Any] | None = None,
    **rules: Rule,
) -> Lift:
    """Decorator: a function of floats becomes an operation on floats, Arrays and Values.

    `samples`: argument tuples on which the tests check it. `symbol`: how it is drawn.
    `same_as`: the composition that a fused operation must equal. `rules`: one an argument.
    """

    def decorate(function: Callable[..., float]) -> Any:
        op = Operation(
            function, rules, is_elementwise=True, samples=samples, symbol=symbol, same_as=same_as
        )
        call_of = {1: call_of_one, 2: call_of_two}.get(len(op.arguments), call_of_any)
        return publish(op, call_of(op))

    return decorate


def call_of_one(op: Operation) -> Callable[..., Any]:
    """The call path of an elementwise operation of x."""

    def call(x: Any, /) -> Any:
        out = array.elementwise(op.function, data_of(x))
        return record(op, out, x) if type(x) is Value else out

    return call


def call_of_two(op: Operation) -> Callable[..., Any]:
    """The call path of an elementwise operation of x and y. Constants become floats or Arrays."""
    f = op.function

    def call(x: Any, y: Any, /) -> Any:
        if type(x) is Value:
            a = x._data
        else:
            x = a = as_data(x)
        if type(y) is Value:
            b = y._data
        else:
            y = b = as_data(y)
        if type(a) is float and type(b) is float:
            out = f(a, b)
        else:
            x, y = broadcast(op, x, y)
            out = array.elementwise(f, data_of(x), data_of(y))
        return record(op, out, x, y) if type(x) is Value or type(y) is Value else out

    return call


def call_of_any(op: Operation) -> Callable[..., Any]:
    """The same for more arguments."""

    def call(*xs: Any, **named: Any) -> Any:
        xs, _ = op.bound(xs, named)
        xs = broadcast(op, *[x if type(x) is Value else as_data(x) for x in xs])
        out = array.elementwise(op.function, *map(data_of, xs))
        return record(op, out, xs) if Value in map(type, xs) else out

    return call


def broadcast(op: Operation, *xs: Any) -> tuple[Any, ...]:
    """The arguments; each Value of another shape is stretched by a recorded operation."""
    shapes = [shape(x) for x in xs]
    if shapes.count(shapes[0]) == len(xs):
        return xs
    try:
        full = broadcast_shape(*shapes)
    except ValueError as error:
        raise ValueError(f"{op.name}: {error}") from None
    return tuple([
        broadcast_to(x, shape=full) if type(x) is Value and old != full else x
        for x, old in zip(xs, shapes)
    ])  # fmt: skip


# ---- functions of whole Arrays -------------------------------------------------------------------


def operation(
    *,
    samples: Sequence[tuple[Any, ...]] = (),
    symbol: str | None = None,
    same_as: Callable[..., Any] | None = None,
    residuals: Callable[..., Any] | None = None,
    **rules: Rule,
) -> Callable[[Callable[..., Any]], Whole]:
    """Decorator: a function of floats and Arrays becomes an operation on Values too.

    Keyword-only parameters are options. Callers may also give them by position, after the
    arguments; rules receive all of them by name. The rule of a starred argument (`*arrays`)
    returns a sequence, one cotangent for each.

    With `residuals` the function returns a pair: its output, and what it computed on the way
    that the rules would have to compute again. They receive it as `residuals`.
    """

    def decorate(function: Callable[..., Any]) -> Any:
        op = Operation(
            function, rules, is_elementwise=False, samples=samples, symbol=symbol,
            same_as=same_as, residuals=residuals,
        )  # fmt: skip
        return publish(op, call_of_whole(op))

    return decorate


def call_of_whole(op: Operation) -> Callable[..., Any]:
    """The call path of every operation on whole Arrays."""

    def call(*xs: Any, **options: Any) -> Any:
        xs, options = op.bound(xs, options)
        options = copied(options)
        xs = tuple([x if type(x) is Value else as_data(x) for x in xs])
        out = op.function(*map(data_of, xs), **options)
        if op.residuals is not None:
            out, options["residuals"] = out
        return record(op, out, xs, options) if Value in map(type, xs) else out

    return call


def copied(options: dict[str, Any]) -> dict[str, Any]:
    """The options; of lists among them a copy, so that the caller may change them afterwards."""
    if list in map(type, options.values()):
        return {k: v[:] if type(v) is list else v for k, v in options.items()}
    return options


def publish(op: Operation, call: Any) -> Any:
    """Register an operation; `call` becomes the function that users call."""
    public: Any = wraps(op.function)(call)
    op.public = public
    public.operation = op
    public.__signature__ = signature(op)
    OPERATIONS[op.name] = op
    return public


def signature(op: Operation) -> inspect.Signature:
    """That of the function; a call with one or two arguments is the faster for not naming them."""
    full = inspect.signature(op.function)
    if op.is_variadic or len(op.arguments) > (2 if op.is_elementwise else 1) or op.residuals:
        return full
    return full.replace(parameters=[
        p if p.kind is p.KEYWORD_ONLY else p.replace(kind=p.POSITIONAL_ONLY)
        for p in full.parameters.values()
    ])  # fmt: skip


# ---- the two operations that lifting itself needs ------------------------------------------------


@operation(
    x=lambda g, out, x, **_: sum_to(g, shape=shape(x)),
    samples=[(2.0, {"shape": (3,)}), ([[1.0], [2.0]], {"shape": (2, 2, 3)})],
)
def broadcast_to(x: Data, *, shape: Shape) -> Data:
    """x repeated along its new axes and its axes of size 1, so that it has this shape."""
    return array.broadcast_to(x, tuple(shape))


@operation(
    x=lambda g, out, x, **_: broadcast_to(g, shape=shape(x)),
    samples=[([1.0, 2.0], {"shape": ()}), ([[1.0, 2.0], [3.0, 4.0]], {"shape": (2, 1)})],
)
def sum_to(x: Data, *, shape: Shape) -> Data:
    """The sum over the axes that broadcasting from this shape to x's would stretch."""
    return array.sum_to(x, tuple(shape))
