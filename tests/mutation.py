"""Do the tests notice? Small faults are put into the core, one at a time, and the tests run.

    python tests/mutation.py                                  300 faults, half an hour or more
    python tests/mutation.py --count 40 --only core/numerics,losses
    python tests/mutation.py --seed 2 --json mutants.json

A mutant is the library with one fault: `<` for `<=`, `+` for `-`, 3 for 2, a condition turned
round, a `not` or a statement left out. It is killed when a test fails (or hangs), and survives
when all pass: then a test is missing, or the fault changes nothing that can be observed. Those
of the second kind that are known stand in `EQUIVALENT`, with the reason.

Everything happens in a copy of the tree. Each mutant meets the tests of its own module first,
then those of the core and of what stands on it; the first failure ends it. The sample is drawn
with a fixed seed, from each file as many as its share of all possible faults, at least one.
Needs pytest and hypothesis only. (mutmut leaves decorators and what is decorated alone, and
that is the whole rulebook; cosmic-ray knows neither samples nor tests by module.) pytest does
not collect this file, and CI does not run it.
"""

import argparse
import ast
import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from random import Random
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[1]
HOUSE = ROOT / "tinygrad_lr"
MODULES = [
    path.relative_to(HOUSE).with_suffix("").as_posix()
    for folder in ("core", "ops", "losses", "optim")
    for path in sorted((HOUSE / folder).glob("[!_]*.py"))
] + ["calculus"]
FIRST = {  # the tests that belong to a module, where it is not the file of its own name
    "core/modes": ["core/test_value", "core/test_threads"],
    "core/lift": ["core/test_lift", "ops/test_rules", "ops/test_elementwise"],
    "losses/linear": ["losses/test_linear", "ops/test_rules"],
    "losses/likelihood": ["losses/test_losses"],
    "losses/targets": ["losses/test_losses"],
    "ops/elementwise": ["ops/test_elementwise", "ops/test_rules", "core/test_array"],
    "ops/tensors": ["ops/test_tensors", "ops/test_rules", "core/test_array"],
    "ops/probability": ["ops/test_probability", "ops/test_rules"],
    "optim/adam": ["optim/test_adaptive", "optim/test_optimizer"],
    "optim/adaptive": ["optim/test_adaptive", "optim/test_optimizer"],
    "optim/lbfgs": ["optim/test_second_order", "optim/test_optimizer"],
    "optim/line_search": ["optim/test_second_order"],
    "optim/linear": ["optim/test_second_order"],
    "optim/newton": ["optim/test_second_order"],
    "optim/optimizer": ["optim/test_optimizer", "optim/test_sgd", "optim/test_second_order"],
    "optim/schedules": ["optim/test_schedules", "optim/test_optimizer"],
    "optim/sgd": ["optim/test_sgd", "optim/test_optimizer"],
}
REST = [
    "core", "ops", "losses", "test_calculus", "test_gradcheck", "test_routes",
    "test_gradient_algebra",
]  # fmt: skip
REST_OF_OPTIM = ["optim", "training/test_loop", "models"]

EQUAL = "of equal numbers it does not matter which is given"

# Faults that change nothing: (module, the line, what is replaced, by what), and why.
EQUIVALENT = {
    ("core/numerics", "if not y.is_integer() and x < 0.0:", "x < 0.0", "(x <= 0.0)"): (
        "0 has been answered before"
    ),
    (
        "core/numerics",
        "return _log_of_about_1(xs, top) if abs(total) < -0.5 * top else total",
        "abs(total) < -0.5 * top",
        "(abs(total) <= -0.5 * top)",
    ): "at the border both ways are good",
    ("core/value", "if x.born > node.born:", "x.born > node.born", "(x.born >= node.born)"): (
        "no two nodes are born at once"
    ),
    ("core/value", "elif x.born > node.born:", "x.born > node.born", "(x.born >= node.born)"): (
        "no two nodes are born at once"
    ),
    ("ops/elementwise", "return x if x >= y or x != x else y", "x >= y", "(x > y)"): EQUAL,
    ("ops/elementwise", "return x if x <= y or x != x else y", "x <= y", "(x < y)"): EQUAL,
    ("ops/elementwise", "return low if x < low else high if x > high else x", "x > high",
     "(x >= high)"): EQUAL,
    ("losses/likelihood", "if type(g) is float and g == 1.0:  # a loss is usually the last node",
     "type(g) is float", "(type(g) is not float)"): "times 1, a little slower",
}  # fmt: skip

# Names that are exported, and numbers on which operations are tested.
UNTOUCHED = ["__all__", "__slots__", "PAIRS", "ANY", "POSITIVE", "MATRIX", "REDUCTIONS", "FAR"]

COMPARISONS = {
    ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt, ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq, ast.Is: ast.IsNot, ast.IsNot: ast.Is, ast.In: ast.NotIn, ast.NotIn: ast.In,
}  # fmt: skip
OPERATORS = {
    ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Div, ast.Div: ast.Mult, ast.Pow: ast.Mult,
    ast.Mod: ast.Mult, ast.FloorDiv: ast.Mult, ast.MatMult: ast.Mult,
}  # fmt: skip


class Mutant(NamedTuple):
    """One fault: the text from `start` to `end` is replaced."""

    module: str
    line: int
    text: str  # of that line
    before: str
    after: str
    start: int
    end: int

    def put_into(self, source):
        return source[: self.start] + self.after + source[self.end :]

    def __str__(self):
        one_line = lambda text: " ".join(text.split())[:150]
        return f"{self.module}.py:{self.line}: {one_line(self.before)}  =>  {one_line(self.after)}"


# ---- faults ------------------------------------------------------------------------------------


def mutants(module, source):
    """All faults of a file. Annotations, names for export, samples and messages have none."""
    lines = source.splitlines(keepends=True)
    starts = [0]
    for line in lines:
        starts.append(starts[-1] + len(line))

    def place(line, column):  # the columns of ast are bytes
        return starts[line - 1] + len(lines[line - 1].encode()[:column].decode())

    tree = ast.parse(source)
    untouched = {id(n) for node in ast.walk(tree) for root in no_code(node) for n in ast.walk(root)}
    for node in ast.walk(tree):
        if id(node) in untouched:
            continue
        for after in faults(node):
            start = place(node.lineno, node.col_offset)
            after = "el" * source.startswith("elif", start) + after
            end = place(node.end_lineno, node.end_col_offset)
            if isinstance(node, ast.expr):
                after = f"({after})"
            text = lines[node.lineno - 1].strip()
            yield Mutant(module, node.lineno, text, source[start:end], after, start, end)


def no_code(node):
    """The parts of a node in which a fault would say nothing about the tests."""
    parts = [getattr(node, "annotation", None), getattr(node, "returns", None)]
    if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
        name = node.targets[0].id
        if name in UNTOUCHED or is_type(node.value):
            parts.append(node)
    if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
        parts.append(node)
    if isinstance(node, ast.keyword) and node.arg in ("samples", "symbol"):
        parts.append(node)
    if isinstance(node, ast.JoinedStr):
        parts.append(node)
    return [part for part in parts if isinstance(part, ast.AST)]


def is_type(node):
    """`int | Sequence[int] | None`, and the like."""
    return isinstance(node, ast.BinOp) and isinstance(node.op, ast.BitOr)


def faults(node):
    """The texts of what could stand there instead."""
    if isinstance(node, ast.Compare):
        for i, op in enumerate(node.ops):
            ops = [*node.ops[:i], COMPARISONS[type(op)](), *node.ops[i + 1 :]]
            yield ast.unparse(ast.Compare(node.left, ops, node.comparators))
    elif isinstance(node, ast.BinOp) and type(node.op) in OPERATORS:
        if not (isinstance(node.left, ast.Constant) and isinstance(node.left.value, str)):
            yield ast.unparse(ast.BinOp(node.left, OPERATORS[type(node.op)](), node.right))
    elif isinstance(node, ast.BoolOp):
        other = ast.And() if isinstance(node.op, ast.Or) else ast.Or()
        yield ast.unparse(ast.BoolOp(other, node.values))
    elif isinstance(node, ast.UnaryOp) and isinstance(node.op, (ast.Not, ast.USub)):
        yield ast.unparse(node.operand)
    elif isinstance(node, ast.Constant) and isinstance(node.value, bool):
        yield repr(not node.value)
    elif isinstance(node, ast.Constant) and isinstance(node.value, (int, float)):
        yield repr(node.value + 1)
    elif isinstance(node, ast.IfExp):
        yield ast.unparse(ast.IfExp(node.test, node.orelse, node.body))
    elif isinstance(node, ast.Lambda) and isinstance(node.body, ast.Name):
        yield ast.unparse(ast.Lambda(node.args, ast.UnaryOp(ast.USub(), node.body)))
    elif isinstance(node, (ast.If, ast.While)):
        # Only the condition is replaced; the node ends where its condition does.
        test = node.test
        node.end_lineno, node.end_col_offset = test.end_lineno, test.end_col_offset
        word = "while" if isinstance(node, ast.While) else "if"
        yield f"{word} not ({ast.unparse(test)})"
    elif isinstance(node, ast.AugAssign) and type(node.op) in OPERATORS:
        yield ast.unparse(ast.AugAssign(node.target, OPERATORS[type(node.op)](), node.value))
        yield "pass"
    elif is_effect(node):
        yield "pass"


def is_effect(node):
    """A statement without which the rest still runs."""
    if isinstance(node, ast.Assign):
        return not any(isinstance(t, (ast.Name, ast.Tuple)) for t in node.targets)
    if isinstance(node, ast.Expr):
        return not isinstance(node.value, ast.Constant)  # a docstring
    return isinstance(node, (ast.Raise, ast.Continue, ast.Break))


def sample(count, names, seed, root):
    """That many mutants, of each file its share."""
    every = {m: list(mutants(m, (root / f"{m}.py").read_text())) for m in names}
    total = sum(map(len, every.values()))
    chosen = []
    for module, found in every.items():
        share = min(len(found), round(count * len(found) / total + 0.5))
        chosen += sorted(Random(f"{seed} {module}").sample(found, share), key=lambda m: m.start)
    return chosen


# ---- the tests' turn -----------------------------------------------------------------------------


def copy_of_the_tree():
    """A directory with the library and its tests, where hypothesis loses no time on shrinking."""
    copy = Path(tempfile.mkdtemp(prefix="tinygrad_lr_mutants_"))
    for name in "tinygrad_lr", "tests":
        ignore = shutil.ignore_patterns("__pycache__")
        shutil.copytree(ROOT / name, copy / name, ignore=ignore)
    for path in [*ROOT.glob("*.cfg"), *ROOT.glob("*.toml"), *ROOT.glob("*.md")]:
        shutil.copy(path, copy)
    with (copy / "tests" / "conftest.py").open("a") as conftest:
        conftest.write(
            "\nfrom hypothesis import Phase\n"
            "settings.register_profile('mutants', parent=settings.get_profile('fixed'),\n"
            "    phases=[Phase.explicit, Phase.generate])\n"
            "settings.load_profile('mutants')\n"
        )
    return copy


def tests_of(module):
    """The tests of a module: FIRST, or those of its own name, or those of its whole folder."""
    folder, _, name = module.rpartition("/")
    own = f"{folder}/test_{name}".lstrip("/")
    default = own if (ROOT / "tests" / f"{own}.py").exists() else folder
    return FIRST.get(module, [default])


def passes(copy, modules, timeout, bytecode=False):
    """Do all tests pass, those of these modules first?"""
    first = [name for m in modules for name in tests_of(m)]
    rest = REST_OF_OPTIM if all(m.startswith("optim/") for m in modules) else REST
    names = list(dict.fromkeys([*first, *rest, *(REST_OF_OPTIM if len(modules) > 1 else [])]))
    files = [f"tests/{name}" + ".py" * ("test_" in name) for name in names]
    command = [sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider", *files]
    environment = dict(os.environ, PYTHONDONTWRITEBYTECODE="" if bytecode else "1")
    try:
        done = subprocess.run(
            command, cwd=copy, env=environment, capture_output=True, text=True, timeout=timeout
        )
    except subprocess.TimeoutExpired:
        return False
    if bytecode and done.returncode:
        sys.exit("The tests must pass before a fault is put in:\n" + done.stdout[-3000:])
    return done.returncode == 0


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--count", type=int, default=300, help="how many mutants")
    listed = "modules or folders, with commas: " + " ".join(MODULES)
    parser.add_argument("--only", default="", metavar="MODULES", help=listed)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--timeout", type=float, default=180.0, help="seconds for all tests")
    parser.add_argument("--json", type=Path, help="write what became of each mutant")
    options = parser.parse_args()
    only = set(options.only.split(",")) - {""}
    names = [m for m in MODULES if not only or only & {m, m.rpartition("/")[0]}]
    if not names:
        parser.error(f"no module {options.only}; there are {', '.join(MODULES)}")
    copy = copy_of_the_tree()
    library = copy / "tinygrad_lr"
    try:
        chosen = sample(options.count, names, options.seed, library)
        passes(copy, ["core/array", "optim/sgd"], None, bytecode=True)  # and their bytecode is kept
        fates = []
        for mutant in chosen:
            path = library / f"{mutant.module}.py"
            source = path.read_text()
            path.write_text(mutant.put_into(source))
            survived = passes(copy, [mutant.module], options.timeout)
            path.write_text(source)
            reason = EQUIVALENT.get((mutant.module, mutant.text, mutant.before, mutant.after))
            fate = "killed" if not survived else "equivalent" if reason else "survived"
            fates.append({**mutant._asdict(), "fate": fate})
            if survived:
                print(f"{fate}: {mutant}" + (f"  ({reason})" if reason else ""), flush=True)
            if options.json:
                options.json.write_text(json.dumps(fates, indent=1) + "\n")
        report(fates)
    finally:
        shutil.rmtree(copy)


def report(fates):
    """Killed and survived, by file; those known to be equivalent count as neither."""
    print(f"\n{'':20}{'killed':>9}{'survived':>9}{'equivalent':>11}{'':>7}")
    for module in [*dict.fromkeys(f["module"] for f in fates), "all"]:
        of = [f["fate"] for f in fates if module in (f["module"], "all")]
        killed, survived = of.count("killed"), of.count("survived")
        share = f"{killed / max(killed + survived, 1):7.1%}"
        print(f"{module:20}{killed:9}{survived:9}{of.count('equivalent'):11}{share:>7}")


if __name__ == "__main__":
    main()
