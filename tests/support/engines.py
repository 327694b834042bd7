"""A runner in a real lab, and its reports in order."""

from __future__ import annotations

import contextlib
import threading
from typing import TYPE_CHECKING

from tests.support.lab import home, until
from tutor.engines.engine import find
from tutor.engines.runner import Runner
from tutor.lab.lab import Lab

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tutor.engines.model import Call, CallResult, EngineName, Stream
    from tutor.engines.streams import Limit


class Stage:
    """A lab, an engine's runner and its bundle; `said` holds the callbacks: ("started" | stream | "finished" | limit, typed, text)."""

    def __init__(self, lab: Lab, engine: EngineName, bundle: Path) -> None:
        self.lab = lab
        self.bundle = bundle
        self.said: list[tuple[str, str, str]] = []
        self._lock = threading.Lock()
        self.runner = Runner(
            find(engine),
            lab,
            on_started=self._started,
            on_output=self._output,
            on_finished=self._finished,
            on_limited=self._limited,
        )

    def run(self, operation: str, *arguments: str) -> CallResult:
        return self.runner.run(operation, "box", *arguments, cwd=self.bundle)

    def status(self) -> str:
        state = self.runner.query_state("box")
        return state.status if state else "none"

    def until_status(self, status: str) -> None:
        until(lambda: self.status() == status)

    def printed(self, operation: str, stream: str = "stdout") -> str:
        """Return the output that has been delivered for an operation's call."""
        with self._lock:
            return "".join(
                text for kind, typed, text in self.said if kind == stream and typed.split()[1] == operation
            )

    def limits(self) -> list[str]:
        with self._lock:
            return [kind for kind, _typed, _text in self.said if kind in ("slowed", "omitted")]

    def order(self) -> list[str]:
        """Return what happened in order: "create started", "create stdout", ..."""
        with self._lock:
            return [f"{typed.split()[1]} {kind}" for kind, typed, _text in self.said]

    def _say(self, kind: str, call: Call, text: str = "") -> None:
        with self._lock:
            self.said.append((kind, call.typed, text))

    def _started(self, call: Call) -> None:
        self._say("started", call)

    def _output(self, call: Call, stream: Stream, text: str) -> None:
        self._say(stream, call, text)

    def _finished(self, result: CallResult) -> None:
        self._say("finished", result.call)

    def _limited(self, call: Call, limit: Limit) -> None:
        self._say(limit, call)


@contextlib.contextmanager
def stage(tmp_path: Path, engine: EngineName, bundle: Path) -> Iterator[Stage]:
    with Lab.start(home=home(tmp_path), engine=engine, workdir=bundle) as lab:
        made = Stage(lab, engine, bundle)
        try:
            yield made
        finally:
            made.runner.close()
