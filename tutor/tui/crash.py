"""What nobody expected: written to a file for whoever will mend it; the learner gets a sentence and the file's path."""

from __future__ import annotations

import os
import sys
import time
import traceback
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from tutor.home import Home


def record(error: BaseException, home: Home) -> Path | None:
    """Write a crash log below `home.state`; return its path, None where nothing can be written there.

    Args:
        error: what happened; its traceback goes into the file.
        home: where oci-tutor keeps things.
    """
    path = home.state / f"crash-{time.strftime('%Y%m%d-%H%M%S')}-{os.getpid()}.log"
    lines = [f"oci-tutor, Python {sys.version}\n", *traceback.format_exception(error)]
    try:
        home.state.mkdir(parents=True, exist_ok=True)
        with path.open("a", encoding="utf-8") as file:
            file.writelines(lines)
    except OSError:
        return None
    return path
