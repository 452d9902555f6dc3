"""The house: imports point down only, and nothing but the standard library is imported.

The floors are those of the design; modules of one floor stand in reading order. An import
inside a function counts, one under `if TYPE_CHECKING` does not: it never runs.
"""

import ast
import sys
from graphlib import TopologicalSorter
from importlib import import_module
from pathlib import Path

import pytest

import tinygrad_lr

HOUSE = Path(tinygrad_lr.__file__).parent
FLOORS = [
    ["core.shapes", "core.numerics", "core.array"],
    [
        *(
            "core.modes",
            "core.operation",
            "core.facade",
            "core.value",
            "core.deferred",
            "core.backward",
        ),
        *("core.typed", "core.lift", "core.fast", "core"),
    ],
    ["ops.elementwise", "ops.tensors", "ops.probability", "ops.methods", "ops"],
    [
        "losses.checks",
        "losses.likelihood",
        "losses.distances",
        "losses.fused",
        "losses.linear",
        "losses",
    ],
    ["calculus", "gradcheck"],
    ["optim", "data", "metrics", "convexity"],
    ["training"],
    ["models", "graph"],
    [""],  # the shop window: tinygrad_lr itself
]
HEIGHT = {
    name: (floor, place) for floor, names in enumerate(FLOORS) for place, name in enumerate(names)
}


def room(name):
    """The entry of FLOORS that a module belongs to: itself, or the folder around it."""
    while name not in HEIGHT and name:
        name = name.rpartition(".")[0]
    return name


def dotted(path):
    """`optim.sgd` of .../tinygrad_lr/optim/sgd.py, `optim` of its __init__, "" of the top one."""
    return (
        ".".join(path.relative_to(HOUSE).with_suffix("").parts).removesuffix("__init__").rstrip(".")
    )


MODULES = {dotted(path): path for path in HOUSE.rglob("*.py")}
PACKAGES = {name for name, path in MODULES.items() if path.name == "__init__.py"}


class Imports(ast.NodeVisitor):
    """What a module imports: modules of the house by their dotted names, strangers by theirs."""

    def __init__(self, module, is_package):
        self.package = module if is_package else module.rpartition(".")[0]
        self.inside, self.outside = set(), set()

    def visit_If(self, node):
        condition = ast.unparse(node.test)
        if condition not in ("TYPE_CHECKING", "typing.TYPE_CHECKING"):
            self.generic_visit(node)
        else:
            for other in node.orelse:
                self.visit(other)

    def visit_Import(self, node):
        for alias in node.names:
            self._add(alias.name)

    def visit_ImportFrom(self, node):
        if node.level:
            parts = self.package.split(".") if self.package else []
            base = ".".join(
                parts[: len(parts) - node.level + 1] + (node.module or "").split(".")
            ).strip(".")
            names = [f"{base}.{alias.name}".lstrip(".") for alias in node.names]
            self.inside.update(name if name in MODULES else base for name in names)
        else:
            for alias in node.names:
                name = f"{node.module}.{alias.name}"
                self._add(name if name.removeprefix("tinygrad_lr.") in MODULES else node.module)

    def _add(self, name):
        if name.partition(".")[0] == "tinygrad_lr":
            self.inside.add(name.removeprefix("tinygrad_lr").lstrip("."))
        else:
            self.outside.add(name.partition(".")[0])


def imports(module, source):
    found = Imports(module, module in PACKAGES)
    found.visit(ast.parse(source))
    return found


def climbs(module, target):
    """Does this import point up, or to a neighbour that is read later?"""
    here, there = room(module), room(target)
    if here == there:
        return False  # inside one folder: see the test for circles
    return HEIGHT[there] > HEIGHT[here]


def complaints(module, source):
    found = imports(module, source)
    strangers = found.outside - sys.stdlib_module_names
    return [
        f"{module} imports {name}, which is not in the standard library" for name in strangers
    ] + [
        f"{module} (floor {HEIGHT[room(module)][0]}) imports {target or 'tinygrad_lr'} "
        f"(floor {HEIGHT[room(target)][0]}): imports point down only"
        for target in found.inside
        if climbs(module, target)
    ]


def test_every_module_has_a_floor_and_every_floor_its_modules():
    assert {room(name) for name in MODULES} == set(HEIGHT)


@pytest.mark.parametrize("module", sorted(MODULES))
def test_imports_point_down_only(module):
    assert complaints(module, MODULES[module].read_text(encoding="utf-8")) == []


def test_there_are_no_circles():
    graph = {}
    for module, path in MODULES.items():
        inside = imports(module, path.read_text(encoding="utf-8")).inside
        graph[module] = {name for name in inside if name != module}
    assert len(list(TopologicalSorter(graph).static_order())) == len(MODULES)


@pytest.mark.parametrize("package", sorted(PACKAGES))
def test_a_folder_lists_its_modules_in_reading_order(package):
    """Each line of the list in its docstring names a module (or what it offers, see `data`)."""
    doc = import_module(f"tinygrad_lr.{package}".rstrip(".")).__doc__
    prefix = f"{package}." if package else ""
    inside = {name.removeprefix(prefix).partition(".")[0] for name in MODULES
              if name.startswith(prefix) and name != package}  # fmt: skip
    lines = [line.split() for line in doc.splitlines() if line.startswith("    ")]
    named = [words[0] for words in lines if words and words[0] in inside]
    listed = list(reversed(dict.fromkeys(reversed(named))))  # what it offers may stand before
    assert sorted(listed) == sorted(inside)
    above = {name: place for place, name in enumerate(listed)}
    for module, path in MODULES.items():
        if not module.startswith(prefix) or module == package:
            continue
        here = module.removeprefix(prefix).partition(".")[0]
        for target in imports(module, path.read_text(encoding="utf-8")).inside:
            there = target.removeprefix(prefix).partition(".")[0]
            if target.startswith(prefix) and here != there and there in above:
                assert above[there] < above[here], (
                    f"{here} is listed before {there}, which it imports"
                )


@pytest.mark.parametrize(
    ("module", "source", "complaint"),
    [
        ("core.array", "from .value import V", "core.array (floor 0) imports core.value (floor 1)"),
        ("core.array", "from ..ops import tensors", "(floor 0) imports ops.tensors (floor 2)"),
        ("core.value", "def f():\n    from .lift import x", "(floor 1) imports core.lift"),
        ("core.shapes", "import tinygrad_lr.core.array", "(floor 0) imports core.array"),
        ("core.value", "from . import lift", "core.value (floor 1) imports core.lift (floor 1)"),
        ("optim.sgd", "from ..training import minimize", "optim.sgd (floor 5) imports training"),
        ("optim.sgd", "from .. import Value", "imports tinygrad_lr (floor 8)"),
        ("optim", "from ..models import x", "optim (floor 5) imports models"),
        ("losses", "from tinygrad_lr import calculus", "losses (floor 3) imports calculus"),
        ("losses", "import numpy as np", "imports numpy, which is not in the standard library"),
        ("losses", "try:\n    from rich import x\nexcept ImportError:\n    pass", "rich"),
        ("core.value", "if TYPE_CHECKING:\n    pass\nelse:\n    from .lift import x", "core.lift"),
    ],
)
def test_what_points_up_is_found(module, source, complaint):
    (found,) = complaints(module, source)
    assert complaint in found


@pytest.mark.parametrize(
    ("module", "source"),
    [
        ("core.value", "if TYPE_CHECKING:\n    from .lift import Operation"),
        ("calculus", "from .ops.tensors import sum"),
        ("optim.sgd", "from .optimizer import Optimizer\nfrom ..core.value import V\nimport ast"),
        ("optim", "from . import schedules\nfrom .sgd import SGD"),
        ("core.array", "from . import numerics\nfrom .shapes import Shape\nimport collections.abc"),
    ],
)
def test_what_points_down_is_left_alone(module, source):
    assert complaints(module, source) == []
