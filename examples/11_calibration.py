"""Two models are right equally often. Is one of them better? Can the other be repaired?

Being right and being right with the right confidence are two things; accuracy sees the first
alone. We train a boaster (even or odd digit, from too few pictures), see in a reliability table
that its "99 %" are nothing of the kind, and repair it with a single number, the temperature T,
which the engine fits like any other weight: p = sigmoid(z / T).

Exercises (answers are checked by tests/course/test_exercises.py)
1.  expected_loss(p, q): something happens in a share q of all cases and a model always says p.
    Its mean log loss, without this package. Where is it lowest?
2.  reliability_gap(probabilities, labels): how far the mean of the probabilities is from the
    share that happened (one bin of the reliability table).
3.  cooled(p, T): the probability p after temperature scaling, from p and T alone.
"""

import math

from course import picture, section, table

from tinygrad_lr import Array, Value, binary_cross_entropy_with_logits, exp, grad, log, sigmoid
from tinygrad_lr.data import load_digits, train_test_split
from tinygrad_lr.metrics import (
    accuracy, brier_score, calibration_curve, expected_calibration_error, log_loss, roc_auc,
)  # fmt: skip
from tinygrad_lr.models import LogisticRegression
from tinygrad_lr.optim import LBFGS

digits = load_digits()
even = Array([float(d % 2 == 0) for d in digits.y])
X, X_rest, y, y_rest = train_test_split(digits.X / 16.0, even, test_size=1597, seed=0)
X_tune, X_test, y_tune, y_test = train_test_split(X_rest, y_rest, test_size=0.5, seed=1)

section("1. Right, and right with confidence")
# Ten forecasts of rain; eight times it rained. Three forecasters, who always say the same.
rained = [1] * 8 + [0] * 2
rows = []
for name, said in ("shy", 0.55), ("honest", 0.8), ("boaster", 0.99):
    forecasts = [said] * 10
    right = accuracy(rained, [float(p > 0.5) for p in forecasts])
    rows.append((name, said, right, log_loss(rained, forecasts), brier_score(rained, forecasts)))
table(["forecaster", "says", "accuracy", "log loss", "Brier score"], rows)
expected = lambda p: -(0.8 * log(p) + 0.2 * log(1.0 - p))
slopes = [round(grad(expected)(p), 1) + 0.0 for p in (0.55, 0.8, 0.99)]  # -0.0 + 0.0 is 0.0
print(f"Accuracy only counts. Log loss is lowest where one says what is true: slopes {slopes}.")

section("2. A boaster: 200 pictures, 64 pixels, hardly a penalty")
model = LogisticRegression(optimizer="LBFGS", batch_size=None, epochs=30, tol=1e-4, l2=1e-5)
model.fit(X, y)
z, z_tune, z_test = map(model.decision_function, (X, X_tune, X_test))
p = sigmoid(z_test)
confidence = sum(max(v, 1.0 - v) for v in p) / len(p)
right = accuracy(y_test, z_test >= 0.0)
print(
    f"on {len(y_test)} other pictures: right {right:.1%}, but sure to {confidence:.1%} on average"
)

section("3. Reliability: of the cases called p, did a share of p happen?")


def reliability(p):
    """Rows (predicted, happened, count) of five bins."""
    happened, predicted, counts = calibration_curve(y_test, p, n_bins=5)
    return [(said, did, int(count)) for did, said, count in zip(happened, predicted, counts)]


before = reliability(p)
table(["predicted: even", "happened", "pictures"], before)


def fit_temperature(z, y, steps):
    """T with the lowest cross-entropy of sigmoid(z / T)."""
    t = Value(0.0)
    loss = lambda: binary_cross_entropy_with_logits(z * exp(-t), y)
    LBFGS([t], max_iter=steps).step(loss)
    return math.exp(t.data)


section("4. One number more: the temperature, and the wrong rows to fit it on")
# T > 1 cools: all scores come nearer to 0, so all probabilities to 1/2. T = exp(t) stays > 0.
T_wrong = fit_temperature(z, y, 5)
T = fit_temperature(z_tune, y_tune, 50)
print(f"on the 200 rows it learned from: T = {T_wrong:.2f} after 5 steps; there it is never wrong,")
print("so larger scores are always better, and T goes to 0: these rows cannot know that it boasts.")
print(f"on {len(y_tune)} rows it has not seen: T = {T:.2f}")
q = sigmoid(z_tune / T)
residual = sum((q - y_tune) * z_tune) / len(y_tune)
sure, hit = sum(max(v, 1.0 - v) for v in q) / len(q), accuracy(y_tune, q >= 0.5)
print(
    f"there the slope mean((p - y) z) is {abs(residual):.0e}. Large scores weigh most in it, so "
    f"this is\nnot quite 'as sure as right': sure to {sure:.1%} on average, right {hit:.1%}"
)

section("5. What it changes, and what it cannot change")
cool = sigmoid(z_test / T)
summary = []
for name, q in ("T = 1", p), (f"T = {T:.2f}", cool):
    summary.append(
        (
            name,
            accuracy(y_test, q >= 0.5),
            roc_auc(y_test, q),
            log_loss(y_test, q),
            brier_score(y_test, q),
            expected_calibration_error(y_test, q),
        )
    )
table(["", "accuracy", "AUC", "log loss", "Brier", "calibration error"], summary)
after = reliability(cool)
table(["predicted: even", "happened", "pictures"], after)
print("z / T has the sign of z, and the order of z: no decision and no ranking changes.")

section("The picture")


def draw(axes):
    axes.plot([0, 1], [0, 1], color="grey", linewidth=1, label="calibrated")
    for name, bins in ("T = 1", before), (f"T = {T:.2f}", after):
        said, did, counts = zip(*bins)
        axes.plot(said, did, "-", linewidth=0.8)
        axes.scatter(said, did, s=[10 + count / 3 for count in counts], label=name, alpha=0.7)
    axes.set(
        xlabel="predicted probability",
        ylabel="share that happened",
        title="Under the line on the right: too sure",
    )


picture("11_reliability", draw)

section("What we learned")
print(
    f"Shy, honest and boaster are right equally often ({rows[0][2]:.0%}); log loss tells them "
    f"apart:\n{rows[0][3]:.2f}, {rows[1][3]:.2f}, {rows[2][3]:.2f}."
)
print(
    f"The boaster was right in {right:.1%} and sure to {confidence:.1%}; its log loss was "
    f"{summary[0][3]:.2f},\nworse than a coin's 0.69."
)
print(
    f"Scores divided by T = {T:.1f} have {summary[1][3]:.2f}; the calibration error falls from "
    f"{summary[0][5]:.2f} to {summary[1][5]:.2f},\nand no decision changes."
)
print("T must be fitted on rows that were not learned: on its own rows the model is never wrong.")

assert rows[0][2] == rows[1][2] == rows[2][2] and rows[1][3] < min(rows[0][3], rows[2][3])
assert abs(grad(expected)(0.8)) < 1e-12 and grad(expected)(0.55) < 0.0 < grad(expected)(0.99)
assert confidence > right + 0.05 and summary[0][3] > math.log(2.0)
assert T_wrong < 0.5 < 2.0 < T and abs(residual) < 1e-6 and 0.0 < abs(sure - hit) < 0.02
assert accuracy(y, z >= 0.0) == 1.0
assert summary[1][1:3] == summary[0][1:3]
assert summary[1][3] < summary[0][3] / 2 and summary[1][4] < summary[0][4]
assert summary[1][5] < summary[0][5] / 2
