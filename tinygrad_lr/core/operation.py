"""Operation: a function of numbers, and for each argument the rule of its derivative.

    y = x * x                   function    x -> x * x
    dL/dx = dL/dy * 2x          rule of x   (g, out, x) -> g * 2 * x

`g` is the cotangent of the output: the derivative of the final result, a loss for instance,
with respect to it. A rule turns it into the cotangent of one argument. For a function of many
numbers that is g times a matrix, the Jacobian; but a rule computes the product and never the
matrix. Hence its name in the literature: a *vector-Jacobian product*, vjp.

A rule receives g, the output, and the arguments; then by name the options, and the
`residuals`: what the function computed on the way and the rules would compute again. Rules are
written with operators and public functions only, so that one rule has three readings:

    given numbers   it computes numbers     a plain backward pass
    given Values    it makes Values         a graph of the gradient, for second derivatives
    that graph      listed line by line     Python source, or an explanation (`graph`)

>>> def square(x):
...     return x * x
>>> op = Operation(square, {"x": lambda g, out, x: g * 2 * x}, is_elementwise=True)
>>> op, op.function(3.0), op.rules[0](1.0, 9.0, 3.0)
(<operation square(x)>, 9.0, 6.0)

`OPERATIONS` holds all operations by name. The test suite, the drawings and the documentation
read it, so a new operation is tested, drawn and explained like a built-in one. Nothing here
knows of Values: how an operation is called, on numbers or on Values, is in `lift`.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from typing import Any

__all__ = ["OPERATIONS", "Operation", "Rule"]

Rule = Callable[..., Any]
OPERATIONS: dict[str, Operation] = {}


class Operation:
    """A function of numbers with a rule for each argument.

    function       computes the output from floats and Arrays (elementwise: from floats)
    arguments      their names; a rule is keyed by the name of its argument
    rules          one for each argument; None where it is not differentiable
    options        the names of the keyword-only parameters
    defaults       the values of the options that have one
    symbol         how it is written: "+" stands between its operands, "exp" in front
    samples        argument tuples (a dict at the end holds options) that the tests use
    same_as        for a fused operation: the composition that it must equal
    residuals      for a function that returns (output, residuals): the residuals computed by
                   operations from the same arguments, so that they can be differentiated
    is_elementwise whether it is a function of single numbers, lifted to Arrays
    is_variadic    whether it takes any number of arguments (`*xs`): one rule then returns a
                   sequence, the cotangents of all of them
    public         what users call
    """

    def __init__(
        self,
        function: Callable[..., Any],
        rules: dict[str, Rule],
        *,
        is_elementwise: bool,
        samples: Sequence[tuple[Any, ...]] = (),
        symbol: str | None = None,
        same_as: Callable[..., Any] | None = None,
        residuals: Callable[..., Any] | None = None,
    ) -> None:
        parameters = inspect.signature(function).parameters.values()
        arguments = [p for p in parameters if p.kind is not p.KEYWORD_ONLY]
        options = [p for p in parameters if p.kind is p.KEYWORD_ONLY]
        self.name = function.__name__
        self.function = function
        self.arguments = tuple([p.name for p in arguments])
        self.rules: tuple[Any, ...] = tuple([rules.get(name) for name in self.arguments])
        self.options = tuple([p.name for p in options])
        self.defaults = {p.name: p.default for p in options if p.default is not p.empty}
        self.symbol = symbol or self.name
        self.samples = list(samples)
        self.same_as = same_as
        self.residuals = residuals
        self.is_elementwise = is_elementwise
        self.is_variadic = any(p.kind is p.VAR_POSITIONAL for p in arguments)
        self.is_simple = is_elementwise and len(arguments) <= 2 and None not in self.rules
        self.public: Callable[..., Any] = function
        self._check(rules, [p.name for p in arguments if p.default is not p.empty])

    def _check(self, rules: dict[str, Rule], with_default: list[str]) -> None:
        """Raise at the definition for what would go wrong at a call."""
        name = self.name
        if not name.isidentifier():
            raise ValueError("an operation needs a name: use def, not lambda")
        if self.is_variadic and (self.is_elementwise or len(self.arguments) > 1):
            raise TypeError(
                f"{name}: *arguments stand alone in an @operation, apart from keyword-only options"
            )
        if self.is_elementwise and self.options:
            raise TypeError(
                f"{name}: an option ({self.options[0]}) needs @operation, not @elementwise"
            )
        if with_default:
            raise TypeError(
                f"{name}: the argument {with_default[0]} has a default; "
                "make it an option, keyword-only"
            )
        if unknown := sorted(rules.keys() - set(self.arguments)):
            raise TypeError(
                f"{name}: a rule for {', '.join(unknown)}, which is no argument; "
                f"the arguments are {', '.join(self.arguments)}"
            )

    def __repr__(self) -> str:
        return f"<operation {self.name}({', '.join(self.arguments + self.options)})>"

    def bound(
        self, xs: tuple[Any, ...], options: dict[str, Any]
    ) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """The arguments, and all options, of a call. Each may be given by place or by name.

        Raises TypeError for an argument that is missing, unknown or given twice.
        """
        if self.is_variadic or (len(xs) == len(self.arguments) and not options):
            return xs, self.defaults | options
        names = self.arguments + self.options
        given = dict(zip(names, xs))
        fits = len(xs) <= len(names) and given.keys().isdisjoint(options)
        given |= options
        if not fits or not set(self.arguments) <= given.keys() <= set(names):
            raise TypeError(
                f"{self.name} takes {', '.join(names)}; given were {len(xs)} by position"
                + (f", and {', '.join(options)} by name" if options else "")
            )
        arguments = tuple([given.pop(name) for name in self.arguments])
        return arguments, self.defaults | given

    def given(self, options: dict[str, Any]) -> dict[str, Any]:
        """The options that a call was given, without the residuals that a node keeps with them."""
        return {name: options[name] for name in self.options}
