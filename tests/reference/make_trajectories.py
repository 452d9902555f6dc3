"""Write trajectories.json: where PyTorch's optimizers walk, step by step.

    pip install torch==2.13.0 && python tests/reference/make_trajectories.py

Every optimizer takes 100 steps on two functions to be minimised, from fixed starts:

    quadratic    0.5 * sum(c * (x - t)**2) + 0.5 * (b - 1)**2, with x of four elements
                 and b a scalar: two parameters, curvatures from 100 down to 0.01
    rosenbrock   (1 - x)**2 + 100 * (y - x**2)**2, one parameter [x, y]: a bent valley

A run is `{"optimizer", "kwargs", "problem", "values", "wobble"}`; `values[i]` lists
the parameters after `steps[i]` steps. With `"maximize": true` the function is negated,
so that the walk is still downhill. `rate_decay` (under `runs_with_changing_rate`) sets
the rate before step k = 0, 1, ... to lr * rate_decay**k: only there does it show
whether the rate stands inside or outside of the velocity. ASGD's runs have `averages`
too, the running averages of the parameters, which PyTorch keeps in `state["ax"]`.

`wobble` tells how far rounding alone can move a run: the largest relative difference
between PyTorch's two implementations (foreach True and False), and between starts one
part in 1e15 apart (zeros stay zeros). Rates are chosen to keep it below 1e-11. A test
should allow a few times the run's own wobble, and at least 1e-12.

The default type is float64: otherwise PyTorch keeps some scalars of its optimizers
(NAdam's product of momenta, ASGD's rate) in float32 even when parameters are float64.
"""

import inspect
import json
import math
from pathlib import Path

import torch

OUTPUT = Path(__file__).with_name("trajectories.json")
STEPS = [1, 2, 3, 5, 10, 20, 50, 100]
NOT_MATHEMATICS = {"params", "foreach", "fused", "capturable", "differentiable"}

CURVATURES, TARGETS = [100.0, 10.0, 1.0, 0.01], [1.0, -2.0, 3.0, -4.0]
PROBLEMS = {
    "quadratic": {
        "formula": "0.5 * sum(c * (x - t)**2) + 0.5 * (b - 1)**2",
        "c": CURVATURES,
        "t": TARGETS,
        "start": [[0.0, 0.0, 0.0, 0.0], 0.0],
    },
    "rosenbrock": {
        "formula": "(1 - x)**2 + 100 * (y - x**2)**2",
        "start": [[-1.2, 1.0]],
    },
}


def quadratic(x, b):
    c, t = torch.tensor(CURVATURES), torch.tensor(TARGETS)
    return 0.5 * (c * (x - t) ** 2).sum() + 0.5 * (b - 1) ** 2


def rosenbrock(xy):
    x, y = xy
    return (1 - x) ** 2 + 100 * (y - x**2) ** 2


FUNCTIONS = {"quadratic": quadratic, "rosenbrock": rosenbrock}

# The first setting of each optimizer is its defaults (but for ASGD); then every option
# on its own, then some together.
SETTINGS = {
    "SGD": [
        dict(lr=0.001),
        dict(lr=0.0005, momentum=0.9),
        dict(lr=0.001, momentum=0.5, dampening=0.3),
        dict(lr=0.0005, momentum=0.9, nesterov=True),
        dict(lr=0.001, weight_decay=0.1),
        dict(lr=0.001, maximize=True),
        dict(lr=0.0005, momentum=0.8, dampening=0.1, weight_decay=0.5, maximize=True),
        dict(lr=0.0005, momentum=0.9, weight_decay=0.1, nesterov=True, maximize=True),
    ],
    "Adagrad": [
        dict(lr=0.01),
        dict(lr=0.5),
        dict(lr=0.5, lr_decay=0.05),
        dict(lr=0.5, weight_decay=0.1),
        dict(lr=0.5, initial_accumulator_value=2.0),
        dict(lr=0.5, eps=0.1),
        dict(lr=0.5, maximize=True),
        dict(lr=0.3, lr_decay=0.01, weight_decay=0.2, initial_accumulator_value=0.5,
             eps=1e-3, maximize=True),
    ],
    "Adadelta": [
        dict(lr=1.0),
        dict(lr=0.5),
        dict(lr=0.5, rho=0.5),
        dict(lr=1.0, eps=1e-5),
        dict(lr=1.0, weight_decay=0.1),
        dict(lr=1.0, maximize=True),
        dict(lr=0.3, rho=0.7, eps=1e-5, weight_decay=0.2, maximize=True),
    ],
    "RMSprop": [
        dict(lr=0.01),
        dict(lr=0.003, alpha=0.9),
        dict(lr=0.01, eps=0.1),
        dict(lr=0.01, weight_decay=0.1),
        dict(lr=0.001, momentum=0.9),
        dict(lr=0.001, centered=True),
        dict(lr=0.01, maximize=True),
        dict(lr=0.001, alpha=0.95, eps=1e-4, weight_decay=0.2, momentum=0.5,
             centered=True, maximize=True),
    ],
    "Adam": [
        dict(lr=0.001),
        dict(lr=0.1),
        dict(lr=0.01, betas=(0.5, 0.9)),
        dict(lr=0.02, betas=(0.0, 0.99)),
        dict(lr=0.05, eps=0.1),
        dict(lr=0.05, weight_decay=0.1),
        dict(lr=0.1, amsgrad=True),
        dict(lr=0.1, betas=(0.8, 0.9), amsgrad=True),
        dict(lr=0.05, maximize=True),
        dict(lr=0.05, weight_decay=0.1, decoupled_weight_decay=True),
        dict(lr=0.05, betas=(0.8, 0.95), eps=1e-3, weight_decay=0.2, amsgrad=True,
             maximize=True),
    ],
    "AdamW": [
        dict(lr=0.001),
        dict(lr=0.05),
        dict(lr=0.01, betas=(0.5, 0.9)),
        dict(lr=0.05, eps=0.1),
        dict(lr=0.05, weight_decay=0.0),
        dict(lr=0.05, weight_decay=0.5),
        dict(lr=0.1, amsgrad=True),
        dict(lr=0.05, maximize=True),
        dict(lr=0.05, betas=(0.8, 0.9), eps=1e-3, weight_decay=0.2, amsgrad=True,
             maximize=True),
    ],
    "Adamax": [
        dict(lr=0.002),
        dict(lr=0.05),
        dict(lr=0.01, betas=(0.7, 0.9)),
        dict(lr=0.05, eps=0.1),
        dict(lr=0.05, weight_decay=0.1),
        dict(lr=0.05, maximize=True),
        dict(lr=0.05, betas=(0.8, 0.95), eps=1e-3, weight_decay=0.2, maximize=True),
    ],
    "NAdam": [
        dict(lr=0.002),
        dict(lr=0.05),
        dict(lr=0.005, betas=(0.7, 0.9)),
        dict(lr=0.05, eps=0.1),
        dict(lr=0.05, weight_decay=0.1),
        dict(lr=0.05, weight_decay=0.1, decoupled_weight_decay=True),
        dict(lr=0.05, momentum_decay=0.1),
        dict(lr=0.05, maximize=True),
        dict(lr=0.05, betas=(0.8, 0.95), eps=1e-3, weight_decay=0.2,
             momentum_decay=0.02, decoupled_weight_decay=True, maximize=True),
    ],
    "RAdam": [
        dict(lr=0.001),
        dict(lr=0.002, betas=(0.5, 0.9)),
        dict(lr=0.001, betas=(0.9, 0.6)),  # rho never exceeds 5: no rectified step
        dict(lr=0.001, betas=(0.9, 0.7)),  # rho exceeds 5 late
        dict(lr=0.001, eps=0.1),
        dict(lr=0.001, weight_decay=0.1),
        dict(lr=0.001, weight_decay=0.5, decoupled_weight_decay=True),
        dict(lr=0.001, maximize=True),
        dict(lr=0.002, betas=(0.8, 0.95), eps=1e-3, weight_decay=0.2,
             decoupled_weight_decay=True, maximize=True),
    ],
    "Rprop": [
        dict(lr=0.01),
        dict(lr=0.1),
        dict(lr=0.01, etas=(0.3, 1.5)),
        dict(lr=0.01, step_sizes=(5e-3, 0.02)),
        dict(lr=0.5, etas=(0.5, 2.0)),  # powers of two: lands where a gradient is zero
        dict(lr=0.01, maximize=True),
        dict(lr=0.02, etas=(0.4, 1.3), step_sizes=(1e-4, 0.1), maximize=True),
    ],
    "ASGD": [
        dict(lr=0.001),  # its default of 0.01 diverges on rosenbrock
        dict(lr=0.001, lambd=0.5),
        dict(lr=0.001, lambd=10.0, alpha=0.5),
        dict(lr=0.001, t0=10.0),
        dict(lr=0.001, weight_decay=0.1),
        dict(lr=0.001, maximize=True),
        dict(lr=0.0005, lambd=0.2, alpha=0.9, t0=5.0, weight_decay=0.2, maximize=True),
    ],
}  # fmt: skip

CHANGING_RATE = {
    "SGD": [
        dict(lr=0.001, momentum=0.9, dampening=0.2),
        dict(lr=0.001, weight_decay=0.1),
    ],
    "Adagrad": [dict(lr=0.5, lr_decay=0.01)],
    "Adadelta": [dict(lr=1.0)],
    "RMSprop": [dict(lr=0.002, momentum=0.9)],
    "Adam": [dict(lr=0.1, weight_decay=0.1)],
    "AdamW": [dict(lr=0.1, weight_decay=0.5)],
    "Adamax": [dict(lr=0.1)],
    "NAdam": [dict(lr=0.05)],
    "RAdam": [dict(lr=0.002)],
    "Rprop": [dict(lr=0.01)],
    "ASGD": [dict(lr=0.001, lambd=0.5)],
}
RATE_DECAY = 0.95


def walk(name, kwargs, problem, rate_decay=1.0, foreach=False, stretch=1.0):
    """Take the steps; give the parameters, and ASGD's averages, at the listed ones."""
    start = PROBLEMS[problem]["start"]
    parameters = [torch.tensor(p).mul(stretch).requires_grad_() for p in start]
    function = FUNCTIONS[problem]
    optimizer = getattr(torch.optim, name)(parameters, foreach=foreach, **kwargs)
    values, averages = [], []
    for step in range(1, max(STEPS) + 1):
        optimizer.param_groups[0]["lr"] = kwargs["lr"] * rate_decay ** (step - 1)
        optimizer.zero_grad()
        loss = function(*parameters)
        (-loss if kwargs.get("maximize") else loss).backward()
        optimizer.step()
        if step in STEPS:
            values.append([p.tolist() for p in parameters])
            states = [optimizer.state[p] for p in parameters]
            averages.append([state["ax"].tolist() for state in states if "ax" in state])
    return {"values": values, "averages": averages}


def numbers(tree):
    """The floats of a nested list, in order."""
    return sum(map(numbers, tree), []) if isinstance(tree, list) else [tree]


def distance(one, other):
    """The largest difference between two walks, relative to numbers above one."""
    pairs = zip(numbers(one["values"]), numbers(other["values"]), strict=True)
    return max(abs(a - b) / max(1.0, abs(a)) for a, b in pairs)


def run(name, kwargs, problem, **rate):
    """One entry of the file, checked to be finite and to stay near."""
    main = walk(name, kwargs, problem, **rate)
    assert all(math.isfinite(v) and abs(v) < 10 for v in numbers(main["values"])), (
        name, kwargs, problem, main["values"])  # fmt: skip
    others = [
        walk(name, kwargs, problem, foreach=True, **rate),
        walk(name, kwargs, problem, stretch=1 + 1e-15, **rate),
    ]
    entry = {"optimizer": name, "kwargs": kwargs, "problem": problem, **rate}
    entry["values"] = main["values"]
    if name == "ASGD":
        entry["averages"] = main["averages"]
    entry["wobble"] = max(distance(main, other) for other in others)
    assert entry["wobble"] < 1e-11, entry
    return entry


def runs(settings, **rate):
    return [
        run(name, kwargs, problem, **rate)
        for name, choices in settings.items()
        for kwargs in choices
        for problem in PROBLEMS
    ]


def defaults(name):
    """An optimizer's keyword arguments and defaults, machine switches left out."""
    parameters = inspect.signature(getattr(torch.optim, name)).parameters
    return {k: p.default for k, p in parameters.items() if k not in NOT_MATHEMATICS}


def rows(items):
    """A JSON list with one item a line."""
    return "[\n" + ",\n".join(json.dumps(item) for item in items) + "\n]"


if __name__ == "__main__":
    torch.set_default_dtype(torch.float64)
    torch.set_num_threads(1)
    sections = {
        "torch": json.dumps(torch.__version__),
        "steps": json.dumps(STEPS),
        "problems": json.dumps(PROBLEMS),
        "defaults": json.dumps({name: defaults(name) for name in SETTINGS}),
        "runs": rows(runs(SETTINGS)),
        "runs_with_changing_rate": rows(runs(CHANGING_RATE, rate_decay=RATE_DECAY)),
    }
    text = ",\n".join(f'"{key}": {section}' for key, section in sections.items())
    OUTPUT.write_text("{\n" + text + "\n}\n", encoding="ascii")
