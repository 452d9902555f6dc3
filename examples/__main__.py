"""Run all lessons in order and report failures: `python -m examples`.

Numbers choose lessons: `python -m examples 12 14`. The output of a lesson is shown if it fails;
with --show it is always shown. The exit code is 1 if a lesson failed.
"""

import os
import subprocess
import sys
from pathlib import Path
from time import perf_counter

HERE = Path(__file__).parent
LIMIT = 60.0  # seconds after which a lesson is stopped


def lessons(chosen):
    """The scripts with the chosen numbers, in order; all scripts if no number is given."""
    scripts = sorted(HERE.glob("[0-9][0-9]_*.py"))
    numbers = {script.name[:2] for script in scripts}
    wanted = {number.zfill(2) for number in chosen}
    if unknown := sorted(wanted - numbers):
        sys.exit(f"there is no lesson {', '.join(unknown)}; there are {', '.join(sorted(numbers))}")
    return [script for script in scripts if not wanted or script.name[:2] in wanted]


def run(script):
    """Run a lesson: its output, and True if it succeeded."""
    path = os.pathsep.join([str(HERE.parent), *filter(None, [os.environ.get("PYTHONPATH")])])
    try:
        done = subprocess.run(
            [sys.executable, script],
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=LIMIT, check=False,
            env={**os.environ, "PYTHONPATH": path, "PYTHONIOENCODING": "utf-8"}, encoding="utf-8",
        )  # fmt: skip
    except subprocess.TimeoutExpired as late:
        said = late.stdout or b""  # bytes, whatever text= says
        said = said if isinstance(said, str) else said.decode("utf-8", "replace")
        return f"{said}\nnot done after {LIMIT:g} seconds", False
    return done.stdout, done.returncode == 0


def main(words):
    """Run the lessons one by one and return the exit code."""
    show = "--show" in words
    scripts = lessons([word for word in words if word != "--show"])
    failed, begin = [], perf_counter()
    for count, script in enumerate(scripts, 1):
        title = script.stem[3:].replace("_", " ")
        print(f"[{count:2}/{len(scripts)}] {script.name[:2]} {title:40}", end="", flush=True)
        start = perf_counter()
        said, well = run(script)
        print(f" {perf_counter() - start:5.1f} s   {'ok' if well else 'FAILED'}", flush=True)
        if not well:
            failed.append(script)
        if show or not well:
            print(f"\n{said.strip()}\n")
    print(f"{len(scripts)} lessons, {len(failed)} failed, {perf_counter() - begin:.1f} s")
    for script in failed:
        print(f"  failed: python {script}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
