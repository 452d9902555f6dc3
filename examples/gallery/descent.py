"""Draw the picture of the top page: gradient descent, and the separating line of each step.

    python examples/gallery/descent.py           writes descent.svg beside this file

The data are two kinds of iris with two standardised features. The model has two weights and no
bias. So the whole loss can be drawn as a map, and each point of the map is a line in the plane of
the data.
"""

from pathlib import Path

import matplotlib

from tinygrad_lr import Array, binary_cross_entropy_with_logits, value_and_grad
from tinygrad_lr.data import StandardScaler, load_iris

matplotlib.use("Agg")
from matplotlib import pyplot  # must come after `use`, which selects drawing to files

PATH = Path(__file__).with_suffix(".svg")
SHOWN = [0, 1, 3, 10, 30, 200]

data = load_iris()
kept = [i for i, kind in enumerate(data.y) if kind > 0.0]
X, y = StandardScaler().fit_transform(data.X[kept, 2:]), data.y[kept] - 1.0
loss = value_and_grad(lambda w: binary_cross_entropy_with_logits(X @ w, y))


def descent(w, rate, steps):
    """The weights after each step of gradient descent."""
    path = [w]
    for _ in range(steps):
        w = w - rate * loss(w)[1]
        path.append(w)
    return path


def draw_bowl(axes, path, colors):
    """Draw the loss as a map, and the path of gradient descent."""
    across, along = [i / 6 - 3.0 for i in range(71)], [i / 6 - 2.0 for i in range(67)]
    heights = [[loss(Array([a, b]))[0] for a in across] for b in along]
    lowest = loss(path[-1])[0]
    levels = [lowest + 0.004 * 2.0**k for k in range(11)]
    axes.contour(across, along, heights, levels=levels, colors="0.8", linewidths=0.8)
    axes.plot(*zip(*path), color="0.3", linewidth=1)
    for k, color in zip(SHOWN, colors):
        axes.plot(*path[k], "o", color=color)
        axes.annotate(f"step {k}", path[k], (6, -10), textcoords="offset points", color=color)
    axes.set(
        title="The loss is a bowl, and each step goes downhill",
        xlabel="weight of the length",
        ylabel="weight of the width",
    )


def draw_lines(axes, path, colors):
    """Draw the data, and the line w . x = 0 for some of the steps."""
    for label, sign in (0.0, "o"), (1.0, "^"):
        points = [row for row, target in zip(X.rows, y) if target == label]
        kind = data.target_names[int(label) + 1]
        axes.plot(*zip(*points), sign, color="0.6", markersize=5, label=kind)
    for k, color in zip(SHOWN, colors):
        a, b = path[k]
        reach = 5.0 / (a * a + b * b) ** 0.5
        axes.plot([b * reach, -b * reach], [-a * reach, a * reach], color=color)
    axes.set(
        title="Each step gives a separating line (same colour)",
        xlabel="petal length",
        ylabel="petal width",
        xlim=(-2.6, 2.6),
        ylim=(-2.6, 2.6),
    )
    axes.legend(loc="lower right")


def main():
    """Draw both halves and save them."""
    path = descent(Array([-1.5, 0.5]), 1.5, SHOWN[-1])
    colors = [pyplot.colormaps["plasma"](0.9 - 0.9 * i / len(SHOWN)) for i in range(len(SHOWN))]
    with pyplot.rc_context({"svg.hashsalt": "descent", "svg.fonttype": "none"}):
        figure, (left, right) = pyplot.subplots(ncols=2, figsize=(10, 4.6), layout="constrained")
        draw_bowl(left, path, colors)
        draw_lines(right, path, colors)
        figure.savefig(PATH, metadata={"Date": None})
    print(f"{PATH}: {PATH.stat().st_size / 1000:.0f} kB")


if __name__ == "__main__":
    main()
