"""What happens to the weights when a line separates the classes perfectly, and what stops them?

First six points, where it can be seen; then the 569 tumours with 30 features, which a plane
separates too. Descent never ends there: the weights grow like the logarithm of the steps, and
on rows that were held back the boasting costs. A penalty l2 / 2 * |w|^2 gives the bowl a bottom.

Exercises (answers are checked by tests/course/test_exercises.py)
1.  separates(w, b, X, y): whether z = w . x + b has every row on its right side (z > 0 for
    label 1, z < 0 for 0). X is a list of rows, y a list of labels.
2.  scaled_loss(w, b, X, y, c): the mean loss of the weights c * w, c * b. Where the line
    separates, what does it do when c grows?
3.  bound_on_weights(l2): at the minimum of loss + l2/2 |w|^2 the whole is no more than at w = 0,
    b = 0. So how long can w be at most?
"""

import math
import warnings

from course import picture, section, table

from tinygrad_lr import Array, Value, binary_cross_entropy_with_logits
from tinygrad_lr.convexity import is_linearly_separable
from tinygrad_lr.data import Batches, StandardScaler, load_breast_cancer, train_test_split
from tinygrad_lr.models import LogisticRegression
from tinygrad_lr.optim import SGD
from tinygrad_lr.training import minimize

x, y = Array([[-3.0], [-2.0], [-1.0], [1.0], [2.0], [3.0]]), Array([0, 0, 0, 1, 1, 1])
X, labels, *_ = load_breast_cancer()
X_train, X_test, y_train, y_test = train_test_split(X, labels, seed=0)
scaler = StandardScaler()
X_train, X_test = scaler.fit_transform(X_train), scaler.transform(X_test)

section("1. Six points, and a bowl without a bottom")
loss = lambda X, y: binary_cross_entropy_with_logits(X @ w, y)
w = Value([0.0])
grown, done = [], 0
for steps in 10, 100, 1000, 10000:
    history = minimize(loss, [w], Batches(x, y), SGD([w], lr=1.0), epochs=steps - done)
    grown.append((steps, w.data[0], loss(x, y).item(), history.gradient_norms[-1]))
    done = steps
table(["steps", "w", "loss", "slope"], grown)
per_decade = grown[3][1] - grown[2][1]
print(f"Ten times the steps: w grows by about log(10) = 2.30 (last by {per_decade:.2f}), for ever.")

section("2. Why: twice as sure is always better, if one is never wrong")
# A row on its right side has z > 0 for label 1: a larger |w| makes each such row more probable.
cost = lambda v, labels: binary_cross_entropy_with_logits(x @ [v], labels)
table(["w", "loss"], [(v, cost(v, y)) for v in (1.0, 2.0, 4.0, 8.0, 16.0)])
y_mixed = Array([0, 0, 1, 0, 1, 1])  # the two in the middle have changed places
costs = {v: cost(v, y_mixed) for v in (0.5, 1.0, 2.0, 4.0)}
print(
    f"separable: {is_linearly_separable(x, y)}. With two labels exchanged: "
    f"{is_linearly_separable(x, y_mixed)}; then the loss has a bottom:"
)
print("  " + ", ".join(f"{v:.3f} at w = {k}" for k, v in costs.items()))

section("3. Real data: 30 features separate 427 tumours")
separable = is_linearly_separable(X_train, y_train)
print(f"a plane separates them: {separable}, said by an exact linear program, not by training")


def judged(l2):
    """A model with this penalty: length of its weights, loss on seen rows and on others."""
    model = LogisticRegression(optimizer="LBFGS", batch_size=None, epochs=25, tol=1e-6, l2=l2)
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        model.fit(X_train, y_train)
    loss = lambda X, y: binary_cross_entropy_with_logits(model.decision_function(X), y)
    seen, unseen, right = loss(X_train, y_train), loss(X_test, y_test), model.score(X_test, y_test)
    return l2, math.hypot(*model.coef_), seen, unseen, right, model, said


section("4. Without and with a penalty")
results = [judged(l2) for l2 in (0.0, 1e-4, 1e-3, 1e-2, 1e-1, 1.0)]
table(
    ["l2", "|w|", "loss, seen rows", "held back", "accuracy, held back"], [r[:5] for r in results]
)
(warning,) = results[0][6]
print(f"fit says of the first: {str(warning.message)[:63]} ...")
print(
    f"l2 = 0 is wrong {100 * (1 - results[0][4]):.0f} times in 100, and sure of it: that costs "
    f"{results[0][3]:.0f} a row. (Saying 1/2 costs 0.69.)"
)
print("(Whoever chooses l2 by these rows needs a third part to say how good the choice is.)")

section("5. What the penalty does: the pull that balances the push")
# At the minimum mean((p - y) x) = -l2 w: what the rows still push, the penalty pulls back.
best = min(results, key=lambda r: r[3])
model, n = best[5], len(y_train)
p = model.predict_proba(X_train)[:, 1]
push = X_train.T @ (y_train - p) / n
pull = best[0] * model.coef_
table(
    ["weight", "w", "push of the rows", "pull l2 w"],
    [(k, model.coef_[k], push[k], pull[k]) for k in (0, 1, 20)],
)

section("The picture")


def draw(axes):
    for l2, color in (0.0, "C0"), (0.02, "C1"), (0.1, "C2"):
        ws = [i / 10 - 2.0 for i in range(141)]
        heights = [cost(v, y) + l2 / 2 * v * v for v in ws]
        axes.plot(ws, heights, color=color, label=f"l2 = {l2}")
        if l2:
            axes.plot(ws[heights.index(min(heights))], min(heights), "o", color=color)
    axes.set(
        xlabel="w", ylabel="loss + l2 / 2 w^2", ylim=(0, 2.5), title="A slope for ever, or a bowl"
    )


picture("13_slope_or_bowl", draw)

section("What we learned")
print(
    "Where a line separates the classes w grows for ever: "
    + ", ".join(f"{g[1]:.1f}" for g in grown)
    + "\nafter 10, 100, 1000, 10000 steps."
)
print(
    f"On the tumours |w| reached {results[0][1]:.0f}; the loss was {results[0][2]:.0e} "
    f"on seen rows, {results[0][3]:.1f} on others."
)
print(
    f"With l2 = {best[0]:g} it is {best[3]:.3f} and |w| = {best[1]:.1f}: {best[4]:.1%} right, "
    f"not {results[0][4]:.1%}."
)
print(
    f"Too much of it, l2 = 1, makes the model shy: |w| = {results[-1][1]:.2f}, "
    f"loss {results[-1][3]:.3f}."
)

assert 2.0 < per_decade < 2.6 and all(a[1] < c[1] and a[2] > c[2] for a, c in zip(grown, grown[1:]))
assert is_linearly_separable(x, y) and not is_linearly_separable(x, y_mixed) and separable
assert costs[0.5] < costs[4.0] > costs[1.0]
assert "no finite minimum" in str(warning.message) and not any(r[6] for r in results[1:])
assert all(a[1] > c[1] and a[2] < c[2] for a, c in zip(results, results[1:]))
assert best[0] not in (0.0, 1.0) and best[3] < results[0][3] / 4 and best[4] > results[0][4]
assert max(abs(a - c) for a, c in zip(push, pull)) < 1e-4
