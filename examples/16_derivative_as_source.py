"""What would I have written, had I derived the gradient by hand?

The engine can say it: the backward walk, listed line by line, is a Python program. First we
see why a derivative is no formula but a list of lines; then we read the source for a neuron
and for whole tables of rows, run it without the engine, and learn with it.

Exercises (answers are checked by tests/test_exercises_b.py)
1.  by_hand(w, b, x, y): the squared error (sigmoid(w x + b) - y)^2 and its slopes by w and b
    as (value, (d_w, d_b)), in straight lines of plain Python.
2.  lines_of(source): how many lines of a Python function compute something? (no comments, no
    docstrings, no empty lines, neither `def` nor `return`; the ast module helps.) Then see
    that the lines of to_source grow with the length of a function, not exponentially.
3.  bottom(f, x, steps): Newton's method for a function of one number, with slope and
    curvature both from one source: to_source(grad(f), x), or compile.
"""

import math
from time import perf_counter

from course import section, table

from tinygrad_lr import Value, binary_cross_entropy_with_logits, sin
from tinygrad_lr.data import StandardScaler, load_breast_cancer
from tinygrad_lr.graph import compile, to_source

section("1. A derivative as one formula explodes")
# f = x; then again and again f = f * sin(f). By the product rule, as strings:
formula, slope, rows = "x", "1", []


def nested(depth):
    """x -> f, with so many steps f = f * sin(f)."""
    def f(x):
        for _ in range(depth):
            x = x * sin(x)
        return x

    return f


body = lambda source: source[source.index("\ndef ", source.index("import")) + 1 :]
for depth in range(1, 8):
    slope = f"(({slope})*sin({formula})+({formula})*cos({formula})*({slope}))"
    formula = f"({formula})*sin({formula})"
    lines = body(to_source(nested(depth), 1.0)).splitlines()
    rows.append((depth, len(formula), len(slope), len(lines)))
table(["steps", "letters of f", "letters of its derivative", "lines of source"], rows)
x = 1.1
by_formula = eval(slope, {"x": x, "sin": math.sin, "cos": math.cos})
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
fast = compile(logistic_regression, zeros, 0.0, X, y, argnums=(0, 1))


def by_source(w, b):
    return fast(w.data, b.data, X, y)[1]


def by_engine(w, b):
    w.grad = b.grad = None
    logistic_regression(w, b, X, y).backward()
    return w.grad, b.grad


learned, seconds = {}, {}
for name, gradient in ("source", by_source), ("engine", by_engine):
    w, b = Value(zeros), Value(0.0)
    start = perf_counter()
    for _ in range(50):
        d_w, d_b = gradient(w, b)
        w.data, b.data = w.data - 0.5 * d_w, b.data - 0.5 * d_b
    learned[name], seconds[name] = w.data, perf_counter() - start
apart = max(abs(s - e) for s, e in zip(learned["source"], learned["engine"]))
print(f"weights after 50 steps on {len(X)} rows differ by at most {apart:.1g}")
small = compile(neuron, 0.5, 0.0, 1.0, 1.0, argnums=(0, 1))
w, b = Value(0.5), Value(-1.0)
for name, step in (("one row by source", lambda: small(0.5, -1.0, 3.0, 1.0)),
                   ("one row by engine", lambda: neuron(w, b, 3.0, 1.0).backward())):
    start = perf_counter()
    for _ in range(2000):
        step()
    seconds[name] = perf_counter() - start
table(["", "milliseconds"], [(name, round(1000.0 * s)) for name, s in seconds.items()])
print("(50 steps on all rows; 2000 on one. What is saved is bookkeeping, which many rows share.)")

section("What we learned")
print(f"As one formula the derivative of 7 nested steps has {rows[-1][2]:,} letters; as source "
      f"{rows[-1][3]} lines.")
print("The source is what one derives by hand: d_z = p - y, then d_w = d_z * x and d_b = d_z.")
print("Run on its own it gives the engine's numbers, because it is the same rules, listed.")
print(f"Learning by source and by engine ends at the same weights, within {apart:.1g}.")

assert all(later[2] > 2 * earlier[2] for earlier, later in zip(rows, rows[1:]))
assert all(later[3] - earlier[3] < 6 for earlier, later in zip(rows, rows[1:]))
assert abs(compile(nested(7), x)(x)[1][0] / by_formula - 1.0) < 1e-9
assert imported == ["import math"] and "d_z = p - y" in source
assert all(abs(a - b) < 1e-12 for a, b in zip(by_walk, by_lines))
assert apart < 1e-9
