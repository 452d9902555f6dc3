"""What goes wrong if a backward pass is written carelessly?

    b = a + a
    c = b + b           so c = 4 a, and the derivative of c with respect to a is 4

Here are one correct backward pass and three wrong ones. All use the rules of the engine; they
differ only in the order of the nodes and in how they store cotangents. If every value is used
only once, all of them give the right result, so the mistakes are easy to miss.
"""

from course import say, section, table

from tinygrad_lr import Value
from tinygrad_lr.core.backward import reverse_topological_order, vjps
from tinygrad_lr.graph import explain

a = Value(3.0, label="a")
b = a + a
b.label = "b"
c = b + b
c.label = "c"


def right(output, cotangents=None):
    """Newest first, and contributions add up. Each pass starts without cotangents."""
    cotangents = {} if cotangents is None else cotangents
    cotangents[output] = 1.0
    for node in reverse_topological_order(output):
        for x, vjp in vjps(node, cotangents[node]):
            cotangents[x] = cotangents.get(x, 0.0) + vjp
    return cotangents


def overwriting(output):
    """The same, but a new contribution replaces the earlier one."""
    cotangents = {output: 1.0}
    for node in reverse_topological_order(output):
        for x, vjp in vjps(node, cotangents[node]):
            cotangents[x] = vjp
    return cotangents


def hasty(output):
    """A node that gets a contribution immediately passes on all that it has so far."""
    cotangents = {output: 1.0}

    def visit(node):
        for x, vjp in vjps(node, cotangents[node]):
            cotangents[x] = cotangents.get(x, 0.0) + vjp
            if x.operation:
                visit(x)

    visit(output)
    return cotangents


section("1. The cotangents of c, b and a, by each backward pass")
passes = {f.__name__: f(c) for f in (right, overwriting, hasty)}
table(["backward pass", "c", "b", "a"], [(name, d[c], d[b], d[a]) for name, d in passes.items()])

section("2. Overwriting: 1 instead of 4")
say("""c contributes 1 to b twice, once for each use of b. The second contribution replaces the
first. The same happens with a.""")

section("3. The wrong order: 6 instead of 4")
say("""c contributes 1 to b, and b passes that on twice: a has 2. Then c contributes to b for the
second time. Now b has 2 and passes that on twice: a has 2 + 4 = 6. A node must wait until all
nodes that use it have contributed. The order from the newest to the oldest node ensures that,
because every node is newer than the values that it uses.""")

section("4. Cotangents that are kept for the next pass: 12 instead of 8")
kept = {}
first = right(c, kept)[a]
second = right(c, kept)[a]
say(f"""After the first pass a has {first:g}, which is right, and b still has 2. In the second pass
b gets 2 more and passes on 4, twice: a has {second:g}. Leaves should add up over several passes (a
large batch can be processed in parts). The cotangents of all other nodes must be discarded.""")

section("5. The engine")
c.backward()
once = a.grad
c.backward()
print(f"a.grad is {once:g} after one pass and {a.grad:g} after two; b.grad is {b.grad}.")
say("""The engine keeps the cotangents in a dict of the pass and discards it at the end. `explain`
shows the pass (lesson 02 explains the word 'owed'):""")
print(f"\n{explain(c)}")

assert [passes[name][a] for name in ("right", "overwriting", "hasty")] == [4.0, 1.0, 6.0]
assert (first, second) == (4.0, 12.0)
assert (once, a.grad, b.grad) == (4.0, 8.0, None)
