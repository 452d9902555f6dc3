"""Write the package's three data tables from the copies in scikit-learn's wheel.

    pip install scikit-learn && python tests/reference/make_tables.py [directory]

scikit-learn is needed here and nowhere else; no network. Each table is a CSV: a header
with the feature names, one row a sample, the class code last under the name `target`.
Floats are written by `repr`, so that reading them gives the same bits, and whole
columns of whole numbers without a point (digits). Running it twice gives the same
bytes. The notes beside the tables (`iris.md`, ...) are written by hand.
"""

import csv
import sys
from pathlib import Path

from sklearn.datasets import load_breast_cancer, load_digits, load_iris

TABLES = Path(__file__).resolve().parents[2] / "tinygrad_lr" / "data" / "tables"
LOADERS = {
    "breast_cancer": load_breast_cancer,
    "iris": load_iris,
    "digits": load_digits,
}


def write_table(path, bunch):
    """Write one scikit-learn `Bunch` as a CSV file at `path`."""
    features = bunch.data
    if (features == features.round()).all():
        features = features.astype(int)
    with open(path, "w", newline="", encoding="ascii") as file:
        rows = csv.writer(file, lineterminator="\n")
        rows.writerow([*bunch.feature_names, "target"])
        for x, y in zip(features.tolist(), bunch.target.tolist(), strict=True):
            rows.writerow([*map(repr, x), y])


if __name__ == "__main__":
    directory = Path(sys.argv[1]) if len(sys.argv) > 1 else TABLES
    for name, load in LOADERS.items():
        write_table(directory / f"{name}.csv", load())
