"""A log of the engine commands of the present step, for checks."""

from __future__ import annotations

import threading
from dataclasses import replace
from typing import TYPE_CHECKING

from tutor.course.checks import CallRecord
from tutor.course.model import OPERATIONS

if TYPE_CHECKING:
    from tutor.engines.model import Call, CallResult, Stream

_MOST_KEPT = (
    256 * 1024
)  # characters of one stream: enough for any check, and a bound for a program that prints without end


class CallLog:
    """Records the start, the output and the end of calls, each from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._records: dict[int, CallRecord] = {}

    def started(self, call: Call) -> None:
        """Record the start of a command."""
        word = call.typed.split()[1]
        operation = next(each for each in OPERATIONS if each == word)
        with self._lock:
            self._records[call.id] = CallRecord(operation, call.typed)

    def printed(self, call: Call, stream: Stream, text: str) -> None:
        """Record output of a command, or of the container that it left running."""
        with self._lock:
            record = self._records.get(call.id)
            if record is None:
                return
            if stream == "stdout":
                self._records[call.id] = replace(record, stdout=(record.stdout + text)[-_MOST_KEPT:])
            else:
                self._records[call.id] = replace(record, stderr=(record.stderr + text)[-_MOST_KEPT:])

    def finished(self, result: CallResult) -> None:
        """Record the end of a command."""
        with self._lock:
            record = self._records.get(result.call.id)
            if record is not None:
                self._records[result.call.id] = replace(record, returncode=result.returncode)

    def begin_step(self) -> None:
        """Forget the output so far; a container may still print into an earlier call."""
        with self._lock:
            self._records = {
                number: replace(record, stdout="", stderr="", earlier=True)
                for number, record in self._records.items()
            }

    def records(self) -> tuple[CallRecord, ...]:
        """Return all records."""
        with self._lock:
            return tuple(self._records.values())

    def forget(self) -> None:
        """Drop all records: in another lab the numbers of calls start again."""
        with self._lock:
            self._records.clear()
