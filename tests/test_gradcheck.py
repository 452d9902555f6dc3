"""The check itself: it passes what is right, finds what is wrong, and says what it looks like."""

import math
import re

import pytest

from tinygrad_lr import (
    Array, Value, binary_cross_entropy, cos, elementwise, exp, grad, gradcheck, log, log_softmax,
    matmul, operation, relu, sigmoid, sin, softmax, sqrt,
)  # fmt: skip


pytestmark = pytest.mark.usefixtures("new_operations")


def square(slope):
    """x * x with a rule that claims this slope."""

    @elementwise(x=lambda g, out, x: g * slope(x))
    def square(x):
        return x * x

    return square


def message(f, *inputs, **options):
    with pytest.raises(AssertionError) as error:
        gradcheck(f, *inputs, **options)
    return str(error.value)


# ---- what is right passes --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("f", "inputs"),
    [
        (lambda x: x * x, (3.0,)),
        (lambda x: x * x, (0,)),
        (lambda x, y: sin(x) * exp(y), ([0.5, 1.0], 0.3)),
        (lambda x, y: matmul(x, y), ([[0.5, 1.0], [2.0, -1.0]], (1, 2))),
        (lambda x: sqrt(x), ([0.3, 1.0, 1e6],)),
        (lambda x: log(x), (0.3,)),
        (lambda x: 1e12 + x, (1.0,)),  # rounding swamps the quotient, and is allowed for
        (lambda x: x * 1e-12, (1.0,)),
        (lambda x: 3.0, (1.0,)),
        (lambda: 3.0, ()),
        (lambda x: x.sum(), (Array([[1, 2]]),)),
        (lambda x: sigmoid(x), (Value([0.5, -2.0]),)),
        # Where a thousandth is a long way: near a pole, far out, beside a kink.
        (lambda x: log(x), (0.01,)),
        (lambda x: 1.0 / x, (0.02,)),
        (lambda x: sqrt(x), (1e-4,)),
        (lambda x: exp(x), (200.0,)),
        (lambda x: sin(x), ([300.0, 1e4],)),
        (lambda x: relu(x), ([2e-4, 6e-4, -7e-4],)),
        (lambda x: x.max(), ([1.0, 1.0007],)),
        (lambda p: binary_cross_entropy(p, [0.0, 1.0]), ([0.0005, 0.5],)),  # an end of the domain
        # What cancels to nothing but rounding.
        (lambda x: (sin(x) ** 2 + cos(x) ** 2).sum(), ([-2.4, 0.9],)),
        (lambda x: exp(log_softmax(x)).sum(), ([0.1, 0.2, 0.4],)),
        (lambda x: log(exp(x)) - x, (0.3,)),
        (lambda x: softmax(x).sum(), ([],)),
    ],
)
def test_right_derivatives_pass(f, inputs):
    assert gradcheck(f, *inputs) is True


def test_inputs_are_left_alone():
    x = Value([1.0, 2.0])
    gradcheck(lambda x: x * x, x)
    assert (x.grad, x.tolist()) == (None, [1.0, 2.0])


def test_any_order():
    cube = lambda x: x**3
    for order in (0, 1, 2, 3, 4):
        assert gradcheck(cube, 1.5, order=order)

    @elementwise(x=lambda g, out, x: g * cosine(x))
    def sine(x):
        return math.sin(x)

    @elementwise(x=lambda g, out, x: g * sine(x))  # the sign is wrong
    def cosine(x):
        return math.cos(x)

    assert gradcheck(sine, 0.7, order=1)
    assert "derivative of order 2 by input 0" in message(sine, 0.7)


def test_each_element_and_each_input_is_checked():
    for wrong in range(3):
        slopes = [2.0, 2.0, 2.0]
        slopes[wrong] = 2.5

        @operation(x=lambda g, out, x: g * x * slopes)
        def squares(x):
            return x * x

        assert f"input 0, element {wrong} of 3" in message(squares, [1.0, 2.0, 3.0])
        shown = message(lambda a, b: a.sum() + squares(b).sum(), 1.0, [1.0, 2.0, 3.0])
        assert f"input 1, element {wrong} of 3" in shown


def test_tolerances():
    f = square(lambda x: 2.001 * x)
    assert gradcheck(f, 3.0, relative_tolerance=1e-2)
    assert gradcheck(f, 1e-3, absolute_tolerance=1e-2)
    with pytest.raises(AssertionError):
        gradcheck(f, 3.0)


# ---- what is wrong is described --------------------------------------------------------------


def test_the_message_shows_input_element_and_both_numbers():
    f = square(lambda x: 3 * x)
    shown = (
        r"derivative by input 0, element 0 of 2, at 1.0: the rules give 3.0, finite differences "
    )
    assert re.match(shown + r"(2\.0|1\.99999)", message(f, [1.0, 2.0]))
    assert re.match("derivative by input 0, at 2.0: the rules give 6.0", message(f, 2.0))


@pytest.mark.parametrize(
    ("slope", "points", "diagnosis"),
    [
        (lambda x: -2 * x, [1.0, 2.0], "wrong sign"),
        (lambda x: -2 * x, 0.01, "wrong sign"),
        (lambda x: 4 * x, [1.0, 2.0], "every wrong number is 2 times the right one"),
        (lambda x: x, [1.0, 2.0], "every wrong number is 0.5 times the right one"),
        (lambda x: -x, [1.0, 2.0], "every wrong number is -0.5 times the right one"),
        (lambda x: 2 * x + 1, [1.0, 2.0], "a missing term: there is no common factor"),
        (
            lambda x: 3 * x,
            2.0,
            "1.5 times what it should be, and 2 more: a factor, or a missing term",
        ),
        (lambda x: 0 * x, [1.0, 2.0], "The rules give 0: a missing rule."),
        (lambda x: x + 2, [2.0, 1.0, -3.0], "missing term|times what it should be"),
    ],
)
def test_what_the_error_looks_like(slope, points, diagnosis):
    shown = message(square(slope), points)
    assert any(part in shown for part in diagnosis.split("|"))


def test_a_sign_is_not_taken_for_a_kink_where_the_function_bends_sharply():
    steep = square(lambda x: -2 * x)
    for scale in (1.0, 1e3, 1e6):
        assert "wrong sign" in message(lambda x, scale=scale: steep(x) * scale, 0.01)
    assert "wrong sign" in message(lambda x: steep(x**1.5) * 1e8, 0.01)


def test_a_rule_that_reads_data_is_found_at_order_2():
    @elementwise(x=lambda g, out, x: g * 2 * (x.data if type(x) is Value else x))
    def peeking(x):
        return x * x

    assert gradcheck(peeking, 3.0, order=1)
    shown = message(peeking, 3.0)
    assert "of order 2" in shown
    assert "a missing rule, or one that reads .data and so hides its inputs" in shown


@pytest.mark.parametrize("scale", [1.0, 1e-1, 1e4])
def test_a_kink(scale):
    shown = message(lambda x: relu(x - 1.0) * scale + x, [1.0, 0.0])
    assert "element 0 of 2" in shown
    assert "It looks like a kink: the slope is 1 on the left" in shown
    assert f"and {1 + scale:.6g} on the right; move the point away" in shown


def test_a_kink_that_the_first_order_cannot_see():
    assert gradcheck(abs, 0.0, order=1)
    assert "The function jumps here, as a derivative does at a kink" in message(abs, 0.0)


def test_a_jump():
    shown = message(lambda x: (x > 1.0) * 1.0 + x, 1.0)
    assert "The function jumps here; move the point away" in shown


@pytest.mark.parametrize("f", [log, lambda x: 1 / x])
def test_a_function_that_is_not_finite_here(f):
    assert "not finite near this point: check it elsewhere" in message(f, 0.0)


def test_a_gradient_of_another_shape():
    @operation(x=lambda g, out, x: g * Array([[1.0, 1.0]]))
    def added(x):
        return math.fsum(x.flat)

    assert message(added, [1.0, 2.0]) == "input 0 has shape (2,), its gradient (1, 2)"


def test_the_check_uses_the_rules_that_training_uses():
    assert grad(square(lambda x: 5 * x))(1.0) == 5.0


@pytest.mark.parametrize(
    ("rule", "told"),
    [
        (lambda g, out, x: 2.0 * x, "four times the function has 1.4 where it has 1.4"),
        (lambda g, out, x: g * g * 2.0 * x, "has 22.4"),
    ],
)
def test_a_scalar_does_not_hide_a_rule_that_forgets_what_is_owed(rule, told):
    @operation(x=rule)
    def sum_of_squares(x):
        return math.fsum(v * v for v in x.flat)

    found = message(sum_of_squares, [0.7, 0.2])
    assert told in found and "A rule forgets g, or uses it twice." in found
