"""Functions that differentiate functions: grad, jacobian, hessian.

    grad(f)                       x -> the gradient of f at x
    grad(grad(f))                 the second derivative of a function of one number
    jacobian(f)                   x -> all d f_i / d x_j
    hessian(f)                    x -> all d2 f / dx_i dx_j; the jacobian of the gradient
    hessian_vector_product(f)     x, v -> hessian times v, at the price of about three gradients

>>> cube = lambda x: x ** 3
>>> grad(cube)(2.0), grad(grad(cube))(2.0), grad(grad(grad(cube)))(2.0)
(12.0, 12.0, 6.0)
>>> hessian(lambda x: x[0] ** 2 * x[1])([1.0, 2.0])
Array([[4.0, 2.0], [2.0, 0.0]])

Given plain numbers they return plain numbers, given Values they return Values, which can
be differentiated again. There are no rules here: a transform calls f on fresh Values, does the
backward pass from the result (`core.backward`; `jacobian` does one for each element of it), and
returns the cotangents of those Values.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import wraps
from typing import Any, Protocol, SupportsIndex, overload

from .core.array import Array, Data, as_data, from_flat, shape_of
from .core.lift import broadcast_to, data_of, shape
from .core.modes import current_mode, mode
from .core.shapes import whole_numbers
from .core.backward import backward_pass
from .core.typed import ArrayLike, DataLike, Nested
from .core.value import Value
from .ops.elementwise import identity
from .ops.tensors import reshape, stack, sum

__all__ = ["grad", "hessian", "hessian_vector_product", "jacobian", "value_and_grad"]


class Gradient(Protocol):
    """What `grad(f)` gives: numbers of numbers, Values of Values."""

    @overload
    def __call__(self, x: Value, /, *others: Any, **options: Any) -> Value: ...
    @overload
    def __call__(self, x: ArrayLike, y: Value, /, *others: Any, **options: Any) -> Value: ...
    @overload
    def __call__(self, x: float, /, *others: Any, **options: Any) -> float: ...
    @overload
    def __call__(self, x: Nested, /, *others: Any, **options: Any) -> Array: ...
    @overload
    def __call__(self, x: Any, /, *others: Any, **options: Any) -> Any: ...


class ValueAndGradient(Protocol):
    """What `value_and_grad(f)` gives."""

    @overload
    def __call__(self, x: Value, /, *others: Any, **options: Any) -> tuple[Value, Value]: ...
    @overload
    def __call__(
        self, x: ArrayLike, y: Value, /, *others: Any, **options: Any
    ) -> tuple[Value, Value]: ...
    @overload
    def __call__(self, x: float, /, *others: Any, **options: Any) -> tuple[float, float]: ...
    @overload
    def __call__(self, x: Nested, /, *others: Any, **options: Any) -> tuple[float, Array]: ...
    @overload
    def __call__(self, x: Any, /, *others: Any, **options: Any) -> tuple[Any, Any]: ...


@overload
def value_and_grad(f: Callable[..., Any]) -> ValueAndGradient: ...
@overload
def value_and_grad(
    f: Callable[..., Any], argnums: tuple[int, ...]
) -> Callable[..., tuple[Any, tuple[Any, ...]]]: ...
@overload
def value_and_grad(f: Callable[..., Any], argnums: int) -> Callable[..., tuple[Any, Any]]: ...
def value_and_grad(f: Callable[..., Any], argnums: int | tuple[int, ...] = 0) -> Any:
    """x, ... -> (f(x, ...), its gradient with respect to argument `argnums`, of its shape).

    With a tuple of argument numbers, a tuple of gradients. Raises ValueError where f is
    not a scalar.
    """
    places, single = whole_numbers(argnums), isinstance(argnums, SupportsIndex)

    @wraps(f)
    def value_and_gradient(*args: Any, **options: Any) -> tuple[Any, Any]:
        y, variables, graph = _apply(f, places, args, options)
        if shape(y) != ():
            raise ValueError(
                f"grad: the function gave shape {shape(y)}, and only a scalar has a gradient; "
                "reduce it (sum, mean), or use jacobian"
            )
        gradients = tuple(_cotangents(y, 1.0, variables, graph))
        return _plain(y, graph), gradients[0] if single else gradients

    return value_and_gradient


@overload
def grad(f: Callable[..., Any]) -> Gradient: ...
@overload
def grad(f: Callable[..., Any], argnums: tuple[int, ...]) -> Callable[..., tuple[Any, ...]]: ...
@overload
def grad(f: Callable[..., Any], argnums: int) -> Callable[..., Any]: ...
def grad(f: Callable[..., Any], argnums: int | tuple[int, ...] = 0) -> Any:
    """x, ... -> the gradient of f with respect to argument `argnums`, of the shape of it.

    Raises ValueError where f is not a scalar.
    """
    both = value_and_grad(f, argnums)

    @wraps(f)
    def gradient(*args: Any, **options: Any) -> Any:
        return both(*args, **options)[1]

    return gradient


class Jacobian(Protocol):
    """What `jacobian(f)` gives: one number only where x and f(x) are."""

    @overload
    def __call__(self, x: Value, /) -> Value: ...
    @overload
    def __call__(self, x: Nested, /) -> Array: ...
    @overload
    def __call__(self, x: DataLike, /) -> Data: ...


def jacobian(f: Callable[[Any], Any]) -> Jacobian:
    """x -> the derivative of each element of f(x) by each element of x.

    Its shape is the shape of f(x) followed by the shape of x. One backward pass for each
    element of f(x).
    """

    @wraps(f)
    def all_derivatives(x: Any) -> Any:
        y, variables, graph = _apply(f, (0,), (x,), {})
        full = shape(y) + shape(x)
        seeds = [1.0] if shape(y) == () else _unit_arrays(shape(y))
        rows = [row for seed in seeds for row in _cotangents(y, seed, variables, graph)]
        if graph:
            return reshape(stack(rows), full) if rows else Value(from_flat([], full))
        flat = [v for row in rows for v in ([row] if shape_of(row) == () else row.flat)]
        return from_flat(flat, full) if full else flat[0]

    return all_derivatives


def hessian(f: Callable[[Any], Any]) -> Jacobian:
    """x -> the second derivatives of a scalar f: its shape is the shape of x, twice."""
    return jacobian(grad(f))


def hessian_vector_product(f: Callable[[Any], Any]) -> Gradient:
    """x, v -> hessian(f)(x) times v, without the hessian: the gradient of (gradient . v).

    v has the shape of x. (Pearlmutter 1994, Fast exact multiplication by the Hessian.)
    """

    def product(x: Any, v: Any) -> Any:
        if shape(v) != shape(x):
            raise ValueError(f"hessian_vector_product: x has shape {shape(x)}, v {shape(v)}")
        return grad(lambda x, v: sum(grad(f)(x) * v))(x, v)

    return product


def check_places(places: tuple[int, ...], count: int, given: str) -> None:
    """Each place is one of `count` arguments, and another one. `given` says how they came."""
    if not all(-count <= i < count for i in places):
        raise ValueError(f"argnums {places}: no such argument, {count} {given}")
    if len({i % count for i in places}) < len(places):
        raise ValueError(f"argnums {places}: the same argument twice")


def _apply(
    f: Callable[..., Any], places: tuple[int, ...], args: tuple[Any, ...], options: dict[str, Any]
) -> tuple[Any, list[Value], bool]:
    """f of the arguments, fresh Values at these places; and whether to make graphs.

    A Value gets a new node in front of it (`identity`), so that the derivative is by this
    argument alone, even where f uses the same Value on its own. Inside a function that is
    itself being differentiated gradients must be graphs, whatever the arguments are.
    """
    check_places(places, len(args), "were given by position")
    given = [args[i] for i in places]
    graph = current_mode().nested or any(type(x) is Value for x in args)
    with mode(recording=True, nested=True):
        variables = [identity(x) if type(x) is Value else Value(x) for x in given]
        called = list(args)
        for i, variable in zip(places, variables):
            called[i] = variable
        return f(*called, **options), variables, graph


def _cotangents(y: Any, gradient: Any, variables: list[Value], graph: bool) -> list[Any]:
    """The cotangents of the variables where y has this gradient; zeros where y ignores them."""
    cotangents = {}
    if type(y) is Value:
        with mode(recording=True):
            cotangents = backward_pass(y, gradient, wrt=variables, graph=graph)
    found = [cotangents.get(x, 0.0) for x in variables]
    found = [  # a rule may give one number for all elements
        broadcast_to(g, shape=x.shape) if shape(g) == () != x.shape else g
        for x, g in zip(variables, found)
    ]
    return [x if type(x) is Value else Value(x) if graph else as_data(x) for x in found]


def _plain(y: Any, graph: bool) -> Any:
    """y as the caller expects it: a Value among Values, else the number behind it."""
    if graph:
        return y if type(y) is Value else Value(y)
    return data_of(y)


def _unit_arrays(shape: tuple[int, ...]) -> list[Data]:
    """One Array for each position: 1 there and 0 elsewhere."""
    size = math.prod(shape)
    return [from_flat([float(i == j) for j in range(size)], shape) for i in range(size)]
