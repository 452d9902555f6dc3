"""What is in a picture of a graph: boxes with words in them, and arrows between.

    each Value, each constant        a box: label, data, gradient
    each operation                   a circle with its symbol, in front of the box it made

A large graph is folded: what belongs to one scope, and what only serves to make one labelled
Value, is drawn as one box that counts its operations.

>>> from tinygrad_lr.core.value import Value
>>> x = Value(1.0, label="x")
>>> with named_scope("hundred steps"):
...     for _ in range(100):
...         x = x * 1.1
>>> for box in picture(x)[0]:
...     print(box.kind, box.lines)
leaf ['x', '1', 'grad 1.378e+04']
group ['hundred steps', '1.378e+04', 'grad 1', '100 operations: 100 multiply']

How boxes become text or an image is in `draw`.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any, NamedTuple

from ..core.array import Data, broadcast_to
from ..core.backward import ancestors
from ..core.value import Value
from .source.notation import shown
from .walk import steps

__all__ = ["Box", "named_scope", "picture"]

MOST = 80  # boxes of Values; above it the picture is folded
KINDS = 4  # of operations that a folded box counts


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
