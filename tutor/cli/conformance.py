"""`oci-tutor conformance`: what the specification asks of a runtime, tried on any OCI runtime of this machine."""

from __future__ import annotations

import errno
import json
import os
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

from tutor import waiting
from tutor.text.glyphs import FAILED, INFORMATION, PASSED, SKIPPED

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator, Sequence

    from tutor.conformance.model import Status
    from tutor.conformance.registry import Check
    from tutor.conformance.runner import Outcome
    from tutor.conformance.subject import Runtime
    from tutor.home import Home
    from tutor.messages import Messages

SPECIFICATION = "1.3.0"
"""The version whose documents the clauses are of."""
_GLYPHS: dict[Status, str] = {"pass": PASSED, "fail": FAILED, "inapplicable": SKIPPED, "undone": INFORMATION}


def add_arguments(parser: argparse.ArgumentParser, messages: Messages) -> None:
    """Add the arguments of `conformance`."""
    parser.add_argument("checks", nargs="*", metavar="CHECK", help=messages("cli.conformance.checks"))
    parser.add_argument("--runtime", metavar="PATH", help=messages("cli.conformance.runtime"))
    parser.add_argument("--keep", metavar="DIR", type=Path, help=messages("cli.conformance.keep"))
    parser.add_argument("--all", action="store_true", help=messages("cli.conformance.all"))
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--list", action="store_true", help=messages("cli.conformance.list"))
    form.add_argument("--json", action="store_true", help=messages("cli.conformance.json"))
    form.add_argument("--tap", action="store_true", help=messages("cli.conformance.tap"))


def run(arguments: argparse.Namespace, messages: Messages) -> int:
    """Run the checks, print what was found, and return 0 if none has failed and none was left out, else 1.

    Raises:
        TutorError: `conformance.nothing`, `conformance.no_runtime`, `conformance.no_root`, `conformance.keep_failed`; `lab. ...`.
    """
    from tutor.conformance.runner import run as run_checks
    from tutor.home import Home

    checks = _chosen(arguments.checks)
    if arguments.list:
        print("\n".join(_listed(checks, messages)))
        return 0
    _prepare(arguments.keep)
    home = Home.default()
    runtime = _runtime(arguments.runtime, arguments.engine, home)
    outcomes: list[Outcome] = []
    if arguments.tap:
        print(f"TAP version 14\n1..{len(checks)}", flush=True)
    _say(messages, checks, 0)
    for outcome in run_checks(checks, runtime, home=home, keep=arguments.keep):
        outcomes.append(outcome)
        if arguments.tap:
            print("\n".join(_as_tap(len(outcomes), outcome, messages)), flush=True)
        _say(messages, checks, len(outcomes))
    waiting.clear()
    if arguments.json:
        print(_as_json(runtime, outcomes, messages))
    elif not arguments.tap:
        print("\n".join(_as_text(runtime, outcomes, messages, shows_all=arguments.all)))
        if arguments.keep is not None:
            print(messages("conformance.kept", folder=arguments.keep))
    return int(any(each.status in ("fail", "undone") for each in outcomes))


def _chosen(names: Sequence[str]) -> list[Check]:
    """Return the checks of these chapters and ids, all for none, in the order of the table."""
    from tutor.conformance import chapters  # noqa: F401 - fills the table
    from tutor.conformance.registry import CHECKS
    from tutor.errors import TutorError

    checks = list(CHECKS.values())
    for name in names:
        if not any(name in (each.id, each.chapter) for each in checks):
            raise TutorError("conformance.nothing", name=name)
    return [each for each in checks if not names or each.id in names or each.chapter in names]


def _runtime(path: str | None, engine: str, home: Home) -> Runtime:
    import shutil

    from tutor.conformance.runner import runtime_at
    from tutor.engines.engine import path_of
    from tutor.engines.model import ENGINE_NAMES
    from tutor.errors import TutorError
    from tutor.paths import search_path

    name = path or engine
    if name in ENGINE_NAMES:
        found = path_of(name)
    else:
        found = name if "/" in name else shutil.which(name, path=search_path())
    if found is None:
        raise TutorError("conformance.no_runtime", path=name, reason=os.strerror(errno.ENOENT))
    return runtime_at(Path(found).absolute(), home)


def _prepare(keep: Path | None) -> None:
    from tutor.errors import TutorError

    if os.geteuid() != 0:
        raise TutorError("conformance.no_root")
    if keep is None:
        return
    try:
        keep.mkdir(parents=True, exist_ok=True)
        reason = os.strerror(errno.ENOTEMPTY) if any(keep.iterdir()) else ""
    except OSError as error:
        reason = error.strerror or ""
    if reason:
        raise TutorError("conformance.keep_failed", folder=keep, reason=reason)


def _say(messages: Messages, checks: list[Check], done: int) -> None:
    if done < len(checks):
        waiting.say(messages("conformance.running", done=done, of=len(checks), id=checks[done].id))


def _sentence(check: Check, messages: Messages) -> str:
    return messages(f"conformance.check.{check.text}", **check.values)


def _listed(checks: list[Check], messages: Messages) -> Iterator[str]:
    for check in checks:
        yield f"{check.id}  {check.clause}"
        yield f"    {_sentence(check, messages)}"


def _as_text(
    runtime: Runtime, outcomes: list[Outcome], messages: Messages, *, shows_all: bool
) -> Iterator[str]:
    from itertools import groupby

    from tutor.cli.terminal import text_width
    from tutor.text import wrap

    width = text_width()
    title = messages("conformance.title", path=runtime.path, version=runtime.version).rstrip()
    yield from wrap(title, width)
    yield from wrap(messages("conformance.rules", spec=SPECIFICATION, count=len(outcomes)), width)
    for chapter, group in groupby(outcomes, key=lambda each: each.check.chapter):
        listed = list(group)
        yield ""
        counts = _counts(listed, messages)
        yield messages(
            "conformance.heading", chapter=messages(f"conformance.chapter.{chapter}"), counts=counts
        )
        for outcome in listed:
            if shows_all or outcome.status != "pass":
                yield from _lines(outcome, messages, width)
    yield ""
    yield _counts(outcomes, messages)
    failed = next((each.check.id for each in outcomes if each.status == "fail"), None)
    if failed is not None:
        yield from wrap(messages("conformance.keep", path=runtime.path, id=failed), width)


def _counts(outcomes: list[Outcome], messages: Messages) -> str:
    from tutor.conformance.model import STATUSES

    numbers = Counter(each.status for each in outcomes)
    return "  ".join(
        messages(
            "conformance.count",
            glyph=_GLYPHS[each],
            status=messages(f"conformance.status.{each}"),
            count=numbers[each],
        )
        for each in STATUSES
        if numbers[each] or each == "pass"
    )


def _lines(outcome: Outcome, messages: Messages, width: int) -> Iterator[str]:
    from tutor.text import wrap

    check = outcome.check
    line = messages(
        "conformance.line",
        glyph=_GLYPHS[outcome.status],
        text=_sentence(check, messages),
        id=check.id,
    )
    for number, each in enumerate(wrap(line, width - 4)):
        yield ("    " if number else "  ") + each
    details = []
    if outcome.reason:
        details.append(messages(f"conformance.reason.{outcome.reason}", detail=outcome.detail))
    if outcome.status == "fail":
        details.append(messages("conformance.clause", clause=check.clause))
        details += [
            messages(
                "conformance.seen", what=each.what, expected=_quoted(each.expected), found=_quoted(each.found)
            )
            for each in outcome.seen
            if not each.agrees
        ]
        details += [messages("conformance.command", command=each) for each in outcome.commands]
    for detail in details:
        for number, each in enumerate(wrap(detail, width - 8)):
            yield ("        " if number else "      ") + each


def _quoted(text: str) -> str:
    return text or '""'


def _as_tap(number: int, outcome: Outcome, messages: Messages) -> Iterator[str]:
    """Yield the lines of a test point of the Test Anything Protocol, version 14; a `#` in its text has no meaning there."""
    check = outcome.check
    failed = outcome.status == "fail"
    text = f"{check.id}: {_sentence(check, messages)}".replace("\\", "\\\\").replace("#", "\\#")
    line = f"{'not ok' if failed else 'ok'} {number} - {text}"
    if outcome.status in ("inapplicable", "undone"):
        yield f"{line} # SKIP {messages(f'conformance.reason.{outcome.reason}', detail=outcome.detail)}"
        return
    yield line
    if failed:
        # JSON is YAML, too.
        yield "  ---"
        yield f"  {json.dumps(_record(outcome, messages), ensure_ascii=False)}"
        yield "  ..."


def _record(outcome: Outcome, messages: Messages) -> dict[str, object]:
    check = outcome.check
    reason = (
        messages(f"conformance.reason.{outcome.reason}", detail=outcome.detail) if outcome.reason else None
    )
    return {
        "id": check.id,
        "chapter": check.chapter,
        "clause": check.clause,
        "since": check.since,
        "text": _sentence(check, messages),
        "status": outcome.status,
        "reason": reason,
        "seen": [
            {"what": each.what, "expected": each.expected, "found": each.found} for each in outcome.seen
        ],
        "commands": list(outcome.commands),
    }


def _as_json(runtime: Runtime, outcomes: list[Outcome], messages: Messages) -> str:
    from tutor.conformance.model import STATUSES

    numbers = Counter(each.status for each in outcomes)
    document = {
        "runtime": {
            "path": str(runtime.path),
            "version": runtime.version,
            "specification": runtime.spec_version,
        },
        "specification": SPECIFICATION,
        "kernel": os.uname().release,
        "counts": {each: numbers[each] for each in STATUSES},
        "checks": [_record(each, messages) for each in outcomes],
    }
    return json.dumps(document, ensure_ascii=False, indent=2)
