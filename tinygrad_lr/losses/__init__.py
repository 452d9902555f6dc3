"""From likelihood to loss: how wrong a model is, in one number.

    targets       what losses are given, checked
    likelihood    likelihood, log-likelihood, cross-entropy
    linear        cross-entropy of linear scores, in one step

The losses are functions of `tinygrad_lr` too.
"""

from . import likelihood, linear
from .likelihood import *
from .linear import *

__all__ = [*likelihood.__all__, *linear.__all__]
