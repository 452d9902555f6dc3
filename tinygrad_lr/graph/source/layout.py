"""From lines to the text of a module: imports, helpers, one function.

    '''neuron and its derivatives, written by tinygrad_lr.graph.to_source.'''

    import math                                 or from tinygrad_lr.core.array import ...


    def sigmoid(x): ...                         helpers


    def neuron(w, b, x, y):
        z = w * x + b                           the value, one assignment a line
        ...
        d_w = d_z * x                           the derivatives
        return loss, (d_w, ...)

Which lines there are is decided in `lines`, what is said of them in `remarks`.
"""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from typing import NamedTuple

from ...core.array import Array, Data
from .lines import Lines
from .bodies import AGAIN, EXACTLY
from .remarks import remark, remark_on_gradient
from .syntax import WIDTH, filled, literal, tidy

__all__ = ["Source", "source_of"]

COMMENTS_AT = 40  # column
INSIDE = " " * 8  # before the lines of a broken expression


class Source(NamedTuple):
    """The text of a module, and the name of the function in it."""

    text: str
    name: str


def source_of(
    lines: Lines, inputs: Sequence[Data], places: Sequence[int], bare: bool, guarded: bool
) -> Source:
    """The module that computes the value, and the gradients by the inputs at these places.

    `bare`: one gradient is returned as itself, not as a tuple of one. `guarded`: inputs of
    other shapes and types are passed on to AGAIN, and to EXACTLY where a limit is in reach,
    so that math raises. Else other shapes are an error.
    """
    # First the lines, because only writing them shows which helpers and imports they need.
    forward: list[str] = []
    backward: list[str] = []
    for term in lines.terms:
        if term.operation and term in lines.names:
            expression = tidy(lines.writer.line(term))
            line = _line(lines.names[term], expression, remark(term, lines))
            (forward if term in lines.forward else backward).append(line)
    results = []
    for place in places:
        x, gradient = lines.traced.inputs[place], lines.traced.gradients[place]
        result = tidy(lines.writer.array(gradient))
        if lines.derivative_of.get(gradient) is not x:  # it is also something else
            name = lines.needs.unique(f"d_{lines.names[x]}")
            backward.append(_line(name, result, remark_on_gradient(x, gradient, lines)))
            result = name
        results.append(result)
    values = [tidy(lines.writer.array(value)) for value in lines.traced.values]
    value = values[0] if len(values) == 1 else _tuple(values)
    if results:
        value = f"{value}, {results[0] if bare else _tuple(results)}"
    body = forward
    if backward:
        body += ["    # The derivatives, from the value back to the inputs.", *backward]
    body.append(f"    return {value}")
    arguments = ", ".join(lines.names[x] for x in lines.traced.inputs)
    if guarded:
        body = _guarded(lines, inputs, arguments, body)
    else:
        body = _check_of_shapes(lines, inputs) + body
    function = [f"\ndef {lines.title}({arguments}):", _docstring(lines), *body, ""]
    return Source("\n\n".join([*_head(lines, guarded), "\n".join(function)]), lines.title)


def _tuple(parts: list[str]) -> str:
    return f"({', '.join(parts)}{',' if len(parts) == 1 else ''})"


def _head(lines: Lines, guarded: bool) -> list[str]:
    """What stands above the function: imports, constants, helpers."""
    imports, helpers = lines.needs.imports, lines.needs.helpers.values()
    arrays = {lines.names[t]: t.data for t in lines.terms if isinstance(t.data, Array)}
    head = [f'"""{lines.title} and its derivatives, written by tinygrad_lr.graph.to_source."""']
    if "math" in imports:
        head.append("import math")
    names = imports - {"math", "OPERATIONS"} | ({"Array"} if arrays or guarded else set())
    if names:
        head.append(_wrapped("from tinygrad_lr.core.array import ", ", ".join(sorted(names))))
    if "OPERATIONS" in imports:
        head.append("from tinygrad_lr.core.operation import OPERATIONS")
    head += [_wrapped(f"{name} = Array", f"({literal(data)})") for name, data in arrays.items()]
    if aliases := [text for text in helpers if "\n" not in text]:
        head.append("\n".join(aliases))
    return head + [f"\n{text}" for text in helpers if "\n" in text]


def _docstring(lines: Lines) -> str:
    value = ", ".join(lines.names.get(value, "a value") for value in lines.traced.values)
    if lines.derivative_of:
        value += f" and its derivatives; d_v is the derivative of {value} by v"
    return f'    """{value}."""'


def _check_of_shapes(lines: Lines, inputs: Sequence[Data]) -> list[str]:
    """Tensors have the shapes that the text is made for."""
    shapes = {
        lines.names[t]: x.shape for t, x in zip(lines.traced.inputs, inputs) if type(x) is Array
    }
    wrong = " or ".join(f"{name}.shape != {shape}" for name, shape in shapes.items())
    made_for = ", ".join(map(str, shapes.values()))
    error = f'raise ValueError("made for the shapes {made_for}")'
    return [f"    if {wrong}:", f"        {error}"] if shapes else []


def _guarded(
    lines: Lines, inputs: Sequence[Data], arguments: str, body: Sequence[str]
) -> list[str]:
    """The body for inputs of the right kind; what else may come is passed on."""
    named = [(lines.names[term], x) for term, x in zip(lines.traced.inputs, inputs)]
    fit = [f"type({name}) is {type(x).__name__}" for name, x in named]
    fit += [f"{name}.shape == {x.shape}" for name, x in named if type(x) is Array]
    return [
        "    try:",
        f"        if not ({' and '.join(fit) or True}):",
        f"            return {AGAIN}({arguments})",
        textwrap.indent("\n".join(body), "    "),
        "    except (ArithmeticError, ValueError):",
        f"        return {EXACTLY}({arguments})",
    ]


def _line(name: str, expression: str, remark: str) -> str:
    """One assignment and its comment, which stands above it if there is no room behind it."""
    line = f"    {name} = {expression}"
    remark = " ".join(remark.split())  # a docstring's sentence may go on in the next line
    together = f"{line:<{COMMENTS_AT - 2}}  # {remark}"
    if len(together) <= WIDTH:
        return together
    if len(line) > WIDTH:
        line = f"    {name} = {_broken(expression)}"
    return f"    {textwrap.shorten(f'# {remark}', WIDTH - 4, placeholder=' ...')}\n{line}"


def _broken(expression: str) -> str:
    """A long expression in more lines: a loop below its element, anything else as it fits."""
    before, _, rest = expression.partition("[")
    inside, _, behind = rest.rpartition("]")
    if inside.count(" for ") == 1:
        element, loop = inside.split(" for ")
        parts = filled(element, INSIDE, INSIDE), filled(f"for {loop}", INSIDE, INSIDE)
        return "\n".join([f"{before}[", *parts, f"    ]{behind}"])
    return f"(\n{filled(expression, INSIDE, INSIDE)}\n    )"


def _wrapped(start: str, text: str) -> str:
    """Both in one line, or the text in parentheses below the start."""
    if len(start + text) <= WIDTH:
        return start + text
    text = filled(text.removeprefix("(").removesuffix(")"), "    ", "    ")
    return f"{start}(\n{text}\n)"
