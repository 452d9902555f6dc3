"""Values: what a backward pass owes to whom, and what goes wrong with a good error."""

import copy
import gc
import math
import operator
import pickle
import threading
import warnings
from decimal import Decimal
from fractions import Fraction

import pytest

from tinygrad_lr import (
    Array, Value, clip, concatenate, detect_anomaly, elementwise, exp, log, no_grad, sigmoid, stack,
    where,
)  # fmt: skip
from tinygrad_lr import sum as total
from tinygrad_lr.optim import SGD
from tinygrad_lr.core.operation import OPERATIONS
from tinygrad_lr.core.modes import mode


# ---- depth -----------------------------------------------------------------------------------


def test_a_chain_of_a_million_operations():
    x = Value(1.0)
    y = x
    gc.disable()  # a million young objects, none of them garbage
    try:
        for _ in range(500_000):
            y = y * 0.5 + x
        y.backward()
        assert x.grad == 2.0
        assert repr(y) == "Value(2.0, operation='add')"
        assert copy.deepcopy(y).item() == 2.0
        assert pickle.loads(pickle.dumps(y)).item() == 2.0
        del y  # frees a million nodes, one inside the other
        assert len(gc.get_referrers(x)) < 10
    finally:
        gc.enable()


# ---- what is owed ----------------------------------------------------------------------------


def test_backward_twice_gives_exactly_twice():
    x, w = Value([0.1, 0.7, -1.3]), Value([[0.3], [1.1], [0.9]])
    y = (sigmoid(x @ w) * x).sum()
    y.backward()
    once = x.grad, w.grad
    y.backward()
    assert (x.grad, w.grad) == (2 * once[0], 2 * once[1])


def test_two_losses_add_up():
    x = Value(3.0)
    (x * x).backward()
    (5 * x).backward()
    assert x.grad == 11.0


def test_a_diamond_pays_for_each_path():
    a = Value(3.0)
    b = a + a
    c = b + b
    d = c * b
    d.backward()  # d = 4a * 2a
    assert a.grad == 16 * 3.0


def test_a_value_used_by_old_and_young_nodes_is_paid_in_full():
    x = Value(2.0)
    first = x * x
    late = x * first  # the leaf again, after a node that has used it
    (late + first).backward()
    assert x.grad == 3 * 4.0 + 2 * 2.0


def test_only_leaves_are_given_a_gradient():
    x = Value(2.0)
    y = x * 3
    z = y * y
    z.backward()
    assert (y.grad, z.grad, x.grad) == (None, None, 36.0)


def test_backward_of_a_leaf_owes_itself_one():
    x = Value(2.0)
    x.backward()
    assert x.grad == 1.0


def test_constants_are_not_in_the_graph():
    x = Value(2.0)
    y = x * 3.0 + [1.0, 2.0]
    assert [type(i) for i in y.inputs] == [Value, Array]
    assert y.inputs[0].operation.name == "broadcast_to"
    y.sum().backward()
    assert x.grad == 6.0


def test_values_that_the_output_does_not_depend_on_get_nothing():
    x, y = Value(1.0), Value(2.0)
    z = x * y
    (x * 3).backward()
    assert (x.grad, y.grad, z.grad) == (3.0, None, None)


def test_a_tensor_needs_a_gradient_and_takes_one_in_any_form():
    x = Value([1.0, 2.0])
    with pytest.raises(ValueError, match=r"shape \(2,\) has no single derivative; reduce it"):
        (x * x).backward()
    assert x.grad is None
    for gradient in ([1, 10], Array([1, 10]), Value([1, 10])):
        x.zero_grad()
        (x * x).backward(gradient)
        assert x.grad.tolist() == [2.0, 40.0]
    for wrong in (1.0, [1.0], [[1.0, 1.0]]):
        with pytest.raises(ValueError, match=r"Value of shape \(2,\)"):
            (x * x).backward(gradient=wrong)


def test_the_gradient_has_the_form_of_the_data():
    scalar, vector = Value(2.0), Value([1.0, 2.0])
    (scalar * vector).sum().backward()
    assert type(scalar.grad) is float
    assert scalar.grad == 3.0
    assert type(vector.grad) is Array
    assert vector.grad.tolist() == [2.0, 2.0]


# ---- data that moves -------------------------------------------------------------------------


def test_data_replaced_between_forward_and_backward_is_noticed():
    w, b = Value(2.0, label="w"), Value(1.0)
    loss = (w * w + b) * 2
    w.data = 5.0
    with pytest.raises(RuntimeError, match="label='w'.* was replaced after multiply had used it"):
        loss.backward()
    assert (w.grad, b.grad) == (None, None)


def test_replaced_data_is_noticed_where_no_gradient_flows_either():
    x, low = Value(1.0), Value(0.0)
    y = clip(x, low, 2.0)  # `low` has no rule, but the rule of x reads it
    low.data = 5.0
    with pytest.raises(RuntimeError, match="replaced after clip"):
        y.backward()
    assert x.grad is None


def test_data_put_back_is_still_replaced():
    w = Value(2.0)
    loss = w * w
    w.data = w.data
    with pytest.raises(RuntimeError, match="compute the loss again"):
        loss.backward()


def test_data_of_a_result_cannot_be_replaced():
    y = Value(2.0) * 3
    with pytest.raises(AttributeError, match="a result of multiply follows from its inputs"):
        y.data = 1.0
    assert y.data == 6.0


@pytest.mark.parametrize("wrong", [[1.0, 2.0, 3.0], 1.0, [[1.0, 2.0]]])
def test_data_keeps_its_shape(wrong):
    w = Value([1.0, 2.0])
    with pytest.raises(ValueError, match=r"for a Value of shape \(2,\)"):
        w.data = wrong
    assert w.tolist() == [1.0, 2.0]


@pytest.mark.parametrize("wrong", ["1", None, 1j, [1.0], Value(1.0)])
def test_data_of_a_scalar_stays_a_number(wrong):
    w = Value(1.0)
    with pytest.raises((TypeError, ValueError)):
        w.data = wrong
    assert w.data == 1.0
    w.data = 3  # an int is read as a float
    assert type(w.data) is float


def test_adding_to_a_stale_gradient_warns_and_names_the_line():
    w = Value(2.0)
    (w * w).backward()
    w.data -= 0.1 * w.grad
    with pytest.warns(UserWarning, match="call zero_grad") as caught:
        (w * w).backward()
    assert caught[0].filename == __file__
    assert w.grad == 4.0 + 2 * 1.6


def test_a_gradient_that_is_set_again_is_not_stale():
    x = Value(1.0)
    x.grad = 0.0
    x.data = 2.0
    x.grad = 0.0
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        (x * x).backward()
    assert x.grad == 4.0


def test_a_fresh_gradient_does_not_warn():
    w = Value(2.0)
    for _ in range(3):
        w.zero_grad()
        (w * w).backward()
        (w * w).backward()  # accumulating at one point is no mistake
        w.data -= 0.1 * w.grad


def test_an_error_changes_nothing_even_if_it_is_a_warning():
    a, b = Value(1.0), Value(1.0)
    (a * b).backward()
    b.data = 2.0
    with warnings.catch_warnings(), pytest.raises(UserWarning, match="zero_grad"):
        warnings.simplefilter("error")
        (a * b).backward()
    assert (a.grad, b.grad) == (1.0, 1.0)


def test_a_failing_rule_changes_no_gradient(new_operations):
    def fail(g, out, x):
        raise ArithmeticError("no derivative here")

    @elementwise(x=fail)
    def rough(x):
        """A function whose rule fails."""
        return x

    a, b = Value(2.0), Value(3.0)
    a.grad = 7.0
    loss = a * b + rough(b) * a
    with pytest.raises(ArithmeticError, match="no derivative here"):
        loss.backward()
    assert (a.grad, b.grad) == (7.0, None)


# ---- modes -----------------------------------------------------------------------------------


def test_no_grad_remembers_nothing():
    x = Value(2.0, label="x")
    with no_grad():
        y = x * x
        z = concatenate([x.reshape(1), [1.0]])
    assert (y.operation, y.inputs, y.data) == (None, (), 4.0)
    assert z.operation is None
    assert (x * x).operation.name == "multiply"


def test_modes_are_decorators_too():
    @no_grad()
    def predict(x):
        return x * x

    @detect_anomaly()
    def train(x):
        return log(x)

    x = Value(-1.0)
    for _ in range(2):  # a decorator works more than once
        assert predict(x).operation is None
        with pytest.raises(FloatingPointError):
            train(x)
    assert (x * x).operation is not None
    assert math.isnan(log(x).item())


def test_modes_end_with_their_block_even_after_an_error():
    with pytest.raises(KeyError), no_grad():
        raise KeyError
    assert (Value(1.0) * 2).operation is not None


def test_modes_nest():
    x = Value(0.0)
    with detect_anomaly(), no_grad():
        assert (x + 1).operation is None
        with pytest.raises(FloatingPointError):
            log(x)
    with no_grad(), detect_anomaly():
        assert (x + 1).operation is None


def test_anomaly_names_the_operation_and_its_labelled_inputs_forward():
    w = Value([1.0, 0.0], label="w")
    with detect_anomaly(), pytest.raises(FloatingPointError) as error:
        log(w * 1.0)
    message = str(error.value)
    assert message.startswith("the output of log has the element -inf; its inputs were ")
    assert "Value([1.0, 0.0], operation='multiply')" in message
    with detect_anomaly(), pytest.raises(FloatingPointError, match="label='w'"):
        log(w)


def test_anomaly_names_the_operation_and_its_label_backward():
    x = Value(0.0, label="x")
    with detect_anomaly():
        root = x**0.5  # the slope of the root is infinite at 0
        root.label = "root"
        loss = root * 3.0
        with pytest.raises(FloatingPointError) as error:
            loss.backward()
    assert "the gradient of power labelled 'root' has the element inf" in str(error.value)
    assert "Value(0.0, label='x')" in str(error.value)
    assert x.grad is None


def test_anomaly_changes_no_number():
    x, w = Value([0.3, -1.0]), Value([[1.0, 2.0], [0.5, -1.0]])
    f = lambda: (sigmoid(x @ w) * exp(x)).sum()
    f().backward()
    plain = x.grad, w.grad
    x.zero_grad()
    w.zero_grad()
    with detect_anomaly():
        f().backward()
    assert (x.grad, w.grad) == plain


def test_each_thread_has_its_own_mode():
    x, inside, done = Value(0.0), threading.Event(), threading.Event()
    found = []

    def other():
        inside.wait(10)
        found.append((x * 2).operation)
        found.append(log(x).item())
        done.set()

    thread = threading.Thread(target=other)
    thread.start()
    with no_grad(), detect_anomaly():
        inside.set()
        assert done.wait(10)
        assert (x * 2).operation is None
    thread.join()
    assert found[0].name == "multiply"
    assert found[1] == -math.inf


def test_two_threads_training_two_models_do_not_disturb_each_other():
    def train(w, target, quiet):
        for _ in range(200):
            loss = (w - target) ** 2
            w.zero_grad()
            loss.backward()
            if quiet:
                with no_grad():
                    assert (w * 1.0).operation is None
            w.data -= 0.1 * w.grad

    weights = [Value(0.0), Value(0.0)]
    threads = [
        threading.Thread(target=train, args=(w, target, target > 0))
        for w, target in zip(weights, (3.0, -5.0))
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [w.data for w in weights] == pytest.approx([3.0, -5.0])


# ---- operators -------------------------------------------------------------------------------

BINARY = [operator.add, operator.sub, operator.mul, operator.truediv, operator.pow]
OTHERS = [
    3,
    2.5,
    True,
    Fraction(1, 2),
    Decimal("1.5"),
    [1.0, 2.0],
    (3, 4),
    [[1.0], [2.0]],
    Array([2, 3]),
]


@pytest.mark.parametrize("operate", BINARY, ids=lambda f: f.__name__)
@pytest.mark.parametrize("other", OTHERS, ids=str)
@pytest.mark.parametrize("data", [1.5, [0.5, 3.0]], ids=str)
def test_operators_take_numbers_and_nested_lists_on_both_sides(operate, other, data):
    x = Value(data)
    plain = Array([data]) if isinstance(data, float) else Array(data)
    for found, expected in [
        (operate(x, other), operate(plain, other)),
        (operate(other, x), operate(other, plain)),
    ]:
        assert type(found) is Value
        assert found.operation is not None
        if found.shape == ():
            expected = expected.item()
        assert found.tolist() == (expected if found.shape == () else expected.tolist())


def test_matmul_on_both_sides():
    x, m = Value([1.0, 2.0]), [[1.0, 2.0], [3.0, 4.0]]
    assert (x @ m).tolist() == [7.0, 10.0]
    assert (m @ x).tolist() == [5.0, 11.0]
    assert (Array(m) @ x).tolist() == [5.0, 11.0]
    assert ([1, 1] @ x).tolist() == 3.0


@pytest.mark.parametrize("operate", BINARY + [operator.matmul], ids=lambda f: f.__name__)
def test_an_array_leaves_the_operator_to_the_value(operate):
    a, x = Array([[1.0, 2.0], [3.0, 4.0]]), Value([[2.0, 1.0], [1.0, 2.0]])
    assert type(operate(a, x)) is type(operate(x, a)) is Value
    assert operate(a, x).inputs[0] == a


def test_reflected_operators_differentiate_the_right_argument():
    x = Value(2.0)
    (3 - x).backward()
    (6 / x).backward()
    (2**x).backward()
    assert x.grad == -1.0 - 1.5 + 4 * math.log(2)


def test_in_place_operators_make_new_values():
    x = Value(2.0)
    y = x
    y += 1
    y *= 2
    assert (x.data, y.data) == (2.0, 6.0)
    y.backward()
    assert x.grad == 2.0


@pytest.mark.parametrize("stranger", ["ab", None, 1j, {}, object()])
@pytest.mark.parametrize("operate", BINARY, ids=lambda f: f.__name__)
def test_operators_refuse_strangers(operate, stranger):
    with pytest.raises(TypeError, match="not a real number"):
        operate(Value(1.0), stranger)
    with pytest.raises(TypeError):
        operate(stranger, Value(1.0))


def test_shapes_that_do_not_fit_name_the_operation():
    with pytest.raises(ValueError, match=r"add: shapes \(2,\) and \(3,\) do not fit"):
        Value([1.0, 2.0]) + [1.0, 2.0, 3.0]


def test_unary_operators():
    x = Value([-1.0, 2.0])
    assert (-x).tolist() == [1.0, -2.0]
    assert abs(x).tolist() == [1.0, 2.0]
    (abs(x) - x).sum().backward()
    assert x.grad.tolist() == [-2.0, 0.0]


def test_comparisons_give_plain_truths():
    x, y = Value(1.0), Value([1.0, 3.0])
    assert (x < 2, x <= 1, x > 2, x >= 1) == (True, True, False, True)
    assert (0 < x, 1 <= x, 0 > x, x < Value(2.0)) == (True, True, False, True)
    assert all(type(t) is bool for t in (x < 2, 2 < x))
    for truth in (y > 1, 1 < y, y > x, y > [1, 1], Array([1, 1]) < y, [1, 1] < y):
        assert truth == Array([0, 1])
    assert (Array([2, 2]) > y) == (Array([1, 2]) >= y) == ([2, 2] > y) == Array([1, 0])
    assert (y >= 1) == Array([1, 1])
    assert (y <= x) == Array([1, 0])


def test_where_source_is_traced_comparisons_are_nodes_and_no_way_is_chosen():
    x = Value(2.0)
    with mode(tracing=True):
        larger = x > 1
        assert (larger.operation.name, larger.data) == ("less", 1.0)
        assert where(x <= 1, 0.0, x).data == 2.0
        with pytest.raises(TypeError, match="straight-line source goes one way only; use where"):
            bool(larger)
        assert x  # a leaf is known
    assert (x > 1) is True


def test_equality_and_hash_are_identity():
    x, y = Value(1.0), Value(1.0)
    assert x == x
    assert x != y
    assert x != 1.0
    assert len({x, y, x}) == 2
    assert y not in [x]


def test_truth_and_float():
    assert Value(2.0)
    assert not Value(0.0)
    assert float(Value(2.0)) == float(Value([[2.0]])) == 2.0
    with pytest.raises(ValueError, match="neither true nor false"):
        bool(Value([1.0, 2.0]))
    with pytest.raises(ValueError, match="has 2 elements"):
        float(Value([1.0, 2.0]))


def test_one_element_is_formatted_as_a_float():
    loss = Value([[0.123456]])
    assert f"{loss:.3f} {loss:8.1e}" == "0.123  1.2e-01"
    assert f"{Value(1.0, label='w')}" == "Value(1.0, label='w')"
    with pytest.raises(ValueError, match="2 elements"):
        f"{Value([1.0, 2.0]):.3f}"


def test_length_iteration_and_indexing_are_differentiable():
    x = Value([[1.0, 2.0], [3.0, 4.0]])
    assert len(x) == 2
    (sum(row[1] for row in x) + x[-1, 0] * 10 + x[[0, 0], [0, 0]].sum()).backward()
    assert x.grad.tolist() == [[2.0, 1.0], [10.0, 1.0]]
    assert len(x.reshape(1, 4)) == 1
    first, second = x
    assert (first.tolist(), second.tolist()) == ([1.0, 2.0], [3.0, 4.0])


def test_a_scalar_has_no_parts():
    x = Value(1.0)
    with pytest.raises(TypeError, match="a scalar Value has no length"):
        len(x)
    with pytest.raises(TypeError, match="no length"):
        list(x)
    with pytest.raises(IndexError, match="a scalar cannot be indexed"):
        x[0]


def test_values_do_not_change_in_place():
    with pytest.raises(TypeError):
        Value([1.0, 2.0])[0] = 3.0


def test_methods_are_the_functions():
    x = Value([[0.5, 1.5], [2.0, 0.25]])
    assert x.sum(0).tolist() == total(x, axis=0).tolist()
    assert x.T.tolist() == x.transpose().tolist() == [[0.5, 2.0], [1.5, 0.25]]
    assert x.reshape(4).tolist() == x.reshape((4,)).tolist() == x.reshape(-1).tolist()
    names = "exp log log1p expm1 sqrt abs sin cos tanh relu sigmoid log_sigmoid softplus".split()
    for name in names:
        assert getattr(x, name)().tolist() == OPERATIONS[name].public(x).tolist()
    assert x.maximum(1.0).minimum(1.75).tolist() == x.clip(1.0, 1.75).tolist()
    assert x.where(1.0, 0.0).tolist() == where(x, 1.0, 0.0).tolist()
    for name in "sum mean max min logsumexp".split():
        assert getattr(x, name)(axis=1, keepdims=True).shape == (2, 1)
    for name in "softmax log_softmax".split():
        assert getattr(x, name)(axis=0).shape == (2, 2)
    assert x.broadcast_to((3, 2, 2)).shape == (3, 2, 2)
    assert x[0].dot(x[1]).item() == (x[0] @ x[1]).item()


# ---- a Value as an object --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (Value(1), "Value(1.0)"),
        (Value([1, 2], label="w"), "Value([1.0, 2.0], label='w')"),
        (Value([[1.0]]) * 2, "Value([[2.0]], operation='multiply')"),
        (Value(range(9)), "Value([0.0, 1.0, 2.0, ..., 6.0, 7.0, 8.0])"),
    ],
)
def test_repr_shows_data_label_and_operation_but_not_the_graph(value, shown):
    assert repr(value) == shown


def test_attributes():
    x = Value([[1, 2, 3]])
    assert (x.shape, x.ndim, x.size, x.label, x.grad) == ((1, 3), 2, 3, "", None)
    assert Value(2).shape == ()
    assert Value(2).item() == Value([2]).item() == 2.0
    assert x.tolist() == [[1.0, 2.0, 3.0]]
    with pytest.raises(ValueError, match="3 elements"):
        x.item()
    with pytest.raises(AttributeError):
        x.gradients = 1.0  # a misspelt name is not kept quietly


def test_detached_values_are_leaves():
    x = Value(2.0, label="x")
    y = (x * x).detach() * x
    y.backward()
    assert x.grad == 4.0
    assert (x.detach().label, x.detach().grad) == ("x", None)


@pytest.mark.parametrize(
    "make", [copy.copy, copy.deepcopy, lambda x: pickle.loads(pickle.dumps(x))]
)
def test_copies_are_leaves_with_data_gradient_and_label(make):
    x = Value([1.0, 2.0], label="w")
    x.grad = Array([3.0, 4.0])
    twin = make(x)
    assert (twin.data, twin.grad, twin.label) == (x.data, x.grad, "w")
    assert twin is not x
    twin.data = [5.0, 6.0]
    assert x.tolist() == [1.0, 2.0]
    result = make(x * 2)
    assert (result.operation, result.tolist()) == (None, [2.0, 4.0])


class Columns:
    """Stands for numpy and its relatives."""

    def tolist(self):
        return [[1, 2], [3, 4]]


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (3, 3.0),
        (True, 1.0),
        (Fraction(1, 4), 0.25),
        (Decimal("0.1"), 0.1),
        ([1, True], [1.0, 1.0]),
        (((1, 2), (3, 4)), [[1.0, 2.0], [3.0, 4.0]]),
        (Columns(), [[1.0, 2.0], [3.0, 4.0]]),
        (Array([1]), [1.0]),
        ([], []),
    ],
)
def test_data_of_many_kinds(data, expected):
    assert Value(data).tolist() == expected


@pytest.mark.parametrize(
    ("data", "error", "message"),
    [
        ("1.0", TypeError, "'1.0' is a str, not a real number"),
        (1 + 2j, TypeError, "is a complex, not a real number"),
        (None, TypeError, "None is a NoneType"),
        ([1, None], TypeError, "None is a NoneType"),
        ([[1, 2], [3]], ValueError, "ragged data: at depth 1 the lengths are 1 and 2"),
        (10**400, ValueError, "type int is beyond the largest float"),
        (Decimal("1e400"), ValueError, "type Decimal is beyond the largest float"),
        (Value(1.0), TypeError, "a Value is not plain data; read its .data"),
        ([Value(1.0), Value(2.0)], TypeError, r"join them with stack\(\[...\]\)"),
    ],
)
def test_data_of_other_kinds_is_named(data, error, message):
    with pytest.raises(error, match=message):
        Value(data)


def test_stack_is_the_way_out_for_a_list_of_values():
    x, y = Value(1.0), Value(2.0)
    (stack([x, y, 3.0]) * [1, 10, 100]).sum().backward()
    assert (x.grad, y.grad) == (1.0, 10.0)


# ---- numpy, where it is installed ------------------------------------------------------------


def test_numpy_arrays_and_numbers_meet_values():
    numpy = pytest.importorskip("numpy")
    a, x = numpy.array([1.0, 2.0]), Value([3.0, 4.0])
    for found in (a + x, x + a, numpy.float64(2.0) * x, a @ x, a < x):
        assert type(found) in (Value, Array)
    assert (a - x).tolist() == [-2.0, -2.0]
    assert Value(a).tolist() == [1.0, 2.0]
    assert Value(numpy.float32(0.5)).data == 0.5
    assert (a * Array([2, 3])).tolist() == [2.0, 6.0]
    assert x[numpy.array([1, 0])].tolist() == [4.0, 3.0]
    with pytest.raises(TypeError, match="complex"):
        Value(numpy.array([1j]))


def test_value_has_no_subclasses():
    with pytest.raises(TypeError, match="Parameter: Value has no subclasses"):
        type("Parameter", (Value,), {})


def test_a_function_that_returns_whole_numbers_makes_floats(new_operations):
    @elementwise(x=lambda g, out, x: 0.0 * g)
    def step(x):
        """1 above 0."""
        return 1 if x > 0 else 0

    y = step(Value(2.0))
    y.backward()
    assert type(y.data) is float and y.data == 1.0


@pytest.mark.parametrize("times", [1, 3])
def test_a_list_that_contains_itself_is_refused(times):
    circle = []
    circle.extend([circle] * times)
    with pytest.raises(ValueError, match="does one contain itself"):
        Value(circle)


def test_an_optimizer_that_forgets_the_gradients_lets_backward_add_again():
    """Two backward passes a step are no mistake after `zero_grad` (a false warning once)."""
    w = Value(1.0)
    optimizer = SGD([w], lr=0.1)
    for _ in range(2):
        optimizer.zero_grad()
        (w * w).backward()
        (w * 3.0).backward()
        optimizer.step()
    with pytest.warns(UserWarning, match="before the parameter moved"):
        (w * w).backward()


def test_a_result_that_is_given_a_gradient_keeps_it():
    """As after `retain_grad`; and it does not disturb the pass."""
    x = Value(3.0)
    y = x * x
    y.grad = 10.0
    (y * 2.0).backward()
    assert (y.grad, x.grad) == (12.0, 12.0)
