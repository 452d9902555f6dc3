"""How much faster is the gradient of 200,000 x 30 rows in two processes than in one?

    python tests/benchmarks/data_parallel.py [--rows 200000] [--features 30] [--processes 2]

One process means the plain loss on all rows, without `DataParallel`. Both take turns, so
that what else the machine does hits both, and the best of the rounds counts. At least 1.7
on two idle cores is the promise; the load of the machine is printed with the result.
"""

import argparse
import os
import random
import sys
from pathlib import Path
from time import perf_counter

sys.path.insert(0, str(Path(__file__).parents[2]))  # the library beside this file

from tinygrad_lr import Value, affine, binary_cross_entropy_with_logits
from tinygrad_lr.core.array import from_flat, numbers
from tinygrad_lr.training import DataParallel


def loss(X, y, w, b):
    """The mean cross-entropy of some rows."""
    return binary_cross_entropy_with_logits(affine(X, w, b), y)


def some_rows(count, features, seed):
    """Random rows; the label says on which side of a plane a row lies, mostly."""
    gauss = random.Random(seed).gauss
    flat = [gauss(0.0, 1.0) for _ in range(count * features)]
    labels = [float(flat[i * features] + gauss(0.0, 1.0) > 0.0) for i in range(count)]
    return from_flat(flat, (count, features)), from_flat(labels, (count,))


def joined(shards):
    """All shards as one."""
    flat = numbers(X for X, _ in shards)
    labels = numbers(y for _, y in shards)
    return from_flat(flat, (len(labels), shards[0][0].shape[1])), from_flat(labels, (len(labels),))


def seconds(loss_of, parameters):
    """How long a loss and its gradient take."""
    start = perf_counter()
    for p in parameters:
        p.zero_grad()
    loss_of(*parameters).backward()
    return perf_counter() - start


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=200_000)
    parser.add_argument("--features", type=int, default=30)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=10)
    asked = parser.parse_args()

    each = asked.rows // asked.processes
    shards = [some_rows(each, asked.features, seed) for seed in range(asked.processes)]
    X, y = joined(shards)
    parameters = Value([0.01] * asked.features), Value(0.0)

    def plain(w, b):
        return loss(X, y, w, b)

    with DataParallel(loss, shards) as parallel:
        for warm_up in plain, parallel:  # columns are cut, shards travel
            print(f"first step: {seconds(warm_up, parameters):.2f} s")
        times = [
            (seconds(plain, parameters), seconds(parallel, parameters)) for _ in range(asked.rounds)
        ]
    one, many = (min(column) for column in zip(*times))
    print(
        f"{len(y)} x {asked.features} rows, load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores"
    )
    print(f"one process    {1000 * one:7.1f} ms a step")
    print(
        f"{asked.processes} processes    {1000 * many:7.1f} ms a step, "
        f"{one / many:.2f} times as fast"
    )


if __name__ == "__main__":
    main()
