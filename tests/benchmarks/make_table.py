"""Make a table to be read in `sqlite_reading`, or for `examples/train.py --database`.

    python tests/benchmarks/make_table.py big.db [--table rows] [--rows 1000000] [--features 30]

Columns x0, x1, ... are normally distributed, `target` is 1 with the probability that a
logistic regression with random weights says. Made row by row, so any number will do; a
million rows of 30 features are 290 MB and take half a minute.
"""

import argparse
import math
import random
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))  # the library beside this file

from tinygrad_lr.core.array import sumprod
from tinygrad_lr.data.sqlite import write_rows
from tinygrad_lr.core.numerics import sigmoid


def random_rows(count, features, seed=0):
    """Rows (x0, x1, ..., target), one after the other."""
    dice = random.Random(seed)
    weights = [dice.gauss(0.0, 2.0 / math.sqrt(features)) for _ in range(features)]
    for _ in range(count):
        row = [dice.gauss(0.0, 1.0) for _ in range(features)]
        row.append(float(dice.random() < sigmoid(sumprod(row, weights))))
        yield row


def make_table(path, table, rows, features, seed=0):
    """Write the table into a new or existing database."""
    columns = [f"x{j}" for j in range(features)] + ["target"]
    write_rows(path, table, columns, random_rows(rows, features, seed))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("path")
    parser.add_argument("--table", default="rows")
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--features", type=int, default=30)
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args()
    make_table(asked.path, asked.table, asked.rows, asked.features, asked.seed)


if __name__ == "__main__":
    main()
