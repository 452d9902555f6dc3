"""Can several processors learn one model, and is it still the same model?

The loss is a mean over rows, and the slope of a mean is the mean of slopes: so rows can be
shared out. We split a table, fall into the trap of unequal shares, then let processes work
side by side: the weights stay the same to the last digits, and time is saved only where
there is enough to do.

Exercises (answers are checked by tests/course/test_exercises.py)
1.  merged(means, counts): the mean over all rows, from the means of the shards and their rows.
2.  shares(rows, workers): the sizes of shards that differ by at most one row and add up.
3.  speedup(workers, part): how many times faster at most, if only this part of the work can
    be shared out (Amdahl's law)?
"""

import os
from time import perf_counter

from course import picture, section, table

from tinygrad_lr import Array, Value, binary_cross_entropy_with_logits, grad
from tinygrad_lr.data import StandardScaler, load_breast_cancer
from tinygrad_lr.optim import SGD
from tinygrad_lr.training import DataParallel, minimize


def loss(X, y, w, b):
    """Of the rows of one shard. Workers import this file to find it: it stands at the top."""
    return binary_cross_entropy_with_logits(X @ w + b, y)


def learn(total, batches, epochs=25):
    """The weights, and the seconds of a step: the fastest, as others may use the machine too."""
    w, b = Value([0.0] * 30), Value(0.0)
    optimizer, clock = SGD([w, b], lr=0.5), []
    tick = lambda history: clock.append(perf_counter())
    minimize(lambda X, y: total(X, y, w, b), [w, b], batches, optimizer, epochs, [tick])
    return w.data, min(later - earlier for earlier, later in zip(clock, clock[1:]))


def shards_of(X, y, *cuts):
    """The rows between the cuts."""
    ends = [0, *cuts, len(y)]
    return [(Array(X.rows[i:j]), y[i:j]) for i, j in zip(ends, ends[1:])]


def main():
    """The lesson. In a function, because the workers import this file and must not run it."""
    X, y, *_ = load_breast_cancer()
    X = StandardScaler().fit_transform(X)
    many = Array(X.rows * 12), Array(y.tolist() * 12)  # the table twelve times over
    w, b = [0.1] * 30, 0.0

    section("1. A slope of a mean is a mean of slopes, if the shares are weighed")
    parts = shards_of(X, y, 100)  # 100 rows, and 469
    whole = grad(lambda w: loss(X, y, w, b))(w)
    slopes = [grad(lambda w, X=X, y=y: loss(X, y, w, b))(w) for X, y in parts]
    plain = (slopes[0] + slopes[1]) / 2.0
    weighed = slopes[0] * (100 / 569) + slopes[1] * (469 / 569)
    far = {
        name: max(map(abs, guess - whole))
        for name, guess in (("plain mean of both", plain), ("weighed by their rows", weighed))
    }
    table(["slopes of 100 and of 469 rows", "error"], far.items())

    section("2. The same walk, by processes side by side")
    # A step sends 31 numbers there and 31 back, however many rows there are.
    rows, weights = [], {}
    for X_, y_ in (X, y), many:
        size = len(y_)
        weights["one", size], alone = learn(loss, [(X_, y_)])
        with DataParallel(loss, shards_of(X_, y_, size // 2)) as parallel:
            shared = lambda _, __, w, b: parallel(w, b)
            weights["two", size], side_by_side = learn(shared, parallel.batches)
            weights["again", size], _ = learn(shared, parallel.batches)
        rows.append((size, 1000 * alone, 1000 * side_by_side, alone / side_by_side))
    table(["rows", "ms a step, 1 process", "2 processes", "times faster"], rows)

    section("3. The same model?")
    apart = {
        size: max(map(abs, weights["one", size] - weights["two", size])) for size in (569, 6828)
    }
    same = all(weights["two", size] == weights["again", size] for size in apart)
    table(["rows", "largest difference of a weight"], apart.items())
    print("Sums in another order are rounded in another way, so last digits may differ. But the")
    print(f"shards are added in their order, whoever is done first. The same run twice: {same}.")

    section("The picture")

    def draw(axes):
        axes.bar(
            ["569 rows\n1 process", "2", "6828 rows\n1 process", "2 "],
            [rows[0][1], rows[0][2], rows[1][1], rows[1][2]],
            color=["C0", "C1"] * 2,
        )
        axes.set(ylabel="milliseconds a step", title="A step, by one process and by two")

    picture("18_processes", draw)

    section("What we learned")
    print(
        f"Weighed by rows, the slopes of shards add up to the slope of all, within "
        f"{far['weighed by their rows']:.0e};\nthe plain mean is off by "
        f"{far['plain mean of both']:.3f}."
    )
    print(
        f"Two processes learned the weights of one, within {max(apart.values()):.0e}; and twice "
        "the same."
    )
    print(
        f"On {rows[0][0]} rows they were {rows[0][3]:.1f} times as fast, on {rows[1][0]} rows "
        f"{rows[1][3]:.1f} times:"
    )
    print(f"a step must be worth its messages, and a core be free (of {os.cpu_count()}).")

    assert far["weighed by their rows"] < 1e-12 < 1e-3 < far["plain mean of both"]
    assert max(apart.values()) < 1e-9 and same


if __name__ == "__main__":
    main()
