"""The limit: derivatives found on paper, written in pure Python as fast as we can.

No automatic differentiation in pure Python can be faster than this: nothing is asked,
checked, remembered or dispatched. It is right for every score, as tinygrad_lr is.

    logistic    dloss/dz = p - y                      z = w . x + b,  p = sigmoid(z)
    softmax     dloss/dz_k = p_k - [k is the label]   z_k = w_k . x + b_k
"""

from math import exp, log, log1p, tanh
from operator import mul

try:
    from math import sumprod
except ImportError:  # Python 3.11

    def sumprod(p, q):
        return sum(map(mul, p, q))


def logistic(problem):
    """With the sign s = 1 - 2y a row costs softplus(s z), and its slope is s sigmoid(s z)."""
    if problem.size == 1:
        return _one_row(problem)
    return any_size(problem)


def any_size(problem):
    """For any number of rows. For one row `logistic` has something faster."""
    rows, columns = problem.inputs, list(map(list, zip(*problem.inputs)))
    signs = [1.0 - 2.0 * y for y in problem.targets]
    w, b, n = problem.weights, problem.bias, problem.size
    rate = problem.rate / n

    def step():
        nonlocal w, b
        margins = [s * (sumprod(row, w) + b) for s, row in zip(signs, rows)]
        try:
            exps = list(map(exp, margins))
            losses = sum(map(log1p, exps))
            slopes = [s * e / (1.0 + e) for s, e in zip(signs, exps)]
        except OverflowError:  # a margin above 709: the 1 in 1 + exp counts for nothing
            losses = sum(m if m > 40.0 else log1p(exp(m)) for m in margins)
            slopes = [s if m > 40.0 else s / (1.0 + exp(-m)) for s, m in zip(signs, margins)]
        w = [v - rate * sumprod(column, slopes) for v, column in zip(w, columns)]
        b -= rate * sum(slopes)
        return losses / n

    return step, lambda: [*w, b]


def _one_row(problem):
    (row,), (y,) = problem.inputs, problem.targets
    w, b, rate = problem.weights, problem.bias, problem.rate
    sign = 1.0 - 2.0 * y
    signed_rate = sign * rate

    def step():
        nonlocal w, b
        margin = sign * (sumprod(row, w) + b)
        if margin < 40.0:
            e = exp(margin)
            loss, move = log1p(e), signed_rate * e / (1.0 + e)
        else:
            loss, move = margin, signed_rate
        w = [v - move * x for v, x in zip(w, row)]
        b -= move
        return loss

    return step, lambda: [*w, b]


def softmax(problem):
    """The weights are kept class by class: row times class is then a product of two lists."""
    rows, columns = problem.inputs, list(map(list, zip(*problem.inputs)))
    labels = [int(label) for label in problem.targets]
    w, b, n = list(map(list, zip(*problem.weights))), problem.bias, problem.size
    rate = problem.rate / n

    def step():
        nonlocal w, b
        loss, slopes = 0.0, []
        for row, label in zip(rows, labels):
            z = [sumprod(row, weights) + bias for weights, bias in zip(w, b)]
            largest = max(z)
            exps = [exp(v - largest) for v in z]
            total = sum(exps)
            loss += log(total) + largest - z[label]
            scale = rate / total
            moves = [scale * e for e in exps]
            moves[label] -= rate
            slopes.append(moves)
        if n == 1:
            w = [
                [v - move * x for v, x in zip(weights, row)] for weights, move in zip(w, slopes[0])
            ]
            b = [bias - move for bias, move in zip(b, slopes[0])]
        else:
            of_classes = list(map(list, zip(*slopes)))
            w = [
                [v - sumprod(column, moves) for v, column in zip(weights, columns)]
                for weights, moves in zip(w, of_classes)
            ]
            b = [bias - sum(moves) for bias, moves in zip(b, of_classes)]
        return loss / n

    return step, lambda: [v for row in (*zip(*w), b) for v in row]


def network(problem):
    """tanh' = 1 - tanh^2, relu' = 0 or 1, and from layer to layer a product with w turned."""
    (x,), (target,) = problem.inputs, problem.targets
    (w1, w2, (w3,)), (b1, b2, (b3,)) = problem.weights, problem.bias
    rate = problem.rate

    def step():
        nonlocal w1, b1, w2, b2, w3, b3
        first = [tanh(sumprod(w, x) + b) for w, b in zip(w1, b1)]
        second = [max(sumprod(w, first) + b, 0.0) for w, b in zip(w2, b2)]
        error = sumprod(w3, second) + b3 - target
        owed3 = rate * 2.0 * error
        owed2 = [owed3 * w if h > 0.0 else 0.0 for w, h in zip(w3, second)]
        owed1 = [(1.0 - h * h) * sumprod(owed2, column) for h, column in zip(first, zip(*w2))]
        w3 = [v - owed3 * h for v, h in zip(w3, second)]
        b3 -= owed3
        w2 = [[v - g * h for v, h in zip(w, first)] if g else w for w, g in zip(w2, owed2)]
        b2 = [b - g for b, g in zip(b2, owed2)]
        w1 = [[v - g * xi for v, xi in zip(w, x)] for w, g in zip(w1, owed1)]
        b1 = [b - g for b, g in zip(b1, owed1)]
        return error * error

    def weights():
        return [v for row in (*w1, b1, *w2, b2, w3, [b3]) for v in row]

    return step, weights


def chain(length):
    """A list of what came out, read backwards."""
    w, b = 0.9, 0.1

    def build():
        y, made = w, []
        for _ in range(length // 2):
            made.append(y)
            y = y * w + b
        return made

    def backward(made):
        owed, owed_w = 1.0, 0.0
        for y in reversed(made):
            owed_w += owed * y
            owed *= w
        return owed_w + owed

    return build, backward
