"""Every operation of the registry, on its own samples: nobody writes a test for a new one.

`check` is all that an operation must pass. The first half runs it on each operation that
there is, the second half shows what it says of an operation whose rule is wrong.
"""

import math
import random
import re
from importlib import import_module
from itertools import product
from pkgutil import walk_packages

import pytest

import tinygrad_lr
from tinygrad_lr import Array, Value, elementwise, exp, grad, gradcheck, hessian, operation
from tinygrad_lr.core.array import as_data, from_flat, shape_of
from tinygrad_lr.core.lift import data_of, shape
from tinygrad_lr.core.operation import OPERATIONS

for module in walk_packages(tinygrad_lr.__path__, "tinygrad_lr."):
    import_module(module.name)
BUILT_IN = {n for n, op in OPERATIONS.items() if op.function.__module__.startswith("tinygrad_lr.")}
every_operation = pytest.mark.parametrize("name", sorted(BUILT_IN))


# ---- what an operation must pass -------------------------------------------------------------


def check(op):
    """All that is asked of an operation. AssertionError says what is wrong."""
    assert op.function.__doc__, f"{op.name} needs a docstring"
    assert op.samples, f"{op.name} needs samples"
    for arguments, options in points(op):
        check_output(op, arguments, options)
        check_derivatives(op, arguments, options)
        if op.residuals is not None:
            check_residuals(op, arguments, options)
        if op.same_as is not None:
            check_fused(op, arguments, options)


def points(op):
    """The samples as (arguments, options), and more points made of them."""
    for sample in op.samples:
        *arguments, last = sample
        arguments, given = (arguments, last) if isinstance(last, dict) else (list(sample), {})
        arguments = [as_data(x) for x in arguments]
        options = {**op.defaults, **given}
        yield arguments, options
        if op.is_elementwise:
            yield from ((stretched, options) for stretched in broadcast(arguments))
        if op.same_as is not None:
            yield from ((rearranged(arguments, seed), options) for seed in range(3))


def broadcast(arguments):
    """The numbers of a sample in other shapes that stretch to a common one."""
    shapes = [(), (2, 1), (1, 3), (3,)][: 4 if len(arguments) == 2 else 3]
    for chosen in product(shapes, repeat=len(arguments)) if len(arguments) > 1 else [[(2, 1, 2)]]:
        yield [filled(numbers(x), s) for x, s in zip(arguments, chosen)]


def filled(flat, s):
    """The numbers, over and over, in this shape."""
    repeated = [flat[i % len(flat)] for i in range(math.prod(s))]
    return from_flat(repeated, s) if s else repeated[0]


def rearranged(arguments, seed):
    """The numbers of each argument in another order along the last axis, and moved a little.

    So that distributions stay distributions.
    """
    chance = random.Random(seed)
    found = []
    for x in arguments:
        flat, width = [v * (1 + 0.002 * chance.uniform(-1, 1)) for v in numbers(x)], last_size(x)
        order = chance.sample(range(width), width)
        flat = [flat[i - i % width + order[i % width]] for i in range(len(flat))]
        found.append(filled(flat, shape_of(x)))
    return found


def last_size(x):
    return shape_of(x)[-1] if shape_of(x) else 1


def numbers(x):
    return x.flat if isinstance(x, Array) else [x]


def check_output(op, arguments, options):
    """Floats on numbers, the same data on Values, remembered with the inputs."""
    plain = op.public(*arguments, **options)
    floats = numbers(plain) if type(plain) is Array else [plain]
    assert all(type(v) in (float, bool) for v in floats), f"{op.name} gave {plain!r}, not floats"
    made = op.public(*map(Value, arguments), **options)
    assert data_of(made) == plain, f"{op.name} of Values is not {op.name} of numbers"
    if differentiable(op, arguments):
        assert made.operation is op, f"the result of {op.name} does not remember it"


def differentiable(op, arguments):
    """The places of the arguments that have a rule."""
    return [i for i, (_, rule) in enumerate(zip(arguments, op.rules)) if rule is not None]


def check_derivatives(op, arguments, options):
    """Orders 1 and 2, of all arguments with a rule together, against finite differences."""
    places = differentiable(op, arguments)

    def function(*xs):
        called = list(arguments)
        for place, x in zip(places, xs):
            called[place] = x
        return op.public(*called, **options)

    try:
        gradcheck(function, *(arguments[place] for place in places))
    except AssertionError as error:
        names = [op.arguments[0 if op.is_variadic else place] for place in places]
        shown = ", ".join(map(repr, [*arguments, *options.items()]))
        raise AssertionError(f"{op.name}({shown}), inputs {names}: {error}") from None


def check_residuals(op, arguments, options):
    """The residuals of the function are those that are computed on the graph."""
    _, saved = op.function(*arguments, **options)
    told = data_of(op.residuals(*map(Value, arguments), **options))
    assert shape_of(saved) == shape_of(told), f"{op.name}: residuals of another shape on the graph"
    assert numbers(told) == pytest.approx(numbers(saved), rel=1e-12, abs=1e-15), (
        f"{op.name} gives the residuals {saved!r}, on the graph {told!r}"
    )


def check_fused(op, arguments, options):
    """A fused operation has the value, gradient and Hessian of the composition it names."""
    starts = [0]
    for x in arguments:
        starts.append(starts[-1] + len(numbers(x)))
    together = from_flat([v for x in arguments for v in numbers(x)], (starts[-1],))

    def of_one_vector(f):
        def scalar(v):
            parts = [v[i:j].reshape(*shape_of(x)) if shape_of(x) else v[i]
                     for x, i, j in zip(arguments, starts, starts[1:])]  # fmt: skip
            y = f(*parts, **options)
            weights = [1.0 + 0.3 * math.sin(i) for i in range(math.prod(shape(y)))]
            return (y * filled(weights, shape(y))).sum()

        return scalar

    fused, composed = of_one_vector(op.public), of_one_vector(op.same_as)
    for what, transform in ("value", lambda f: f), ("gradient", grad), ("Hessian", hessian):
        short, long = (
            data_of(transform(fused)(Value(together))),
            data_of(transform(composed)(Value(together))),
        )
        assert numbers(short) == pytest.approx(numbers(long), rel=1e-9, abs=1e-12), (
            f"{op.name} and what it is the same as differ in the {what}: {short!r}, {long!r}"
        )


# ---- all there are ---------------------------------------------------------------------------


@every_operation
def test_the_rules_of(name):
    check(OPERATIONS[name])


def test_every_function_of_the_interface_is_an_operation_or_made_of_some():
    made_of_others = {"mean", "stack", "dot"}
    functions = """exp log log1p expm1 sqrt abs sin cos tanh relu sigmoid log_sigmoid softplus
        maximum minimum clip where sum mean max min logsumexp softmax log_softmax reshape
        transpose broadcast_to concatenate stack matmul dot""".split()
    assert set(functions) - set(OPERATIONS) == made_of_others


def test_a_fused_operation_names_its_composition():
    fused = {name for name, op in OPERATIONS.items() if op.same_as is not None}
    assert fused >= {
        "affine", "binary_cross_entropy_with_logits", "cross_entropy", "log_softmax", "softmax",
    }  # fmt: skip


# ---- an operation of one's own ---------------------------------------------------------------


def test_a_new_operation_is_checked_as_it_stands(new_operations):
    @elementwise(x=lambda g, out, x: g / (1 + x * x), samples=[(0.3,), (-2.0,)])
    def arctan(x):
        """Angle whose tangent is x."""
        return math.atan(x)

    check(OPERATIONS["arctan"])


def test_a_new_operation_needs_a_docstring_and_samples(new_operations):
    @elementwise(x=lambda g, out, x: g, samples=[(1.0,)])
    def undocumented(x):
        return x

    @elementwise(x=lambda g, out, x: g)
    def without_samples(x):
        """x."""
        return x

    with pytest.raises(AssertionError, match="undocumented needs a docstring"):
        check(OPERATIONS["undocumented"])
    with pytest.raises(AssertionError, match="without_samples needs samples"):
        check(OPERATIONS["without_samples"])


def test_a_function_that_gives_no_floats_is_named(new_operations):
    @elementwise(samples=[(1.5,)])
    def whole(x):
        """The largest whole number up to x."""
        return math.floor(x)

    with pytest.raises(AssertionError, match="whole gave 1, not floats"):
        check(OPERATIONS["whole"])


TWO_POINTS = [([0.3, -2.0, 0.9],)]


def wrong(rule, samples=TWO_POINTS, function=math.atan):
    """The arctan of API.md, with another rule."""

    @elementwise(x=rule, samples=samples)
    def arctan(x):
        """Angle whose tangent is x."""
        return function(x)

    return OPERATIONS["arctan"]


def data_behind(x):
    return x.data if type(x) is Value else x


@pytest.mark.parametrize(
    ("rule", "order", "diagnosis"),
    [
        (lambda g, out, x: -g / (1 + x * x), 1, "wrong sign: every wrong number is the negative"),
        (lambda g, out, x: g * 2 / (1 + x * x), 1, "a factor: every wrong number is 2 times"),
        (lambda g, out, x: g / (1 + x * x) / 4, 1, "a factor: every wrong number is 0.25 times"),
        (lambda g, out, x: g / (1 + x * x) + g * x, 1, "a missing term: there is no common factor"),
        (lambda g, out, x: g / (1 + x), 1, "a missing term: there is no common factor"),
        (lambda g, out, x: 1 / (1 + x * x), 1, "factor|missing term"),  # forgets g
        (lambda g, out, x: g * 0, 1, "The rules give 0: a missing rule."),
        (lambda g, out, x: g * data_behind(1 / (1 + x * x)), 2, "reads .data and so hides"),
    ],
)  # fmt: skip
def test_a_wrong_rule_is_found_and_what_is_wrong_is_said(rule, order, diagnosis, new_operations):
    op = wrong(rule)
    if order == 2:  # the trap: right at order 1
        assert gradcheck(op.public, *op.samples[0], order=1)
    with pytest.raises(AssertionError) as error:
        check(op)
    message = str(error.value)
    assert message.startswith("arctan(")
    assert "inputs ['x']" in message
    assert re.search(diagnosis, message)
    assert ("of order 2" in message) == (order == 2)


def test_data_read_behind_the_gradient_is_found_where_the_gradient_varies(new_operations):
    op = wrong(lambda g, out, x: data_behind(g) / (1 + x * x))
    with pytest.raises(AssertionError, match="of order 2"):
        gradcheck(lambda x: exp(op.public(x)), 0.3)


def test_a_missing_rule_is_found_by_the_user_who_differentiates_it(new_operations):
    op = wrong(None)
    check(op)  # an argument without a rule is not differentiable, on purpose
    with pytest.raises(AssertionError, match="The rules give 0: a missing rule"):
        gradcheck(op.public, 0.3)


def test_one_wrong_rule_of_two_is_told_from_the_right_one(new_operations):
    @elementwise(
        x=lambda g, out, x, y: g * y,
        y=lambda g, out, x, y: -g * x,
        samples=[(2.0, 3.0)],
    )
    def times(x, y):
        """x * y."""
        return x * y

    with pytest.raises(AssertionError, match="derivative by input 1, at 3.0.* wrong sign"):
        check(OPERATIONS["times"])


def test_a_kink_among_the_samples_is_told_from_a_wrong_rule(new_operations):
    op = wrong(lambda g, out, x: g * (x > 0), [([1.0, 0.0],)], lambda x: max(x, 0.0))
    with pytest.raises(
        AssertionError, match="element 1 of 2, at 0.0.* a kink: the slope is 0 on the left"
    ):
        check(op)
    rough = wrong(lambda g, out, x: g * ((x > 0) - (x < 0)), [(0.0,)], abs)
    assert gradcheck(rough.public, 0.0, order=1)  # the mean of both slopes, as the rule says
    with pytest.raises(AssertionError, match="order 2.*jumps here, as a derivative does at a kink"):
        check(rough)


def test_a_rule_of_the_wrong_shape_is_found(new_operations):
    @operation(x=lambda g, out, x: g * Array([[1.0, 1.0]]), samples=[([1.0, 2.0],)])
    def added(x):
        """The sum of x."""
        return math.fsum(x.flat)

    with pytest.raises(AssertionError, match=r"input 0 has shape \(2,\), its gradient \(1, 2\)"):
        check(OPERATIONS["added"])


def fused(rule=lambda g, out, x: g * 2 * x, same_as=lambda x: x * x, residuals=None, function=None):
    @operation(x=rule, samples=[(1.5,)], same_as=same_as, residuals=residuals)
    def square(x):
        """x * x."""
        return function(x) if function else x * x

    return OPERATIONS["square"]


def test_a_fused_operation_is_held_to_its_composition(new_operations):
    check(fused())
    for other, what in (
        (lambda x: x * x + 1, "value"),
        (lambda x: x + 0.75 * (x / x), "value|gradient"),
    ):
        with pytest.raises(
            AssertionError, match=f"square and what it is the same as differ in the ({what})"
        ):
            check(fused(same_as=other))


def test_residuals_are_held_to_those_on_the_graph(new_operations):
    rule = lambda g, out, x, *, residuals: g * residuals
    with_slope = lambda x: (x * x, 2 * x)
    check(fused(rule, residuals=lambda x: 2 * x, function=with_slope))
    with pytest.raises(AssertionError, match="square gives the residuals 3.0, on the graph 3.75"):
        OPERATIONS["square"].same_as = None
        check_residuals(fused(rule, residuals=lambda x: x * x + x, function=with_slope), [1.5], {})
