"""Every run tries the same examples, and leaves nothing behind in the working tree."""

import tempfile
from pathlib import Path

import pytest
from hypothesis import settings
from hypothesis.configuration import set_hypothesis_home_dir

from tinygrad_lr.registry import OPERATIONS

set_hypothesis_home_dir(Path(tempfile.gettempdir()) / "tinygrad_lr_hypothesis")
settings.register_profile("fixed", derandomize=True, deadline=None, database=None)
settings.load_profile("fixed")


@pytest.fixture
def new_operations():
    """Operations that a test registers are gone after it."""
    before = dict(OPERATIONS)
    yield
    OPERATIONS.clear()
    OPERATIONS.update(before)
