"""What the doctor makes of what was found: pure functions of values."""

from __future__ import annotations

import ast
import re
from dataclasses import replace
from pathlib import Path

import pytest

from tutor import doctor
from tutor.course.model import LabPlan, Lesson, Read, Step
from tutor.doctor.conclusions import conclude
from tutor.doctor.findings import assess
from tutor.doctor.model import (
    Cgroups,
    Docker,
    Finding,
    Machine,
    Privileges,
    Storage,
    System,
    Terminal,
    Tool,
    Trial,
)
from tutor.doctor.report import as_text, missing_packages, say
from tutor.doctor.tools import TIMEOUT, VERSION_COMMANDS
from tutor.doctor.trial import TRIALS
from tutor.engines.model import ENGINE_NAMES
from tutor.messages import LANGUAGES, Language, Messages
from tutor.text import cell_width

LESSON = Lesson(
    id="first-container",
    order=1,
    minutes=20,
    spec_version="1.3.0",
    engines=("runt", "runc", "crun"),
    title="First",
    summary="",
    steps=(),
    lab=LabPlan("bundle", "container", "mini"),
    folder=Path("/nowhere"),
)
FULL = Machine(
    system=System("6.8.0-45-generic", "x86_64", "Ubuntu 24.04.1 LTS", True, "3.12.3", "/usr/bin/python3"),
    privileges=Privileges(0, "root", (), False, "/usr/bin/sudo", None, None, 0, 0),
    trials={name: Trial("direct") for name in TRIALS},
    cgroups=Cgroups("v2", (), ("cpu", "memory", "pids"), "/sys/fs/cgroup", True, False),
    tools=tuple(Tool(name, f"/usr/bin/{name}", "1.2.3") for name in VERSION_COMMANDS),
    docker=Docker(True, "27.0.1"),
    terminal=Terminal(True, "xterm-256color", "utf-8", "ja_JP.UTF-8", 120, 40, "256", 2, 1),
    storage=(Storage("/root", True, 10 * 1024**3),),
)
USER = replace(
    FULL,
    privileges=replace(
        FULL.privileges, uid=1000, user="hanako", missing_capabilities=("CAP_SYS_ADMIN", "CAP_SETUID")
    ),
    trials=FULL.trials
    | {name: Trial("userns") for name in ("mnt", "pid", "tmpfs", "proc", "overlay", "pivot_root")},
)
BARE = replace(
    FULL,
    tools=tuple(Tool(name, "/opt/runt" if name == "runt" else None, "0.1.0") for name in VERSION_COMMANDS),
    docker=Docker(False),
)


def finding(machine: Machine, name: str) -> Finding:
    return next(each for each in assess(machine) if each.name == name)


def engines(machine: Machine) -> dict[str, str]:
    return {each.engine: each.level for each in conclude(machine, (LESSON,)).engines}


def test_on_a_full_machine_everything_is_well() -> None:
    assert {each.level for each in assess(FULL)} == {"ok"}
    conclusions = conclude(FULL, (LESSON,))
    assert conclusions.can_start
    assert conclusions.lessons[0].engines == ("runt", "runc", "crun")


def test_an_ordinary_user_is_sent_to_sudo_and_told_what_the_kernel_allows() -> None:
    assert finding(USER, "root").level == "missing"
    assert finding(USER, "root").advice == "doctor.root.sudo"
    without = replace(USER, privileges=replace(USER.privileges, sudo=None))
    assert finding(without, "root").advice == "doctor.root.su"
    assert finding(USER, "rootless").level == "ok"
    assert finding(USER, "mnt").level == "limited"
    assert not conclude(USER, (LESSON,)).can_start


@pytest.mark.parametrize(
    ("sysctl", "value", "why"),
    [
        ("kernel.apparmor_restrict_unprivileged_userns", "1", "apparmor"),
        ("kernel.unprivileged_userns_clone", "0", "debian"),
        ("user.max_user_namespaces", "0", "maximum"),
        ("kernel.yama.ptrace_scope", "1", "other"),
    ],
)
def test_what_forbids_user_namespaces_is_named(sysctl: str, value: str, why: str) -> None:
    trials = USER.trials | {name: Trial("failed", "EPERM", "uid_map") for name in ("user", "mnt", "tmpfs")}
    machine = replace(USER, trials=trials, privileges=replace(USER.privileges, sysctls={sysctl: value}))
    assert finding(machine, "rootless").key == f"doctor.rootless.{why}"
    assert finding(machine, "rootless").level == "missing"


def test_an_ordinary_user_with_ids_can_start_and_is_told_what_is_only_read() -> None:
    given = replace(
        USER.privileges,
        newuidmap="/usr/bin/newuidmap",
        newgidmap="/usr/bin/newgidmap",
        subordinate_uids=65536,
        subordinate_gids=65536,
    )
    machine = replace(USER, privileges=given)
    assert finding(machine, "root").level == "limited"
    limited = replace(LESSON, steps=(Step("limit", "read", "", "", Read(), needs=("cgroup",)),))
    conclusions = conclude(machine, (limited, LESSON))
    assert conclusions.can_start
    assert [(each.level, each.only_read) for each in conclusions.lessons] == [("limited", 1), ("limited", 0)]
    assert not conclude(replace(machine, privileges=replace(given, no_new_privs=True)), (LESSON,)).can_start
    assert not conclude(
        replace(machine, privileges=replace(given, subordinate_gids=1000)), (LESSON,)
    ).can_start


def test_newuidmap_is_three_kinds_of_there() -> None:
    assert finding(USER, "newuidmap").package == "uidmap"
    programs = replace(USER.privileges, newuidmap="/usr/bin/newuidmap", newgidmap="/usr/bin/newgidmap")
    assert finding(replace(USER, privileges=programs), "newuidmap").level == "limited"
    given = replace(programs, subordinate_uids=65536, subordinate_gids=65536)
    assert finding(replace(USER, privileges=given), "newuidmap").level == "ok"


def test_root_without_the_essential_capabilities_can_do_nothing() -> None:
    weak = replace(FULL, privileges=replace(FULL.privileges, missing_capabilities=("CAP_SYS_ADMIN",)))
    assert finding(weak, "root").level == "missing"
    assert not conclude(weak, (LESSON,)).can_start
    odd = replace(FULL, privileges=replace(FULL.privileges, missing_capabilities=("CAP_SYS_RESOURCE",)))
    assert finding(odd, "root").level == "limited"
    assert conclude(odd, (LESSON,)).can_start


def test_with_nothing_installed_runt_does_the_lessons_and_one_command_gets_the_rest() -> None:
    assert engines(BARE) == {"runt": "ok", "runc": "missing", "crun": "missing"}
    assert conclude(BARE, (LESSON,)).can_start
    assert missing_packages(assess(BARE)) == [
        "runc", "crun", "busybox-static", "docker.io", "containerd", "podman",
        "skopeo", "umoci", "oci-image-tool", "tmux", "strace",
    ]  # fmt: skip
    text = "\n".join(as_text(BARE, assess(BARE), conclude(BARE, (LESSON,)), Messages("en"), 80))
    assert "\n  apt-get install runc crun busybox-static" in text
    bare_user = replace(BARE, privileges=USER.privileges)
    text = "\n".join(as_text(bare_user, assess(bare_user), conclude(BARE, (LESSON,)), Messages("en"), 80))
    assert "\n  sudo apt-get install " in text


def test_an_engine_that_does_not_even_tell_its_version_is_not_counted() -> None:
    tools = (Tool("runt", "/opt/runt", "", "ImportError"), Tool("runc", "/sbin/runc", "1.1.5"))
    machine = replace(FULL, tools=tools)
    assert engines(machine) == {"runt": "missing", "runc": "ok", "crun": "missing"}
    assert finding(machine, "runt").level == "limited"


def test_crun_on_hybrid_cgroups_is_limited() -> None:
    """It refuses controllers of v2 beside v1; with all controllers in v1 it works."""
    hybrid = replace(FULL.cgroups, layout="hybrid", v1=("cpu",), v2=("hugetlb",))
    assert engines(replace(FULL, cgroups=hybrid)) == {"runt": "ok", "runc": "ok", "crun": "limited"}
    all_in_v1 = replace(FULL, cgroups=replace(hybrid, v2=()))
    assert engines(all_in_v1) == {"runt": "ok", "runc": "ok", "crun": "ok"}


@pytest.mark.parametrize("name", ["mnt", "tmpfs", "proc", "pivot_root"])
def test_what_the_kernel_refuses_is_named_and_stops_the_engines(name: str) -> None:
    machine = replace(FULL, trials=FULL.trials | {name: Trial("failed", "EINVAL", "mount")})
    conclusions = conclude(machine, (LESSON,))
    assert not conclusions.can_start
    assert name in say(conclusions.engines[0].key, conclusions.engines[0].values, Messages("en"))
    assert "EINVAL" in say(finding(machine, name).key, finding(machine, name).values, Messages("en"))


def test_of_a_probe_that_did_not_end_in_time_nothing_is_known() -> None:
    machine = replace(FULL, trials={**FULL.trials, "overlay": Trial("timeout")})
    assert finding(machine, "overlay").key == "doctor.trial.timeout"
    assert finding(machine, "overlay").level == "unknown"
    assert conclude(machine, (LESSON,)).can_start


SLOW = (
    replace(FULL, trials={**FULL.trials, "mnt": Trial("timeout"), "proc": Trial("timeout")}),
    replace(FULL, trials={}),
    replace(FULL, tools=tuple(Tool(name, f"/opt/{name}", "", TIMEOUT) for name in ENGINE_NAMES)),
)


@pytest.mark.parametrize("machine", SLOW, ids=["trials", "no_trial", "engines"])
@pytest.mark.parametrize("language", LANGUAGES)
def test_no_verdict_comes_from_a_time_limit_alone(machine: Machine, language: Language) -> None:
    assert set(engines(machine).values()) == {"unknown"}
    conclusions = conclude(machine, (LESSON,))
    assert conclusions.lessons[0].level == "unknown"
    assert conclusions.can_start
    lines = list(as_text(machine, assess(machine), conclusions, Messages(language), 100))
    assert "✗" not in "".join(lines)
    verdict = Messages(language)("doctor.verdict.unknown", lesson=LESSON.id)
    assert "".join(verdict.split()) in "".join("".join(lines).split())


def test_what_is_known_to_be_missing_counts_more_than_what_is_not_known() -> None:
    trials = {**FULL.trials, "mnt": Trial("timeout"), "proc": Trial("failed", "EPERM", "mount")}
    assert set(engines(replace(FULL, trials=trials)).values()) == {"missing"}
    one_slow = replace(
        FULL, tools=(Tool("runt", "/opt/runt", "", TIMEOUT), Tool("runc", "/sbin/runc", "1.1.5"))
    )
    assert engines(one_slow) == {"runt": "unknown", "runc": "ok", "crun": "missing"}
    assert conclude(one_slow, (LESSON,)).lessons[0].level == "ok"


def test_a_docker_that_did_not_answer_in_time_may_work() -> None:
    docker = replace(FULL, docker=Docker(running=False, problem=TIMEOUT))
    assert finding(docker, "dockerd").level == "unknown"


@pytest.mark.parametrize(
    ("terminal", "name", "key"),
    [
        (replace(FULL.terminal, present=False), "TTY", "doctor.terminal.absent"),
        (replace(FULL.terminal, term="dumb"), "TTY", "doctor.terminal.dumb"),
        (replace(FULL.terminal, term="linux"), "TTY", "doctor.terminal.console"),
        (replace(FULL.terminal, columns=79), "TTY", "doctor.terminal.small"),
        (replace(FULL.terminal, rows=23), "TTY", "doctor.terminal.small"),
        (replace(FULL.terminal, encoding="euc-jp"), "UTF-8", "doctor.terminal.encoding"),
        (replace(FULL.terminal, wide_width=1), "width", "doctor.width.narrow"),
        (replace(FULL.terminal, ambiguous_width=2), "width", "doctor.width.ambiguous"),
    ],
)
def test_a_terminal_s_weakness_is_named_and_the_lessons_can_be_done(
    terminal: Terminal, name: str, key: str
) -> None:
    machine = replace(FULL, terminal=terminal)
    assert finding(machine, name).key == key
    assert finding(machine, name).level == "limited"
    assert conclude(machine, (LESSON,)).can_start


def test_a_terminal_that_did_not_answer_in_time_is_not_called_weak() -> None:
    assert (
        finding(replace(FULL, terminal=replace(FULL.terminal, wide_width=None)), "width").level == "unknown"
    )


def test_no_place_to_write_to_is_an_obstacle_with_a_way_out() -> None:
    for storage in (Storage("/", False, 1024**4), Storage("/", True, 1024**2)):
        machine = replace(FULL, storage=(storage,))
        assert finding(machine, "disk").advice == "doctor.disk.home"
        assert not conclude(machine, (LESSON,)).can_start


def test_a_place_where_containers_do_not_run_by_themselves_is_no_obstacle() -> None:
    machine = replace(FULL, storage=(Storage("/root", True, 1024**4, ("nodev", "noexec")),))
    found = finding(machine, "disk")
    assert (found.level, found.key, found.values["options"]) == (
        "limited",
        "doctor.disk.hindered",
        "nodev, noexec",
    )
    assert conclude(machine, (LESSON,)).can_start


def test_lessons_that_cannot_be_loaded_are_told_of() -> None:
    conclusions = conclude(FULL, (), "lesson.yaml:3:1")
    assert not conclusions.can_start
    text = "\n".join(as_text(FULL, assess(FULL), conclusions, Messages("en"), 80))
    assert "lesson.yaml:3:1" in text


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("width", [80, 100])
@pytest.mark.parametrize("machine", [FULL, USER, BARE], ids=["full", "user", "bare"])
def test_the_report_fits_its_width_and_says_each_level_in_a_word_too(
    machine: Machine, width: int, language: Language
) -> None:
    lines = list(as_text(machine, assess(machine), conclude(machine, (LESSON,)), Messages(language), width))
    command = [line for line in lines if "apt-get install" in line]  # not divided: it is there to be copied
    assert max(cell_width(line) for line in lines if line not in command) <= width
    for line in lines:
        for glyph in "✓△✗":
            if line.startswith(f"  {glyph} "):
                assert line.split()[1].isalpha()


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_text_that_the_doctor_names_is_in_the_catalogue(language: Language) -> None:
    messages = Messages(language)
    named = {
        node.value
        for source in (Path(doctor.__file__).parent).glob("*.py")
        for node in ast.walk(ast.parse(source.read_text(encoding="utf-8")))
        if isinstance(node, ast.Constant)
        and isinstance(node.value, str)
        and re.fullmatch(r"doctor(\.\w+)+", node.value)
    }
    assert len(named) > 40, "the probe finds no keys"
    assert not {key for key in named if not messages.has(key)}
    for name in (*TRIALS, *(each for each in VERSION_COMMANDS)):
        assert messages.has(f"doctor.about.{name}")
