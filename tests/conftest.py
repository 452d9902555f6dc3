"""Every run tries the same examples, and leaves nothing behind in the working tree."""

import tempfile
from pathlib import Path

from hypothesis import settings
from hypothesis.configuration import set_hypothesis_home_dir

set_hypothesis_home_dir(Path(tempfile.gettempdir()) / "tinygrad_lr_hypothesis")
settings.register_profile("fixed", derandomize=True, deadline=None, database=None)
settings.load_profile("fixed")
