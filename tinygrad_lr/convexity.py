"""The loss of logistic regression is a bowl: what follows from its shape, and what does not.

For scores Xw and labels y, 0 or 1, the mean binary cross-entropy has

    gradient   g = X'(p - y) / n              p = sigmoid(Xw)
    Hessian    H = X' S X / n                 S = diag(p (1 - p)), entries between 0 and 1/4

and v'Hv is the mean of p (1 - p) (x.v)^2, which is never negative. So the loss is convex: there is
only one valley, and going downhill leads to it. Four questions remain:

    Does a loss curve upwards everywhere?  is_positive_semidefinite(H)
    How strongly does it curve at most?    largest_eigenvalue(H) <= smoothness_constant(X)
    So how long may a step be?             safe_learning_rate(X)
    Does the bowl have a bottom?           not is_linearly_separable(X, y, strict=False)

>>> X = [[-2.0], [-1.0], [1.0], [2.0]]
>>> smoothness_constant(X), safe_learning_rate(X)     # (4 + 1 + 1 + 4) / (4 * 4)
(0.625, 1.6)
>>> is_linearly_separable(X, [0, 1, 0, 1]), is_linearly_separable(X, [0, 0, 1, 1])
(False, True)

For the second labels there is no best w: twice as large is always better, and training never ends.
This module does not minimise or differentiate anything: see `optim` and `calculus`.
"""

import math
from fractions import Fraction
from itertools import count
from operator import mul
from typing import Any

from .core.array import Array, from_flat, matmul
from .core.lift import data_of
from .core.typed import ArrayLike
from .losses.checks import check_zero_one

__all__ = [
    "is_linearly_separable", "is_positive_semidefinite", "largest_eigenvalue",
    "safe_learning_rate", "smoothness_constant",
]  # fmt: skip

Rows = list[list[float]]


# ---- does it curve upwards? --------------------------------------------------------------


def is_positive_semidefinite(matrix: ArrayLike, tolerance: float = 1e-10) -> bool:
    """Whether x'Mx >= 0 for every x: no direction curves downwards.

    Complete the square, one variable after the other. With p = M[k][k] > 0

        x'Mx = p (x_k + sum over j of M[k][j] x_j / p)^2 + x'Rx,   R = M - M[:,k] M[k,:] / p

    where R does not contain x_k: M is positive semidefinite if and only if R is. The largest p
    comes first (LDL', Cholesky without roots, with pivoting). When no p above zero is left, all
    other entries must be zero: next to a zero on the diagonal an entry m adds 2 m x_i x_j, which
    takes both signs. So singular matrices need no special treatment.

    `matrix`: symmetric (d, d), or a single number. Numbers up to `tolerance` times the largest
    diagonal entry count as rounding. d^3 / 3 multiplications. Raises ValueError for a matrix that
    is not square, not symmetric or not finite. Higham, Accuracy and Stability of Numerical
    Algorithms, chapter 10.

    >>> is_positive_semidefinite([[1, 1], [1, 1]]), is_positive_semidefinite([[1, 2], [2, 1]])
    (True, False)
    """
    rows = _symmetric("is_positive_semidefinite", matrix)
    noise = tolerance * max(abs(row[k]) for k, row in enumerate(rows))
    while rows:
        k = max(range(len(rows)), key=lambda i: rows[i][i])
        p = rows[k][k]
        if p <= noise:
            return all(abs(m) <= noise for row in rows for m in row)
        if max(map(abs, rows[k])) > p + noise:
            return False  # for x = (1, -1) or (1, 1) in these two places x'Mx <= 2 p - 2 |m|
        others = [i for i in range(len(rows)) if i != k]
        rows = [[rows[i][j] - rows[i][k] / p * rows[k][j] for j in others] for i in others]
    return True


# ---- how strongly? -----------------------------------------------------------------------


def largest_eigenvalue(matrix: ArrayLike, tolerance: float = 1e-10, max_steps: int = 1000) -> float:
    """The strongest curvature: the maximum of x'Mx over all x of length 1.

    Power iteration: M M ... M v turns towards the eigenvector of the largest eigenvalue. For v of
    length 1 the Rayleigh quotient q = v'Mv never exceeds that eigenvalue, and within |Mv - qv| of
    q there is *some* eigenvalue. It may be the wrong one: if the start is orthogonal to the right
    eigenvector, the iteration ends at another one, with a small residual. (A start of ones is
    orthogonal to that of [[1, -1], [-1, 1]]; a start without a pattern makes this unlikely, not
    impossible.) So the result is tested: c is an upper bound if and only if c I - M is positive
    semidefinite. If q + residual is not a bound, or is still far above q after `max_steps` (two
    eigenvalues are close), bisection closes the bracket between q and Gershgorin's bound, the
    largest sum of the sizes in a row. This also solves the case of a negative eigenvalue of larger
    size, to which the iteration turns: the result is the largest, not the largest in size.

    `matrix`: symmetric (d, d), or a single number. The result is the upper end of a bracket that
    is no wider than `tolerance` times the largest sum of the sizes in a row; by rounding it may be
    below the truth, by at most as much. Raises ValueError as `is_positive_semidefinite` does.
    Golub and Van Loan, Matrix Computations, 7.3 and 8.2.

    >>> largest_eigenvalue([[2, 0], [0, 5]]), largest_eigenvalue([[-3, 0], [0, -1]])
    (5.0, -1.0)
    """
    rows = _symmetric("largest_eigenvalue", matrix)
    diagonal = [row[k] for k, row in enumerate(rows)]
    sizes = [math.fsum(map(abs, row)) for row in rows]
    narrow = tolerance * max(sizes)
    lower = max(diagonal)  # the best Rayleigh quotient of an axis
    upper = max(m + size - abs(m) for m, size in zip(diagonal, sizes))
    quotient, residual = _power_iteration(rows, narrow, max_steps)
    lower = max(lower, quotient)
    guess = min(lower + residual, upper)
    while upper - lower > narrow:
        rest = [[guess * (i == j) - m for j, m in enumerate(row)] for i, row in enumerate(rows)]
        if is_positive_semidefinite(rest, tolerance / len(rows)):
            upper = guess
        else:
            lower = guess
        guess = (lower + upper) / 2
        if not lower < guess < upper:
            break  # no float is in between
    return upper


def _power_iteration(rows: Rows, small: float, max_steps: int) -> tuple[float, float]:
    """q and |Mv - qv|, once that is small or the steps are used up."""
    golden = (1.0 + math.sqrt(5.0)) / 2.0
    v = [1.0 + (k * golden) % 1.0 for k in range(len(rows))]
    quotient, residual = -math.inf, math.inf
    for _ in range(max_steps):
        length = math.hypot(*v)
        if length == 0.0:
            break  # M v = 0
        v = [x / length for x in v]
        image = [sum(map(mul, row, v)) for row in rows]
        quotient = math.fsum(map(mul, v, image))
        residual = math.hypot(*(y - quotient * x for x, y in zip(v, image)))
        if residual <= small:
            break
        v = image
    return quotient, residual


# ---- how long may a step be? -------------------------------------------------------------


def smoothness_constant(X: ArrayLike, *, l2: float = 0.0, intercept: bool = False) -> float:
    """L: the gradient of the mean binary cross-entropy of scores Xw changes at most L |dw|.

        L = largest eigenvalue of X'X / (4 n), + l2

    v'Hv is the mean of p (1 - p) (x.v)^2, and p (1 - p) <= 1/4, with equality at w = 0: no smaller
    number holds for all w. `l2` adds l2/2 |w|^2 to the loss, and l2 I to H. `intercept` appends a
    column of ones, which has the same effect as a bias (a bias without penalty curves less, so L
    still holds). For softmax regression take 2 L with l2 = 0 (Boehning 1992: the curvature of its
    loss is at most 1/2 a row).

    X: (n, d). Raises ValueError for other shapes, no rows, NaN or infinity, l2 < 0.

    >>> X = [[3.0], [3.0]]
    >>> smoothness_constant(X), round(smoothness_constant(X, intercept=True), 9)
    (2.25, 2.5)
    """
    return _smoothness("smoothness_constant", X, l2, intercept)


def safe_learning_rate(X: ArrayLike, *, l2: float = 0.0, intercept: bool = False) -> float:
    """1/L: gradient descent with this rate lowers the loss at every step, from any start.

    The curvature is at most L, so along a step dw the loss f stays under a parabola:

        f(w + dw) <= f(w) + g.dw + L/2 |dw|^2             (the descent lemma)

    For dw = -r g the right side is f(w) - r (1 - r L / 2) |g|^2. The loss decreases for
    0 < r < 2/L, most for r = 1/L: by at least |g|^2 / (2 L). With a rate above 2/L each step can
    lead further away, and does near a minimum whose curvature is L. Far from w = 0 the curvature
    is smaller, and a line search takes longer steps.

    Arguments and errors as for `smoothness_constant`; also ValueError for L = 0. Nesterov,
    Introductory Lectures on Convex Optimization, 1.2.3.
    """
    name = "safe_learning_rate"
    smoothness = _smoothness(name, X, l2, intercept)
    if smoothness == 0.0:
        raise ValueError(
            f"{name}: X is all zeros, so the loss does not depend on the weights and any rate "
            "will do; with a bias use intercept=True"
        )
    return 1.0 / smoothness


def _smoothness(name: str, X: ArrayLike, l2: float, intercept: bool) -> float:
    if not 0.0 <= l2 < math.inf:
        raise ValueError(f"{name}: l2 is {l2!r}; it is a finite number, 0 or more")
    x = _features(name, X)
    if intercept:
        x = Array([[*row, 1.0] for row in x.rows])
    n, d = x.shape
    gram = matmul(x.T, x) if d <= n else matmul(x, x.T)  # the same eigenvalues, but for zeros
    return largest_eigenvalue(gram) / (4.0 * n) + l2


# ---- does it have a bottom? --------------------------------------------------------------


def is_linearly_separable(X: ArrayLike, y: ArrayLike, *, strict: bool = True) -> bool:
    """Whether a hyperplane (with an intercept) has the two classes on different sides.

    Let a = [x, 1] for rows of class 1 and a = -[x, 1] for class 0. Then the loss of a row is
    log(1 + exp(-a.w)), and a.w > 0 says that w has the row on its right side.

        strict=True    complete separation: some w has a.w > 0 for every row
        strict=False   complete or quasi-complete: some w has a.w >= 0 for every row, and
                       a.w > 0 for at least one (rows of both classes may touch the plane)

    **With strict=False the answer says whether training can end.** If True, then along that w the
    loss of no row rises and that of one falls for ever: there is no finite minimum, and the weights
    grow without end; add L2. If False, a minimum exists (Albert and Anderson 1984), and it is
    unique unless the columns of X and a column of ones are linearly dependent.

    The proof that there is no such w are weights u, one a row, under which the classes balance.
    Exactly one of each pair exists:

        some w with all a.w > 0            or  u >= 0, not all 0, with sum of u a = 0  (Gordan)
        some w with all a.w >= 0, one > 0  or  u > 0, every one, with sum of u a = 0   (Stiemke)

    If both existed, then 0 = (sum of u a).w = sum of u (a.w) > 0. In a picture, u >= 0 is a point
    that the convex hulls of the two classes share; u > 0 is a point inside both.

    A linear program finds out which one exists. The simplex method solves it in floats, then goes
    on from there in fractions until its proof holds exactly, which nearly always is at once. So it
    ends, and its answer is right for the floats given (0.3 and 0.1 + 0.2 do not touch). Konis
    (2007) has the same program for strict=False. It takes about a second for the 569 rows and 30
    features of the breast cancer data (which are separable: without L2 their training never ends).

    X: (n, d), y: (n,) labels 0 and 1; one class alone is separable. Raises ValueError for
    other shapes and labels, no rows, NaN or infinity.

    >>> X = [[0.0], [1.0], [1.0], [2.0]]
    >>> is_linearly_separable(X, [0, 0, 1, 1])                  # both classes have 1.0
    False
    >>> is_linearly_separable(X, [0, 0, 1, 1], strict=False)    # but do not overlap
    True
    """
    return _separates(_signed_points("is_linearly_separable", X, y), strict)


def _signed_points(name: str, X: ArrayLike, y: ArrayLike) -> list[list[Fraction]]:
    """The rows a, as exact fractions of a size that is good for floats too.

    Each feature is moved to the middle of its range and divided by a power of two. This changes the
    coordinates of w, not whether it exists.
    """
    x = _features(name, X)
    signs = [1 if label else -1 for label in _zero_one(name, y, len(x.rows))]
    signed = []
    for values in x.columns:
        middle = Fraction(min(values) / 2 + max(values) / 2)
        moved = [Fraction(v) - middle for v in values]
        unit = Fraction(2) ** math.frexp(max(map(abs, moved)))[1]
        signed.append([s * v / unit for s, v in zip(signs, moved)])
    return [[*row, Fraction(s)] for row, s in zip(zip(*signed), signs)]


def _separates(points: list[list[Fraction]], strict: bool) -> bool:
    """Whether w exists, and not u. The equations for u have a solution in amounts >= 0.

    Gordan's u may be scaled so that its sum is 1, Stiemke's so that u = 1 + amounts:

        strict        sum of amounts [a, 1]  =  [0, 1]
        not strict    sum of amounts a       =  - sum of a
    """
    columns, target = points, [-sum(values) for values in zip(*points)]
    if strict:
        columns, target = [[*a, Fraction(1)] for a in points], [0] * len(target) + [1]
    proposal: list[int] = []
    for number in float, Fraction:
        numbers = [list(map(number, column)) for column in columns]
        proposal, missing = _simplex(numbers, list(map(number, target)), proposal, number)
    return bool(missing > 0)  # of the last, in fractions


def _simplex(
    columns: list[list[Any]], target: list[Any], proposal: list[int], number: type
) -> tuple[list[int], Any]:
    """Amounts >= 0 of the columns whose sum is the target, or a proof that there are none.

    The *basis* is a set of columns, one for each equation, whose amounts add up to the target. It
    starts with helpers: unit vectors (or their negatives), which fit any target. The sum of the
    amounts of helpers is what is `missing`. In each step a column enters that lowers this sum, by
    as much as leaves all amounts >= 0; the column whose amount becomes zero first leaves. In the
    end nothing is missing, or no column lowers the sum. Then the `prices` are the proof:
    w = -prices has column.w >= 0 for all columns, and target.w = -missing < 0. (So not strict:
    a.w >= 0, with a sum above 0. Strict: a.w + w_last >= 0 and w_last < 0, so a.w > 0.) Each of
    the `rows` is a row of the inverse of the basis, followed by the amount.

    In floats the most useful column enters (Dantzig's rule), and of several that may leave the one
    with the largest pivot does. This is fast, but rounding may mislead it or send it round in
    circles, so the steps are limited. In fractions it starts from the `proposal`, a basis, and
    takes the first column that is useful and the first that may leave (Bland's rule). This never
    goes in circles, and there are finitely many bases.

    Returns the last basis (numbers from n on are helpers), and what is missing.
    """
    exact = number is Fraction
    noise = 0 if exact else 1e-9  # 0, not 0.0, which would turn fractions into floats
    n, m = len(columns), len(target)
    basis = [n + k for k in range(m)]
    rows = [[*(number(j == k) for j in range(m)), target[k]] for k in range(m)]
    places = [k for k, i in enumerate(proposal) if i < n]
    for i in (proposal[k] for k in places):
        step = [sum(map(mul, row, columns[i])) for row in rows]
        place = next((k for k in places if step[k] and basis[k] >= n), None)
        if place is not None:  # otherwise it depends on those that have entered before
            _exchange(rows, step, place)
            basis[place] = i
    for k, row in enumerate(rows):
        if row[m] < 0:  # use the negative helper
            rows[k], basis[k] = [-v for v in row], n + k
    for _ in count() if exact else range(50 * m):
        prices = [sum(vs) for vs in zip(*(row for row, i in zip(rows, basis) if i >= n))]
        lowers = [sum(map(mul, prices, column)) for column in columns]
        useful = [i for i in range(n) if lowers[i] > noise]
        if not useful:
            break
        enters = useful[0] if exact else max(useful, key=lowers.__getitem__)
        step = [sum(map(mul, row, columns[enters])) for row in rows]
        limits = {k: rows[k][m] / step[k] for k in range(m) if step[k] > noise}
        if not limits:
            break  # rounding: in truth what is missing cannot sink below zero
        tightest = min(limits.values()) + noise
        first = [k for k, limit in limits.items() if limit <= tightest]
        leaves = min(first, key=basis.__getitem__) if exact else max(first, key=step.__getitem__)
        _exchange(rows, step, leaves)
        basis[leaves] = enters
    missing = sum(row[m] for row, i in zip(rows, basis) if i >= n)
    return basis, missing


def _exchange(rows: list[list[Any]], step: list[Any], place: int) -> None:
    """Put the column with these coordinates (the step) at a place of the basis."""
    pivot = rows[place] = [v / step[place] for v in rows[place]]
    for k, row in enumerate(rows):
        if k != place and step[k]:
            rows[k] = [v - step[k] * p for v, p in zip(row, pivot)]


# ---- checks of the arguments -------------------------------------------------------------


def _symmetric(name: str, matrix: ArrayLike) -> Rows:
    """The rows of a symmetric matrix."""
    data = data_of(matrix)
    m = data if isinstance(data, Array) else from_flat([data], (1, 1))
    if m.ndim != 2 or m.shape[0] != m.shape[1] or not m.flat:
        raise ValueError(
            f"{name}: a matrix of shape {m.shape} is not square, needs (d, d); "
            "the Hessian of d weights in one vector is"
        )
    rounding = 1e-8 * max(map(abs, m.flat))
    for i, (row, column) in enumerate(zip(m.rows, m.columns)):
        for j, (v, mirrored) in enumerate(zip(row, column)):
            if not math.isfinite(v):
                raise ValueError(f"{name}: the matrix has {v} at [{i}, {j}]; it must be finite")
            if abs(v - mirrored) > rounding:
                raise ValueError(
                    f"{name}: the matrix is not symmetric, [{i}, {j}] is {v:g} and [{j}, {i}] is "
                    f"{mirrored:g}; x'Mx sees only (M + M') / 2, so pass that if it is meant"
                )
    if math.isinf(sum(map(abs, m.flat))):
        raise ValueError(f"{name}: the numbers are too large to be added up; divide all by one")
    return [
        [(v + mirrored) / 2 for v, mirrored in zip(row, column)]
        for row, column in zip(m.rows, m.columns)
    ]


def _features(name: str, X: ArrayLike) -> Array:
    """X, if it has the shape (n, d) and is finite."""
    x = data_of(X)
    if not isinstance(x, Array) or x.ndim != 2:
        shape = x.shape if isinstance(x, Array) else ()
        hint = "one feature is [[x1], [x2], ...]" if len(shape) == 1 else "one list for each row"
        raise ValueError(f"{name}: X has shape {shape} and needs (rows, features); {hint}")
    if not x.flat:
        raise ValueError(f"{name}: X of shape {x.shape} is empty; it needs a row and a feature")
    for place, v in enumerate(x.flat):
        if not math.isfinite(v):
            row, column = divmod(place, x.shape[1])
            raise ValueError(f"{name}: X has {v} at [{row}, {column}]; drop or fill such rows")
    return x


def _zero_one(name: str, y: ArrayLike, n: int) -> list[float]:
    """y, if it has the shape (n,) and labels 0 and 1."""
    data = data_of(y)
    shape = data.shape if isinstance(data, Array) else ()
    if not isinstance(data, Array) or shape != (n,):
        hint = "take its only column, y[:, 0]" if shape == (n, 1) else "one label for each row of X"
        raise ValueError(f"{name}: y has shape {shape} and needs ({n},); {hint}")
    check_zero_one(name, data.flat, "ask about one against the rest, y == k")
    return data.flat
