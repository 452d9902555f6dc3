"""The estimators: learn from rows, predict, save, load.

    settings    what a model is made with
    base        the fitted state, batches, files
    linear      LogisticRegression, SoftmaxRegression: read this

Names follow scikit-learn.
"""

from .linear import LogisticRegression, SoftmaxRegression

__all__ = ["LogisticRegression", "SoftmaxRegression"]
