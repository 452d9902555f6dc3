"""When is a loss not convex, and what goes wrong then?

We look at two cases: a second layer, and the wrong loss. A network with two hidden neurons can
learn exclusive or, which no straight line can. But where the training ends depends on where it
starts. Squared error is convex for a linear model. Behind a sigmoid it is not: on a small
example it has two minima for a single weight.

Exercises (answers are checked by tests/course/test_exercises.py)
1.  squared_slope(z, y): the derivative of (sigmoid(z) - y)^2 with respect to z, by hand. How
    large is it for z = 20, y = 0, where the model is confident and wrong?
2.  is_saddle(a, b, c): True if a x^2 + 2 b x y + c y^2 rises in one direction and falls in
    another. (Its Hessian is 2 [[a, b], [b, c]].)
3.  count_valleys(heights): how many entries of the list are lower than both neighbours?
"""

import math
import random

from course import picture, say, section, table

from tinygrad_lr import (
    Array, Value, binary_cross_entropy_with_logits, grad, hessian, mean_squared_error, reshape,
    sigmoid, tanh,
)  # fmt: skip
from tinygrad_lr.optim import SGD, Adam
from tinygrad_lr.training import minimize

X, y = Array([[0.0, 0], [0, 1], [1, 0], [1, 1]]), Array([0, 1, 1, 0])  # exclusive or

section("1. One layer: the loss is convex, but its minimum is of no use")
w, b = Value([1.0, -2.0]), Value(0.5)
optimizer = SGD([w, b], lr=1.0)
for _ in range(500):
    optimizer.zero_grad()
    one_layer = binary_cross_entropy_with_logits(X @ w + b, y)
    one_layer.backward()
    optimizer.step()
print(f"The loss is {one_layer:.4f}, which is log 2: the model predicts 1/2 for every row.")

section("2. Two layers: a hidden layer of two tanh neurons, and one output neuron")


# The hidden layer has the weights W (2, 2) and the biases c (2,). The output neuron has the
# weights v (2,) and a bias. All nine numbers stand in one list: W, c, v, bias.
def network(w):
    """The loss for nine weights, given as one Value or Array."""
    hidden = tanh(X @ reshape(w[0:4], (2, 2)) + w[4:6])
    return binary_cross_entropy_with_logits(hidden @ w[6:8] + w[8], y)


def learn(start, steps=250):
    """The weights after `steps` steps of Adam, and their loss."""
    w = Value(start)
    minimize(lambda X, y: network(w), [w], [(X, y)], Adam([w], lr=0.1), steps)
    return w.data, network(w.data)


zero, height = learn([0.0] * 9, 100)
slope = max(map(abs, grad(network)(zero)))
say(f"""After 100 steps from 0 the largest gradient is {slope:g} and the loss {height:.4f}: nothing
has moved. The hidden neurons put out 0, so v gets no gradient. v is 0, so W and c get none. (The
last bias gets none only because half of the labels are 1.) So networks start at random weights.""")

section("3. Different starts end at different losses")
ends = []
for seed in range(16):
    noise = random.Random(seed)
    ends.append(learn([noise.gauss(0.0, 1.0) for _ in range(9)]))
solved = [w for w, loss in ends if loss < 0.1]
stuck = [loss for _, loss in ends if loss > 0.3]
print("losses:", "  ".join(f"{loss:.3f}" for _, loss in ends[:8]))
print("       ", "  ".join(f"{loss:.3f}" for _, loss in ends[8:]))
say(f"""{len(solved)} of 16 starts learn it. {len(stuck)} do not. Most of them end at
{min(stuck):.3f}, half of log 2, where two rows are right and two are at 1/2. A thousand more steps
do not change that.""")

section("4. Proof that the loss is not convex: swap the two hidden neurons")
# A swap does not change the output, so it does not change the loss. If the loss were convex, the
# loss half-way between the two networks could not be higher.
w = solved[0]
swapped = w[[1, 0, 3, 2, 5, 4, 7, 6, 8]]
middle = network((w + swapped) / 2)
print(f"loss {network(w):.4f}, neurons swapped {network(swapped):.4f}, half-way {middle:.4f}")


def descend(loss, w, lr=0.5, steps=2000):
    """The weight after `steps` steps of gradient descent."""
    for _ in range(steps):
        w -= lr * grad(loss)(w)
    return w


section("5. The wrong loss: squared error behind a sigmoid")
# The model has one weight and no bias. There are ten rows with x = 1, eight of them with the
# label 1, and one row with x = 20 and the label 0.
x1, t1 = Array([1.0] * 10 + [20.0]), Array([1.0] * 8 + [0.0] * 3)
squared = lambda w: mean_squared_error(sigmoid(x1 * w), t1)
entropy = lambda w: binary_cross_entropy_with_logits(x1 * w, t1)
rows = []
for start in -1.0, 1.0:
    s, e = descend(squared, start), descend(entropy, start, lr=0.02)
    rows.append((start, s, squared(s), e, entropy(e)))
table(["start", "squared error ends at", "value", "cross-entropy ends at", "value"], rows)

section("6. Negative curvature, and a slope near 0 where the model is confident and wrong")
curvatures = [hessian(squared)(v / 10) for v in range(-30, 31)]
print(f"The curvature of squared error goes from {min(curvatures):.2f} to {max(curvatures):.2f}.")
print("Where it is negative, the loss is not convex.")
slope_of_squared = grad(lambda z: sigmoid(z) ** 2)  # the label is 0
slope_of_entropy = grad(lambda z: binary_cross_entropy_with_logits(z, 0.0))
wrong = [(z, slope_of_squared(z), slope_of_entropy(z)) for z in (1.0, 5.0, 20.0)]
table(["score, label 0", "slope of squared error", "of cross-entropy"], wrong)

section("The picture")


def draw(axes):
    ws = [i / 50 - 2.0 for i in range(251)]
    axes[0].plot(ws, [squared(v) for v in ws], label="squared error")
    axes[0].plot(*zip(*(row[1:3] for row in rows)), "o", color="crimson")
    axes[0].set(xlabel="w", title="Squared error behind a sigmoid: two minima")
    share = [i / 40 - 0.5 for i in range(81)]
    axes[1].plot(share, [network(w + t * (swapped - w)) for t in share])
    axes[1].plot([0, 1], [network(w), network(swapped)], "o", color="crimson")
    axes[1].set(xlabel="from a solution (0) to the swapped one (1)", title="The network's loss")


picture("07_valleys", draw, ncols=2, figsize=(11, 4))

section("What we learned")
say(f"""With one layer the loss is convex. Its minimum is {one_layer:.3f} here, because no straight
line separates exclusive or.""")
say(f"""With two layers {len(solved)} of 16 starts learn it, and {len(stuck)} do not: their losses
are {min(stuck):.3f} or more.""")
say(f"""If we swap the two hidden neurons, the loss stays the same. Half-way between the two
networks it is {middle:.2f} instead of {network(w):.3f}. So the loss is not convex.""")
say(f"""Squared error behind a sigmoid has two minima in our example, with the values
{rows[0][2]:.3f} and {rows[1][2]:.3f}. Cross-entropy has one.""")
say(f"""Where the model is confident and wrong (z = 20) the slope of squared error is only
{wrong[2][1]:.0e}. Gradient descent learns almost nothing there.""")

assert abs(one_layer.item() - math.log(2.0)) < 1e-4
assert len(solved) >= 4 and len(stuck) >= 1 and len(solved) + len(stuck) == 16
assert all(learn(w, 1000)[1] > 0.3 for w, loss in ends if loss > 0.3)  # more steps do not help
assert abs(network(w) - network(swapped)) < 1e-12 and middle > network(w) + 0.3
assert slope == 0.0
assert rows[0][1] < 0.0 < 1.0 < rows[1][1] and rows[1][2] < rows[0][2]
assert abs(rows[0][3] - rows[1][3]) < 1e-3 and min(curvatures) < 0.0
assert wrong[2][1] < 1e-8 and wrong[2][2] > 0.99
