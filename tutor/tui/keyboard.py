"""From what the terminal sends to keys and pastes, in their order, also where much of it arrives at once.

Textual's parser gets whole sequences only. By itself (8.2.8) it takes Escape and a key that arrive together for one key with Alt,
and types that key; it needs 27 microseconds a character, so that pasted text takes seconds where the terminal does not mark it.
"""

from __future__ import annotations

import re
from time import monotonic
from typing import TYPE_CHECKING

from textual._xterm_parser import XTermParser
from textual.events import Key, Paste

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator

    from textual.message import Message

ESCAPE_DELAY = 0.1  # seconds to wait after an Escape for the rest of a sequence
FEWEST_PASTED = 64
"""Characters that arrive together and are more than somebody types: a paste of a terminal that does not mark pastes."""
_SAME_PASTE = 0.1  # seconds: what comes within them after such a paste belongs to it

_PASTE_BEGINS, _PASTE_ENDS = "\x1b[200~", "\x1b[201~"
_TOKEN = re.compile(
    r"(?P<paste>\x1b\[200~)"
    r"|(?P<sequence>\x1b\[M[^\x1b]{3}"  # a click, as old terminals tell it
    r"|\x1b\[\[[A-E]"  # F1 to F5 of the Linux console
    r"|\x1b\[[0-?]*[ -/]*[@-~$]"
    r"|\x1bO[ -~]"
    r"|\x1b[\x7fbf])"  # Alt-Backspace; words to the left and to the right, as macOS sends them
    r"|(?P<answer>\x1b[\]P_^X][^\x07\x1b]*(?:\x07|\x1b\\))"  # to a question that another program has asked
    r"|(?P<unfinished>\x1b(?:\[(?:M[^\x1b]{0,2}|\[|[0-?]*[ -/]*)|O|[\]P_^X][^\x07\x1b]*\x1b?)?$)"
    r"|(?P<escape>\x1b)"
    r"|(?P<text>[^\x00-\x08\x0b\x0c\x0e-\x1f\x7f]+)"
    r"|(?P<control>[\x00-\x1a\x1c-\x1f\x7f])"
)


class Keyboard:
    """Turns the input of a terminal into messages, for one thread."""

    def __init__(self) -> None:
        self._parser = XTermParser()
        self._rest = ""  # the beginning of a sequence
        self._rest_since = 0.0
        self._pasted: list[str] | None = None  # within a marked paste
        self._paste_ended = 0.0

    def feed(self, text: str) -> Iterator[Message]:
        """Yield the messages of what has arrived."""
        text = self._rest + text
        self._rest, self._rest_since = "", monotonic()
        place = 0
        while place < len(text):
            if self._pasted is not None:
                place = yield from self._paste(text, place)
                continue
            found = _TOKEN.match(text, place)
            assert found is not None  # noqa: S101  (the expression has a branch for every character)
            place = found.end()
            match found.lastgroup:
                case "paste":
                    self._pasted = []
                case "unfinished":
                    self._rest = found.group()
                case "escape":
                    yield Key("escape", "\x1b")
                case "answer":
                    pass
                case "text" if self._is_pasted(found.group()):
                    yield from _paste_of(found.group())
                case _:
                    yield from self._parser.feed(found.group())

    def tick(self) -> Iterator[Message]:
        """Yield the messages of a sequence whose rest does not come: Escape was the key."""
        if self._rest and self._pasted is None and monotonic() - self._rest_since >= ESCAPE_DELAY:
            rest, self._rest = self._rest[1:], ""
            yield Key("escape", "\x1b")
            for character in rest:
                yield from self._parser.feed(character)

    def _paste(self, text: str, place: int) -> Generator[Message, None, int]:
        """Take a marked paste up to its end, if that is there; return the place behind it."""
        assert self._pasted is not None  # noqa: S101  (for mypy)
        end = text.find(_PASTE_ENDS, place)
        if end < 0:
            kept = next((n for n in range(len(_PASTE_ENDS) - 1, 0, -1) if text.endswith(_PASTE_ENDS[:n])), 0)
            kept = min(kept, len(text) - place)
            self._pasted.append(text[place : len(text) - kept])
            self._rest = text[len(text) - kept :]
            return len(text)
        whole = "".join([*self._pasted, text[place:end]])
        self._pasted = None
        yield from _paste_of(whole)
        return end + len(_PASTE_ENDS)

    def _is_pasted(self, text: str) -> bool:
        now = monotonic()
        if len(text) < FEWEST_PASTED and now - self._paste_ended > _SAME_PASTE:
            return False
        self._paste_ended = now
        return True


def _paste_of(text: str) -> Iterator[Message]:
    cleaned = text.replace("\r\n", "\n").replace("\r", "\n").replace("\x00", "")
    if cleaned:
        yield Paste(cleaned)
