"""The form of a lesson: three to six numbered sections, at most ten lines of code in each."""

import ast
import io
import tokenize
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parents[2] / "examples"
LESSONS = sorted(EXAMPLES.glob("[0-9][0-9]_*.py"))
NO_CODE = {
    tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT,
    tokenize.ENDMARKER,
}  # fmt: skip
every_lesson = pytest.mark.parametrize("lesson", LESSONS, ids=lambda path: path.stem)


def code_lines(text):
    """The numbers of the lines where a statement begins; comments and docstrings do not count."""
    lines, begins = set(), True
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type == tokenize.NEWLINE:
            begins = True
        elif begins and token.type not in NO_CODE:
            lines.add(token.start[0])
            begins = False
    for node in ast.walk(ast.parse(text)):
        has_words = isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef)
        if has_words and ast.get_docstring(node):
            lines.difference_update(range(node.body[0].lineno, node.body[0].end_lineno + 1))
    return lines


def sections(text):
    """Pairs (title, line of its `section(`), from top to bottom."""
    calls = [node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Call)]
    found = [c for c in calls if isinstance(c.func, ast.Name) and c.func.id == "section"]
    return sorted(((c.args[0].value, c.lineno) for c in found), key=lambda pair: pair[1])


def test_lines_of_code_are_counted_as_people_count_them():
    docstring = '"""A\nB."""\n'
    function = f"def f():\n    {docstring}    return x\n"
    text = f"{docstring}\n# why\nx = [\n    1,\n]  # there\n\n{function}"
    assert code_lines(text) == {5, 9, 12}


@every_lesson
def test_a_section_has_at_most_ten_lines_of_code(lesson):
    text = lesson.read_text(encoding="utf-8")
    code, found = code_lines(text), sections(text)
    long = {}
    for (title, begin), (_, end) in zip(found, found[1:]):
        count = sum(begin < line < end for line in code)
        if count > 10:
            long[title] = count
    assert long == {}


@every_lesson
def test_a_line_holds_one_statement(lesson):
    text = lesson.read_text(encoding="utf-8")
    tokens = tokenize.generate_tokens(io.StringIO(text).readline)
    assert [t.start for t in tokens if t.type == tokenize.OP and t.string == ";"] == []


@every_lesson
def test_three_to_six_sections_are_numbered_and_the_last_says_what_we_learned(lesson):
    titles = [title for title, _ in sections(lesson.read_text(encoding="utf-8"))]
    numbered = [title for title in titles if title[0].isdigit()]
    assert 3 <= len(numbered) <= 6
    assert [title.split(". ")[0] for title in numbered] == list("123456"[: len(numbered)])
    assert titles[len(numbered) :] in (["The picture", "What we learned"], ["What we learned"])
