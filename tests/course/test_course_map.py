"""The course's README: the lessons print its numbers, and its links have targets."""

import re
from functools import cache

import pytest
from lessons import EXAMPLES, LESSONS, ROOT, printed

PAGE = (EXAMPLES / "README.md").read_text(encoding="utf-8")
ROWS = [line for line in PAGE.splitlines() if re.search(r"\| \[\d\d", line)]
LINK = re.compile(r"\[([^\]]*)\]\(([^)]*)\)")


@cache
def sections(lesson):
    """The output of a lesson, split at the titles: a dict from section number to text."""
    text = printed(EXAMPLES / lesson)
    parts = re.split(r"^(.+)\n-{3,}$", text, flags=re.M)[1:]
    said = {"": text}
    for title, words in zip(parts[::2], parts[1::2]):
        said[title.split(".")[0]] = words
    return said


def is_printed(number, words):
    return re.search(rf"(?<![\w.]){re.escape(number)}(?!\w|[.,]\d)", words)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.strip("| ")[:60])
def test_each_number_is_printed_by_the_lesson_beside_it(row):
    (name, file), *others = LINK.findall(row)
    lesson, _, section = name.partition(" §")
    assert others == [] and file.startswith(f"{lesson}_")
    numbers = re.findall(r"\*\*([^*]*)\*\*", row)
    assert len(numbers) == 1
    rest = re.sub(r"\*\*[^*]*\*\*", "", LINK.sub("", row))
    assert not re.search(r"\d", rest), f"no test checks a number in: {rest}"
    assert section in sections(file), f"{file} has no section {section}"
    assert is_printed(numbers[0], sections(file)[section])


def test_every_lesson_has_one_line():
    contents = PAGE[: PAGE.index("## Where each claim")]
    files = [file for name, file in LINK.findall(contents) if name.isdigit()]
    assert files == [path.name for path in LESSONS]


@pytest.mark.parametrize("page", ["README.md", "examples/README.md"])
def test_every_link_leads_somewhere(page):
    path = ROOT / page
    text = re.sub(r"^```.*?^```", "", path.read_text(encoding="utf-8"), flags=re.M | re.S)
    for _, target in LINK.findall(text):
        if target.startswith("https://"):
            continue
        file, _, heading = target.partition("#")
        there = path.parent / file if file else path
        assert there.exists(), f"{page}: {target}"
        if heading:
            found = re.findall(r"^#+ (.*)$", there.read_text(encoding="utf-8"), re.M)
            slugs = [re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-") for title in found]
            assert heading in slugs, f"{page}: {target}"


def test_the_top_page_leads_here():
    assert "(examples/README.md" in (ROOT / "README.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("page", ["README.md", "examples/02_chain_rule.py"])
@pytest.mark.parametrize(
    "word", ["backpropagation", "vector-Jacobian product", "cotangent", "topological order"]
)
def test_the_words_that_readers_search_for_are_there(page, word):
    assert word in (ROOT / page).read_text(encoding="utf-8").replace("\n", " ")
