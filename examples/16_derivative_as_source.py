"""What code would I write if I derived the gradient by hand?

The engine can write it: the backward pass, listed line by line, is a Python program. First we
see why a derivative is better written as a list of lines than as one formula. Then we read the
source for a neuron and for a whole table, run it without the engine, and train with it.

Exercises (answers are checked by tests/course/test_exercises.py)
1.  by_hand(w, b, x, y): the squared error (sigmoid(w x + b) - y)^2 and its derivatives by w and
    b, as (value, (d_w, d_b)). Write straight-line Python, without loops and calls of the engine.
2.  lines_of(source): how many lines of a Python function compute something? Do not count
    comments, docstrings, empty lines, `def` and `return`; the ast module helps. (The number
    of lines of to_source grows with the length of the function, not exponentially.)
3.  bottom(f, x, steps): the minimum of a function of one number, by Newton's method. Get the
    slope and the curvature from one source: to_source(grad(f), x), or compile.
"""

import math
import timeit

from course import picture, say, section, table

from tinygrad_lr import Array, Value, binary_cross_entropy_with_logits, sin, value_and_grad
from tinygrad_lr.data import StandardScaler, load_breast_cancer
from tinygrad_lr.graph import compile, to_source


def nested(depth):
    """The function that starts with f = x and sets f = f * sin(f) `depth` times."""

    def f(x):
        for _ in range(depth):
            x = x * sin(x)
        return x

    return f


section("1. A derivative as one formula grows exponentially")
# Start with f = x and repeat f = f * sin(f). We build the formulas of f and of its derivative as
# strings, by the product rule.
body = lambda source: source[source.index("\ndef ", source.index("import")) + 1 :]
formula, slope, rows = "x", "1", []
for depth in range(1, 8):
    slope = f"(({slope})*sin({formula})+({formula})*cos({formula})*({slope}))"
    formula = f"({formula})*sin({formula})"
    lines = body(to_source(nested(depth), 1.0)).splitlines()
    rows.append((depth, len(formula), len(slope), len(lines)))
table(["steps", "characters of f", "of its derivative", "lines of source"], rows)
say("""In a list of lines each intermediate result has a name. It is computed once and can be used
many times. So the list stays short.""")

section("2. The neuron, as the engine writes it")


def neuron(w, b, x, y):
    return binary_cross_entropy_with_logits(w * x + b, y)


source = to_source(neuron, 0.5, 0.0, 1.0, 1.0, argnums=(0, 1))
print(source[source.index("def neuron") :].rstrip())

section("3. The source runs without the engine and gives the same numbers")
space = {}
exec(source, space)  # the source imports math and nothing else
w, b = Value(0.5), Value(-1.0)
loss = neuron(w, b, 3.0, 1.0)
loss.backward()
value, (d_w, d_b) = space["neuron"](0.5, -1.0, 3.0, 1.0)
by_engine, by_source = (loss.data, w.grad, b.grad), (value, d_w, d_b)
table(["", "loss", "d loss/d w", "d loss/d b"], [("engine", *by_engine), ("source", *by_source)])
imported = [line for line in source.splitlines() if "import" in line.split()]
print("The source contains these imports only:", "; ".join(imported))

section("4. All rows at once: the gradient of logistic regression")


def logistic_regression(w, b, X, y):
    return binary_cross_entropy_with_logits(X @ w + b, y)


X, y, *_ = load_breast_cancer()
X = StandardScaler().fit_transform(X)
zeros = [0.0] * 30
text = to_source(logistic_regression, zeros, 0.0, X, y, argnums=(0, 1))
print(text[text.index("def logistic_regression") :].rstrip())

section("5. Train with the source, and with the engine")


def learn(gradient):
    """The weights after 50 steps of gradient descent."""
    w, b = Array(zeros), 0.0
    for _ in range(50):
        _, (d_w, d_b) = gradient(w, b, X, y)
        w, b = w - 0.5 * d_w, b - 0.5 * d_b
    return w


source_of_all = compile(logistic_regression, zeros, 0.0, X, y, argnums=(0, 1))
engine_of_all = value_and_grad(logistic_regression, argnums=(0, 1))
apart = max(abs(s - e) for s, e in zip(learn(source_of_all), learn(engine_of_all)))
print(f"After 50 steps on {len(X)} rows the weights differ by at most {apart:.1g}.")

section("6. What the source saves: the cost of building the graph")
source_of_one = compile(neuron, 0.5, 0.0, 1.0, 1.0, argnums=(0, 1))
engine_of_one = value_and_grad(neuron, argnums=(0, 1))


def microseconds(gradient, arguments, times):
    return 1e6 / times * min(timeit.repeat(lambda: gradient(*arguments), number=times))


one, all_rows = (0.5, -1.0, 3.0, 1.0), (Array(zeros), 0.0, X, y)
times_of_one = [microseconds(f, one, 500) for f in (source_of_one, engine_of_one)]
times_of_all = [microseconds(f, all_rows, 5) for f in (source_of_all, engine_of_all)]
table(
    ["microseconds per step", "by source", "by engine"],
    [("1 row", *times_of_one), ("569 rows", *times_of_all)],
)
say("""The engine builds the graph again in each step. With many rows that is a small part of the
work.""")

section("The picture")


def draw(axes):
    steps, _, characters, lines = zip(*rows)
    axes.semilogy(steps, characters, "o-", label="characters of the formula")
    axes.semilogy(steps, lines, "o-", label="lines of the source")
    axes.set(xlabel="steps f = f * sin(f)", title="A derivative: one formula, or a list of lines")


picture("16_characters_and_lines", draw)

section("What we learned")
say(f"""The derivative of 7 nested steps has {rows[-1][2]:,} characters as one formula, and
{rows[-1][3]} lines as source.""")
say("The source is what one derives by hand: d_z = p - y, then d_w = d_z * x and d_b = d_z.")
say("""It lists the rules that the engine applies. So it gives the same numbers, and it runs on its
own.""")
say(f"Training with the source and with the engine ends at the same weights (to {apart:.1g}).")

assert all(later[2] > 2 * earlier[2] for earlier, later in zip(rows, rows[1:]))
assert all(later[3] - earlier[3] < 6 for earlier, later in zip(rows, rows[1:]))
by_formula = eval(slope, {"x": 1.1, "sin": math.sin, "cos": math.cos})
assert abs(compile(nested(7), 1.1)(1.1)[1][0] / by_formula - 1.0) < 1e-9
assert imported == ["import math"] and "d_z = p - y" in source
assert all(abs(a - b) < 1e-12 for a, b in zip(by_engine, by_source))
assert apart < 1e-9
