"""How operations are made: of floats, of Arrays, of Values; options, stars, savings; errors."""

import inspect
import math
import pickle

import pytest

import tinygrad_lr
from tinygrad_lr import Array, Value, elementwise, grad, gradcheck, jacobian, no_grad, operation
from tinygrad_lr import sum as total
from tinygrad_lr.core.lift import broadcast_to, data_of, shape, sum_to
from tinygrad_lr.core.operation import OPERATIONS, Operation


pytestmark = pytest.mark.usefixtures("new_operations")


def arctan():
    """The operation of API.md."""

    @elementwise(x=lambda g, out, x: g / (1 + x * x), samples=[(0.3,), (-2.0,)])
    def arctan(x):
        """Angle whose tangent is x."""
        return math.atan(x)

    return arctan


# ---- elementwise -----------------------------------------------------------------------------


def test_one_function_on_floats_arrays_lists_and_values():
    f = arctan()
    assert f(1.0) == f(1) == math.atan(1.0)
    assert f([0.0, 1.0]) == f(Array([0, 1])) == Array([0.0, math.atan(1.0)])
    assert f([[1]]).shape == (1, 1)
    made = f(Value([0.0, 1.0]))
    assert made.data == f([0, 1])
    assert made.operation is OPERATIONS["arctan"]


def test_its_rule_is_read_on_numbers_and_on_the_graph():
    f = arctan()
    x = Value([1.0, 3.0])
    f(x).sum().backward()
    assert x.grad.tolist() == [0.5, 0.1]
    assert grad(grad(f))(1.0) == pytest.approx(-0.5)
    assert grad(grad(grad(f)))(1.0) == pytest.approx(0.5)


def test_name_docstring_and_signature_are_those_of_the_function():
    f = arctan()
    assert (f.__name__, f.__doc__) == ("arctan", "Angle whose tangent is x.")
    assert list(inspect.signature(f).parameters) == ["x"]
    assert f.operation.public is f
    assert repr(f.operation) == "<operation arctan(x)>"
    assert f.operation.symbol == "arctan"


def test_two_arguments_broadcast_and_each_is_paid_in_its_own_shape():
    @elementwise(x=lambda g, out, x, y: g * y, y=lambda g, out, x, y: g * x)
    def times(x, y):
        return x * y

    x, y = Value([[1.0], [2.0]]), Value([3.0, 5.0, 7.0])
    times(x, y).sum().backward()
    assert x.grad.tolist() == [[15.0], [15.0]]
    assert y.grad.tolist() == [3.0, 3.0, 3.0]
    assert times(2, [3, 4]) == Array([6, 8])
    with pytest.raises(ValueError, match=r"times: shapes \(2, 1\) and \(3, 1\) do not fit"):
        times(x, [[1.0], [2.0], [3.0]])


@pytest.mark.parametrize("tracked", range(1, 8))
def test_three_arguments_of_three_shapes_any_of_them_tracked(tracked):
    @elementwise(
        x=lambda g, out, x, y, z: g * y * z,
        y=lambda g, out, x, y, z: g * x * z,
        z=lambda g, out, x, y, z: g * x * y,
    )
    def product(x, y, z):
        return x * y * z

    plain = [[[1.0], [2.0]], 3.0, [5.0, 7.0]]
    xs = [Value(x) if tracked >> i & 1 else x for i, x in enumerate(plain)]
    product(*xs).sum().backward()
    expected = [[[36.0], [36.0]], 36.0, [9.0, 9.0]]
    for x, owed in zip(xs, expected):
        if type(x) is Value:
            assert (x.grad if x.shape == () else x.grad.tolist()) == owed


def test_the_number_of_arguments_is_checked():
    clip = OPERATIONS["clip"].public
    with pytest.raises(TypeError, match="clip takes x, low, high; given were 2 by position"):
        clip(1.0, 2.0)
    with pytest.raises(TypeError):
        OPERATIONS["exp"].public(1.0, 2.0)
    with pytest.raises(TypeError):
        OPERATIONS["add"].public(1.0)


def test_an_argument_without_a_rule_is_owed_nothing():
    @elementwise(x=lambda g, out, x, y: g * y)
    def scale(x, y):
        return x * y

    x, y = Value(2.0), Value(3.0)
    scale(x, y).backward()
    assert (x.grad, y.grad) == (3.0, None)
    z = Value(1.0)
    scale(2.0, z * z).backward()
    assert z.grad is None


def test_a_new_operation_replaces_an_old_one_of_the_same_name():
    first, second = arctan(), arctan()
    assert OPERATIONS["arctan"] is second.operation is not first.operation


def test_a_lambda_and_a_rule_for_no_argument_are_refused():
    with pytest.raises(ValueError, match="an operation needs a name: use def, not lambda"):
        elementwise()(lambda x: x)
    with pytest.raises(
        TypeError, match="half: a rule for y, which is no argument; the arguments are x"
    ):

        @elementwise(y=lambda g, out, x: g / 2)
        def half(x):
            return x / 2

    assert "half" not in OPERATIONS


# ---- operations on whole Arrays --------------------------------------------------------------


def test_options_by_name_by_position_and_by_default():
    @operation(x=lambda g, out, x, *, times, plus: g * times)
    def scaled(x, *, times=2.0, plus=0.0):
        return x * times + plus

    assert scaled(3.0) == 6.0
    assert scaled(3.0, 5.0) == scaled(3.0, times=5.0) == 15.0
    assert scaled(3.0, 5.0, 1.0) == scaled(3.0, 5.0, plus=1.0) == 16.0
    assert scaled([1, 2], 3) == Array([3, 6])
    x = Value(1.0)
    y = scaled(x, plus=1.0)
    assert y.options == {"times": 2.0, "plus": 1.0}
    y.backward()
    assert x.grad == 2.0
    for wrong in (lambda: scaled(1.0, 2.0, 3.0, 4.0), lambda: scaled(1.0, factor=2.0)):
        with pytest.raises(TypeError):
            wrong()


@pytest.mark.parametrize("count", range(1, 5))
def test_a_starred_argument_has_one_rule_for_all(count):
    @operation(xs=lambda g, out, *xs: [g * (i + 1) for i, _ in enumerate(xs)])
    def weighted(*xs):
        return math.fsum((i + 1) * x for i, x in enumerate(xs))

    xs = [Value(float(i)) for i in range(count)]
    weighted(*xs).backward()
    assert [x.grad for x in xs] == [1.0, 2.0, 3.0, 4.0][:count]
    mixed = Value(1.0)
    weighted(10.0, mixed, 10.0).backward()
    assert mixed.grad == 2.0
    assert gradcheck(weighted, *[1.0] * count)


def test_residuals_reach_the_rules_and_are_computed_again_on_the_graph():
    calls = []

    def slope_of_cube(x, *, power):
        return 3 * x * x

    @operation(x=lambda g, out, x, *, power, residuals: g * residuals, residuals=slope_of_cube)
    def cube(x, *, power=3):
        calls.append(x)
        return x**3, 3 * x**2

    x = Value(2.0)
    y = cube(x)
    assert y.options == {"power": 3, "residuals": 12.0}
    y.backward()
    assert (y.data, x.grad, len(calls)) == (8.0, 12.0, 1)
    assert cube(2.0) == 8.0
    assert grad(grad(cube))(2.0) == 12.0
    assert gradcheck(cube, 1.3, order=3)


def test_constants_are_kept_as_data():
    f = OPERATIONS["matmul"].public
    y = f([[1, 2]], Value([1.0, 2.0]))
    assert type(y.inputs[0]) is Array
    with no_grad():
        assert f([[1, 2]], Value([1.0, 2.0])).inputs == ()
    assert type(f([[1, 2]], [1, 2])) is Array


# ---- the pair that stretches -----------------------------------------------------------------


def test_broadcast_to_and_sum_to_are_each_other_s_rules():
    x = Value([[1.0], [2.0]])
    y = broadcast_to(x, (2, 3))
    assert y.tolist() == [[1.0] * 3, [2.0] * 3]
    y.backward([[1, 2, 3], [4, 5, 6]])
    assert x.grad.tolist() == [[6.0], [15.0]]
    x = Value([[1.0, 2.0], [3.0, 4.0]])
    sum_to(x, shape=(2,)).backward([10, 20])
    assert x.grad.tolist() == [[10.0, 20.0], [10.0, 20.0]]
    assert broadcast_to(2.0, [2]) == Array([2, 2])


def test_inputs_of_the_common_shape_are_not_stretched():
    y = Value([1.0, 2.0]) * Value([3.0, 4.0])
    assert [x.operation for x in y.inputs] == [None, None]
    z = Value([1.0, 2.0]) * Value(3.0)
    assert [x.operation and x.operation.name for x in z.inputs] == [None, "broadcast_to"]


def test_shape_and_data_of_whatever_it_is():
    for x, expected in [
        (2, ()),
        (2.0, ()),
        ([[1], [2]], (2, 1)),
        (Array([1]), (1,)),
        (Value([1]), (1,)),
    ]:
        assert shape(x) == expected
    assert data_of(Value([1, 2])) == data_of([1, 2]) == Array([1, 2])
    assert type(data_of(2)) is float
    with pytest.raises(TypeError):
        shape("ab")


def test_all_operations_are_registered_under_their_name():
    for name, op in OPERATIONS.items():
        assert isinstance(op, Operation)
        assert op.name == name
        assert op.public.operation is op
    assert total.operation is OPERATIONS["sum"]


# ---- arguments and options by name ---------------------------------------------------------------


def test_arguments_may_be_named():
    public = {name: op.public for name, op in OPERATIONS.items()}
    assert public["clip"](2.0, high=1.0, low=0.0) == 1.0
    assert public["where"](condition=[1, 0], x=2.0, y=3.0).tolist() == [2.0, 3.0]
    assert public["matmul"](x=[1, 2], y=[3, 4]) == 11.0
    loss = public["linear_binary_cross_entropy"]
    assert loss([[1.0]], [2.0], 0.0, targets=[1.0]) == loss([[1.0]], [2.0], 0.0, [1.0])


def test_where_arguments_may_not_be_named_the_signature_says_so():
    told = {name: str(inspect.signature(op.public)) for name, op in OPERATIONS.items()}
    assert told["exp"].startswith("(x: 'float', /)")
    assert told["add"].startswith("(x: 'float', y: 'float', /)")
    assert "/" not in told["clip"] and "/" not in told["matmul"] and "/, *, axis" in told["sum"]


def test_public_functions_can_be_pickled():
    for name in tinygrad_lr.__all__:
        public = getattr(tinygrad_lr, name)
        assert pickle.loads(pickle.dumps(public)) is public


@pytest.mark.parametrize(
    ("call", "told"),
    [
        (lambda public: public["clip"](2.0, low=0.0, hi=1.0), "takes x, low, high; .* low, hi"),
        (lambda public: public["clip"](1.0, 0.0, 2.0, low=0.0), "clip takes"),
        (lambda public: public["sum"]([1.0], 0, axis=0), "sum takes x, axis, keepdims"),
        (lambda public: public["sum"]([1.0], 0, True, 1), "given were 4 by position"),
    ],
)
def test_names_that_are_unknown_or_given_twice_are_refused(call, told):
    with pytest.raises(TypeError, match=told):
        call({name: op.public for name, op in OPERATIONS.items()})


# ---- what a user writes ------------------------------------------------------------------------


def test_what_cannot_work_is_refused_where_it_is_defined():
    with pytest.raises(TypeError, match=r"f: \*arguments stand alone"):

        @operation()
        def f(x, *rest):
            return x

    with pytest.raises(TypeError, match="f: the argument y has a default"):

        @operation()
        def f(x, y=2.0):
            return x

    with pytest.raises(TypeError, match=r"f: an option \(slope\) needs @operation"):

        @elementwise()
        def f(x, *, slope=0.1):
            return x


def test_what_a_function_returns_is_read_as_numbers():
    @elementwise(x=lambda g, out, x: g)
    def positive(x):
        return x > 0

    @operation(x=lambda g, out, x: g)
    def doubled(x):
        return [2 * v for v in x.flat]

    y = positive(Value(2.0))
    (y * 3.0).backward()
    assert type(y.data) is float
    assert [type(v) for v in positive(Value([1.0, -1.0])).data.flat] == [float, float]
    assert doubled(Value([1.0, 2.0])).data == Array([2.0, 4.0])


def test_a_rule_may_give_one_number_for_all_elements():
    @elementwise(x=lambda g, out, x: 0)
    def step(x):
        return float(x > 0)

    @operation(x=lambda g, out, x: g * Array([1.0, 1.0, 1.0]))
    def odd(x):
        return 1.0

    @operation(x=lambda g, out, x: [2, 2])
    def listed(x):
        return 2.0 * x

    x = Value([1.0, 2.0])
    step(x).sum().backward()
    assert x.grad == Array([0.0, 0.0])
    assert type(grad(step)(1.0)) is float
    listed(x).backward([1.0, 1.0])
    assert x.grad == Array([2.0, 2.0]) == grad(lambda x: total(listed(x)))([1.0, 2.0])
    assert jacobian(step)([1.0, 2.0]) == jacobian(step)(x).data == Array([[0.0, 0.0]] * 2)
    with pytest.raises(ValueError, match=r"a gradient of shape \(3,\) for .* shape is \(2,\)"):
        odd(x).backward()


def test_any_number_of_arguments_without_a_rule_are_owed_nothing():
    @operation()
    def count(*arrays):
        return float(len(arrays))

    x = Value(1.0)
    (count(x, 2.0) * x).backward()
    assert x.grad == 2.0
