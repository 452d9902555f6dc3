"""How fast are rows read from a database, and how much memory does it take?

    python tests/benchmarks/sqlite_reading.py big.db [--table rows] [--batch-size 32]

The table is made if the file does not exist (1,000,000 x 30 by `make_table`). Printed are
rows a second, for shuffled epochs, in the order of the keys, and for single rows looked up
at random, which is what the shuffling of blocks is there to avoid; then the memory of the
process before and after, and the most that an epoch ever had allocated at once.

At least 150,000 shuffled rows a second, and less than 100 MB, are the promise.
"""

import argparse
import os
import random
import resource
import sys
import tracemalloc
from itertools import islice
from pathlib import Path
from time import perf_counter

from make_table import make_table

from tinygrad_lr.data import SQLiteBatches
from tinygrad_lr.data.sqlite import opened


def rows_a_second(batches):
    """Over one epoch."""
    start = perf_counter()
    rows = sum(len(y) for _, y in batches)
    return rows / (perf_counter() - start)


def single_rows_a_second(batches, rows, count=100_000):
    """Rows looked up one by one, anywhere in the table."""
    dice = random.Random(0)
    with opened(batches.path) as connection:
        connection.execute("BEGIN")
        start = perf_counter()
        for _ in range(count):
            key = dice.randrange(1, rows + 1)
            connection.execute(f"{batches._select} WHERE {batches.key} = ?", (key,)).fetchone()
        return count / (perf_counter() - start)


def megabytes():
    """The most memory that this process has had so far."""
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most / (2**20 if sys.platform == "darwin" else 2**10)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("path", type=Path)
    parser.add_argument("--table", default="rows")
    parser.add_argument("--target", default="target")
    parser.add_argument("--batch-size", type=int, default=32)
    parser.add_argument("--rounds", type=int, default=3)
    asked = parser.parse_args()
    if not asked.path.exists():
        print("making the table ...", flush=True)
        make_table(asked.path, asked.table, 1_000_000, 30)

    def reader(**options):
        return SQLiteBatches(
            asked.path, asked.table, None, asked.target, asked.batch_size, **options
        )

    rows = len(reader()) * asked.batch_size
    print(
        f"about {rows} x {len(reader().features)}, {asked.path.stat().st_size / 1e6:.0f} MB, ",
        end="",
    )
    print(
        f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores, Python {sys.version.split()[0]}"
    )
    before = megabytes()
    shuffled = max(rows_a_second(reader(seed=seed)) for seed in range(asked.rounds))
    in_order = max(rows_a_second(reader(shuffle=False)) for _ in range(asked.rounds))
    after = megabytes()
    single = single_rows_a_second(reader(), rows - asked.batch_size)
    print(f"shuffled        {shuffled:8.0f} rows a second")
    print(f"in order        {in_order:8.0f}")
    print(f"one by one      {single:8.0f}")
    print(f"process         {before:.0f} MB before, {after:.0f} MB at most")
    for share in 10, 1:
        tracemalloc.start()
        for _ in islice(reader(), len(reader()) // share):
            pass
        most = tracemalloc.get_traced_memory()[1] / 1e6
        tracemalloc.stop()
        print(f"allocated       {most:.1f} MB at most in 1/{share} of an epoch")


if __name__ == "__main__":
    main()
