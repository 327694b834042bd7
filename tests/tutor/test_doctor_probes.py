"""The doctor's probes on this machine, also with fewer privileges and fewer programs."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.support.mounts import mount_table
from tests.support.pseudo_terminal import PseudoTerminal
from tutor import patience
from tutor.doctor import kernel, tools
from tutor.doctor.kernel import read_cgroups, read_privileges, run_trials
from tutor.doctor.model import Tool, Trial
from tutor.doctor.tools import look_for
from tutor.doctor.trial import NAMESPACES, TRIALS
from tutor.messages import Messages
from tutor.observe.model import NAMESPACE_KINDS

ROOT = Path(__file__).parent.parent.parent
TRIAL = ROOT / "tutor" / "doctor" / "trial.py"
SYSTEM_PYTHON = "/usr/bin/python3"


def doctor(
    home: Path, *arguments: str, before: tuple[str, ...] = (), **environment: str
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*before, sys.executable, "-m", "tutor", "doctor", *arguments],
        env={**os.environ, "OCI_TUTOR_HOME": str(home), **environment},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )


def report(home: Path, *, before: tuple[str, ...] = (), **environment: str) -> tuple[int, dict[str, Any]]:
    done = doctor(home, "--json", "--lang", "en", before=before, **environment)
    assert "Traceback" not in done.stderr
    return done.returncode, json.loads(done.stdout)


def levels(told: dict[str, Any], topic: str) -> dict[str, str]:
    return {each["name"]: each["level"] for each in told["findings"] if each["topic"] == topic}


def trials(*before: str) -> dict[str, dict[str, str]]:
    """Run the trials with the system's Python: the one that tests run with may lie where only root looks."""
    done = subprocess.run(
        [*before, SYSTEM_PYTHON, "-I", "-S", str(TRIAL), "3"], capture_output=True, text=True, check=True
    )
    return dict(json.loads(line) for line in done.stdout.splitlines())


def test_every_kind_of_namespace_is_tried() -> None:
    assert set(NAMESPACES) == set(NAMESPACE_KINDS)
    assert set(NAMESPACES) < set(run_trials())


@pytest.mark.root
def test_root_can_do_what_the_kernel_offers_and_leaves_nothing_behind(tmp_path: Path) -> None:
    before = mount_table(tmp_path)
    found = run_trials()
    assert {name for name in TRIALS if not found[name].works} <= {"pivot_root", "overlay"}
    assert found["mnt"].way == found["pid"].way == "direct"
    assert mount_table(tmp_path) == before
    assert not (Path("/tmp") / "merged").exists()


@pytest.mark.root
def test_without_privileges_a_user_namespace_is_the_way() -> None:
    found = trials("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups")
    if found["user"]["way"] == "failed":
        pytest.skip("this kernel lets ordinary users have no user namespaces")
    assert found["mnt"]["way"] == found["uts"]["way"] == found["tmpfs"]["way"] == "userns"


@pytest.mark.root
def test_where_nothing_is_allowed_each_failure_has_its_errno_and_its_stage() -> None:
    # A process in a chroot may not make user namespaces (user_namespaces(7)), and without capabilities nothing else.
    found = trials(
        "unshare", "--mount", "--propagation=private", "sh", "-c",
        'mount --rbind / /mnt && cd /mnt && exec chroot . setpriv --reuid=65534 --regid=65534 --clear-groups "$@"', "sh",
    )  # fmt: skip
    assert found["user"] == {"way": "failed", "error": "EPERM", "stage": "unshare"}
    assert found["mnt"] == {"way": "failed", "error": "EPERM", "stage": "unshare"}
    assert found["tmpfs"]["way"] == "failed"
    assert found["seccomp"]["way"] == "direct"


def test_a_trial_that_hangs_is_ended(tmp_path: Path) -> None:
    code = (
        "import runpy, sys, time\n"
        f"sys.argv = ['trial', '1']\nmodule = runpy.run_path({str(TRIAL)!r})\n"
        "module['TRIALS']['hang'] = lambda: time.sleep(60)\n"
        "print(module['attempt']('hang', 1, in_user_namespace=False)['way'])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=patience.scaled(30)
    )
    assert done.stdout.strip() == "timeout"


def program(folder: Path, name: str, script: str) -> None:
    (folder / name).write_text(f"#!/bin/sh\n{script}")
    (folder / name).chmod(0o755)


def test_a_program_that_did_not_answer_in_time_is_asked_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tools, "SECONDS", 0.5)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    program(tmp_path, "skopeo", f"mkdir {tmp_path}/asked 2>&- && exec sleep 1000\necho skopeo version 9.8.7")
    program(tmp_path, "umoci", "exec sleep 1000")
    assert look_for("skopeo").version == "9.8.7"
    assert look_for("umoci") == Tool("umoci", f"{tmp_path}/umoci", "", tools.TIMEOUT)


def test_trials_that_did_not_end_in_time_are_tried_again_and_leave_no_process(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Its child holds the pipe on which the trial answers, and goes on when the trial has been ended.
    code = (
        "import os, runpy, sys, time\n"
        f"module = runpy.run_path({str(TRIAL)!r})\n"
        f"hang = lambda: module['wait_well'](module['fork'](lambda: time.sleep(1000)))\n"
        f"once = lambda: os.path.exists({str(tmp_path)!r} + '/tried') or (open({str(tmp_path)!r} + '/tried', 'w'), hang())\n"
        "module['TRIALS'].clear()\n"
        "module['TRIALS'].update(quick=lambda: None, once=once)\n"
        "module['main']()"
    )
    (tmp_path / "trial.py").write_text(code)
    monkeypatch.setattr(kernel, "TRIAL_SECONDS", 1.0)
    monkeypatch.setattr(kernel, "__file__", str(tmp_path / "kernel.py"))
    assert run_trials() == {"quick": Trial("direct"), "once": Trial("direct")}


@pytest.mark.root
def test_the_report_of_this_machine(tmp_path: Path) -> None:
    before = mount_table(tmp_path)
    status, told = report(tmp_path)
    assert status == (0 if told["can_start"] else 1)
    assert set(levels(told, "namespaces")) == set(NAMESPACE_KINDS)
    assert levels(told, "tools")["runt"] == "ok"
    assert [each["engine"] for each in told["engines"]] == ["runt", "runc", "crun"]
    assert told["can_start"]
    assert "first-container" in [each["lesson_id"] for each in told["lessons"]]
    assert mount_table(tmp_path) == before
    assert {each.name for each in tmp_path.iterdir()} <= {"cache"}, (
        "the doctor writes nothing but what any command keeps"
    )


@pytest.mark.root
def test_without_the_capability_to_make_namespaces_the_first_lesson_cannot_be_done(tmp_path: Path) -> None:
    status, told = report(tmp_path, before=("setpriv", "--bounding-set=-sys_admin", "--inh-caps=-sys_admin"))
    assert status == 1
    assert not told["can_start"]
    root = next(each for each in told["findings"] if each["name"] == "root")
    assert root["level"] == "missing"
    assert "CAP_SYS_ADMIN" in root["text"]
    assert root["advice"]


@pytest.mark.root
def test_without_other_programs_the_lessons_can_be_done_all_the_same(tmp_path: Path) -> None:
    # Debian's runtimes lie in /usr/sbin, where the doctor looks too: an empty folder is laid over it.
    empty = tmp_path / "empty"
    empty.mkdir()
    hidden = f'mount --bind {empty} /usr/sbin && PATH={empty} exec "$0" "$@"'
    status, told = report(
        tmp_path, before=("unshare", "--mount", "--propagation=private", "/bin/sh", "-c", hidden)
    )
    assert status == 0
    there = levels(told, "tools")
    assert {name for name, level in there.items() if level != "missing"} == {"runt"}
    assert {"runc", "skopeo", "umoci", "busybox-static"} <= set(told["packages"])
    assert {each["engine"]: each["level"] for each in told["engines"]} == {
        "runt": "ok",
        "runc": "missing",
        "crun": "missing",
    }


def test_runt_is_found_beside_this_python() -> None:
    runt = look_for("runt")
    assert runt.path == str(Path(sys.executable).with_name("runt"))
    assert runt.version


def test_privileges_are_those_of_proc() -> None:
    found = read_privileges()
    assert found.uid == os.geteuid()
    status = Path("/proc/self/status").read_text(encoding="ascii")
    effective = int(next(line for line in status.splitlines() if line.startswith("CapEff:")).split()[1], 16)
    assert ("CAP_SYS_ADMIN" in found.missing_capabilities) == (not effective >> 21 & 1)


def test_cgroups_are_those_that_are_mounted(tmp_path: Path) -> None:
    found = read_cgroups()
    mounted = {line.partition(" - ")[2].split()[0] for line in mount_table(tmp_path) if " - cgroup" in line}
    assert (
        found.layout
        == {
            frozenset(): "none",
            frozenset({"cgroup"}): "v1",
            frozenset({"cgroup2"}): "v2",
            frozenset({"cgroup", "cgroup2"}): "hybrid",
        }[frozenset(mounted)]
    )


@pytest.mark.root
def test_cgroups_without_a_mount_are_none() -> None:
    code = "from tutor.doctor.kernel import read_cgroups as r; print(r().layout)"
    script = f"umount -R /sys/fs/cgroup && exec {sys.executable} -c '{code}'"
    done = subprocess.run(
        ["unshare", "--mount", "--propagation=private", "sh", "-c", script],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == "none"


@pytest.mark.root
def test_the_host_may_have_a_mount_of_any_name(tmp_path: Path) -> None:
    odd = tmp_path / "a\rb"
    odd.mkdir()
    mount = 'mount -t tmpfs none "$0" && exec "$@"'
    _, told = report(
        tmp_path, before=("unshare", "--mount", "--propagation=private", "sh", "-c", mount, str(odd))
    )
    _, usual = report(tmp_path)
    assert levels(told, "cgroups") == levels(usual, "cgroups")


def test_the_terminal_is_asked_how_wide_its_characters_are(tmp_path: Path) -> None:
    environment = {**os.environ, "OCI_TUTOR_HOME": str(tmp_path), "LC_ALL": "C.UTF-8"}
    argv = [sys.executable, "-m", "tutor", "doctor", "--lang", "en"]
    with PseudoTerminal(argv, environment) as terminal:
        for column in (3, 2):  # what a terminal with a Japanese font answers: two columns, then one
            terminal.wait_for_sequence("\x1b[6n")
            terminal.type(f"\x1b[1;{column}R")
        terminal.wait_for_end()
        assert "Japanese takes two columns, symbols take one" in terminal.text
        assert "100 columns × 40 rows" in terminal.text


def test_a_terminal_shows_what_is_being_done_and_then_the_report_alone(tmp_path: Path) -> None:
    environment = {**os.environ, "OCI_TUTOR_HOME": str(tmp_path), "LC_ALL": "C.UTF-8"}
    argv = [sys.executable, "-m", "tutor", "doctor", "--lang", "en"]
    with PseudoTerminal(argv, environment) as terminal:
        terminal.wait_for("oci-tutor is starting ...")
        terminal.wait_for("Examining this machine")
        terminal.wait_for(Messages("en")("doctor.title"))
        terminal.wait_for_end()
        waiting, _, shown = terminal.raw.partition(Messages("en")("doctor.title"))
    assert waiting.startswith("\r\x1b[Koci-tutor is starting ...")
    assert "\n" not in waiting
    assert waiting.endswith("\r\x1b[K")
    assert "\x1b" not in shown


def test_a_terminal_that_does_not_answer_is_not_waited_for(tmp_path: Path) -> None:
    environment = {**os.environ, "OCI_TUTOR_HOME": str(tmp_path), "LC_ALL": "C.UTF-8"}
    argv = [sys.executable, "-m", "tutor", "doctor", "--lang", "en"]
    with PseudoTerminal(argv, environment) as terminal:
        terminal.wait_for_end()
        assert "did not answer" in terminal.text
