"""The same design where nothing is checked: nodes, rules, a walk, a step, and lists of floats.

What this takes longer than `hand` is the price of a graph: gradient and update are two lists
instead of one, and somebody has to remember how the loss was made. What tinygrad_lr takes
longer than this is the price of all that is left out here: shapes, broadcasting, plain numbers
as inputs, other optimizers, modes, second derivatives, and every question that ends in an error.
"""

from itertools import count
from math import exp, log1p

from .hand import sumprod

births = count().__next__


class Node:
    __slots__ = ("data", "grad", "rules", "inputs", "saved", "born")

    def __init__(self, data, rules=(), inputs=(), saved=None):
        self.data = data
        self.grad = None
        self.rules = rules
        self.inputs = inputs
        self.saved = saved
        self.born = births()


def backward(output):
    """Of a graph with a single operation, so the walk is one step long."""
    inputs = output.inputs
    numbers = [x.data if type(x) is Node else x for x in inputs]
    for x, rule in zip(inputs, output.rules):
        if type(x) is Node:
            share = rule(1.0, *numbers, output.saved)
            x.grad = share if x.grad is None else x.grad + share


def descend(parameters, rate):
    for p in parameters:
        if type(p.grad) is float:
            p.data = p.data - rate * p.grad
        else:
            p.data = [x - rate * d for x, d in zip(p.data, p.grad)]
        p.born = births()


def logistic_loss(rows, columns, w, b, signs):
    """As in `hand`, with the slope of each row kept for the rules."""
    weights, bias, share = w.data, b.data, 1.0 / len(rows)
    losses, slopes = [], []
    for row, sign in zip(rows, signs):
        margin = sign * (sumprod(row, weights) + bias)
        if margin < 40.0:
            e = exp(margin)
            losses.append(log1p(e))
            slopes.append(share * sign * e / (1.0 + e))
        else:
            losses.append(margin)
            slopes.append(share * sign)
    inputs = (rows, columns, w, b, signs)
    return Node(sum(losses) * share, (None, None, _owed_to_w, _owed_to_b, None), inputs, slopes)


def _owed_to_w(g, rows, columns, w, b, signs, slopes):
    if len(slopes) == 1:
        slope = g * slopes[0]
        return [slope * x for x in rows[0]]
    return [g * sumprod(column, slopes) for column in columns]


def _owed_to_b(g, rows, columns, w, b, signs, slopes):
    return g * sum(slopes)


def logistic(problem):
    rows, columns = problem.inputs, list(map(list, zip(*problem.inputs)))
    signs = [1.0 - 2.0 * y for y in problem.targets]
    w, b = Node(problem.weights), Node(problem.bias)
    parameters = [w, b]

    def step():
        for p in parameters:
            p.grad = None
        loss = logistic_loss(rows, columns, w, b, signs)
        backward(loss)
        descend(parameters, problem.rate)
        return loss.data

    return step, lambda: [*w.data, b.data]
