"""From likelihood to loss: how wrong a model is, in one number.

    checks        what users pass in: shapes, labels, finite numbers
    likelihood    likelihood, log-likelihood, cross-entropy, spelled out: read this
    distances     other distributions, and distances between distributions
    fused         the losses of logits in one operation each
    linear        the same with the layer of weights in front of them

The losses are functions of `tinygrad_lr` too. The checks also serve `data`, `metrics`,
`convexity` and `models`.
"""

from .distances import *
from .fused import *
from .likelihood import *
from .linear import *

__all__ = [
    "bernoulli_log_likelihood", "binary_cross_entropy", "binary_cross_entropy_with_logits",
    "categorical_log_likelihood", "cross_entropy", "entropy", "gaussian_negative_log_likelihood",
    "kl_divergence", "linear_binary_cross_entropy", "linear_cross_entropy", "mean_squared_error",
    "negative_log_likelihood",
]  # fmt: skip
