"""How `build.py` turns lessons into pages. Sphinx itself is not run."""

import importlib.util
from pathlib import Path

import pytest

import tinygrad_lr

EXAMPLES = Path(__file__).parents[2] / "examples"
LESSONS = [*sorted(EXAMPLES.glob("[0-9][0-9]_*.py")), EXAMPLES / "wrong_backward.py"]

spec = importlib.util.spec_from_file_location("build", EXAMPLES / "gallery" / "build.py")
build = importlib.util.module_from_spec(spec)
spec.loader.exec_module(build)


def without_signs(text):
    """Remove the characters that `build.py` adds for reStructuredText."""
    return text.replace("\\", "").replace("`", "")


def test_the_output_is_cut_at_the_titles():
    printed = "\n1. A\n----\none\n\n2. B\n----\ntwo\nthree\n"
    assert build.pieces_of_output(printed) == {"1. A": "\none\n\n", "2. B": "\ntwo\nthree\n"}


@pytest.mark.parametrize("lesson", LESSONS, ids=lambda path: path.stem)
def test_no_line_of_a_lesson_is_lost(lesson):
    text = lesson.read_text(encoding="utf-8")
    pieces = build.pieces_of_source(text)
    page = without_signs("\n".join(build.code_and_prose(source) for _, source in pieces))
    after = text[text.index('\n"""\n') + 5 :]
    for line in after.splitlines():
        words = without_signs(line.strip().removeprefix("# "))
        assert words in page or words.startswith("section("), line


def test_comments_that_begin_a_paragraph_are_prose():
    page = build.code_and_prose("# Why *now*?\n# Because.\nx = 1\n# a remark\ny = 2\n")
    prose, _, code = page.partition(".. code-block:: python")
    assert prose.strip() == "Why \\*now\\*?\nBecause."
    assert "x = 1" in code and "# a remark" in code


def test_the_body_of_a_function_is_set_out():
    assert build.set_out("    x = 1\n    y = 2\n\nz = 3\n").split("\n") == [
        "x = 1", "y = 2", "", "", "z = 3", ""
    ]  # fmt: skip


def test_the_reference_has_every_module_in_reading_order():
    names = build.in_reading_order(tinygrad_lr)
    assert names[:5] == ["core", "ops", "losses", "calculus", "gradcheck"] and names[-1] == "graph"
    folder = Path(tinygrad_lr.__file__).parent
    modules = {path.stem for path in folder.glob("*.py")} | {
        path.parent.name for path in folder.glob("*/__init__.py")
    }
    assert set(names) == modules - {"__init__"}


def test_the_picture_of_the_top_page_is_small():
    picture = EXAMPLES / "gallery" / "descent.svg"
    assert picture.read_text(encoding="utf-8").count("<path") > 10
    assert picture.stat().st_size < 100_000
