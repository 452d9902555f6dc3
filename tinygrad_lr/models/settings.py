"""The settings of a model, as scikit-learn has them: read, changed, checked.

>>> from tinygrad_lr.models import LogisticRegression
>>> model = LogisticRegression(l2=0.5).set_params(epochs=3)
>>> model.get_params()["l2"], model.epochs
(0.5, 3)
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from numbers import Real
from typing import Any, Self

from .. import optim
from ..core.value import Value
from ..losses.checks import is_whole
from ..optim.line_search import ClosureOptimizer
from ..optim.optimizer import Optimizer, Schedule

__all__ = ["OPTIMIZERS", "Settings"]

OPTIMIZERS: dict[str, Callable[..., Optimizer]] = {
    name: kind
    for name, kind in vars(optim).items()
    if isinstance(kind, type) and issubclass(kind, Optimizer) and kind is not Optimizer
}


@dataclass(kw_only=True, eq=False)
class Settings:
    """The settings of both models.

    `optimizer`: a name in `optim`, a class, or a `functools.partial` of one. `lr`: learning rate,
    a number or a schedule; None means 0.1, and 1 for optimizers that evaluate the loss themselves
    (Newton, LBFGS, BacktrackingLineSearch). `epochs`: passes over the data at most.
    `batch_size`: rows a step; None: all of them, batch gradient descent. `l2`: adds l2 / 2 * |w|^2
    to the mean loss (scikit-learn's C is 1 / (n * l2)). `seed`: of the random start and of the
    shuffling. `tol`: stop early, as in `training.minimize`.
    """

    optimizer: str | Callable[..., Optimizer] = "SGD"
    lr: float | Schedule | None = None
    epochs: int = 100
    batch_size: int | None = 32
    l2: float = 0.0
    seed: int = 0
    tol: float = 0.0

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """The settings the model was made with. `deep` is for scikit-learn and changes nothing."""
        return {setting.name: getattr(self, setting.name) for setting in fields(self)}

    def set_params(self, **settings: Any) -> Self:
        """Change settings; the next `fit` uses them. Raises ValueError for an unknown one."""
        known = self.get_params()
        for name in settings:
            if name not in known:
                raise ValueError(f"no setting {name!r}; there are {', '.join(known)}")
        for name, setting in settings.items():
            setattr(self, name, setting)
        return self

    def check_settings(self) -> None:
        """Raise ValueError for a setting that cannot work."""
        make, lr, size = self.optimizer, self.lr, self.batch_size
        for name, fits, wanted in (
            ("optimizer", isinstance(make, str) or callable(make), "the name of one, or a class"),
            ("lr", lr is None or callable(lr) or _is_amount(lr), "a number, a schedule, or None"),
            ("epochs", is_whole(self.epochs, 0), "a whole number, at least 0"),
            ("batch_size", size is None or is_whole(size, 1), "at least 1, or None"),
            ("l2", _is_amount(self.l2), "a number, at least 0"),
            ("seed", is_whole(self.seed), "a whole number"),
            ("tol", _is_amount(self.tol), "a number, at least 0"),
        ):
            if not fits:
                raise ValueError(f"{name} is {getattr(self, name)!r}; it must be {wanted}")

    def make_optimizer(self, parameters: Sequence[Value]) -> Optimizer:
        """The optimizer of these settings, for these parameters."""
        make = self.optimizer
        if isinstance(make, str):
            if make not in OPTIMIZERS:
                known = ", ".join(OPTIMIZERS)
                raise ValueError(f"optimizer {make!r} is unknown; there are {known}")
            make = OPTIMIZERS[make]
        kind = getattr(make, "func", make)  # what a functools.partial will call
        evaluates_loss = isinstance(kind, type) and issubclass(kind, ClosureOptimizer)
        if evaluates_loss and self.batch_size is not None:
            raise ValueError(f"{kind.__name__} needs the loss of all rows: use batch_size=None")
        lr = self.lr if self.lr is not None else 1.0 if evaluates_loss else 0.1
        return make(parameters, lr=lr if callable(lr) else float(lr))


def _is_amount(x: Any) -> bool:
    """Whether x is a finite number, at least 0."""
    try:
        return isinstance(x, Real) and 0.0 <= float(x) < math.inf
    except OverflowError:  # an int beyond all floats
        return False
