"""How does a score become a probability, a probability a decision, and where is the line?

Two kinds of iris, measured by the length and width of their petals. A straight line through
the labels gives "probabilities" below 0 and above 1; the sigmoid mends that. Its score is a
distance from a line, its threshold moves that line, and here we draw it.

    score z = w . x + b    probability p = sigmoid(z)    decision: virginica if p >= threshold

Exercises (answers are checked by tests/course/test_exercises.py)
1.  line_height(w1, w2, b, x1): on the line where p = 1/2, the x2 that belongs to x1.
2.  score_for(p): the score z that sigmoid turns into the probability p, without this package.
3.  threshold_for(cost_of_alarm, cost_of_miss): a false alarm costs one thing, a missed case
    another. From which p on is it cheaper to say 1?
"""

import math

from course import picture, section, table

from tinygrad_lr import Array, sigmoid
from tinygrad_lr.data import load_iris
from tinygrad_lr.metrics import accuracy, confusion_matrix
from tinygrad_lr.models import LogisticRegression

data = load_iris()
kept = [k for k, label in enumerate(data.y) if label > 0.0]  # versicolor 0, virginica 1
X, y = data.X[kept, 2:], data.y[kept] - 1.0
n = len(y)

section("1. The flaw: a straight line is no probability")
# Least squares of the label on the petal's length alone (lesson 05 has its formula).
length = X[:, 0]
mean = sum(length) / n
slope = sum((length - mean) * y) / sum((length - mean) * (length - mean))
line = sum(y) / n + slope * (length - mean)
print(
    f"the line's 'probability of virginica' of {n} flowers: from {min(line):.2f} to {max(line):.2f}"
)
print(f"{sum((line < 0.0) + (line > 1.0)):.0f} flowers get a number that no probability can be.")

section("2. The repair: let the line be the logarithm of the odds")
# Odds p / (1 - p) go from 0 to infinity, their logarithm from -infinity to infinity: as a line
# does. z = log(p / (1 - p)), solved for p, is the sigmoid: p = 1 / (1 + exp(-z)).
rows = [(z, math.exp(z), sigmoid(z)) for z in (-4.0, -2.0, -1.0, 0.0, 1.0, 2.0, 4.0)]
table(["score z", "odds exp(z)", "probability p"], rows)
print("One more in the score: odds times e = 2.718, wherever you are; p grows most in the middle.")

section("3. Learned: two weights and a bias")
model = LogisticRegression(optimizer="LBFGS", batch_size=None, epochs=100, tol=1e-9).fit(X, y)
(w1, w2), b = model.coef_, model.intercept_
print(f"z = {w1:.3f} length + {w2:.3f} width {b:+.3f};   right: {model.score(X, y):.0%} of {n}")
print(
    f"a petal 0.1 cm wider: odds times {math.exp(0.1 * w2):.2f}; 0.1 cm longer: "
    f"times {math.exp(0.1 * w1):.2f}"
)

section("4. Where p = 1/2: a line, and w stands upright on it")
# p = 1/2 means z = 0: w1 x1 + w2 x2 + b = 0. The distance of a flower from it is z / |w|.
on_line = lambda x1: -(b + w1 * x1) / w2
here, there = (4.0, on_line(4.0)), (6.0, on_line(6.0))
along = there[0] - here[0], there[1] - here[1]
upright = w1 * along[0] + w2 * along[1]
size = math.hypot(w1, w2)
print(
    f"the line goes through ({here[0]}, {here[1]:.2f}) and ({there[0]}, {there[1]:.2f}); "
    f"w . direction = {upright:.0e}"
)

section("5. The score is a distance from that line, in units of 1 / |w|")
stations = []
for distance in (-0.4, -0.1, 0.0, 0.1, 0.4):
    x = Array([5.0 + distance * w1 / size, on_line(5.0) + distance * w2 / size])
    z = model.decision_function([x.tolist()])[0]
    stations.append((distance, x[0], x[1], z, z / size, sigmoid(z)))
table(["cm along w", "length", "width", "score z", "z / |w|", "p"], stations)

section("6. The decision is yours: the threshold moves the line, not the model")
# p >= t means z >= log(t / (1 - t)): a parallel line. Which errors are worse, is not in the data.
p = model.predict_proba(X)[:, 1]
decisions = []
for t in 0.05, 0.2, 0.5, 0.8, 0.95:
    (_, alarms), (missed, _) = confusion_matrix(y, p >= t).rows
    moved = math.log(t / (1.0 - t)) / size
    decisions.append((t, moved, int(alarms), int(missed), accuracy(y, p >= t)))
table(["threshold", "line moved by (cm)", "false alarms", "missed", "accuracy"], decisions)

section("The picture")


def draw(axes):
    for label, name in enumerate(data.target_names[1:]):
        axes.scatter(*zip(*(x for x, t in zip(X.rows, y) if t == label)), s=18, label=name)
    for t, style in (0.05, ":"), (0.5, "-"), (0.95, "--"):
        heights = [on_line(v) + math.log(t / (1.0 - t)) / w2 for v in (2.8, 7.2)]
        axes.plot((2.8, 7.2), heights, style, color="black", label=f"p = {t}")
    axes.arrow(5.0, on_line(5.0), 0.5 * w1 / size, 0.5 * w2 / size, width=0.02, color="crimson")
    axes.set(
        xlabel="petal length (cm)",
        ylabel="petal width (cm)",
        ylim=(0.8, 2.7),
        aspect="equal",
        title="w (red) stands upright on the line",
    )


picture("03_separating_line", draw, figsize=(8, 4))

section("What we learned")
print(
    f"A straight line gives {min(line):.2f} as a 'probability'; the sigmoid of a straight line "
    "stays within 0 and 1."
)
print(
    f"w = ({w1:.2f}, {w2:.2f}) stands upright on the line where p = 1/2; the distance from it "
    f"in\ncm, times |w| = {size:.1f}, is the score; one more of it multiplies the odds by e."
)
print(
    f"At threshold 0.5 the line is right on {decisions[2][4]:.0%}. At {decisions[0][0]} it "
    "misses "
    f"{decisions[0][3]} but cries wolf {decisions[0][2]} times;\nat {decisions[4][0]} it misses "
    f"{decisions[4][3]} with {decisions[4][2]} false alarms: the same model, other decisions."
)

assert min(line) < 0.0 and max(line) > 1.0
assert all(0.0 < v < 1.0 for v in p) and abs(upright) < 1e-9
assert abs(stations[2][5] - 0.5) < 1e-9
assert all(math.isclose(q / (1.0 - q), odds) for _, odds, q in rows)
assert all(abs(row[0] - row[4]) < 1e-9 for row in stations)
assert decisions[2][4] == model.score(X, y) >= 0.93
assert decisions[0][3] < decisions[4][3] and decisions[0][2] > decisions[4][2]
