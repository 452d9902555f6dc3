"""How many rows should a step look at: all of them, one, or some?

427 tumours, 30 features. We measure what a gradient from fewer rows is worth: right on
average, and how noisy; what a step costs; and how far the same number of rows, read in steps of
1, 8, 32, 128 or all, takes us. At the end the noise, which a fixed rate never gets rid of.

    gradient of the mean loss = mean of the gradients of the rows

Exercises (answers are checked by tests/course/test_exercises.py)
1.  steps_per_epoch(n, batch_size): how many steps a pass over n rows has; the last batch may be
    smaller.
2.  noise(noise_of_one, batch_size): the length of the noise in the mean of a batch, when one row
    alone has noise_of_one (rows drawn with replacement).
3.  running_means(numbers): the mean of the first 1, 2, 3, ... numbers, as a list: the average of
    the path, which trembles less than its end.
"""

import math
import random
from time import perf_counter

from course import picture, section, table

from tinygrad_lr import Array, Value, binary_cross_entropy_with_logits, grad
from tinygrad_lr.data import Batches, StandardScaler, load_breast_cancer, train_test_split
from tinygrad_lr.optim import LBFGS, SGD
from tinygrad_lr.optim.schedules import inverse_time_decay
from tinygrad_lr.training import minimize

X, y, *_ = load_breast_cancer()
X, _, y, _ = train_test_split(StandardScaler().fit_transform(X), y, seed=0)
n, d = X.shape
L2 = 0.01  # so that there is a bottom (lesson 13)
loss_of = lambda w, X, y: binary_cross_entropy_with_logits(X @ w, y) + L2 / 2 * (w @ w)
best = Value([0.0] * d)
LBFGS([best], max_iter=200).step(lambda: loss_of(best, X, y))
lowest = loss_of(best.data, X, y)
length = lambda v: math.hypot(*v)


def learn(batch_size, lr, epochs):
    """The weights after each epoch, and the seconds that the training took."""
    w, path = Value([0.0] * d), []
    seconds = perf_counter()
    minimize(
        lambda X, y: loss_of(w, X, y),
        [w],
        Batches(X, y, batch_size, seed=1),
        SGD([w], lr=lr),
        epochs,
        [lambda _: path.append(w.data)],
    )
    return path, perf_counter() - seconds


section("1. One row's gradient is wrong, but right on average")
start = Array([0.0] * d)
full = grad(loss_of)(start, X, y)
singles = [grad(loss_of)(start, X[[i]], y[[i]]) for i in range(n)]
mean_of = lambda gradients: sum(gradients[1:], gradients[0]) / len(gradients)
mean = mean_of(singles)
uphill = sum(g @ full < 0.0 for g in singles)
print(
    f"gradient of all rows: {length(full):.2f} long; of one row: up to "
    f"{max(map(length, singles)):.1f}"
)
print(
    f"{uphill} of {n} rows point uphill; their mean is the full gradient to "
    f"{length(mean - full):.0e}"
)

section("2. Four times the rows, half the noise")
chance = random.Random(8)
noises = []
for size in 1, 4, 16, 64:
    errors = [mean_of(chance.choices(singles, k=size)) - full for _ in range(200)]
    noises.append((size, math.sqrt(sum(e @ e for e in errors) / 200)))
one = math.sqrt(sum(length(g - full) ** 2 for g in singles) / n)
table(
    ["rows", "noise of their mean", "one row's / root of rows"],
    [(size, noise, one / math.sqrt(size)) for size, noise in noises],
)

section("3. What a step costs, and what an epoch buys")
rows, runs = [], {}
for size, lr in (1, 0.05), (8, 0.05), (32, 0.05), (128, 0.05), (None, 0.05), (None, 0.5):
    path, seconds = runs[size, lr] = learn(size, lr, 10)
    steps = 10 * len(Batches(X, y, size))
    above = [loss_of(path[k], X, y) - lowest for k in (0, 2, 9)]
    rows.append((size or n, lr, steps, round(1e6 * seconds / steps), *above))
table(
    [
        "rows a step",
        "rate",
        "steps",
        "microseconds each",
        "above: 1 epoch",
        "3 epochs",
        "10 epochs",
    ],
    rows,
)
print("All read the same rows ten times. (The microseconds are of this computer, today.) All rows")
print("at once allow longer steps, up to 2/L (lesson 6): ten times the rate is not enough.")

section("4. The flaw of few rows: they never come to rest")
# At the bottom the full gradient is 0, but that of each row is not. A fixed rate keeps jumping.
settled = []
for name, size, lr in (
    ("1 row, rate 0.2", 1, 0.2),
    ("1 row, rate 0.02", 1, 0.02),
    ("1 row, 0.2 / (1 + t / 400)", 1, inverse_time_decay(0.2, 1 / 400)),
    ("8 rows, rate 0.2", 8, 0.2),
):
    path, _ = learn(size, lr, 40)
    above = [loss_of(w, X, y) - lowest for w in path]
    settled.append((name, above[0], sum(above[10:20]) / 10, sum(above[20:]) / 20))
table(["what", "above: 1 epoch", "mean of 11 to 20", "21 to 40"], settled)

section("The picture")


def draw(axes):
    for (size, lr), (path, _) in runs.items():
        above = [loss_of(w, X, y) - lowest for w in path]
        axes[0].semilogy(range(1, 11), above, ".-", label=f"{size or n} rows a step, rate {lr}")
    axes[0].set(xlabel="epoch", ylabel="above the bottom", title="The same rows", ylim=(1e-5, 1))
    axes[1].loglog(*zip(*noises), "o", label="measured")
    axes[1].loglog([1, 64], [one, one / 8], label="1 / root of rows")
    axes[1].set(xlabel="rows", ylabel="noise", title="Four times the rows, half the noise")


picture("08_batches", draw, ncols=2, figsize=(11, 4))

section("What we learned")
print(
    f"{uphill} of {n} rows point uphill, yet the mean of all is the full gradient "
    f"(to {length(mean - full):.0e})."
)
print(
    f"64 rows have {noises[0][1] / noises[3][1]:.1f} times less noise than one: the root of 64, "
    "for 64 times the rows."
)
print(
    f"After one epoch at one rate, steps of one row are {rows[0][4]:.3f} above the bottom, of 32 "
    f"{rows[2][4]:.3f};"
)
print(f"all rows, in their one step, {rows[4][4]:.3f}, and {rows[5][4]:.3f} at ten times the rate.")
print(
    f"In the end one row a step at 0.2 trembles {settled[0][3]:.4f} above the bottom, 8 rows "
    f"{settled[3][3]:.4f};\nwith a falling rate one row a step comes to {settled[2][3]:.0e}."
)

assert length(mean - full) < 1e-12 and 0 < uphill < n / 4
assert all(0.85 < noise / (one / math.sqrt(size)) < 1.15 for size, noise in noises)
assert rows[0][4] < rows[1][4] < rows[2][4] < rows[3][4] < rows[4][4] > rows[5][4] > rows[0][4]
assert all(settled[k][3] > settled[k][2] / 2 for k in (0, 3))  # they hardly fall any more
assert settled[2][3] < settled[3][3] / 10 < settled[0][3] / 100
