"""What happens to the weights if a line separates the classes perfectly? What stops them?

We start with six points. Then we take the tumours with 30 features; the training rows are
separable too. On separable data the loss has no minimum. Gradient descent never ends, and the
weights grow like the logarithm of the number of steps. On held-back rows the overconfident
predictions are expensive. A penalty l2 / 2 * |w|^2 gives the loss a minimum.

Exercises (answers are checked by tests/course/test_exercises.py)
1.  separates(w, b, X, y): True if z = w . x + b has the right sign for every row (z > 0 for the
    label 1, z < 0 for the label 0). X is a list of rows, y a list of labels.
2.  scaled_loss(w, b, X, y, c): the mean loss for the weights c * w and c * b. If the line
    separates the classes, how does the loss change when c grows?
3.  bound_on_weights(l2): loss + l2/2 |w|^2 is at its minimum no larger than at w = 0, b = 0.
    What is the largest possible |w| there?
"""

import math
import warnings

from course import picture, say, section, table

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

section("1. Six separable points: the loss has no minimum")
loss = lambda X, y: binary_cross_entropy_with_logits(X @ w, y)
w = Value([0.0])
grown, done = [], 0
for steps in 10, 100, 1000, 10000:
    history = minimize(loss, [w], Batches(x, y), SGD([w], lr=1.0), epochs=steps - done)
    grown.append((steps, w.data[0], loss(x, y).item(), history.gradient_norms[-1]))
    done = steps
table(["steps", "w", "loss", "slope"], grown)
per_decade = grown[3][1] - grown[2][1]
# For large w the loss is about exp(-w) / 3, because two of the six points are at distance 1. Each
# step adds its slope, exp(-w) / 3, to w. So w grows like log(steps).
say(f"""With ten times the steps w grows by about log(10) = 2.30 (the last time by
{per_decade:.2f}), without end.""")

section("2. Why: with separable classes larger weights always lower the loss")
# If the sign of z is right for every row, then twice the weights make every label more probable.
cost = lambda v, labels: binary_cross_entropy_with_logits(x @ [v], labels)
table(["w", "loss"], [(v, cost(v, y)) for v in (1.0, 2.0, 4.0, 8.0, 16.0)])
y_mixed = Array([0, 0, 1, 0, 1, 1])  # the labels of the two middle points are exchanged
costs = {v: cost(v, y_mixed) for v in (0.5, 1.0, 2.0, 4.0)}
say(f"""Linearly separable: {is_linearly_separable(x, y)}. With two labels exchanged:
{is_linearly_separable(x, y_mixed)}. Then the loss has a minimum:""")
print("  " + ", ".join(f"{v:.3f} at w = {k}" for k, v in costs.items()))

section("3. Real data: 30 features separate 427 tumours")
separable = is_linearly_separable(X_train, y_train)
say(f"""Linearly separable: {separable}. An exact linear program decides this; it does not train a
model.""")


def judged(l2):
    """Fit a model with this penalty. Give |w|, the losses, the accuracy, the model, its warnings.

    The losses are the cross-entropies on the training rows and on the held-back rows, without
    the penalty.
    """
    model = LogisticRegression(optimizer="LBFGS", batch_size=None, epochs=25, tol=1e-6, l2=l2)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        model.fit(X_train, y_train)
    loss = lambda X, y: binary_cross_entropy_with_logits(model.decision_function(X), y)
    seen, unseen, right = loss(X_train, y_train), loss(X_test, y_test), model.score(X_test, y_test)
    return l2, math.hypot(*model.coef_), seen, unseen, right, model, caught


section("4. Without and with a penalty")
results = [judged(l2) for l2 in (0.0, 1e-4, 1e-3, 1e-2, 1e-1, 1.0)]
table(["l2", "|w|", "loss, training", "held back", "accuracy, held back"], [r[:5] for r in results])
(warning,) = results[0][6]
print(f"for l2 = 0, fit warns: {str(warning.message)[:63]} ...")
say(f"""Without a penalty {100 * (1 - results[0][4]):.0f} of 100 predictions are wrong, and the
model is certain of them. On average this costs {results[0][3]:.0f} per row; predicting 1/2 for
every row costs 0.69.""")
say("""(If you choose l2 by the held-back rows, you need other rows again to measure the chosen
model.)""")

section("5. What the penalty does: it balances the gradient of the rows")
# At the minimum the gradient of loss + l2 / 2 |w|^2 is 0, so mean((y - p) x) = l2 w. The left side
# is the push of the rows, the right side the pull of the penalty.
best = min(results, key=lambda r: r[3])
model, n = best[5], len(y_train)
p = model.predict_proba(X_train)[:, 1]
push = X_train.T @ (y_train - p) / n
pull = best[0] * model.coef_
table(
    ["weight", "w", "push of the rows", "pull of the penalty"],
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
        xlabel="w", ylabel="loss + l2 / 2 w^2", ylim=(0, 2.5), title="A penalty gives a minimum"
    )


picture("13_slope_or_bowl", draw)

section("What we learned")
say(f"""If a line separates the classes, w grows without end:
{", ".join(f"{w:.1f}" for _, w, _, _ in grown)} after 10, 100, 1000 and 10000 steps.""")
say(f"""On the tumours |w| reaches {results[0][1]:.0f} without a penalty. The loss is
{results[0][2]:.0e} on the training rows and {results[0][3]:.1f} on held-back rows.""")
say(f"""With l2 = {best[0]:g} the loss on held-back rows is {best[3]:.3f} and |w| = {best[1]:.1f}.
The accuracy is {best[4]:.1%} instead of {results[0][4]:.1%}.""")
say(f"""With too large a penalty, l2 = 1, the model is underconfident: |w| = {results[-1][1]:.2f},
and the loss is {results[-1][3]:.3f}.""")

assert 2.0 < per_decade < 2.6 and all(a[1] < c[1] and a[2] > c[2] for a, c in zip(grown, grown[1:]))
assert is_linearly_separable(x, y) and not is_linearly_separable(x, y_mixed) and separable
assert costs[0.5] < costs[4.0] > costs[1.0]
assert "no finite minimum" in str(warning.message) and not any(r[6] for r in results[1:])
assert all(a[1] > c[1] and a[2] < c[2] for a, c in zip(results, results[1:]))
assert best[0] not in (0.0, 1.0) and best[3] < results[0][3] / 4 and best[4] > results[0][4]
assert max(abs(a - c) for a, c in zip(push, pull)) < 1e-4
