"""The folders in which oci-tutor keeps files; it writes nowhere else.

Work that a learner edits lies in plain sight (`~/labs/LESSON/`); progress and cache lie where the XDG Base Directory
Specification puts them. `OCI_TUTOR_HOME` moves all of them below one folder (tests, a USB stick, a shared machine).
"""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from tutor.lazy_dataclass import dataclass

if TYPE_CHECKING:
    from collections.abc import Iterable

_PLAIN = "@%+=:,./_-"  # besides letters and digits


@dataclass(frozen=True, slots=True)
class Home:
    """The three folders; they are made when first written to. `course` is the key of a course other than the installed one, else empty."""

    labs: Path
    state: Path
    cache: Path
    course: str = ""

    @classmethod
    def default(cls) -> Home:
        """Return the folders for this user, from the environment."""
        own = os.environ.get("OCI_TUTOR_HOME")
        if own:
            root = Path(own).expanduser().absolute()
            return cls(root / "labs", root / "state", root / "cache")
        home = Path.home()
        state = Path(os.environ.get("XDG_STATE_HOME") or home / ".local/state")
        cache = Path(os.environ.get("XDG_CACHE_HOME") or home / ".cache")
        return cls(home / "labs", state / "oci-tutor", cache / "oci-tutor")

    @property
    def records(self) -> Path:
        """The folder of a course's records: progress, locks, and the files that its lessons began with."""
        return self.state / "courses" / self.course if self.course else self.state

    def of_course(self, key: str) -> Home:
        """Return the home of another course's work: its progress and its labs are kept apart."""
        return replace(self, labs=self.labs / key, course=key) if key else self


def shown(path: Path | str, user_home: str = "") -> str:
    """Return a path as a person writes it, and a shell takes it: `~/labs/...` below the home directory, this user's or another's."""
    home = (user_home or os.path.expanduser("~")).rstrip("/")  # noqa: PTH111  (a home that is not known stays `~`)
    text = str(path)
    return f"~{text[len(home) :]}" if home and (text == home or text.startswith(f"{home}/")) else text


def shell_word(text: str) -> str:
    """Return a text, or a path from `shown`, quoted where a shell would take it for more or other than one word."""
    if text.startswith("~/") and text != "~/":
        return f"~/{shell_word(text[2:])}"
    # shlex.quote would quote every word that is not ASCII, too, and a shell does not need that.
    if text and all(
        each in _PLAIN or each.isalnum() or (each > "\x7f" and each.isprintable()) for each in text
    ):
        return text
    return "'" + text.replace("'", "'\"'\"'") + "'"


def command_line(words: Iterable[str]) -> str:
    """Return words as a line that can be typed into a shell."""
    return " ".join(map(shell_word, words))
