"""How an operation is made: its value and its rules in one place, and nothing else to edit.

    @elementwise(x=lambda g, out, x: g / (1 + x * x), samples=[(0.3,), (-2.0,)])
    def arctan(x):
        '''Angle whose tangent is x.'''
        return math.atan(x)

The function below the decorator computes one number of one number. What comes out is
`arctan` of floats, of Arrays and nested lists (element by element), and of Values, which
remember. A rule says, for the argument it is named after, the local derivative times g,
where g is the gradient owed to the output `out`. Rules are written with operators and
public functions only, so one rule has three readings:

    given numbers   it computes numbers     a plain backward pass
    given Values    it makes Values         a graph of the gradient, for second derivatives
    that graph      listed line by line     Python source, or an explanation (`graph`)

Broadcasting is an operation too: where shapes differ, a tracked input is stretched by
`broadcast_to`, whose rule is `sum_to`, whose rule is `broadcast_to`. So the other rules
never hear of it and stay pure calculus.

>>> square = elementwise(x=lambda g, out, x: g * 2 * x)(lambda x: x * x)
Traceback (most recent call last):
ValueError: an operation needs a name: use def, not lambda

`OPERATIONS` holds them all by name. The test suite, the drawings and the documentation
walk it, so a new operation is tested, drawn and explained like a built-in one.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Sequence
from functools import wraps
from itertools import repeat
from typing import Any

from . import array, numerics
from .array import Array, Data, as_data, pairwise, shape_of
from .array import elementwise as elementwise_of
from .shapes import Shape, broadcast_shape
from .value import Value, record, shares, shares_of_one, shares_of_two

__all__ = ["OPERATIONS", "Operation", "broadcast_to", "elementwise", "operation", "shape", "sum_to"]

OPERATIONS: dict[str, Operation] = {}

Rule = Callable[..., Any]


class Operation:
    """A function of numbers, and for each argument the rule of its derivative.

    function     computes the output from floats and Arrays (elementwise: from floats)
    arguments    the names of what may be tracked
    rules        one for each argument; None where it is not differentiable
    options      the names of its keyword-only parameters
    defaults     the values of those that have one
    symbol       how it is written: "+" stands between, "exp" in front
    samples      argument tuples (a dict at the end holds options) on which it is tested
    same_as      for a fused operation, the composition that it must equal
    saves        what the function saves for the rules beside its output, told as a
                 function of the same arguments, for the reading on the graph
    variadic     for a starred argument, its rule (or None) in a tuple of one; else None
    public       what users call: the function, lifted to Arrays and Values
    shares       what a node pays to its inputs: the rules, called in the fastest way
    """

    __slots__ = (
        "name", "function", "arguments", "rules", "variadic", "options", "defaults",
        "symbol", "samples", "same_as", "saves", "is_elementwise", "public", "shares",
    )  # fmt: skip

    def __init__(
        self,
        function: Callable[..., Any],
        rules: dict[str, Rule],
        *,
        is_elementwise: bool,
        samples: Sequence[tuple[Any, ...]] = (),
        symbol: str | None = None,
        same_as: Callable[..., Any] | None = None,
        saves: Callable[..., Any] | None = None,
    ) -> None:
        parameters = inspect.signature(function).parameters.values()
        self.name = function.__name__
        if not self.name.isidentifier():
            raise ValueError("an operation needs a name: use def, not lambda")
        _check_parameters(self.name, parameters, is_elementwise)
        self.function = function
        self.arguments = tuple(p.name for p in parameters if p.kind is not p.KEYWORD_ONLY)
        self.options = tuple(p.name for p in parameters if p.kind is p.KEYWORD_ONLY)
        self.defaults = {
            p.name: p.default
            for p in parameters
            if p.kind is p.KEYWORD_ONLY and p.default is not p.empty
        }
        strangers = set(rules) - set(self.arguments)
        if strangers:
            raise TypeError(
                f"{self.name}: a rule for {', '.join(sorted(strangers))}, which is no argument; "
                f"the arguments are {', '.join(self.arguments)}"
            )
        self.rules: Any = tuple(rules.get(name) for name in self.arguments)
        self.variadic: Any = None
        if any(p.kind is p.VAR_POSITIONAL for p in parameters):  # one rule pays all inputs
            self.variadic, self.rules = self.rules, repeat(self.rules[0])
        self.is_elementwise = is_elementwise
        self.symbol = symbol or self.name
        self.samples = list(samples)
        self.same_as = same_as
        self.saves = saves
        self.public: Any = None
        self.shares: Callable[[Value, Any], list[tuple[Value, Any]]] = shares
        if not (self.options or self.saves or self.variadic) and None not in self.rules:
            self.shares = {1: shares_of_one, 2: shares_of_two}.get(len(self.rules), shares)

    def __repr__(self) -> str:
        return f"<operation {self.name}({', '.join(self.arguments + self.options)})>"

    def bound(
        self, xs: tuple[Any, ...], options: dict[str, Any]
    ) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """Arguments and options, each of which was given by position or by name."""
        names = self.arguments + self.options
        given = dict(zip(names, xs))
        fits = len(xs) <= len(names) and given.keys().isdisjoint(options)
        given |= options
        if not fits or not set(self.arguments) <= given.keys() <= set(names):
            raise TypeError(
                f"{self.name} takes {', '.join(names)}; given were {len(xs)} by position"
                + (f", and {', '.join(options)} by name" if options else "")
            )
        return tuple([given.pop(name) for name in self.arguments]), given

    def given(self, options: dict[str, Any]) -> dict[str, Any]:
        """The options of a node without what it saved: those it was called with."""
        return {name: options[name] for name in self.options}

    def options_on_graph(self, inputs: tuple[Any, ...], options: dict[str, Any]) -> dict[str, Any]:
        """The options of a node with what it saved told as Values, for second derivatives."""
        if self.saves is None:
            return options
        given = self.given(options)
        return {**given, "saved": self.saves(*inputs, **given)}

    def publish(self, public: Callable[..., Any]) -> Callable[..., Any]:
        """Register under the name; `public` is what users call."""
        told = inspect.signature(self.function)
        if any(p.kind is p.POSITIONAL_ONLY for p in inspect.signature(public).parameters.values()):
            told = told.replace(parameters=[
                p if p.kind is p.KEYWORD_ONLY else p.replace(kind=p.POSITIONAL_ONLY)
                for p in told.parameters.values()
            ])  # fmt: skip
        self.public = public = wraps(self.function)(public)
        public.__signature__ = told  # type: ignore[attr-defined]
        self.public.operation = self
        OPERATIONS[self.name] = self
        return public


def _check_parameters(
    name: str, parameters: Iterable[inspect.Parameter], is_elementwise: bool
) -> None:
    """Say at the definition what would go wrong at a call, or on the way back."""
    kinds = [p.kind for p in parameters]
    starred = inspect.Parameter.VAR_POSITIONAL in kinds
    if starred and (is_elementwise or kinds.count(inspect.Parameter.KEYWORD_ONLY) < len(kinds) - 1):
        raise TypeError(
            f"{name}: *arguments stand alone in an @operation, apart from keyword-only options"
        )
    for p in parameters:
        if p.kind is p.KEYWORD_ONLY:
            if is_elementwise:
                raise TypeError(f"{name}: an option ({p.name}) needs @operation, not @elementwise")
        elif p.default is not p.empty:
            raise TypeError(
                f"{name}: the argument {p.name} has a default; make it an option, keyword-only"
            )


def data_of(x: Any) -> Any:
    """The float or Array behind a Value, or what x is read as."""
    if type(x) is Value:
        return x._data
    return x if type(x) is float or type(x) is Array else as_data(x)


def _read(xs: tuple[Any, ...]) -> tuple[tuple[Any, ...], list[Data], bool]:
    """What an operation was given, the data of each, and whether a Value is among them.

    Strangers are read as floats and Arrays. (A loop: it takes half the time of three `map`s.)
    """
    datas: list[Data] = []
    tracked = strange = False
    for x in xs:
        if type(x) is Value:
            tracked = True
            datas.append(x._data)
        elif type(x) is Array or type(x) is float:
            datas.append(x)
        else:
            strange = True
            datas.append(as_data(x))
    if strange:
        xs = tuple([x if type(x) is Value else data for x, data in zip(xs, datas)])
    return xs, datas, tracked


def shape(x: Any) -> Shape:
    """The shape of a Value, an Array, a float, or of nested lists."""
    if type(x) is Value:
        x = x._data
    return x.shape if type(x) is Array else () if type(x) is float else shape_of(as_data(x))


# ---- functions of one number, lifted to all shapes ---------------------------------------


def elementwise(
    *,
    samples: Sequence[tuple[Any, ...]] = (),
    symbol: str | None = None,
    same_as: Callable[..., Any] | None = None,
    **rules: Rule,
) -> Callable[[Callable[..., float]], Callable[..., Any]]:
    """Decorator: a function of floats becomes an operation on floats, Arrays and Values."""

    def decorate(function: Callable[..., float]) -> Callable[..., Any]:
        op = Operation(
            function, rules, is_elementwise=True, samples=samples, symbol=symbol, same_as=same_as
        )
        make = {1: _unary, 2: _binary}.get(len(op.arguments), _several)
        return op.publish(make(op))

    return decorate


def quick(*operations: Callable[..., Any]) -> None:
    """Operations that are in `numerics` too, under the same name: its fast forms are theirs."""
    for public in operations:
        op: Operation = public.operation  # type: ignore[attr-defined]
        numerics.FAST[op.function] = numerics.FAST[getattr(numerics, op.name)]


def _unary(op: Operation) -> Callable[..., Any]:
    f = op.function

    def call(x: Any, /) -> Any:
        if type(x) is Value:
            data = x._data
            return record(op, f(data) if type(data) is float else elementwise_of(f, data), x)
        return elementwise_of(f, as_data(x))

    return call


def _binary(op: Operation) -> Callable[..., Any]:
    f = op.function

    # What _several does, without loops: most of what is ever computed passes here.
    def call(x: Any, y: Any, /) -> Any:
        if type(x) is Value:
            a = x._data
            if type(y) is Value:
                b = y._data
            else:
                y = b = y if type(y) is float else as_data(y)
        elif type(y) is Value:
            x = a = x if type(x) is float else as_data(x)
            b = y._data
        else:
            return pairwise(f, as_data(x), as_data(y))
        if type(a) is float and type(b) is float:
            return record(op, f(a, b), x, y)
        if type(a) is float:
            x = broadcast_to(x, shape=b.shape) if type(x) is Value else x
        elif type(b) is float:
            y = broadcast_to(y, shape=a.shape) if type(y) is Value else y
        elif a.shape != b.shape:
            x, y = _stretched(op, (x, y))
            a, b = data_of(x), data_of(y)
        return record(op, pairwise(f, a, b), x, y)

    return call


def _several(op: Operation) -> Callable[..., Any]:
    f = op.function

    def call(*xs: Any, **named: Any) -> Any:
        if len(xs) != len(op.arguments) or named:
            xs, _ = op.bound(xs, named)
        xs, datas, tracked = _read(xs)
        if Array in map(type, datas):
            xs = _stretched(op, xs) if tracked else xs
            out = elementwise_of(f, *map(data_of, xs))
        else:
            out = f(*datas)
        return record(op, out, xs) if tracked else out

    return call


def _stretched(op: Operation, xs: tuple[Any, ...]) -> tuple[Any, ...]:
    """Each input; a Value is stretched to the common shape by a recorded operation."""
    shapes = [shape(x) for x in xs]
    try:
        full = broadcast_shape(*shapes)
    except ValueError as error:
        raise ValueError(f"{op.name}: {error}") from None
    return tuple([
        broadcast_to(x, shape=full) if type(x) is Value and old != full else x
        for x, old in zip(xs, shapes)
    ])  # fmt: skip


# ---- functions of whole Arrays -----------------------------------------------------------


def operation(
    *,
    samples: Sequence[tuple[Any, ...]] = (),
    symbol: str | None = None,
    same_as: Callable[..., Any] | None = None,
    saves: Callable[..., Any] | None = None,
    **rules: Rule,
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Decorator: a function of floats and Arrays becomes an operation on Values too.

    Keyword-only parameters are options; callers may also give them by position, after
    the arguments, and rules receive all of them by name. The rule of a starred argument
    (`*arrays`) gives a sequence, one gradient for each.

    With `saves`, the function gives a pair: its output, and something it computed on the
    way that the rules would have to compute again. They receive it as `saved`.
    """

    def decorate(function: Callable[..., Any]) -> Callable[..., Any]:
        op = Operation(
            function, rules, is_elementwise=False, samples=samples, symbol=symbol,
            same_as=same_as, saves=saves,
        )  # fmt: skip
        return op.publish(_whole(op))

    return decorate


def _whole(op: Operation) -> Callable[..., Any]:
    f, defaults, count = op.function, op.defaults, len(op.arguments)
    saves = op.saves is not None

    def call(*xs: Any, **options: Any) -> Any:
        if len(xs) != count and not op.variadic:
            xs, options = op.bound(xs, options)
        xs, datas, tracked = _read(xs)
        options = {**defaults, **_kept(options)} if options else defaults.copy()
        out = f(*datas, **options)
        if saves:
            out, options["saved"] = out
        return record(op, out, xs, options=options) if tracked else out

    def call_without_options(*xs: Any, **named: Any) -> Any:
        if len(xs) != count or named:
            xs, _ = op.bound(xs, named)
        xs, datas, tracked = _read(xs)
        out = f(*datas)
        if not tracked:
            return out
        return record(op, out, *xs) if len(xs) == 2 else record(op, out, xs)

    def call_of_one(x: Any, /, *given: Any, **options: Any) -> Any:
        if given:
            (x,), options = op.bound((x, *given), options)
        if type(x) is Value:
            options = {**defaults, **_kept(options)} if options else defaults.copy()
            return record(op, f(x._data, **options), x, options=options)
        return f(x if type(x) is Array or type(x) is float else as_data(x), **options)

    if saves or op.variadic:
        return call
    if len(op.arguments) == 1:
        return call_of_one
    return call if op.options else call_without_options


def _kept(options: dict[str, Any]) -> dict[str, Any]:
    """The options, as a graph may keep them: the caller's own lists could change."""
    if list in map(type, options.values()):
        return {k: option[:] if type(option) is list else option for k, option in options.items()}
    return options


# ---- the pair that the machinery itself needs --------------------------------------------


@operation(
    x=lambda g, out, x, **_: sum_to(g, shape=shape(x)),
    samples=[(2.0, {"shape": (3,)}), ([[1.0], [2.0]], {"shape": (2, 2, 3)})],
)
def broadcast_to(x: Data, *, shape: Shape) -> Data:
    """Copies of x side by side, so that it has this shape."""
    return array.broadcast_to(x, tuple(shape))


@operation(
    x=lambda g, out, x, **_: broadcast_to(g, shape=shape(x)),
    samples=[([1.0, 2.0], {"shape": ()}), ([[1.0, 2.0], [3.0, 4.0]], {"shape": (2, 1)})],
)
def sum_to(x: Data, *, shape: Shape) -> Data:
    """The sum over the axes that broadcasting from this shape to x's would stretch."""
    return array.sum_to(x, tuple(shape))
