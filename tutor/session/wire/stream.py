"""Encode events as lines, and decode lines as events."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, NoReturn

from tutor.errors import TutorError
from tutor.session.wire.end import End
from tutor.session.wire.kinds import KINDS
from tutor.session.wire.values import BadValueError

if TYPE_CHECKING:
    from tutor.course.course import Course
    from tutor.session.events import Event

VERSION = 1
_LONGEST_EXCERPT = 60  # characters of a line that an error shows

_BY_NAME = {kind.name: kind for kind in KINDS.values()}


class Encoder:
    """Writes the events of one session, in their order."""

    def __init__(self, course: Course) -> None:
        """Take the session's course, which says which texts are solutions."""
        self._end = End(course)

    def encode(self, event: Event) -> str:
        """Return an event as a line, without a line end.

        Raises:
            TutorError: `session.wire.*`, it names a lesson, a step or a hint that the course does not have.
        """
        kind = KINDS[type(event)]
        members = kind.write(self._end, event)
        return json.dumps({"v": VERSION, "kind": kind.name, **members}, allow_nan=False)


class Decoder:
    """Reads the lines of one stream, in their order."""

    def __init__(self, course: Course) -> None:
        """Take the reader's own copy of the course, in the reader's language."""
        self._end = End(course)

    def decode(self, line: str | bytes) -> Event:
        """Return the event of a line.

        Raises:
            TutorError: `session.wire.*`: the line is not an event, is of another version or of an unknown kind, or names something
                that this copy of the course does not have. The reader may go on with the next line.
        """
        members = _members(line)
        version, name = members.get("v"), members.get("kind")
        if version != VERSION or isinstance(version, bool):
            raise TutorError("session.wire.version", version=_excerpt(version), known=VERSION)
        if not isinstance(name, str) or name not in _BY_NAME:
            raise TutorError("session.wire.kind", kind=_excerpt(name))
        try:
            event: Event = _BY_NAME[name].read(self._end, members)
        except BadValueError as error:
            raise TutorError("session.wire.member", kind=name, member=error.place) from error
        return event


def _members(line: str | bytes) -> dict[str, Any]:
    try:
        members = json.loads(line, parse_constant=_refuse)
    except (ValueError, RecursionError) as error:
        raise TutorError("session.wire.malformed", line=_excerpt(line)) from error
    if not isinstance(members, dict):
        raise TutorError("session.wire.malformed", line=_excerpt(line))
    return members


def _refuse(constant: str) -> NoReturn:
    raise ValueError(constant)


def _excerpt(value: object) -> str:
    """Return the beginning of a value as one line of printable ASCII, for an error."""
    shown = ascii(value)
    return shown if len(shown) <= _LONGEST_EXCERPT else f"{shown[:_LONGEST_EXCERPT]}..."
