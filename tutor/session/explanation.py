"""Explain a failure of an engine in a lesson: the explanation of `tutor.explain` as an event.

`tutor.explain` is imported at the first failure: its patterns take 0.1 seconds of processor time.
"""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING

from tutor.course.model import Fail, Operate, RunOperation, Task
from tutor.lazy_dataclass import dataclass
from tutor.session.events import Explained

if TYPE_CHECKING:
    from pathlib import Path

    from tutor.course.model import Operation, Step
    from tutor.engines.model import CallResult, ContainerState, EngineName
    from tutor.explain.bundle import Bundle
    from tutor.explain.model import Explanation
    from tutor.messages import Messages

# The exit status of runc and runt, and mostly of crun, when `exec` itself fails, and not the program that it ran.
_EXEC_FAILED = 255
# Explanations that do not depend on the configuration: the container exists already, a signal is wrong.
_OF_THE_LEARNER = ("id.", "container.", "state.", "signal.", "command.", "flag.", "bundle.", "host.")


@dataclass(frozen=True, slots=True)
class Circumstances:
    """The circumstances in which a command has ended.

    Attributes:
        engine: the engine that ran it.
        state: the container afterwards; None: there is none.
        created: what the container's `create` has printed to standard error.
        step: the present step.
        bundle: the bundle's path.
    """

    engine: EngineName
    state: ContainerState | None
    created: str
    step: Step
    bundle: Path


def explain_call(
    operation: Operation, result: CallResult, there: Circumstances, messages: Messages
) -> Explained | None:
    """Return why a command has failed, or why its container has ended without output; None: nothing has failed."""
    # An engine that a signal has ended was interrupted by the learner, but for one signal.
    is_broken_pipe = result.returncode == -signal.SIGPIPE
    has_failed = result.returncode > 0 or is_broken_pipe
    if not has_failed and (operation != "start" or there.state is None or there.state.status != "stopped"):
        return None
    from tutor.explain.bundle import Bundle
    from tutor.explain.explainer import explain, explain_broken_pipe, explain_silence
    from tutor.explain.model import Failure

    bundle = Bundle(there.bundle)
    found: Explanation | None
    if is_broken_pipe:
        found = explain_broken_pipe(bundle, messages)
    elif has_failed:
        found = explain(Failure(result.stderr, operation, there.engine), bundle, messages)
        if operation == "exec" and result.returncode != _EXEC_FAILED and not _refused(found):
            return None  # the program's own exit status: `exec` has not failed
    else:
        found = explain_silence(there.created, bundle, messages)
    if found is None:
        return None
    return Explained(
        result.call,
        found.id,
        found.title,
        found.cause,
        found.fix,
        place=found.place,
        pointer=found.pointer,
        line=found.line,
        column=found.column,
        clause=found.clause,
        expected=_expected(operation, found, there, bundle),
    )


def _refused(found: Explanation) -> bool:
    return found.id.startswith(("container.", "state."))


def _expected(operation: Operation, found: Explanation, there: Circumstances, bundle: Bundle) -> bool:
    """Return whether the step is about this failure: it asks for one, or begins with a broken `config.json`."""
    match there.step.activity:
        case RunOperation(operation=wanted, fails=True) if wanted == operation:
            return True
        case Task(solution=actions):
            failing = [action.action for action in actions if isinstance(action, Fail)]
            if any(isinstance(action, Operate) and action.operation == operation for action in failing):
                return True
    # Finding the fault is the task; the learner gets the whole explanation after changing the file.
    given = there.step.begins is not None and bundle.text == there.step.begins
    return given and not found.id.startswith(_OF_THE_LEARNER)
