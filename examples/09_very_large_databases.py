"""How do we learn from a table that is larger than the memory?

A step on a mini-batch needs only a few rows, so we read only some rows at a time. We make a
SQLite database in a temporary folder. Its rows are sorted by label, as rows in databases often
are, and we know the true weights. We measure the memory, see how the order of the rows matters,
and learn in one pass.

Exercises (answers are checked by tests/course/test_exercises.py)
1.  running_mean(numbers): the mean of an iterable that is too long to keep in memory. It should
    be accurate even if all numbers are near 1e9, so do not add them all up.
2.  reservoir(rows, k, rng): choose k rows at random from an iterable of unknown length, in one
    pass, and keep no more than k in memory. Row number i (counted from 0) is taken with
    probability k / (i + 1) and replaces a random one of the k. (rng is a random.Random.)
3.  rows_in_memory(table_rows, block, blocks): blocks of `block` rows are read, and the rows of
    `blocks` such blocks are shuffled together. How many rows is that at most?
"""

import random
import sqlite3
import tempfile
import tracemalloc
from contextlib import closing
from pathlib import Path

from course import picture, say, section, table

from tinygrad_lr import Value, binary_cross_entropy_with_logits
from tinygrad_lr.data import SQLiteBatches, StandardScaler
from tinygrad_lr.data.sqlite import write_rows
from tinygrad_lr.metrics import accuracy
from tinygrad_lr.optim import SGD
from tinygrad_lr.optim.schedules import inverse_time_decay
from tinygrad_lr.training import minimize

FEATURES = ["income", "age", "noise", "visits"]
UNITS, HALF_GAPS = [10_000.0, 10.0, 0.001, 1.0], [0.5, -0.25, 0.0, 0.75]
folder = tempfile.TemporaryDirectory()
path = Path(folder.name) / "people.db"


def people(rows, in_order=True, seed=0):
    """Generate rows of two normal clouds, one for each label.

    In units of UNITS the spread is 1 and the centres lie 2 * HALF_GAPS apart. With `in_order`
    all rows with label 0 come first; otherwise the labels are random.
    """
    rng = random.Random(seed)
    for i in range(rows):
        label = float(i >= rows // 2) if in_order else float(rng.random() < 0.5)
        side = 2.0 * label - 1.0
        yield [u * (rng.gauss(0.0, 1.0) + side * g) for u, g in zip(UNITS, HALF_GAPS)] + [label]


def write(name, rows):
    """Write a new table. `rows` may be a generator, so that they never stand in memory at once."""
    write_rows(path, name, [*FEATURES, "label"], rows)


def batches_of(name, **options):
    return SQLiteBatches(path, name, FEATURES, "label", batch_size=100, **options)


def peak(work):
    """The largest amount of memory in use while `work()` runs, in megabytes.

    It counts Python's objects. SQLite's own cache (about 2 MB) is not included.
    """
    tracemalloc.start()
    try:
        work()
        return tracemalloc.get_traced_memory()[1] / 1e6
    finally:
        tracemalloc.stop()


def share_right(w, b):
    """The accuracy on the table "unseen", which is scaled like the training rows."""
    right = 0.0
    for X, y in batches_of("unseen", transform=scaler.transform):
        right += accuracy(y, (X @ w.data + b.data) >= 0.0) * len(y)
    return right / 6000


section("1. The memory for reading all rows at once, and for reading batches")
SIZES = [16_000, 32_000]
memory = []
for size in SIZES:
    write(f"people_{size}", people(size))
    with closing(sqlite3.connect(path)) as database:
        whole = peak(database.execute(f"SELECT * FROM people_{size}").fetchall)
    memory.append((size, whole, peak(lambda: sum(1 for _ in batches_of(f"people_{size}")))))
table(
    ["rows", "MB, all at once", "MB, in batches"],
    [(rows, round(whole, 1), round(parts, 1)) for rows, whole, parts in memory],
)

section("2. Standardise the features in one pass; then learn for one epoch")
scaler = StandardScaler()
for X, _ in batches_of("people_16000", shuffle=False):
    scaler.partial_fit(X)
table(["feature", "mean", "std. dev."], zip(FEATURES, scaler.mean_, scaler.scale_))


def learn(name, **options):
    """Learn for one epoch, in which each row is used once: w, b and the history."""
    w, b = Value([0.0] * 4), Value(0.0)
    loss = lambda X, y: binary_cross_entropy_with_logits(X @ w + b, y)
    batches = batches_of(name, transform=scaler.transform, **options)
    rate = inverse_time_decay(1.0, 0.02)
    return w, b, minimize(loss, [w, b], batches, SGD([w, b], lr=rate), epochs=1)


section("3. The order of the rows: sorted by label, shuffled, or stored in random order")
write("unseen", people(6000, seed=1))
write("random_order", people(16_000, in_order=False))
results = {}
for kind, name, shuffle in (
    ("sorted, not shuffled", "people_16000", False),
    ("sorted, blocks shuffled", "people_16000", True),
    ("stored in random order", "random_order", True),
):
    w, b, history = learn(name, shuffle=shuffle)
    results[kind] = share_right(w, b), b.data
table(
    ["16 000 rows", "accuracy", "intercept (truth: 0)"],
    [(kind, right, b0) for kind, (right, b0) in results.items()],
)

section("4. Why blocks are shuffled, and not single rows")
say("""Without shuffling the last 8000 rows all have the label 1, and the model learns to predict 1
too often.""")
say("""Reading single rows in random order would cost one search in the table for each row. So
blocks of 512 rows are read in random order, and the rows of 16 blocks are shuffled together. If
the table is sorted, 16 random blocks rarely contain exactly 8 with the label 1, and the intercept
is still off. So store large tables in random order if you can.""")

section("5. The losses of a single pass are also a test")
# The loss of each batch is computed before the model learns from it, so these rows are new to the
# model. This is called progressive validation.
losses = history.losses
mean = lambda numbers: sum(numbers) / len(numbers)
table(
    ["rows seen", "mean loss of the next 2000"],
    [(100 * k, mean(losses[k : k + 20])) for k in (0, 20, 40, 80, 140)],
)
# For two normal clouds with the same spread the best weights are known: the distance of the
# centres divided by the variance. For standardised features this is 2 * half gap * scale / unit.
truth = [2.0 * g * s / u for g, s, u in zip(HALF_GAPS, scaler.scale_, UNITS)]
table(["feature", "learned", "truth"], zip(FEATURES, w.data, truth))

section("The picture")


def draw(axes):
    rows, whole, parts = zip(*memory)
    axes.plot(rows, whole, "o-", label="all at once")
    axes.plot(rows, parts, "o-", label="in batches")
    axes.set(
        xlabel="rows in the table",
        ylabel="megabytes",
        ylim=(0, None),
        title="Memory for reading a table",
    )
    axes.legend()


picture("09_memory", draw)
folder.cleanup()

section("What we learned")
apart = max(abs(v - t) for v, t in zip(w.data, truth))
(worst, _), (_, off), (right, _) = results.values()
say(f"""If we read all rows at once, the memory grows from {memory[0][1]:.1f} MB for {SIZES[0]}
rows to {memory[-1][1]:.1f} MB for {SIZES[-1]}. In batches it is {memory[0][2]:.1f} MB and
{memory[-1][2]:.1f} MB: up to two buffers of 8192 rows are in memory at a time. For a small table
that is more than the table itself. For a large one it stays the same.""")
say(f"""If the rows come sorted by label, the model is right on {worst:.1%} of new rows. If they
are stored in random order, it is right on {right:.1%}. After one pass its weights are within
{apart:.2f} of the truth.""")
say("The loss settled after a few thousand rows. The rows after them hardly lowered it.")

assert memory[-1][1] > 1.9 * memory[0][1] and memory[-1][2] < 1.1 * memory[0][2]
assert worst < right - 0.05 and right > 0.8
assert apart < 0.15 and abs(b.data) < abs(off)
assert abs(mean(losses[20:40]) - mean(losses[140:])) < 0.05
