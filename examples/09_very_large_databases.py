"""How do we learn from a table that is larger than the memory?

Mini-batches need only a few rows at a time, so we never read more. A SQLite database is made
in a temporary folder, sorted by label as databases often are, with true weights that we know.
We look at the memory, see what the order of the rows does, and learn in one pass.

Exercises (answers are checked by tests/course/test_exercises.py)
1.  running_mean(numbers): the mean of an iterable that may be too long to keep, exact also
    where all numbers are near 1e9 (do not add them all up).
2.  reservoir(rows, k, rng): k rows chosen fairly from an iterable of unknown length, in
    one pass, keeping no more than k: the row number i (from 0) comes in with probability
    k / (i + 1), for one that is there. (rng is a random.Random.)
3.  rows_in_memory(table_rows, block, blocks): how many rows are held at most, if the rows of
    so many blocks are shuffled with each other.
"""

import random
import sqlite3
import tempfile
import tracemalloc
from contextlib import closing
from pathlib import Path

from course import picture, section, table

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
    """Two normal clouds, 2 * HALF_GAPS apart in units of UNITS; `in_order`: first label 0."""
    rng = random.Random(seed)
    for i in range(rows):
        label = float(i >= rows // 2) if in_order else float(rng.random() < 0.5)
        side = 2.0 * label - 1.0
        yield [u * (rng.gauss(0.0, 1.0) + side * g) for u, g in zip(UNITS, HALF_GAPS)] + [label]


def write(name, rows):
    """A new table of the database; rows may come from a generator, and are never a list."""
    write_rows(path, name, [*FEATURES, "label"], rows)


def batches_of(name, **options):
    return SQLiteBatches(path, name, FEATURES, "label", batch_size=100, **options)


def peak(work):
    """The most memory that `work()` held at a time, in megabytes."""
    tracemalloc.start()
    try:
        work()
        return tracemalloc.get_traced_memory()[1] / 1e6
    finally:
        tracemalloc.stop()


def share_right(w, b):
    """Of rows that no model has learned from, in the scale of those that it has."""
    right = 0.0
    for X, y in batches_of("unseen", transform=scaler.transform):
        right += accuracy(y, (X @ w.data + b.data) >= 0.0) * len(y)
    return right / 6000


section("1. Reading everything, and reading batches: the memory it takes")
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

section("2. Features of one scale: mean and spread in one pass; then one epoch of learning")
scaler = StandardScaler()
for X, _ in batches_of("people_16000", shuffle=False):
    scaler.partial_fit(X)
table(["feature", "mean", "std. dev."], zip(FEATURES, scaler.mean_, scaler.scale_))


def learn(name, **options):
    """One epoch: each row is seen once. The parameters, and what happened."""
    w, b = Value([0.0] * 4), Value(0.0)
    loss = lambda X, y: binary_cross_entropy_with_logits(X @ w + b, y)
    batches = batches_of(name, transform=scaler.transform, **options)
    rate = inverse_time_decay(1.0, 0.02)
    return w, b, minimize(loss, [w, b], batches, SGD([w, b], lr=rate), epochs=1)


section("3. The order of the rows: sorted by label, shuffled, stored in random order")
write("unseen", people(6000, seed=1))
write("random_order", people(16_000, in_order=False))
results = {}
for kind, name, shuffle in (
    ("sorted, as they stand", "people_16000", False),
    ("sorted, blocks shuffled", "people_16000", True),
    ("stored in random order", "random_order", True),
):
    w, b, history = learn(name, shuffle=shuffle)
    results[kind] = share_right(w, b), b.data
table(
    ["16 000 rows", "right", "intercept (truth: 0)"],
    [(kind, right, b0) for kind, (right, b0) in results.items()],
)

section("4. Why blocks are shuffled, and not rows")
print("As they stand, the last 8000 rows all say 'label 1', and the model believes it. To fetch")
print("single rows at random would cost a search each: so blocks of 512 rows come in random order,")
print("and the rows of 16 blocks are shuffled. Of 16 sorted blocks seldom just 8 have label 1, and")
print("the intercept still feels it; so, if you can, store large tables in random order.")

section("5. One pass is an honest test as well")
# Each loss is of rows that the model had not met before: progressive validation.
losses = history.losses
mean = lambda some: sum(some) / len(some)
table(
    ["rows seen", "mean loss of the next 2000"],
    [(100 * k, mean(losses[k : k + 20])) for k in (0, 20, 40, 80, 140)],
)
# For two normal clouds the true weights are known: twice the half gap, times the scale.
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
        title="Memory to learn from a table",
    )
    axes.legend()


picture("09_memory", draw)
folder.cleanup()

section("What we learned")
apart = max(abs(v - t) for v, t in zip(w.data, truth))
(worst, _), (_, off), (right, _) = results.values()
print(
    f"From {SIZES[0]} to {SIZES[-1]} rows, reading everything grew from {memory[0][1]:.1f} to "
    f"{memory[-1][1]:.1f} MB, batches from"
)
print(
    f"{memory[0][2]:.1f} to {memory[-1][2]:.1f}: twice the buffer of 8192 rows, more than a "
    "small table, and the same for a large one."
)
print(f"In sorted order the model is right in {worst:.1%} of new rows, at random {right:.1%};")
print(f"after one pass over that its weights are within {apart:.2f} of the truth. The loss had")
print("settled after a few thousand rows: the others hardly lowered it.")

assert memory[-1][1] > 1.9 * memory[0][1] and memory[-1][2] < 1.1 * memory[0][2]
assert worst < right - 0.05 and right > 0.8
assert apart < 0.15 and abs(b.data) < abs(off)
assert abs(mean(losses[20:40]) - mean(losses[140:])) < 0.05
