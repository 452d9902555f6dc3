"""What all lessons share: titles, sentences, tables, pictures. No mathematics."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

__all__ = ["OUTPUT", "picture", "say", "section", "table"]

OUTPUT = Path(__file__).parent / "output"


def section(title: str) -> None:
    """Print an underlined title."""
    print(f"\n{title}\n{'-' * len(title)}")


def say(text: str) -> None:
    """Print a paragraph of prose, wrapped at 92 letters; line breaks in `text` do not count."""
    print(textwrap.fill(" ".join(text.split()), 92))


def table(header: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """Print rows under a header. Columns of numbers are aligned right, others left."""
    lines = [[str(h) for h in header]]
    numeric = [True] * len(header)
    for row in rows:
        numeric = [n and not isinstance(v, str) for n, v in zip(numeric, row)]
        lines.append([f"{v:.4g}" if isinstance(v, float) else str(v) for v in row])
    widths = [max(map(len, column)) for column in zip(*lines)]
    for line in lines:
        cells = [c.rjust(w) if n else c.ljust(w) for c, w, n in zip(line, widths, numeric)]
        print("  " + "   ".join(cells).rstrip())


def picture(name: str, draw: Callable[[Any], None], **subplots: Any) -> None:
    """Call `draw(axes)` and save the picture as examples/output/NAME.png.

    Without matplotlib it only prints a note. `subplots` is passed on to `pyplot.subplots`; with
    `ncols=2`, `draw` gets a pair of axes. Axes whose lines have labels get a legend.
    """
    try:
        import matplotlib
    except ImportError:
        print(f"(no picture {name!r}: matplotlib is not installed)")
        return
    matplotlib.use("Agg")
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(layout="constrained", **subplots)
    draw(axes)
    for ax in figure.axes:
        if ax.get_legend_handles_labels()[0]:
            ax.legend()
    OUTPUT.mkdir(exist_ok=True)
    path = OUTPUT / f"{name}.png"
    figure.savefig(path, dpi=110)
    pyplot.close(figure)
    print(f"picture: {path}")
