"""Run lessons and other scripts as a student does. Each lesson runs once for all tests."""

import os
import subprocess
import sys
import tempfile
from functools import cache
from pathlib import Path

__all__ = ["EXAMPLES", "LESSONS", "ROOT", "printed", "run"]

ROOT = Path(__file__).parent.parent
EXAMPLES = ROOT / "examples"
LESSONS = sorted(EXAMPLES.glob("[0-9][0-9]_*.py"))


def run(*command, hide=(), cwd=ROOT):
    """Run `python command` and return the process. Modules named in `hide` cannot be imported."""
    with tempfile.TemporaryDirectory() as hiding:
        path = os.pathsep.join([hiding, str(ROOT)])
        for module in hide:
            Path(hiding, f"{module}.py").write_text("raise ImportError('hidden by a test')\n")
        return subprocess.run(
            [sys.executable, "-W", "error", *map(str, command)],
            capture_output=True,
            encoding="utf-8",
            env={**os.environ, "PYTHONPATH": path, "PYTHONUTF8": "1"},
            cwd=cwd,
            timeout=120,
        )


@cache
def printed(lesson):
    """The output of a lesson. It must succeed and print nothing to the error output."""
    done = run(lesson, hide=["matplotlib"])
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stderr == ""
    return done.stdout
