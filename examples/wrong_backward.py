"""What goes wrong when the gradients are walked back carelessly?

    b = a + a
    c = b + b           so c = 4 a, and the derivative of c by a is 4

Three walks that are wrong, beside the one that is right. All use the rules of the engine
(`shares`); they differ in the walk alone. Where every value is used only once no error shows.
"""

from course import section, table

from tinygrad_lr import Value
from tinygrad_lr.graph import explain
from tinygrad_lr.graph.walk import newest_first
from tinygrad_lr.core.value import shares

a = Value(3.0, label="a")
b = a + a
b.label = "b"
c = b + b
c.label = "c"


def right(output, ledger=None):
    """Newest first, and shares add up. Each walk begins with an empty ledger."""
    owed = {} if ledger is None else ledger
    owed[output] = 1.0
    for node in newest_first(output):
        for x, share in shares(node, owed[node]):
            owed[x] = owed.get(x, 0.0) + share
    return owed


def overwriting(output):
    """The same, but a new share replaces the one before."""
    owed = {output: 1.0}
    for node in newest_first(output):
        for x, share in shares(node, owed[node]):
            owed[x] = share
    return owed


def hasty(output):
    """Whoever is given a share passes on at once all that it holds."""
    owed = {output: 1.0}

    def pay(node):
        for x, share in shares(node, owed[node]):
            owed[x] = owed.get(x, 0.0) + share
            if x.operation:
                pay(x)

    pay(output)
    return owed


section("1. What each walk says that c, b and a are owed")
walks = {walk.__name__: walk(c) for walk in (right, overwriting, hasty)}
table(["walk", "c", "b", "a"], [(name, owed[c], owed[b], owed[a]) for name, owed in walks.items()])

section("2. Overwriting: 1 instead of 4")
print("c gives b two shares of 1, and the second replaces the first; with a it happens again.")

section("3. The wrong order: 6 instead of 4")
print("c gives b 1, and b passes it on twice: a has 2. Then c gives b its second share. Now b")
print("holds 2, which it passes on twice: a has 2 + 4 = 6. A node has to wait until all who used")
print("it have paid. From the newest to the oldest is such an order: what uses a value is born")
print("after it.")

section("4. A ledger that is kept: 12 instead of 8")
ledger = {}
first = right(c, ledger)[a]
second = right(c, ledger)[a]
print(f"After the first pass a has {first:g}, which is right, and b still holds 2. In the second")
print(f"pass b gets 2 more and passes on 4, twice: a has {second:g}. That leaves add up over")
print("several passes is wanted (a large batch, in parts); what lies between has to be forgotten.")

section("5. The engine")
c.backward()
once = a.grad
c.backward()
print(f"a.grad is {once:g} after one pass and {a.grad:g} after two; b.grad is {b.grad}: what b is")
print("owed is written in a ledger of the walk, and thrown away with it. In sentences:\n")
print(explain(c))

assert [walks[name][a] for name in ("right", "overwriting", "hasty")] == [4.0, 1.0, 6.0]
assert (first, second) == (4.0, 12.0)
assert (once, a.grad, b.grad) == (4.0, 8.0, None)
