"""Every run tries the same examples, and leaves nothing behind in the working tree.

Under `--cov` each line of the package costs twice what it does otherwise. So what runs a few
lines very often, or runs the lessons, is not traced (`no_cover` of pytest-cov); that all lines
and branches are tested is shown by the others.
"""

import tempfile
from pathlib import Path

import pytest
from hypothesis import settings
from hypothesis.configuration import set_hypothesis_home_dir

from tinygrad_lr.core.operation import OPERATIONS

set_hypothesis_home_dir(Path(tempfile.gettempdir()) / "tinygrad_lr_hypothesis")
settings.register_profile("fixed", derandomize=True, deadline=None, database=None)
settings.load_profile("fixed")

UNTRACED = {  # files and tests
    "test_a_chain_of_a_million_operations",
    "test_a_hundred_thousand_nodes_are_no_problem",
    "test_a_long_chain_needs_no_recursion",
    "test_breast_cancer_is_separable",
    "test_course_map",
    "test_digits_by_softmax",
    "test_exercises",
    "test_gradient_algebra",
    "test_killed_at_a_hundred_random_moments_it_always_resumes",
    "test_lessons",
    "test_only_inverse_time_decay_satisfies_robbins_and_monro",
    "test_plain_gradient_descent_gets_there_too",
    "test_random_expressions_round_trip",
    "test_routes",
    "test_separability_by_elimination",
    "test_the_penalty_leaves_the_intercept_alone",
}


def pytest_collection_modifyitems(items):
    for item in items:
        if {item.path.stem, item.name.partition("[")[0]} & UNTRACED:
            item.add_marker("no_cover")


@pytest.fixture
def new_operations():
    """Operations that a test registers are gone after it."""
    before = dict(OPERATIONS)
    yield
    OPERATIONS.clear()
    OPERATIONS.update(before)
