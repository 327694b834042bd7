"""The program that Docker calls for `runt`."""

from __future__ import annotations

import os
from pathlib import Path

from tutor.engines.engine import path_of
from tutor.errors import TutorError


def launcher() -> Path:
    """Return the absolute path of `runt`. Raises TutorError: `engines.missing.runt`."""
    path = path_of("runt")
    if path is None:
        raise TutorError("engines.missing.runt", engine="runt")
    return Path(os.path.abspath(path))  # noqa: PTH100  (links stay: they are how it was installed)
