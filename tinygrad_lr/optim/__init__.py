"""Optimizers, by growing complexity. Each says what it adds to the one before."""

from .optimizer import Optimizer
from .sgd import SGD

__all__ = ["SGD", "Optimizer"]
