"""Checks on the runtime: the container's state, and the output and exit status of commands."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from tutor.course.checks.context import CallRecord, CheckContext, Finding
from tutor.course.checks.registry import Argument, kind
from tutor.course.checks.tally import CONTAINER
from tutor.course.checks.verdict import Evidence
from tutor.course.model import OPERATIONS, REQUIREMENTS
from tutor.text import printable
from tutor.text.logrus import message_of

if TYPE_CHECKING:
    from collections.abc import Mapping

_LONGEST = 60


@kind("state", Argument("is", "words", required=True, known=REQUIREMENTS), CONTAINER)
def state(context: CheckContext, arguments: Mapping[str, Any]) -> Finding:
    """The container's status is one of these; `none`: there is no container with this id."""
    context = context.about(arguments.get("container"))
    found = context.state.status if context.state else "none"
    words = context.messages
    evidence = Evidence(
        words("course.check.state.looked_at", command=context.state_command),
        _or(context, [_status(context, each) for each in arguments["is"]]),
        _status(context, found),
        context.state_command,
    )
    return Finding(found in arguments["is"], (evidence,))


@kind(
    "call",
    Argument("operation", "word", required=True, known=OPERATIONS),
    Argument("fails", "boolean"),
    Argument("returncode", "integer"),
    Argument("says", "texts"),
    Argument("arguments", "texts"),
)
def call(context: CheckContext, arguments: Mapping[str, Any]) -> Finding:
    """An operation was run in this step and succeeded, or failed (`fails`) with this exit status and these words in its error.

    With `returncode` or `says`, `fails` counts only if it is given. `arguments`: words of the command line (a signal's name).
    """
    words, operation = context.messages, arguments["operation"]
    done = [each for each in _calls(context, operation) if each.returncode is not None and not each.earlier]
    fitting = [each for each in done if _ended_so(each, arguments)]
    last = fitting[-1] if fitting else done[-1] if done else None
    found = words("course.check.call.none")
    if last:
        said = _last_words(last.stderr)
        found = words(
            "course.check.call.found", returncode=last.returncode, said=f" ({said})" if said else ""
        )
    evidence = Evidence(
        words("course.check.call.looked_at", operation=operation),
        _expected_end(context, arguments),
        found,
        last.typed if last else f"{context.engine} {operation} {context.container_id}",
    )
    return Finding(bool(fitting), (evidence,))


def _ended_so(done: CallRecord, arguments: Mapping[str, Any]) -> bool:
    if not set(arguments.get("arguments", ())) <= set(done.typed.split()):
        return False
    if "returncode" in arguments and done.returncode != arguments["returncode"]:
        return False
    if not all(text in done.stderr for text in arguments.get("says", ())):
        return False
    if "fails" in arguments or not {"returncode", "says"} & arguments.keys():
        return bool(bool(done.returncode) == arguments.get("fails", False))
    return True


def _expected_end(context: CheckContext, arguments: Mapping[str, Any]) -> str:
    words, parts = context.messages, []
    if "returncode" in arguments:
        parts.append(words("course.check.command.status", status=arguments["returncode"]))
    elif "fails" in arguments or "says" not in arguments:
        parts.append(words(f"course.check.call.{'failure' if arguments.get('fails') else 'success'}"))
    parts += [words("course.check.has", value=text) for text in arguments.get("says", ())]
    return words("course.check.and").join(parts)


@kind(
    "output",
    Argument("operation", "word", known=OPERATIONS),
    Argument("contains", "texts", required=True),
)
def output(context: CheckContext, arguments: Mapping[str, Any]) -> Finding:
    """Since the step began, an operation, or the container that it left running, has printed all of these."""
    words, wanted = context.messages, arguments["contains"]
    operation = arguments.get("operation")
    calls = _calls(context, operation)
    passed = any(all(text in each.stdout for text in wanted) for each in calls)
    printed = "".join(each.stdout for each in calls)
    shown = words("course.check.output.nothing")
    if printed.strip():
        shown = _short(next((line for line in printed.splitlines() if wanted[0] in line), printed))
    evidence = Evidence(
        words("course.check.output.of", operation=operation)
        if operation
        else words("course.check.output.any"),
        " ".join(f'"{text}"' for text in wanted),
        shown,
        f"{context.engine} {operation} {context.container_id}" if operation and operation != "list" else "",
    )
    return Finding(passed, (evidence,))


@kind("list", Argument("shows", "word", required=True, known=REQUIREMENTS), CONTAINER)
def listed(context: CheckContext, arguments: Mapping[str, Any]) -> Finding:
    """`list` was run in this step and its table shows the container with this status, or no such container (`none`)."""
    context = context.about(arguments.get("container"))
    words, wanted = context.messages, arguments["shows"]
    tables = [each for each in _calls(context, "list") if each.returncode == 0 and each.stdout]
    rows = _rows(tables[-1].stdout) if tables else {}
    found = rows.get(context.container_id, "none")
    evidence = Evidence(
        words("course.check.list.looked_at", command=f"{context.engine} list"),
        _status(context, wanted),
        _status(context, found) if tables else words("course.check.call.none"),
        f"{context.engine} list",
    )
    return Finding(bool(tables) and found == wanted, (evidence,))


@kind("query", Argument("status", "word", required=True, known=REQUIREMENTS))
def query(context: CheckContext, arguments: Mapping[str, Any]) -> Finding:
    """`state` was run in this step and its JSON has this status."""
    words, wanted = context.messages, arguments["status"]
    answers = [
        (each, document)
        for each in _calls(context, "state")
        if (document := _document(each.stdout)) is not None and document.get("id") == context.container_id
    ]
    found = words("course.check.call.none")
    if answers:
        document = answers[-1][1]
        found = f'"status": "{document.get("status")}", "pid": {document.get("pid", 0)}'
    evidence = Evidence(
        words("course.check.query.looked_at", command=context.state_command),
        f'"status": "{wanted}"',
        found,
        context.state_command,
    )
    return Finding(bool(answers) and answers[-1][1].get("status") == wanted, (evidence,))


def _calls(context: CheckContext, operation: str | None) -> list[CallRecord]:
    return [each for each in context.calls if operation in (None, each.operation)]


def _rows(table: str) -> dict[str, str]:
    """Return container id to status, from the table that `list` prints: runc and crun have different column headings."""
    lines = table.splitlines()
    if not lines or "STATUS" not in lines[0]:
        return {}
    column = lines[0].split().index("STATUS")
    return {cells[0]: cells[column] for line in lines[1:] if len(cells := line.split()) > column}


def _document(text: str) -> dict[str, Any] | None:
    try:
        value = json.loads(text)
    except ValueError:
        return None
    return value if isinstance(value, dict) else None


def _status(context: CheckContext, status: str) -> str:
    return context.messages("course.check.state.none") if status == "none" else f"status = {status}"


def _or(context: CheckContext, texts: list[str]) -> str:
    return context.messages("course.check.or").join(texts)


def _short(text: str) -> str:
    text = printable(" ".join(text.split()))
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"


def _last_words(stderr: str) -> str:
    """Return the message of the last line that an engine printed, without the time and level of runc and runt."""
    line = next(reversed(stderr.strip().splitlines()), "")
    message = message_of(line)
    return _short(line if message is None else message)
