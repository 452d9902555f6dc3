"""What generated source needs besides its own lines: imports, and helpers above the function.

    a function or constant of math       import math            math.exp
    a function of array                  from ... import        sumprod
    a function of numerics               for single numbers     math.exp, or a copy of its text
                                         for tensors            sigmoid = numerics.sigmoid
    any other function of Python         a copy of its text

For single numbers the functions of `math` are used. They differ from those of `numerics` only
where a limit is in reach: `numerics.exp(1000)` is inf, `math.exp(1000)` raises OverflowError.
Source for tensors uses `numerics`, because training may reach limits.

>>> from tinygrad_lr.core import numerics
>>> needs = References(of_numbers=True, limits=False)
>>> needs.refer(numerics.exp), needs.refer(numerics.log_sigmoid), needs.refer(0.5)
('math.exp', 'log_sigmoid', '0.5')
>>> list(needs.helpers), needs.imports
(['softplus', 'log_sigmoid'], {'math'})

How operations are written around these names is in `writing`.
"""

from __future__ import annotations

import builtins
import inspect
import keyword
import math
from collections.abc import Callable
from typing import Any

from ...core import array, numerics
from ...core.operation import OPERATIONS
from .bodies import body_of
from .syntax import Unique, literal

__all__ = ["AGAIN", "EXACTLY", "References"]

AGAIN, EXACTLY = "_again_", "_exactly_"  # names that a guarded function expects to find
TAKEN = {*vars(builtins), *keyword.kwlist, "math", AGAIN, EXACTLY}
OF_MATH = {id(thing): f"math.{name}" for name, thing in vars(math).items()}


class References:
    """Gives names to functions and constants, and notes which imports and helpers they need.

    of_numbers   whether the source is of single numbers, and imports `math` alone
    limits       whether a limit (inf, NaN) is the answer where `math` raises
    unique       gives names that nothing else in the source has
    imports      "math", "OPERATIONS", and names from `core.array`
    helpers      definitions by name, each after those that it needs
    """

    def __init__(self, of_numbers: bool, limits: bool) -> None:
        self.of_numbers = of_numbers
        self.limits = limits
        of_tensors = set() if of_numbers else {*array.__all__, "numerics", "OPERATIONS"}
        self.unique = Unique(TAKEN | of_tensors)
        self.imports: set[str] = set()
        self.helpers: dict[str, str] = {}
        self._helper_names: dict[Callable[..., Any], str] = {}

    def refer(self, thing: Any) -> str:
        """How a function or a number is written. Raises ValueError for anything else."""
        if id(thing) in OF_MATH:
            self.imports.add("math")
            return OF_MATH[id(thing)]
        if isinstance(thing, (int, float)):
            return literal(thing)
        name = getattr(thing, "__name__", "")
        if getattr(builtins, name, None) is thing:
            return name
        module = inspect.getmodule(thing)
        if module is array and not self.of_numbers:
            return self.imported(name)
        if module is numerics and not self.limits and hasattr(math, name):
            return self.refer(getattr(math, name))
        if module is numerics and not self.of_numbers:
            return self._helper(thing, f"{self.imported('numerics')}.{name}")
        if hasattr(thing, "operation"):
            thing = thing.operation.function
        if not inspect.isfunction(thing):
            raise ValueError(
                f"source cannot say what {thing!r} is: it is no number and no function"
            )
        operation = OPERATIONS.get(name)
        if operation and operation.function is thing and operation.residuals and not self.limits:
            return self._helper(thing, f'{self.imported("OPERATIONS")}["{name}"].function')
        return self._helper(thing)

    def imported(self, name: str) -> str:
        """A name that the source imports."""
        self.imports.add(name)
        return name

    def _helper(self, function: Callable[..., Any], alias: str = "") -> str:
        """The name of a function that is defined, or has an alias, above the lines."""
        if function not in self._helper_names:
            self._helper_names[function] = name = self.unique(function.__name__)
            text = f"{name} = {alias}" if alias else body_of(function).definition(name, self.refer)
            self.helpers[name] = text
        return self._helper_names[function]
