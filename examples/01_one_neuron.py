"""How does a neuron learn, if all we know is school calculus?

One student studied for two hours and passed. A single neuron predicts the probability of
passing. We derive by hand how the loss changes with each weight, check the result in two
other ways, and take steps downhill. Then `Value` does the same and ends at the same numbers.

    score z = w x + b      probability p = 1 / (1 + exp(-z))      loss = -log(p), because y = 1

Exercises (answers are checked by tests/course/test_exercises.py)
1.  slopes(w, b, x, y): the pair (d loss / d w, d loss / d b) for a label y of 0 or 1.
    Derive it by hand; do not use this package.
2.  two_inputs(w1, w2, b, x1, x2, y): the three derivatives (by w1, w2 and b) of the loss of a
    neuron with z = w1 x1 + w2 x2 + b.
3.  steps_until_sure(lr): start at w = b = 0, with x = 2 and y = 1, and update both parameters.
    How many steps does it take until p is 0.95 or more? Does a third of the learning rate
    need about three times the steps?
"""

import math

from course import picture, say, section, table

from tinygrad_lr import Value, exp, log
from tinygrad_lr.graph import explain

section("1. Forward pass: from the hours to the loss, with a pencil")
x, y = 2.0, 1.0  # two hours, passed
w, b = 0.5, -2.0  # an arbitrary start
z = w * x + b
p = 1.0 / (1.0 + math.exp(-z))
loss = -math.log(p)
table(["hours x", "w", "b", "score z", "probability p", "loss"], [(x, w, b, z, p, loss)])
say("""The student passed, and the neuron gave that only the probability p. The loss is -log(p):
large where p is near 0, and 0 where p = 1.""")

section("2. Backward pass: the chain rule, one factor per step")
# loss <- p <- z <- w, b. Each arrow has a derivative that we can look up. The chain rule
# multiplies them.
dloss_dp = -1.0 / p
dp_dz = p * (1.0 - p)
dz_dw, dz_db = x, 1.0
by_hand = dloss_dp * dp_dz * dz_dw, dloss_dp * dp_dz * dz_db
table(
    ["d loss/d p", "d p/d z", "d z/d w", "d loss/d w", "d loss/d b"],
    [(dloss_dp, dp_dz, dz_dw, *by_hand)],
)
print(f"p cancels: d loss/d z = p - 1 = {p - 1.0:.4f}. This is p - y, the error of the prediction.")

section("3. Check: nudge each weight and look at the loss")


# A derivative predicts what a small change does. So we can test it without calculus: change one
# weight by h and by -h, and divide the change of the loss by 2 h (a finite difference).
def loss_at(w, b):
    return -math.log(1.0 / (1.0 + math.exp(-(w * x + b))))


h = 1e-5
nudged = (
    (loss_at(w + h, b) - loss_at(w - h, b)) / (2 * h),
    (loss_at(w, b + h) - loss_at(w, b - h)) / (2 * h),
)
table(
    ["derivative", "by hand", "by nudging", "difference"],
    [(name, a, n, abs(a - n)) for name, a, n in zip(("by w", "by b"), by_hand, nudged)],
)

section("4. The same with Value: a number that remembers how it was made")
W, B = Value(w, label="w"), Value(b, label="b")
P = 1.0 / (1.0 + exp(-(W * x + B)))
LOSS = -log(P)
LOSS.backward()  # multiplies the same factors, from the loss back to w and b
print(f"by Value: w.grad = {W.grad:.6f}, b.grad = {B.grad:.6f}")
print(f"by hand:           {by_hand[0]:.6f},          {by_hand[1]:.6f}")
say("""`explain` shows each step of the backward pass. It says that a number 'is owed' its gradient
(lesson 02 tells why). The last steps are:""")
print("\n".join(explain(LOSS).splitlines()[-6:]))

section("5. Gradient descent, with the right sign and the wrong one")


# The gradient points in the direction in which the loss grows fastest. So we subtract it. Adding
# it is a common mistake.
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

section("6. Does Value take the same steps?")
W, B = Value(w), Value(b)
for _ in range(8):
    (-log(1.0 / (1.0 + exp(-(W * x + B))))).backward()
    for parameter in W, B:
        parameter.data -= 0.5 * parameter.grad
        parameter.zero_grad()
_, w_end, b_end = downhill[8]
apart = max(abs(W.data - w_end), abs(B.data - b_end))
print(f"after 8 steps: by Value w = {W.data:.6f}, b = {B.data:.6f}")
print(f"               by hand  w = {w_end:.6f}, b = {b_end:.6f}   largest difference {apart:.1g}")

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
say(f"""At w = {w}, b = {b} the neuron predicts {p:.3f} for a student who passed. The loss is
-log({p:.3f}) = {loss:.4f}.""")
say(f"""The chain rule gives the derivatives {by_hand[0]:.4f} (by w) and {by_hand[1]:.4f} (by b).
The first is the error p - y times the input x; the second is the error.""")
say(f"Finite differences agree to {max(abs(a - n) for a, n in zip(by_hand, nudged)):.0e}.")
say(f"""Eight steps with Value and eight by hand end at the same weights (difference
{apart:.1g}).""")
say(f"""With w - lr g the loss falls from {downhill[0][0]:.3f} to {downhill[8][0]:.3f}. With w + lr
g it grows to {uphill[8][0]:.1f}.""")

assert math.isclose(by_hand[0], (p - y) * x) and math.isclose(by_hand[1], p - y)
assert all(abs(a - n) < 1e-8 for a, n in zip(by_hand, nudged))
assert apart < 1e-12
assert all(later[0] < earlier[0] for earlier, later in zip(downhill, downhill[1:]))
assert uphill[8][0] > 10.0 * uphill[0][0] and math.exp(-downhill[8][0]) > 0.9
