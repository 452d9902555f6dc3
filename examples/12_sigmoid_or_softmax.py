"""Sigmoid or softmax: which of them sums to one, why, and which does my problem need?

Both turn scores into probabilities. We ask both about the same scores, look at what each
answer depends on, and then let both learn handwritten digits, with the same model, the same
rows and the same steps: only the loss differs. At the end a problem where softmax is wrong.

Exercises (answers are checked by tests/course/test_exercises.py)
1.  shifted_to_sigmoid(z): z holds two scores. Give the one score whose sigmoid is
    softmax(z)[1], without calling softmax.
2.  one_against_rest(rows): rows of K sigmoids. Make each row sum to one, by dividing it by its
    sum. Is the most probable class of a row still the same?
3.  softmax_slope(z, k): the gradient of -log softmax(z)[k] by the scores z, by hand.
"""

from course import picture, section, table

from tinygrad_lr import (
    Array, Value, binary_cross_entropy_with_logits, cross_entropy, jacobian, sigmoid, softmax,
)  # fmt: skip
from tinygrad_lr.data import Batches, load_digits, train_test_split
from tinygrad_lr.metrics import accuracy
from tinygrad_lr.optim import Adam
from tinygrad_lr.training import minimize

digits = load_digits()
X, X_test, y, y_test = train_test_split(digits.X / 16.0, digits.y, test_size=0.6, seed=0)

section("1. The same three scores, asked in two ways")
# softmax: exp(z_k) over the sum of all three.  sigmoid: exp(z_k) over exp(z_k) + 1.
z = Array([2.0, 1.0, -1.0])
one_choice, three_questions = softmax(z), sigmoid(z)
rows = [*zip("abc", z, one_choice, three_questions)]
rows.append(("sum", sum(z), sum(one_choice), sum(three_questions)))
table(["class", "score", "softmax", "sigmoid"], rows)
print("Softmax divides by a sum that all classes share: one choice among three.")
print("Three sigmoids are three yes-or-no questions; any number of them may be yes.")

section("2. What does each probability depend on?")
# d p_i / d z_j. If class b gets a higher score, who pays for it?
together, apart = jacobian(softmax)(z), jacobian(sigmoid)(z)
print("softmax: what one class gains the others lose; each column sums to 0")
table(["", "by z_a", "by z_b", "by z_c"], [(f"p_{c}", *row) for c, row in zip("abc", together)])
print("sigmoid: nothing ties them; each probability depends on its own score alone")
table(["", "by z_a", "by z_b", "by z_c"], [(f"p_{c}", *row) for c, row in zip("abc", apart)])

section("3. One score too many")
# Adding the same number to all scores cancels in exp(z_k) / sum: only differences count. So
# we may fix one score at 0; of two classes then one score is left, and softmax is sigmoid.
shifted = max(abs(p - q) for p, q in zip(softmax(z), softmax(z + 100.0)))
two = max(abs(softmax([0.0, s])[1] - sigmoid(s)) for s in z)
print(f"softmax(z + 100) - softmax(z): at most {shifted:.1g}")
print(f"softmax([0, s])[1] - sigmoid(s): at most {two:.1g}")

section("4. Handwritten digits, learned in both ways")


# 64 grey pixels, ten classes. The scores are X @ W + b for both. Softmax is told which of the
# ten it is; the sigmoids get ten questions a picture: "is it a 0?", "is it a 1?", ...
def learn(loss, targets, outputs, epochs=8):
    """The scores on the test rows, after a few epochs from zero weights."""
    W, b = Value([[0.0] * outputs] * 64), Value([0.0] * outputs)
    optimizer = Adam([W, b], lr=0.03)
    batches = Batches(X, range(len(X)), batch_size=32)  # y: the numbers of the rows, to find
    rows_of = lambda i: targets[[int(k) for k in i]]  # targets that are one number or ten
    minimize(lambda x, i: loss(x @ W + b, rows_of(i)), [W, b], batches, optimizer, epochs)
    return X_test @ W.data + b.data


one_hot = Array([[float(k == label) for k in range(10)] for label in y])
print(f"{len(X)} pictures to learn from, {len(X_test)} to be judged by")

section("5. How they answer")
choice = softmax(learn(cross_entropy, y, 10))
answers = sigmoid(learn(binary_cross_entropy_with_logits, one_hot, 10))
best = lambda p: Array([float(row.index(max(row))) for row in p.rows])
summary = []
for name, p in ("softmax", choice), ("ten sigmoids", answers):
    sums = sorted(map(sum, p.rows))
    yes = [sum(v > 0.5 for v in row) for row in p.rows]
    none, several = yes.count(0), sum(n > 1 for n in yes)
    summary.append((name, accuracy(y_test, best(p)), sums[0], sums[-1], none, several))
table(["loss", "accuracy", "smallest sum", "largest", "no class > 1/2", "several"], summary)

section("6. Where softmax is the wrong one: two answers at once")
# Is the digit even? Has it a closed loop (0 6 8 9)? An 8 has both, a 7 neither. Softmax must
# give its two probabilities the sum 1, so it can never answer yes twice, nor no twice.
truth = lambda labels: Array([[float(d % 2 == 0), float(d in (0, 6, 8, 9))] for d in labels])
facts, facts_test = truth(y), truth(y_test)
as_share = Array([[v / sum(row) if sum(row) else 0.5 for v in row] for row in facts.rows])
forced = softmax(learn(cross_entropy, as_share, 2))
free = sigmoid(learn(binary_cross_entropy_with_logits, facts, 2))
right = {}
for name, p in ("softmax", forced), ("sigmoid", free):
    judged = [[float(v > 0.5) for v in row] for row in p.rows]
    right[name] = sum(a == t for a, t in zip(judged, facts_test.rows)) / len(judged)
table(["probabilities by", "both answers right"], right.items())

section("The picture")


def draw(axes):
    for name, p in ("softmax", choice), ("ten sigmoids", answers):
        bins = [(i + 0.5) / 20 for i in range(40)]
        axes.hist(list(map(sum, p.rows)), bins=bins, alpha=0.6, label=name)
    axes.set(
        xlabel="sum of the ten probabilities of a picture",
        ylabel="pictures",
        title="One choice sums to one; ten questions do not",
    )


picture("12_sums", draw)

section("What we learned")
(_, acc_softmax, *_), (_, acc_sigmoid, low, high, none, several) = summary
print(
    f"Softmax probabilities sum to 1 because they are divided by their sum; the sigmoids of\n"
    f"one picture sum to anything from {low:.2f} to {high:.2f}."
)
print(
    f"For one choice among ten digits softmax is right in {acc_softmax:.1%}, ten sigmoids in "
    f"{acc_sigmoid:.1%};\nthese said 'none of them' {none} times and 'several' {several} times."
)
print(
    f"For questions that may be true together sigmoids are right in {right['sigmoid']:.1%}, and "
    f"softmax,\nwhich cannot say yes twice, in {right['softmax']:.1%}."
)
print("With two classes there is no difference: softmax([0, s])[1] is sigmoid(s).")

assert abs(sum(one_choice) - 1.0) < 1e-12 and sum(three_questions) > 1.5
assert all(abs(sum(column)) < 1e-12 for column in together.columns)
assert all(apart[i, j] == 0.0 for i in range(3) for j in range(3) if i != j)
assert shifted < 1e-12 and two < 1e-12
assert all(abs(sum(row) - 1.0) < 1e-9 for row in choice.rows)
assert low < 0.7 and high > 1.3 and none > several >= 0
assert acc_softmax > 0.93 and acc_sigmoid > 0.9
assert right["sigmoid"] > right["softmax"] + 0.2
