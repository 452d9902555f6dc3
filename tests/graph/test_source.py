"""Source: it says and computes what the engine does, and reads like a derivation."""

import ast
import builtins
import inspect
import linecache
import math
import random
import subprocess
import sys
import unicodedata
from math import prod
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tinygrad_lr import (
    Array, Value, abs, affine, binary_cross_entropy_with_logits, clip, concatenate, cos,
    cross_entropy, elementwise, exp, expm1, grad, hessian_vector_product,
    linear_binary_cross_entropy, linear_cross_entropy, log, log1p, log_sigmoid, log_softmax,
    logsumexp, matmul, max, maximum, mean, minimum,
    negative_log_likelihood, no_grad, operation, relu, reshape, sigmoid, sin, softmax, softplus,
    sqrt, stack, sum, tanh, transpose, value_and_grad, where,
)  # fmt: skip
from tinygrad_lr.core.array import as_data, from_flat, shape_of
from tinygrad_lr.core.array import flat_of as flat
from tinygrad_lr.graph import compile, to_source
from tinygrad_lr.graph.source.syntax import identifier
from tinygrad_lr.core.lift import shape
from tinygrad_lr.core.operation import OPERATIONS

if TYPE_CHECKING:
    from numbers import Real

GOLDEN = Path(__file__).parents[1] / "golden"


def run(text, *inputs, name=None):
    """What the function in a source gives. It sees no names but its own."""
    namespace = {}
    exec(text, namespace)
    functions = [d.name for d in ast.parse(text).body if isinstance(d, ast.FunctionDef)]
    return namespace[name or functions[-1]](*inputs)


def agree(found, expected, **tolerance):
    """Same shapes, and numbers that differ in the last few bits at most."""
    assert shape_of(found) == shape_of(expected)
    assert flat(found) == pytest.approx(flat(expected), **{"rel": 1e-12, "abs": 1e-13, **tolerance})


def neuron(w, b, x, y):
    return binary_cross_entropy_with_logits(w * x + b, y)


def regression(w, b, X, y):
    return binary_cross_entropy_with_logits(X @ w + b, y)


def data(rows, columns=30):
    """Features and labels without a pattern, but the same every time."""
    X = [[math.sin(7 * i + 3 * j * j) for j in range(columns)] for i in range(rows)]
    y = [float(math.sin(5 * i) > 0) for i in range(rows)]
    w = [math.cos(j) for j in range(columns)]
    return as_data(w), 0.3, as_data(X), as_data(y)


# ---- how it reads ------------------------------------------------------------------------


SOURCES = {
    "neuron": (neuron, (0.5, 0.1, 2.0, 1.0), None),
    "neuron_slope": (grad(neuron), (0.5, 0.1, 2.0, 1.0), 0),
    "logistic_regression": (regression, data(32), (0, 1)),
}


@pytest.mark.parametrize("name", SOURCES)
def test_it_reads_as_it_did(name):
    """If it reads better now: PYTHONPATH=. python tests/graph/test_source.py writes these files."""
    f, inputs, argnums = SOURCES[name]
    assert to_source(f, *inputs, argnums=argnums) == (GOLDEN / f"{name}.py").read_text(
        encoding="utf-8"
    )


def test_the_golden_neuron_ends_as_a_textbook_does():
    function = (GOLDEN / "neuron.py").read_text(encoding="utf-8").split("def neuron")[1]
    steps = [line.split("#")[0].strip() for line in function.splitlines()]
    for step in "z = w * x + b", "p = sigmoid(z)", "d_z = p - y", "d_w = d_z * x", "d_b = d_z":
        assert step in steps
    assert "d_w = (p - y) * x" in function  # in the comment, with everything put in
    assert "    d_w = (p - y) * x " in to_source(neuron, 0.5, 0.1, 2.0, 1.0, argnums=0)


def test_one_assignment_a_line_and_a_comment_on_each():
    text = to_source(neuron, 0.5, 0.1, 2.0, 1.0)
    body = ast.parse(text).body[-1].body
    assert all(isinstance(s, (ast.Assign, ast.Return, ast.Expr)) for s in body)
    lines = text.splitlines()
    for assignment in body:
        if isinstance(assignment, ast.Assign):
            line, above = lines[assignment.lineno - 1], lines[assignment.lineno - 2]
            assert "  # " in line or above.strip().startswith("# ")
    assert builtins.max(map(len, lines)) <= 100


@pytest.mark.parametrize(
    ("f", "code"),
    [
        (lambda x: x * 1.0 + 0.0, "return x, (d_x,)"),
        (lambda x: 0.0 - (0.0 - x), "return x, (d_x,)"),
        (lambda x: 3.0 - (-x), "value = 3.0 + x"),
        (lambda x: x / 1.0 - 0.0, "return x, (d_x,)"),
        (lambda x: x * x, "d_x = 2.0 * x"),
        (lambda x: x**3, "d_x = 3.0 * x ** 2"),
        (lambda x: x**1.0, "return x, (d_x,)"),
        (lambda x: sum(reshape(x, (1, 1))), "return x, (d_x,)"),
        (lambda x: mean(x), "return x, (d_x,)"),
        (lambda x: 0.0 - x, "d_x = -1.0"),
        (lambda x: exp(x), "d_x = value"),
        (lambda x: 4.0, "return 4.0, (d_x,)"),
        (lambda x: 4.0, "d_x = 0.0"),
        (lambda x: where(x > 1, 0.5, 2.0) * 3.0, "value = (0.5 if 1.0 < x else 2.0) * 3.0"),
    ],
)
def test_it_is_simplified(f, code):
    text = to_source(f, 0.7)
    assert f"    {code}" in text.splitlines() or f"    {code} " in text, text


def test_what_is_used_twice_is_computed_once():
    text = to_source(lambda x, y: exp(x * y) * sin(x * y) + exp(y * x), 0.3, 0.4)
    assert text.count("math.exp") == 1
    assert text.count("= x * y") == 1


def test_what_nothing_asks_for_is_not_there():
    def f(x, y):
        exp(y)  # dead
        return x * sin(y)

    text = to_source(f, 1.0, 2.0, argnums=0)
    assert "exp" not in text and "cos" not in text
    w, b, X, y = data(4)
    assert "d_X" not in to_source(regression, w, b, X, y, argnums=(0, 1))


def test_names_are_those_of_the_user():
    def f(weights, bias):
        score = weights * 3.0 + bias
        score.label = "score"
        return tanh(score) * score

    text = to_source(f, 1.0, 2.0)
    for name in "def f(weights, bias):", "    score = ", "d_score", "d_weights", "d_bias":
        assert name in text


def test_names_do_not_collide():
    def f(sigmoid_, math, z, d_z, value, sum, p, sumprod):
        q = binary_cross_entropy_with_logits(z * math + d_z, 1.0)
        q.label = "sigmoid"
        return q * value * sum * p + sigmoid(sigmoid_ * sumprod) + q

    inputs = [0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.2]
    value, gradients = run(to_source(f, *inputs), *inputs)
    expected = value_and_grad(f, tuple(range(8)))(*inputs)
    agree(value, expected[0])
    assert gradients == pytest.approx(expected[1], rel=1e-12)
    vector = lambda row, column, zip, row_i: sum((matmul([[1.0, 2.0]], row) - column) * zip + row_i)
    inputs = [as_data(x) for x in ([0.3, 0.4], [0.5], [0.6], 0.7)]
    value, gradients = run(to_source(vector, *inputs), *inputs)
    agree(value, vector(*inputs))


LABELS_OF_ALL_KINDS = [
    "\N{MATHEMATICAL ITALIC SMALL W}", "x₁", "x²", "½", "①", "\N{MICRO SIGN}", "ŵ'", "2 w", "-",
    "class", "lambda", "if", "match", "None", "__debug__", "math", "Array", "OPERATIONS",
    "_again_", "_exactly_",
]  # fmt: skip


@pytest.mark.parametrize("label", LABELS_OF_ALL_KINDS)
def test_a_label_becomes_a_name_of_its_own(label):
    def f(w, x1, x2):
        z = w * x1 + x2
        z.label = label
        return z * z + w

    f.__name__ = label
    check(f, (2.0, 3.0, 0.5))
    constant = Value([0.3, 0.7], label=label)
    check(lambda w: cross_entropy(w * constant, constant), ([1.0, 2.0],))
    assert compile(f, 2.0, 3.0, 0.5)(2, 3, 0.5)[0] == 44.25  # converted: not by the label's number


@given(st.text(min_size=1))
def test_any_text_becomes_a_name_that_python_reads_as_it_is(text):
    name = identifier(text)
    assert name.isidentifier() and unicodedata.normalize("NFKC", name) == name


def test_a_function_may_have_the_name_of_its_helper():
    value, (slope,) = run(to_source(softplus, 0.3), 0.3)
    assert (value, slope) == (softplus(0.3), sigmoid(0.3))


# ---- what it needs -----------------------------------------------------------------------


def imported(text):
    found = set()
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            found.add(node.module)
    return found


def test_for_numbers_it_imports_math_alone():
    text = to_source(neuron, 0.5, 0.1, 2.0, 1.0)
    assert imported(text) == {"math"}
    alone = subprocess.run(
        [sys.executable, "-S", "-c", f"{text}\nprint(neuron(0.5, 0.1, 2.0, 1.0))"],
        capture_output=True, text=True, check=True, cwd="/", env={},
    )  # fmt: skip
    value, gradients = eval(alone.stdout)
    expected = value_and_grad(neuron, (0, 1, 2, 3))(0.5, 0.1, 2.0, 1.0)
    agree(value, expected[0])
    assert gradients == pytest.approx(expected[1], rel=1e-12)


def test_for_tensors_it_imports_array_alone():
    assert imported(to_source(regression, *data(4))) == {"tinygrad_lr.core.array"}


def test_a_helper_is_the_text_of_numerics():
    from tinygrad_lr.core import numerics

    text = to_source(neuron, 0.5, 0.1, 2.0, 1.0)
    for helper in numerics.sigmoid, numerics.softplus, numerics.log_sigmoid:
        assert inspect.getsource(helper) in text
    assert "def tanh" not in text


# ---- what it computes --------------------------------------------------------------------


def scalar_samples():
    """Samples of single numbers, of each elementwise operation."""
    for name, op in sorted(OPERATIONS.items()):
        for sample in op.samples:
            if op.is_elementwise and all(isinstance(x, float) for x in sample):
                yield pytest.param(op, sample, id=f"{name}{sample}")


@pytest.mark.parametrize(("op", "sample"), list(scalar_samples()))
def test_every_operation_of_numbers(op, sample):
    places = tuple(i for i, rule in enumerate(op.rules) if rule is not None)
    f = lambda *xs: op.public(*xs) * 1.5
    check(f, sample, places)
    if places:
        check(lambda *xs: grad(f, places[0])(*xs), sample, places)


def check(f, inputs, places=None):
    """Source and compiled function against the engine; gives the source."""
    places = tuple(range(len(inputs))) if places is None else places
    inputs = tuple(map(as_data, inputs))
    text = to_source(f, *inputs, argnums=places)
    if not places:  # the value alone
        assert run(text, *inputs) == compile(f, *inputs, argnums=())(*inputs) == f(*inputs)
        return text
    value, gradients = run(text, *inputs)
    expected_value, expected = value_and_grad(f, places)(*inputs)
    size = builtins.max(
        [1.0, *(math.fabs(v) for x in (expected_value, *expected) for v in flat(x))]
    )
    assert type(value) is float
    agree(value, expected_value, abs=1e-13 * size)
    for found, wanted in zip(gradients, expected, strict=True):
        assert type(found) in (float, Array)
        agree(found, wanted, abs=1e-13 * size)
    value, gradients = compile(f, *inputs, argnums=places)(*inputs)
    agree(value, expected_value, abs=1e-13 * size)
    for found, wanted in zip(gradients, expected, strict=True):
        agree(found, wanted, abs=1e-13 * size)
    return text


def array_samples():
    for name, op in sorted(OPERATIONS.items()):
        for number, sample in enumerate(op.samples):
            *arguments, last = sample
            options = last if isinstance(last, dict) else {}
            arguments = arguments if isinstance(last, dict) else list(sample)
            places = [i for i, (_, rule) in enumerate(zip(arguments, op.rules)) if rule is not None]
            if places:
                yield pytest.param(op, arguments, options, tuple(places), id=f"{name}-{number}")


@pytest.mark.parametrize(("op", "arguments", "options", "places"), list(array_samples()))
def test_every_operation_on_its_own_samples(op, arguments, options, places):
    def f(*xs):
        y = op.public(*xs, **options)
        return sum(y * y) * 0.5 + sum(y)

    check(f, arguments, places)


UNARY = [
    sin, cos, tanh, sigmoid, softplus, log_sigmoid, relu, abs, expm1,
    lambda a: -a,
    lambda a: a * 1.0 + 0.0,
    lambda a: a**2,
    lambda a: a**3 * 0.1,
    lambda a: exp(a * 0.1),
    lambda a: log(1.5 + a * a),
    lambda a: log1p(a * a),
    lambda a: sqrt(0.5 + a * a),
    lambda a: clip(a, -1.1, 0.9),
    lambda a: 1 - a,
]  # fmt: skip
BINARY = [
    lambda a, b: a + b,
    lambda a, b: a - b,
    lambda a, b: a * b * 0.5,
    lambda a, b: a / (1.5 + b * b),
    maximum,
    minimum,
    lambda a, b: where(a > b, a * a, b),
    lambda a, b: (1.5 + a * a) ** (b * 0.2),
    lambda a, b: binary_cross_entropy_with_logits(a, sigmoid(b)),
]
programs = st.lists(
    st.tuples(st.sampled_from(UNARY + BINARY), st.integers(0, 20), st.integers(0, 20)),
    min_size=1,
    max_size=8,
)
numbers = st.tuples(*[st.integers(-25, 25).map(lambda k: k / 10 + 0.013)] * 3)


def expression(program):
    """A function of three numbers: each step takes any earlier results."""

    def f(x, y, z):
        nodes = [x, y, z]
        for g, i, j in program:
            a, b = nodes[-1 - i % len(nodes)], nodes[j % len(nodes)]
            nodes.append(g(a, b) if g in BINARY else g(a))
        return nodes[-1] + nodes[0] * 0.5

    return f


@settings(max_examples=150)
@given(programs, numbers)
def test_random_expressions_round_trip(program, inputs):
    text = check(expression(program), inputs)
    assert imported(text) <= {"math"}


@settings(max_examples=60)
@given(programs.filter(lambda p: len(p) <= 5), numbers)
def test_second_derivatives_round_trip(program, inputs):
    text = check(grad(expression(program)), inputs)
    assert imported(text) <= {"math"}


def test_third_derivatives_too():
    f = lambda x: sin(x) * exp(x * 0.3) / (1 + x * x)
    check(grad(grad(f)), (0.7,))


def test_a_long_chain_needs_no_recursion():
    def f(x):
        for _ in range(2_000):
            x = x * 1.0 + 0.0
        for _ in range(2_000):
            x = sin(x)
        return x

    value, (slope,) = run(to_source(f, 0.5), 0.5)
    assert (value, slope) == pytest.approx(value_and_grad(f)(0.5), rel=1e-12)


def loops(text):
    return builtins.sum(isinstance(node, ast.ListComp) for node in ast.walk(ast.parse(text)))


# ---- tensors -----------------------------------------------------------------------------


@pytest.mark.parametrize("rows", [1, 8, 32])
def test_logistic_regression(rows):
    text = check(regression, data(rows), (0, 1))
    assert loops(text) == (1 if rows == 1 else 4)  # z, loss, d_z, d_w
    check(lambda w, b, X, y: binary_cross_entropy_with_logits(affine(X, w, b), y), data(rows))


def test_softmax_regression_with_distributions():
    X = data(6, 4)[2]
    W, b = (
        as_data([[math.cos(i + 2 * j) for j in range(3)] for i in range(4)]),
        as_data([0.1, -0.2, 0.3]),
    )
    Y = as_data([[0.2, 0.3, 0.5], [1.0, 0.0, 0.0]] * 3)
    check(lambda W, b, X, Y: cross_entropy(X @ W + b, Y), (W, b, X, Y), (0, 1))
    check(lambda W, b, X, Y: mean(-sum(Y * log_softmax(affine(X, W, b)), axis=1)), (W, b, X, Y))


def text_of_last_compiled():
    """The lines that a traceback through the function compiled last would show."""
    names = [name for name in linecache.cache if name.startswith("<tinygrad_lr source")]
    return "".join(linecache.cache[names[-1]][2])


LABELS, SHARES = [2, 0, 1, 1, 0, 2], [[0.2, 0.3, 0.5], [1.0, 0.0, 0.0]] * 3


@pytest.mark.parametrize(
    "loss",
    [
        lambda W, b, X: cross_entropy(X @ W + b, LABELS),
        lambda W, b, X: linear_cross_entropy(X, W, b, LABELS),
        lambda W, b, X: linear_cross_entropy(X, W, b, SHARES, "sum"),
    ],
)
def test_a_loss_of_several_classes_is_called_once_and_its_errors_are_used(loss):
    random_ = random.Random(3)
    normal = lambda *size: from_flat([random_.gauss(0, 1) for _ in range(prod(size))], size)
    W, b, X = normal(4, 3), normal(3), normal(6, 4)
    check(loss, (W, b, X))
    fast = compile(loss, W, b, X, argnums=(0, 1))
    text = text_of_last_compiled()
    calls = [n for n in ast.walk(ast.parse(text)) if isinstance(n, ast.Call)]
    called = [n.func.id for n in calls if isinstance(n.func, ast.Name)]
    assert [name for name in called if "entropy" in name or "softmax" in name] in (
        ["cross_entropy"], ["linear_cross_entropy"],
    )  # fmt: skip
    for scale in (1.0, 30.0, 1000.0):  # other numbers, and scores whose exp overflows
        inputs = normal(4, 3) * scale, normal(3), normal(6, 4)
        (value, slopes), (expected, wanted) = fast(*inputs), value_and_grad(loss, (0, 1))(*inputs)
        assert value == pytest.approx(expected, rel=1e-13)
        for found, slope in zip(slopes, wanted):
            agree(found, slope, abs=1e-13)


@pytest.mark.parametrize("rows", [8, 100])
def test_a_loss_of_two_classes_is_called_where_there_are_many_rows(rows):
    w, b, X, y = data(rows)
    loss = lambda w, b, X, y: linear_binary_cross_entropy(X, w, b, y)
    check(loss, (w, b, X, y))
    fast = compile(loss, w, b, X, y, argnums=(0, 1))
    assert ("= linear_binary_cross_entropy(" in text_of_last_compiled()) == (rows == 100)
    (value, slopes), (expected, wanted) = (
        g(w * 500.0, b, X, y) for g in (fast, value_and_grad(loss, (0, 1)))
    )
    assert value == pytest.approx(expected, rel=1e-13)
    for found, slope in zip(slopes, wanted):
        agree(found, slope, abs=1e-12)


def test_a_loss_that_is_called_whole_is_differentiated_twice():
    z, v = [[0.3, -1.0, 0.4], [0.1, 2.0, -0.5]], as_data([[0.7, -0.2, 0.1], [0.3, 0.0, 1.0]])
    loss = lambda z: cross_entropy(z, [2, 0])
    bend = lambda z: sum(grad(loss)(z) * v)
    value, (slope,) = compile(bend, z)(z)
    agree(value, bend(z), abs=1e-15)
    agree(slope, hessian_vector_product(loss)(z, v), abs=1e-15)


def test_labels_as_an_input_of_a_loss_that_is_called_whole_are_refused():
    with pytest.raises(TypeError, match="labels"):
        compile(lambda z, y: cross_entropy(z, y), [[0.3, -1.0], [0.1, 2.0]], [1.0, 0.0])


FUNCTIONS = {
    "reductions": lambda X: (
        sum(max(X, axis=0) * logsumexp(X, axis=0)) + mean(X) * sum(X, axis=1)[1]
    ),
    "shapes": lambda X: (
        sum(transpose(X) @ X * 0.1) + X[1, 2] * X[-1, 0] + sum(X[:, ::-1] * X[[0, 1]])
    ),
    "joined": lambda X: sum(concatenate([X, X * 2], axis=1) ** 2) + stack([X[0, 0], X[1, 1]])[0],
    "softmax": lambda X: sum(softmax(X) * softmax(X, axis=0) * [1.0, 2.0, 3.0]),
    "broadcast": lambda X: sum((X - mean(X, axis=0)) / (1 + X[:, :1] ** 2) * [[2.0], [3.0]]),
    "kinks": lambda X: sum(
        relu(X) + abs(X - 0.1) * maximum(X, 0.2) + where(X > 0, X * X, minimum(X, -1))
    ),
    "vectors": lambda X: X[0] @ X[1] + sum(X[0] @ transpose(X)) + sum(X @ X[1]),
    "a number": lambda X: exp(X[0, 0]) * sum(X * X[0, 1]),
}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_functions_of_tensors(name):
    X = [[0.5, -1.2, 0.8], [1.5, 0.3, -0.7]]
    check(FUNCTIONS[name], (X,))
    v = [[0.1, 0.4, -0.3], [0.2, -1.0, 0.6]]
    product = lambda X, v: sum(hessian_vector_product(FUNCTIONS[name])(X, v) * v)
    check(product, (X, v), (1,))


def test_tensors_of_one_element_and_of_many_axes():
    check(lambda x, y: sum(x * y) + x[0], ([2.0], [3.0]))
    check(lambda x: sum(reshape(x, ()) * [1.0, 2.0]), ([2.0],))
    check(lambda x, y: sum(x @ y), ([[[1.0, 2.0]], [[0.5, 3.0]]], [[1.0], [2.0]]))


def test_the_value_alone_may_be_a_tensor():
    X = as_data([[0.5, -1.0], [2.0, 0.1]])
    f = lambda X: softmax(X) * 2
    agree(run(to_source(f, X, argnums=()), X), f(X))
    predict = lambda w, X: sigmoid(X @ w)
    w = as_data([0.3, 0.4])
    agree(compile(predict, w, X, argnums=())(w, X), predict(w, X))
    with pytest.raises(ValueError, match=r"shape \(2, 2\).*argnums=\(\)"):
        to_source(f, X)


def test_one_place_gives_one_gradient():
    f = lambda x, y: x * x * y
    assert compile(f, 1.0, 1.0, argnums=1)(2.0, 3.0) == (12.0, 4.0)
    assert compile(f, 1.0, 1.0, argnums=(1,))(2.0, 3.0) == (12.0, (4.0,))
    assert compile(f, 1.0, 1.0)(2.0, 3.0) == (12.0, (12.0, 4.0))
    assert compile(lambda x: x * x, 1.0)(2.0) == (4.0, (4.0,))


def test_an_argument_that_does_not_exist_is_refused_as_in_grad():
    f = lambda x, y: x * x * y
    assert compile(f, 1.0, 1.0, argnums=-2)(2.0, 3.0) == (12.0, 12.0)
    for make in to_source, compile:
        with pytest.raises(ValueError, match=r"argnums \(5,\): no such argument, 2 example inputs"):
            make(f, 1.0, 2.0, argnums=5)
        with pytest.raises(ValueError, match=r"argnums \(0, -2\): the same argument twice"):
            make(f, 1.0, 2.0, argnums=(0, -2))


def test_constants_of_the_function_stay():
    X, w = Array([[1.0, 2.0], [3.0, 5.0]]), Value(2.0, label="w")
    f = lambda v: mean((X @ v - [1.0, 0.5]) ** 2) * w
    check(f, ([0.3, -0.2],))
    assert "c1 = Array([[1.0, 2.0], [3.0, 5.0]])" in to_source(f, [0.3, -0.2])
    long = as_data([[i / 7 for i in range(30)]] * 5)
    check(lambda v: sum(long @ v * w), ([0.1] * 30,))
    check(
        lambda x: minimum(x, math.inf) + maximum(x, -math.inf) + where(x > 3, math.nan, x), (2.0,)
    )


def test_constants_that_are_not_finite_stay():
    bounds = [math.inf, 1.0, -math.inf] * 10
    f = lambda v: sum(minimum(v, bounds[:3])) + sum(minimum(v[0], bounds))
    assert repr(compile(f, [0.5] * 3)([0.5] * 3)) == repr((-math.inf, (grad(f)([0.5] * 3),)))
    g = lambda v: where(v > 0, v, [math.nan, 1.0])
    assert run(to_source(g, [0.5, 2.0], argnums=()), Array([0.5, 2.0])) == Array([0.5, 2.0])


def test_to_divide_by_constants_that_are_zero_gives_what_the_engine_gives():
    f = lambda v: sum(v / [0.0, 2.0]) + v[0] / 0.0
    v = Array([1.0, 3.0])
    assert repr(run(to_source(f, v), v)) == repr((math.inf, (grad(f)(v),)))
    assert repr(compile(f, v)(v)) == repr((math.inf, (grad(f)(v),)))


def test_a_sum_over_nothing_is_a_float():
    empty, rows = Array([]), Array([[], []])
    for f in sum, lambda x: sum(x * x), lambda x: sum(exp(x)), lambda x: x @ x:
        check(f, (empty,))
    check(lambda X: sum(X @ empty) + sum(X) + sum(transpose(X) * 2.0), (rows,))
    for f in lambda X: X @ empty, lambda X: sum(X, axis=1), lambda X: X @ transpose(X):
        assert repr(compile(f, rows, argnums=())(rows)) == repr(f(rows))


# ---- compile -----------------------------------------------------------------------------


def test_other_shapes_are_compiled_when_they_come():
    calls = []

    def f(w, X):
        calls.append(shape(X))
        return mean((X @ w) ** 2)

    w = Array([1.0, 2.0])
    two, three = Array([[1.0, 2.0], [3.0, 4.0]]), Array([[1.0, 2.0], [3.0, 4.0], [0.5, 0.1]])
    fast = compile(f, w, two, argnums=0)
    for X in two, three, two, three:
        value, slope = fast(w, X)
        expected_value, expected = value_and_grad(f)(w, X)
        agree(value, expected_value)
        agree(slope, expected)
    assert calls.count((2, 2)) == 3 + 2  # compiled once, for three inputs; and the engine above
    with pytest.raises(ValueError, match="made for the shapes"):
        run(to_source(f, w, two), w, three)


def test_anything_that_is_data_may_be_given():
    f = lambda w, x: sum(w * x) * 2.0
    fast = compile(f, [1.0, 2.0], 3.0)
    for w, x in ([1, 2], 3), (Value([1.0, 2.0]), Value(3.0)), (Array([1, 2]), 3), ((1, 2), 3.0):
        value, (d_w, d_x) = fast(w, x)
        assert (value, d_w.tolist(), d_x) == (18.0, [6.0, 6.0], 6.0)
        assert type(value) is type(d_x) is float
    assert compile(lambda x: x * 3, 1)(2) == (6.0, (3.0,))
    assert compile(lambda x: exp(x), 1)(Value(0.0))[0] == 1.0


def test_a_whole_training_step():
    def step(w, b, X, y):
        loss, (d_w, d_b) = value_and_grad(regression, (0, 1))(w, b, X, y)
        return loss, w - 0.1 * d_w, b - 0.1 * d_b

    for rows in 1, 5:
        w, b, X, y = data(rows)
        text = to_source(step, w, b, X, y, argnums=())
        fast = compile(step, w, b, X, y, argnums=())
        for _ in range(3):
            expected = step(w, b, X, y)
            loss, new_w, new_b = fast(w, b, X, y)
            for found, wanted in zip((loss, new_w, new_b), expected, strict=True):
                agree(found, wanted)
            for found, wanted in zip(run(text, w, b, X, y), expected, strict=True):
                agree(found, wanted)
            w, b = new_w, new_b
    with pytest.raises(ValueError, match=r"gave shape \(\) and shape \(30,\) and shape \(\)"):
        to_source(step, w, b, X, y)


def test_a_single_row_is_computed_with_single_numbers():
    text = to_source(regression, *data(1), argnums=(0, 1))
    assert "z = sumprod(X.flat, w.flat) + b" in text
    assert "d_w = [d_z * X_i for X_i in X.flat]" in text
    assert loops(text) == 1


def test_where_formulas_meet_a_limit_the_functions_answer():
    f = lambda x: sum(sigmoid(x) * 3 + softplus(x) + exp(x) + log(x) / x)
    x = [1.0, 2.0]
    fast = compile(f, x)
    agree(fast(x)[0], f(as_data(x)))
    for extreme in [800.0, 1.0], [-800.0, 1.0], [0.0, 1.0], [math.inf, 1.0], [-1.0, math.nan]:
        value, (slope,) = fast(Array(extreme))
        expected_value, expected = value_and_grad(f)(Array(extreme))
        assert repr(value) == repr(expected_value)
        assert repr(slope) == repr(expected)
    assert compile(sigmoid, 1.0)(-800.0) == (0.0, (0.0,))  # a helper of single numbers
    with pytest.raises(OverflowError):
        compile(exp, 1.0)(800.0)


def test_errors_inside_come_through_with_their_line():
    fast = compile(lambda x: log(x), 1.0)
    with pytest.raises(ValueError, match="math domain error") as error:
        fast(-1.0)
    assert any("math.log(x)" in str(entry.statement) for entry in error.traceback)


def test_it_says_how_many_inputs_are_wrong():
    with pytest.raises(TypeError):
        compile(lambda x: x * 2, 1.0)(1.0, 2.0)


def test_a_compiled_function_keeps_its_name():
    assert compile(neuron, 0.5, 0.1, 2.0, 1.0).__name__ == "neuron"


# ---- new operations ----------------------------------------------------------------------


SCALE = 3.0


def scaled(x):
    """x, scaled."""
    return x * SCALE


def test_a_new_operation_compiles_like_a_built_in_one(new_operations):
    half = 0.5

    @elementwise(x=lambda g, out, x: g / (1 + x * x), samples=[(0.3,)])
    def arctan(x):
        """Angle whose tangent is x."""
        return math.atan(x)

    @elementwise(x=lambda g, out, x: g * SCALE * where(x > 0, 1.0, half))
    def bent(x):
        """Of two slopes."""
        # a comment that stays in the source
        if x > 0:
            return scaled(x)
        return scaled(x) * half

    text = check(lambda x, y: arctan(x * y) + bent(x) * bent(-y), (0.4, 0.7))
    assert "math.atan" in text and "def bent" in text and "def scaled" in text
    assert imported(text) == {"math"}
    check(lambda X: sum(arctan(X) * bent(X)), ([[0.4, -0.7]],))

    @operation(x=lambda g, out, x, *, power: g * power * x ** (power - 1))
    def total_power(x, *, power):
        """The sum of the powers."""
        added = 0.0
        for v in x.flat:
            added += v**power
        return added

    check(lambda X: total_power(X, power=3) * 2, ([0.4, 0.7],))


def test_a_new_operation_may_have_the_name_of_an_old_one(new_operations):
    @elementwise(x=lambda g, out, x, y: g, y=lambda g, out, x, y: 2 * g)
    def add(x, y):
        """Not the sum."""
        return x + 2.0 * y

    check(lambda x: add(x, 0.0) + add(0.0, x) * add(x, x), (1.5,))


def test_the_first_sentence_of_an_operation_may_be_of_two_lines(new_operations):
    @elementwise(x=lambda g, out, x: 2 * g)
    def doubled(x):
        """x, and
        x once more.
        """
        return x + x

    assert "# x, and x once more" in check(lambda x: doubled(x), (0.3,))


def inner(x):
    """Not the function of this name within `roundabout`."""
    raise AssertionError


def test_an_operation_may_define_and_import_within_itself(new_operations):
    @elementwise(x=lambda g, out, x: 2 * g * x)
    def roundabout(x):
        """The square of x."""
        import math as maths
        from operator import mul

        def inner(v: Array) -> Array:
            return mul(v, v)

        found: Real
        try:
            found = maths.sqrt(x - maths.inf)
        except ValueError as error:
            found = inner(x) if error.args else x
        match [found]:
            case [first, *rest]:
                return first + len(rest)

    check(lambda x: roundabout(x) * x, (1.5,))
    check(lambda x: sum(roundabout(x)), ([1.5, -2.0],))


FACTOR, PLAIN, THING = 3.0, True, object()


def test_what_the_body_of_an_operation_names_is_written_out(new_operations):
    @elementwise(x=lambda g, out, x: g * FACTOR)
    def tripled(x):
        """Three times x."""
        return FACTOR * x

    @elementwise(x=lambda g, out, x: g)
    def shifted(x):
        """x, and a number that is not used elsewhere."""
        y = x + math.floor(math.pi)
        return y if PLAIN else round(y)

    check(lambda x: tripled(x) * shifted(x), (1.5,))
    source = to_source(lambda x: tripled(x) * shifted(x), 1.5)
    assert "3.0 * x" in source and "y if True else round(y)" in source


def test_an_operation_may_call_another_and_compute_constants(new_operations):
    @elementwise(x=lambda g, out, x: g * math.exp(1.0) * cos(x))
    def wave(x):
        """A wave of height e."""
        return math.exp(1.0) * sin(x)

    @elementwise(x=lambda g, out, x: g * math.exp(1.0))
    def times_e(x):
        """e times x."""
        return math.exp(1.0) * x

    text = check(lambda x: wave(x) * times_e(x), (0.4,))
    assert "math.exp(1.0) * sin(x)" in text and "def sin" in text
    check(lambda x: sum(wave(x) * times_e(x)), ([0.4, 0.7],))


def test_a_constant_that_changed_is_read_anew(new_operations):
    @elementwise(x=lambda g, out, x: g * FACTOR)
    def scaled_by_factor(x):
        """FACTOR times x."""
        return FACTOR * x

    assert compile(scaled_by_factor, 1.0, argnums=())(2.0) == 6.0
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(globals(), "FACTOR", 5.0)
        assert compile(scaled_by_factor, 1.0, argnums=())(2.0) == 10.0
        assert "5.0 * x" in to_source(scaled_by_factor, 1.0)


def test_a_function_that_looks_at_the_number_has_no_formula(new_operations):
    @elementwise(x=lambda g, out, x: 2 * g * x)
    def looks(x):
        """The square of x."""
        try:
            return x * x if math.isfinite(x) else math.atan(x)
        except Exception:
            return 0.0

    check(lambda x: looks(x) * 2.0, (1.5,))


def test_what_is_neither_number_nor_function_is_refused(new_operations):
    @elementwise(x=lambda g, out, x: g)
    def odd(x):
        """x."""
        return x if THING else -x

    with pytest.raises(ValueError, match="source cannot say what <object.* no number and no func"):
        to_source(odd, 1.0)


def test_a_function_that_takes_these_numbers_alone():
    def picky(x):
        if x.data != 2.0:
            raise ValueError("not today")
        return x * x

    assert compile(picky, 2.0)(2.0) == (4.0, (4.0,))


def test_a_function_whose_arguments_have_no_names():
    class Square:
        __signature__ = "none that Python could read"

        def __call__(self, x):
            return x * x

    assert "def f(x1):" in to_source(Square(), 2.0)


def test_an_operation_without_text_is_refused_with_a_reason(new_operations):
    namespace = {"elementwise": elementwise}
    exec(
        "@elementwise(x=lambda g, out, x: g)\ndef hidden(x):\n    'x.'\n    return x", namespace
    )  # as in an old interactive session
    with pytest.raises(ValueError, match="text of hidden"):
        to_source(namespace["hidden"], 1.0)


# ---- what cannot be traced ---------------------------------------------------------------


@pytest.mark.parametrize(
    "f",
    [
        lambda x: x * 2 if x > 1 else x,
        lambda x: x * 2 if x * 3 else x,
        lambda x: x * 2 if x else x,
        lambda x: builtins.max(x, 2 * x),
        lambda x: sin(x) if not x >= 0.1 else x,
    ],
)
def test_a_decision_by_a_value_is_refused(f):
    for make in to_source, compile:
        with pytest.raises(TypeError, match="decides by a computed value.*where"):
            make(f, 0.7)


@pytest.mark.parametrize(
    ("f", "inputs"),
    [
        (lambda x: x * x.data, [0.7]),
        (lambda x: x * x.item() + 1, [0.7]),
        (lambda x, y: x * (1.0 if y.data > 0.7 else 2.0), [0.7, 0.7 + 1e-8]),
        (
            lambda w, y: negative_log_likelihood(log_softmax(w), y),
            [[[0.1, 0.2], [0.3, 0.4]], [0.0, 1.0]],
        ),
        (lambda w, y: w[int(y.data[0])] * 2, [[1.0, 2.0], [0.0, 1.0]]),
        (lambda x: x * random.random(), [0.7]),
        (lambda x: x * x.detach(), [0.4]),
        (lambda x: x * x.detach(), [0.5]),
        (lambda w: sum(w * w.detach()), [[0.0, 0.0]]),
        (lambda w: sum(w * w.detach()), [[[1.0, 2.0]]]),
        (lambda w: sum(w * w.tolist()[0]), [[1.0, 1.0, 2.0]]),
        (lambda w: sum(w * w.data.flat[1]), [[[0.5, 0.5], [0.5, 0.5]]]),
        (lambda w, y: negative_log_likelihood(log_softmax(w), y), [[[0.1, 0.2]], [0.0]]),
        (lambda w, y: w[int(y.data)], [[1.0, 2.0], 0.0]),
        (lambda w, y: w[int(y.data[0])], [[1.0, 2.0], [0.0, 0.0, 1.0]]),
    ],
)
def test_a_dependence_on_the_numbers_is_noticed(f, inputs):
    with pytest.raises(TypeError, match="would hold for these numbers alone"):
        to_source(f, *inputs)


def test_labels_that_choose_entries_are_refused_or_constant():
    scores = [[0.1, 0.2, 0.3], [0.3, 0.4, 0.1]]
    with pytest.raises(TypeError, match="cross_entropy reads targets as numbers.*one-hot"):
        to_source(lambda z, y: cross_entropy(z, y), scores, [1.0, 1.0])
    check(lambda z: cross_entropy(z, [0, 2]), (scores,))


def test_tracing_leaves_nothing_behind():
    x = Value(3.0)
    to_source(lambda y: y * x, 2.0)
    assert x.grad is None
    assert bool(Value(1.0) > 0) is True and (Value(2.0) > 1) is True
    with no_grad():
        assert compile(lambda y: y * y, 2.0)(3.0) == (9.0, (6.0,))


class Lookalike:
    """Has a shape and numbers, as an Array has, but is none."""

    shape = (2,)
    flat = (1, 2)

    def tolist(self):
        return [1, 2]


def test_a_compiled_function_converts_what_only_looks_like_an_array():
    scaled = compile(lambda x, s: sum(x * s), [3.0, 4.0], 2.0)
    value, (d_x, d_s) = scaled(Lookalike(), 2)
    assert (value, d_x, d_s) == (6.0, Array([2.0, 2.0]), 3.0)
    assert all(type(v) is float for v in (value, d_s, *d_x))


if __name__ == "__main__":
    for name, (f, inputs, argnums) in SOURCES.items():
        (GOLDEN / f"{name}.py").write_text(to_source(f, *inputs, argnums=argnums), encoding="utf-8")
    print("written:", *SOURCES)
