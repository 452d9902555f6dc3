"""How does one backward pass find the derivative with respect to every number in a calculation?

By the chain rule, applied to one operation at a time. This is reverse-mode automatic
differentiation; in machine learning it is called backpropagation. We measure the derivatives
of a neuron by nudging its numbers and multiply them along the chain. Then we meet two traps:
the number of paths doubles, and a wrong order of visits gives a wrong gradient. At the end
the engine explains its own backward pass.

Words for this lesson, and for the source of the package:

    forward pass         computes the numbers, from the leaves to the loss
    backward pass        goes back from the loss to the leaves and computes the gradients
    cotangent            of a number: the derivative of the loss with respect to that number
    rule                 computes the cotangents of an operation's inputs from its output's
    vjp                  the result of a rule: cotangent times derivative; for tensors this is
                         a vector-Jacobian product
    topological order    every number comes after its inputs; reversed: before its inputs

Exercises (answers are checked by tests/course/test_exercises.py)
1.  slope_of_chain(links, x): each link is a pair (f, derivative of f). Apply all links to x,
    the first one first. What is the derivative of the result with respect to x?
2.  paths_to(made_of, node): how many paths lead from `node` down to the leaves? `made_of` maps
    each node to a list of pairs (input, slope). A leaf is not in `made_of`; it counts as one
    path.
3.  backward(made_of, nodes): the derivative of the last node with respect to each of the
    nodes, as a dict. The nodes are given oldest first.
"""

import math
import operator
import shutil
from itertools import accumulate

from course import OUTPUT, say, section, table

from tinygrad_lr import Value, log, sigmoid
from tinygrad_lr.graph import draw, explain


class Node:
    """A number, with pairs (input, slope): the slope is the derivative by that input."""

    def __init__(self, *made_of):
        self.made_of = made_of


def along_all_paths(node, leaf):
    """The derivative of `node` with respect to `leaf`, and the number of nodes visited.

    It follows every path down to the leaf, multiplies the slopes along each path, and adds up
    the products.
    """
    if node is leaf:
        return 1.0, 1
    derivative, visits = 0.0, 1
    for source, slope in node.made_of:
        rest, visits_below = along_all_paths(source, leaf)
        derivative += slope * rest
        visits += visits_below
    return derivative, visits


def one_visit_each(nodes):
    """The cotangent of each node, if the nodes are visited in this order, the result first."""
    owed = dict.fromkeys(nodes, 0.0)
    owed[nodes[0]] = 1.0
    for node in nodes:
        for source, slope in node.made_of:
            owed[source] += slope * owed[node]
    return owed


section("1. A neuron in small steps")
w, b, x = 0.5, -1.0, 3.0  # one input, 3, whose label is 1
steps = {
    "v = w * x": lambda w: w * x,
    "z = v + b": lambda v: v + b,
    "p = sigmoid(z)": lambda z: 1.0 / (1.0 + math.exp(-z)),
    "loss = -log(p)": lambda p: -math.log(p),
}
numbers = list(accumulate(steps.values(), lambda number, f: f(number), initial=w))
table(["step", "number"], zip(steps, numbers[1:]))

section("2. The slope of each step, and of the whole calculation")


# The slope of a step is its derivative. A slope of 3 means that a tiny change of the input
# becomes 3 times as large in the output.
def slope_of(f, number, h=1e-6):
    return (f(number + h) - f(number - h)) / (2.0 * h)


slopes = [slope_of(f, number) for f, number in zip(steps.values(), numbers)]
products = list(accumulate(slopes, operator.mul))
table(["step", "its slope", "product of the slopes so far"], zip(steps, slopes, products))
whole = lambda w: -math.log(1.0 / (1.0 + math.exp(-(w * x + b))))
nudged = slope_of(whole, w)
say(f"""Nudging w and measuring the loss gives {nudged:.4f}, the last product in the table. This is
the chain rule: the slopes multiply.""")

section("3. A number that is used twice: paths add up, and their number doubles")
rows = []
for doublings in 1, 2, 4, 8, 16:
    first = last = Node()
    for _ in range(doublings):
        last = Node((last, 1.0), (last, 1.0))  # y = y + y
    slope, visits = along_all_paths(last, first)
    rows.append((doublings, int(slope), visits, doublings + 1))
table(["times y = y + y", "slope", "visits along paths", "numbers in the graph"], rows)
say("""Following every path is too expensive. One visit to each number is enough. Think of debts:
the result is owed 1, and each number pays its inputs what it is owed times the slope. What a
number is owed in total is its cotangent. It must not pay before it has received all of it, so the
order of the visits matters.""")

section("4. The wrong order, and the right one")
# start = 1.5, c = 2 * start = 3, a = c * c = 9, loss = c + a. By hand the derivative of the loss
# with respect to start is 2 * (1 + 2 * c) = 14.
start = Node()
c = Node((start, 2.0))
a = Node((c, 3.0), (c, 3.0))
result = Node((c, 1.0), (a, 1.0))
near_first = one_visit_each([result, c, a, start])[start]
newest_first = one_visit_each([result, a, c, start])[start]
table(
    ["order of visits", "slope by start"],
    [("nearest to the loss first", near_first), ("newest first", newest_first)],
)
say("""In the wrong order c paid start before a had paid c. Newest first is always right: a number
is made after its inputs, so this order visits it before its inputs. It is a reverse topological
order. Finding it needs no recursion: sort the numbers by their time of birth.""")

section("5. The engine explains its backward pass")
w, b = Value(0.5, label="w"), Value(-1.0, label="b")
z = w * x + b
p = sigmoid(z)
loss = -log(p)
z.label, p.label, loss.label = "z", "p", "loss"
text = explain(loss)
print(f"{text}\n")
loss.backward()
say("""'Is owed' means: this is the cotangent, the derivative of loss with respect to the value.
'Is given' means: this is the vjp, one contribution to the cotangent of an input.""")

section("The picture")
if shutil.which("dot"):
    OUTPUT.mkdir(exist_ok=True)
    print(f"picture: {draw(loss, OUTPUT / '02_graph.png')}")
else:
    print("(no picture '02_graph': graphviz is not installed)")

section("What we learned")
say(f"""The derivative of the loss with respect to w is a product of four slopes. It is
{products[-1]:.4f}, and nudging w confirms it.""")
say(f"""After 16 doublings there are {2**16} paths. To follow all of them takes {rows[-1][2]}
visits. To visit each number once takes {rows[-1][3]}.""")
say(f"""Visited in a wrong order, the derivative comes out as {near_first:g}. Newest first it is
{newest_first:g}, the right value.""")
say("""One backward pass gives the derivatives by w and by b together. Nudging needs two forward
passes for each of them.""")

assert abs(products[-1] - nudged) < 1e-6 and abs(w.grad - products[-1]) < 1e-6
assert abs(b.grad - (p.data - 1.0)) < 1e-12
assert rows[-1][1] == 2**16 and rows[-1][2] == 2**17 - 1
assert near_first == 2.0 and newest_first == 2.0 * (1.0 + 2.0 * 3.0)
assert "because" in text and f"adds {w.grad:.4g}" in text
