"""An engine's failure in a lesson, explained: what `tutor.explain` says of it, as an event."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tutor.course.model import Fail, Operate, RunOperation, Task
from tutor.explain.bundle import Bundle
from tutor.explain.explainer import explain, explain_silence
from tutor.explain.model import Failure
from tutor.session.events import Explained

if TYPE_CHECKING:
    from tutor.course.model import Operation
    from tutor.engines.model import CallResult
    from tutor.explain.model import Explanation
    from tutor.messages import Messages
    from tutor.session.lesson_run import LessonRun

# runc and runt end with this when it is they who fail at `exec`, and not the program that they ran; crun mostly too.
_EXEC_FAILED = 255
# Explanations of what the learner does, whatever the configuration: a container that is there already, a wrong signal.
_OF_THE_LEARNER = ("id.", "container.", "state.", "signal.", "command.", "flag.", "bundle.", "host.")


def explain_call(
    run: LessonRun, operation: Operation, result: CallResult, messages: Messages
) -> Explained | None:
    """Return the explanation of a command that has failed, or whose container has ended without a word; None: all is well."""
    bundle = Bundle(run.workspace.bundle)
    found: Explanation | None = None
    if result.returncode > 0:
        failure = Failure(result.stderr, operation, run.engine)
        found = explain(failure, bundle, messages)
        if operation == "exec" and result.returncode != _EXEC_FAILED and not _refused(found):
            return None  # the program's own exit status: nothing has gone wrong
    elif operation == "start" and run.state is not None and run.state.status == "stopped":
        created = [record for record in run.calls.records() if record.operation == "create"]
        found = explain_silence(created[-1].stderr if created else "", bundle, messages)
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
        expected=_expected(run, operation, found),
    )


def _refused(found: Explanation) -> bool:
    return found.id.startswith(("container.", "state."))


def _expected(run: LessonRun, operation: Operation, found: Explanation) -> bool:
    """Tell whether the step is about this operation's failing: it says so, or it has given a broken `config.json` itself."""
    match run.step.action:
        case RunOperation(operation=wanted, fails=True) if wanted == operation:
            return True
        case Task(solution=deeds):
            failing = [deed.deed for deed in deeds if isinstance(deed, Fail)]
            if any(isinstance(deed, Operate) and deed.operation == operation for deed in failing):
                return True
    # What is wrong with it is the riddle; once the learner has changed something, they get the whole explanation.
    given = run.step.begins is not None and Bundle(run.workspace.bundle).text == run.workspace.begins_with(
        run.index
    )
    return given and not found.id.startswith(_OF_THE_LEARNER)
