"""The reading route that README prints: its files in order, their lines of code, at most 700.

README has a section whose heading contains "reading route", with a table. Each row links a file
from the top of the repository, and gives its lines of code in the next cell. A last row gives
the sum:

    | read | lines | what it is |
    |---|---:|---|
    | [core/value.py](tinygrad_lr/core/value.py) | 180 | a number that remembers |
    | together | 640 | |

A line of code is a line that is not blank and holds more than a comment or a docstring.
"""

import ast
import re
import tokenize
from io import StringIO
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
MOST = 700
ROUTE = [
    *sorted(path.relative_to(ROOT).as_posix() for path in ROOT.glob("examples/00_*.py")),
    "tinygrad_lr/core/value.py",
    "tinygrad_lr/core/backward.py",
    "tinygrad_lr/core/operation.py",
    "tinygrad_lr/ops/elementwise.py",
    "tinygrad_lr/losses/likelihood.py",
    "tinygrad_lr/optim/sgd.py",
    "tinygrad_lr/training/loop.py",
]  # and then the estimator, a file in models/


def printed_route(text):
    """The route that a README prints: [(path, lines)] in order, and their sum; or None, None."""
    section = re.search(r"^#+ [^\n]*reading route[^\n]*\n(.*?)(?=^#|\Z)", text, re.I | re.M | re.S)
    if section is None:
        return None, None
    rows = re.findall(r"^\|.*?\]\(([\w/]+\.py)\)[^|]*\|\s*(\d+)\s*\|", section[1], re.M)
    total = re.search(r"^\|\W*together\W*\|\W*(\d+)\W*\|", section[1], re.M)
    return [(path, int(lines)) for path, lines in rows], total and int(total[1])


def lines_of_code(source):
    """How many lines are not blank and hold more than a comment or a docstring."""
    docstrings = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)):
            first = node.body[0] if node.body else None
            if ast.get_docstring(node, clean=False) is not None:
                docstrings.update(range(first.lineno, first.end_lineno + 1))
    no_code = {tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT,
               tokenize.ENDMARKER}  # fmt: skip
    code = set()
    for token in tokenize.generate_tokens(StringIO(source).readline):
        if token.type not in no_code:
            code.update(range(token.start[0], token.end[0] + 1))
    lines = source.splitlines()
    return sum(1 for n in code - docstrings if lines[n - 1].strip())


def imported_names(source):
    """The last part of each module, and each name, that is imported anywhere in a file."""
    names = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.ImportFrom):
            names |= {(node.module or "").rpartition(".")[2], *(alias.name for alias in node.names)}
        elif isinstance(node, ast.Import):
            names |= {alias.name.rpartition(".")[2] for alias in node.names}
    return names


ROWS, TOTAL = printed_route(README)
if_printed = pytest.mark.skipif(ROWS is None, reason="README does not print the reading route yet")


def test_the_table_of_a_readme_is_read():
    text = (
        "# Top\n\n## The reading route\n\nIn this order:\n\n"
        "| read | lines | what |\n|---|---:|---|\n"
        "| [value.py](tinygrad_lr/core/value.py) | 180 | a number of 2 parts |\n"
        "| 2. [`sgd`](tinygrad_lr/optim/sgd.py), a step | 34 | |\n"
        "| **together** | **214** | |\n\n## Next\n\n| [x](tinygrad_lr/metrics.py) | 9 | |\n"
    )
    rows = [("tinygrad_lr/core/value.py", 180), ("tinygrad_lr/optim/sgd.py", 34)]
    assert printed_route(text) == (rows, 214)
    assert printed_route("# Top\n\n| [x](tinygrad_lr/metrics.py) | 9 | |\n") == (None, None)


@pytest.mark.parametrize(
    ("source", "count"),
    [
        ("", 0),
        ('"""Of the module."""\n', 0),
        ("# a comment\n\nx = 1  # another\n", 1),
        ("x = [\n    1,\n\n    # two\n    2,\n]\n", 4),
        ('def f(x):\n    """Of the\n\n    function."""\n    return x\n', 2),
        ('class C:\n    """Of the class."""\n', 1),
        ('text = """\nno docstring\n\n"""\n', 3),
        ('def f():\n    x = """no docstring"""\n    return x\n', 3),
    ],
)
def test_lines_of_code_are_counted(source, count):
    assert lines_of_code(source) == count


@pytest.mark.parametrize(
    "source",
    [
        "from . import fast",
        "from .fast import walk",
        "from ..core.fast import walk",
        "import tinygrad_lr.core.fast",
        "def f():\n    from tinygrad_lr.core import fast",
    ],
)
def test_an_import_of_fast_is_found(source):
    assert "fast" in imported_names(source)


@if_printed
def test_the_route_leads_from_the_miniature_to_the_estimator():
    *before, estimator = [path for path, _ in ROWS]
    assert before == ROUTE
    assert estimator.startswith("tinygrad_lr/models/")


@if_printed
@pytest.mark.parametrize(("path", "printed"), ROWS or [])
def test_the_printed_counts_are_right(path, printed):
    assert lines_of_code((ROOT / path).read_text(encoding="utf-8")) == printed


@if_printed
def test_the_route_is_short():
    assert sum(printed for _, printed in ROWS) == TOTAL
    assert TOTAL <= MOST


@if_printed
@pytest.mark.parametrize("path", [path for path, _ in ROWS or []])
def test_nothing_on_the_route_is_there_for_speed_alone(path):
    assert "fast" not in imported_names((ROOT / path).read_text(encoding="utf-8"))
