"""`edit` with the learner's own editor ($VISUAL, $EDITOR)."""

from __future__ import annotations

import os
import shlex
import subprocess
from typing import TYPE_CHECKING

from tutor.errors import TutorError

if TYPE_CHECKING:
    from tutor.session.protocol import SessionProtocol


def editor_command() -> list[str] | None:
    """Return the editor with its arguments, None if the environment names none.

    Raises:
        TutorError: `repl.error.editor_quotes`: the variable cannot be read as a command line.
    """
    text = os.environ.get("VISUAL") or os.environ.get("EDITOR") or ""
    try:
        return shlex.split(text) or None
    except ValueError as error:
        raise TutorError("repl.error.editor_quotes", command=text) from error


def edit_with_program(session: SessionProtocol, command: list[str]) -> None:
    """Run a program on `config.json` itself; then hand the new text to the session.

    Raises:
        TutorError: `repl.error.editor_missing`, `.editor_failed`, `.unreadable`.
    """
    path = session.config_path
    try:
        status = subprocess.run([*command, str(path)], check=False).returncode
    except OSError as error:
        raise TutorError("repl.error.editor_missing", command=command[0], reason=error.strerror) from error
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise TutorError("repl.error.unreadable", path=path, reason=error) from error
    if text != session.config_text:
        session.write_config(text)
    if status != 0:
        raise TutorError("repl.error.editor_failed", command=command[0], status=status)
