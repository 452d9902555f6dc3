"""From likelihood to loss: how wrong a model is, in one number.

    checks        what users pass in: shapes, labels, finite numbers
    likelihood    likelihood, log-likelihood, cross-entropy, spelled out: read this
    fused         the losses of logits in one operation each
    linear        the same with the layer of weights in front of them

The losses are functions of `tinygrad_lr` too. The checks also serve `data`, `metrics`,
`convexity` and `models`.
"""

from . import fused, likelihood, linear
from .fused import *
from .likelihood import *
from .linear import *

__all__ = [*likelihood.__all__, *fused.__all__, *linear.__all__]
