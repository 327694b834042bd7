"""Terminals for a face: a shell in the lab, and the terminal that a container asks for (`process.terminal`)."""

from __future__ import annotations

import fcntl
import json
import os
import struct
import termios
from itertools import takewhile
from typing import TYPE_CHECKING, NamedTuple

from tutor.errors import TutorError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from tutor.lab.lab import Lab


class PtyShell(NamedTuple):
    """A shell on a pseudoterminal: the master, which the receiver owns, and the shell's pid, which is its process group."""

    master: int
    pid: int


def open_shell(
    lab: Lab, folder: Path, environment: Mapping[str, str], size: tuple[int, int], term: str
) -> PtyShell:
    """Start a shell in a lab; `size` is its columns and rows, `term` what the face emulates (terminfo(5)).

    Raises:
        TutorError: `session.terminal.no_pty`, `lab.ended`, `lab.spawn`.
    """
    try:
        master, slave = os.openpty()
    except OSError as error:
        raise TutorError("session.terminal.no_pty", reason=os.strerror(error.errno or 0)) from error
    try:
        fcntl.ioctl(master, termios.TIOCSWINSZ, struct.pack("HHHH", size[1], size[0], 0, 0))
        process = lab.shell_on(slave, folder, {**environment, "TERM": term})
    except BaseException:
        os.close(master)
        raise
    finally:
        os.close(slave)
    return PtyShell(master, process.pid)


def asks_for_terminal(arguments: Sequence[str]) -> bool:
    """Tell whether the flags of `exec` ask for a terminal; what follows the first word that is no flag is the program's."""
    flags = takewhile(lambda each: each.startswith("-"), arguments)
    return any(each in ("-t", "--tty") for each in flags)


def wants_terminal(config: Path) -> bool:
    """Tell whether a `config.json` asks for a terminal; one that can't be read does not."""
    try:
        found = json.loads(config.read_bytes())
        return found["process"]["terminal"] is True
    except (OSError, ValueError, KeyError, TypeError):
        return False
