"""Checks on real containers of the three engines: each kind where it holds, and where it does not."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import pytest
import yaml

from tests.support.engines import Stage, stage
from tests.support.lab import bundle, until
from tutor.course.checks import CheckContext, CommandOutput, evaluate, read_condition
from tutor.course.model import Check
from tutor.course.yaml_items import Item
from tutor.messages import Messages
from tutor.observe import take_snapshot
from tutor.paths import resolve

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tutor.engines.model import ContainerState, EngineName
    from tutor.observe import Snapshot

pytestmark = [pytest.mark.root, pytest.mark.peer("runc", "crun", "busybox")]

PROCESS = {
    "terminal": False,
    "user": {"uid": 1000, "gid": 100, "additionalGids": [7, 20], "umask": 23},
    "args": [
        "sh",
        "-c",
        (
            "mkfifo /tmp/f; mkdir /tmp/d; echo one > /tmp/log; printf 'a\\fb\\n' > /tmp/page; "
            "i=0; while [ $i -lt 45 ]; do ln -s l$((i+1)) /tmp/l$i; i=$((i+1)); done; ln -s /etc /tmp/l45; "
            "sleep 5000 & sleep 6000 & wait"
        ),
    ],
    "env": ["PATH=/bin", "GREETING=hello", "TWO=a\nb"],
    "cwd": "/home",
    "capabilities": {
        "bounding": ["CAP_CHOWN", "CAP_NET_RAW"],
        "permitted": ["CAP_CHOWN"],
        "effective": [],
        "inheritable": [],
    },
    "rlimits": [{"type": "RLIMIT_NOFILE", "soft": 64, "hard": 128}],
    "noNewPrivileges": True,
    "oomScoreAdj": 321,
}
LINUX: dict[str, Any] = {
    "namespaces": [{"type": name} for name in ("mount", "pid", "uts", "ipc")],
    "resources": {"pids": {"limit": 40}, "memory": {"limit": 64 << 20}},
    "seccomp": {
        "defaultAction": "SCMP_ACT_ALLOW",
        "syscalls": [{"names": ["umount2"], "action": "SCMP_ACT_ERRNO"}],
    },
}
MOUNTS = [
    {"destination": "/proc", "type": "proc", "source": "proc"},
    {
        "destination": "/tmp",
        "type": "tmpfs",
        "source": "scratch",
        "options": ["nosuid", "size=1m", "mode=1777"],
    },
    {"destination": "/home", "type": "bind", "source": "rootfs/etc", "options": ["bind", "ro"]},
]
TRUE = r"""
- process: {uid: 1000, gid: 100, groups: [20, 7], umask: "0027", cwd: /home, exe: /bin/busybox, root: /}
- process: {env: {GREETING: hello, PATH: /bin, TWO: "a\nb"}, env_lacks: [SHELL], no_new_privs: true, oom_score_adj: 321, tty: false}
- process: {rlimit: {type: RLIMIT_NOFILE, soft: 64, hard: 128}, ns_pid: 1, state: S, count: 3}
- process: {of: any, runs: [sleep, "5000"], uid: 1000, state: [S, R]}
- process: {runs: [sh, -c], runs_not: [sleep]}
- mount: {target: /tmp, type: tmpfs, source: scratch, options: [nosuid], lacks: [noexec], super_options: [size=1024k]}
- mount: {target: /home, options: [ro], root: rootfs/etc, propagation: private}
- mount: {target: /home, absent: true, host: true}
- mount: {target: /nowhere, absent: true}
- namespaces: {own: [mnt, pid, uts, ipc], shared: [net, user], equal: {net: /proc/self/ns/net}}
- namespaces: {same_as: {container: box, kinds: [pid]}}
- capabilities: {equals: []}
- capabilities: {set: bounding, has: [CAP_CHOWN], lacks: [CAP_SYS_ADMIN], equals: [CAP_NET_RAW, CAP_CHOWN]}
- seccomp: {mode: filter}
- ids: {uid_map: {inside: 0, outside: 0, count: 4294967295}}
- file: {path: /tmp/f, in: container, type: fifo}
- file: {path: /tmp/d, in: container, type: directory, mode: "0750"}
- file: {path: /tmp/log, in: container, equals: one, lines: 1, mode: "640"}
- file: {path: /tmp/page, in: container, lines: 1}
- file: {path: /tmp/log, in: host, exists: false}
- file: {path: /tmp/l45, in: container, type: link}
- file: {path: /tmp/l0/passwd, in: container, exists: false}
- file: {path: rootfs/bin/busybox, type: file, mode: "0755"}
- file: {path: config.json, matches: '"cwd":\s*"/home"'}
- order: {path: log, equals: [a, b, c]}
- order: {path: log, contains: [a, c]}
- cgroup: {v1: {controller: pids, file: pids.max, equals: 40}, v2: {file: pids.max, equals: 40}}
- cgroup: {v1: {controller: memory, file: memory.limit_in_bytes, at_least: 60000000, at_most: 70000000},
           v2: {file: memory.max, at_least: 60000000, at_most: 70000000}}
- cgroup: {v1: {controller: memory, file: memory.stat, key: {total_cache: {at_least: 0}}}, v2: {file: memory.stat, key: {file: {at_least: 0}}}}
- cgroup: {frozen: false}
- cgroup: {path: oci-tutor-checks, exists: true}
- cgroup: {path: oci-tutor-checks}
- state: {is: running}
- state: {is: none, container: other}
- json: {pointer: /process/args, lacks: echo}
- json: {pointer: /process/cwd, contains: om, lacks: root}
- json: {pointer: /linux/resources/pids/limit, at_least: 40, at_most: 40}
- json: {file: ./config.json, valid: true}
- json: {file: ./log, valid: false}
- command: {run: "grep -c . log", equals: "3", matches: ^3$, contains: ["3"], lacks: [x]}
- command: {run: "echo $CONTAINER {engine}; exit 3", status: 3, contains: [box]}
- answer: {is: [b, c], matches: "^b"}
"""
FALSE = r"""
- process: {uid: 0}
- process: {gid: 0}
- process: {groups: [7]}
- process: {umask: "0022"}
- process: {cwd: /}
- process: {root: rootfs}
- process: {env: {GREETING: bye}}
- process: {env: {TWO: 'a\nb'}}
- process: {env: {NONE: x}}
- process: {env_lacks: [GREETING]}
- process: {rlimit: {type: RLIMIT_NOFILE, soft: 128}}
- process: {rlimit: {type: RLIMIT_CORE, hard: 1}}
- process: {ns_pid: 2}
- process: {tty: true}
- process: {no_new_privs: false}
- process: {oom_score_adj: 0}
- process: {count: 1}
- process: {of: any, runs: [sleep, "5000"], ns_pid: 1}
- process: {uid: 1000, container: other}
- mount: {target: /tmp, type: proc}
- mount: {target: /tmp, lacks: [nosuid]}
- mount: {target: /home, propagation: shared}
- mount: {target: /home, root: rootfs/bin}
- mount: {target: /home, host: true}
- namespaces: {equal: {pid: /proc/self/ns/pid}}
- namespaces: {equal: {pid: /no/such}}
- namespaces: {same_as: {container: other, kinds: [pid]}}
- capabilities: {has: [CAP_CHOWN]}
- capabilities: {set: bounding, equals: [CAP_CHOWN]}
- capabilities: {set: bounding, lacks: [CAP_CHOWN]}
- seccomp: {mode: none}
- ids: {gid_map: [{inside: 0, outside: 1000, count: 1}]}
- file: {path: /tmp/f, in: container, type: file}
- file: {path: /tmp/f, in: container, contains: x}
- file: {path: /tmp/f, in: container, exists: false}
- file: {path: /tmp/log, in: container, lines: 2}
- file: {path: rootfs/bin/busybox, mode: "0700"}
- file: {path: none, equals: x}
- order: {path: log, equals: [a, b]}
- order: {path: log, contains: [c, a]}
- order: {path: none, contains: [c]}
- cgroup: {v1: {controller: pids, file: pids.max, equals: 41}, v2: {file: pids.max, equals: 41}}
- cgroup: {v1: {controller: pids, file: none, equals: 41}, v2: {file: none, equals: 41}}
- cgroup: {frozen: true}
- cgroup: {path: oci-tutor-checks, exists: false}
- cgroup: {path: other}
- state: {is: running, container: other}
- json: {pointer: /process/args, lacks: sh}
- json: {pointer: /linux/resources/pids/limit, at_least: 41}
- json: {pointer: /process/cwd, at_least: 41}
- json: {file: ./config.json, valid: false}
- json: {file: ./log, valid: true}
- command: {run: "false"}
- command: {run: "echo one", equals: two}
- command: {run: "echo one", lacks: [one]}
- command: {run: "echo one; exit 1", contains: [one]}
- answer: {is: a}
- answer: {matches: "^a"}
"""


class Box:
    """A container of one engine in a lab, and the context that a lesson's run gives to checks."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage

    def look(self, container_id: str) -> tuple[ContainerState | None, Snapshot]:
        state = self.stage.runner.query_state(container_id)
        pid = state.pid if state and state.pid else None
        return state, take_snapshot(pid, reference_pid=self.stage.lab.keeper_pid)

    def run(self, line: str) -> CommandOutput:
        files = [
            (self.stage.bundle / f"{self.stage.lab.engine}.{name}").open("w+") for name in ("out", "err")
        ]
        with files[0], files[1], open("/dev/null") as nowhere:  # noqa: PTH123
            process = self.stage.lab.spawn(
                ("sh", "-c", line),
                cwd=self.stage.bundle,
                env=self.stage.lab.environment | {"CONTAINER": "box"},
                stdin=nowhere.fileno(),
                stdout=files[0].fileno(),
                stderr=files[1].fileno(),
            )
            status = process.wait(20)
            for file in files:
                file.seek(0)
            return CommandOutput(status, files[0].read(), files[1].read())

    def context(self) -> CheckContext:
        state, snapshot = self.look("box")
        return CheckContext(
            Messages.load("ja"),
            self.stage.lab.engine,
            "box",
            self.stage.bundle,
            state,
            snapshot,
            answer="b",
            other=self.look,
            run=self.run,
        )


def wrong_verdicts(context: CheckContext, text: str, *, expected: bool) -> list[str]:
    """Return the conditions of a YAML list that are not as expected, with their evidence."""
    node = yaml.compose(text)
    assert node is not None
    wrong = []
    for item in Item(cast("Path", "checks.yaml"), node).items():
        condition = read_condition(item)
        verdict = evaluate(Check("it", condition.kind, condition.arguments, "it is so"), context)
        assert verdict.evidence
        assert all(each.looked_at and each.expected and each.found for each in verdict.evidence), verdict
        assert all(each.command or condition.kind == "answer" for each in verdict.evidence), verdict
        if verdict.passed is not expected:
            wrong.append(f"{item.data()}: {verdict.evidence}")
    return wrong


@pytest.fixture(scope="module", params=["runt", "runc", "crun"])
def box(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Box]:
    folder = tmp_path_factory.mktemp("box")
    engine: EngineName = request.param
    path = bundle(folder, process=PROCESS, linux={**LINUX, "cgroupsPath": "oci-tutor-checks"}, mounts=MOUNTS)
    (path / "log").write_text("a\nb\nc\n")
    with stage(folder, engine, path) as made:
        result = made.run("create")
        assert result.returncode == 0, result.stderr
        assert made.run("start").returncode == 0
        found = Box(made)
        until(lambda: len(_processes(found)) == 3 and _processes(found)[2] == ("sleep", "6000"))
        yield found


def _processes(box: Box) -> list[tuple[str, ...]]:
    view = box.look("box")[1].container
    return [each.cmdline for each in view.processes] if view else []


def test_what_is_so_passes(box: Box) -> None:
    assert wrong_verdicts(box.context(), TRUE, expected=True) == []


def test_what_is_not_so_does_not_pass(box: Box) -> None:
    assert wrong_verdicts(box.context(), FALSE, expected=False) == []


def test_a_frozen_container_and_one_that_has_ended(box: Box) -> None:
    assert box.stage.run("pause").returncode == 0
    assert (
        wrong_verdicts(box.context(), "[{cgroup: {frozen: true}}, {state: {is: paused}}]", expected=True)
        == []
    )
    assert box.stage.run("resume").returncode == 0
    box.stage.run("kill", "KILL")
    box.stage.until_status("stopped")

    # Its cgroup stays until `delete`, and its files can still be read.
    left = """
    - cgroup: {path: oci-tutor-checks, v1: {controller: pids, file: pids.max, equals: 40}, v2: {file: pids.max, equals: 40}}
    - cgroup: {path: oci-tutor-checks, exists: true}
    """
    assert wrong_verdicts(box.context(), left, expected=True) == []
    box.stage.run("delete")
    assert (
        wrong_verdicts(box.context(), "[{cgroup: {path: oci-tutor-checks, exists: false}}]", expected=True)
        == []
    )
    gone = """
    - process: {uid: 1000, env: {A: b}, rlimit: {type: RLIMIT_CPU, soft: 1}}
    - capabilities: {equals: []}
    - seccomp: {mode: none}
    - ids: {uid_map: {inside: 0, outside: 0, count: 1}}
    - namespaces: {equal: {net: /proc/self/ns/net}}
    - file: {path: /tmp, in: container, exists: false}
    - cgroup: {frozen: false}
    - cgroup: {path: oci-tutor-checks}
    """
    assert wrong_verdicts(box.context(), gone, expected=False) == []


def test_a_path_in_a_container_is_not_followed_out_of_it(tmp_path: Path) -> None:
    root = tmp_path / "root"
    (root / "real").mkdir(parents=True)
    (root / "var").symlink_to("/real")
    (root / "up").symlink_to("../../../real")
    (root / "loop").symlink_to("loop")

    assert resolve(str(root), "/var/x", follow=False) == f"{root}/real/x"
    assert resolve(str(root), "up/../../x", follow=False) == f"{root}/x"
    assert resolve(str(root), "/../../var", follow=False) == f"{root}/var"
    assert resolve(str(root), "/../../var") == f"{root}/real"
    for path in ("loop/x", "loop"):
        with pytest.raises(OSError, match="Too many levels"):
            resolve(str(root), path)
    with pytest.raises(FileNotFoundError):
        resolve(str(root), "var/none/../x", follow=False)


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ("process: {uid: root}", "expected.number"),
        ("process: {rlimit: {type: NOFILE, soft: 1}}", "unknown_value"),
        ("process: {rlimit: {soft: 1}}", "missing_key"),
        ("process: {env: {A: 1}}", "expected.text"),
        ("process: {of: init}", "missing_one_of"),
        ("file: {path: x, matches: '('}", "pattern"),
        ("namespaces: {equal: {network: /x}}", "unknown_key"),
        ("cgroup: {v1: {file: x}}", "missing_key"),
        ("ids: {uid_map: [{inside: 0}]}", "missing_key"),
        ("capabilities: {has: [CHOWN]}", "unknown_value"),
    ],
)
def test_a_mistake_in_a_lesson_is_reported_with_its_place(text: str, where: str) -> None:
    from tutor.course.errors import LessonError

    node = yaml.compose(text)
    assert node is not None

    with pytest.raises(LessonError) as caught:
        read_condition(Item(cast("Path", "checks.yaml"), node))
    assert caught.value.key == f"course.error.{where}"
    assert "checks.yaml:1:" in caught.value.render(Messages.load("ja"))[1]
