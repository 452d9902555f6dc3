"""Types are honest: mypy says of a user's file what it is, and Python agrees.

`types/user.py` is that file. Its comments say which type mypy must reveal, and on which lines
mypy must find an error. The file runs too, and each value has the type that was revealed. mypy is
in the extra `lint`; without it, the test of mypy is skipped.
"""

import inspect
import re
import subprocess
import sys
import typing
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

import pytest

import tinygrad_lr
from tinygrad_lr import losses
from tinygrad_lr.core.value import Value
from tinygrad_lr.ops.methods import FUNCTIONS, OPERATORS, Methods

ROOT = Path(__file__).parents[1]
USER = Path(__file__).with_name("types") / "user.py"
LINES = USER.read_text(encoding="utf-8").splitlines()


def commented(pattern):
    """{line: what its comment says} where the line matches."""
    found = {n: re.search(pattern, line) for n, line in enumerate(LINES, 1)}
    return {n: match[1] for n, match in found.items() if match}


REVEALED = commented(r"^ *reveal_type\(.*\)  # (.+)$")
MISTAKES = commented(r"  # error: ([\w-]+)$")

# ---- what mypy says


@pytest.fixture(scope="module")
def report(tmp_path_factory):
    """The lines of mypy's report: (line, kind, message)."""
    if not find_spec("mypy"):
        pytest.skip("mypy is not installed: it is in the extra `lint`")
    cache = tmp_path_factory.mktemp("mypy")
    command = [sys.executable, "-m", "mypy", "--strict", "--config-file=", f"--cache-dir={cache}"]
    done = subprocess.run([*command, str(USER)], cwd=ROOT, capture_output=True, text=True)
    assert not done.stderr
    found = re.findall(r"^.*user\.py:(\d+): (note|error): (.*)$", done.stdout, re.M)
    assert found, done.stdout
    return [(int(line), kind, message) for line, kind, message in found]


def test_mypy_reveals_what_the_comments_say(report):
    notes = [(n, re.match('Revealed type is "(.*)"', message)) for n, _, message in report]
    revealed = {n: re.sub(r"\b(\w+\.)+(?=\w)", "", match[1]) for n, match in notes if match}
    assert revealed == REVEALED


def test_mypy_finds_the_mistakes_and_nothing_else(report):
    errors = {(n, message.rsplit("[")[-1].rstrip("]")) for n, kind, message in report
              if kind == "error"}  # fmt: skip
    assert errors == set(MISTAKES.items())


def test_nothing_is_any_but_what_only_the_user_knows():
    hidden = [LINES[n - 1] for n, name in REVEALED.items() if name == "Any"]
    assert hidden == ["reveal_type(w.data)  # Any", "reveal_type(w.grad)  # Any"]


# ---- what Python says


def fits(value, name):
    """Whether a value has a type of this name, such as `float` or `list[float]`."""
    kind = re.match(r"\w+", name)[0]
    if kind == "def":
        return callable(value)
    return kind in ("Any", type(value).__name__) or (kind == "None" and value is None)


def test_each_value_has_the_type_that_was_revealed(monkeypatch, new_operations):
    found = {}
    monkeypatch.setattr(
        typing, "reveal_type", lambda x: found.update({sys._getframe(1).f_lineno: x})
    )
    exec(compile("\n".join(LINES), str(USER), "exec"), {"__name__": "user"})
    wrong = {
        LINES[n - 1]: found[n]
        for n, name in REVEALED.items()
        if not any(fits(found[n], one) for one in name.split(" | "))
    }
    assert wrong == {}


# ---- the methods of Value, and the functions behind them

METHODS = {name: m for name, m in vars(Methods).items() if inspect.isfunction(m)}


@pytest.mark.parametrize("name", METHODS)
def test_a_method_is_declared_as_the_function_behind_it(name):
    """Names, kinds and defaults are the same, but for self, the first argument.

    Python gives the operands by place. So may a caller give the options of an operation, which
    are keyword-only in the signature of its function.
    """
    behind = OPERATORS.get(name) or FUNCTIONS[name]
    assert vars(Value)[name] is behind
    (_, *declared), (_, *real) = (
        inspect.signature(function).parameters.values() for function in (METHODS[name], behind)
    )
    if name in OPERATORS:
        real = [p.replace(kind=p.POSITIONAL_ONLY) for p in real]
    elif hasattr(behind, "operation"):
        by_place = {inspect.Parameter.KEYWORD_ONLY: inspect.Parameter.POSITIONAL_OR_KEYWORD}
        real = [p.replace(kind=by_place.get(p.kind, p.kind)) for p in real]
    told = lambda parameters: [(p.name, p.kind, p.default) for p in parameters]
    assert told(declared) == told(real)


# ---- what a type checker reads


def test_a_star_import_gives_all_that_the_modules_call_public():
    """`__all__` is written out in the shop windows, because type checkers do not compute it."""
    names = lambda *modules: {
        name for m in modules for name in import_module(f"tinygrad_lr.{m}").__all__
    }
    hidden = {"abs", "max", "min", "sum", "expand_reduced", "getitem", "identity", "scatter_add",
              "sum_to"}  # fmt: skip
    assert set(losses.__all__) == names(
        "losses.likelihood", "losses.distances", "losses.fused", "losses.linear"
    )
    assert set(tinygrad_lr.__all__) >= set(losses.__all__)
    operations = names("ops.elementwise", "ops.tensors", "ops.probability")
    assert set(tinygrad_lr.__all__) & operations == operations - hidden
