"""The loop that learns, and what keeps watch over it.

    checkpoint    training that survives being killed
    parallel      the gradient as a sum over shards, one a process
    loop          the loop, and its history

The loop knows nothing of logistic regression.
"""

from .loop import DivergenceError, History, minimize
from .parallel import DataParallel

__all__ = ["DataParallel", "DivergenceError", "History", "minimize"]
