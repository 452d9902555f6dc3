"""What all first-order optimizers share, each test on each of them.

The trajectories are PyTorch's (reference/make_trajectories.py).
"""

import inspect
import itertools
import json
import math
from fractions import Fraction
from pathlib import Path

import pytest
import hypothesis
from hypothesis import strategies as st

from tinygrad_lr import Value, optim
from tinygrad_lr.core.array import as_data

REFERENCE = json.loads(
    Path(__file__).parents[1].joinpath("reference", "trajectories.json").read_text(encoding="ascii")
)
PROBLEMS = REFERENCE["problems"]
RUNS = REFERENCE["runs"] + REFERENCE["runs_with_changing_rate"]
SETTINGS = [(run["optimizer"], run["kwargs"]) for run in RUNS if run["problem"] == "quadratic"]
FAMILY = list(REFERENCE["defaults"])


def named(setting):
    return setting if isinstance(setting, str) else json.dumps(setting)


each = pytest.mark.parametrize("name", FAMILY)
each_setting = pytest.mark.parametrize(("name", "options"), SETTINGS, ids=named)


def make(name, parameters, **options):
    return getattr(optim, name)(parameters, **options)


def quadratic(x, b):
    c, t = PROBLEMS["quadratic"]["c"], PROBLEMS["quadratic"]["t"]
    return 0.5 * (c * (x - t) ** 2).sum() + 0.5 * (b - 1) ** 2


def rosenbrock(xy):
    x, y = xy
    return (1 - x) ** 2 + 100 * (y - x**2) ** 2


FUNCTIONS = {"quadratic": quadratic, "rosenbrock": rosenbrock}


def start(problem="quadratic"):
    return [Value(numbers) for numbers in PROBLEMS[problem]["start"]]


def walk(optimizer, steps, function=quadratic):
    """The parameters after each step; a maximizing optimizer climbs the negated function."""
    for _ in range(steps):
        optimizer.zero_grad()
        loss = function(*optimizer.parameters)
        (-loss if optimizer.maximize else loss).backward()
        optimizer.step()
        yield [p.tolist() for p in optimizer.parameters]


def flat(tree):
    return sum(map(flat, tree), []) if isinstance(tree, list) else [tree]


def given(numbers, gradient):
    """A parameter with this gradient."""
    parameter = Value(numbers)
    parameter.grad = as_data(gradient)
    return parameter


# ---- PyTorch -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "run", RUNS, ids=lambda run: " ".join([run["optimizer"], run["problem"], named(run["kwargs"])])
)
def test_walks_where_pytorch_walks(run):
    options = dict(run["kwargs"])
    if "rate_decay" in run:
        first, decay = options["lr"], run["rate_decay"]
        options["lr"] = lambda step: first * decay**step
    optimizer = make(run["optimizer"], start(run["problem"]), **options)
    found, averages = [], []
    path = walk(optimizer, REFERENCE["steps"][-1], FUNCTIONS[run["problem"]])
    for step, numbers in enumerate(path, start=1):
        if step in REFERENCE["steps"]:
            found.append(numbers)
            if "averages" in run:
                averages.append([Value(a).tolist() for a in optimizer.averages()])
    expected = flat(run["values"]) + flat(run.get("averages", []))
    for a, b in zip(flat(found) + flat(averages), expected, strict=True):
        # Relative to the number itself, however small; 1e-15 is for those that are exactly 0.
        assert math.isclose(a, b, rel_tol=1e-10, abs_tol=1e-15)


@each
def test_options_and_defaults_are_those_of_pytorch(name):
    parameters = inspect.signature(getattr(optim, name)).parameters
    found = {k: p.default for k, p in parameters.items() if k != "parameters"}
    assert json.loads(json.dumps(found)) == REFERENCE["defaults"][name]
    assert list(found) == list(REFERENCE["defaults"][name])


# ---- the state ---------------------------------------------------------------------------


@each_setting
def test_saved_state_continues_bit_for_bit(name, options):
    original = make(name, start(), **options)
    *_, numbers = walk(original, 7)
    saved = json.dumps(original.state_dict())
    expected = list(walk(original, 7))
    restored = make(name, [Value(x) for x in numbers], **(options | {"lr": 123.0}))
    restored.load_state_dict(json.loads(saved))
    assert list(walk(restored, 7)) == expected
    assert restored.lr == options["lr"]
    assert restored.state_dict() == original.state_dict()


@each
def test_state_is_a_copy_in_both_directions(name):
    original = make(name, start())
    list(walk(original, 3))
    saved = original.state_dict()
    text = json.dumps(saved)
    other = make(name, [Value(p.data) for p in original.parameters])
    other.load_state_dict(saved)
    list(walk(original, 3))
    list(walk(other, 3))
    assert json.dumps(saved) == text


def test_schedule_continues_at_the_saved_step():
    schedule = optim.schedules.inverse_time_decay(1.0, decay=1.0)
    original = optim.SGD(start(), lr=schedule)
    list(walk(original, 3))
    restored = optim.SGD(start(), lr=schedule)
    restored.load_state_dict(json.loads(json.dumps(original.state_dict())))
    assert restored.lr == original.lr == 0.25


def state_of(name="Adam", numbers=(1.0, 2.0), count=1):
    optimizer = make(name, [given(numbers, numbers) for _ in range(count)])
    optimizer.step()
    return optimizer.state_dict()


@pytest.mark.parametrize(
    ("saved", "message"),
    [
        (state_of("AdamW"), "this state belongs to 'AdamW', not to 'Adam'"),
        (state_of(count=2), "this state has 2 parameters, here are 1"),
        (state_of(numbers=(1.0, 2.0, 3.0)), "mean has 3 numbers for a parameter of 2"),
        ({"state": {}, "param_groups": []}, "this state belongs to None"),
        (state_of() | {"lr": -1.0}, "lr is -1.0"),
        (state_of() | {"states": [{"t": -1e308}]}, "t is -1e"),
        (state_of() | {"states": [{"t": -1}]}, "t is -1; it counts"),
    ],
)
def test_foreign_state_is_refused_and_changes_nothing(saved, message):
    optimizer = optim.Adam([given([1.0, 2.0], [3.0, 4.0])])
    optimizer.step()
    before = optimizer.state_dict()
    with pytest.raises(ValueError, match=message):
        optimizer.load_state_dict(saved)
    assert optimizer.state_dict() == before


# ---- what is refused ---------------------------------------------------------------------

ADAM_FAMILY = ["Adam", "AdamW", "Adamax", "NAdam", "RAdam"]
WRONG = [
    *((name, {"lr": lr}) for name in FAMILY for lr in (-0.1, math.nan, math.inf)),
    *((name, {"weight_decay": -0.1}) for name in FAMILY if name != "Rprop"),
    *((name, {"eps": -1e-8}) for name in [*ADAM_FAMILY, "Adagrad", "Adadelta", "RMSprop"]),
    *(
        (name, {"betas": betas})
        for name in ADAM_FAMILY
        for betas in [(1.0, 0.9), (0.9, 1.0), (-0.1, 0.9), (0.9, -0.1), (math.nan, 0.9)]
    ),
    ("SGD", {"momentum": -0.1}),
    ("SGD", {"nesterov": True}),
    ("SGD", {"nesterov": True, "momentum": 0.9, "dampening": 0.1}),
    ("ASGD", {"lambd": -1.0}),
    ("ASGD", {"alpha": -1.0}),
    ("ASGD", {"t0": -1.0}),
    ("Adagrad", {"lr_decay": -1.0}),
    ("Adagrad", {"initial_accumulator_value": -1.0}),
    ("RMSprop", {"alpha": 1.0}),
    ("RMSprop", {"momentum": -1.0}),
    ("Adadelta", {"rho": 1.0}),
    ("Adadelta", {"rho": -0.1}),
    ("Rprop", {"etas": (0.0, 1.2)}),
    ("Rprop", {"etas": (0.5, 1.0)}),
    ("Rprop", {"etas": (1.0, 1.2)}),
    ("Rprop", {"etas": (1.2, 0.5)}),
    ("Rprop", {"step_sizes": (1.0, 0.1)}),
    ("Rprop", {"step_sizes": (-1.0, 0.1)}),
    ("NAdam", {"momentum_decay": -1.0}),
]


@pytest.mark.parametrize(("name", "options"), WRONG, ids=str)
def test_impossible_options_are_refused_by_name(name, options):
    (option, *_) = options
    with pytest.raises(ValueError, match=option.removesuffix("s")):
        make(name, [Value(1.0)], **options)


def test_what_an_option_must_be_is_said():
    with pytest.raises(ValueError, match=r"eps is -1.0; it must be at least 0 and finite"):
        make("Adam", [Value(1.0)], eps=-1.0)
    with pytest.raises(ValueError, match=r"rho is 1.0; it must be at least 0 and below 1$"):
        make("Adadelta", [Value(1.0)], rho=1.0)


@each
def test_parameters_are_distinct_leaves(name):
    w = Value(1.0)
    with pytest.raises(ValueError, match="at least one parameter"):
        make(name, [])
    with pytest.raises(ValueError, match="twice"):
        make(name, [w, Value(2.0), w])
    with pytest.raises(TypeError, match="leaf.*operation='multiply'"):
        make(name, [w, w * 2.0])
    with pytest.raises(TypeError, match="leaf.*1.5"):
        make(name, [1.5])
    make(name, (p for p in [w, Value(1.0)]))  # equal numbers are not the same parameter


# ---- steps -------------------------------------------------------------------------------


@each
def test_step_before_any_backward_warns_and_moves_nothing(name):
    w = Value([1.0, 2.0])
    optimizer = make(name, [w], lr=0.1)
    with pytest.warns(UserWarning, match="no parameter has a gradient.*backward"):
        optimizer.step()
    assert w.tolist() == [1.0, 2.0]


@each
def test_backward_without_zero_grad_warns(name):
    w = Value(1.0)
    optimizer = make(name, [w], lr=0.1)
    (w * w).backward()
    optimizer.step()
    with pytest.warns(UserWarning, match="zero_grad"):
        (w * w).backward()
    optimizer.zero_grad()
    assert w.grad is None
    (w * w).backward()  # no warning: it would be an error


@each
def test_descends_and_with_maximize_climbs(name):
    for maximize, sign in (False, 1.0), (True, -1.0):
        w = Value([2.0, -1.0])
        optimizer = make(name, [w], lr=0.01, maximize=maximize)
        losses = []
        for _ in range(20):
            optimizer.zero_grad()
            loss = sign * (w * w).sum()
            loss.backward()
            losses.append(sign * loss.data)
            optimizer.step()
        assert all(later < earlier for earlier, later in itertools.pairwise(losses))


@each_setting
def test_maximize_is_the_same_walk_on_the_negated_function(name, options):
    one = make(name, start(), **(options | {"maximize": False}))
    other = make(name, start(), **(options | {"maximize": True}))
    assert list(walk(one, 5)) == list(walk(other, 5))


@each_setting
def test_parameter_without_gradient_is_left_alone_and_does_not_age(name, options):
    used, unused = Value([1.0, 2.0]), Value([3.0, 4.0])
    optimizer = make(name, [used, unused], **options)
    for _ in range(3):
        optimizer.zero_grad()
        (used * used).sum().backward()
        optimizer.step()
    assert used.tolist() != [1.0, 2.0]
    assert unused.tolist() == [3.0, 4.0]
    unused.grad = as_data([0.5, -0.5])
    optimizer.step()
    fresh = given([3.0, 4.0], [0.5, -0.5])
    make(name, [fresh], **options).step()
    assert unused.data == fresh.data


histories = st.lists(st.tuples(*[st.none() | st.floats(-3, 3)] * 3), max_size=8)


@each_setting
@hypothesis.settings(max_examples=15)
@hypothesis.given(histories, st.booleans())
def test_parameters_are_updated_together_as_each_would_be_alone(name, options, history, resume):
    starts = [0.5, [1.0, -2.0], [[0.3], [0.4]]]
    alone, joint = [Value(x) for x in starts], [Value(x) for x in starts]
    each_its_own = [make(name, [p], **options) for p in alone]
    optimizer = make(name, joint, **options)
    for gradients in history:
        for p, q, own, d in zip(alone, joint, each_its_own, gradients):
            p.grad = q.grad = None if d is None else d * p.data
            if d is not None:
                own.step()
        if any(d is not None for d in gradients):
            optimizer.step()
        if resume:
            saved = json.loads(json.dumps(optimizer.state_dict()))
            optimizer = make(name, joint, **options)
            optimizer.load_state_dict(saved)
    assert [p.data for p in joint] == [p.data for p in alone]
    assert optimizer.states == [own.states[0] for own in each_its_own]


@each_setting
def test_scalars_vectors_and_matrices_walk_alike(name, options):
    numbers, factors = [1.5, -0.25, 3.0, 0.0], [2.0, 30.0, 0.1, 5.0]
    scalars = [Value(x) for x in numbers]
    vector, matrix = Value(numbers), Value([numbers[:2], numbers[2:]])
    weights = Value([factors[:2], factors[2:]]).data

    def losses():
        total = 0.0
        for x, c in zip(scalars, factors):
            total = total + c * (x - 1.0) ** 2
        yield total
        yield (factors * (vector - 1.0) ** 2).sum()
        yield (weights * (matrix - 1.0) ** 2).sum()

    optimizers = [make(name, p, **options) for p in (scalars, [vector], [matrix])]
    for _ in range(5):
        for optimizer, loss in zip(optimizers, losses()):
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    assert all(type(x.data) is float for x in scalars)
    assert [x.data for x in scalars] == vector.tolist() == flat(matrix.tolist())


@each_setting
def test_numbers_that_are_not_finite_raise_nothing_and_stay_where_they_are(name, options):
    strange = [math.inf, -math.inf, math.nan, 1e300, -1e-320, 0.0]
    together = make(name, [Value([1.0] * 7)], **options)
    alone = make(name, [Value(1.0)], **options)
    for _ in range(3):
        together.parameters[0].grad = as_data([*strange, 0.5])
        alone.parameters[0].grad = 0.5
        together.step()
        alone.step()
    assert together.parameters[0].tolist()[-1] == alone.parameters[0].data


@each
def test_tensors_without_elements_are_allowed(name):
    w = Value([])
    optimizer = make(name, [w])
    for _ in range(2):
        w.grad = as_data([])
        optimizer.step()
    assert w.tolist() == []


# ---- the rate ----------------------------------------------------------------------------


def test_rate_may_be_a_number_or_a_schedule_and_be_replaced():
    w = given(1.0, 1.0)
    optimizer = optim.SGD([w], lr=lambda step: 0.5 / (1 + step))
    assert optimizer.lr == 0.5
    optimizer.step()
    assert (w.data, optimizer.lr) == (0.5, 0.25)
    optimizer.lr = 0.125
    optimizer.step()
    assert (w.data, optimizer.lr) == (0.375, 0.125)
    with pytest.raises(ValueError, match="lr is -1"):
        optimizer.lr = -1
    assert optimizer.lr == 0.125


@pytest.mark.parametrize("rate", [-0.1, math.nan, math.inf])
def test_impossible_rate_of_a_schedule_stops_the_step_before_anything_moves(rate):
    w = given(1.0, 1.0)
    optimizer = optim.Adam([w], lr=lambda step: rate)
    with pytest.raises(ValueError, match="lr is"):
        optimizer.step()
    assert (w.data, optimizer.steps, optimizer.states) == (1.0, 0, [{}])


# ---- weight decay ------------------------------------------------------------------------


@pytest.mark.parametrize("name", [name for name in FAMILY if name not in ("AdamW", "Rprop")])
def test_weight_decay_is_an_explicit_penalty(name):
    inside = make(name, start(), lr=0.001, weight_decay=0.3)
    beside = make(name, start(), lr=0.001)

    def penalised(x, b):
        return quadratic(x, b) + 0.3 / 2 * ((x * x).sum() + b * b)

    for one, other in zip(walk(inside, 10), walk(beside, 10, penalised)):
        assert flat(one) == pytest.approx(flat(other), rel=1e-10, abs=1e-15)


def test_a_schedule_outlives_the_number_in_a_checkpoint():
    w = Value(1.0)
    saved = optim.SGD([w], lr=0.5).state_dict()
    optimizer = optim.SGD([w], lr=lambda step: 0.1 / (step + 1))
    optimizer.load_state_dict(saved)
    assert optimizer.lr == 0.1
    optimizer = optim.SGD([w], lr=Fraction(1, 4))  # any real number
    assert optimizer.lr == 0.25
