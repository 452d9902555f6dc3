"""Three real tables in the package; nothing is downloaded.

>>> data = load_breast_cancer()
>>> data
Dataset(569 rows, 30 features, target 0: malignant, 1: benign)
>>> data.feature_names[:2], data.X[0, :2]
(('mean radius', 'mean texture'), Array([17.99, 10.38]))

`.description` says where each comes from, its units and its licence.
"""

from __future__ import annotations

from importlib.resources import as_file, files

from .reading import read_csv
from .table import Dataset

__all__ = ["load_breast_cancer", "load_digits", "load_iris"]


def load_breast_cancer() -> Dataset:
    """569 tumours, 30 features of their cell nuclei; malignant (0) or benign (1)."""
    return _load("breast_cancer", ("malignant", "benign"))


def load_iris() -> Dataset:
    """150 flowers, 4 lengths in centimetres; setosa (0), versicolor (1) or virginica (2)."""
    return _load("iris", ("setosa", "versicolor", "virginica"))


def load_digits() -> Dataset:
    """1797 written digits, 8 x 8 pixels from 0 to 16; the digit, 0 to 9."""
    return _load("digits", tuple("0123456789"))


def _load(name: str, target_names: tuple[str, ...]) -> Dataset:
    tables = files(__package__) / "tables"
    with as_file(tables / f"{name}.csv") as path:
        table = read_csv(path, target="target")
    description = (tables / f"{name}.md").read_text(encoding="utf-8")
    return table._replace(target_names=target_names, description=description)
