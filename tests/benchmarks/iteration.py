"""What a backward pass through the elements of a Value costs, one element at a time.

    v[i]          sum(v[i] for i in range(n))
    for x in v    sum(x for x in v)
    M[i]          the same of the rows of a matrix with n rows, two columns

Each size is built once, then walked back several times. The slope is that of the straight line
through (log n, log seconds): 1 where the cost is linear, 2 where each element costs a gradient
of the whole Value.
"""

import gc
from math import log
from time import process_time

from tinygrad_lr import Value
from tinygrad_lr import sum as sum_of

SIZES = [1000, 2000, 4000, 8000, 16_000]


def by_index(n):
    """A Value with n elements, and the sum of them, each taken by its index."""
    v = Value([0.5] * n)
    return v, sum(v[i] for i in range(n))


def by_loop(n):
    """A Value with n elements, and the sum of them, taken by a loop."""
    v = Value([0.5] * n)
    return v, sum(x for x in v)


def by_row(n):
    """A matrix with n rows, and the sum of them, each taken by its index."""
    M = Value([[0.5, 1.5]] * n)
    return M, sum_of(sum(M[i] for i in range(n)))


WAYS = {"v[i]": by_index, "for x in v": by_loop, "M[i]": by_row}


def seconds(way, n):
    """The shortest of some backward passes."""
    v, total = WAYS[way](n)
    times, end = [], process_time() + 0.2
    while not times or (process_time() < end and len(times) < 20):
        v.zero_grad()
        gc.collect()
        start = process_time()
        total.backward()
        times.append(process_time() - start)
    if (v.grad - 1.0).tolist() != (v.data * 0.0).tolist():
        raise ValueError(f"the gradient of a sum is not 1: {way}, {n}")
    return min(times)


def measured(limit):
    """{way: {n: seconds}}; of each way no larger size once one has taken longer than the limit."""
    found = {}
    for way in WAYS:
        found[way] = times = {}
        for n in SIZES:
            times[n] = seconds(way, n)
            if times[n] > limit:
                break
    return found


def slope(times):
    """Of log seconds over log n, by least squares; None of a single size."""
    points = [(log(int(n)), log(taken)) for n, taken in times.items()]
    if len(points) < 2:
        return None
    x_mean = sum(x for x, _ in points) / len(points)
    y_mean = sum(y for _, y in points) / len(points)
    above = sum((x - x_mean) * (y - y_mean) for x, y in points)
    return above / sum((x - x_mean) ** 2 for x, _ in points)
