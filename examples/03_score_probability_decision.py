"""How does a score become a probability, and a probability a decision? Where is the line?

The data are two kinds of iris, with the length and width of their petals. A straight line
fitted to the labels gives "probabilities" below 0 and above 1. The sigmoid repairs that. Its
score z (the logit) measures the distance from a separating line. The threshold of the decision
shifts that line.

    score z = w . x + b    probability p = sigmoid(z)    decision: virginica if p >= threshold

Exercises (answers are checked by tests/course/test_exercises.py)
1.  line_height(w1, w2, b, x1): the x2 of the point (x1, x2) on the line where p = 1/2.
2.  score_for(p): the score z for which sigmoid(z) = p. Do not use this package.
3.  threshold_for(cost_of_alarm, cost_of_miss): the costs of a false alarm and of a missed case.
    From which p on is the expected cost lower if we decide for class 1?
"""

import math

from course import picture, say, section, table

from tinygrad_lr import Array, sigmoid
from tinygrad_lr.data import load_iris
from tinygrad_lr.metrics import accuracy, confusion_matrix
from tinygrad_lr.models import LogisticRegression

data = load_iris()
kept = [k for k, label in enumerate(data.y) if label > 0.0]  # versicolor 0, virginica 1
X, y = data.X[kept, 2:], data.y[kept] - 1.0
n = len(y)

section("1. The flaw: a straight line does not give probabilities")
# Fit the label by least squares, from the petal length alone (lesson 05 has the formula).
length = X[:, 0]
mean = sum(length) / n
slope = sum((length - mean) * y) / sum((length - mean) * (length - mean))
line = sum(y) / n + slope * (length - mean)
print(f"The line's 'probability of virginica' goes from {min(line):.2f} to {max(line):.2f}.")
impossible = sum((line < 0.0) + (line > 1.0))
print(f"For {impossible:.0f} of {n} flowers it is below 0 or above 1.")

section("2. The repair: a straight line for the logarithm of the odds")
# The odds p / (1 - p) go from 0 to infinity. Their logarithm goes from -infinity to infinity, as
# a straight line does. So let z = log(p / (1 - p)) be the line, and solve for p. The result is
# the sigmoid: p = 1 / (1 + exp(-z)).
rows = [(z, math.exp(z), sigmoid(z)) for z in (-4.0, -2.0, -1.0, 0.0, 1.0, 2.0, 4.0)]
table(["score z", "odds exp(z)", "probability p"], rows)
say("""If z grows by 1, the odds are multiplied by e = 2.718. This holds at every z. The
probability changes fastest where z = 0.""")

section("3. Fit the model: two weights and a bias")
model = LogisticRegression(optimizer="LBFGS", batch_size=None, epochs=100, tol=1e-9).fit(X, y)
(w1, w2), b = model.coef_, model.intercept_
print(f"z = {w1:.3f} length + {w2:.3f} width {b:+.3f};   accuracy {model.score(X, y):.0%} of {n}")
say(f"""A petal wider by 0.1 cm multiplies the odds of virginica by {math.exp(0.1 * w2):.2f}, a
petal longer by 0.1 cm by {math.exp(0.1 * w1):.2f}.""")

section("4. The points with p = 1/2 form a line, and w is perpendicular to it")
# p = 1/2 means z = 0, and the points with w . x + b = 0 form a line. If u and v are two of them,
# then w . u = w . v = -b, so w . (u - v) = 0: w is perpendicular to the line.
on_line = lambda x1: -(b + w1 * x1) / w2
here, there = (4.0, on_line(4.0)), (6.0, on_line(6.0))
along = there[0] - here[0], there[1] - here[1]
part_along = w1 * along[0] + w2 * along[1]
size = math.hypot(w1, w2)
print(f"The line goes through ({here[0]}, {here[1]:.2f}) and ({there[0]}, {there[1]:.2f}).")
print(f"w . (direction of the line) = {part_along:.0e}")

section("5. The score measures the distance from that line: z / |w|")
# Walk from a point of the line in the direction of w, and compute the score.
stations = []
for distance in (-0.4, -0.1, 0.0, 0.1, 0.4):
    x = Array([5.0 + distance * w1 / size, on_line(5.0) + distance * w2 / size])
    z = model.decision_function([x.tolist()])[0]
    stations.append((distance, x[0], x[1], z, z / size, sigmoid(z)))
table(["cm along w", "length", "width", "score z", "z / |w|", "p"], stations)

section("6. The threshold: it shifts the line and leaves the model as it is")
# p >= t means z >= log(t / (1 - t)). That is a parallel line. The data do not say which error is
# worse, a false alarm or a missed case. So the threshold is your choice.
p = model.predict_proba(X)[:, 1]
decisions = []
for t in 0.05, 0.2, 0.5, 0.8, 0.95:
    (_, alarms), (missed, _) = confusion_matrix(y, p >= t).rows
    moved = math.log(t / (1.0 - t)) / size
    decisions.append((t, moved, int(alarms), int(missed), accuracy(y, p >= t)))
table(["threshold", "line shifted by (cm)", "false alarms", "missed", "accuracy"], decisions)

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
        title="w (red) is perpendicular to the line",
    )


picture("03_separating_line", draw, figsize=(8, 4))

section("What we learned")
say(f"""A straight line gives {min(line):.2f} as a 'probability'. The sigmoid stays between 0 and
1.""")
say(f"The weights w = ({w1:.2f}, {w2:.2f}) are perpendicular to the line where p = 1/2.")
say(f"""The score is the distance from that line (in cm) times |w| = {size:.1f}. If the score grows
by 1, the odds are multiplied by e.""")
low, middle, high = decisions[0], decisions[2], decisions[4]
say(f"""With the threshold {middle[0]} the accuracy is {middle[4]:.0%}. With {low[0]} there are
{low[2]} false alarms and {low[3]} missed cases, with {high[0]} there are {high[2]} and {high[3]}.
The model is the same; only the decisions differ.""")

assert min(line) < 0.0 and max(line) > 1.0
assert all(0.0 < v < 1.0 for v in p) and abs(part_along) < 1e-9
assert abs(stations[2][5] - 0.5) < 1e-9
assert all(math.isclose(q / (1.0 - q), odds) for _, odds, q in rows)
assert all(abs(row[0] - row[4]) < 1e-9 for row in stations)
assert decisions[2][4] == model.score(X, y) >= 0.93
assert decisions[0][3] < decisions[4][3] and decisions[0][2] > decisions[4][2]
