"""What a Value looks like to Python: a number, a sequence, a text.

    float(v), f"{v:.3f}", bool(v)      of a scalar
    len(v), for x in v, v.shape        of a tensor
    repr(v)                            its data, its label and the operation that made it

No gradient is here (`value`, `backward`), and no arithmetic (`ops.methods`).
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from .array import Tracked, shape_of
from .modes import current_mode
from .shapes import Shape

if TYPE_CHECKING:
    from ..ops.methods import Methods
    from .value import Value
else:
    Methods = Tracked

__all__ = ["Facade"]


class Facade(Methods):
    """The part of `Value` that reads its data and changes nothing."""

    __slots__ = ()
    __array_ufunc__ = None  # numpy leaves `ndarray * Value` to us

    _data: Any
    label: str
    operation: Any

    @property
    def shape(self) -> Shape:
        """The size of each axis; () for a scalar."""
        return shape_of(self._data)

    @property
    def ndim(self) -> int:
        """How many axes."""
        return len(self.shape)

    @property
    def size(self) -> int:
        """How many elements."""
        return math.prod(self.shape)

    def item(self) -> float:
        """The only element, as a float. Raises ValueError if there are more."""
        return self._data if type(self._data) is float else self._data.item()

    def tolist(self) -> Any:
        """A float, or nested lists of floats."""
        return self._data if type(self._data) is float else self._data.tolist()

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
        if current_mode().tracing and self.operation is not None:
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
