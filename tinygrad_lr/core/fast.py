"""Faster equals of plain functions. Nothing here is needed to understand the package.

Each function below replaces a plain one of the core and gives the same results; the tests compare
the two. With the environment variable `TINYGRAD_LR_PLAIN=1` the package runs without this module,
and with the names of some functions (`TINYGRAD_LR_PLAIN=backward_pass,elementwise`) without those.

How much longer a step takes if one piece is left plain, in CPython 3.12:

    piece                      scalars   fused, 1 row   composed, 1 row   composed, 32 rows
    call_of_one, call_of_two     14 %           -              11 %              6 %
    backward_pass                31 %          15 %             5 %              3 %
    call_of_whole                 -             8 %             8 %              7 %
    broadcast_to, sum_to          -            24 %            14 %             11 %
    elementwise                   -             -              17 %              7 %
    LIST_FORMS                    -             -               -               34 %
    all                          46 %          50 %            83 %             67 %

"scalars" is the network of single numbers, the others are steps of logistic regression with 30
features, as in `tests/benchmarks/run.py`. (`call_of_whole` makes `broadcast_to` and `sum_to`, too.)
"""

from __future__ import annotations

import math
import operator
import os
from collections.abc import Callable, Collection, Iterable
from functools import cache, partial
from itertools import repeat
from operator import attrgetter
from threading import Lock
from types import CodeType
from typing import Any

from . import array, backward, lift, value
from .array import Array, Data, as_data, from_flat
from .array import elementwise as plain_elementwise
from .array import map_numbers as plain_map_numbers
from .backward import replaced, vjps
from .backward import backward_pass as plain_backward_pass
from .deferred import Deferred, total
from .lift import call_of_one as plain_call_of_one
from .lift import call_of_two as plain_call_of_two
from .lift import call_of_whole as plain_call_of_whole
from .lift import copied, publish
from .modes import mode_or_none
from .operation import Operation
from .shapes import Shape
from .value import PASSED_ON, Value, new, next_birth, record

__all__ = ["REPLACED"]

NO_OPTIONS: dict[str, Any] = {}
CORE = [array, backward, lift, value]
LEFT_PLAIN = {*os.environ.get("TINYGRAD_LR_PLAIN", "").split(",")}
REPLACED: dict[str, tuple[Callable[..., Any], Callable[..., Any]]] = {}
"""The plain function and its faster equal, by name."""


def instead_of(plain: Callable[..., Any]) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Decorator: put a function wherever the core names the plain one."""

    def put(fast: Callable[..., Any]) -> Callable[..., Any]:
        REPLACED[plain.__name__] = plain, fast
        if not LEFT_PLAIN & {"1", plain.__name__}:
            for module in CORE:
                for name, thing in list(vars(module).items()):
                    if thing is plain:
                        setattr(module, name, fast)
        return fast

    return put


# ---- operations on single numbers ----------------------------------------------------------------


CALL = """
def call({arguments}, /):
    {numbers}
    if {are_numbers} and mode_or_none() is None:
        out = {expression}
        {check}
        node = new(Value)
        node._data = out
        node._grad = None
        node.grad_state = PASSED_ON
        node.label = ""
        node.operation = op
        node._x = x
        node._y = {y}
        node.born = next_birth()
        return node
    return plain({arguments})
"""


@cache
def call_code(count: int, expression: str) -> CodeType:
    """The text of a call with one argument or two, around an expression of the numbers a, b."""
    check = "if type(out) is not float: return plain({})"
    if count == 1:
        numbers = """if type(x) is float:
        return f(x)
    a = x._data if type(x) is Value else None"""
        text = CALL.format(
            arguments="x", numbers=numbers, are_numbers="type(a) is float",
            expression=expression, check=check.format("x"), y=None,
        )  # fmt: skip
    else:
        numbers = """if type(x) is Value:
        a = x._data
        b = y._data if type(y) is Value else y
    elif type(y) is Value:
        a, b = x, y._data
    elif type(x) is float and type(y) is float:
        return f(x, y)
    else:
        return plain(x, y)"""
        text = CALL.format(
            arguments="x, y", numbers=numbers, are_numbers="type(a) is float and type(b) is float",
            expression=expression, check=check.format("x, y") if "(" in expression else "", y="y",
        )  # fmt: skip
    return compile(text, "<tinygrad_lr.core.fast>", "exec")


def pair_of_arrays(op: Operation) -> Callable[..., Any]:
    """A call of x and y of which one is an Array: a single number is the most that is stretched."""
    f, plain = op.function, plain_call_of_two(op)

    def call(x: Any, y: Any, /) -> Any:
        if type(x) is Value:
            a = x._data
        else:
            x = a = as_data(x)
        if type(y) is Value:
            b = y._data
        else:
            y = b = as_data(y)
        if type(a) is Array:
            if type(b) is float:
                if type(y) is Value:
                    y = stretched(y, a.shape)
            elif type(b) is not Array or b.shape != a.shape:
                return plain(x, y)
        elif type(a) is float and type(b) is Array:
            if type(x) is Value:
                x = stretched(x, b.shape)
        else:
            return plain(x, y)
        out = elementwise(f, a, b)
        return record(op, out, x, y) if type(x) is Value or type(y) is Value else out

    return call


def stretched(x: Value, shape: Shape) -> Value:
    """`broadcast_to` of a single number."""
    data = from_flat([x._data] * math.prod(shape), shape)
    return record(lift.broadcast_to.operation, data, (x,), {"shape": shape})


def array_of_one(op: Operation) -> Callable[..., Any]:
    """A call of an Array."""
    f, plain = op.function, plain_call_of_one(op)

    def call(x: Any, /) -> Any:
        if type(x) is not Value or type(x._data) is not Array:
            return plain(x)
        return record(op, from_flat(map_numbers(f, x._data.flat), x._data.shape), x)

    return call


def call_of(op: Operation, plain: Callable[..., Any], expression: str) -> Callable[..., Any]:
    """A call in which the node of single numbers is made without a further call."""
    names: dict[str, Any] = {
        "PASSED_ON": PASSED_ON, "Value": Value, "f": op.function,
        "mode_or_none": mode_or_none, "new": new, "next_birth": next_birth, "op": op,
        "plain": plain,
    }  # fmt: skip
    exec(call_code(len(op.arguments), expression), names)
    call: Callable[..., Any] = names["call"]
    return call


@instead_of(lift.call_of_two)
def call_of_two(op: Operation) -> Callable[..., Any]:
    """For + - and * of the package not even the function is called."""
    own = op.function.__module__.startswith("tinygrad_lr.") and op.symbol in ("+", "-", "*")
    return call_of(op, pair_of_arrays(op), f"a {op.symbol} b" if own else "f(a, b)")


@instead_of(lift.call_of_one)
def call_of_one(op: Operation) -> Callable[..., Any]:
    """A single number that is no Value comes straight from the function, too."""
    return call_of(op, array_of_one(op), "f(a)")


# ---- the backward pass ---------------------------------------------------------------------------


START = -0.0  # the mark of a node that was found; START + g is g for every g
one_at_a_time = Lock()
by_birth = attrgetter("born")


@instead_of(backward.backward_pass)
def backward_pass(
    output: Value, cotangent: Any, wrt: Collection[Value] = (), graph: bool = False
) -> dict[Value, Any]:
    """During the pass a cotangent stands in a slot of its Value, not in a dict.

    That of a result is in `_grad`, and that of a leaf in `_y`, both unused otherwise. So a Value
    is found, marked and added to without hashing. Two passes may meet in a Value: the second, in
    another thread or inside a rule, is the plain one. So is a pass that has more to do: for some
    Values only, on the graph, for retained gradients, or with `detect_anomaly`.
    """
    mode = mode_or_none()
    special = wrt or graph or output.grad_state or (mode is not None and mode.anomaly)
    if special:
        return plain_backward_pass(output, cotangent, wrt, graph)
    if type(output._x) is tuple:
        for x in output._x:
            if type(x) is Value and x.operation is not None:
                break
        else:
            return pass_of_one(output, cotangent)
    if not one_at_a_time.acquire(False):
        return plain_backward_pass(output, cotangent, wrt, graph)
    found: list[Value] = [output]
    leaves: list[Value] = []
    try:
        if find(found, leaves):
            pass_by_slots(found, cotangent)
            return {
                x: g if type(g) is float or type(g) is Array else total(g)
                for x in leaves
                if (g := x._y) is not START
            }
    finally:
        for x in found:
            x._grad = None
        for x in leaves:
            x._y = None
        one_at_a_time.release()
    return plain_backward_pass(output, cotangent, wrt, graph)


def pass_of_one(node: Value, cotangent: Any) -> dict[Value, Any]:
    """The pass where the output was made of leaves, as a fused loss is."""
    cotangents: dict[Value, Any] = {}
    for x, product in vjps_of_numbers(node, cotangent):
        if type(x) is Value:
            if x.born > node.born:
                raise replaced(x, node.operation)
            if type(product) is not float and type(product) is not Array:
                product = total(product)
            cotangents[x] = cotangents[x] + product if x in cotangents else product
    return cotangents


def find(found: list[Value], leaves: list[Value]) -> bool:
    """Add what the output in `found` was made from; False where a result retains its gradient."""
    found[0]._grad = START
    add_leaf, add_result = leaves.append, found.append
    for node in found:  # grows as it is read
        x, y = node._x, node._y
        if type(x) is Value:
            if x.grad_state:
                if x.born > node.born:
                    raise replaced(x, node.operation)
                if x._y is None and x.operation is None:
                    x._y = START
                    add_leaf(x)
                elif x._y is not START:  # a result that retains its gradient
                    return False
            elif x._grad is None:
                x._grad = START
                add_result(x)
        elif type(x) is tuple:
            for z in x:
                if type(z) is Value:
                    if z.grad_state:
                        if z.born > node.born:
                            raise replaced(z, node.operation)
                        if z._y is None and z.operation is None:
                            z._y = START
                            add_leaf(z)
                        elif z._y is not START:  # a result that retains its gradient
                            return False
                    elif z._grad is None:
                        z._grad = START
                        add_result(z)
        if type(y) is Value:
            if y.grad_state:
                if y.born > node.born:
                    raise replaced(y, node.operation)
                if y._y is None and y.operation is None:
                    y._y = START
                    add_leaf(y)
                elif y._y is not START:  # a result that retains its gradient
                    return False
            elif y._grad is None:
                y._grad = START
                add_result(y)
    return True


def pass_by_slots(found: list[Value], cotangent: Any) -> None:
    """`plain_backward_pass`, where sums and products of two Values call no rule."""
    found[0]._grad = cotangent
    if len(found) > 1:
        found.sort(key=by_birth, reverse=True)
    for node in found:
        g, operation, x, y = node._grad, node.operation, node._x, node._y
        if g is START:  # no rule leads to it
            continue
        try:
            form = operation.form
        except AttributeError:  # its form is read off once
            form = operation.form = form_of(operation)
        if type(g) is not float and isinstance(g, Deferred):
            g = g.total()
        if form is PRODUCT:
            if type(y) is Value:
                term = g * (x._data if type(x) is Value else x)
                if y.grad_state:
                    old = y._y
                    y._y = term if old is START else old + term
                else:
                    old = y._grad
                    y._grad = term if old is START else old + term
                y = y._data
            if type(x) is Value:
                term = g * y
                if x.grad_state:
                    old = x._y
                    x._y = term if old is START else old + term
                else:
                    old = x._grad
                    x._grad = term if old is START else old + term
            continue
        elif form is SUM:
            term_x = term_y = g
        elif form is ONE:
            term_x = operation.rules[0](g, node._data, x._data)
        elif form is TWO:
            a = x._data if type(x) is Value else x
            b = y._data if type(y) is Value else y
            rule_x, rule_y = operation.rules
            term_x = rule_x(g, node._data, a, b) if type(x) is Value else None
            term_y = rule_y(g, node._data, a, b) if type(y) is Value else None
        else:
            pairs = vjps_of_numbers(node, g) if type(x) is tuple else vjps(node, g)
            for z, term in pairs:
                if type(z) is Value:
                    if z.grad_state:
                        old = z._y
                        z._y = term if old is START else old + term
                    else:
                        old = z._grad
                        z._grad = term if old is START else old + term
            continue
        if type(x) is Value:
            if x.grad_state:
                old = x._y
                x._y = term_x if old is START else old + term_x
            else:
                old = x._grad
                x._grad = term_x if old is START else old + term_x
        if type(y) is Value:
            if y.grad_state:
                old = y._y
                y._y = term_y if old is START else old + term_y
            else:
                old = y._grad
                y._grad = term_y if old is START else old + term_y


SUM, PRODUCT, ONE, TWO, OTHER = "x + y", "x * y", "f(x)", "f(x, y)", "anything else"


class Probe:
    """A number that is nothing but itself: what a rule makes of it shows the rule."""

    def __mul__(self, other: Any) -> Any:
        return self, other


def form_of(operation: Operation) -> str:
    """Which of the forms above an operation has, read off its own rules."""
    if not operation.is_simple:
        return OTHER
    if len(operation.rules) == 1:
        return ONE
    g, x, y = Probe(), Probe(), Probe()
    try:
        products = [rule(g, None, x, y) for rule in operation.rules]
    except Exception:  # the rules do anything else with g
        return TWO
    return SUM if products == [g, g] else PRODUCT if products == [(g, y), (g, x)] else TWO


# ---- operations on whole Arrays ------------------------------------------------------------------


@instead_of(lift.call_of_whole)
def call_of_whole(op: Operation) -> Callable[..., Any]:
    """A call on data binds nothing: the function itself knows its options and their defaults.

    Where the function does not take the arguments as they are, the plain call says why.
    """
    f, defaults, plain = op.function, op.defaults, plain_call_of_whole(op)
    count, has_residuals = len(op.arguments), op.residuals is not None
    if op.is_variadic:
        return call_of_numbers(op, plain)

    def call_of_several(*xs: Any, **options: Any) -> Any:
        if len(xs) != count:
            return plain(*xs, **options)
        numbers, tracked = [], False
        for x in xs:
            if type(x) is Value:
                tracked = True
                x = x._data
            elif type(x) is not Array and type(x) is not float:
                return plain(*xs, **options)
            numbers.append(x)
        try:
            out = f(*numbers, **options)
        except TypeError:
            return plain(*xs, **options)
        if has_residuals:
            out, residuals = out
        if not tracked:
            return out
        if options or defaults:
            options = {**defaults, **copied(options)}
        if has_residuals:
            options["residuals"] = residuals
        return record(op, out, xs, options)

    def call_of_one(*xs: Any, **options: Any) -> Any:
        if len(xs) != 1:
            return plain(*xs, **options)
        x = xs[0]
        number = x._data if type(x) is Value else x
        if type(number) is not Array and type(number) is not float:
            return plain(x, **options)
        try:
            out = f(number, **options)
        except TypeError:
            return plain(x, **options)
        if type(x) is not Value:
            return out
        return record(op, out, xs, {**defaults, **copied(options)} if options else defaults)

    return call_of_one if count == 1 and not has_residuals else call_of_several


def call_of_numbers(op: Operation, plain: Callable[..., Any]) -> Callable[..., Any]:
    """A call of any number of scalars, some of them Values."""
    f = op.function

    def call(*xs: Any, **options: Any) -> Any:
        numbers = [x._data if type(x) is Value else x for x in xs]
        if options or {*map(type, numbers)} != {float} or Value not in map(type, xs):
            return plain(*xs, **options)
        return record(op, f(*numbers), xs)

    return call


def vjps_of_numbers(node: Value, g: Any) -> Iterable[tuple[Any, Any]]:
    """`vjps` of a node with a tuple of inputs, where no graph is wanted."""
    operation, inputs, out = node.operation, node._x, node._data
    options = node._y or NO_OPTIONS
    numbers = [x._data if type(x) is Value else x for x in inputs]
    if operation.is_variadic:
        (rule,) = operation.rules
        return zip(inputs, rule(g, out, *numbers, **options)) if rule is not None else ()
    return [
        (x, rule(g, out, *numbers, **options))
        for x, rule in zip(inputs, operation.rules)
        if type(x) is Value and rule is not None
    ]


for made in (lift.broadcast_to, lift.sum_to):  # before there was a faster `call_of_whole`
    instead_of(made)(publish(made.operation, call_of_whole(made.operation)))


# ---- element by element --------------------------------------------------------------------------


@instead_of(array.elementwise)
def elementwise(f: Callable[..., float], *xs: Data) -> Data:
    """One Array, two of one shape, or an Array and a number: nothing is broadcast."""
    if len(xs) == 1:
        (x,) = xs
        return from_flat(map_numbers(f, x.flat), x.shape) if type(x) is Array else f(x)
    if len(xs) == 2:
        x, y = xs
        if type(x) is Array:
            if type(y) is float:
                return from_flat(map_numbers(f, x.flat, repeat(y)), x.shape)
            if type(y) is Array and x.shape == y.shape:
                return from_flat(map_numbers(f, x.flat, y.flat), x.shape)
        elif type(y) is Array and type(x) is float:
            return from_flat(map_numbers(f, repeat(x), y.flat), y.shape)
    return plain_elementwise(f, *xs)


@instead_of(array.map_numbers)
def map_numbers(f: Callable[..., float], *flats: Iterable[float]) -> list[float]:
    """The package's own functions over whole lists by functions of C.

    These raise where a limit is in reach (`math.exp(1000)`); then the plain way is taken.
    """
    in_c = list_form(f)
    if in_c is not None:
        try:
            return list(in_c(*flats))
        except (ArithmeticError, ValueError):
            pass
    return plain_map_numbers(f, *flats)


@cache
def list_form(f: Callable[..., float]) -> Callable[..., Iterable[float]] | None:
    """What maps a function of the package over lists, if there is a faster way."""
    home = getattr(f, "__module__", None) or ""
    own = home == "_operator" or home.startswith("tinygrad_lr.")
    return LIST_FORMS.get(f.__name__) if own else None


def mapped(f: Callable[..., float]) -> Callable[..., Iterable[float]]:
    return partial(map, f)


def exp_of_minus(xs: Iterable[float]) -> Iterable[float]:
    return map(math.exp, map(operator.neg, xs))


def where_each(
    conditions: Iterable[float], xs: Iterable[float], ys: Iterable[float]
) -> list[float]:
    return [x if c else y for c, x, y in zip(conditions, xs, ys)]


def density_each(xs: Iterable[float]) -> list[float]:
    return [e / (1.0 + e * (2.0 + e)) for e in exp_of_minus(map(abs, xs))]


LIST_FORMS: dict[str, Callable[..., Iterable[float]]] = {
    "add": mapped(operator.add),
    "sub": mapped(operator.sub),
    "subtract": mapped(operator.sub),
    "mul": mapped(operator.mul),
    "multiply": mapped(operator.mul),
    "neg": mapped(operator.neg),
    "negative": mapped(operator.neg),
    "divide": mapped(operator.truediv),
    "power": mapped(math.pow),
    "less": lambda xs, ys: map(float, map(operator.lt, xs, ys)),
    "less_equal": lambda xs, ys: map(float, map(operator.le, xs, ys)),
    "where": where_each,
    "sigmoid": lambda xs: [1.0 / (1.0 + e) for e in exp_of_minus(xs)],
    "softplus": lambda xs: map(math.log1p, map(math.exp, xs)),
    "log_sigmoid": lambda xs: [-v for v in map(math.log1p, exp_of_minus(xs))],
    "logistic_density": density_each,
} | {
    name: mapped(getattr(math, name))
    for name in "exp expm1 log log1p sqrt sin cos tanh".split()
}  # fmt: skip
