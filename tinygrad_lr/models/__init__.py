"""Estimators: logistic regression for two classes and for several, ready to use.

    linear    LogisticRegression, SoftmaxRegression

Names follow scikit-learn.
"""

from .linear import LogisticRegression, SoftmaxRegression

__all__ = ["LogisticRegression", "SoftmaxRegression"]
