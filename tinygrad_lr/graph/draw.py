"""Drawing a graph: text for graphviz, text for Mermaid, or an image.

>>> from tinygrad_lr.core.value import Value
>>> w, x = Value(0.5, label="w"), 3.0
>>> print(to_mermaid(w * x))
flowchart LR
  n0["w<br/>0.5<br/>grad 3"]
  f1(["*"]) --> n1["1.5<br/>grad 1"]
  n2["3"]
  n0 --> f1
  n2 --> f1

Rectangles are Values: label, data, gradient. Ovals are operations. What is drawn where is
decided in `picture`; images are made by the program `dot` of graphviz. Where it is missing
everything else works.
"""

from __future__ import annotations

import shutil
import subprocess
from os import PathLike
from pathlib import Path
from typing import Any

from ..core.value import Value
from .picture import Box, picture

__all__ = ["draw", "mimebundle", "to_dot", "to_mermaid"]

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
