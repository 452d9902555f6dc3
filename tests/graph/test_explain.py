"""Explanations: each share and each sum that they tell is what the engine computes."""

import math
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinygrad_lr import (
    Array, Value, affine, binary_cross_entropy_with_logits, concatenate, cross_entropy,
    elementwise, exp, log_softmax, logsumexp, mean, no_grad, relu, sigmoid, sin, softmax, sum,
    transpose, where,
)  # fmt: skip
from tinygrad_lr.graph.walk import ancestors
from tinygrad_lr.graph import explain
from tinygrad_lr.graph.source.notation import shown

GOLDEN = Path(__file__).parents[1] / "golden"


def neuron():
    w, b = Value(0.5, label="w"), Value(0.1, label="b")
    x = Value(2.0, label="x")
    z = w * x + b
    z.label = "z"
    loss = binary_cross_entropy_with_logits(z, 1.0)
    loss.label = "loss"
    return loss


def regression():
    X = Value([[math.sin(7 * i + 3 * j * j) for j in range(3)] for i in range(32)], label="X")
    w, b = Value([0.1, -0.2, 0.3], label="w"), Value(0.5, label="bias")
    p = sigmoid(X @ w + b)
    p.label = "p"
    return mean((p - [float(i % 2) for i in range(32)]) ** 2)


EXPLAINED = {"explained_neuron": neuron, "explained_regression": regression}


@pytest.mark.parametrize("name", EXPLAINED)
def test_it_reads_as_it_did(name):
    """If it reads better now, `PYTHONPATH=. python tests/graph/test_explain.py` writes these."""
    assert explain(EXPLAINED[name]()) + "\n" == (GOLDEN / f"{name}.txt").read_text(encoding="utf-8")


def test_a_neuron():
    told = explain(neuron())
    assert "1. loss = binary_cross_entropy_with_logits(z, 1) is owed 1" in told
    assert (
        "z is given 1 * -0.2497 = -0.2497, because d loss/d z = sigmoid(z) - 1 = -0.2497." in told
    )
    assert "w is given -0.2497 * 2 = -0.4995, because d v1/d w = x = 2." in told
    assert "w is owed -0.4995" in told
    assert "(multiply)" in told and "(add)" in told


def test_two_uses_are_seen_adding_up():
    a = Value(3.0, label="a")
    b = a + a
    b.label = "b"
    told = explain(b * b)
    assert (
        "b = a + a (add) is owed 6 + 6 = 12: it was used twice, and the contributions add up."
        in told
    )
    assert "a is owed 12 + 12 = 24: it was used twice" in told
    many = explain(sin(a) + exp(a) + a + a + a + a + a)
    assert re.search(r"a is owed 7 contributions = [\d.]+: it was used 7 times", many)


def test_each_node_is_owed_what_a_backward_pass_computes():
    loss = regression()
    told = " ".join(explain(loss).split())
    values = [v for v in ancestors(loss) if v.operation]
    for value in values:
        value.retain_grad()
    loss.backward()
    owed = re.findall(r"\d+\. \w+ = .*? is owed (.*?)(?:, the derivative of a|\. )", told)
    assert owed[: len(values)] == [shown(value.grad) for value in reversed(values)]


def test_without_recording_a_graph_is_explained_as_with_it():
    logits = Value([[0.3, -1.0], [0.1, 2.0]], label="z")
    loss = cross_entropy(logits, [1, 0]) + sum(softmax(logits))
    with no_grad():
        found = explain(loss)
    assert found == explain(loss)


def test_broadcasting_in_words():
    told = " ".join(explain(regression()).split())
    assert "bias was copied to 32 rows, so its gradient is a sum over 32 rows." in told
    x = Value([[1.0], [2.0]], label="x")
    told = " ".join(explain(x * [[1.0, 2.0, 3.0]]).split())
    assert "x was copied to 3 columns, so its gradient is a sum over 3 columns." in told
    told = " ".join(explain(Value(2.0, label="x") * [[1.0, 2.0, 3.0]] * [[1.0], [2.0]]).split())
    assert "v2 copied to (2, 3)" in told and "x was copied to 3 columns" in told
    told = " ".join(explain(Value(2.0, label="x") * [[1.0, 2.0], [3.0, 4.0]]).split())
    assert "x was copied to 2 rows and 2 columns, so its gradient is a sum over 2 rows and" in told
    b = Value([0.1, 0.2], label="b")
    told = " ".join(explain(sum(affine([[1.0], [2.0], [3.0]], [[0.1, 0.2]], b))).split())
    assert "b was copied to 3 rows" in told
    told = " ".join(explain(sum(b * [[[1.0, 2.0]], [[3.0, 4.0]]])).split())
    assert "b was copied to 2 along axis 0" in told


def test_tensors_are_shown_by_shape_and_first_elements():
    told = explain(regression())
    assert "w = (3,) [0.1, -0.2, 0.3]\n" in told
    assert re.search(r"X = \(32, 3\) \[\S+, \S+, \S+, \.\.\.\]", told)
    assert "w is given d_v1 @ X = (3,) [" in told


def test_a_tensor_is_explained_as_its_sum_would_be():
    x = Value([1.0, 2.0], label="x")
    told = explain(x * x)
    assert "is owed (2,) [1, 1], the derivative of a value by itself." in told
    assert "x is owed (2,) [1, 2] + (2,) [1, 2] = (2,) [2, 4]" in told


def test_leaves_and_their_names():
    assert explain(Value(3.0, label="a")) == "a = 3 is a leaf."
    assert explain(Value(3.0)) == "x1 = 3 is a leaf."
    x, y = Value(1.0, label="x"), Value(2.0, label="x")
    told = explain(x * y + Value(3.0))
    assert "v1 = x * x2 (multiply) = 2" in told
    assert "v2 = v1 + x1 (add) = 5" in told


def test_a_long_graph_is_cut():
    x = Value(0.5, label="x")
    y = x
    for _ in range(10_000):
        y = sin(y)
    told = explain(y)
    assert "9951 values before these" in told
    assert "and 9950 steps of the same kind" in told
    assert told.splitlines()[-2].startswith("10001. x is owed")


def test_nothing_is_changed():
    loss = neuron()
    explain(loss)
    leaves = loss.inputs[0].inputs[0].inputs
    assert all(x.grad is None for x in leaves)
    loss.backward()
    before = [x.grad for x in leaves]
    explain(loss)
    assert [x.grad for x in leaves] == before


def test_a_leaf_that_moved_on_is_noticed():
    loss = neuron()
    loss.inputs[0].inputs[0].inputs[0].data = 0.7
    with pytest.raises(RuntimeError, match="was replaced after"):
        explain(loss)


def test_a_new_operation_is_explained_like_a_built_in_one(new_operations):
    @elementwise(x=lambda g, out, x: g / (1 + x * x), samples=[(0.3,)])
    def arctan(x):
        """Angle whose tangent is x."""
        return math.atan(x)

    told = explain(arctan(Value(2.0, label="x")))
    assert "v1 = arctan(x) = 1.107" in told
    assert "because d v1/d x = 1 / (1 + x * x) = 0.2." in told


OPERATIONS_OF_TWO = [
    lambda a, b: a * b,
    lambda a, b: a - b / 3,
    lambda a, b: sin(a) + b,
    lambda a, b: where(a > 0, a, b),
    lambda a, b: relu(a) * 0.5 + exp(b * 0.1),
    lambda a, b: a**2 + b,
]


@given(
    st.lists(
        st.tuples(st.sampled_from(OPERATIONS_OF_TWO), st.integers(0, 9), st.integers(0, 9)),
        min_size=1,
        max_size=8,
    )
)
def test_the_leaves_are_told_their_gradients(program):
    leaves = [Value(0.7, label="first"), Value(-1.3, label="second")]
    nodes = list(leaves)
    for f, i, j in program:
        nodes.append(f(nodes[-1 - i % len(nodes)], nodes[j % len(nodes)]))
    told = " ".join(explain(nodes[-1]).split())
    assert all(len(line) <= 100 for line in explain(nodes[-1]).splitlines())
    nodes[-1].backward()
    for leaf in leaves:
        if leaf.grad is None:
            assert f"{leaf.label} is owed" not in told
        else:
            assert re.search(
                rf"{leaf.label} is owed [^:]*?{re.escape(f'{leaf.grad:.4g}')}[.:].*? It is a leaf: "
                rf"backward\(\) adds {re.escape(f'{leaf.grad:.4g}')} to its \.grad\.", told
            ), told  # fmt: skip


WIDE = {
    "softmax": lambda X, w: mean(log_softmax(X @ transpose(X)) * softmax(X)[:, :1]),
    "joined": lambda X, w: logsumexp(concatenate([X, X * w], axis=1), axis=1),
    "classes": lambda X, w: cross_entropy(X * w, [0, 2, 1]),
    "scores": lambda X, w: binary_cross_entropy_with_logits(affine(X, w, 0.5), [0.0, 1.0, 1.0]),
    "numbers": lambda X, w: X * 123456.789e-30 + [[1.5e-7, 2.5e8, -3.25e-9]],
}


@pytest.mark.parametrize("name", WIDE)
def test_it_fits_100_columns(name):
    X = Value(
        [[math.sin(3 * i + j) * 1e-7 for j in range(3)] for i in range(3)], label="observations"
    )
    told = explain(WIDE[name](X, Value(Array([1.0, 2.0, 3.0]), label="weights_of_the_features")))
    assert max(map(len, told.splitlines())) <= 100


if __name__ == "__main__":
    for name, made in EXPLAINED.items():
        (GOLDEN / f"{name}.txt").write_text(explain(made()) + "\n", encoding="utf-8")
    print("written:", *EXPLAINED)
