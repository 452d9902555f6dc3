"""Each function of `core.fast` is compared with the plain function that it replaces."""

import inspect
import math
import os
import random
import subprocess
import sys
from threading import Thread

import pytest
from hypothesis import given
from hypothesis import strategies as st

import tinygrad_lr
from tinygrad_lr import (
    Array, Value, binary_cross_entropy_with_logits, detect_anomaly, elementwise, no_grad,
    operation, tanh,
)  # fmt: skip
from tinygrad_lr.core import fast, numerics
from tinygrad_lr.core.array import Data, flat_of
from tinygrad_lr.graph.walk import ancestors
from tinygrad_lr.core.lift import data_of, shape
from tinygrad_lr.core.operation import OPERATIONS

pytestmark = pytest.mark.usefixtures("new_operations")
PLAIN = {name: pair[0] for name, pair in fast.REPLACED.items()}
FAST = {name: pair[1] for name, pair in fast.REPLACED.items()}


def bits(x):
    """Equal for equal floats, with NaN equal to itself and -0.0 different from 0.0."""
    return [("nan" if math.isnan(v) else v.hex()) for v in flat_of(data_of(x))]


def outcome(f, *args, **options):
    """What a call gives, or the error that it raises."""
    try:
        return f(*args, **options)
    except Exception as error:
        return type(error), str(error)


def same(x, y):
    if isinstance(x, (Value, Array, float)):
        assert type(x) is type(y)
        assert bits(x) == bits(y) and shape(x) == shape(y)
    else:
        assert x == y
    if isinstance(x, Value):
        assert (x.operation, x.options.keys(), x.grad_state, x.label, x.grad) == (
            y.operation, y.options.keys(), y.grad_state, y.label, y.grad,
        )  # fmt: skip
        assert len(x.inputs) == len(y.inputs)


def test_each_replaced_function_has_the_signature_of_the_plain_one():
    assert set(PLAIN) == {
        "backward_pass", "broadcast_to", "call_of_one", "call_of_two", "call_of_whole",
        "elementwise", "map_numbers", "sum_to",
    }  # fmt: skip
    for name, plain in PLAIN.items():
        assert inspect.signature(plain) == inspect.signature(FAST[name])


# ---- calls -----------------------------------------------------------------------------------

NUMBERS = [
    0.0, -0.0, 2.5, -1.0, 3, True, math.inf, math.nan, [1.0, -2.0], [[1.0], [0.5]],
    Array([2.0, -0.0]), "text", None,
]  # fmt: skip
OPERANDS = [*NUMBERS, *[Value(x) for x in NUMBERS[:11]], Value([1.0, 2.0, 3.0])]


def split(sample):
    """The arguments and the options of a sample."""
    options = [x for x in sample if type(x) is dict]
    return tuple(x for x in sample if type(x) is not dict), (options or [{}])[0]


@pytest.mark.parametrize("name", sorted(OPERATIONS))
def test_a_call_gives_the_same_node(name):
    op = OPERATIONS[name]
    kind = "call_of_whole"
    if op.is_elementwise:
        kind = {1: "call_of_one", 2: "call_of_two"}.get(len(op.arguments))
    if kind is None:
        return  # there is a plain call alone
    plain, quick = PLAIN[kind](op), FAST[kind](op)
    calls = [split(sample) for sample in op.samples]
    values = [(tuple(map(Value, xs)), options) for xs, options in calls]
    noise = random.Random(0)
    odd = [(tuple(noise.choices(OPERANDS, k=len(op.arguments))), {}) for _ in range(200)]
    wrong = [((), {}), ((1.0,) * 9, {}), ((1.0,), {"unknown": 1})]
    for xs, options in calls + values + odd + (wrong if kind == "call_of_whole" else []):
        one, other = outcome(plain, *xs, **options), outcome(quick, *xs, **options)
        same(one, other)


def test_a_call_obeys_the_modes():
    x = Value(2.0)
    with no_grad():
        assert (x * 3.0).operation is None and tanh(x).operation is None
    with detect_anomaly(), pytest.raises(FloatingPointError):
        Value(1e308) * 10.0
    assert (x * 3.0).operation.name == "multiply"


def test_a_user_s_function_may_return_what_is_no_float():
    @elementwise(x=lambda g, out, x, y: g)
    def larger(x, y):
        return x > y

    @operation(x=lambda g, out, x: g)
    def listed(x):
        return [1, 2]

    assert type(larger(Value(2.0), 1.0).data) is float
    assert listed(Value(1.0)).data == Array([1.0, 2.0])


# ---- element by element ----------------------------------------------------------------------

LISTS = st.lists(st.floats() | st.integers(-3, 3).map(float), min_size=3, max_size=3)


@pytest.mark.parametrize("name", sorted(fast.LIST_FORMS))
@given(data=st.data())
def test_whole_lists_in_c_agree_to_the_bit(name, data):
    f = getattr(numerics, {"sub": "subtract", "mul": "multiply", "neg": "negative"}.get(name, name))
    count = 3 if name == "where" else len(inspect.signature(f).parameters)
    xs = data.draw(st.tuples(*[LISTS] * count))
    one, other = PLAIN["map_numbers"](f, *xs), FAST["map_numbers"](f, *xs)
    assert list(map(bits, one)) == list(map(bits, other))
    ops = OPERATIONS.get(name)
    if ops is not None:
        assert list(map(bits, FAST["map_numbers"](ops.function, *xs))) == list(map(bits, one))


@given(shapes=st.lists(st.sampled_from([(), (2,), (3, 2), (3, 1)]), min_size=1, max_size=3))
def test_elements_of_any_shapes(shapes):
    xs: list[Data] = []
    for i, size in enumerate(shapes):
        flat = [0.5 + i + j for j in range(math.prod(size))]
        xs.append(tinygrad_lr.core.array.from_flat(flat, size) if size else flat[0])
    f = {1: numerics.exp, 2: numerics.divide, 3: numerics.where}[len(xs)]
    same(PLAIN["elementwise"](f, *xs), FAST["elementwise"](f, *xs))


def test_shapes_that_do_not_fit_are_refused_in_the_same_words():
    xs = Array([1.0, 2.0]), Array([1.0, 2.0, 3.0])
    assert outcome(PLAIN["elementwise"], numerics.divide, *xs) == outcome(
        FAST["elementwise"], numerics.divide, *xs
    )


def test_a_user_s_function_named_like_ours_is_called():
    def exp(x):
        return x + 1.0

    assert FAST["map_numbers"](exp, [1.0, 2.0]) == [2.0, 3.0]


# ---- the backward pass -----------------------------------------------------------------------


def random_graph(seed):
    """Leaves and a result of some hundred random operations on numbers, vectors and constants."""
    noise = random.Random(seed)
    scalars = [Value(noise.gauss(0, 1)) for _ in range(4)]
    vector = Value([noise.gauss(0, 1) for _ in range(3)])
    leaves, scalars = [*scalars, vector], [*scalars, -0.0, 1.5]
    for _ in range(60):
        x, y = noise.choice(scalars), noise.choice(scalars)
        made = noise.choice([
            lambda x, y: x + y, lambda x, y: x * y, lambda x, y: x - y, lambda x, y: tanh(x),
            lambda x, y: x * y + x, lambda x, y: vector[noise.randrange(3)] * x,
            lambda x, y: (vector * x).sum() + y, lambda x, y: tinygrad_lr.dot([x, y], [y, 2.0]),
            lambda x, y: tinygrad_lr.sum([x, y, x]), lambda x, y: (vector + vector[1]).mean() * y,
        ])(x, y)  # fmt: skip
        scalars.append(tanh(made) if isinstance(made, Value) else made)
    values = [x for x in scalars if isinstance(x, Value)]
    return leaves, tinygrad_lr.sum(values[-8:])


@pytest.mark.parametrize("seed", range(40))
def test_the_backward_pass_gives_the_same_gradients(seed):
    _, y = random_graph(seed)
    one, other = PLAIN["backward_pass"](y, 0.7), FAST["backward_pass"](y, 0.7)
    assert set(one) == set(other)
    for x in one:
        same(one[x], other[x])
    assert all(x.grad is None for x in ancestors(y))  # nothing is left of the pass


@pytest.mark.parametrize("seed", range(5))
def test_a_retained_gradient_and_wrt_are_left_to_the_plain_pass(seed):
    """For each result of a graph in turn: of one input, of two, and of a tuple with options."""
    _, y = random_graph(seed)
    for inner in [x for x in ancestors(y) if x.operation]:
        inner.retain_grad()
        one, other = PLAIN["backward_pass"](y, 1.0), FAST["backward_pass"](y, 1.0)
        assert set(one) == set(other) and all(bits(one[x]) == bits(other[x]) for x in one)
        found = FAST["backward_pass"](y, 1.0, [inner])
        assert PLAIN["backward_pass"](y, 1.0, [inner]).keys() == found.keys()
        inner.grad_state = 0


def test_a_retained_gradient_in_front_of_a_fused_loss():
    w = Value([0.5, -1.0])
    z = Array([[1.0, 2.0], [3.0, -1.0]]) @ w
    z.retain_grad()
    binary_cross_entropy_with_logits(z, [0.0, 1.0]).backward()
    assert z.grad is not None and bits(w.grad) == bits(z.grad @ Array([[1.0, 2.0], [3.0, -1.0]]))


def test_a_failing_rule_leaves_nothing_behind():
    def fail(g, out, x):
        raise ArithmeticError("no derivative here")

    @elementwise(x=fail)
    def rough(x):
        return x

    a = Value(2.0)
    y = a * a + rough(a * 3.0)
    for _ in range(2):
        with pytest.raises(ArithmeticError):
            y.backward()
        assert all(x.grad is None for x in ancestors(y))
    (a * a).backward()
    assert a.grad == 4.0


def test_a_rule_may_go_backward_itself():
    def inner(g, out, x):
        w = Value(3.0)
        (w * w).backward()
        return g * w.grad

    @elementwise(x=inner)
    def odd(x):
        return 6.0 * x

    a = Value(1.0)
    (odd(a * 1.0) * 2.0).backward()
    assert a.grad == 12.0


def test_passes_of_several_threads_through_one_graph():
    _, y = random_graph(1)
    expected = PLAIN["backward_pass"](y, 1.0)
    found = []

    def work():
        for _ in range(50):
            found.append(FAST["backward_pass"](y, 1.0))

    threads = [Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 200
    for one in found:
        assert {x: bits(g) for x, g in one.items()} == {x: bits(g) for x, g in expected.items()}


# ---- the switch ------------------------------------------------------------------------------


@pytest.mark.parametrize("plain", ["1", ""])
def test_the_package_runs_without_it(plain):
    code = (
        "from tinygrad_lr.core import backward, fast, lift\n"
        "from tinygrad_lr import Value\n"
        "x = Value(3.0); (x * x).backward(); print(x.grad)\n"
        "print(backward.backward_pass is fast.backward_pass)"
    )
    environment = {**os.environ, "TINYGRAD_LR_PLAIN": plain}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True,
                          text=True, check=True)  # fmt: skip
    assert done.stdout.split() == ["6.0", str(plain != "1")]
