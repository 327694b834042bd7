"""Unexpected errors: recorded in a file for a report; the learner gets one message with the path of the file."""

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


def report(error: BaseException, home: Home, messages: Messages) -> tuple[str, str, str]:
    """Record an unexpected error, if that is possible; return title, body and what to do next, for the learner."""
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
