"""Build the course and the reference as web pages that open without a server.

    pip install -e '.[docs]'
    python examples/gallery/build.py             then open examples/output/html/index.html

The script runs each lesson as a student does. It splits the output and the source at the titles
of the sections. The page of a lesson shows, section by section, prose (the comments that begin a
paragraph), code, output and picture. Then Sphinx makes the pages, and the reference from the
docstrings.

sphinx-gallery is not used: it runs a script inside its own process, where the worker processes
of lesson 18 cannot start, and it needs scripts in a format of its own.
"""

import ast
import os
import re
import shutil
import subprocess
import sys
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules
from textwrap import dedent, indent

import tinygrad_lr

HERE = Path(__file__).parent
EXAMPLES = HERE.parent
SOURCE, HTML = EXAMPLES / "output" / "pages", EXAMPLES / "output" / "html"
SCRIPTS = ["train.py", "cluster.py", "course.py", "__main__.py"]


# ---- text ------------------------------------------------------------------------------------


def plain(text):
    """Text as reStructuredText: special characters are escaped, and `names` become code."""
    parts = re.split(r"`([^`]+)`", text)
    parts[::2] = [re.sub(r"([\\*|`])|(?<=\w)_(?!\w)", r"\\\g<0>", part) for part in parts[::2]]
    parts[1::2] = [f"``{part}``" for part in parts[1::2]]
    return "".join(parts)


def titled(title, line):
    """A title, underlined with this character."""
    return f"{plain(title)}\n{line * len(plain(title))}\n"


def block(directive, body, *options):
    """A directive with its body, or an empty string if the body is empty."""
    if not body.strip():
        return ""
    return f".. {directive}\n" + indent("\n".join([*options, "", body.strip("\n")]), "   ") + "\n"


def words(text):
    """Paragraphs of a docstring: prose; indented paragraphs stay as they are."""
    parts = []
    for paragraph in re.split(r"\n\n+", text.strip("\n")):
        if paragraph.startswith(" "):
            parts.append(block("code-block:: text", dedent(paragraph)))
        else:
            parts.append(plain(paragraph))
    return "\n\n".join(parts) + "\n"


def set_out(source):
    """Source that stands inside a function, without its indentation."""
    inside = re.match(r"(\n|[ ].*\n?)*", source)[0]
    return f"{dedent(inside)}\n{source[len(inside) :]}"


def code_and_prose(source):
    """A section of a lesson: comments that begin a paragraph become prose, the rest is code."""
    parts, lines = [], []

    def code():
        parts.append(block("code-block:: python", re.sub(r"\n{3,}", "\n\n", "\n".join(lines))))
        lines.clear()

    prose = []
    for line in [*set_out(source).strip("\n").splitlines(), ""]:
        begins = not any(lines) or not lines[-1]
        if line.startswith("# ") and (prose or begins) and not line.startswith("# ---"):
            prose.append(line[2:])
            continue
        if prose:
            code()
            parts.append(plain("\n".join(prose)) + "\n")
            prose = []
        lines.append(line)
    code()
    return "\n".join(parts)


# ---- lessons ---------------------------------------------------------------------------------


def run(script):
    """Run a lesson and return its output."""
    path = os.pathsep.join([str(EXAMPLES.parent), *filter(None, [os.environ.get("PYTHONPATH")])])
    return subprocess.run(
        [sys.executable, script], stdout=subprocess.PIPE, encoding="utf-8", check=True,
        env={**os.environ, "PYTHONPATH": path, "PYTHONUTF8": "1"},
    ).stdout  # fmt: skip


def pieces_of_source(text):
    """The source split at the titles: pairs (title or None, source), without the docstring."""
    tree = ast.parse(text)
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call)]
    found = sorted(
        (call.lineno, call.args[0].value)
        for call in calls if isinstance(call.func, ast.Name) and call.func.id == "section"
    )  # fmt: skip
    lines = text.splitlines()
    begins = [(tree.body[0].end_lineno, None), *found, (len(lines) + 1, None)]
    return [
        (title, "\n".join(lines[begin : end - 1]))
        for (begin, title), (end, _) in zip(begins, begins[1:])
    ]


def pieces_of_output(text):
    """The output split at the titles: a dict from title to text."""
    parts = re.split(r"^(.+)\n-{3,}$", text, flags=re.M)[1:]
    return dict(zip(parts[::2], parts[1::2]))


def lesson(script):
    """Write the page of a lesson; return its heading, its question and its picture's name."""
    name, text = script.stem, script.read_text(encoding="utf-8")
    document = ast.get_docstring(ast.parse(text))
    question, _, about = document.partition("\n\n")
    about, _, exercises = about.partition("\nExercises")
    number, said = name[:2] if name[0].isdigit() else "", pieces_of_output(run(script))
    heading = f"{number} {name[3:] if number else name}".replace("_", " ").strip()
    heading = re.sub(r"[a-z]", lambda m: m[0].upper(), heading, count=1)
    page = [titled(heading, "="), f".. rst-class:: question\n\n{plain(question)}\n", words(about)]
    pictures = []
    for title, source in pieces_of_source(text):
        printed = said.get(title, "")
        for path in re.findall(r"^picture: (.*)$", printed, re.M):
            shutil.copy(path, SOURCE / "lessons")
            pictures.append(Path(path).name)
        shown = re.sub(r"^picture: .*\n?", "", printed, flags=re.M)
        output = block("code-block:: text", shown, ":class: output")
        if title is None:
            page.append(code_and_prose(source))
        elif title == "What we learned":
            learned = plain(" ".join(shown.split()))
            page += [titled(title, "-"), block("rst-class:: learned", learned)]
            page.append(block("dropdown:: Code and assertions", code_and_prose(source)))
        else:
            page.append(f".. _lesson-{number}-{title.split('.')[0]}:\n\n{titled(title, '-')}")
            page += [code_and_prose(source), output]
            page += [f".. image:: {p}\n   :alt: {heading}\n" for p in pictures if p in printed]
    if exercises:
        checked, _, tasks = exercises.partition("\n")
        page += [titled("Exercises", "-"), plain(checked.strip(" ()").capitalize()) + ".\n"]
        names = re.compile(r"^(\d\.)  (\w+(?:\(.*?\))?): ", re.M)
        page.append(names.sub(r"\1  **\2**: ", plain(tasks)))
    (SOURCE / "lessons" / f"{name}.rst").write_text("\n".join(page), encoding="utf-8")
    return heading, question, pictures[0] if pictures else None


def card(name, heading, question, picture):
    """The card of a lesson on the front page."""
    options = [f":link: lessons/{name}", ":link-type: doc"]
    if picture:
        options.append(f":img-bottom: lessons/{picture}")
    return block(f"grid-item-card:: {heading}", plain(question), *options)


# ---- the other pages -------------------------------------------------------------------------


def claims():
    """Write the page of the claims: the course's README, with links to pages instead of scripts."""
    text = (EXAMPLES / "README.md").read_text(encoding="utf-8")
    text = re.sub(r"\[(\d\d) §(\d)\]\([^)]*\)", r"[\1 §\2](#lesson-\1-\2)", text)
    text = re.sub(r"\((\d\d_\w+|wrong_backward)\.py\)", r"(lessons/\1.rst)", text)
    text = re.sub(r"\((train|cluster|course)\.py\)", "(scripts.rst)", text)
    (SOURCE / "claims.md").write_text(text, encoding="utf-8")


def in_reading_order(package):
    """The modules of a package in the order of its docstring."""
    there = {module.name for module in iter_modules(package.__path__)}
    listed = re.findall(r"^    (\w+)", package.__doc__, re.M)
    return [name for name in dict.fromkeys(listed) if name in there] + sorted(there - {*listed})


def reference(package):
    """Write a page for a package and for each of its modules."""
    prefix, pages = package.__name__, []
    for name in in_reading_order(package):
        module = import_module(f"{prefix}.{name}")
        if hasattr(module, "__path__"):
            reference(module)
        else:
            page = f"{titled(module.__name__, '=')}\n.. automodule:: {module.__name__}\n"
            page += f"   :members: {', '.join(module.__all__)}\n"
            page += "   :ignore-module-all:\n"  # in the order in which they are written
            (SOURCE / "api" / f"{module.__name__}.rst").write_text(page, encoding="utf-8")
        pages.append(module.__name__)
    page = [titled(prefix, "="), f".. automodule:: {prefix}\n"]
    page.append(block("toctree::", "\n".join(pages), ":maxdepth: 1"))
    (SOURCE / "api" / f"{prefix}.rst").write_text("\n".join(page), encoding="utf-8")


def main():
    """Run the lessons, write the sources of the pages, and run Sphinx."""
    try:
        from sphinx.cmd.build import main as sphinx
    except ImportError:
        sys.exit("build.py needs Sphinx: pip install -e '.[docs]'")
    shutil.rmtree(SOURCE, ignore_errors=True)
    shutil.rmtree(HTML, ignore_errors=True)
    for folder in "lessons", "api":
        (SOURCE / folder).mkdir(parents=True)
    cards, pages = [], []
    for script in [*sorted(EXAMPLES.glob("[0-9][0-9]_*.py")), EXAMPLES / "wrong_backward.py"]:
        print(f"running {script.name}", flush=True)
        cards.append(card(script.stem, *lesson(script)))
        pages.append(f"lessons/{script.stem}")
    claims()
    reference(tinygrad_lr)
    listings = [titled("Scripts", "=")]
    for name in SCRIPTS:
        listings += [titled(name, "-"), f".. literalinclude:: {name}\n   :language: python\n"]
        shutil.copy(EXAMPLES / name, SOURCE)
    (SOURCE / "scripts.rst").write_text("\n".join(listings), encoding="utf-8")
    shutil.copy(HERE / "descent.svg", SOURCE)
    front = (HERE / "index.rst").read_text(encoding="utf-8")
    front += block("grid:: 1 2 2 3", "\n".join(cards), ":gutter: 3")
    front += "\n" + block("toctree::", "\n".join(pages), ":hidden:", ":caption: Lessons")
    front += "\n" + block("toctree::", "claims\nscripts", ":hidden:", ":caption: The course")
    front += "\n" + block("toctree::", "api/tinygrad_lr", ":hidden:", ":caption: Reference")
    (SOURCE / "index.rst").write_text(front, encoding="utf-8")
    failed = sphinx(["-q", "-W", "--keep-going", "-c", str(HERE), str(SOURCE), str(HTML)])
    if not failed:
        print(f"open {HTML / 'index.html'}")
    return failed


if __name__ == "__main__":
    sys.exit(main())
