"""The loop that learns, and what watches over it.

    history       what happened, step by step; or why it went wrong
    watching      numbers that are not finite, and reasons to stop
    checkpoint    a run that was killed goes on as if nothing had happened
    loop          the loop itself: read this
    parallel      the gradient as a sum over shards, one a process

The loop knows nothing of logistic regression.
"""

from .history import DivergenceError, History
from .loop import minimize
from .parallel import DataParallel

__all__ = ["DataParallel", "DivergenceError", "History", "minimize"]
