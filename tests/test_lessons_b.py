"""The second half of the lessons, each run as a student runs it; and all of them in one go."""

import importlib.util
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
EXAMPLES = ROOT / "examples"
NUMBERS = ["02", "09", "10", "12", "14", "15", "16", "17", "18"]
LESSONS = [path for path in sorted(EXAMPLES.glob("[0-9][0-9]_*.py")) if path.name[:2] in NUMBERS]


def run(*command, path=(), cwd=ROOT):
    """The finished process; `path` goes before the checkout."""
    paths = os.pathsep.join(map(str, [*path, ROOT]))
    return subprocess.run(
        [sys.executable, *map(str, command)],
        capture_output=True,
        encoding="utf-8",
        env={**os.environ, "PYTHONPATH": paths, "PYTHONUTF8": "1"},
        cwd=cwd,
        timeout=120,
    )


@pytest.fixture
def hidden(tmp_path):
    """A folder that hides matplotlib from who imports from it first."""
    (tmp_path / "matplotlib.py").write_text("raise ImportError('hidden by a test')\n")
    return tmp_path


def check(done):
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stderr == ""
    lines = done.stdout.splitlines()
    assert "What we learned" in lines
    assert len(lines) <= 90
    for line in lines:
        assert len(line) <= 100 or line.startswith("picture: ")


@pytest.mark.parametrize("lesson", LESSONS, ids=lambda path: path.stem)
def test_lesson_without_extras(lesson, hidden):
    done = run(lesson, path=[hidden])
    check(done)
    drawn = re.findall(r"^ *picture\(", lesson.read_text(encoding="utf-8"), re.M)
    assert done.stdout.count("matplotlib is not installed") == len(drawn)


@pytest.mark.skipif(not importlib.util.find_spec("matplotlib"), reason="needs matplotlib")
@pytest.mark.parametrize("lesson", LESSONS, ids=lambda path: path.stem)
def test_lesson_with_pictures(lesson):
    done = run("-W", "error", lesson)
    check(done)
    assert "matplotlib" not in done.stdout
    for line in done.stdout.splitlines():
        if line.startswith("picture: "):
            assert Path(line.removeprefix("picture: ")).stat().st_size > 5000


@pytest.mark.parametrize("lesson", LESSONS, ids=lambda path: path.stem)
def test_lesson_asks_a_question_and_sets_exercises(lesson):
    text = lesson.read_text(encoding="utf-8")
    assert "?" in text[: text.index("\n\n")]
    assert "\nExercises" in text and re.search("^ *assert ", text, re.M)
    assert max(map(len, text.splitlines())) <= 100


# ---- python -m examples ----------------------------------------------------------------------


def test_chosen_lessons_run_in_order(hidden):
    done = run("-m", "examples", "17", "14", path=[hidden])
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.index(" 14 ") < done.stdout.index(" 17 ")
    assert "2 lessons, 0 failed" in done.stdout


def test_an_unknown_lesson_is_refused():
    done = run("-m", "examples", "99")
    assert done.returncode == 1
    assert "there is no lesson 99" in done.stderr


def test_a_failing_lesson_is_shown_and_the_others_still_run(tmp_path):
    folder = tmp_path / "examples"
    folder.mkdir()
    shutil.copy(EXAMPLES / "__main__.py", folder)
    (folder / "01_wrong.py").write_text("print('so far so good')\nassert 1 + 1 == 3\n")
    (folder / "02_right.py").write_text("import tinygrad_lr\nprint('all is well')\n")
    done = run("-m", "examples", cwd=tmp_path)
    assert done.returncode == 1
    assert "so far so good" in done.stdout and "AssertionError" in done.stdout
    assert "all is well" not in done.stdout  # what went well is not shown
    assert "2 lessons, 1 failed" in done.stdout and "01_wrong.py" in done.stdout.splitlines()[-1]
    assert "all is well" in run("-m", "examples", "2", "--show", cwd=tmp_path).stdout
