"""Answers to the exercises of the lessons. Try the exercises before you read on!"""

import ast
import math

from tinygrad_lr import elementwise, grad, softmax, where
from tinygrad_lr.graph import compile


def _sigmoid(z):
    return 1.0 / (1.0 + math.exp(-z))


def slopes(w, b, x, y):
    error = _sigmoid(w * x + b) - y
    return error * x, error


def two_inputs(w1, w2, b, x1, x2, y):
    error = _sigmoid(w1 * x1 + w2 * x2 + b) - y
    return error * x1, error * x2, error


def steps_until_sure(lr):
    w = b = 0.0
    steps = 0
    while _sigmoid(w * 2.0 + b) < 0.95:
        error = _sigmoid(w * 2.0 + b) - 1.0
        w, b, steps = w - lr * error * 2.0, b - lr * error, steps + 1
    return steps


def line_height(w1, w2, b, x1):
    return -(w1 * x1 + b) / w2


def score_for(p):
    return math.log(p / (1.0 - p))


def threshold_for(cost_of_alarm, cost_of_miss):
    return cost_of_alarm / (cost_of_alarm + cost_of_miss)


def typical_probability(loss):
    return math.exp(-loss)


def best_constant(labels):
    return sum(labels) / len(labels)


def lowest_possible(targets):
    def term(q):
        return -q * math.log(q) if q > 0.0 else 0.0

    return sum(term(q) + term(1.0 - q) for q in targets) / len(targets)


def line_through(xs, ys):
    x, y = sum(xs) / len(xs), sum(ys) / len(ys)
    slope = sum((a - x) * (b - y) for a, b in zip(xs, ys)) / sum((a - x) ** 2 for a in xs)
    return y - slope * x, slope


def ridge_slope(xs, ys, l2):
    return sum(a * b for a, b in zip(xs, ys)) / (sum(a * a for a in xs) + len(xs) * l2)


def best_logit(share):
    return math.log(share / (1.0 - share))


def curves_down(f, a, b):
    return f((a + b) / 2) > (f(a) + f(b)) / 2


def longest_rate(curvature):
    return 2.0 / curvature


def smoothness(xs):
    return sum(x * x for x in xs) / (4 * len(xs))


def squared_slope(z, y):
    p = _sigmoid(z)
    return 2.0 * (p - y) * p * _sigmoid(-z)


def is_saddle(a, b, c):
    return a * c - b * b < 0.0


def count_valleys(heights):
    return sum(a > b < c for a, b, c in zip(heights, heights[1:], heights[2:]))


def steps_per_epoch(n, batch_size):
    return math.ceil(n / batch_size)


def noise(noise_of_one, batch_size):
    return noise_of_one / math.sqrt(batch_size)


def running_means(numbers):
    means, total = [], 0.0
    for count, number in enumerate(numbers, 1):
        total += number
        means.append(total / count)
    return means


def expected_loss(p, q):
    return -q * math.log(p) - (1.0 - q) * math.log(1.0 - p)


def reliability_gap(probabilities, labels):
    return abs(sum(probabilities) - sum(labels)) / len(labels)


def cooled(p, T):
    return _sigmoid(math.log(p / (1.0 - p)) / T)


def separates(w, b, X, y):
    scores = [sum(a * c for a, c in zip(w, x)) + b for x in X]
    return all(z > 0.0 if label else z < 0.0 for z, label in zip(scores, y))


def scaled_loss(w, b, X, y, c):
    scores = [c * (sum(a * v for a, v in zip(w, x)) + b) for x in X]
    return sum(math.log1p(math.exp(-z if t else z)) for z, t in zip(scores, y)) / len(y)


def bound_on_weights(l2):
    return math.sqrt(2.0 * math.log(2.0) / l2)


def slope_of_chain(links, x):
    slope = 1.0
    for f, slope_of_f in links:
        slope, x = slope * slope_of_f(x), f(x)
    return slope


def paths_to(made_of, node):
    if node not in made_of:
        return 1
    return sum(paths_to(made_of, source) for source, _ in made_of[node])


def backward(made_of, nodes):
    cotangents = dict.fromkeys(nodes, 0.0) | {nodes[-1]: 1.0}
    for node in reversed(nodes):
        for source, slope in made_of.get(node, []):
            cotangents[source] += slope * cotangents[node]
    return cotangents


def running_mean(numbers):
    mean = 0.0
    for count, number in enumerate(numbers, 1):
        mean += (number - mean) / count
    return mean


def reservoir(rows, k, rng):
    kept = []
    for i, row in enumerate(rows):
        if i < k:
            kept.append(row)
        elif rng.random() < k / (i + 1):
            kept[rng.randrange(k)] = row
    return kept


def rows_in_memory(table_rows, block, blocks):
    return min(table_rows, block * blocks)


def by_hand(w, b, x, y):
    z = w * x + b
    p = 1.0 / (1.0 + math.exp(-z))
    d_p = 2.0 * (p - y)
    d_z = d_p * p * (1.0 - p)
    return (p - y) ** 2, (d_z * x, d_z)


def lines_of(source):
    (function,) = ast.parse(source).body
    computing = ast.Assign, ast.AugAssign, ast.AnnAssign
    return sum(isinstance(line, computing) for line in function.body)


def bottom(f, x, steps):
    both = compile(grad(f), x, argnums=0)
    for _ in range(steps):
        slope, curvature = both(x)
        x -= slope / curvature
    return x


def merged(means, counts):
    return sum(m * n for m, n in zip(means, counts)) / sum(counts)


def shard_sizes(rows, workers):
    return [rows // workers + (k < rows % workers) for k in range(workers)]


def speedup(workers, part):
    return 1.0 / (1.0 - part + part / workers)


def momentum_step(w, velocity, g, lr, momentum):
    velocity = [momentum * v + d for v, d in zip(velocity, g)]
    return [x - lr * v for x, v in zip(w, velocity)], velocity


def best_rate(curvatures):
    return 2.0 / (min(curvatures) + max(curvatures))


def steps_of_descent(condition):
    factor = (condition - 1.0) / (condition + 1.0)  # what each step leaves of the distance
    return math.ceil(math.log(1000.0) / -math.log(factor))


def shifted_to_sigmoid(z):
    return z[1] - z[0]


def one_against_rest(rows):
    return [[p / sum(row) for p in row] for row in rows]


def softmax_slope(z, k):
    return [p - (j == k) for j, p in enumerate(softmax(z))]


def log_add(a, b):
    return max(a, b) + math.log1p(math.exp(-abs(a - b)))


def binary_loss(z, y):
    z = -z if y == 1 else z
    return max(z, 0.0) + math.log1p(math.exp(-abs(z)))


def log_odds(log_p):
    return log_p - math.log(-math.expm1(log_p))


def newton_step(w, g, h):
    return w - g / h


def odds_after(p, ratio):
    odds = p / (1.0 - p) * ratio
    return odds / (1.0 + odds)


def rows_needed(n, error, wanted):
    return n * (error / wanted) ** 2


def make_arctan():
    @elementwise(x=lambda g, out, x: g / (1.0 + x * x))
    def arctan(x):
        return math.atan(x)

    return arctan


def make_squared_distance():
    @elementwise(x=lambda g, out, x, y: g * 2 * (x - y), y=lambda g, out, x, y: g * 2 * (y - x))
    def squared_distance(x, y):
        return (x - y) ** 2

    return squared_distance


def make_leaky():
    @elementwise(x=lambda g, out, x: g * where(x > 0.0, 1.0, 0.1))
    def leaky(x):
        return x if x > 0.0 else x / 10.0

    return leaky
