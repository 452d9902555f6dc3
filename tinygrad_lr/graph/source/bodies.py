"""What an operation computes, read from the text of its own function, and what that text needs.

    @elementwise(...)                          where(c, 0.5, x)  is  0.5 if c else x
    def where(condition, x, y):
        '''x where the condition holds (is not 0), else y.'''
        return x if condition else y

So generated source needs no table of how each operation is written in Python. A new operation
is written like a built-in one: other text stands in the place of the names.

>>> from tinygrad_lr.core.operation import OPERATIONS
>>> body = body_of(OPERATIONS["where"].function)
>>> body.expression
'x if condition else y'
>>> body.rewritten(body.expression, {"condition": "a < b", "x": "0.5"}, refer=str)
'(0.5) if (a < b) else y'

A name from outside becomes a reference, which may need an import or a helper:

    a function or constant of math       import math            math.exp
    a function of array                  from ... import        sumprod
    a function of numerics               for single numbers     math.exp, or a copy of its text
                                         for tensors            sigmoid = numerics.sigmoid
    any other function of Python         a copy of its text

The functions of `math` differ from those of `numerics` only where a limit is in reach:
`numerics.exp(1000)` is inf, `math.exp(1000)` raises OverflowError. Source for tensors uses
`numerics`, because training may reach limits.

>>> needs = References(of_numbers=True, limits=False)
>>> needs.refer(numerics.exp), needs.refer(numerics.log_sigmoid), needs.refer(0.5)
('math.exp', 'log_sigmoid', '0.5')
>>> list(needs.helpers), needs.imports
(['softplus', 'log_sigmoid'], {'math'})

Which operands stand for the arguments is decided in `writing`.
"""

from __future__ import annotations

import ast
import builtins
import inspect
import keyword
import math
import re
import textwrap
from collections import ChainMap, Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from itertools import accumulate
from types import CodeType, ModuleType
from typing import Any

from ...core import array, numerics
from ...core.operation import OPERATIONS
from .syntax import Unique, literal

__all__ = ["AGAIN", "EXACTLY", "Body", "References", "body_of"]

AGAIN, EXACTLY = "_again_", "_exactly_"  # names that a guarded function expects to find
TAKEN = {*vars(builtins), *keyword.kwlist, "math", AGAIN, EXACTLY}
OF_MATH = {id(thing): f"math.{name}" for name, thing in vars(math).items()}


@dataclass(frozen=True)
class Body:
    """A function as text.

    text         its definition as it stands in the file, without decorators
    expression   what it returns, if it does nothing else and uses each argument at most once, so
                 that anything may be written in the place of an argument; else ""
    scope        what names from outside stand for
    own_names    the names that it defines: arguments and local variables
    """

    text: str
    expression: str
    scope: Mapping[str, Any]
    own_names: set[str]

    def rewritten(self, text: str, operands: Mapping[str, str], refer: Callable[[Any], str]) -> str:
        """The text with operands for arguments; `refer` writes what names from outside mean."""
        new: dict[Any, str] = {}
        nodes: list[ast.AST] = [ast.parse(text)]
        for node in nodes:  # grows as it is read
            if isinstance(node, ast.Name) and node.id in operands:
                new[node] = f"({operands[node.id]})"
            elif (thing := self._meaning(node)) is not None:
                new[node] = refer(thing)
            else:
                types = getattr(node, "annotation", None), getattr(node, "returns", None)
                new |= {x: f'"{ast.unparse(x)}"' for x in types if x and not _is_plain(x)}
                nodes.extend(child for child in ast.iter_child_nodes(node) if child not in new)
        data = text.encode()  # because `ast` counts columns in bytes
        starts = [0, *accumulate(map(len, data.splitlines(keepends=True)))]
        for node in sorted(new, key=lambda node: (node.lineno, node.col_offset), reverse=True):
            first = starts[node.lineno - 1] + node.col_offset
            last = starts[node.end_lineno - 1] + node.end_col_offset
            data = data[:first] + new[node].encode() + data[last:]
        return data.decode()

    def definition(self, name: str, refer: Callable[[Any], str]) -> str:
        """The whole function, under this name."""
        return re.sub(r"def \w+", f"def {name}", self.rewritten(self.text, {}, refer), count=1)

    def _meaning(self, node: ast.AST) -> Any:
        """What a name from outside stands for, or an attribute of a module; else None."""
        match node:
            case ast.Name(name) if name not in self.own_names:
                return self.scope.get(name)  # a name that nothing defines stays
            case ast.Attribute(value, name):
                module = self._meaning(value)
                return getattr(module, name) if isinstance(module, ModuleType) else None
        return None


@cache
def body_of(function: Callable[..., Any]) -> Body:
    """The body of a function of Python. Raises ValueError where its text cannot be found."""
    try:
        text = textwrap.dedent(inspect.getsource(function))
    except (OSError, TypeError):
        raise ValueError(
            f"source is made of the text of {function.__qualname__}, which Python cannot find; "
            "define it in a file"
        ) from None
    definition = ast.parse(text).body[0]
    if not isinstance(definition, ast.FunctionDef):
        raise ValueError(f"{function.__qualname__} is no function written with def")
    expression = ""
    match definition.body:
        case [*docstring, ast.Return(ast.expr() as returned)] if len(docstring) < 2:
            uses = Counter(n.id for n in ast.walk(returned) if isinstance(n, ast.Name))
            if all(uses[argument.arg] < 2 for argument in definition.args.args):
                expression = ast.unparse(returned)
    lines = [re.sub("  # type: ignore.*", "", line) for line in text.splitlines()]
    closure = dict(inspect.getclosurevars(function).nonlocals)
    scope = ChainMap(closure, function.__globals__, vars(builtins))
    return Body(
        "\n".join(lines[definition.lineno - 1 :]), expression, scope, _own_names(function.__code__)
    )


def _own_names(code: CodeType) -> set[str]:
    """What Python itself found to be local, whatever statement makes it; inner functions too."""
    inner = [constant for constant in code.co_consts if isinstance(constant, CodeType)]
    return {*code.co_varnames, *code.co_cellvars}.union(*map(_own_names, inner))


def _is_plain(annotation: ast.expr) -> bool:
    """Does it mean the same in every module? Other annotations are written in quotes."""
    return isinstance(annotation, ast.Constant) or getattr(annotation, "id", "") in vars(builtins)


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
