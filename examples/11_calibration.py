"""Two models have the same accuracy. Is one of them better? Can we repair the other?

A model can be right often and still give wrong probabilities. Accuracy does not see that; log
loss does. We train an overconfident model (is a digit even or odd, learned from too few
pictures). A reliability table shows that of the cases it calls "99 %" far fewer happen. We
repair it with a single number, the temperature T, which the engine fits like any other weight:
p = sigmoid(z / T).

Exercises (answers are checked by tests/course/test_exercises.py)
1.  expected_loss(p, q): an event happens in a share q of all cases, and a model always predicts
    p. What is its mean log loss? Do not use this package. For which p is it lowest?
2.  reliability_gap(probabilities, labels): the distance between the mean of the probabilities
    and the share of labels that are 1 (one bin of the reliability table).
3.  cooled(p, T): the probability after temperature scaling, from p and T alone.
"""

import math

from course import picture, say, section, table

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

section("1. Accuracy and calibration are two different things")
# On eight of ten days it rained. Three forecasters predict the same probability every day.
rained = [1] * 8 + [0] * 2
rows = []
for name, said in ("underconfident", 0.55), ("calibrated", 0.8), ("overconfident", 0.99):
    forecasts = [said] * 10
    right = accuracy(rained, [float(p > 0.5) for p in forecasts])
    rows.append((name, said, right, log_loss(rained, forecasts), brier_score(rained, forecasts)))
table(["forecaster", "predicts", "accuracy", "log loss", "Brier score"], rows)
expected = lambda p: -(0.8 * log(p) + 0.2 * log(1.0 - p))
slopes = [round(grad(expected)(p), 1) + 0.0 for p in (0.55, 0.8, 0.99)]  # -0.0 + 0.0 is 0.0
say(f"""Accuracy only counts correct decisions. Log loss is lowest at the true share 0.8: its
slopes at the three forecasts are {slopes}.""")

section("2. An overconfident model: 200 pictures, 64 pixels, a very small penalty")
model = LogisticRegression(optimizer="LBFGS", batch_size=None, epochs=30, tol=1e-4, l2=1e-5)
model.fit(X, y)
z, z_tune, z_test = map(model.decision_function, (X, X_tune, X_test))
p = sigmoid(z_test)
confidence = sum(max(v, 1.0 - v) for v in p) / len(p)
right = accuracy(y_test, z_test >= 0.0)
say(f"""On {len(y_test)} new pictures its accuracy is {right:.1%}. Its mean confidence, the
probability of the class that it chooses, is {confidence:.1%}.""")

section("3. Reliability: did a share p of the cases predicted as p happen?")


def reliability(p):
    """Rows (predicted, happened, count) of five bins."""
    happened, predicted, counts = calibration_curve(y_test, p, n_bins=5)
    return [(said, did, int(count)) for did, said, count in zip(happened, predicted, counts)]


before = reliability(p)
table(["predicted: even", "happened", "pictures"], before)


def fit_temperature(z, y, steps):
    """The T that minimises the cross-entropy of sigmoid(z / T), found by L-BFGS."""
    t = Value(0.0)
    loss = lambda: binary_cross_entropy_with_logits(z * exp(-t), y)
    LBFGS([t], max_iter=steps).step(loss)
    return math.exp(t.data)


section("4. Fit the temperature, first on the wrong rows and then on new ones")
# T > 1 moves all scores towards 0, and so all probabilities towards 1/2. We fit t and use
# T = exp(t), which is always positive.
T_wrong = fit_temperature(z, y, 5)
T = fit_temperature(z_tune, y_tune, 50)
say(f"""On the 200 training rows T = {T_wrong:.2f} after 5 steps. The model makes no error there,
so larger scores always lower the loss, and T goes to 0. These rows cannot show that the model is
overconfident. On {len(y_tune)} new rows T = {T:.2f}.""")
q = sigmoid(z_tune / T)
residual = sum((q - y_tune) * z_tune) / len(y_tune)
sure, hit = sum(max(v, 1.0 - v) for v in q) / len(q), accuracy(y_tune, q >= 0.5)
say(f"""At this T the mean of (p - y) z is 0 (to {abs(residual):.0e}). Large scores have the
largest weight in that mean. So the mean confidence, {sure:.1%}, is not exactly the accuracy,
{hit:.1%}.""")

section("5. What the temperature changes, and what it cannot change")
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
say("""z / T has the same sign as z and the same order. So no decision at the threshold 1/2
changes, and no ranking.""")

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
        title="On the right, below the line: overconfident",
    )


picture("11_reliability", draw)

section("What we learned")
say(f"""Three forecasters with the same accuracy ({rows[0][2]:.0%}) have different log losses:
underconfident {rows[0][3]:.2f}, calibrated {rows[1][3]:.2f}, overconfident {rows[2][3]:.2f}.""")
say(f"""Our model has an accuracy of {right:.1%} and a mean confidence of {confidence:.1%}. Its log
loss is {summary[0][3]:.2f}; predicting 1/2 for every picture has 0.69.""")
say(f"""With the scores divided by T = {T:.1f} the log loss is {summary[1][3]:.2f}. The calibration
error falls from {summary[0][5]:.2f} to {summary[1][5]:.2f}. The decisions and the accuracy stay
the same.""")
say("T must be fitted on rows that were not used for training.")

assert rows[0][2] == rows[1][2] == rows[2][2] and rows[1][3] < min(rows[0][3], rows[2][3])
assert abs(grad(expected)(0.8)) < 1e-12 and grad(expected)(0.55) < 0.0 < grad(expected)(0.99)
assert confidence > right + 0.05 and summary[0][3] > math.log(2.0)
assert T_wrong < 0.5 < 2.0 < T and abs(residual) < 1e-6 and 0.0 < abs(sure - hit) < 0.02
assert accuracy(y, z >= 0.0) == 1.0
assert summary[1][1:3] == summary[0][1:3]
assert summary[1][3] < summary[0][3] / 2 and summary[1][4] < summary[0][4]
assert summary[1][5] < summary[0][5] / 2
