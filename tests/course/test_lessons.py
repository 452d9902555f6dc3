"""The lessons run one by one, with and without matplotlib, and all by `python -m examples`."""

import importlib.util
import re
import shutil
from pathlib import Path

import pytest
from lessons import EXAMPLES, LESSONS, ROOT, printed, run

each_lesson = pytest.mark.parametrize("lesson", LESSONS, ids=lambda path: path.stem)


def check_form(text):
    lines = text.splitlines()
    assert "What we learned" in lines and len(lines) <= 90
    assert all(len(line) <= 100 or line.startswith("picture: ") for line in lines)


@each_lesson
def test_without_matplotlib_pictures_are_left_out(lesson):
    text = printed(lesson)
    check_form(text)
    drawn = re.findall(r"^ *picture\(", lesson.read_text(encoding="utf-8"), re.M)
    assert text.count("matplotlib is not installed") == len(drawn)


@pytest.mark.skipif(not importlib.util.find_spec("matplotlib"), reason="needs matplotlib")
@each_lesson
def test_with_matplotlib_pictures_are_saved(lesson):
    done = run(lesson)
    assert (done.returncode, done.stderr) == (0, "")
    check_form(done.stdout)
    pictures = re.findall("^picture: (.*)$", done.stdout, re.M)
    assert all(Path(path).stat().st_size > 5000 for path in pictures)


@each_lesson
def test_a_lesson_asks_a_question_and_sets_exercises_that_are_checked(lesson):
    text = lesson.read_text(encoding="utf-8")
    assert "?" in text[: text.index("\n\n")]
    assert re.search("^ *assert ", text, re.M)
    end = text[text.index("\nExercises") : text.index('"""', 3)]
    exercises = re.findall(r"^\d\.  (\w+)", end, re.M)
    assert 2 <= len(exercises) <= 3
    checks = (ROOT / "tests" / "course" / "test_exercises.py").read_text(encoding="utf-8")
    for name in exercises:
        assert f"def test_{lesson.name[:2]}_{name}(" in checks
    assert max(map(len, text.splitlines())) <= 100


# ---- python -m examples ----------------------------------------------------------------------


def test_chosen_lessons_run_in_order():
    done = run("-m", "examples", "17", "14", hide=["matplotlib"])
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
    assert "all is well" not in done.stdout  # the output of a successful lesson is not shown
    assert "2 lessons, 1 failed" in done.stdout and "01_wrong.py" in done.stdout.splitlines()[-1]
    assert "all is well" in run("-m", "examples", "2", "--show", cwd=tmp_path).stdout
