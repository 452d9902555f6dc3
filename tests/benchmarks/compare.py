"""What became faster or slower since another commit? Both are measured in one run.

    python tests/benchmarks/compare.py --against REV                   all parts, some minutes
    python tests/benchmarks/compare.py --against REV chains scalars    some parts
    python tests/benchmarks/compare.py --against REV --quick

REV is checked out into a temporary folder and compared with the working tree. The benchmark
code is that of the working tree in both cases; only `tinygrad_lr` is imported from another
place. Each tree has a process of its own, both on one processor, and the two are timed in turns,
a burst of some milliseconds each, so both meet the same machine. A process may be fast or slow
as a whole (where its memory lies, how its strings are hashed), so all is repeated with fresh
pairs of processes.

The noise is the most that a contender moves that is the same in both trees (it imports nothing
of tinygrad_lr), at least 2 %. A figure has moved if each pair of processes says that it moved
by more than the noise.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from contextlib import contextmanager, redirect_stderr
from io import StringIO
from pathlib import Path
from statistics import median
from time import perf_counter

import measuring

ROOT = Path(__file__).resolve().parents[2]
PARTS = ["logistic", "softmax", "network", "scalars", "iteration", "chains", "import"]
OURS = ["compiled", "fused", "composed", "lists"]
CONTROLS = ["hand", "scalar_engine"]  # they import nothing of tinygrad_lr
CHAIN, ELEMENTS = 10_000, 1000  # sizes that take some milliseconds


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("parts", nargs="*", metavar="PART", help=" ".join(PARTS))
    parser.add_argument("--against", required=True, metavar="REV", help="the commit before")
    parser.add_argument("--quick", action="store_true", help="fewer rounds, fewer processes")
    options = parser.parse_args()
    parts = options.parts or PARTS
    if unknown := set(parts) - set(PARTS):
        parser.error(f"{', '.join(unknown)}? there are {', '.join(PARTS)}")
    pairs, rounds, seconds = (3, 5, 0.3) if options.quick else (5, 15, 1.5)
    found = {}
    with checked_out(options.against) as tree:
        for pair in range(pairs):
            roots = [tree, ROOT] if pair % 2 else [ROOT, tree]  # who begins may be faster
            with Tree(roots[0], parts) as one, Tree(roots[1], parts) as other:
                before, now = (one, other) if pair % 2 else (other, one)
                for name in [name for name in before.figures if name in now.figures]:
                    measuring.progress(f"{pair + 1}/{pairs}: {name}")
                    found.setdefault(name, []).append(taken(name, before, now, rounds, seconds))
                alone = [name for name in now.figures if name not in before.figures]
    measuring.progress("")
    show(found, options.against, alone)


@contextmanager
def checked_out(revision):
    """A folder with the tree of this commit, for as long as the block lasts."""
    with tempfile.TemporaryDirectory() as folder:
        git = ["git", "-C", str(ROOT), "worktree"]
        tree = Path(folder, "tree")
        done = subprocess.run([*git, "add", "--quiet", "--detach", tree, revision], check=False)
        if done.returncode:
            sys.exit(f"git finds no commit {revision}")
        try:
            yield tree
        finally:
            subprocess.run([*git, "remove", "--force", tree], check=True)


class Tree:
    """A process that imports tinygrad_lr from this tree and times what it is told to."""

    def __init__(self, root, parts):
        self.root = root
        command = [sys.executable, __file__, "--worker", root, *parts]
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self.figures = self.answer()
        if "import" in parts:
            self.figures.append("import")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.stdin.close()
        self.process.wait()
        self.process.stdout.close()

    def answer(self):
        line = self.process.stdout.readline()
        return json.loads(line) if line else sys.exit(f"the benchmark does not run in {self.root}")

    def seconds(self, name):
        """What this figure takes, a burst long."""
        if name == "import":
            return measuring.import_time(self.root, 1).median
        print(name, file=self.process.stdin, flush=True)
        return self.answer()


def taken(name, before, now, rounds, seconds):
    """The medians of both trees, and how many times as long it takes now."""
    times, end = [], perf_counter() + seconds
    while len(times) < rounds and (len(times) < 3 or perf_counter() < end):
        order = [before, now] if len(times) % 2 else [now, before]
        both = {tree: tree.seconds(name) for tree in order}
        times.append((both[before], both[now]))
    return *map(median, zip(*times)), median(new / old for old, new in times)


# ---- inside the process of a tree --------------------------------------------------------


def work(root, parts):
    """Print the names of the figures; then, for each name that comes in, the seconds it takes."""
    sys.path.insert(0, root)
    import tinygrad_lr

    assert Path(tinygrad_lr.__file__).is_relative_to(root), tinygrad_lr.__file__
    if hasattr(os, "sched_setaffinity"):  # Linux
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    with redirect_stderr(StringIO()):  # the table shows who is left out
        steps = dict(figures(parts))
    counts = {}
    with measuring.settled():
        print(json.dumps(list(steps)), flush=True)
        for line in sys.stdin:
            name = line.strip()
            if name not in counts:
                counts[name] = measuring.steps_in_a_burst(steps[name], 0.004)
            print(json.dumps(measuring.timed(steps[name], counts[name])), flush=True)


def figures(parts):
    """Pairs of the name of a figure, and the function that is timed for it."""
    import iteration
    import problems
    import run
    from contenders import composed

    contenders = run.installed([*CONTROLS, *OURS])
    for problem in problems.of_kinds(parts):
        rows = f"{problem.size} row{'s' * (problem.size > 1)}"
        for name, step in run.agreeing(problem, contenders).items():
            yield f"{problem.kind}, {problem.features} inputs, {rows}: {name}", step
    if "iteration" in parts:
        for way, built in iteration.WAYS.items():
            yield f"{way} of {ELEMENTS:,} elements, backward", backward_again(*built(ELEMENTS))
    if "chains" in parts:
        build, backward = composed.chain(CHAIN)
        yield f"a chain of {CHAIN:,} operations", lambda: backward(build())


def backward_again(v, total):
    def step():
        v.zero_grad()
        total.backward()

    return step


# ---- what is printed ---------------------------------------------------------------------


def show(found, revision, alone):
    """All figures, and which of them moved by more than the noise."""
    ratios = {name: [ratio for *_, ratio in pairs] for name, pairs in found.items()}
    moves = [abs(median(ratios[name]) - 1.0) for name in found if is_control(name)]
    noise = max([0.02, *moves])
    print(f"{'':48}{revision[:12]:>13}{'now':>13}{'times':>8}")
    slower = faster = 0
    for name, pairs in found.items():
        old, new, times = map(median, zip(*pairs))
        up = min(ratios[name]) > 1.0 + noise and not is_control(name)
        down = max(ratios[name]) < 1.0 - noise and not is_control(name)
        slower, faster = slower + up, faster + down
        note = "  slower" if up else "  faster" if down else ""
        micros = f"{old * 1e6:10.1f} µs{new * 1e6:10.1f} µs"
        print(f"{name:48}{micros}{times:8.2f}{note}")
    for name in alone:
        print(f"{name:48}{'-':>10}    only now")
    print(f"\nThe noise is {noise:.1%}. Faster {faster}, slower {slower}, of {len(found)} figures.")


def is_control(name):
    return name.rpartition(": ")[2] in CONTROLS


if __name__ == "__main__":
    if sys.argv[1:2] == ["--worker"]:
        work(sys.argv[2], sys.argv[3:])
    else:
        main()
