"""What an operation computes, read from the text of its own function.

    @elementwise(...)                          maximum(x, y)  is  x if x >= y or x != x else y
    def maximum(x, y):                         of the names   x, y
        '''The larger of the two.'''
        return x if x >= y or x != x else y

So generated source needs no table that says how each operation is written in Python: a new
operation is written like a built-in one.

>>> from tinygrad_lr.core.operation import OPERATIONS
>>> ast.unparse(body_of(OPERATIONS["where"].function).expression)
'x if condition else y'

Putting the body to use is the business of `writing`.
"""

from __future__ import annotations

import ast
import builtins
import inspect
import textwrap
from collections import ChainMap, Counter
from collections.abc import Callable, Mapping
from copy import deepcopy
from dataclasses import dataclass
from functools import cache
from types import CodeType, ModuleType
from typing import Any

__all__ = ["Body", "body_of"]


@dataclass(frozen=True)
class Body:
    """A function as syntax.

    definition   the whole function, without decorators
    text         its lines, as they stand in the file
    statements   what it does, without the docstring
    expression   what it returns, where that is all it does; else None
    is_linear    each argument stands in the expression at most once, so that anything may
                 be written in its place
    scope        what the names that it does not define itself stand for
    own_names    those that it does define: arguments and local variables
    """

    definition: ast.FunctionDef
    text: str
    statements: list[ast.stmt]
    expression: ast.expr | None
    is_linear: bool
    scope: Mapping[str, Any]
    own_names: set[str]

    @property
    def arguments(self) -> list[str]:
        """The names of its arguments, without options."""
        return [argument.arg for argument in self.definition.args.args]

    def meaning(self, node: ast.expr) -> Any:
        """What a name from outside stands for, or an attribute of a module; else None."""
        if isinstance(node, ast.Name) and node.id not in self.own_names:
            return self.scope.get(node.id)  # a name that nothing defines stays
        if isinstance(node, ast.Attribute):
            module = self.meaning(node.value)
            return getattr(module, node.attr) if isinstance(module, ModuleType) else None
        return None

    @property
    def is_plain(self) -> bool:
        """Do its annotations name nothing but what Python has?"""
        nodes = list(ast.walk(ast.parse(self.text)))
        told = [n.annotation for n in nodes if isinstance(n, ast.arg)]
        told += [n.returns for n in nodes if isinstance(n, ast.FunctionDef)]
        named = {n.id for a in told if a for n in ast.walk(a) if isinstance(n, ast.Name)}
        return named <= set(vars(builtins))

    def without_annotations(self) -> ast.FunctionDef:
        """A copy of the definition that says nothing of types."""
        plain = deepcopy(self.definition)
        for node in ast.walk(plain):
            if isinstance(node, ast.arg):
                node.annotation = None
            elif isinstance(node, ast.FunctionDef):
                node.returns = None
        return plain


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
    text = "\n".join(text.splitlines()[definition.lineno - 1 :])
    definition.decorator_list = []
    statements = [s for s in definition.body if not _is_docstring(s)]
    expression = None
    if len(statements) == 1 and isinstance(statements[0], ast.Return):
        expression = statements[0].value
    return Body(
        definition,
        text,
        statements,
        expression,
        expression is not None and _is_linear(definition, expression),
        ChainMap(
            dict(inspect.getclosurevars(function).nonlocals), function.__globals__, vars(builtins)
        ),
        _own_names(function.__code__),
    )


def _own_names(code: CodeType) -> set[str]:
    """What Python itself found to be local, whatever statement makes it; inner functions too."""
    inner = [constant for constant in code.co_consts if isinstance(constant, CodeType)]
    return {*code.co_varnames, *code.co_cellvars}.union(*map(_own_names, inner))


def _is_docstring(statement: ast.stmt) -> bool:
    return isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)


def _is_linear(definition: ast.FunctionDef, expression: ast.expr) -> bool:
    uses = Counter(node.id for node in ast.walk(expression) if isinstance(node, ast.Name))
    return all(uses[argument.arg] <= 1 for argument in definition.args.args)
