"""How does one walk back through a calculation find the slope by every number in it?

By the chain rule, applied to one operation at a time. We nudge the numbers of a neuron to see
slopes, multiply them along the chain, and then meet the two traps of every engine: paths
that double, and an order that is wrong. At the end the engine explains its own walk.

Exercises (answers are checked by tests/course/test_exercises.py)
1.  slope_of_chain(links, x): links are pairs (f, slope of f); the slope at x of applying all
    of them, the first one first.
2.  paths_to(made_of, node): how many ways lead from node down to the leaves? `made_of` maps
    each node to a list of pairs (input, slope); leaves are not in it, and are one way.
3.  backward(made_of, nodes): the derivative of the last of the nodes by each of them, as a
    dict. The nodes are given oldest first.
"""

import math
import operator
import shutil
from itertools import accumulate

from course import OUTPUT, section, table

from tinygrad_lr import Value, log, sigmoid
from tinygrad_lr.graph import draw, explain


class Node:
    """What a number was made of: pairs (input, slope of this number by the input)."""

    def __init__(self, *made_of):
        self.made_of = made_of


def along_all_paths(node, leaf):
    """Slope and visits. The sum over all paths of the product of slopes, path by path."""
    if node is leaf:
        return 1.0, 1
    walks = [(slope, *along_all_paths(source, leaf)) for source, slope in node.made_of]
    return sum(s * rest for s, rest, _ in walks), 1 + sum(visits for *_, visits in walks)


def one_visit_each(nodes):
    """What each node is owed, in this order of visits; the first one is the result."""
    owed = dict.fromkeys(nodes, 0.0) | {nodes[0]: 1.0}
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

section("2. What a nudge does to each step, and to the whole")
# A slope says how many times as large a tiny change is after the step as before it.
h = 1e-6
slope_of = lambda f, number: (f(number + h) - f(number - h)) / (2.0 * h)
slopes = [slope_of(f, number) for f, number in zip(steps.values(), numbers)]
products = list(accumulate(slopes, operator.mul))
table(["step", "its slope", "product of the slopes so far"], zip(steps, slopes, products))
whole = lambda w: steps["loss = -log(p)"](steps["p = sigmoid(z)"](w * x + b))
nudged = slope_of(whole, w)
print(f"nudging w and looking at the loss: {nudged:.4f}. The chain rule: slopes multiply.")

section("3. A number that is used twice: the ways add up, and they double")
rows = []
for doublings in 1, 2, 4, 8, 16:
    first = last = Node()
    for _ in range(doublings):
        last = Node((last, 1.0), (last, 1.0))  # y = y + y
    slope, visits = along_all_paths(last, first)
    rows.append((doublings, int(slope), visits, doublings + 1))
table(["times y = y + y", "slope", "visits along paths", "numbers there are"], rows)
print("So each number is visited once, when all it is owed has come in. But in which order?")

section("4. The wrong order, and the right one")
# start = 1.5, c = 2 * start = 3, a = c * c = 9, loss = c + a. By hand: 2 * (1 + 2 * c) = 14.
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
print(
    "c was visited before a had paid it. A number is always older than what is made of it: so\n"
    "newest first is right for every calculation, and needs neither recursion nor search."
)

section("5. The engine, in its own words")
w, b = Value(0.5, label="w"), Value(-1.0, label="b")
z = w * x + b
p = sigmoid(z)
loss = -log(p)
z.label, p.label, loss.label = "z", "p", "loss"
told = explain(loss)
print(told)
loss.backward()

section("The picture")
if shutil.which("dot"):
    OUTPUT.mkdir(exist_ok=True)
    print(f"picture: {draw(loss, OUTPUT / '02_graph.png')}")
else:
    print("(no picture '02_graph': graphviz is not installed)")

section("What we learned")
print(f"The slope of the loss by w is a product of four, {products[-1]:.4f}; a nudge confirms it.")
print(f"After 16 doublings there are {2**16} paths, with {rows[-1][2]} visits; one visit for each")
print(f"number makes {rows[-1][3]}.")
print(f"In the wrong order the slope was {near_first:g}, newest first it is {newest_first:g}.")
print("One walk back gave the slopes by w and by b together; by nudging, each costs two runs.")

assert abs(products[-1] - nudged) < 1e-6 and abs(w.grad - products[-1]) < 1e-6
assert abs(b.grad - (p.data - 1.0)) < 1e-12
assert rows[-1][1] == 2**16 and rows[-1][2] == 2**17 - 1
assert near_first == 2.0 and newest_first == 2.0 * (1.0 + 2.0 * 3.0)
assert "because" in told and f"adds {w.grad:.4g}" in told
