"""Drawings: every Value once, every arrow where it belongs, and words where graphviz is missing."""

import builtins
import html
import re
import shutil
import subprocess

import pytest

import tinygrad_lr
from tinygrad_lr import Array, Value, binary_cross_entropy_with_logits, elementwise, exp, sin, sum
from tinygrad_lr.graph.walk import ancestors
from tinygrad_lr.graph import draw, named_scope, to_dot, to_mermaid
from tinygrad_lr.graph import draw as draw_function
from tinygrad_lr.graph.source.notation import shown

needs_graphviz = pytest.mark.skipif(not shutil.which("dot"), reason="graphviz is not installed")


def neuron():
    w, b, x = Value(0.5, label="w"), Value(0.1, label="b"), Value(2.0, label="x")
    z = w * x + b
    z.label = "z"
    loss = binary_cross_entropy_with_logits(z, 1.0)
    loss.label = "loss"
    return loss


def nodes_and_edges(dot):
    """The labels by node, and the arrows, of a text for graphviz."""
    nodes = dict(re.findall(r'^  (\w+) \[label="((?:[^"\\]|\\.)*)"', dot, re.M))
    return nodes, re.findall(r"^  (\w+) -> (\w+)$", dot, re.M)


def mermaid_nodes_and_edges(text):
    nodes = dict(re.findall(r'(\w+)(?:\(\[|\[)"([^"]*)"', text))
    return nodes, re.findall(r'^  (\w+)(?:\(\["[^"]*"\]\))? --> (\w+)', text, re.M)


def test_labels_data_gradients_and_symbols():
    nodes, edges = nodes_and_edges(to_dot(neuron()))
    texts = list(nodes.values())
    for text in (
        r"w\n0.5\ngrad -0.4995", r"b\n0.1\ngrad -0.2497", r"x\n2\ngrad -0.1249", r"1\ngrad -0.2497",
        r"z\n1.1\ngrad -0.2497", r"loss\n0.2873\ngrad 1", "1", "*", "+",
        "binary_cross_entropy_with_logits",
    ):  # fmt: skip
        assert texts.count(text) == 1, text
    number = {text: node for node, text in nodes.items()}
    assert (number[r"w\n0.5\ngrad -0.4995"], number["*"]) in edges
    assert (number["*"], number[r"1\ngrad -0.2497"]) in edges
    assert (number["1"], number["binary_cross_entropy_with_logits"]) in edges
    assert len(edges) == 9


def test_mermaid_shows_the_same():
    dot = nodes_and_edges(to_dot(neuron()))
    nodes, edges = mermaid_nodes_and_edges(to_mermaid(neuron()))
    assert to_mermaid(neuron()).startswith("flowchart LR\n")
    assert {name: text.replace("<br/>", r"\n") for name, text in nodes.items()} == dot[0]
    assert sorted(edges) == sorted(dot[1])


def test_a_shared_value_is_drawn_once():
    x = Value(3.0, label="x")
    y = x * x
    nodes, edges = nodes_and_edges(to_dot(y * y + x))
    assert builtins.sum(text.startswith("x") for text in nodes.values()) == 1
    assert len(nodes) == 4 + 3  # x, y, y * y, the sum; three operations
    assert len(edges) == 3 + 2 * 3  # from each operation, and into it, twice for a square


def test_a_gradient_that_is_held_is_shown():
    loss = neuron()
    loss.backward()
    loss.backward()
    assert r"w\n0.5\ngrad -0.999" in to_dot(loss)


def test_each_node_has_the_gradient_that_a_backward_pass_computes():
    x, y = Value(0.5, label="x"), Value([1.0, -2.0], label="y")
    inner = [x * y, sin(x)]
    inner += [exp(inner[0]), inner[1] * inner[0]]
    loss = sum(inner[2] + inner[3] * x)
    drawn = list(nodes_and_edges(to_dot(loss))[0].values())
    values = ancestors(loss)
    assert builtins.sum("grad" in text for text in drawn) == len(values)
    for value in values:
        value.retain_grad()
    loss.backward()
    for value in values:
        assert any(
            text.endswith(rf"{shown(value.data)}\ngrad {shown(value.grad)}") for text in drawn
        )


def test_a_gradient_that_a_result_retains_is_shown():
    loss = neuron()
    z = loss.inputs[0]
    z.retain_grad()
    loss.backward()
    loss.backward()
    assert r"z\n1.1\ngrad -0.4995" in to_dot(loss)  # of two passes
    assert r"1\ngrad -0.2497" in to_dot(loss)  # w * x holds none: what one pass gives
    assert "1.1<br/>grad -0.4995" in to_mermaid(loss)


def test_a_graph_whose_leaf_moved_on_is_drawn_without_gradients():
    loss = neuron()
    loss.inputs[0].inputs[1].data = 7.0
    assert r"loss\n0.2873" in to_dot(loss) and "grad" not in to_dot(loss)


def test_drawing_changes_nothing():
    loss = neuron()
    to_dot(loss), to_mermaid(loss)
    assert loss.inputs[0].inputs[1].grad is None


def test_tensors_and_leaves():
    dot = to_dot(sum(Value([[1.0, 2.0], [3.0, 4.0]], label="X") * [1.0, 0.5]))
    assert r"X\n(2, 2) [1, 2, 3, ...]\ngrad (2, 2) [1, 0.5, 1, ...]" in dot
    assert "(2,) [1, 0.5]" in dot
    assert nodes_and_edges(to_dot(Value(2.0, label="alone"))) == ({"n0": r"alone\n2\ngrad 1"}, [])


def test_labels_may_contain_anything():
    x = Value(1.0, label='say "x" \\ <b> & {|}')
    assert r"say \"x\" \\ <b> &amp; {|}" in to_dot(x)
    assert "say #34;x#34; \\ #60;b#62; #38; {|}" in to_mermaid(x)
    x.label = "`w' is not #quot;"
    assert '["#96;w#39; is not #35;quot;<br/>' in to_mermaid(x)


def test_a_new_operation_is_drawn_like_a_built_in_one(new_operations):
    @elementwise(x=lambda g, out, x: g, symbol="½", samples=[(0.3,)])
    def half(x):
        """Half of x."""
        return x / 2

    assert "½" in nodes_and_edges(to_dot(half(Value(1.0))))[0].values()


# ---- large graphs ------------------------------------------------------------------------


def test_a_large_graph_is_folded_by_label():
    w, b = Value(0.5, label="w"), Value(0.1, label="b")
    y = w
    for i in range(100):
        y = y * 1.01 + b
        if i in (39, 69):
            y.label = f"after {i + 1} steps"
    nodes, edges = nodes_and_edges(to_dot(y))
    assert len(nodes) == 5
    texts = "|".join(nodes.values())
    assert "80 operations: 40 multiply, 40 add" in texts and texts.count("60 operations") == 2
    assert "after 40 steps" in texts and "after 70 steps" in texts
    number = {text.split(r"\n")[0]: node for node, text in nodes.items()}
    assert (number["w"], number["after 40 steps"]) in edges
    assert (number["after 40 steps"], number["after 70 steps"]) in edges
    assert (number["b"], number["after 70 steps"]) in edges
    assert (number["w"], number["after 70 steps"]) not in edges


def test_what_two_boxes_use_has_a_box_of_its_own():
    shared = exp(Value(1.0))
    y, z = shared, shared
    for _ in range(50):
        y, z = sin(y), sin(z)
    y.label, z.label = "left", "right"
    nodes, edges = nodes_and_edges(to_dot(y + z))
    (own,) = [node for node, text in nodes.items() if text.startswith(r"2.718")]
    number = {text.split(r"\n")[0]: node for node, text in nodes.items()}
    assert (own, number["left"]) in edges and (own, number["right"]) in edges


def test_a_large_graph_is_folded_by_scope():
    x, w = Value(1.0, label="x"), Value(0.5, label="w")
    for layer in range(3):
        with named_scope(f"layer {layer}"), named_scope("inner"):
            for _ in range(20):
                x = sin(x * w)
                x.label = "h"
    nodes, edges = nodes_and_edges(to_dot(exp(x)))
    titles = sorted(text.split(r"\n")[0] for text in nodes.values())
    assert titles[-5:] == ["layer 0", "layer 1", "layer 2", "w", "x"]
    assert len(nodes) == 7  # exp is drawn in full: its result and its symbol
    assert len(edges) == 8


def test_a_scope_is_a_decorator_too_and_ends_with_an_error():
    @named_scope("squares")
    def squares(x):
        for _ in range(100):
            x = x * x
        return x

    assert "squares" in to_dot(squares(Value(1.0)))
    with pytest.raises(ZeroDivisionError), named_scope("failed"):
        1 / 0
    y = Value(1.0)
    for _ in range(100):
        y = sin(y)
    assert "failed" not in to_dot(y) and "squares" not in to_dot(y)


def test_a_hundred_thousand_nodes_are_no_problem():
    x = Value(0.5, label="x")
    y = z = x
    for _ in range(50_000):
        y, z = sin(z), y
    nodes, _ = nodes_and_edges(to_dot(y + z))
    assert len(nodes) <= 4


# ---- files -------------------------------------------------------------------------------


def test_text_files_need_nothing(tmp_path, monkeypatch):
    monkeypatch.setattr(shutil, "which", lambda name: None)
    loss = neuron()
    assert draw(loss, tmp_path / "graph.dot").read_text() == to_dot(loss)
    assert draw(loss, str(tmp_path / "graph.mmd")).read_text() == to_mermaid(loss)


def test_without_graphviz_the_message_says_what_to_do(tmp_path, monkeypatch):
    monkeypatch.setattr(shutil, "which", lambda name: None)
    with pytest.raises(RuntimeError, match="apt install graphviz.*to_mermaid.*explain"):
        draw(neuron(), tmp_path / "graph.svg")
    assert not (tmp_path / "graph.svg").exists()
    with pytest.raises(ValueError, match="graph.gif ends in none of .svg .png"):
        draw(neuron(), tmp_path / "graph.gif")


def test_what_graphviz_complains_of_is_told(tmp_path, monkeypatch):
    monkeypatch.setattr(shutil, "which", lambda name: "dot")
    failed = subprocess.CompletedProcess("dot", 1, b"", b"Error: out of paper\n")
    monkeypatch.setattr(subprocess, "run", lambda *_, **__: failed)
    with pytest.raises(RuntimeError, match="could not draw this graph: Error: out of paper$"):
        draw(neuron(), tmp_path / "graph.svg")
    assert not (tmp_path / "graph.svg").exists()


def test_notebooks_show_text_without_graphviz(monkeypatch):
    monkeypatch.setattr(shutil, "which", lambda name: None)
    loss = neuron()
    assert loss._repr_mimebundle_(include=None, exclude=None) == {"text/plain": repr(loss)}


@needs_graphviz
def test_images(tmp_path):
    svg = draw(neuron(), tmp_path / "graph.svg").read_text()
    assert svg.lstrip().startswith("<?xml") and ">loss<" in svg and ">grad &#45;0.4995<" in svg
    assert draw(neuron(), tmp_path / "graph.PNG").read_bytes().startswith(b"\x89PNG")
    odd = Value(1.0, label='say "x" \\ <b> & {|} π &lt;')
    svg = draw(odd * 2, tmp_path / "odd.svg").read_text(encoding="utf-8")
    assert odd.label in html.unescape(svg)


@needs_graphviz
def test_notebooks_show_the_image():
    loss = neuron()
    bundle = loss._repr_mimebundle_()
    assert bundle["text/plain"] == repr(loss)
    assert "<svg" in bundle["image/svg+xml"]
    assert Value(2.0)._repr_mimebundle_() == {"text/plain": "Value(2.0)"}
    assert set(Value(Array([1.0]))._repr_mimebundle_()) == {"text/plain"}


def test_the_names_of_the_interface():
    assert tinygrad_lr.graph.draw is draw_function
