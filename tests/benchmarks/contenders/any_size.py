"""The limit without its short cut for one row: the form that takes any number of rows."""

from .hand import any_size


def logistic(problem):
    return any_size(problem) if problem.size == 1 else None
