"""What went wrong when a learner's runtime did not do what it was asked: where in their code, which system call, and what that means here."""

from __future__ import annotations

import errno
import json
import re
from typing import TYPE_CHECKING, Any

from tutor.lazy_dataclass import dataclass
from tutor.own_steps.sandbox.places import FILE

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from tutor.messages import Messages
    from tutor.own_steps.facts import Moment
    from tutor.own_steps.sandbox.player import Recording

_TRACED = re.compile(rf'File "{re.escape(FILE)}", line (?P<line>\d+) in (?P<function>\S+)')


@dataclass(frozen=True, slots=True)
class Mishap:
    """What ended a command of the learner's runtime.

    Attributes:
        kind: `syntax`, `exception`, `hang`, `ended` (without a word), `processes`, `memory` (more than the sandbox allows), `file` (their
            own file is gone, or another one).
        function: of theirs, in which it happened; empty if that is not known.
        line: of their file, counted from 1; 0 if it is not known. `source_line`: its text.
        error: the class of the exception, and `message`, what it says.
        call: the system call that failed, its `arguments`, and the name of its `errno`; empty for another exception.
        explanation: what it means here, in the learner's language.
    """

    kind: str
    function: str = ""
    line: int = 0
    source_line: str = ""
    error: str = ""
    message: str = ""
    call: str = ""
    arguments: tuple[str, ...] = ()
    errno: str = ""
    explanation: str = ""

    def is_about(self, word: str) -> bool:
        """Tell whether a hint for this word is meant for it: its kind, the exception, the errno, the call, the function."""
        return word in (self.kind, self.error, self.errno, self.call, self.function)


def syntax(line: int, message: str, text: str, messages: Messages) -> Mishap:
    """Return the mishap of a file that is not Python."""
    explanation = messages("own.mishap.syntax", line=line, message=message)
    return Mishap("syntax", "", line, _line_of(text, line), "SyntaxError", message, explanation=explanation)


def find(recording: Recording, ours: Sequence[Moment], text: str, messages: Messages) -> Mishap | None:
    """Return what went wrong in a play, None if every command did what ours does."""
    commands = [record for record in recording.records if "did" in record]
    expected = [moment for moment in ours if moment.words]
    events: list[dict[str, Any]] = []
    for number, record in enumerate(commands):
        # A container's process tells what went wrong with it after the command has ended.
        before = [each for each in events if each["event"] == "error"]
        events = _events(record["report"])
        hung = record["status"] is None
        succeeds = number < len(expected) and expected[number].facts.get(("exit", "")) == "0"
        if not record["file"]:
            return _file(events, messages)
        if succeeds:
            events = before + events
        if hung or (record["status"] != 0 and succeeds):
            return _of_command(record, events, recording, text, messages)
    if recording.limits.get("pids"):
        return Mishap("processes", _entered(events), explanation=messages("own.mishap.processes"))
    if recording.failed:
        return Mishap("hang", explanation=messages("own.mishap.hang"))
    left = [each for each in events if each["event"] == "error" and each["error"] != "ContainerError"]
    return _exception(left[-1], messages) if left else None


def _of_command(
    record: dict[str, Any],
    events: list[dict[str, Any]],
    recording: Recording,
    text: str,
    messages: Messages,
) -> Mishap | None:
    hung = record["status"] is None
    error = next((each for each in reversed(events) if each["event"] == "error"), None)
    traced = next(iter(_TRACED.finditer(record["err"])), None)
    function = _entered(events) or (traced["function"] if traced else "")
    line = int(traced["line"]) if traced else 0
    for kind, reached in (
        ("processes", recording.limits.get("pids") or _had_no_process(error)),
        ("memory", recording.limits.get("memory") or (error is None and recording.limits.get("refused"))),
    ):
        if reached:
            if error and not line:
                line, function = error["line"], error["function"]
            explanation = messages(f"own.mishap.{kind}")
            return Mishap(kind, function, line, _line_of(text, line), explanation=explanation)
    if hung:
        explanation = messages("own.mishap.hang_in" if function else "own.mishap.hang", function=function)
        return Mishap("hang", function, line, _line_of(text, line), explanation=explanation)
    if error is not None:
        return _exception(error, messages)
    if function:
        explanation = messages("own.mishap.ended", function=function)
        return Mishap("ended", function, line, _line_of(text, line), explanation=explanation)
    return None


def _had_no_process(error: dict[str, Any] | None) -> bool:
    """Tell whether fork or clone was refused; older kernels count that nowhere."""
    return error is not None and error.get("errno") == errno.EAGAIN


def _file(events: list[dict[str, Any]], messages: Messages) -> Mishap:
    function = _entered(events) or next(
        (each["function"] for each in reversed(events) if each["event"] == "leave"), ""
    )
    return Mishap("file", function, explanation=messages("own.mishap.file"))


def _exception(event: dict[str, Any], messages: Messages) -> Mishap:
    number = event.get("errno")
    name = errno.errorcode.get(number, "") if isinstance(number, int) else ""
    call = event.get("call") or ""
    keys = [f"own.mishap.call.{call}.{name}", f"own.mishap.errno.{name}", f"own.mishap.error.{event['error']}"]  # fmt: skip
    key = next((each for each in keys if messages.has(each)), "own.mishap.exception")
    return Mishap(
        "exception",
        event["function"],
        event["line"] or 0,
        (event["text"] or "").strip(),
        event["error"],
        event["message"],
        call,
        tuple(event.get("arguments", ())),
        name,
        messages(key, message=event["message"], function=event["function"]),
    )


def _entered(events: Iterable[dict[str, Any]]) -> str:
    """Return the function that was entered last and never left."""
    open_ones: list[tuple[int, str]] = []
    for event in events:
        entry = (event.get("pid", 0), event.get("function", ""))
        if event["event"] == "enter":
            open_ones.append(entry)
        elif event["event"] == "leave" and entry in open_ones:
            open_ones.remove(entry)
    return open_ones[-1][1] if open_ones else ""


def _events(report: str) -> list[dict[str, Any]]:
    events = []
    for line in report.splitlines():
        try:
            event = json.loads(line)
        except ValueError:
            continue  # the process ended in the middle of it
        if isinstance(event, dict) and "event" in event:
            events.append(event)
    return events


def _line_of(text: str, line: int) -> str:
    lines = text.splitlines()
    return lines[line - 1].strip() if 0 < line <= len(lines) else ""
