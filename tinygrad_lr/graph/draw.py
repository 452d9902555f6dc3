"""Drawing a graph: text for graphviz, text for Mermaid, or an image.

    each Value, each constant        a rectangle: label, data, gradient
    each operation                   an oval with its symbol, in front of the Value it made

>>> from tinygrad_lr.core.value import Value
>>> w, x = Value(0.5, label="w"), 3.0
>>> print(to_mermaid(w * x))
flowchart LR
  n0["w<br/>0.5<br/>grad 3"]
  f1(["*"]) --> n1["1.5<br/>grad 1"]
  n2["3"]
  n0 --> f1
  n2 --> f1

A large graph is folded: what belongs to one scope, and what only serves to make one labelled
Value, is drawn as one box that counts its operations.

>>> x = Value(1.0, label="x")
>>> with named_scope("hundred steps"):
...     for _ in range(100):
...         x = x * 1.1
>>> for box in picture(x)[0]:
...     print(box.kind, box.lines)
leaf ['x', '1', 'grad 1.378e+04']
group ['hundred steps', '1.378e+04', 'grad 1', '100 operations: 100 multiply']

Images are made by the program `dot` of graphviz. Where it is missing everything else works.
"""

from __future__ import annotations

import shutil
import subprocess
from collections import Counter, deque
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from os import PathLike
from pathlib import Path
from typing import Any, NamedTuple

from ..core.array import Data, broadcast_to
from ..core.value import Value
from .source.notation import shown
from .walk import ancestors, steps

__all__ = ["Box", "draw", "mimebundle", "named_scope", "picture", "to_dot", "to_mermaid"]

MOST = 80  # boxes of Values; above it the picture is folded
KINDS = 4  # of operations that a folded box counts
STYLES = {
    "leaf": 'fillcolor="#e8f1fa"',
    "constant": 'fillcolor="#f4f4f4" color="#aaaaaa"',
    "value": 'fillcolor="#ffffff"',
    "group": 'fillcolor="#fdf3dc" peripheries=2',
}
MISSING = (
    "an image needs graphviz, whose program `dot` was not found: install it (apt install graphviz, "
    "brew install graphviz, graphviz.org/download). Without it to_mermaid(value), to_dot(value) "
    "and explain(value) give text, and draw takes paths that end in .dot or .mmd"
)


def to_dot(value: Value) -> str:
    """The graph behind a Value in the language of graphviz.

    The gradient of a Value is its .grad, if it holds one, as a leaf does after backward().
    Otherwise it is the derivative of the Value that is drawn.
    """
    boxes, arrows = picture(value)
    lines = [
        "digraph {",
        "  rankdir=LR",
        '  node [shape=box style="filled,rounded" fontname="Helvetica" fontsize=11]',
    ]
    for number, box in enumerate(boxes):
        text = "\\n".join(map(_quoted, box.lines))
        lines.append(f'  n{number} [label="{text}" {STYLES[box.kind]}]')
        if box.symbol:
            symbol = _quoted(box.symbol)
            lines.append(f'  f{number} [label="{symbol}" shape=ellipse fillcolor=white]')
            lines.append(f"  f{number} -> n{number}")
    lines += [f"  n{source} -> {_made(boxes, target)}" for source, target in arrows]
    return "\n".join([*lines, "}"])


def to_mermaid(value: Value) -> str:
    """The graph behind a Value for Mermaid, which web pages and Markdown viewers draw."""
    boxes, arrows = picture(value)
    lines = ["flowchart LR"]
    for number, box in enumerate(boxes):
        text = "<br/>".join(map(_coded, box.lines))
        operation = f'f{number}(["{_coded(box.symbol)}"]) --> ' if box.symbol else ""
        lines.append(f'  {operation}n{number}["{text}"]')
    lines += [f"  n{source} --> {_made(boxes, target)}" for source, target in arrows]
    return "\n".join(lines)


def draw(value: Value, path: str | PathLike[str]) -> Path:
    """Write the graph behind a Value to a file: an image by graphviz (.svg .png .pdf), or text.

    Text is written for .dot, .gv (graphviz) and .mmd (Mermaid), which needs nothing. Raises
    RuntimeError with what to do where graphviz is missing. Returns the path.
    """
    path = Path(path)
    kind = path.suffix.lower().removeprefix(".")
    if kind in ("dot", "gv", "mmd"):
        path.write_text(to_mermaid(value) if kind == "mmd" else to_dot(value), encoding="utf-8")
    elif kind in ("svg", "png", "pdf"):
        path.write_bytes(_image(to_dot(value), kind))
    else:
        raise ValueError(f"draw: {path} ends in none of .svg .png .pdf .dot .gv .mmd")
    return path


def mimebundle(value: Value) -> dict[str, Any]:
    """What a notebook shows: the graph as an image where graphviz is there, and text."""
    bundle = {"text/plain": repr(value)}
    if value.operation is not None and shutil.which("dot"):
        bundle["image/svg+xml"] = _image(to_dot(value), "svg").decode()
    return bundle


def _made(boxes: list[Box], number: int) -> str:
    """Where arrows to a box end: at the operation in front of it, if it has one."""
    return f"f{number}" if boxes[number].symbol else f"n{number}"


def _quoted(text: str) -> str:
    """For graphviz, which reads entities such as &lt; also where there is no HTML."""
    return text.replace("&", "&amp;").replace("\\", "\\\\").replace('"', '\\"')


def _coded(text: str) -> str:
    """For Mermaid, whose entities are #number; and not those of HTML."""
    return "".join(f"#{ord(c)};" if c in "#&<>\"'`" else c for c in text)


def _image(dot: str, kind: str) -> bytes:
    """Graphviz on a text."""
    program = shutil.which("dot")
    if program is None:
        raise RuntimeError(MISSING)
    command = [program, f"-T{kind}"]
    done = subprocess.run(command, input=dot.encode(), capture_output=True, check=False)
    if done.returncode:
        raise RuntimeError(f"graphviz could not draw this graph: {done.stderr.decode().strip()}")
    return done.stdout


# ---- what is in a picture ------------------------------------------------------------------------


class Box(NamedTuple):
    """Lines of text in a frame. kind: "leaf", "constant", "value" or "group"."""

    kind: str
    lines: list[str]
    symbol: str = ""  # of the operation that made it


def picture(value: Value) -> tuple[list[Box], list[tuple[int, int]]]:
    """Boxes of all that made a Value, and arrows from box to box, by their numbers.

    Each Value is drawn once. A large graph is folded, and drawn without constants.
    """
    values = ancestors(value)
    gradients = _gradients(value, values)
    folded = len(values) > MOST
    groups = _groups(value, values) if folded else {x: x for x in values}
    members: dict[Any, list[Value]] = {}
    for x in values:
        members.setdefault(groups[x], []).append(x)
    numbers = {group: number for number, group in enumerate(members)}
    boxes = [_box(group, inside, gradients) for group, inside in members.items()]
    arrows = []
    for x in values:
        for source in x.inputs:
            if type(source) is not Value:
                if not folded:
                    arrows.append((len(boxes), numbers[x]))
                    boxes.append(Box("constant", [shown(source)]))
            elif groups[source] is not groups[x]:
                arrows.append((numbers[groups[source]], numbers[groups[x]]))
    return boxes, list(dict.fromkeys(arrows)) if folded else arrows


def _gradients(value: Value, values: list[Value]) -> dict[Value, Data]:
    """The cotangent of each Value; where a Value holds a gradient, its .grad."""
    found: dict[Value, Any] = {}
    cotangents: dict[Value, Any] = {value: broadcast_to(1.0, value.shape)}
    with suppress(RuntimeError):  # data of a leaf was replaced: this graph has no gradients now
        found = {node: g for node, g, _ in steps(value, cotangents)} | cotangents
    return found | {x: x.grad for x in values if x.grad is not None}


def _box(group: Any, inside: list[Value], gradients: dict[Value, Data]) -> Box:
    """The box of a Value, or of a group of Values: a scope, or what only serves to make one."""
    x = group if isinstance(group, Value) else inside[-1]
    title = x.label if x is group else group.name
    gradient = [f"grad {shown(gradients[x])}"] if x in gradients else []
    lines = [*([title] if title else []), shown(x.data), *gradient]
    if len(inside) == 1:
        return Box("value", lines, x.operation.symbol) if x.operation else Box("leaf", lines)
    made = Counter(x.operation.name for x in inside if x.operation)
    kinds = ", ".join(f"{count} {name}" for name, count in made.most_common(KINDS))
    kinds += ", ..." if len(made) > KINDS else ""
    return Box("group", [*lines, f"{made.total()} operations: {kinds}"])


def _groups(value: Value, values: list[Value]) -> dict[Value, Any]:
    """Where each Value is drawn: in a scope, or in the box of a Value that has its own."""
    births = [x.born for x in values]
    scopes = [s for s in reversed(_scopes) if s.first < max(births) and s.last > min(births)]
    groups: dict[Value, Any] = {}
    users: dict[Value, set[Any]] = {x: set() for x in values}
    for x in reversed(values):  # newest first: the users of x have their groups
        around = next((scope for scope in scopes if scope.first < x.born < scope.last), None)
        if around is not None:
            groups[x] = around  # the outermost, because it was left last
        elif x is value or x.label or len(users[x]) != 1:
            groups[x] = x
        else:
            (groups[x],) = users[x]
        for source in x.inputs:
            if type(source) is Value:
                users[source].add(groups[x])
    return groups


# ---- scopes --------------------------------------------------------------------------------------


class Scope(NamedTuple):
    """An interval of births. So nodes need not know of scopes, and making them costs nothing."""

    name: str
    first: int
    last: int


_scopes: deque[Scope] = deque(maxlen=10_000)  # the latest


@contextmanager
def named_scope(name: str) -> Iterator[None]:
    """Values made inside `with named_scope("layer"):` are one box in the picture of a large graph.

    Scopes may be nested; the outermost is drawn. Also a decorator of functions. Values that
    another thread makes at the same time are counted in.
    """
    first = Value(0.0).born
    try:
        yield
    finally:
        _scopes.append(Scope(name, first, Value(0.0).born))
