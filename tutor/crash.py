"""What nobody expected: written to a file for whoever will mend it; the learner gets a sentence and the file's path."""

from __future__ import annotations

import os
import platform
import sys
import traceback
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from tutor.errors import TutorError

if TYPE_CHECKING:
    from pathlib import Path

    from tutor.home import Home
    from tutor.messages import Messages


def tell(error: BaseException, home: Home, messages: Messages) -> tuple[str, str, str]:
    """Record an unexpected error as well as can be; return title, body and what to do next, for the learner."""
    try:
        path = record(error, home)
    except OSError as failure:
        return TutorError("cli.crash_unlogged", error=repr(error), failure=failure).render(messages)
    return TutorError("cli.crash", error=repr(error), path=path).render(messages)


def record(error: BaseException, home: Home) -> Path:
    """Write a crash log below `home.state`, with the traceback, the command line and the system; return its path.

    Raises:
        OSError: nothing can be written there.
    """
    now = datetime.now(UTC)
    path = home.state / f"crash-{now:%Y%m%dT%H%M%S}-{os.getpid()}.log"
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a", encoding="utf-8") as file:
        file.write(
            f"{now.isoformat()}\nPython {platform.python_version()}, {platform.platform()}\nargv: {sys.argv}\n\n"
        )
        file.writelines(traceback.format_exception(error))
    return path
