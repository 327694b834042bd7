"""Checks: what passes, what does not, and that the verdict shows what was found."""

from __future__ import annotations

import json
import os
import re
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tutor.course.checks import KINDS, CallRecord, CheckContext, evaluate
from tutor.course.model import Check
from tutor.engines.model import ContainerState
from tutor.messages import LANGUAGES, Messages
from tutor.observe.snapshot import take_snapshot

if TYPE_CHECKING:
    from tutor.course.checks.verdict import Verdict


def _context(bundle: Path, **parts: Any) -> CheckContext:
    found: dict[str, Any] = {
        "messages": Messages.load("en"),
        "engine": "runc",
        "container_id": "box",
        "bundle": bundle,
        "state": None,
        "snapshot": None,
    }
    return CheckContext(**(found | parts))


def _state(status: str, pid: int = 0) -> ContainerState:
    return ContainerState("box", status, pid, "/b")  # type: ignore[arg-type]  # parametrized: a str to mypy


def _verdict(context: CheckContext, kind: str, **arguments: Any) -> Verdict:
    return evaluate(Check("it", kind, arguments, "It is so"), context)


@pytest.mark.parametrize(
    ("arguments", "passed"),
    [
        ({"pointer": "/process/args", "equals": ["echo", "alpine"]}, True),
        ({"pointer": "/process/args", "equals": ["echo"]}, False),
        ({"pointer": "/process/args/1", "equals": "alpine"}, True),
        ({"pointer": "/process/args/9", "equals": "alpine"}, False),
        ({"pointer": "/process/args", "not_equals": ["sh"]}, True),
        ({"pointer": "/nothing", "not_equals": ["sh"]}, False),
        ({"pointer": "/process/terminal", "equals": False, "default": False}, True),
        ({"pointer": "/process/terminal", "equals": False}, False),
        ({"pointer": "/process/args/1", "matches": "^al"}, True),
        ({"pointer": "/process/args/1", "matches": "^[0-9]+$"}, False),
        ({"pointer": "/process/args", "matches": "a"}, False),
        ({"pointer": "/linux", "equals": {}}, True),
        ({"pointer": "/linux", "exists": False}, False),
        ({"pointer": "/a~1b/c~0d", "equals": 1}, True),
        ({"pointer": "/a~1b/c~0d", "equals": True}, False),
        ({"pointer": "/mounts", "contains": {"destination": "/proc"}}, True),
        ({"pointer": "/mounts", "contains": {"destination": "/sys"}}, False),
        ({"pointer": "/linux", "contains": {"destination": "/sys"}}, False),
    ],
)
def test_json_is_compared_as_json(tmp_path: Path, arguments: dict[str, Any], passed: bool) -> None:
    document = {
        "process": {"args": ["echo", "alpine"]},
        "linux": {},
        "mounts": [{"type": "proc", "destination": "/proc"}],
        "a/b": {"c~d": 1},
    }
    (tmp_path / "config.json").write_text(json.dumps(document))

    assert _verdict(_context(tmp_path), "json", **arguments).passed is passed


@pytest.mark.parametrize("content", [None, "{", "[1, 2]", "\udcff"])
def test_a_config_that_cannot_be_read_does_not_pass_and_says_so(tmp_path: Path, content: str | None) -> None:
    if content is not None:
        (tmp_path / "config.json").write_bytes(content.encode(errors="surrogateescape"))

    verdict = _verdict(_context(tmp_path), "json", pointer="/process/args", equals=["echo"])

    assert not verdict.passed
    assert verdict.evidence[0].found
    assert str(tmp_path) in verdict.evidence[0].command


def test_state_and_its_absence(tmp_path: Path) -> None:
    created = _context(tmp_path, state=_state("created", 5))

    assert _verdict(created, "state", **{"is": ("created", "running")}).passed
    assert not _verdict(created, "state", **{"is": ("none",)}).passed
    gone = _verdict(_context(tmp_path), "state", **{"is": ("none",)})
    assert gone.passed
    assert gone.evidence[0].command == "runc state box"


RUNC = """\
ID          PID         STATUS      BUNDLE      CREATED                          OWNER
other       9           running     /b          2026-11-23T18:18:01.226586875Z   root
box         8           created     /b          2026-11-23T18:18:01.226586875Z   root
"""
CRUN = """\
NAME PID       STATUS   BUNDLE PATH                             CREATED                        OWNER
box  9738      created  /tmp/s/b                                2026-11-23T18:18:03.294682Z    root
"""


@pytest.mark.parametrize("table", [RUNC, CRUN])
def test_the_table_of_list_is_read_whatever_its_columns(tmp_path: Path, table: str) -> None:
    context = _context(tmp_path, calls=(CallRecord("list", "runc list", 0, table),))

    assert _verdict(context, "list", shows="created").passed
    assert not _verdict(context, "list", shows="none").passed
    assert _verdict(context, "list", shows="none").evidence[0].found == "status = created"


def test_the_last_table_counts_and_none_is_no_empty_one(tmp_path: Path) -> None:
    heading = RUNC.splitlines()[0] + "\n"
    calls = (CallRecord("list", "runc list", 0, RUNC), CallRecord("list", "runc list", 0, heading))

    assert _verdict(_context(tmp_path, calls=calls), "list", shows="none").passed
    assert not _verdict(_context(tmp_path), "list", shows="none").passed


def test_the_answer_of_state_is_parsed(tmp_path: Path) -> None:
    answer = json.dumps({"id": "box", "status": "stopped", "pid": 0})
    context = _context(tmp_path, calls=(CallRecord("state", "runc state box", 0, answer),))

    assert _verdict(context, "query", status="stopped").passed
    assert not _verdict(context, "query", status="created").passed
    foreign = json.dumps({"id": "other", "status": "stopped"})
    context = _context(tmp_path, calls=(CallRecord("state", "runc state other", 0, foreign),))
    assert not _verdict(context, "query", status="stopped").passed


def test_a_call_counts_by_how_it_ended_and_only_in_its_step(tmp_path: Path) -> None:
    error = 'time="2026-11-23T18:18:01Z" level=error msg="container \\"box\\" of C:\\\\n is not \\x1b[1mrunning"\n'
    failed = CallRecord("start", "runc start box", 1, stderr=error)
    context = _context(tmp_path, calls=(failed,))

    refused = _verdict(context, "call", operation="start", fails=True)
    assert refused.passed
    assert r'container "box" of C:\n is not \x1b[1mrunning' in refused.evidence[0].found
    assert not _verdict(context, "call", operation="start").passed
    earlier = CallRecord("start", "runc start box", 1, earlier=True)
    assert not _verdict(_context(tmp_path, calls=(earlier,)), "call", operation="start", fails=True).passed
    running = CallRecord("start", "runc start box", None)
    assert not _verdict(_context(tmp_path, calls=(running,)), "call", operation="start").passed


def test_output_counts_also_from_the_call_that_left_the_container_behind(tmp_path: Path) -> None:
    calls = (
        CallRecord("create", "runc create box", 0, "alpine\n", earlier=True),
        CallRecord("start", "x", 0),
    )

    assert _verdict(_context(tmp_path, calls=calls), "output", contains=("alpine",)).passed
    assert not _verdict(_context(tmp_path, calls=calls), "output", contains=("changed",)).passed


def test_a_command_on_a_process_that_is_not_there_says_so(tmp_path: Path) -> None:
    """Without a container there is no process 0 to look at."""
    verdict = _verdict(_context(tmp_path), "command", run="nsenter -t $PID -u hostname", equals="box")
    assert not verdict.passed
    (evidence,) = verdict.evidence
    assert evidence.found == "there is no process of the container"
    assert "-t 0" not in evidence.looked_at + evidence.command


def test_files(tmp_path: Path) -> None:
    (tmp_path / "note").write_text("hello there")
    (tmp_path / "link").symlink_to("/etc/passwd")
    context = _context(tmp_path)

    assert _verdict(context, "file", path="note", exists=True).passed
    assert _verdict(context, "file", path="note", contains="hello").passed
    assert not _verdict(context, "file", path="note", exists=False).passed
    assert _verdict(context, "file", path="gone", exists=False).passed
    assert not _verdict(context, "file", path="link", contains="root").passed, (
        "a link leads out of the bundle"
    )


def test_namespaces_mounts_and_processes_of_a_real_process(tmp_path: Path) -> None:
    """This very process stands for a container's: what it shares, what is mounted, what it runs."""
    pid = os.getpid()
    context = _context(tmp_path, state=_state("running", pid), snapshot=take_snapshot(pid))

    assert _verdict(context, "namespaces", shared=("net", "uts")).passed
    assert not _verdict(context, "namespaces", own=("net",)).passed
    assert _verdict(context, "mount", target="/proc", type="proc").passed
    assert not _verdict(context, "mount", target="/proc", type="tmpfs").passed
    assert _verdict(context, "mount", target="/no/such", absent=True).passed
    program = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")[0].decode()
    assert _verdict(context, "process", runs=(Path(program).name,)).passed
    assert _verdict(context, "process", runs_not=("echo", "alpine")).passed
    assert not _verdict(context, "process", waits_for="exec.fifo").passed


def test_a_cgroup_is_looked_for_through_the_mount_that_covers_another(tmp_path: Path) -> None:
    """An ordinary user's lab can't take the machine's mount away, and mounts the lab's cgroup on top of it, for crun."""
    pid = os.getpid()
    seen = take_snapshot(pid)
    mounts = [each for each in seen.host.mounts if "pids" in each.super_options]
    if not mounts:
        pytest.skip("the files of the root of cgroup v2 are not those of another cgroup")
    covered = tuple(replace(each, root="/no/such/cgroup") for each in mounts)
    snapshot = replace(seen, host=replace(seen.host, mounts=(*covered, *seen.host.mounts)))
    context = _context(tmp_path, state=_state("running", pid), snapshot=snapshot)
    wanted = {"controller": "pids", "file": "notify_on_release", "equals": 0}
    assert _verdict(context, "cgroup", v1=wanted, v2=wanted).passed


@pytest.mark.parametrize(
    ("kind", "arguments"),
    [
        ("namespaces", {"own": ("net",)}),
        ("namespaces", {"shared": ("net",)}),
        ("mount", {"target": "/proc"}),
        ("mount", {"target": "/proc", "absent": True}),
        ("process", {"runs_not": ("echo",)}),
        ("process", {"waits_for": "exec.fifo"}),
    ],
)
def test_without_a_process_nothing_of_the_kernel_passes(
    tmp_path: Path, kind: str, arguments: dict[str, Any]
) -> None:
    verdict = _verdict(_context(tmp_path, snapshot=take_snapshot(None)), kind, **arguments)

    assert not verdict.passed
    assert verdict.evidence[0].expected
    assert verdict.evidence[0].found


def test_every_kind_has_a_docstring_for_authors() -> None:
    assert {"state", "json", "namespaces", "mount", "process", "output", "file", "list"} <= KINDS.keys()
    assert all(kind.run.__doc__ for kind in KINDS.values())


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_entry_that_the_rooms_name_is_in_the_catalogue(language: str) -> None:
    """Keys that stand in the code as whole words, however they are handed on."""

    root = Path(__file__).parents[2] / "tutor"
    source = "".join(
        path.read_text() for room in ("course", "session") for path in (root / room).rglob("*.py")
    )
    messages = Messages.load("ja" if language == "ja" else "en")
    keys = set(re.findall(r'"((?:course|session)\.[a-z_]+(?:\.[a-z_]+)+)"', source))
    notices = {key for key in keys if key.startswith(("session.notice.", "session.error."))}

    assert len(keys) > 30
    missing = {key for key in keys - notices if not (messages.has(key) or messages.has(f"{key}.title"))}
    assert missing == set()
    assert {key for key in notices if not messages.has(f"{key}.title")} == set()


@pytest.mark.parametrize(
    ("answer", "passed", "found"),
    [
        ("fails", True, "fails in `delete`"),
        ("warns", False, "succeeds in `delete` with a word"),
        ("", False, "not known"),
    ],
)
def test_the_engine_is_asked_for_a_trait(tmp_path: Path, answer: str, passed: bool, found: str) -> None:
    context = _context(tmp_path, trait={"failing-poststop": answer}.__getitem__)
    verdict = _verdict(context, "trait", name="failing-poststop", **{"is": ["fails"]})
    assert verdict.passed is passed
    (evidence,) = verdict.evidence
    assert (evidence.expected, evidence.found) == ("fails in `delete`", found)
    assert evidence.command == "oci-tutor engines"


def test_a_call_with_an_argument(tmp_path: Path) -> None:
    calls = (CallRecord("kill", "runc kill box TERM", 0),)
    context = _context(tmp_path, calls=calls)
    assert _verdict(context, "call", operation="kill", arguments=["TERM"]).passed
    assert not _verdict(context, "call", operation="kill", arguments=["KILL"]).passed
