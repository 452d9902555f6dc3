"""How many rows should a step use: all of them, one, or some?

The data are 427 tumours with 30 features. We compare the gradient of a few rows with the
gradient of all rows: it is right on average, but noisy. We measure what a step costs, and how
far ten epochs lead with 1, 8, 32, 128 or all rows per step. The last section shows the noise
that a constant learning rate never gets rid of.

    gradient of the mean loss = mean of the gradients of the rows

Exercises (answers are checked by tests/course/test_exercises.py)
1.  steps_per_epoch(n, batch_size): how many steps does a pass over n rows have? The last batch
    may be smaller.
2.  noise(noise_of_one, batch_size): the noise in the mean gradient of a batch. noise_of_one is
    the noise of a single row; the rows are drawn with replacement.
3.  running_means(numbers): the mean of the first number, of the first two, of the first three,
    ... as a list. (Averaged weights fluctuate less than the last weights.)
"""

import math
import random
from time import perf_counter

from course import picture, say, section, table

from tinygrad_lr import Array, Value, binary_cross_entropy_with_logits, grad
from tinygrad_lr.data import Batches, StandardScaler, load_breast_cancer, train_test_split
from tinygrad_lr.optim import LBFGS, SGD
from tinygrad_lr.optim.schedules import inverse_time_decay
from tinygrad_lr.training import minimize

X, y, *_ = load_breast_cancer()
X, _, y, _ = train_test_split(StandardScaler().fit_transform(X), y, seed=0)
n, d = X.shape
L2 = 0.01  # a penalty, so that there is a minimum (lesson 13)
loss_of = lambda w, X, y: binary_cross_entropy_with_logits(X @ w, y) + L2 / 2 * (w @ w)
best = Value([0.0] * d)
LBFGS([best], max_iter=200).step(lambda: loss_of(best, X, y))
lowest = loss_of(best.data, X, y)
length = lambda v: math.hypot(*v)


def learn(batch_size, lr, epochs):
    """The weights after each epoch, and the seconds that the training took."""
    w, path = Value([0.0] * d), []

    def loss(X, y):
        return loss_of(w, X, y)

    def remember(history):
        path.append(w.data)

    batches, optimizer = Batches(X, y, batch_size, seed=1), SGD([w], lr=lr)
    start = perf_counter()
    minimize(loss, [w], batches, optimizer, epochs, [remember])
    return path, perf_counter() - start


section("1. One row's gradient is wrong, but right on average")
start = Array([0.0] * d)
full = grad(loss_of)(start, X, y)
singles = [grad(loss_of)(start, X[[i]], y[[i]]) for i in range(n)]
mean_of = lambda gradients: sum(gradients[1:], gradients[0]) / len(gradients)
mean = mean_of(singles)
uphill = sum(g @ full < 0.0 for g in singles)
longest = max(map(length, singles))
say(f"""The gradient of all rows has the length {length(full):.2f}, that of one row up to
{longest:.1f}. {uphill} of {n} rows point uphill: a short step along their gradient alone would
raise the loss. The mean of the rows' gradients is the full gradient (to
{length(mean - full):.0e}).""")

section("2. Four times the rows, half the noise")
# The noise is the distance between the gradient of the batch and that of all rows (its root mean
# square over 200 random batches). It falls like one over the root of the number of rows.
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
header = ["rows a step", "rate", "steps", "microseconds each", "excess: 1 epoch", "3 epochs"]
table([*header, "10 epochs"], rows)
say("""Excess is the loss minus its minimum. Every run reads the same rows ten times. (The
microseconds were measured just now, on your computer.) With all rows a step may be longer, up to
the rate 2/L (lesson 06). But ten times the rate does not make up for the few steps.""")

section("4. The flaw of small batches: at a constant rate they never settle")
# At the minimum the gradient of all rows is 0, but that of a single row is not. So steps of a
# constant rate keep jumping around the minimum. A falling rate lets them settle.
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
table(["rows a step", "excess: 1 epoch", "mean of 11 to 20", "21 to 40"], settled)

section("The picture")


def draw(axes):
    for (size, lr), (path, _) in runs.items():
        above = [loss_of(w, X, y) - lowest for w in path]
        axes[0].semilogy(range(1, 11), above, ".-", label=f"{size or n} rows a step, rate {lr}")
    axes[0].set(xlabel="epoch", ylabel="loss - minimum", title="Ten epochs", ylim=(1e-5, 1))
    axes[1].loglog(*zip(*noises), "o", label="measured")
    axes[1].loglog([1, 64], [one, one / 8], label="1 / root of the rows")
    axes[1].set(xlabel="rows", ylabel="noise", title="Four times the rows, half the noise")


picture("08_batches", draw, ncols=2, figsize=(11, 4))

section("What we learned")
say(f"""{uphill} of {n} rows point uphill, but the mean of all is the full gradient (to
{length(mean - full):.0e}).""")
say(f"""The mean gradient of 64 rows has {noises[0][1] / noises[3][1]:.1f} times less noise than
that of one row. This is the root of 64, for 64 times the work.""")
say(f"""After one epoch at the same rate, the loss is {rows[0][4]:.3f} above its minimum with one
row a step, and {rows[2][4]:.3f} with 32. With all rows (one step) it is {rows[4][4]:.3f} above,
and {rows[5][4]:.3f} at ten times the rate.""")
say(f"""In the end one row a step at the rate 0.2 stays {settled[0][3]:.4f} above the minimum, 8
rows {settled[3][3]:.4f}. With a falling rate one row a step comes to {settled[2][3]:.0e}.""")

assert length(mean - full) < 1e-12 and 0 < uphill < n / 4
assert all(0.85 < noise / (one / math.sqrt(size)) < 1.15 for size, noise in noises)
assert rows[0][4] < rows[1][4] < rows[2][4] < rows[3][4] < rows[4][4] > rows[5][4] > rows[0][4]
assert all(settled[k][3] > settled[k][2] / 2 for k in (0, 3))  # the loss no longer falls
assert settled[2][3] < settled[3][3] / 10 < settled[0][3] / 100
