"""How does a neuron learn, if all we know is school calculus?

One student learned two hours and passed. One neuron gives a probability for that; we work
out by hand how its loss changes with each weight, check the result in two other ways, and
take steps downhill. Then `Value` does the same, and ends at the same numbers.

    score z = w x + b      probability p = 1 / (1 + exp(-z))      loss = -log p, as y = 1

Exercises (answers are checked by tests/course/test_exercises.py)
1.  slopes(w, b, x, y): the pair (d loss / d w, d loss / d b) for a label y that is 0 or 1,
    by hand, without this package.
2.  two_inputs(w1, w2, b, x1, x2, y): the three slopes of a neuron with z = w1 x1 + w2 x2 + b.
3.  steps_until_sure(lr): from w = b = 0, with x = 2 and y = 1 and both parameters learning,
    how many steps until p is 0.95 or more? A third of the rate, about three times the steps?
"""

import math

from course import picture, section, table

from tinygrad_lr import Value, exp, log
from tinygrad_lr.graph import explain

section("1. Forward: from the hours to the loss, with a pencil")
x, y = 2.0, 1.0  # two hours, passed
w, b = 0.5, -2.0  # where we happen to start
z = w * x + b
p = 1.0 / (1.0 + math.exp(-z))
loss = -math.log(p)
table(["hours x", "w", "b", "score z", "probability p", "loss"], [(x, w, b, z, p, loss)])
print("The neuron gave what happened only p. The loss is large where p is small, 0 where p = 1.")

section("2. Backward: the chain rule, one factor a step")
# loss <- p <- z <- w, b. Each arrow has a derivative that can be looked up; multiply them.
dloss_dp = -1.0 / p
dp_dz = p * (1.0 - p)
dz_dw, dz_db = x, 1.0
by_hand = dloss_dp * dp_dz * dz_dw, dloss_dp * dp_dz * dz_db
table(
    ["d loss/d p", "d p/d z", "d z/d w", "d loss/d w", "d loss/d b"],
    [(dloss_dp, dp_dz, dz_dw, *by_hand)],
)
print(f"p cancels: d loss/d z = p - 1 = {p - 1.0:.4f}, the error of the prediction (p - y).")

section("3. Is it true? Nudge each weight and look at the loss")
# A derivative is a promise about small changes, so it can be tested without any calculus.
loss_at = lambda w, b: -math.log(1.0 / (1.0 + math.exp(-(w * x + b))))
h = 1e-5
nudged = (
    (loss_at(w + h, b) - loss_at(w - h, b)) / (2 * h),
    (loss_at(w, b + h) - loss_at(w, b - h)) / (2 * h),
)
table(
    ["slope", "by hand", "by nudging", "difference"],
    [(name, a, n, abs(a - n)) for name, a, n in zip(("by w", "by b"), by_hand, nudged)],
)

section("4. The same by Value: a number that remembers how it was made")
W, B = Value(w, label="w"), Value(b, label="b")
P = 1.0 / (1.0 + exp(-(W * x + B)))
LOSS = -log(P)
LOSS.backward()  # the same factors, multiplied in the same direction
print(
    f"w.grad = {W.grad:.6f}   b.grad = {B.grad:.6f}   by hand: {by_hand[0]:.6f}, {by_hand[1]:.6f}"
)
print("It tells how, too; its last steps are:")
print("\n".join(explain(LOSS).splitlines()[-6:]))

section("5. Downhill, and first in the wrong direction")


# The gradient points to where the loss grows. Adding it is a common mistake.
def steps(sign, count, lr=0.5, w=w, b=b):
    path = [(loss_at(w, b), w, b)]
    for _ in range(count):
        error = 1.0 / (1.0 + math.exp(-(w * x + b))) - y
        w, b = w + sign * lr * error * x, b + sign * lr * error
        path.append((loss_at(w, b), w, b))
    return path


uphill, downhill = steps(+1.0, 8), steps(-1.0, 8)
table(
    ["step", "loss, w + lr g", "loss, w - lr g", "its w", "its b"],
    [(k, uphill[k][0], *downhill[k]) for k in (0, 1, 2, 4, 8)],
)

section("6. Who says that Value walks the same way?")
W, B = Value(w), Value(b)
for _ in range(8):
    (-log(1.0 / (1.0 + exp(-(W * x + B))))).backward()
    for parameter in W, B:
        parameter.data -= 0.5 * parameter.grad
        parameter.zero_grad()
_, w_end, b_end = downhill[8]
apart = max(abs(W.data - w_end), abs(B.data - b_end))
print(f"after 8 steps: by Value w = {W.data:.6f}, b = {B.data:.6f}")
print(f"               by hand  w = {w_end:.6f}, b = {b_end:.6f}   at most {apart:.1g} apart")

section("The picture")


def draw(axes):
    ws = [i / 50 - 1.0 for i in range(201)]
    axes.plot(ws, [loss_at(v, b) for v in ws], label="loss, b fixed")
    axes.plot(ws, [loss + by_hand[0] * (v - w) for v in ws], "--", label="its slope by hand")
    axes.plot(w, loss, "o", color="black")
    axes.set(
        xlabel="w", ylabel="loss", ylim=(0, 4), title="The derivative is the slope of the loss"
    )


picture("01_slope", draw)

section("What we learned")
print(f"At w = {w}, b = {b} the neuron says {p:.3f} for what happened; the loss is {loss:.4f}.")
print(
    f"The chain rule gives the slopes {by_hand[0]:.4f} and {by_hand[1]:.4f}: error (p - y) "
    "times input, nothing else."
)
print(
    f"Nudging agrees to {max(abs(a - n) for a, n in zip(by_hand, nudged)):.0e}; "
    f"eight steps of Value and eight by hand end {apart:.1g} apart."
)
print(
    f"w - lr g takes the loss from {downhill[0][0]:.3f} to {downhill[8][0]:.3f}, and "
    f"w + lr g to {uphill[8][0]:.1f}: the sign matters."
)

assert math.isclose(by_hand[0], (p - y) * x) and math.isclose(by_hand[1], p - y)
assert all(abs(a - n) < 1e-8 for a, n in zip(by_hand, nudged))
assert apart < 1e-12
assert all(later[0] < earlier[0] for earlier, later in zip(downhill, downhill[1:]))
assert uphill[8][0] > 10.0 * uphill[0][0] and math.exp(-downhill[8][0]) > 0.9
