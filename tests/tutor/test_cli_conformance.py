"""`oci-tutor conformance`: the checks, on real runtimes and on some that behave badly."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.support.lab import home, until_nothing
from tutor import patience
from tutor.conformance import chapters  # noqa: F401 - fills the table
from tutor.conformance.registry import CHECKS
from tutor.conformance.runner import run, runtime_at
from tutor.conformance.subject import Subject
from tutor.course.specmap import SpecMap
from tutor.lab.state_roots import BUNDLES
from tutor.messages import LANGUAGES, Messages
from tutor.text import cell_width

TUTOR = str(Path(sys.executable).parent / "oci-tutor")
LESSONS = Path(__file__).parents[2] / "lessons"


def _run(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "OCI_TUTOR_HOME": str(folder), "COLUMNS": "80"}
    return subprocess.run(
        [TUTOR, "conformance", *arguments],
        env=environment,
        capture_output=True,
        text=True,
        timeout=patience.scaled(300),
        check=False,
    )


def _json(folder: Path, *arguments: str) -> dict[str, Any]:
    return dict(json.loads(_run(folder, "--json", *arguments).stdout))


def _failed(report: dict[str, Any]) -> dict[str, Any]:
    return {each["id"]: each["seen"] for each in report["checks"] if each["status"] != "pass"}


def test_there_are_checks_of_every_chapter_each_with_a_clause_and_a_sentence() -> None:
    assert len(CHECKS) >= 150
    assert {each.chapter for each in CHECKS.values()} == {
        *("lifecycle", "errors", "config", "process", "namespaces", "mounts", "devices", "cgroups", "hooks", "seccomp")
    }  # fmt: skip
    for language in LANGUAGES:
        messages = Messages(language)
        sentences = [messages(f"conformance.check.{each.text}", **each.values) for each in CHECKS.values()]
        twice = {each for each in sentences if sentences.count(each) > 1}
        assert twice == set(), "a sentence says which check it is"


def test_the_clauses_are_sections_that_the_map_of_the_specification_knows() -> None:
    spec_map = SpecMap.load(LESSONS, "en")
    assert spec_map is not None
    documents = {each.clause.text().partition("#")[0] for each in spec_map.rules}
    assert {each.clause.partition("#")[0] for each in CHECKS.values()} <= documents
    assert all(each.clause.partition("#")[2] for each in CHECKS.values())


@pytest.mark.root
@pytest.mark.parametrize("language", LANGUAGES)
def test_a_report_shows_clause_expected_found_and_commands_in_80_columns(
    tmp_path: Path, language: str
) -> None:
    liar = _program(tmp_path, "exit 0")
    done = _run(tmp_path, "--lang", language, "--runtime", str(liar), "lifecycle.state-id", "errors")
    assert (done.returncode, done.stderr) == (1, "")
    assert [line for line in done.stdout.splitlines() if cell_width(line) > 80] == []
    for words in ("lifecycle.state-id", "runtime.md#state", "{}", "      $"):
        assert words in done.stdout


@pytest.mark.root
def test_the_list_needs_no_runtime_and_names_each_check(tmp_path: Path) -> None:
    done = _run(tmp_path, "--list", "seccomp", "--runtime", "/no/such/runtime")
    assert done.returncode == 0
    assert done.stdout.splitlines()[0] == "seccomp.errno  config-linux.md#seccomp"


@pytest.mark.root
def test_tap_is_a_line_for_each_check(tmp_path: Path) -> None:
    done = _run(tmp_path, "--tap", "errors.delete-running", "lifecycle.state-id", "--runtime", "runt")
    assert done.returncode == 0
    lines = done.stdout.splitlines()
    assert lines[:2] == ["TAP version 14", "1..2"]
    assert [line.split(":")[0] for line in lines[2:]] == [
        "ok 1 - lifecycle.state-id",
        "ok 2 - errors.delete-running",
    ]


@pytest.mark.root
def test_runt_follows_the_rules_of_some_chapters(tmp_path: Path) -> None:
    report = _json(tmp_path, "--runtime", "runt", "lifecycle", "devices", "seccomp")
    assert [each["id"] for each in report["checks"] if each["status"] in ("fail", "undone")] == []
    assert report["counts"]["pass"] > 60


@pytest.mark.root
@pytest.mark.long
def test_runt_follows_every_rule_that_this_machine_can_show(tmp_path: Path) -> None:
    report = _json(tmp_path, "--runtime", "runt")
    failed = [each for each in report["checks"] if each["status"] in ("fail", "undone")]
    assert failed == []
    assert report["counts"]["pass"] > 300
    until_nothing(lambda: [BUNDLES] if Path(BUNDLES).exists() else [])


# What Debian 12's engines do otherwise than the specification says; each was looked at by hand.
_KNOWN = {
    ("runc", "1.1.5"): {
        *("errors.delete-created", "config.version-absent", "process.rlimit-twice", "namespaces.joined-user"),
        *("devices.file-in-the-way", "hooks.failing-startcontainer"),
        *("hooks.state-poststart", "hooks.failing-poststop", "hooks.moment-poststart", "hooks.path-relative"),
    },
    ("crun", "1.8.1"): {
        *("errors.delete-created", "errors.kill-unknown-signal", "config.args-type", "process.rlimit-twice"),
        *(
            "namespaces.twice",
            "devices.file-in-the-way",
            "hooks.state-startcontainer",
            "hooks.failing-startcontainer",
        ),
    },
}


@pytest.mark.root
@pytest.mark.peer("runc", "crun")
@pytest.mark.parametrize("name", ["runc", "crun"])
def test_the_engines_that_are_known_are_told_truthfully(tmp_path: Path, name: str) -> None:
    sound = [
        "lifecycle.state-id",
        "process.rlimit-nofile",
        "hooks.timeout",
        "seccomp.errno",
        "mounts.bind-readonly",
    ]
    known = sorted(set().union(*_KNOWN.values()))
    report = _json(tmp_path, "--runtime", name, *sound, *known)
    failed = _failed(report)
    assert [each for each in sound if each in failed] == []
    version = (name, report["runtime"]["version"].partition("+")[0])
    if version in _KNOWN:
        assert set(failed) == _KNOWN[version]


def _program(folder: Path, script: str) -> Path:
    path = folder / "runtime"
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return path


def _mounts(folder: Path) -> list[str]:
    """Return the mounts where the runtimes of these tests make theirs: other tests mount elsewhere at the same time."""
    lines = Path("/proc/self/mountinfo").read_text().splitlines()
    return [line for line in lines if any(each in line for each in (" /mnt ", "/run/oci-tutor", str(folder)))]


@pytest.mark.root
@pytest.mark.parametrize(
    ("script", "status"),
    [
        ("exit 0", "fail"),
        ("echo '{}'", "fail"),
        ("kill -9 $$", "fail"),
        ("head -c 300000 /dev/zero | tr '\\0' x", "fail"),
        ("sleep 1000 & mount -t tmpfs x /mnt; rm -rf /run/oci-tutor/*; echo $PPID >/run/oci-tutor/x", "fail"),
        ('test "$1" = --version || kill -9 $PPID', "fail"),
    ],
)
def test_a_runtime_that_behaves_badly_fails_and_leaves_nothing(
    tmp_path: Path, script: str, status: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Subject, "seconds", 2.0)
    monkeypatch.setattr(Subject, "settle", 1.0)
    before = _mounts(tmp_path)
    own = home(tmp_path)
    runtime = runtime_at(_program(tmp_path, script), own)
    checks = [CHECKS[each] for each in ("lifecycle.state-id", "lifecycle.scope", "process.cwd")]
    outcomes = list(run(checks, runtime, home=own))
    assert [each.status for each in outcomes] == [status] * 3
    assert "hangs" not in {each.reason for each in outcomes}
    assert _mounts(tmp_path) == before
    until_nothing(lambda: _running(tmp_path / "runtime"))


@pytest.mark.root
def test_a_runtime_that_refuses_everything_passes_nothing(tmp_path: Path) -> None:
    own = home(tmp_path)
    runtime = runtime_at(_program(tmp_path, "exit 1"), own)
    checks = [each for each in CHECKS.values() if each.chapter in ("errors", "config")][::4]
    outcomes = list(run(checks, runtime, home=own))
    assert {each.status for each in outcomes} <= {"fail", "undone"}
    assert "nothing_runs" in {each.reason for each in outcomes}


@pytest.mark.root
def test_a_runtime_that_hangs_is_ended_and_the_rest_is_not_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Subject, "seconds", 0.5)
    own = home(tmp_path)
    runtime = runtime_at(_program(tmp_path, "trap '' TERM INT; sleep 1000"), own)
    checks = list(CHECKS.values())[:6]
    outcomes = list(run(checks, runtime, home=own))
    assert [each.status for each in outcomes] == ["fail"] * 3 + ["undone"] * 3
    assert {each.reason for each in outcomes[3:]} == {"hangs"}
    until_nothing(lambda: _running(tmp_path / "runtime"))


def _running(program: Path) -> list[str]:
    found = []
    for cmdline in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            text = cmdline.read_text().replace("\0", " ")
        except OSError:
            continue
        if str(program) in text or "sleep 1000" in text:
            found.append(text)
    return found


@pytest.mark.root
def test_what_is_kept_shows_the_same_by_hand(tmp_path: Path) -> None:
    kept = tmp_path / "kept"
    done = _run(tmp_path / "home", "--keep", str(kept), "--runtime", "runt", "errors.start-stopped")
    assert done.returncode == 0
    folder = kept / "errors.start-stopped"
    shown = subprocess.run(
        ["unshare", "--mount", "sh", "-x", str(folder / "by-hand.sh")],
        capture_output=True,
        text=True,
        check=False,
    )
    assert "cannot start a container that has stopped" in shown.stdout + shown.stderr
    again = _run(tmp_path / "home", "--keep", str(kept), "errors.start-stopped")
    assert again.returncode == 1
    assert str(kept) in again.stderr


@pytest.mark.root
@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["no.such-check"], "no.such-check"),
        (["--runtime", "/no/such/runtime"], "/no/such/runtime"),
        (["--runtime", "/etc/passwd"], "/etc/passwd"),
    ],
)
def test_bad_input_is_one_message(tmp_path: Path, arguments: list[str], words: str) -> None:
    done = _run(tmp_path, "--lang", "en", *arguments)
    assert (done.returncode, done.stdout) == (1, "")
    assert words in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.root
def test_without_root_it_says_so(tmp_path: Path) -> None:
    done = subprocess.run(
        ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", TUTOR, "conformance", "--lang", "en"],
        env={**os.environ, "OCI_TUTOR_HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout) == (1, "")
    assert "need root" in done.stderr
