"""What operations are to a type checker: a Value of Values, numbers of numbers.

    exp(1.0)               float
    exp(Value(1.0))        Value
    exp([1.0, 2.0])        Array

Editors complete from these, and `mypy` reads them. They do nothing at run time.
"""

# mypy: disable-error-code="overload-overlap"
# A Sequence[Any] may hold Values, so it fits several signatures; the first that fits is meant.

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias, overload

from .array import Array, Data

if TYPE_CHECKING:
    from .operation import Operation
    from .value import Value

__all__ = [
    "ArrayLike", "Binary", "DataLike", "Lift", "Nested", "Ternary", "Unary", "Whole", "composition",
]  # fmt: skip


class HasArray(Protocol):
    """Arrays of numpy and PyTorch, tables and columns of pandas and polars."""

    # `as_data` calls their .tolist() or .to_numpy(). A Value has .tolist() too, but is not data.
    def __array__(self) -> Any:
        """An array of numpy."""


Nested: TypeAlias = Array | Sequence[Any]
"""Numbers in a shape."""
DataLike: TypeAlias = float | Nested | HasArray
"""What can be made into data: a number, nested lists of numbers, arrays of other libraries."""
ArrayLike: TypeAlias = "Value | DataLike"
"""What operations take."""


class Unary(Protocol):
    """An elementwise operation of one argument."""

    operation: Operation

    @overload
    def __call__(self, x: Value, /) -> Value: ...
    @overload
    def __call__(self, x: float, /) -> float: ...
    @overload
    def __call__(self, x: Nested, /) -> Array: ...
    @overload
    def __call__(self, x: HasArray, /) -> Data: ...


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
    def __call__(self, x: Nested, y: DataLike, /) -> Array: ...
    @overload
    def __call__(self, x: DataLike, y: Nested, /) -> Array: ...
    @overload
    def __call__(self, x: DataLike, y: DataLike, /) -> Data: ...


class Ternary(Protocol):
    """An elementwise operation of three arguments or more."""

    operation: Operation

    @overload
    def __call__(self, x: Value, /, *ys: ArrayLike, **named: ArrayLike) -> Value: ...
    @overload
    def __call__(self, x: ArrayLike, y: Value, /, *zs: ArrayLike, **named: ArrayLike) -> Value: ...
    @overload
    def __call__(self, x: ArrayLike, y: ArrayLike, z: Value, /, *more: ArrayLike) -> Value: ...
    @overload
    def __call__(self, x: float, y: float, z: float, /, *more: float) -> float: ...
    @overload
    def __call__(self, x: Nested, y: DataLike, z: DataLike, /, *more: DataLike) -> Array: ...
    @overload
    def __call__(self, x: DataLike, y: DataLike, z: DataLike, /, *more: DataLike) -> Data: ...
    @overload
    def __call__(self, /, *xs: ArrayLike, **named: ArrayLike) -> Any: ...


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


class Composition(Protocol):
    """A function of whole Arrays, with options: any argument may be a Value."""

    @overload
    def __call__(self, x: Value, /, *others: Any, **options: Any) -> Value: ...
    @overload
    def __call__(self, x: ArrayLike, y: Value, /, *others: Any, **options: Any) -> Value: ...
    @overload
    def __call__(
        self, x: ArrayLike, y: ArrayLike, z: Value, /, *others: Any, **options: Any
    ) -> Value: ...
    @overload
    def __call__(self, x: DataLike, /, *others: Any, **options: Any) -> Data: ...
    @overload
    def __call__(self, /, **named: Any) -> Any: ...


class Whole(Composition, Protocol):
    """An operation on whole Arrays, with options."""

    operation: Operation


def composition(function: Callable[..., Any]) -> Composition:
    """Decorator of a function composed of operations, for type checkers alone."""
    return function
