"""The derivative as Python: straight-line source of a function and its gradient.

    def neuron(w, b, x, y):
        return binary_cross_entropy_with_logits(w * x + b, y)

becomes, by `to_source(neuron, 0.5, 0.0, 1.0, 1.0)`, and without its comments:

    def neuron(w, b, x, y):
        z = w * x + b
        loss = -(y * log_sigmoid(z) + (1.0 - y) * log_sigmoid(-z))
        p = sigmoid(z)
        d_z = p - y
        d_w = d_z * x
        d_x = d_z * w
        d_b = d_z
        d_y = -z
        return loss, (d_w, d_b, d_x, d_y)

No rule is written twice: the function and its gradient are traced (`tracing`), simplified
(`terms`), given names (`lines`) and written (`writing`, `layout`). What cannot be
traced: a function that decides by the numbers which way to go. `if x > 0` is refused; use
`where`. What depends on the shapes, or on options, is decided once, for this source.

>>> text = to_source(lambda x: x * x + 1, 3.0)
>>> namespace = {}
>>> exec(text, namespace)
>>> namespace["f"](5.0)
(26.0, (10.0,))
"""

from __future__ import annotations

import builtins
import inspect
import itertools
import linecache
import textwrap
from collections.abc import Callable, Iterator
from functools import partial, wraps
from typing import Any

from ...calculus import check_places
from ...core.array import Array, Data, elementwise, from_flat, shape_of
from ...core.lift import data_of
from ...core.shapes import whole_numbers
from .layout import Source, source_of
from .lines import Lines
from .bodies import AGAIN, EXACTLY
from .tracing import trace

__all__ = ["compile", "to_source"]

Argnums = int | tuple[int, ...] | None


def to_source(f: Callable[..., Any], *example_inputs: Any, argnums: Argnums = None) -> str:
    """Python source of a function that returns (value of f, gradients), in straight lines.

    The gradients are a tuple, one for each input, also where there is one input alone. As
    in `grad`, `argnums` chooses: a tuple of places gives a tuple, one place the gradient
    itself. With () the function returns the value alone, which may then be a tensor, or a
    tuple of values: so a whole training step can be written, with `value_and_grad` inside.

    For single numbers the source imports `math` alone. It does what the engine does, but
    where the engine goes to a limit (inf, NaN) `math` raises. For tensors it imports
    `tinygrad_lr.core.array`, and the shapes of the inputs are part of it. Arrays and Values that
    f finds outside its arguments are constants, with the numbers that they have now.

    f is called three times: on these numbers, on slightly different ones, and on quite
    different ones. Raises TypeError if the sources differ, because f read the numbers
    themselves (`.data`, `.item()`, `.detach()`, labels as an index), or if it decides by a
    computed value; ValueError if there are gradients to give and f is not a single number, or
    for an argument that does not exist. Not noticed is a dependence on what all three calls
    have in common, as `if x.data > 0` is far above 0.
    """
    return _source(f, tuple(map(data_of, example_inputs)), argnums).text


def compile(
    f: Callable[..., Any], *example_inputs: Any, argnums: Argnums = None
) -> Callable[..., Any]:
    """The source of `to_source` as a function; for inputs of other shapes it is made anew.

    >>> cube = compile(lambda x: x ** 3, 1.0, argnums=0)
    >>> cube(2.0)
    (8.0, 12.0)

    Give it floats and Arrays: anything else is converted at every call. For speed, functions
    such as sigmoid are written as their formulas (`formulas`), and losses of many classes or
    rows are called as they are. Where something raises, because a limit is in reach, the
    source of `to_source` itself is run.
    """
    made: dict[Any, Callable[..., Any]] = {}

    def function_for(inputs: tuple[Data, ...], formulas: bool) -> Callable[..., Any]:
        key = formulas, tuple(map(shape_of, inputs))
        if key not in made:
            names = {AGAIN: partial(again, True), EXACTLY: partial(again, False)}
            made[key] = _function(_source(f, inputs, argnums, formulas), names)
        return made[key]

    def again(formulas: bool, *inputs: Any) -> Any:
        """For other shapes, or what is neither float nor Array; or where a limit is in reach."""
        numbers = tuple(map(data_of, inputs))
        return function_for(numbers, formulas)(*numbers)

    return wraps(f)(function_for(tuple(map(data_of, example_inputs)), formulas=True))


_serial = itertools.count(1)


def _function(source: Source, namespace: dict[str, Any]) -> Callable[..., Any]:
    """The function that a source defines, given these names; errors in it show its lines."""
    filename = f"<tinygrad_lr source {next(_serial)}>"
    lines = source.text.splitlines(keepends=True)
    linecache.cache[filename] = len(source.text), None, lines, filename
    exec(builtins.compile(source.text, filename, "exec"), namespace)
    function: Callable[..., Any] = namespace[source.name]
    return function


# ---- from the function to the text ----------------------------------------------------------


def _source(
    f: Callable[..., Any], inputs: tuple[Data, ...], argnums: Argnums, formulas: bool = False
) -> Source:
    """The source, made anew for other numbers to see that it does not depend on them."""
    source = _made(f, inputs, argnums, formulas)
    for others in _others(inputs):
        try:
            again = _made(f, others, argnums, formulas)
        except Exception:  # f does not take these numbers; so be it
            continue
        if again.text != source.text:
            texts = source.text.splitlines(), again.text.splitlines()
            pairs = itertools.zip_longest(*texts, fillvalue="")
            line, changed = next(pair for pair in pairs if pair[0] != pair[1])
            raise TypeError(
                f"the source of {source.name} would hold for these numbers alone. For others "
                f"{textwrap.shorten(line, 70)!r} becomes {textwrap.shorten(changed, 70)!r}: the "
                "function reads the numbers of an input (.data, .item(), .detach(), labels as an "
                "index), or draws random ones"
            )
    return source


def _others(inputs: tuple[Data, ...]) -> Iterator[tuple[Data, ...]]:
    """Inputs like these, twice, in which no number is what it was.

    Slightly different ones, which f takes if it takes probabilities or positive numbers. And,
    for an f that takes nothing but labels, quite different ones: rows change places.
    """
    yield tuple(elementwise(_nudged, x) for x in inputs)
    yield tuple(elementwise(_another, x, _rolled(x)) for x in inputs)


def _nudged(v: float) -> float:
    """A little nearer to 1 or to 0, whichever is farther."""
    return v + 1e-6 * ((v < 0.5) - v)


def _rolled(x: Data) -> Data:
    """Each row in the place of the one before."""
    if not isinstance(x, Array):
        return x
    by = len(x.flat) // (x.shape[0] or 1)
    return from_flat(x.flat[by:] + x.flat[:by], x.shape)


def _another(v: float, w: float) -> float:
    """w, unless that is v again: then the label before, or 1."""
    return w if w != v else v - 1.0 if v >= 1.0 else 1.0


def _made(
    f: Callable[..., Any], inputs: tuple[Data, ...], argnums: Argnums, formulas: bool
) -> Source:
    places = tuple(range(len(inputs))) if argnums is None else whole_numbers(argnums)
    check_places(places, len(inputs), "example inputs were given")
    traced = trace(f, inputs, _argument_names(f, len(inputs)), formulas)
    if places and not traced.gradients:
        gave = " and ".join(f"shape {value.shape}" for value in traced.values)
        raise ValueError(
            f"the function gave {gave}, and only a single number has a gradient; reduce it (sum, "
            "mean), or ask for the value alone: argnums=()"
        )
    title = getattr(f, "__name__", "f")
    gradients = [traced.gradients[place] for place in places]
    lines = Lines(traced, gradients, title if title.isidentifier() else "f")
    return source_of(lines, inputs, places, hasattr(argnums, "__index__"), guarded=formulas)


def _argument_names(f: Callable[..., Any], count: int) -> list[str]:
    """What the arguments are called where f was defined; x1, x2 where that is not known."""
    try:
        parameters = list(inspect.signature(f).parameters.values())
    except (ValueError, TypeError):
        parameters = []
    kinds = inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD
    names = [p.name for p in parameters if p.kind in kinds]
    return [names[i] if i < len(names) else f"x{i + 1}" for i in range(count)]
