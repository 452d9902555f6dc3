"""When is a loss not a bowl, and what goes wrong then?

Two ways to lose the bowl: a second layer, and the wrong loss. A network of two neurons can
learn what no line can (exclusive or), but where it ends depends on where it starts. And squared
error on a sigmoid, a bowl on a straight line, has two valleys for a single weight.

Exercises (answers are checked by tests/course/test_exercises.py)
1.  squared_slope(z, y): the derivative of (sigmoid(z) - y)^2 by z, by hand. How large is it for
    z = 20, y = 0, where the model could not be more wrong?
2.  is_saddle(a, b, c): whether a x^2 + 2 b x y + c y^2 goes up in one direction and down in
    another (its Hessian is 2 [[a, b], [b, c]]).
3.  count_valleys(heights): how many entries of a list are lower than both neighbours.
"""

import math
import random

from course import picture, section, table

from tinygrad_lr import (
    Array, Value, binary_cross_entropy_with_logits, grad, hessian, mean_squared_error, reshape,
    sigmoid, tanh,
)  # fmt: skip
from tinygrad_lr.optim import SGD, Adam
from tinygrad_lr.training import minimize

X, y = Array([[0.0, 0], [0, 1], [1, 0], [1, 1]]), Array([0, 1, 1, 0])  # exclusive or

section("1. A bowl whose bottom is of no use")
w, b = Value([1.0, -2.0]), Value(0.5)
optimizer = SGD([w, b], lr=1.0)
for _ in range(500):
    optimizer.zero_grad()
    one_layer = binary_cross_entropy_with_logits(X @ w + b, y)
    one_layer.backward()
    optimizer.step()
print(f"one layer: loss {one_layer:.4f}, log 2 = {math.log(2.0):.4f}: says 1/2 to everything")

section("2. A second layer: two neurons with tanh, and one that listens to them")


# Four weights and two biases of the neurons, two weights and a bias of the listener: nine
# numbers in one list, W (2, 2), c (2,), v (2,), and the last bias.
def network(w):
    """The loss of nine weights, given as one Value or Array."""
    hidden = tanh(X @ reshape(w[0:4], (2, 2)) + w[4:6])
    return binary_cross_entropy_with_logits(hidden @ w[6:8] + w[8], y)


def learn(start, steps=250):
    """The weights where Adam ends, and their loss."""
    w = Value(start)
    minimize(lambda X, y: network(w), [w], [(X, y)], Adam([w], lr=0.1), steps)
    return w.data, network(w.data)


zero, height = learn([0.0] * 9, 100)
slope = max(map(abs, grad(network)(zero)))
print(f"100 steps from 0: slope {slope:g}, loss {height:.4f}. Who starts there stays.")

section("3. Different starts, different ends")
ends = []
for seed in range(16):
    noise = random.Random(seed)
    ends.append(learn([noise.gauss(0.0, 1.0) for _ in range(9)]))
solved = [w for w, loss in ends if loss < 0.1]
stuck = [loss for _, loss in ends if loss > 0.3]
print("losses:", "  ".join(f"{loss:.3f}" for _, loss in ends[:8]))
print("       ", "  ".join(f"{loss:.3f}" for _, loss in ends[8:]))
print(
    f"{len(solved)} of 16 starts learn it. {len(stuck)} are caught, most at {min(stuck):.3f}, "
    "half of log 2:\ntwo rows right, two at 1/2. (A thousand more steps do not free them.)"
)

section("4. Proof that it cannot be a bowl: let the two neurons change places")
# The output is the same, so both are as good. In a bowl the middle would be as good or better.
w = solved[0]
swapped = w[[1, 0, 3, 2, 5, 4, 7, 6, 8]]
middle = network((w + swapped) / 2)
print(f"loss {network(w):.4f}, neurons swapped {network(swapped):.4f}, in the middle {middle:.4f}")


def descend(loss, w, lr=0.5, steps=2000):
    """Where gradient descent ends."""
    for _ in range(steps):
        w -= lr * grad(loss)(w)
    return w


section("5. The other way to lose it: squared error on a sigmoid")
# One weight, no bias. Ten rows x = 1 (eight of them 1), one row x = 20 with the label 0.
x1, t1 = Array([1.0] * 10 + [20.0]), Array([1.0] * 8 + [0.0] * 3)
squared = lambda w: mean_squared_error(sigmoid(x1 * w), t1)
entropy = lambda w: binary_cross_entropy_with_logits(x1 * w, t1)
rows = []
for start in -1.0, 1.0:
    s, e = descend(squared, start), descend(entropy, start, lr=0.02)
    rows.append((start, s, squared(s), e, entropy(e)))
table(["start", "squared error ends at", "value", "cross-entropy ends at", "value"], rows)

section("6. It curves downwards in places; and surely wrong, it has no slope to learn from")
curvatures = [hessian(squared)(v / 10) for v in range(-30, 31)]
print(
    f"curvature of squared error: from {min(curvatures):.2f} to {max(curvatures):.2f}; "
    "below 0 it is no bowl"
)
wrong = [
    (
        z,
        grad(lambda z: (sigmoid(z) - 0.0) ** 2)(z),
        grad(lambda z: binary_cross_entropy_with_logits(z, 0.0))(z),
    )
    for z in (1.0, 5.0, 20.0)
]
table(["score, label 0", "slope of squared error", "of cross-entropy"], wrong)

section("The picture")


def draw(axes):
    ws = [i / 50 - 2.0 for i in range(251)]
    axes[0].plot(ws, [squared(v) for v in ws], label="squared error")
    axes[0].plot(*zip(*(row[1:3] for row in rows)), "o", color="crimson")
    axes[0].set(xlabel="w", title="Two valleys: squared error on a sigmoid")
    share = [i / 40 - 0.5 for i in range(81)]
    axes[1].plot(share, [network(w + t * (swapped - w)) for t in share])
    axes[1].plot([0, 1], [network(w), network(swapped)], "o", color="crimson")
    axes[1].set(xlabel="from a solution (0) to its mirror image (1)", title="A network between")


picture("07_valleys", draw, ncols=2, figsize=(11, 4))

section("What we learned")
print(f"One layer is a bowl, whose bottom is {one_layer:.3f} here: no line can tell exclusive or.")
print(
    f"Two layers learn it from {len(solved)} of 16 starts; {len(stuck)} end at {min(stuck):.3f} "
    "or more, by the same steps."
)
print(
    f"Swapping two neurons changes nothing, but half-way the loss is {middle:.2f} instead of "
    f"{network(w):.3f}: not a bowl."
)
print(
    f"Squared error on a sigmoid has two valleys, {rows[0][2]:.3f} and {rows[1][2]:.3f} deep; "
    "cross-entropy has one."
)
print(
    f"And where the model is surely wrong (z = 20) squared error has a slope of "
    f"{wrong[2][1]:.0e}: next to\nnothing is learned."
)

assert abs(one_layer.item() - math.log(2.0)) < 1e-4
assert len(solved) >= 4 and len(stuck) >= 1 and len(solved) + len(stuck) == 16
assert all(learn(w, 1000)[1] > 0.3 for w, loss in ends if loss > 0.3)  # none is freed
assert abs(network(w) - network(swapped)) < 1e-12 and middle > network(w) + 0.3
assert slope == 0.0
assert rows[0][1] < 0.0 < 1.0 < rows[1][1] and rows[1][2] < rows[0][2]
assert abs(rows[0][3] - rows[1][3]) < 1e-3 and min(curvatures) < 0.0
assert wrong[2][1] < 1e-8 and wrong[2][2] > 0.99
