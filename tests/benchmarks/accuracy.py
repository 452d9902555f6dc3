"""How many of the last digits are right? Every function and its derivatives, against 50 digits.

    python tests/benchmarks/accuracy.py                         all of it, some minutes
    python tests/benchmarks/accuracy.py --count 1000 --only sigmoid,logsumexp
    python tests/benchmarks/accuracy.py --json errors.json --no-peers

An error is told in ulp, units in the last place: 0.5 is what rounding the exact result may
cost, and nobody does better; 1e15 says that no digit is right. Where the exact result is so
small that floats thin out (subnormal), an ulp is their distance there.

Each function is called on whole columns of inputs and differentiated in three ways: by a
backward pass ("first"), by the same rules read on a graph ("on graph"), and by differentiating
that graph ("second": all second derivatives, for several arguments). A loss is one for each
row; of a softmax the first class stands for all. What is exact is computed once for all
functions of the same inputs: a score, say, has one exponential behind all of its functions.

The targets (issue 8) are marked ✓ and ✗; the exit code is 1 if one is missed:

    sigmoid, softplus, log_sigmoid, and their first derivatives          at most 2.5 ulp
    logsumexp, log_softmax, cross-entropies of scores                    at most 4 ulp
    everything                                                           no NaN for a limit

It needs hypothesis, as the tests do; PyTorch and SciPy (with NumPy) are asked where installed.
"""

import argparse
import decimal
import json
import math
import sys
import time
import warnings
from collections import Counter
from decimal import Decimal
from itertools import combinations_with_replacement, product
from pathlib import Path
from random import Random
from typing import NamedTuple

HERE = Path(__file__).resolve()
sys.path[:0] = [str(HERE.parents[2]), str(HERE.parents[1])]  # this library, and the oracles

from oracles import (  # noqa: E402
    CORNERS, exact_exp, exact_expm1, exact_log1p, exact_sin_cos, ulps,
)  # fmt: skip

import tinygrad_lr as tg  # noqa: E402
from tinygrad_lr import Array, Value, grad  # noqa: E402

KINDS = ["ordinary", "wide", "log-uniform", "special"]
ORDERS = ["value", "first", "on graph", "second"]
CLOSE, LOSS = 2.5, 4.0  # ulp
TARGETS = {
    **{(name, order): CLOSE
       for name in ("sigmoid", "softplus", "log_sigmoid") for order in ORDERS[:3]},
    **{(name, "value"): LOSS
       for name in ("logsumexp", "log_softmax", "binary_cross_entropy_with_logits",
                    "cross_entropy", "cross_entropy, soft")},
}  # fmt: skip
NAN = Decimal("nan")
CONTEXT = decimal.Context(prec=50, Emax=decimal.MAX_EMAX, Emin=decimal.MIN_EMIN, traps=[])


# ---- what is exact: value, first and second derivatives by name, of one input ------------------


def of_a_score(x):
    """All functions of one real number; e = exp(-|x|) is behind them all."""
    size = abs(Decimal(x))
    e, less = exact_exp(-size), exact_expm1(-size)  # less = e - 1
    small, large = e / (1 + e), 1 / (1 + e)
    p, q = (large, small) if x > 0 else (small, large)
    density, rest = small * large, exact_log1p(e)
    half = (-less if x > 0 else less) / (1 + e)  # tanh(x / 2) = p - q
    twice = exact_expm1(-2 * size)
    tanh = (-twice if x > 0 else twice) / (2 + twice)
    slope = 4 * e * e / (2 + twice) ** 2
    power, power_less_1 = (1 / e, -less / e) if x > 0 else (e, less)
    x = Decimal(x)
    return {
        "exp": (power, [power], [power]),
        "expm1": (power_less_1, [power], [power]),
        "tanh": (tanh, [slope], [-2 * tanh * slope]),
        "sigmoid": (p, [density], [-density * half]),
        "log_sigmoid": (min(x, 0) - rest, [q], [-density]),
        "softplus": (max(x, 0) + rest, [p], [density]),
        "logistic_density": (density, [-density * half], [density * (1 - 6 * density)]),
    }


def of_an_angle(x):
    sine, cosine = exact_sin_cos(x) if math.isfinite(x) else (NAN, NAN)
    return {"sin": (sine, [cosine], [-sine]), "cos": (cosine, [-sine], [-cosine])}


def of_a_positive(x):
    x = Decimal(x)
    root = x.sqrt()
    return {
        "log": (x.ln(), [1 / x], [-1 / (x * x)]),
        "sqrt": (root, [1 / (2 * root)], [-1 / (4 * x * root)]),
    }


def of_one_more(x):
    x = Decimal(x)
    more = 1 + x
    return {"log1p": (exact_log1p(x), [1 / more], [-1 / (more * more)])}


def of_a_quotient(x, y):
    x, y = Decimal(x), Decimal(y)
    q = x / y
    return {"divide": (q, [1 / y, -q / y], [Decimal(0), -1 / (y * y), 2 * q / (y * y)])}


def of_a_power(x, y):
    x, y = Decimal(x), Decimal(y)
    log = x.ln()
    z = (y * log).exp()
    crossed = z / x * (1 + y * log)
    return {"power": (z, [y * z / x, z * log], [y * (y - 1) * z / (x * x), crossed, z * log * log])}


def of_a_weight(x, y):
    """x log y and x log(1 + y): 0 where x is 0, whatever y."""
    found = {}
    for name, log, inner in [
        ("xlogy", Decimal(y).ln, Decimal(y)),
        ("xlog1py", lambda: exact_log1p(Decimal(y)), 1 + Decimal(y)),
    ]:
        if inner >= 0:
            weight = Decimal(x)
            share = weight / inner if weight else Decimal(0)
            value = weight * log() if weight else Decimal(0)
            bend = -share / inner if weight else Decimal(0)
            found[name] = value, [log(), share], [Decimal(0), 1 / inner, bend]
    return found


def of_a_row(*zs):
    """logsumexp, and the first entry of softmax and log_softmax."""
    largest, rest, p, q, bends = probabilities(zs)
    moves = [q[0], *[-v for v in p[1:]]]  # how log p0 moves
    first_log = largest_less(zs[0], largest) - rest
    return {
        "logsumexp": (largest + rest, p, bends),
        "softmax": (
            p[0],
            [p[0] * v for v in moves],
            [p[0] * (moves[i] * moves[j] - b) for (i, j), b in zip(upper(len(zs)), bends)],
        ),
        "log_softmax": (first_log, moves, [-b for b in bends]),
    }


def of_a_labelled_row(*args):
    *zs, label = args
    label = int(label)
    largest, rest, p, q, bends = probabilities(zs)
    loss = rest - largest_less(zs[label], largest)
    slopes = [-q[k] if k == label else v for k, v in enumerate(p)]
    return {"cross_entropy": (loss, slopes, bends)}


def of_a_softly_labelled_row(*args):
    zs, targets = args[: len(args) // 2], list(map(Decimal, args[len(args) // 2 :]))
    largest, rest, p, q, bends = probabilities(zs)
    total = sum(targets)
    costs = [t * (rest - largest_less(z, largest)) for z, t in zip(zs, targets) if t]
    slopes = [(total - t) * v - t * w for v, w, t in zip(p, q, targets)]  # total * v - t
    return {"cross_entropy, soft": (sum(costs, Decimal(0)), slopes, [total * b for b in bends])}


def probabilities(zs):
    """The largest score, the log of the sum of exp(z - largest), p = softmax, 1 - p, dp_i/dz_j."""
    largest, top = Decimal(max(zs)), zs.index(max(zs))
    e = [exact_exp(largest_less(z, largest)) for z in zs]
    others = [sum(e[:i] + e[i + 1 :]) for i in range(len(zs))]
    p, q = ([v / sum(e) for v in vs] for vs in (e, others))
    bends = [p[i] * (q[i] if i == j else -p[j]) for i, j in upper(len(zs))]
    return largest, exact_log1p(others[top]), p, q, bends


def largest_less(z, largest):
    """z - largest, where one infinite score is 0 below itself."""
    return Decimal(0) if Decimal(z) == largest else Decimal(z) - largest


def of_a_labelled_score(z, y):
    """Binary cross-entropy: softplus(z) - y z, whose slope is p - y."""
    sign = 1
    if z > 0:  # the label turned round, and the score: so nothing cancels
        z, y, sign = -z, 1 - Decimal(y), -1
    y = Decimal(y)
    found = of_a_score(z)
    cost = -y * Decimal(z) if y else Decimal(0)
    p, q = found["sigmoid"][0], found["log_sigmoid"][1][0]
    slope = (1 - y) * p - y * q
    name = "binary_cross_entropy_with_logits"
    return {name: (found["softplus"][0] + cost, [sign * slope], found["softplus"][2])}


def of_a_labelled_probability(p, y):
    """-(y log p + (1 - y) log(1 - p))."""
    p, y = Decimal(p), Decimal(y)
    loss = slope = bend = Decimal(0)
    if y:
        loss, slope, bend = -y * p.ln(), -y / p, y / (p * p)
    if y != 1:
        rest, other = 1 - p, 1 - y
        loss -= other * exact_log1p(-p)
        slope += other / rest
        bend += other / (rest * rest)
    return {"binary_cross_entropy": (loss, [slope], [bend])}


def upper(n):
    """Which second derivatives there are: (0, 0), (0, 1), ... (1, 1), ..."""
    return list(combinations_with_replacement(range(n), 2))


# ---- inputs: one of a kind ---------------------------------------------------------------------


def sign(random):
    return random.choice((-1.0, 1.0))


def corner(random):
    """A hard place, or a neighbour of one."""
    x = random.choice(CORNERS)
    return x + random.randint(-2, 2) * math.ulp(x) if math.isfinite(x) else x


def score(kind, random):
    if kind == "ordinary":
        return random.gauss(0.0, 3.0)
    if kind == "wide":
        return random.uniform(-750.0, 750.0)
    return corner(random) if kind == "special" else sign(random) * 10 ** random.uniform(-20, 4)


def angle(kind, random):
    if kind == "log-uniform":
        return sign(random) * 10 ** random.uniform(-300, 308)
    if kind == "special" and random.random() < 0.5:  # next to a zero of one of them
        return random.randint(-1000, 1000) * math.pi / 2
    return score(kind, random)


def positive(kind, random):
    if kind == "log-uniform":
        return 10 ** random.uniform(-320, 308)
    if kind == "wide":
        return random.uniform(0.0, 1e6)
    return abs(score(kind, random))


def above_minus_one(kind, random):
    if kind == "ordinary":
        return random.uniform(-1.0, 3.0)
    if kind == "special" and random.random() < 0.5:
        return -1.0 + random.randint(0, 9) * 2.0**-53
    x = positive(kind, random)
    return -x if x < 1.0 and random.random() < 0.5 else x


def chance(kind, random):
    """A probability."""
    if kind == "log-uniform":
        return 10 ** random.uniform(-320, 0)
    if kind == "special":
        return random.choice([0.0, 5e-324, 1e-300, 1e-17, 0.5, 1.0 - 2.0**-53, 1.0])
    p = random.random()
    return p**9 if kind == "wide" else p


def label(random):
    """0 or 1, or now and then something between."""
    return random.choice([0.0, 1.0, 0.0, 1.0, random.random()])


def base_and_exponent(kind, random):
    if kind == "ordinary":
        return random.uniform(0.1, 5.0), random.gauss(0.0, 3.0)
    if kind == "wide":
        return 10 ** random.uniform(-100, 100), random.uniform(-3.0, 3.0)
    if kind == "log-uniform":
        return 10 ** random.uniform(-300, 300), sign(random) * 10 ** random.uniform(-10, 0)
    base = random.choice([1e-300, 0.5, 1.0 - 2.0**-53, 1.0, 1.0 + 2.0**-52, 2.0, 10.0, 1e300])
    return base, random.choice([-2.0, -1.0, -0.5, 0.0, 0.5, 1.0, 2.0, 3.0, 100.0])


def row(kind, random):
    if kind == "ordinary":
        return tuple(random.gauss(0.0, 2.0) for _ in range(3))
    if kind == "special":
        if random.random() < 0.5:  # logarithms of probabilities: their logsumexp is nearly 0
            return tuple(tg.log_softmax([random.gauss(0.0, 3.0) for _ in range(3)]))
        hard = [0.0, -1e-300, -690.7755278982137, 37.0, -745.0, 710.0, 1e-17, 1e300, -math.inf]
        return (*random.sample(hard[:-1], 2), random.choice([*hard, math.inf]))
    return tuple(score(kind, random) for _ in range(3))


def distribution(random):
    weights = random.choice([[1.0, 0.0, 0.0], [0.2, 0.3, 0.5], [random.random() for _ in "abc"]])
    return tuple(w / sum(weights) for w in weights)


class Group(NamedTuple):
    """Functions of the same inputs."""

    draw: object  # kind, random -> one input, a tuple
    exact: object  # the numbers of an input -> {name: (value, firsts, seconds)}
    functions: dict  # by name: columns -> a column
    differentiated: int = 1  # how many of the columns


def in_row(f, *more):
    """f of a matrix, as a function of its columns."""
    return lambda *columns: f(tg.stack(columns[:3], axis=-1), *columns[3:], *more)


def labelled_softly(*columns):
    rows, targets = tg.stack(columns[:3], axis=-1), tg.stack(columns[3:], axis=-1)
    return tg.cross_entropy(rows, targets, "none")


def functions(names):
    return {name: getattr(tg, name) for name in names.split()}


GROUPS = [
    Group(
        lambda *a: (score(*a),),
        of_a_score,
        functions("exp expm1 tanh sigmoid log_sigmoid softplus logistic_density"),
    ),
    Group(lambda *a: (angle(*a),), of_an_angle, functions("sin cos")),
    Group(lambda *a: (positive(*a),), of_a_positive, functions("log sqrt")),
    Group(lambda *a: (above_minus_one(*a),), of_one_more, functions("log1p")),
    Group(lambda *a: (score(*a), positive(*a)), of_a_weight, functions("xlogy xlog1py"), 2),
    Group(base_and_exponent, of_a_power, {"power": lambda x, y: x**y}, 2),
    Group(
        lambda kind, random: (score(kind, random), sign(random) * positive(kind, random)),
        of_a_quotient,
        {"divide": lambda x, y: x / y},
        2,
    ),
    Group(
        row,
        of_a_row,
        {
            "logsumexp": in_row(lambda x: tg.logsumexp(x, axis=-1)),
            "softmax": in_row(lambda x: tg.softmax(x)[:, 0]),
            "log_softmax": in_row(lambda x: tg.log_softmax(x)[:, 0]),
        },
        3,
    ),
    Group(
        lambda kind, random: (score(kind, random), label(random)),
        of_a_labelled_score,
        {
            "binary_cross_entropy_with_logits": lambda z, y: tg.binary_cross_entropy_with_logits(
                z, y, "none"
            )
        },
    ),
    Group(
        lambda kind, random: (*row(kind, random), float(random.randrange(3))),
        of_a_labelled_row,
        {"cross_entropy": in_row(tg.cross_entropy, "none")},
        3,
    ),
    Group(
        lambda kind, random: (*row(kind, random), *distribution(random)),
        of_a_softly_labelled_row,
        {"cross_entropy, soft": labelled_softly},
        3,
    ),
    Group(
        lambda kind, random: (chance(kind, random), label(random)),
        of_a_labelled_probability,
        {"binary_cross_entropy": lambda p, y: tg.binary_cross_entropy(p, y, "none")},
    ),
]


# ---- who is asked: columns in, columns out by order ----------------------------------------------


def by_engine(f, columns, count):
    """What tinygrad_lr finds; the first `count` columns are differentiated."""
    places = tuple(range(count))
    xs = [Array(column) for column in columns]
    total = lambda *xs: tg.sum(f(*xs))
    leaves = [Value(x) if i < count else x for i, x in enumerate(xs)]
    y = f(*leaves)
    tg.sum(y).backward()
    on_graph = grad(total, places)(*[Value(x) if i < count else x for i, x in enumerate(xs)])
    second = []
    for i in places:
        slope = grad(lambda *xs, i=i: tg.sum(grad(total, i)(*xs)), places[i:])(*xs)
        second += [g.flat for g in slope]
    return {
        "value": [y.data.flat],
        "first": [leaf.grad.flat for leaf in leaves[:count]],
        "on graph": [g.data.flat for g in on_graph],
        "second": second,
    }


def by_torch(f, columns, count):
    """What PyTorch's autograd finds, in double precision."""
    import torch

    xs = [torch.tensor(c, dtype=torch.float64, requires_grad=i < count)
          for i, c in enumerate(columns)]  # fmt: skip
    slopes_of = lambda y, xs: torch.autograd.grad(
        y.sum(), xs, create_graph=True, allow_unused=True, materialize_grads=True
    )
    y = f(*xs)
    first = slopes_of(y, xs[:count])
    second = [g for i, s in enumerate(first) for g in
              (slopes_of(s, xs[i:count]) if s.requires_grad else
               [torch.zeros_like(s)] * (count - i))]  # fmt: skip
    lists = lambda ts: [t.detach().tolist() for t in ts]
    return {"value": lists([y]), "first": lists(first), "second": lists(second)}


def by_scipy(f, columns, count):
    import numpy

    with numpy.errstate(all="ignore"):
        return {"value": [f(*map(numpy.array, columns)).tolist()]}


def peers():
    """{library: (how to ask it, its functions by name)} of those that are installed."""
    found = {}
    try:
        import torch
        from torch.nn import functional
    except ImportError:
        pass
    else:
        rows = lambda *columns: torch.stack(columns, dim=-1)
        found["PyTorch"] = by_torch, {
            **{name: getattr(torch, name)
               for name in "exp expm1 tanh sigmoid sin cos log sqrt log1p xlogy".split()},
            "softplus": functional.softplus,
            "log_sigmoid": functional.logsigmoid,
            "xlog1py": torch.special.xlog1py,
            "power": torch.pow,
            "divide": torch.div,
            "logsumexp": lambda *z: torch.logsumexp(rows(*z), dim=-1),
            "softmax": lambda *z: torch.softmax(rows(*z), dim=-1)[:, 0],
            "log_softmax": lambda *z: torch.log_softmax(rows(*z), dim=-1)[:, 0],
            "binary_cross_entropy_with_logits": lambda z, y: (
                functional.binary_cross_entropy_with_logits(z, y, reduction="none")
            ),
            "cross_entropy": lambda *z: (
                functional.cross_entropy(rows(*z[:3]), z[3].long(), reduction="none")
            ),
            "cross_entropy, soft": lambda *z: (
                functional.cross_entropy(rows(*z[:3]), rows(*z[3:]), reduction="none")
            ),
            "binary_cross_entropy": lambda p, y: (
                functional.binary_cross_entropy(p, y, reduction="none")
            ),
        }  # fmt: skip
    try:
        import numpy
        from scipy import special
    except ImportError:
        pass
    else:
        matrix = lambda *columns: numpy.stack(columns, axis=-1)
        found["SciPy"] = by_scipy, {
            **{name: getattr(numpy, name)
               for name in "exp expm1 tanh sin cos log sqrt log1p power divide".split()},
            "sigmoid": special.expit,
            "log_sigmoid": special.log_expit,
            "softplus": lambda x: numpy.logaddexp(0.0, x),
            "xlogy": special.xlogy,
            "xlog1py": special.xlog1py,
            "logsumexp": lambda *z: special.logsumexp(matrix(*z), axis=-1),
            "softmax": lambda *z: special.softmax(matrix(*z), axis=-1)[:, 0],
            "log_softmax": lambda *z: special.log_softmax(matrix(*z), axis=-1)[:, 0],
        }  # fmt: skip
    return found


# ---- measuring -----------------------------------------------------------------------------------


class Errors:
    """The errors of one function, derivative and kind of input."""

    def __init__(self):
        self.worst, self.at, self.total, self.count, self.nans = 0.0, None, 0.0, 0, 0

    def add(self, found, exact, at):
        if exact.is_nan():  # there is nothing to be found
            return
        error = ulps(found, exact) if found == found else math.nan
        if error != error:
            self.nans += 1
            if self.nans == 1:
                self.at_nan = at
            return
        self.count += 1
        self.total += error
        if error > self.worst or self.at is None:
            self.worst, self.at = error, at

    def told(self):
        told = {"worst": self.worst, "at": self.at, "mean": self.total / max(self.count, 1)}
        return {**told, "count": self.count, "nans": self.nans,
                **({"nan at": self.at_nan} if self.nans else {})}  # fmt: skip


def measure(names, count, asked):
    """Errors by library, function, order and kind. `asked`: libraries, as from `peers`."""
    results = {}
    for group, kind in product(GROUPS, KINDS):
        wanted = [name for name in group.functions if name in names]
        if not wanted:
            continue
        random = Random(f"{kind} {' '.join(group.functions)}")
        inputs = [group.draw(kind, random) for _ in range(count)]
        exact = [group.exact(*numbers) for numbers in inputs]
        for name in wanted:
            known = [(numbers, of[name]) for numbers, of in zip(inputs, exact) if name in of]
            columns = list(zip(*[numbers for numbers, _ in known]))
            for library, (ask, by_name) in {"": (by_engine, group.functions), **asked}.items():
                if name not in by_name:
                    continue
                progress(f"{library or 'tinygrad_lr'}: {name}, {kind} inputs")
                found = ask(by_name[name], columns, group.differentiated)
                for order, lists in found.items():
                    errors = compared(known, order, lists).told()
                    of_name = results.setdefault(library, {}).setdefault(name, {})
                    of_name.setdefault(order, {})[kind] = errors
    progress("")
    return results


def compared(known, order, lists):
    errors = Errors()
    place = {"value": 0, "second": 2}.get(order, 1)
    for i, (numbers, exact) in enumerate(known):
        true = [exact[0]] if place == 0 else exact[place]
        for column, t in zip(lists, true, strict=True):
            errors.add(column[i], t, numbers)
    return errors


def progress(text):
    if sys.stderr.isatty():
        print(f"\r\033[K{text}", end="", file=sys.stderr, flush=True)


# ---- the table -----------------------------------------------------------------------------------


def over_kinds(by_kind):
    """Worst and mean error over all kinds of input, how often NaN was found, and the kind."""
    worst = max(by_kind, key=lambda kind: by_kind[kind]["worst"])
    count = sum(e["count"] for e in by_kind.values())
    mean = sum(e["mean"] * e["count"] for e in by_kind.values()) / max(count, 1)
    return by_kind[worst]["worst"], mean, sum(e["nans"] for e in by_kind.values()), worst


def missed(results):
    """What was wanted and is not so: (name, order, why)."""
    found = []
    for name, orders in results[""].items():
        for order, by_kind in orders.items():
            worst, _, nans, kind = over_kinds(by_kind)
            most = TARGETS.get((name, order), math.inf)
            if worst > most:
                at = by_kind[kind]["at"]
                found.append((name, order, f"{brief(worst)} ulp, wanted {most} ({kind}: {at})"))
            if nans:
                at = next(e["nan at"] for e in by_kind.values() if e["nans"])
                found.append((name, order, f"{nans} times NaN where there is a limit: {at}"))
    return found


def show(results):
    print("Worst and mean error of tinygrad_lr in ulp; ✓ target met, ✗ missed\n")
    print(f"{'':33}" + "".join(f"{order:>17}" for order in ORDERS).rstrip())
    not_met = Counter((name, order) for name, order, _ in missed(results))
    for name, orders in results[""].items():
        cells = []
        for order in ORDERS:
            worst, mean, nans, _ = over_kinds(orders[order])
            wanted = (name, order) in TARGETS
            mark = "✗" if not_met[name, order] else "✓" if wanted else " "
            cells.append(f"{'NaN ' if nans else ''}{brief(worst)} {brief(mean):>5}{mark}")
        print(f"{name:33}" + "".join(f"{cell:>17}" for cell in cells).rstrip())
    libraries = [library for library in results if library]
    if libraries:
        print("\nWorst errors side by side\n")
    for order in ORDERS if libraries else []:
        rows = [name for name in results[""]
                if any(order in results[peer].get(name, {}) for peer in libraries)]  # fmt: skip
        if rows:
            heads = ["tinygrad_lr", *libraries]
            print(f"{order:33}" + "".join(f"{head:>13}" for head in heads))
        for name in rows:
            cells = []
            for library in ["", *libraries]:
                by_kind = results[library].get(name, {}).get(order)
                worst, _, nans, _ = over_kinds(by_kind) if by_kind else (0, 0, 0, "")
                cells.append(f"{'NaN ' if nans else ''}{brief(worst)}" if by_kind else "-")
            print(f"{name:33}" + "".join(f"{cell:>13}" for cell in cells))
    for name, order, why in missed(results):
        print(f"\n✗ {name}, {order}: {why}")
    count = len(missed(results))
    print(f"\nTargets: {count} missed." if count else "\nAll targets are met.")


def brief(number):
    """Hundredths, or the size alone: 1e15."""
    if number < 99.995:
        return f"{number:.2f}"
    return f"{number:.0e}".replace("e+", "e").replace("e0", "e")


def main():
    every = [name for group in GROUPS for name in group.functions]
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--count", type=int, default=20_000, help="inputs of each kind")
    parser.add_argument("--only", default="", help="functions, with commas: " + " ".join(every))
    parser.add_argument("--no-peers", action="store_true", help="ask tinygrad_lr alone")
    parser.add_argument("--json", type=Path, help="write all numbers, by kind of input")
    options = parser.parse_args()
    names = [n for n in every if not options.only or n.split(",")[0] in options.only.split(",")]
    began = time.perf_counter()
    with decimal.localcontext(CONTEXT), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of peers, about their own numbers
        results = measure(names, options.count, {} if options.no_peers else peers())
    show(results)
    print(f"{options.count:,} inputs of each kind, {time.perf_counter() - began:.0f} s.")
    if options.json:
        options.json.write_text(json.dumps(results, indent=1) + "\n")
    return 1 if missed(results) else 0


if __name__ == "__main__":
    sys.exit(main())
