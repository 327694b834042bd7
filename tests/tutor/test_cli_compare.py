"""`oci-tutor compare`: one bundle on real engines, and what the kernel says of each container."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.lab import Traces, bundle, until, until_nothing
from tests.support.mounts import mount_table
from tutor import patience
from tutor.compare.known import explanation
from tutor.compare.model import Key
from tutor.compare.table import Row
from tutor.engines.engine import Engine, find
from tutor.engines.traits.table import Table
from tutor.home import Home
from tutor.lab.processes import all_pids
from tutor.messages import LANGUAGES
from tutor.text import cell_width

if TYPE_CHECKING:
    from tutor.engines.model import EngineName

TUTOR = str(Path(sys.executable).parent / "oci-tutor")
NAMESPACES: dict[str, Any] = {"namespaces": [{"type": each} for each in ("mount", "pid", "ipc", "uts")]}
ROOT = {"terminal": False, "user": {"uid": 0, "gid": 0}, "args": ["sh"], "env": ["PATH=/bin"], "cwd": "/"}
pytestmark = [pytest.mark.root, pytest.mark.peer("runc", "crun")]


def _environment(folder: Path) -> dict[str, str]:
    return {**os.environ, "OCI_TUTOR_HOME": str(folder / "home"), "COLUMNS": "80"}


def _run(folder: Path, *arguments: str, before: str = "") -> subprocess.CompletedProcess[str]:
    """Run the command; `before` are shell lines that come first, in a mount namespace of its own."""
    command = [TUTOR, "compare", *arguments]
    if before:
        script = f'{before}\nexec "$@"'
        command = ["unshare", "--mount", "--propagation", "private", "sh", "-ec", script, "sh", *command]
    return subprocess.run(
        command,
        env=_environment(folder),
        capture_output=True,
        text=True,
        timeout=patience.scaled(120),
        check=False,
    )


def _json(folder: Path, *arguments: str) -> dict[str, Any]:
    done = _run(folder, "--json", *arguments)
    assert done.returncode == 0, done.stderr + done.stdout
    return dict(json.loads(done.stdout))


def _values(report: dict[str, Any], moment: str, section: str, name: str, aspect: str = "") -> dict[str, Any]:
    (found,) = (
        each["values"]
        for each in report[moment]
        if (each["section"], each["name"], each["aspect"]) == (section, name, aspect)
    )
    return dict(found)


def _differing(report: dict[str, Any], moment: str) -> list[dict[str, Any]]:
    return [each for each in report[moment] if each["differs"] and not each["passing"]]


def test_runt_and_runc_agree_on_a_plain_bundle_and_nothing_is_left(tmp_path: Path) -> None:
    made = bundle(tmp_path, ["sh", "-c", "sleep 60; :"], linux=NAMESPACES)
    before = mount_table(tmp_path)
    report = _json(tmp_path, str(made), "--engines", "runt,runc")
    assert _differing(report, "running") == _differing(report, "created") == []
    assert {each["section"] for each in report["running"]} == {
        *("namespaces", "mounts", "capabilities", "mappings", "ids", "cgroup"),
        *("descriptors", "root", "protection", "processes"),
    }
    assert _values(report, "running", "namespaces", "pid") == {"runt": "own", "runc": "own"}
    assert _values(report, "running", "namespaces", "net") == {"runt": "shared", "runc": "shared"}
    assert _values(report, "running", "mounts", "/proc", "propagation")["runt"] == "private"
    assert _values(report, "running", "processes", "2") == {"runt": "  sleep 60", "runc": "  sleep 60"}
    assert mount_table(tmp_path) == before
    until_nothing(lambda: [str(each) for each in (tmp_path / "home").rglob("labs/*.json")])


def test_before_start_the_process_is_still_the_engines(tmp_path: Path) -> None:
    report = _json(tmp_path, str(bundle(tmp_path, ["sh"], linux=NAMESPACES)), "--engines", "runt,runc")
    own = _values(report, "created", "processes", "1")
    assert "runc init" in own["runc"]
    assert "sh" not in own.values()
    assert _values(report, "running", "processes", "1") == {"runt": "sh", "runc": "sh"}
    passing = {each["section"] for each in report["created"] if each["passing"]}
    assert passing == {"descriptors", "processes"}


def test_two_runs_say_the_same(tmp_path: Path) -> None:
    """Pids, inodes, peer groups and the lab's name are in no value."""
    made = str(bundle(tmp_path, ["sh"], linux=NAMESPACES))
    _json(tmp_path, made)  # an engine leaves mount points and devices in the root
    assert _json(tmp_path, made) == _json(tmp_path, made)


@pytest.mark.parametrize(
    ("engines", "trait", "section"),
    [("runt,runc", "duplicate-groups", "ids"), ("runt,crun", "empty-linux", "mounts")],
)
def test_a_known_difference_is_explained_with_the_versions(
    tmp_path: Path, engines: str, trait: str, section: str
) -> None:
    user = {"uid": 0, "gid": 0, "additionalGids": [4321, 4321]}
    made = bundle(tmp_path, ["sh"], process={**ROOT, "user": user})  # with `"linux": {}`
    names: list[EngineName] = ["runt", "runc" if "runc" in engines else "crun"]
    answers = [_recorded(name, trait) for name in names]
    if None in answers:
        pytest.skip("one of these versions is not recorded")
    report = _json(tmp_path, str(made), "--engines", engines)
    found = [each for each in _differing(report, "running") if each["section"] == section]
    assert bool(found) == (answers[0] != answers[1])
    for each in found:
        assert each["known"]["trait"] == trait
        assert [(one["engine"], one["version"], one["answer"]) for one in each["known"]["seen"]] == [
            (name, find(name).version, answer) for name, answer in zip(names, answers, strict=True)
        ]
    for language in LANGUAGES:
        text = _run(tmp_path, "--lang", language, str(made), "--engines", engines).stdout
        assert [line for line in text.splitlines() if cell_width(line) > 80] == []
        assert (f"({trait})" in text.replace("（", "(").replace("）", ")")) == bool(found)


def _recorded(name: EngineName, trait: str) -> str | None:
    observation = Table.load().recorded(name, find(name).version)
    return observation.answers.get(trait) if observation else None


def test_what_the_traits_do_not_fit_stays_unexplained(tmp_path: Path) -> None:
    """Both have no capabilities where they are absent: if they differ all the same, it is for another reason."""
    engines = [Engine("runt", Path("/runt"), "0.1.0", ""), Engine("runc", Path("/runc"), "1.1.5+ds1", "")]
    home = Home(tmp_path, tmp_path, tmp_path)
    capabilities = Row(Key("capabilities", "effective"), {"runt": "none", "runc": "KILL"})
    assert explanation(capabilities, {"process": {}}, engines, home) is None
    groups = Row(Key("ids", "groups"), {"runt": "1 1", "runc": "1"})
    twice = {"process": {"user": {"additionalGids": [1, 1]}}}
    assert explanation(groups, twice, engines, home) is not None
    assert explanation(groups, {}, engines, home) is None
    odd: Any = {"mounts": 3, "process": [], "linux": {"maskedPaths": None, "resources": "x"}}
    assert explanation(Row(Key("mounts", "/a"), {"runt": "x", "runc": None}), odd, engines, home) is None


def test_a_terminal_is_there_and_a_joined_namespace_is_told(tmp_path: Path) -> None:
    with subprocess.Popen(["unshare", "--net", "sleep", "600"]) as other:
        try:
            place = f"/proc/{other.pid}/ns/net"
            until(lambda: Path(place).readlink() != Path("/proc/self/ns/net").readlink())
            made = bundle(
                tmp_path,
                process={**ROOT, "terminal": True},
                linux={"namespaces": [*NAMESPACES["namespaces"], {"type": "network", "path": place}]},
                mounts=[
                    {"destination": "/proc", "type": "proc", "source": "proc"},
                    {"destination": "/dev", "type": "tmpfs", "source": "tmpfs"},
                    {"destination": "/dev/pts", "type": "devpts", "source": "devpts", "options": ["newinstance"]},
                ],
            )  # fmt: skip
            report = _json(tmp_path, str(made), "--engines", "runt,runc")
        finally:
            other.kill()
    assert _values(report, "running", "namespaces", "net") == {"runt": "joined", "runc": "joined"}
    assert _values(report, "running", "descriptors", "0") == {"runt": "/dev/pts/0", "runc": "/dev/pts/0"}


def test_a_program_that_ends_at_once_is_compared_before_start(tmp_path: Path) -> None:
    done = _run(tmp_path, "--lang", "en", str(bundle(tmp_path, ["true"], linux=NAMESPACES)))
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.count("the program had ended before it could be looked at in running") == 3
    assert "created (after create, before start)" in done.stdout
    assert "running (after start)" not in done.stdout


def test_what_an_engine_refuses_is_told_and_the_others_are_compared(tmp_path: Path) -> None:
    hook = {"path": "/bin/sh", "args": ["sh", "-c", "! grep -q runc /proc/$PPID/comm"]}
    made = bundle(tmp_path, ["sh"], linux=NAMESPACES, hooks={"createRuntime": [hook]})
    done = _run(tmp_path, "--lang", "en", str(made))
    assert done.returncode == 1
    assert "✗ runc failed to create: " in done.stdout
    assert "time=" not in done.stdout
    report = json.loads(_run(tmp_path, "--json", str(made)).stdout)
    assert {each["engine"]: each["failed"] for each in report["engines"]} == {
        "runt": None,
        "runc": "create",
        "crun": None,
    }
    assert _values(report, "running", "processes", "1") == {"runt": "sh", "crun": "sh"}


@pytest.mark.parametrize(
    ("config", "arguments", "status", "words"),
    [
        (None, ["/no/such/bundle"], 1, "There is no such bundle"),
        (None, [], 1, "A bundle without a config.json"),
        ("{", [], 1, "config.json cannot be read as a JSON object"),
        ("[" * 100_000, [], 1, "config.json cannot be read as a JSON object"),
        ("[]", [], 1, "config.json cannot be read as a JSON object"),
        ('{"root": {"path": "rootfs"}}', [], 1, "There is no root filesystem"),
        ("{}", ["--engines", "runt"], 1, "needs two engines or more"),
        ("{}", ["--engines", "runt,runt"], 1, "needs two engines or more"),
        ("{}", ["--engines", "runt,youki"], 2, "there is no engine youki"),
        ("{}", ["--engines", ""], 2, "there is no engine"),
    ],
)
def test_bad_input_is_one_message(
    tmp_path: Path, config: str | None, arguments: list[str], status: int, words: str
) -> None:
    place = tmp_path / "bundle"
    place.mkdir()
    if config is not None:
        (place / "config.json").write_text(config)
    given = arguments if arguments[:1] == ["/no/such/bundle"] else [str(place), *arguments]
    done = _run(tmp_path, "--lang", "en", *given)
    assert (done.returncode, done.stdout) == (status, "")
    assert words in done.stderr
    assert "Traceback" not in done.stderr


def test_an_engine_that_is_missing_is_named_only_if_it_was_asked_for(tmp_path: Path) -> None:
    made = str(bundle(tmp_path, ["sh"], linux=NAMESPACES))
    gone = f"mount --bind /dev/null {shutil.which('runc', path='/usr/sbin:/usr/bin:/usr/local/sbin:/usr/local/bin')}"
    done = _run(tmp_path, "--lang", "en", made, "--engines", "runt,runc", before=gone)
    assert (done.returncode, done.stdout) == (1, "")
    assert "runc" in done.stderr.splitlines()[0]
    done = _run(tmp_path, "--lang", "en", made, before=gone)
    assert done.returncode == 0
    assert "runc" not in done.stdout


def test_interrupted_it_ends_at_once_and_leaves_nothing(tmp_path: Path) -> None:
    hook = {"path": "/bin/sleep", "args": ["sleep", "54321"]}
    made = bundle(tmp_path, ["sh"], linux=NAMESPACES, hooks={"createRuntime": [hook]})
    with subprocess.Popen(
        [TUTOR, "compare", str(made)],
        env=_environment(tmp_path),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        until(lambda: _running("sleep\00054321"))
        traces = Traces(tmp_path / "home" / "state", tmp_path)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=patience.scaled(30))
    assert (process.returncode, out, err) == (130, "", "")
    until_nothing(traces.left)
    assert not _running("sleep\00054321")


def _running(words: str) -> bool:
    for pid in all_pids():
        try:
            if words in Path(f"/proc/{pid}/cmdline").read_text():
                return True
        except OSError:
            continue
    return False
