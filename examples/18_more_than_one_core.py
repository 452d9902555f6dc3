"""Can several processes train one model, and do they get the same model?

The loss is a mean over the rows, and the gradient of a mean is the mean of the gradients. So we
can split the rows into parts, called shards. First we see why shards of different sizes need
weights. Then several processes train one model together. The weights stay the same up to
rounding. Time is saved only if each process has enough work.

Exercises (answers are checked by tests/course/test_exercises.py)
1.  merged(means, counts): the mean over all rows. Given are the mean of each shard and its
    number of rows.
2.  shard_sizes(rows, workers): split the rows into shards whose sizes differ by at most one.
    Return the sizes.
3.  speedup(workers, part): only this part of the work can be split among the workers. How many
    times faster can it be at most? (Amdahl's law)
"""

import os
from time import perf_counter

from course import picture, say, section, table

from tinygrad_lr import Array, Value, binary_cross_entropy_with_logits, grad
from tinygrad_lr.data import StandardScaler, load_breast_cancer
from tinygrad_lr.optim import SGD
from tinygrad_lr.training import DataParallel, minimize


def loss(X, y, w, b):
    """The loss of one shard. The worker processes import this file to find this function."""
    return binary_cross_entropy_with_logits(X @ w + b, y)


def learn(total, batches, epochs=25):
    """The weights, and the seconds of the fastest step (other programs may slow the rest down)."""
    w, b = Value([0.0] * 30), Value(0.0)
    optimizer, clock = SGD([w, b], lr=0.5), []

    def batch_loss(X, y):
        return total(X, y, w, b)

    def tick(history):
        clock.append(perf_counter())

    minimize(batch_loss, [w, b], batches, optimizer, epochs, [tick])
    return w.data, min(later - earlier for earlier, later in zip(clock, clock[1:]))


def shards_of(X, y, *cuts):
    """Split the rows at the cuts."""
    ends = [0, *cuts, len(y)]
    return [(Array(X.rows[i:j]), y[i:j]) for i, j in zip(ends, ends[1:])]


def main():
    """Run the lesson. It stands in a function, because the workers import this file."""
    X, y, *_ = load_breast_cancer()
    X = StandardScaler().fit_transform(X)
    many = Array(X.rows * 12), Array(y.tolist() * 12)  # the table twelve times over
    w, b = [0.1] * 30, 0.0

    section("1. The gradient of all rows is a weighted mean of the gradients of the shards")
    parts = shards_of(X, y, 100)  # 100 rows, and 469
    whole = grad(lambda w: loss(X, y, w, b))(w)
    small, large = [grad(lambda w, X=X, y=y: loss(X, y, w, b))(w) for X, y in parts]
    plain = (small + large) / 2.0
    weighted = small * (100 / 569) + large * (469 / 569)
    plain_error = max(map(abs, plain - whole))
    weighted_error = max(map(abs, weighted - whole))
    rows = [("plain mean", plain_error), ("weighted by the numbers of rows", weighted_error)]
    table(["gradients of 100 and of 469 rows", "error"], rows)

    section("2. The same training, by two processes")
    # Each step sends 31 numbers to a process and 31 back, whatever the number of rows.
    rows, weights = [], {}
    for X_, y_ in (X, y), many:
        size = len(y_)
        weights["one", size], alone = learn(loss, [(X_, y_)])
        with DataParallel(loss, shards_of(X_, y_, size // 2)) as parallel:
            shared = lambda _, __, w, b: parallel(w, b)
            weights["two", size], side_by_side = learn(shared, parallel.batches)
            weights["again", size], _ = learn(shared, parallel.batches)
        rows.append((size, 1000 * alone, 1000 * side_by_side, alone / side_by_side))
    table(["rows", "ms per step, 1 process", "2 processes", "times faster"], rows)

    section("3. Is it the same model?")
    apart = {
        size: max(map(abs, weights["one", size] - weights["two", size])) for size in (569, 6828)
    }
    same = all(weights["two", size] == weights["again", size] for size in apart)
    table(["rows", "largest difference of a weight"], apart.items())
    say(f"""A sum in another order is rounded differently, so the last digits may differ. But the
    gradients of the shards are always added in the same order, whichever process is first. Two
    runs give equal weights: {same}.""")

    section("The picture")

    def draw(axes):
        axes.bar(
            ["569 rows\n1 process", "2", "6828 rows\n1 process", "2 "],
            [rows[0][1], rows[0][2], rows[1][1], rows[1][2]],
            color=["C0", "C1"] * 2,
        )
        axes.set(ylabel="milliseconds per step", title="A step by one process and by two")

    picture("18_processes", draw)

    section("What we learned")
    say(f"""Weighted by the numbers of rows, the gradients of the shards give the gradient of all
    rows (to {weighted_error:.0e}). The plain mean is off by {plain_error:.3f}.""")
    say(f"""Two processes find the same weights as one (to {max(apart.values()):.0e}). A second run
    gives exactly the same numbers.""")
    say(f"""Compared with one process, two were {rows[0][3]:.1f} times as fast on 569 rows and
    {rows[1][3]:.1f} times on 6828 rows. They are faster only if a step takes much longer than the
    messages, and if cores are free (this computer has {os.cpu_count()}).""")

    assert weighted_error < 1e-12 < 1e-3 < plain_error
    assert max(apart.values()) < 1e-9 and same


if __name__ == "__main__":
    main()
