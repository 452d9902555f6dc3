"""How fast is a training step, in tinygrad_lr, at the limit of Python, and elsewhere?

    python tests/benchmarks/run.py                  all of it, some minutes
    python tests/benchmarks/run.py --quick --only logistic,chains
    python tests/benchmarks/run.py --contenders hand,fused,torch
    python tests/benchmarks/run.py --json times.json --picture times.png
    python tests/benchmarks/compare.py --against REV        two commits, side by side

A contender is a module of `contenders`; one whose library is missing is left out. All must
find the same losses and the same weights before a clock is started. What is learned stands in
`problems`, how time is taken in `measuring`, and what the numbers should be in `report`.
"""

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
from contextlib import suppress
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from math import isclose
from pathlib import Path

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))  # the library beside this file, not an installed one
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # read when numpy is imported

import iteration
import measuring
import problems
import report

CONTENDERS = [
    "hand", "any_size", "bare", "compiled", "fused", "composed", "numpy", "torch", "autograd",
    "sklearn", "micrograd", "scalar_engine", "lists",
]  # fmt: skip
PARTS = ["logistic", "softmax", "network", "scalars", "iteration", "gradient", "chains", "import"]


def main():
    options = arguments()
    contenders = installed(options.contenders)
    measure = dict(burst=0.004, rounds=61, seconds=6.0)  # see measuring.take_turns
    if options.quick:
        measure = dict(burst=0.002, rounds=9, seconds=1.0)
    results = {"machine": machine(contenders), "steps": [], "gradients": [], "chains": []}

    for problem in problems.of_kinds(options.only):
        measuring.progress(f"a step of {description(problem)}")
        results["steps"].append(step_times(problem, contenders, measure))
    if "scalars" in options.only and os.environ.get("TINYGRAD_LR_PLAIN") != "1":
        measuring.progress("the scalar network without core/fast.py")
        results["plain"] = times_in_a_plain_core(options.quick)
    if "iteration" in options.only:
        measuring.progress("iteration")
        results["iteration"] = iteration.measured(limit=0.1 if options.quick else 3.0)
    if "gradient" in options.only:
        for problem in problems.of_kinds(["logistic", "softmax", "network"]):
            measuring.progress(f"the gradient of {description(problem)}")
            results["gradients"].append(gradient_times(problem, measure))
    if "chains" in options.only:
        for length in problems.CHAINS[: 2 if options.quick else 3]:
            measuring.progress(f"a chain of {length}")
            rounds = 3 if options.quick or length == 1_000_000 else 11
            results["chains"].append(chain_times(length, contenders, rounds))
    if "import" in options.only:
        measuring.progress("import")
        sample = measuring.import_time(ROOT, 5 if options.quick else 25)
        results |= times_of({"import": sample})
    measuring.progress("")
    report.show(results)
    if options.json:
        options.json.write_text(json.dumps(results, indent=1) + "\n")
    if options.picture:
        report.draw(results, options.picture)


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    several = dict(type=lambda text: text.split(","))
    parser.add_argument("--only", default=PARTS, help=",".join(PARTS), **several)
    parser.add_argument("--contenders", default=CONTENDERS, help=",".join(CONTENDERS), **several)
    parser.add_argument("--quick", action="store_true", help="fewer and shorter rounds")
    parser.add_argument("--json", type=Path, metavar="PATH", help="write all numbers there")
    parser.add_argument("--picture", type=Path, metavar="PATH", help="draw time over batch size")
    options = parser.parse_args()
    for given, known in (options.only, PARTS), (options.contenders, CONTENDERS):
        if unknown := set(given) - set(known):
            parser.error(f"{', '.join(unknown)}? there are {', '.join(known)}")
    return options


def installed(names):
    """The modules of the contenders by name, without those whose library is not there."""
    found = {}
    for name in names:
        try:
            found[name] = import_module(f"contenders.{name}")
        except ImportError as error:
            print(f"left out: {name} ({error})", file=sys.stderr)
    return found


def machine(contenders):
    """What was measured where."""
    versions = {}
    for name in contenders:
        with suppress(PackageNotFoundError):  # one of ours
            versions[name] = version({"sklearn": "scikit-learn"}.get(name, name))
    return {
        "python": platform.python_version(), "system": platform.platform(), "versions": versions,
    }  # fmt: skip


# ---- do they all do the same? ------------------------------------------------------------


def agreeing(problem, contenders, steps=3):
    """The step of each contender, once all have made some and are at the same weights.

    Raises ValueError where one differs.
    """
    found, first, expected = {}, None, None
    for name, module in contenders.items():
        try:
            made = getattr(module, problem.kind, lambda problem: None)(problem)
        except NotImplementedError as reason:
            print(f"left out: {name} ({reason})", file=sys.stderr)
            continue
        if made is None:
            continue
        found[name], weights = made
        path = [[found[name]() for _ in range(steps)], list(weights())]
        first, expected = (name, path) if expected is None else (first, expected)
        for what, numbers, wanted in zip(["losses", "weights"], path, expected):
            if len(numbers) != len(wanted) or not all(map(same, numbers, wanted)):
                raise ValueError(f"{description(problem)}: {name} and {first} find other {what}")
    return found


def same(x, y):
    """The same but for rounding; None (scikit-learn tells no loss) is not compared."""
    return x is None or y is None or isclose(x, y, rel_tol=1e-9, abs_tol=1e-12)


# ---- results, as JSON knows them ---------------------------------------------------------


def times_of(samples):
    """By name: median and minimum in seconds, and how many times as long as each other."""
    return {
        name: {
            "median": sample.median,
            "minimum": sample.minimum,
            "over": {other: sample.over(samples[other]) for other in samples if other != name},
        }
        for name, sample in samples.items()
    }


def step_times(problem, contenders, measure):
    samples = measuring.take_turns(agreeing(problem, contenders), **measure)
    return {**description(problem), "times": times_of(samples)}


def times_in_a_plain_core(quick):
    """The scalar network in a fresh Python, where tinygrad_lr runs without core/fast.py.

    The contender runs there too, so that the ratio is that of one process.
    """
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "plain.json")
        command = [sys.executable, __file__, "--only", "scalars", "--json", path]
        command += ["--contenders", "scalar_engine,composed", *["--quick"] * quick]
        environment = {**os.environ, "TINYGRAD_LR_PLAIN": "1"}
        subprocess.run(command, check=True, env=environment, stdout=subprocess.DEVNULL)
        (step,) = json.loads(path.read_text())["steps"]
    return step["times"]


def gradient_times(problem, measure):
    """The fused loss of numbers, and the fused loss of Values with its backward pass."""
    loss, parameters = getattr(import_module("contenders.fused"), f"{problem.kind}_loss")(problem)
    numbers = [p.data for p in parameters]

    def together():
        for p in parameters:
            p.grad = None
        loss().backward()

    steps = {"value": lambda: loss(*numbers), "value and gradient": together}
    return {**description(problem), "times": times_of(measuring.take_turns(steps, **measure))}


def chain_times(length, contenders, rounds):
    """Seconds and bytes an operation, of each contender that knows chains."""
    chains = {}
    for name, module in contenders.items():
        if hasattr(module, "chain") and (pair := module.chain(length)) is not None:
            chains[name] = pair
    slopes = {name: float(backward(build())) for name, (build, backward) in chains.items()}
    if not all(same(slope, other) for slope in slopes.values() for other in slopes.values()):
        raise ValueError(f"the chains of {length} find other slopes: {slopes}")
    phases = measuring.chain_times(chains, length, rounds)
    results = {}
    for name, (build, _) in chains.items():
        results[name] = {phase: sample.median for phase, sample in phases[name].items()}
        visible = name != "torch"  # whose nodes are not in Python's memory
        results[name]["bytes"] = measuring.chain_bytes(build, length) if visible else None
    return {"length": length, "times": results}


def description(problem):
    """What names a problem in the results."""
    return {"kind": problem.kind, "features": problem.features, "batch": problem.size}


if __name__ == "__main__":
    main()
