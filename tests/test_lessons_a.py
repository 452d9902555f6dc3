"""The first half of the lessons, each run as a student runs it, with and without matplotlib."""

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
NUMBERS = ["01", "03", "04", "05", "06", "07", "08", "11", "13"]
LESSONS = [min((ROOT / "examples").glob(f"{number}_*.py")) for number in NUMBERS]


def run(lesson, *path):
    """What the lesson printed; nothing may go wrong, and nothing be said on the side."""
    done = subprocess.run(
        [sys.executable, "-W", "error", lesson],
        capture_output=True,
        encoding="utf-8",
        env={**os.environ, "PYTHONPATH": os.pathsep.join(map(str, [*path, ROOT]))},
        timeout=120,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stderr == ""
    lines = done.stdout.splitlines()
    assert "What we learned" in lines and len(lines) <= 72
    assert all(len(line) <= 100 or line.startswith("picture: ") for line in lines)
    return lines


@pytest.mark.parametrize("lesson", LESSONS, ids=lambda path: path.stem)
def test_first_half_without_matplotlib(lesson, tmp_path):
    (tmp_path / "matplotlib.py").write_text("raise ImportError('hidden by a test')\n")
    lines = run(lesson, tmp_path)
    assert sum("matplotlib is not installed" in line for line in lines) == 1
    assert not any(line.startswith("picture: ") for line in lines)


@pytest.mark.skipif(not importlib.util.find_spec("matplotlib"), reason="needs matplotlib")
@pytest.mark.parametrize("lesson", LESSONS, ids=lambda path: path.stem)
def test_first_half_with_pictures(lesson):
    (path,) = [line[9:] for line in run(lesson) if line.startswith("picture: ")]
    assert Path(path).stat().st_size > 5000


@pytest.mark.parametrize("lesson", LESSONS, ids=lambda path: path.stem)
def test_first_half_asks_and_sets_exercises_that_are_checked(lesson):
    text = lesson.read_text(encoding="utf-8")
    question = text[3 : text.index("\n\n")]
    exercises = text[text.index("\nExercises") : text.index('"""', 3)]
    assert "?" in question and "\nassert " in text
    assert all(f"\n{k}.  " in exercises for k in (1, 2, 3))
    checks = (ROOT / "tests" / "test_exercises_a.py").read_text(encoding="utf-8")
    for k in 1, 2, 3:
        name = exercises.split(f"\n{k}.  ")[1].split("(")[0]
        assert f'def test_{lesson.name[:2]}_{name}(' in checks
    assert max(map(len, text.splitlines())) <= 100
