"""What operations are to a type checker: a Value of Values, numbers of numbers.

    exp(1.0)               float
    exp(Value(1.0))        Value
    exp([1.0, 2.0])        Array

Editors complete from these, and `mypy` reads them. They do nothing at run time.
"""

# mypy: disable-error-code="overload-overlap"
# A Value has tolist() too, so it fits several signatures; the first that fits is meant.

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias, overload

from .array import Array, Data

if TYPE_CHECKING:
    from .operation import Operation
    from .value import Value

__all__ = ["ArrayLike", "Binary", "Lift", "Ternary", "Unary", "Whole"]


class HasToList(Protocol):
    """Arrays of numpy, Series of pandas and others."""

    def tolist(self) -> Any:
        """Nested lists of numbers."""


ArrayLike: TypeAlias = "Value | Array | float | Sequence[Any] | HasToList"
"""What operations take: a number, nested lists of numbers, or what can be made into them."""


class Unary(Protocol):
    """An elementwise operation of one argument."""

    operation: Operation

    @overload
    def __call__(self, x: Value, /) -> Value: ...
    @overload
    def __call__(self, x: float, /) -> float: ...
    @overload
    def __call__(self, x: Array | Sequence[Any], /) -> Array: ...
    @overload
    def __call__(self, x: HasToList, /) -> Data: ...


class Binary(Protocol):
    """An elementwise operation of two arguments."""

    operation: Operation

    @overload
    def __call__(self, x: Value, y: ArrayLike, /) -> Value: ...
    @overload
    def __call__(self, x: ArrayLike, y: Value, /) -> Value: ...
    @overload
    def __call__(self, x: float, y: float, /) -> float: ...
    @overload
    def __call__(self, x: ArrayLike, y: ArrayLike, /) -> Data: ...


class Ternary(Protocol):
    """An elementwise operation of three arguments or more."""

    operation: Operation

    @overload
    def __call__(self, x: Value, y: ArrayLike, z: ArrayLike, *more: ArrayLike) -> Value: ...
    @overload
    def __call__(self, x: ArrayLike, y: Value, z: ArrayLike, *more: ArrayLike) -> Value: ...
    @overload
    def __call__(self, x: ArrayLike, y: ArrayLike, z: Value, *more: ArrayLike) -> Value: ...
    @overload
    def __call__(self, x: float, y: float, z: float, *more: float) -> float: ...
    @overload
    def __call__(self, *xs: ArrayLike, **named: ArrayLike) -> Any: ...


class Lift(Protocol):
    """What `@elementwise(...)` makes of a function of floats."""

    @overload
    def __call__(self, function: Callable[[float], float], /) -> Unary: ...
    @overload
    def __call__(self, function: Callable[[float, float], float], /) -> Binary: ...
    @overload
    def __call__(self, function: Callable[[float, float, float], float], /) -> Ternary: ...
    @overload
    def __call__(self, function: Callable[..., float], /) -> Ternary: ...


class Whole(Protocol):
    """An operation on whole Arrays, with options."""

    operation: Operation

    @overload
    def __call__(self, x: Value, *others: Any, **options: Any) -> Value: ...
    @overload
    def __call__(self, x: ArrayLike, y: Value, *others: Any, **options: Any) -> Value: ...
    @overload
    def __call__(self, *xs: Any, **options: Any) -> Data: ...
