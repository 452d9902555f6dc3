"""Settings of Sphinx, which `build.py` runs. The pages load nothing from the network."""

import re
from textwrap import indent

project = "tinygrad_lr"
extensions = [
    "sphinx.ext.autodoc", "sphinx.ext.viewcode", "sphinx_codeautolink", "sphinx_design",
    "myst_parser",
]  # fmt: skip
html_theme = "furo"
html_title = "tinygrad_lr"
html_static_path = ["static"]
html_css_files = ["style.css"]
html_show_sourcelink = html_copy_source = html_show_sphinx = False
html_show_copyright = False
default_role = "py:obj"  # `name` in a docstring becomes a link if an object has that name
suppress_warnings = ["ref.python"]  # several objects have the name `data`; the first is taken
pygments_style = "friendly"
autodoc_member_order = "bysource"
add_module_names = False
viewcode_follow_imported_members = False  # show the source of an operation in its own module
codeautolink_concat_default = True  # a lesson is one program
myst_heading_anchors = 2


def as_restructured_text(app, what, name, thing, options, lines):
    """Convert docstrings, which are written for `help()`.

    Indented paragraphs and tables stay as they are; special characters are escaped.
    """
    text = re.sub(r"^(\S.*:)\n(?=    \S)", r"\1\n\n", "\n".join(lines).strip("\n"), flags=re.M)
    told, in_list = [], False
    for paragraph in re.split(r"\n\n+", text):
        first = paragraph.splitlines()[0] if paragraph else ""
        in_list = bool(re.match(r"\d\.  ", first)) or (in_list and first.startswith("    "))
        is_table = len(re.findall(r"^\S.*?\S {2,}\S", paragraph, re.M)) > 1
        if first.lstrip().startswith(">>>"):
            told += [paragraph, ""]
        elif (first.startswith("    ") or is_table) and not in_list:
            told += [".. code-block:: text", "", indent(paragraph, "    "), ""]
        else:
            told += [*arguments(paragraph), ""]
    lines[:] = "\n".join(told).splitlines()


def arguments(paragraph):
    """Prose, in which lines that explain an argument ("`name`: ...") become items of a list."""
    paragraph = re.sub(r"^(?=Raises )", "\n", paragraph, flags=re.M)
    lines = [signs(line) for line in paragraph.splitlines()]
    if not re.match(r"`[^`]+`(, `[^`]+`)*:", lines[0]):
        return lines
    item = re.compile(r"`[^`]+`(, `[^`]+`)*:")
    told, margin = [], "  "
    for line in lines:
        margin = margin if line else ""  # "Raises ..." is not part of the last argument
        told.append("- " + line if item.match(line) else margin + line)
    return told


def signs(line):
    """Escape the star of *arguments, bars and final underscores outside of `names`."""
    parts = re.split(r"(`[^`]+`)", line)
    parts[::2] = [
        re.sub(r"(?<=\w)_(?!\w)|\||(?<!\w)\*+(?=\w+[,)])", r"\\\g<0>", part) for part in parts[::2]
    ]
    return "".join(parts)


def setup(app):
    app.connect("autodoc-process-docstring", as_restructured_text)
