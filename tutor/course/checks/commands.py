"""Checks by a command line of the lesson, which must change nothing, and on the answer to a quiz."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from tutor.course.checks.registry import Argument, kind
from tutor.course.checks.tally import Tally, no_process, short

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tutor.course.checks.context import CheckContext, Finding

ANY = "any"
_PID = re.compile(r"\$(?:PID\b|\{PID\})")


@kind(
    "command",
    Argument("run", "text", required=True),
    Argument("status", "integer", known=(ANY,)),
    Argument("contains", "texts"),
    Argument("lacks", "texts"),
    Argument("equals", "text"),
    Argument("matches", "pattern"),
)
def command(context: CheckContext, arguments: Mapping[str, Any]) -> Finding:
    """A shell line, run in the lab's directory, exits with this status (0 by default, or `any`) and prints this.

    It must change nothing. `$PID` is the container's process, `$CONTAINER` its id, `$OCI_TUTOR_ENGINE` the engine. Its output is
    standard output followed by standard error; `equals` ignores white space at both ends.
    """
    words = context.messages
    if _PID.search(arguments["run"]) and not (context.state and context.state.pid):
        looked_at = (
            arguments["run"].replace("{engine}", context.engine).replace("{container}", context.container_id)
        )
        return no_process(context, looked_at, words("course.check.kernel.a_process"))
    line = arguments["run"].replace("{engine}", context.engine).replace("{container}", context.container_id)
    output, tally = context.run(line), Tally()
    typed = _typed(context, line)
    printed = output.stdout + output.stderr
    shown = short(printed) or words("course.check.command.nothing")
    status = arguments.get("status", 0)
    said = [name for name in ("equals", "contains", "lacks", "matches") if name in arguments]
    if status != ANY and (output.status != status or not said):
        found = words("course.check.call.found", returncode=output.status, said="")
        if output.status != status and printed.strip():
            found += f": {short(printed)}"
        expected = words("course.check.command.status", status=status)
        tally.add(output.status == status, typed, expected, found, typed)
    if "equals" in arguments:
        tally.add(printed.strip() == arguments["equals"].strip(), typed, arguments["equals"], shown, typed)
    for text in arguments.get("contains", ()):
        tally.add(
            text in printed,
            typed,
            words("course.check.has", value=text),
            _around(printed, text) or shown,
            typed,
        )
    for text in arguments.get("lacks", ()):
        found = _around(printed, text) or shown
        tally.add(text not in printed, typed, words("course.check.lacks", value=text), found, typed)
    if "matches" in arguments:
        match = re.search(arguments["matches"], printed, re.MULTILINE)
        expected = words("course.check.matches", pattern=arguments["matches"])
        tally.add(match is not None, typed, expected, short(match[0]) if match else shown, typed)
    return tally.finding


def _typed(context: CheckContext, line: str) -> str:
    """Return a line as it can be typed in the lab's shell, which does not know the container's pid."""
    pid = str(context.state.pid) if context.state and context.state.pid else "0"
    values = {"PID": pid, "CONTAINER": context.container_id, "OCI_TUTOR_ENGINE": context.engine}
    return re.sub(r"\$(?:\{(\w+)\}|(\w+))", lambda match: values.get(match[1] or match[2], match[0]), line)


def _around(printed: str, text: str) -> str:
    return short(next((line for line in printed.splitlines() if text in line), ""))


@kind("answer", Argument("is", "texts"), Argument("matches", "pattern"), one_of=("is", "matches"))
def answer(context: CheckContext, arguments: Mapping[str, Any]) -> Finding:
    """The last answer to the quiz is one of these, or matches: for hints."""
    words, found, tally = context.messages, context.answer, Tally()
    shown = words("course.check.answer.none") if found is None else found
    looked_at = words("course.check.answer.looked_at")
    if "is" in arguments:
        expected = words("course.check.or").join(arguments["is"])
        tally.add(found in arguments["is"], looked_at, expected, shown, "")
    if "matches" in arguments:
        expected = words("course.check.matches", pattern=arguments["matches"])
        holds = found is not None and re.search(arguments["matches"], found) is not None
        tally.add(holds, looked_at, expected, shown, "")
    return tally.finding
