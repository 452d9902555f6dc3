"""Sigmoid or softmax: which of them sums to one, and why? Which one does my problem need?

Both turn scores (logits) into probabilities. We apply both to the same scores and look at what
each probability depends on. Then we train both on handwritten digits, with the same scores, the
same rows and the same number of steps; only the loss differs. The last section shows a problem
for which softmax is the wrong choice.

Exercises (answers are checked by tests/course/test_exercises.py)
1.  shifted_to_sigmoid(z): z holds two scores. Return the one score whose sigmoid is
    softmax(z)[1]. Do not call softmax.
2.  one_against_rest(rows): each row holds K sigmoids. Divide each row by its sum, so that it
    sums to one. Is the most probable class of a row still the same?
3.  softmax_slope(z, k): the gradient of -log softmax(z)[k] with respect to the scores z, by hand.
"""

from course import picture, say, section, table

from tinygrad_lr import (
    Array, Value, binary_cross_entropy_with_logits, cross_entropy, jacobian, sigmoid, softmax,
)  # fmt: skip
from tinygrad_lr.data import Batches, load_digits, train_test_split
from tinygrad_lr.metrics import accuracy
from tinygrad_lr.optim import Adam
from tinygrad_lr.training import minimize

digits = load_digits()
X, X_test, y, y_test = train_test_split(digits.X / 16.0, digits.y, test_size=0.6, seed=0)

section("1. Softmax and sigmoid of the same three scores")
# softmax: exp(z_k) divided by the sum of all three. sigmoid: exp(z_k) divided by exp(z_k) + 1.
z = Array([2.0, 1.0, -1.0])
one_choice, three_questions = softmax(z), sigmoid(z)
rows = [*zip("abc", z, one_choice, three_questions)]
rows.append(("sum", sum(z), sum(one_choice), sum(three_questions)))
table(["class", "score", "softmax", "sigmoid"], rows)
say("""Softmax divides by a sum over all classes. It answers one question: which one of the three
classes is it? Three sigmoids answer three yes-or-no questions. Any number of the answers may be
yes.""")

section("2. What does each probability depend on?")
# The Jacobian holds the derivatives d p_i / d z_j. If the score of class b grows, which
# probabilities change?
together, apart = jacobian(softmax)(z), jacobian(sigmoid)(z)
print("softmax: what one class gains, the others lose; each column sums to 0")
table(["", "by z_a", "by z_b", "by z_c"], [(f"p_{c}", *row) for c, row in zip("abc", together)])
print("sigmoid: each probability depends on its own score only")
table(["", "by z_a", "by z_b", "by z_c"], [(f"p_{c}", *row) for c, row in zip("abc", apart)])

section("3. Softmax has one score more than it needs")
# If we add the same number to all scores, it cancels in exp(z_k) / sum. Only differences count.
# So we can fix one score at 0. With two classes one score s is left, and softmax becomes
# exp(s) / (1 + exp(s)), the sigmoid.
shifted = max(abs(p - q) for p, q in zip(softmax(z), softmax(z + 100.0)))
two = max(abs(softmax([0.0, s])[1] - sigmoid(s)) for s in z)
print(f"softmax(z + 100) - softmax(z): at most {shifted:.1g}")
print(f"softmax([0, s])[1] - sigmoid(s): at most {two:.1g}")

section("4. Train both on handwritten digits")


# A picture has 64 grey pixels, and there are ten classes. Both models compute the scores
# X @ W + b. The target of softmax is the class. The targets of the sigmoids are the answers to
# ten questions: "is it a 0?", "is it a 1?", ...
def learn(loss, targets, outputs, epochs=8):
    """The scores of the test rows after some epochs of training from zero weights."""
    W, b = Value([[0.0] * outputs] * 64), Value([0.0] * outputs)

    def batch_loss(x, row_numbers):
        rows = targets[[int(k) for k in row_numbers]]
        return loss(x @ W + b, rows)

    batches = Batches(X, range(len(X)), batch_size=32)  # y holds row numbers; they find the targets
    minimize(batch_loss, [W, b], batches, Adam([W, b], lr=0.03), epochs)
    return X_test @ W.data + b.data


one_hot = Array([[float(k == label) for k in range(10)] for label in y])
print(f"{len(X)} pictures for training, {len(X_test)} for testing")

section("5. Compare their predictions")
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

section("6. Where softmax is the wrong choice: two questions at once")
# Is the digit even? Does it have a closed loop (0 6 8 9)? For an 8 both answers are yes, for a 7
# both are no. The two probabilities of softmax sum to 1. So it cannot answer yes twice, and it
# cannot answer no twice.
truth = lambda labels: Array([[float(d % 2 == 0), float(d in (0, 6, 8, 9))] for d in labels])
facts, facts_test = truth(y), truth(y_test)
as_share = Array([[v / sum(row) if sum(row) else 0.5 for v in row] for row in facts.rows])
forced = softmax(learn(cross_entropy, as_share, 2))
free = sigmoid(learn(binary_cross_entropy_with_logits, facts, 2))
right = {}
for name, p in ("softmax", forced), ("sigmoid", free):
    judged = [[float(v > 0.5) for v in row] for row in p.rows]
    right[name] = sum(a == t for a, t in zip(judged, facts_test.rows)) / len(judged)
table(["probabilities by", "share with both answers right"], right.items())

section("The picture")


def draw(axes):
    for name, p in ("softmax", choice), ("ten sigmoids", answers):
        bins = [(i + 0.5) / 20 for i in range(40)]
        axes.hist(list(map(sum, p.rows)), bins=bins, alpha=0.6, label=name)
    axes.set(
        xlabel="sum of the ten probabilities of a picture",
        ylabel="pictures",
        title="Softmax sums to one; ten sigmoids do not",
    )


picture("12_sums", draw)

section("What we learned")
(_, acc_softmax, *_), (_, acc_sigmoid, low, high, none, several) = summary
say(f"""The probabilities of softmax sum to 1 because they are divided by their sum. The ten
sigmoids of a picture sum to anything from {low:.2f} to {high:.2f}.""")
say(f"""The digits are one choice among ten. Softmax has an accuracy of {acc_softmax:.1%}, ten
sigmoids of {acc_sigmoid:.1%}. For {none} pictures no sigmoid was above 1/2, for {several} several
were.""")
say(f"""If several answers may be yes at once, sigmoids are right on {right["sigmoid"]:.1%} and
softmax on {right["softmax"]:.1%}, because it cannot answer yes twice.""")
say("With two classes there is no difference: softmax([0, s])[1] is sigmoid(s).")

assert abs(sum(one_choice) - 1.0) < 1e-12 and sum(three_questions) > 1.5
assert all(abs(sum(column)) < 1e-12 for column in together.columns)
assert all(apart[i, j] == 0.0 for i in range(3) for j in range(3) if i != j)
assert shifted < 1e-12 and two < 1e-12
assert all(abs(sum(row) - 1.0) < 1e-9 for row in choice.rows)
assert low < 0.7 and high > 1.3 and none > several >= 0
assert acc_softmax > 0.93 and acc_sigmoid > 0.9
assert right["sigmoid"] > right["softmax"] + 0.2
