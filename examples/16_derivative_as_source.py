"""What would I have written, had I derived the gradient by hand?

The engine can say it: the backward walk, listed line by line, is a Python program. First we
see why a derivative is no formula but a list of lines; then we read the source for a neuron
and for whole tables of rows, run it without the engine, and learn with it.

Exercises (answers are checked by tests/course/test_exercises.py)
1.  by_hand(w, b, x, y): the squared error (sigmoid(w x + b) - y)^2 and its slopes by w and b
    as (value, (d_w, d_b)), in straight lines of plain Python.
2.  lines_of(source): how many lines of a Python function compute something? (no comments, no
    docstrings, no empty lines, neither `def` nor `return`; the ast module helps.) Then see
    that the lines of to_source grow with the length of a function, not exponentially.
3.  bottom(f, x, steps): Newton's method for a function of one number, with slope and
    curvature both from one source: to_source(grad(f), x), or compile.
"""

import math
import timeit

from course import picture, section, table

from tinygrad_lr import Array, Value, binary_cross_entropy_with_logits, sin, value_and_grad
from tinygrad_lr.data import StandardScaler, load_breast_cancer
from tinygrad_lr.graph import compile, to_source


def nested(depth):
    """x -> f, with so many steps f = f * sin(f)."""

    def f(x):
        for _ in range(depth):
            x = x * sin(x)
        return x

    return f


section("1. A derivative as one formula explodes")
# f = x; then again and again f = f * sin(f). By the product rule, as strings:
body = lambda source: source[source.index("\ndef ", source.index("import")) + 1 :]
formula, slope, rows = "x", "1", []
for depth in range(1, 8):
    slope = f"(({slope})*sin({formula})+({formula})*cos({formula})*({slope}))"
    formula = f"({formula})*sin({formula})"
    lines = body(to_source(nested(depth), 1.0)).splitlines()
    rows.append((depth, len(formula), len(slope), len(lines)))
table(["steps", "letters of f", "letters of its derivative", "lines of source"], rows)
print("Each name in a list of lines is computed once and used as often as needed. That is all.")

section("2. The neuron, as the engine writes it")


def neuron(w, b, x, y):
    return binary_cross_entropy_with_logits(w * x + b, y)


source = to_source(neuron, 0.5, 0.0, 1.0, 1.0, argnums=(0, 1))
print(source[source.index("def neuron") :].rstrip())

section("3. It runs without the engine, and says the same")
space = {}
exec(source, space)  # it imports math, and nothing else
w, b = Value(0.5), Value(-1.0)
loss = neuron(w, b, 3.0, 1.0)
loss.backward()
value, (d_w, d_b) = space["neuron"](0.5, -1.0, 3.0, 1.0)
by_walk, by_lines = (loss.data, w.grad, b.grad), (value, d_w, d_b)
table(["", "loss", "by w", "by b"], [("engine", *by_walk), ("its source", *by_lines)])
imported = [line for line in source.splitlines() if "import" in line.split()]
print("all that it imports:", "; ".join(imported))

section("4. All rows at once: the gradient of logistic regression")


def logistic_regression(w, b, X, y):
    return binary_cross_entropy_with_logits(X @ w + b, y)


X, y, *_ = load_breast_cancer()
X = StandardScaler().fit_transform(X)
zeros = [0.0] * 30
text = to_source(logistic_regression, zeros, 0.0, X, y, argnums=(0, 1))
print(text[text.index("def logistic_regression") :].rstrip())

section("5. Learned with the source, and with the engine")


def learn(gradient):
    """The weights after 50 steps downhill."""
    w, b = Array(zeros), 0.0
    for _ in range(50):
        _, (d_w, d_b) = gradient(w, b, X, y)
        w, b = w - 0.5 * d_w, b - 0.5 * d_b
    return w


source_of_all = compile(logistic_regression, zeros, 0.0, X, y, argnums=(0, 1))
engine_of_all = value_and_grad(logistic_regression, argnums=(0, 1))
apart = max(abs(s - e) for s, e in zip(learn(source_of_all), learn(engine_of_all)))
print(f"weights after 50 steps on {len(X)} rows differ by at most {apart:.1g}")

section("6. What is saved: bookkeeping, which many rows share")
source_of_one = compile(neuron, 0.5, 0.0, 1.0, 1.0, argnums=(0, 1))
engine_of_one = value_and_grad(neuron, argnums=(0, 1))
microseconds = lambda work, times: 1e6 / times * min(timeit.repeat(work, number=times))
one, all_rows = (0.5, -1.0, 3.0, 1.0), (Array(zeros), 0.0, X, y)
table(
    ["microseconds a step", "by source", "by engine"],
    [
        ("1 row", *(microseconds(lambda: f(*one), 500) for f in (source_of_one, engine_of_one))),
        (
            "569 rows",
            *(microseconds(lambda: f(*all_rows), 5) for f in (source_of_all, engine_of_all)),
        ),
    ],
)

section("The picture")


def draw(axes):
    steps, _, letters, lines = zip(*rows)
    axes.semilogy(steps, letters, "o-", label="letters of the formula")
    axes.semilogy(steps, lines, "o-", label="lines of the source")
    axes.set(xlabel="steps f = f * sin(f)", title="A derivative is a list of lines, not a formula")


picture("16_letters_and_lines", draw)

section("What we learned")
print(
    f"As one formula the derivative of 7 nested steps has {rows[-1][2]:,} letters; as source "
    f"{rows[-1][3]} lines."
)
print("The source is what one derives by hand: d_z = p - y, then d_w = d_z * x and d_b = d_z.")
print("Run on its own it gives the engine's numbers, because it is the same rules, listed.")
print(f"Learning by source and by engine ends at the same weights, within {apart:.1g}.")

assert all(later[2] > 2 * earlier[2] for earlier, later in zip(rows, rows[1:]))
assert all(later[3] - earlier[3] < 6 for earlier, later in zip(rows, rows[1:]))
by_formula = eval(slope, {"x": 1.1, "sin": math.sin, "cos": math.cos})
assert abs(compile(nested(7), 1.1)(1.1)[1][0] / by_formula - 1.0) < 1e-9
assert imported == ["import math"] and "d_z = p - y" in source
assert all(abs(a - b) < 1e-12 for a, b in zip(by_walk, by_lines))
assert apart < 1e-9
