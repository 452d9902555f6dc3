"""Every run tries the same examples, and leaves nothing behind in the working tree.

Under `--cov` each line of the package costs twice what it does otherwise. So what runs a few
lines very often, or runs the lessons, is not traced (`no_cover` of pytest-cov); that all lines
and branches are tested is shown by the others.

`pytest -m "not slow"` is the quick selection, under half a minute on one core. It leaves out
what is not traced, and what starts other processes or tries hundreds of examples; a property
is tried on a quarter of its examples.
"""

import tempfile
from pathlib import Path

import pytest
from hypothesis import settings
from hypothesis.configuration import set_hypothesis_home_dir

from tinygrad_lr.core.operation import OPERATIONS

set_hypothesis_home_dir(Path(tempfile.gettempdir()) / "tinygrad_lr_hypothesis")
settings.register_profile("fixed", derandomize=True, deadline=None, database=None)
settings.register_profile("quick", parent=settings.get_profile("fixed"), max_examples=25)
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
SLOW = UNTRACED | {  # files and tests
    "test_a_run_that_died_ends_with_the_weights_of_one_that_did_not",
    "test_accuracy",
    "test_convexity",
    "test_every_operation_of_numbers",
    "test_every_operation_on_its_own_samples",
    "test_examples",
    "test_functions_of_tensors",
    "test_fuzzing",
    "test_memory_does_not_grow_with_the_table",
    "test_parallel",
    "test_parameters_are_updated_together_as_each_would_be_alone",
    "test_second_derivatives_round_trip",
    "test_the_fast_function_agrees_until_it_raises",
    "test_train_learns_from_a_database_and_goes_on",
    "test_walks_where_pytorch_walks",
}


def pytest_configure(config):
    if config.option.markexpr == "not slow":
        settings.load_profile("quick")


def pytest_collection_modifyitems(items):
    for item in items:
        names = {item.path.stem, item.name.partition("[")[0]}
        if names & UNTRACED:
            item.add_marker("no_cover")
        if names & SLOW:
            item.add_marker("slow")


@pytest.fixture
def new_operations():
    """Operations that a test registers are gone after it."""
    before = dict(OPERATIONS)
    yield
    OPERATIONS.clear()
    OPERATIONS.update(before)
