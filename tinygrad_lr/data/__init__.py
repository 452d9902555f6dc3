"""Data: tables in the package, tables of your own, batches, scaling.

    load_breast_cancer load_iris load_digits     real tables, in the package
    read_csv                                     a table of your own
    train_test_split                             rows to learn from, rows to test on
    StandardScaler                               features of one scale
    Batches                                      the rows that each gradient sees
    SQLiteBatches write_sqlite                   batches from a database larger than memory

In the modules, in reading order:

    table       Dataset, and the lines of a CSV file
    reading     tables of your own
    datasets    the tables in the package
    batches     which rows each gradient sees
    scaling     features of one scale
    sqlite      rows from a database
"""

from ..losses.checks import check_data, check_matrix
from .batches import Batches, train_test_split
from .datasets import load_breast_cancer, load_digits, load_iris
from .reading import read_csv
from .scaling import StandardScaler
from .sqlite import SQLiteBatches, write_sqlite
from .table import Dataset

__all__ = [
    "Batches", "Dataset", "SQLiteBatches", "StandardScaler", "check_data", "check_matrix",
    "load_breast_cancer", "load_digits", "load_iris", "read_csv", "train_test_split",
    "write_sqlite",
]  # fmt: skip
