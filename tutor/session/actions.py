"""Run the actions that a solution, a known wrong answer or a recovery lists, one after the other, in the real lab."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from tutor import patience
from tutor.course.model import Answer, Define, Fail, Operate, Run, Wait, Write
from tutor.errors import TutorError
from tutor.home import command_line

if TYPE_CHECKING:
    from collections.abc import Callable

    from tutor.course.model import Action, Condition
    from tutor.session.container import Container
    from tutor.session.workspace import Workspace

_WAIT_SECONDS = 10.0
_LOOK_EVERY = 0.03  # seconds


class ActionRunner:
    """Runs actions in a lab.

    `holds` tells whether a condition holds now; `answer` answers the quiz; `write_config` writes `config.json`; `define` changes the
    learner's own runtime.
    """

    def __init__(
        self,
        container: Container,
        workspace: Workspace,
        *,
        holds: Callable[[Condition], bool],
        answer: Callable[[str], None],
        write_config: Callable[[str], None],
        define: Callable[[Define], None],
    ) -> None:
        self._container, self._workspace = container, workspace
        self._holds, self._answer, self._write_config, self._define = holds, answer, write_config, define

    def run(self, actions: tuple[Action, ...]) -> None:
        """Run them all, in order. A command that fails does not stop the rest: the checks say what came of it.

        Raises:
            TutorError: a file can't be written or the lab has ended; `session.error.never_held`, `.did_not_fail`.
        """
        for action in actions:
            self._run(action)

    def _run(self, action: Action) -> None:
        match action:
            case Write(file="config.json", content=content):
                self._write_config(content)
            case Write(file=file, content=content, executable=executable):
                self._workspace.write_file(file, content, executable=executable)
            case Operate() | Run():
                self._run_command(action)
            case Define():
                self._define(action)
            case Answer(answer=answer):
                self._answer(answer)
            case Wait(until=condition):
                self._wait(condition)
            case Fail(action=inner, must=must):
                if self._run_command(inner) == 0 and must:
                    raise TutorError("session.error.did_not_fail", command=_as_typed(inner))

    def _run_command(self, action: Operate | Run) -> int:
        if isinstance(action, Operate):
            return self._container.run(action.operation, *action.arguments).returncode
        return self._container.script(action.line).returncode

    def _wait(self, condition: Condition) -> None:
        deadline = time.monotonic() + patience.scaled(_WAIT_SECONDS)
        while not self._holds(condition):
            if time.monotonic() > deadline:
                raise TutorError("session.error.never_held", kind=condition.kind)
            time.sleep(_LOOK_EVERY)


def _as_typed(action: Operate | Run) -> str:
    return command_line((action.operation, *action.arguments)) if isinstance(action, Operate) else action.line
