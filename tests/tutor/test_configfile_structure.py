"""A `config.json` against runtime-spec 1.3.0: what is missing, mistyped or misplaced, and where."""

from __future__ import annotations

import copy
import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tutor import patience
from tutor.configfile import Problem, problems
from tutor.messages import LANGUAGES, Messages, topic_entries

if TYPE_CHECKING:
    from collections.abc import Callable

# What the seed's chapter starts from.
SEED: dict[str, Any] = {
    "ociVersion": "1.0.0",
    "process": {
        "terminal": False,
        "user": {"uid": 0, "gid": 0},
        "args": ["echo", "alpine"],
        "env": ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"],
        "cwd": "/",
    },
    "root": {"path": "rootfs"},
    "linux": {},
    "mounts": [{"destination": "/proc", "type": "proc", "source": "proc"}],
}


def changed(pointer: str, value: Any) -> dict[str, Any]:
    """Return the seed's configuration with one value set (`...`: removed); missing objects are made."""
    config = copy.deepcopy(SEED)
    *path, last = pointer.split("/")[1:]
    at: Any = config
    for name in path:
        at = at[int(name)] if isinstance(at, list) else at.setdefault(name, {})
    if value is ...:
        del at[last]
    else:
        at[int(last) if isinstance(at, list) else last] = value
    return config


def found(config: Any) -> list[tuple[str, str, str]]:
    return [
        (each.severity, each.pointer, each.key.removeprefix("configfile.structure."))
        for each in problems(json.dumps(config, indent=2))
    ]


def test_the_seeds_configurations_have_no_problem() -> None:
    assert found(SEED) == []
    assert found(changed("/process/args", ["/bin/sh"])) == []


# where, what is put there, the problem that it is
CHANGES: list[tuple[str, Any, tuple[str, str, str] | None]] = [
        ("/ociVersion", ..., ("error", "/ociVersion", "missing")),
        ("/ociVersion", "1.0", ("error", "/ociVersion", "check.version")),
        ("/ociVersion", "1.0.2-dev+x", None),
        ("/ociVersion", 1, ("error", "/ociVersion", "wrong_type")),
        ("/root", ..., ("error", "/root", "missing")),
        ("/root", {}, ("error", "/root/path", "missing")),
        ("/root/path", "", ("error", "/root/path", "not_empty")),
        ("/root/readonly", "true", ("error", "/root/readonly", "wrong_type")),
        ("/process", ..., ("warning", "/process", "missing_expected")),
        ("/process", None, ("warning", "/process", "missing_expected")),
        ("/process/cwd", ..., ("error", "/process/cwd", "missing")),
        ("/process/cwd", "tmp", ("error", "/process/cwd", "check.absolute")),
        ("/process/args", ..., ("error", "/process/args", "missing")),
        ("/process/args", [], ("error", "/process/args", "too_few")),
        ("/process/args", "echo", ("error", "/process/args", "wrong_type")),
        ("/process/args/1", 5, ("error", "/process/args/1", "wrong_type")),
        ("/process/env", ["PATH"], ("error", "/process/env/0", "check.environment")),
        ("/process/terminal", None, None),
        ("/process/user/uid", -1, ("error", "/process/user/uid", "range")),
        ("/process/user/uid", True, ("error", "/process/user/uid", "wrong_type")),
        ("/process/user/uid", 0.5, ("error", "/process/user/uid", "wrong_type")),
        ("/process/user/uid", 2**32, ("error", "/process/user/uid", "range")),
        ("/process/user/gid", ..., ("warning", "/process/user/gid", "missing_expected")),
        ("/process/oomScoreAdj", 1001, ("error", "/process/oomScoreAdj", "range")),
        ("/process/rlimits", [{"type": "RLIMIT_NOFILE", "soft": 1, "hard": 1}], None),
        ("/process/rlimits", [{"type": "NOFILE", "soft": 1, "hard": 1}],
            ("error", "/process/rlimits/0/type", "choice_close")),
        ("/process/rlimits", [{"type": "RLIMIT_CPU", "soft": 1, "hard": 1}] * 2,
            ("error", "/process/rlimits/1/type", "duplicate")),
        ("/process/capabilities", {"bounding": ["CAP_KILL"]}, None),
        ("/process/capabilities", {"bounding": ["CAP_KIL"]},
            ("warning", "/process/capabilities/bounding/0", "choice_close")),
        ("/process/capabilites", {}, ("warning", "/process/capabilites", "did_you_mean")),
        ("/linux/namespaces", [{"type": "pid"}, {"type": "network", "path": "/run/netns/x"}], None),
        ("/linux/namespaces", [{"type": "xyzzy"}], ("error", "/linux/namespaces/0/type", "choice")),
        ("/linux/namespaces", [{"type": "mnt"}], ("error", "/linux/namespaces/0/type", "choice_close")),
        ("/linux/namespaces", [{"type": "pid"}, {"type": "pid"}], ("error", "/linux/namespaces/1/type", "duplicate")),
        ("/linux/namespaces", ["pid"], ("error", "/linux/namespaces/0", "wrong_type")),
        ("/linux/namespaces", [{"type": "pid", "path": "run"}],
            ("error", "/linux/namespaces/0/path", "check.absolute")),
        ("/linux/namespace", [], ("warning", "/linux/namespace", "did_you_mean")),
        ("/linux/hostname", "x", ("warning", "/linux/hostname", "misplaced")),
        ("/namespaces", [], ("warning", "/namespaces", "misplaced")),
        ("/com.example", {"any": "thing"}, None),
        ("/process/my~1own", 1, None),
        ("/linux/sysctl", {"net.ipv4.ip_forward": 1}, ("error", "/linux/sysctl/net.ipv4.ip_forward", "wrong_type")),
        ("/linux/devices", [{"type": "p", "path": "/dev/f"}], None),
        ("/linux/devices", [{"type": "c", "path": "/dev/f", "major": 1}],
            ("error", "/linux/devices/0/minor", "missing")),
        ("/linux/resources", {"hugepageLimits": [{"pageSize": "2M", "limit": 1}]},
            ("error", "/linux/resources/hugepageLimits/0/pageSize", "check.page_size")),
        ("/linux/seccomp", {"defaultAction": "SCMP_ACT_ALLOW", "listenerMetadata": "x"},
            ("error", "/linux/seccomp/listenerMetadata", "needs")),
        ("/mounts/0/destination", "proc", ("warning", "/mounts/0/destination", "check.absolute_destination")),
        ("/mounts/0/destination", ..., ("error", "/mounts/0/destination", "missing")),
        ("/mounts/0/uidMappings", [{"containerID": 0, "hostID": 0, "size": 1}],
            ("error", "/mounts/0/uidMappings", "needs")),
        ("/hooks", {"prestart": [{"path": "/bin/true", "timeout": 0}]},
            ("error", "/hooks/prestart/0/timeout", "range")),
        ("/annotations", {"a": 1}, ("error", "/annotations/a", "wrong_type")),
        ("/annotations", {"": "x"}, ("error", "/annotations/", "empty_name")),
        ("/annotations", {"a": "\0"}, None),
        ("/annotations", {"a\ud800": "x"}, ("error", "/annotations/a\ufffd", "surrogate")),
        ("/hostname", "a\0", ("error", "/hostname", "nul")),
        ("/hostname", "\ud83d", ("error", "/hostname", "surrogate")),
        ("/hostname", "\ufffd", None),
        ("/hostname", "x" * 65, ("error", "/hostname", "too_long")),
        ("/ociVersion", "2.0.0", ("error", "/ociVersion", "other_version")),
        ("/process/user/uid", 2**32 - 1, ("error", "/process/user/uid", "range")),
        ("/process/scheduler", {"policy": "SCHED_ISO"}, ("error", "/process/scheduler/policy", "no_such_policy")),
        ("/process/scheduler", {"policy": "SCHED_FIFO"}, ("error", "/process/scheduler/priority", "range")),
        ("/process/scheduler", {"policy": "SCHED_OTHER", "priority": 1},
            ("error", "/process/scheduler/priority", "of_another_policy")),
        ("/process/scheduler", {"policy": "SCHED_DEADLINE", "runtime": 2000, "deadline": 1000},
            ("error", "/process/scheduler/runtime", "deadline_order")),
        ("/process/scheduler", {"policy": "SCHED_DEADLINE", "runtime": 2000, "deadline": 3000}, None),
        ("/process/execCPUAffinity", {"initial": "3-1"}, ("error", "/process/execCPUAffinity/initial", "check.numbers")),
        ("/mounts/0/destination", "/", ("error", "/mounts/0/destination", "mount_on_root")),
        ("/mounts/0/destination", "", ("error", "/mounts/0/destination", "not_empty")),
        ("/mounts/0/type", ..., ("error", "/mounts/0/type", "mount_without_type")),
        ("/mounts/0/type", "bind", ("error", "/mounts/0/type", "bind_missing")),
        ("/mounts/0/options", ["bind", "size=1m"], ("error", "/mounts/0/options/1", "bind_option")),
        ("/mounts/0/options", ["bind", "readonly"], ("error", "/mounts/0/options/1", "bind_option_close")),
        ("/mounts/0/options", ["bind", "rprivate", "nofail", "x-own=1", "ro", ""], None),
        ("/mounts/0", {"destination": "/c", "type": "cgroup", "options": ["ro", "other=1"]},
            ("error", "/mounts/0/options/1", "cgroup_option")),
        ("/mounts/0", {"destination": "/c", "type": "cgroup", "options": ["xattr", "nosiud"]},
            ("error", "/mounts/0/options/1", "cgroup_option_close")),
        ("/mounts/0/options", ["bind", "copy-symlink", "idmap=uids=0-1-9#9-10-1;gids=0-1-10"], None),
        ("/mounts/0/options", ["bind", "idmap=off"], ("error", "/mounts/0/options/1", "idmap_form")),
        ("/mounts/0/options", ["bind", "idmap"], ("error", "/mounts/0/options/1", "idmap_without_mappings")),
        ("/mounts/0/options", ["bind", "idmap=uids=0-1-1"], ("error", "/mounts/0/options/1", "idmap_form")),
        (
            "/mounts/0/options",
            ["bind", "idmap=uids=@0-7-1;gids=0-1-1"],
            ("error", "/mounts/0/options/1", "idmap_unmapped"),
        ),
        ("/mounts/0/options", ["nosuid", "hidepid=9"], ("error", "/mounts/0/options/1", "fs_option_value")),
        ("/mounts/0/options", ["colour=red"], ("error", "/mounts/0/options/0", "fs_option")),
        ("/mounts/0/options", ["readonly"], ("error", "/mounts/0/options/0", "fs_option_close")),
        ("/mounts/0/options", ["hidepid=2,gid=5", "noatime"], None),
        ("/mounts/0", {"destination": "/x", "type": "ext4", "options": ["errors=remount-ro"]}, None),
        ("/linux/uidMappings", [{"containerID": n, "hostID": n, "size": 1} for n in range(341)],
            ("error", "/linux/uidMappings", "too_many_mappings")),
        ("/linux/uidMappings", [{"containerID": 0, "hostID": 2**32 - 2, "size": 2}],
            ("error", "/linux/uidMappings/0", "mapping_beyond")),
        ("/linux/gidMappings", [{"containerID": 0, "hostID": 0, "size": 9}, {"containerID": 9, "hostID": 8, "size": 1}],
            ("error", "/linux/gidMappings/1", "mapping_overlaps")),
        ("/linux/devices", [{"type": "c", "path": "/dev/f", "major": 4096, "minor": 0}],
            ("error", "/linux/devices/0/major", "range")),
        ("/linux/sysctl", {"net..x": "1"}, ("error", "/linux/sysctl/net..x", "sysctl_name")),
        ("/linux/memoryPolicy", {"mode": "MPOL_LOCAL", "nodes": "0"},
            ("error", "/linux/memoryPolicy/nodes", "nodes_unwanted")),
        ("/linux/memoryPolicy", {"mode": "MPOL_BIND"}, ("error", "/linux/memoryPolicy/nodes", "nodes_wanted")),
        ("/linux/personality", {"domain": "LINUX", "flags": ["x"]}, ("error", "/linux/personality/flags/0", "no_flags")),
        ("/linux/timeOffsets", {"realtime": {"secs": 1}}, ("error", "/linux/timeOffsets/realtime", "choice")),
        ("/linux/rootfsPropagation", "rslave", None),
        ("/linux/rootfsPropagation", "", None),
        ("/linux/resources", {"devices": [{"allow": True, "access": "rx"}]},
            ("warning", "/linux/resources/devices/0/access", "check.access")),
        ("/linux/resources", {"memory": {"swap": 1}}, ("error", "/linux/resources/memory/swap", "needs")),
        ("/linux/resources", {"cpu": {"quota": 10}}, ("error", "/linux/resources/cpu/quota", "too_short")),
        ("/linux/resources", {"cpu": {"quota": 1000, "burst": 2000}},
            ("error", "/linux/resources/cpu/burst", "above_other")),
        ("/linux/resources", {"blockIO": {"weightDevice": [{"major": 8, "minor": 0}]}},
            ("error", "/linux/resources/blockIO/weightDevice/0", "one_of_two")),
        ("/linux/resources", {"rdma": {"a b": {"hcaHandles": 1}}}, ("error", "/linux/resources/rdma/a b", "device_name")),
        ("/linux/resources", {"unified": {"memory": "1"}}, ("error", "/linux/resources/unified/memory", "unified_name")),
        ("/linux/seccomp", {"defaultAction": "SCMP_ACT_NOTIFY", "listenerPath": "/x"},
            ("error", "/linux/seccomp/defaultAction", "notify_all")),
        ("/linux/seccomp", {"defaultAction": "SCMP_ACT_LOG", "defaultErrnoRet": 1},
            ("error", "/linux/seccomp/defaultErrnoRet", "no_errno")),
        ("/linux/seccomp", {"defaultAction": "SCMP_ACT_LOG", "listenerPath": "/x",
            "syscalls": [{"names": ["write"], "action": "SCMP_ACT_NOTIFY"}]},
            ("error", "/linux/seccomp/syscalls/0/action", "notify_write")),
        ("/linux/seccomp", {"defaultAction": "SCMP_ACT_LOG", "syscalls": [{"names": ["read"], "action": "SCMP_ACT_NOTIFY"}]},
            ("error", "/linux/seccomp/listenerPath", "listener_missing")),
        ("/linux/seccomp", {"defaultAction": "SCMP_ACT_LOG", "flags": ["SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV"]},
            ("error", "/linux/seccomp/flags/0", "nothing_to_wait_for")),
        ("/linux/seccomp", {"defaultAction": "SCMP_ACT_LOG", "syscalls": [
            {"names": ["read"], "action": f"SCMP_ACT_{action}", "args": [{"index": 0, "op": "SCMP_CMP_EQ", "value": 1}]}
            for action in ("ALLOW", "KILL")]},
            ("error", "/linux/seccomp/syscalls/1", "rules_contradict")),
        ("/linux/seccomp", {"defaultAction": "SCMP_ACT_LOG", "architectures": ["SCMP_ARCH_X86"], "syscalls": [
            {"names": ["bind"], "action": action, "args": [{"index": 0, "op": "SCMP_CMP_EQ", "value": value}]}
            for value, action in enumerate(("SCMP_ACT_ALLOW", "SCMP_ACT_KILL"))]},
            ("error", "/linux/seccomp/syscalls/1", "rules_contradict_x86")),
]  # fmt: skip


@pytest.mark.parametrize(("pointer", "value", "expected"), CHANGES)
def test_one_change_is_one_problem(pointer: str, value: Any, expected: tuple[str, str, str] | None) -> None:
    assert found(changed(pointer, value)) == ([expected] if expected else [])


def test_a_number_of_thousands_of_digits_is_told_and_not_tripped_over() -> None:
    text = json.dumps(SEED).replace('"uid": 0', '"uid": ' + "1" * 5000)
    problem = one(text)
    assert problem.pointer == "/process/user/uid"
    assert problem.severity == "error"


def test_every_problem_is_told_in_the_order_of_the_text() -> None:
    config = changed("/process/cwd", "x")
    config["process"]["args"] = []
    config["root"] = []
    config["mounts"] = [{}, {"destination": 1}]
    assert [pointer for _, pointer, _ in found(config)] == [
        "/process/args", "/process/cwd", "/root", "/mounts/0/destination", "/mounts/1/destination",
    ]  # fmt: skip


def one(text: str) -> Problem:
    (problem,) = problems(text)
    return problem


def test_a_problem_says_what_where_what_now_and_which_clause() -> None:
    text = json.dumps(changed("/process/cwd", "tmp"), indent=2)
    problem = one(text)
    line = next(number for number, line in enumerate(text.splitlines(), 1) if '"cwd"' in line)
    assert (problem.line, problem.column, problem.end_line, problem.end_column) == (line, 12, line, 17)
    assert problem.clause == "config.md#process"
    assert problem.located(Messages("ja")) == (
        f'{line} 行 12 文字目: /process/cwd の "tmp" は絶対パスではありません。/ から始まるパスにしてください'
    )


def test_what_is_missing_is_marked_at_the_object_that_lacks_it() -> None:
    problem = one(json.dumps(changed("/process/cwd", ...), indent=2))
    assert (problem.line, problem.column, problem.end_column) == (3, 3, 12)
    assert problem.pointer == "/process/cwd"
    assert [(each.line, each.column) for each in problems("{}")] == [(1, 1)] * 3


def test_a_document_that_is_no_object() -> None:
    for text in ("[]", "1", '"x"', "null", "true"):
        problem = one(text)
        assert problem.key == "configfile.structure.wrong_type"
        assert "設定全体" in problem.message(Messages("ja"))


def test_every_structural_message_has_a_case_here() -> None:
    source = Path(__file__).read_text(encoding="utf-8")
    for key in topic_entries("ja", "configfile"):
        if key.startswith("configfile.structure."):
            assert f'"{key.removeprefix("configfile.structure.")}"' in source, key


@pytest.mark.peer("runc")
def test_the_configuration_that_runc_spec_writes_has_no_problem(tmp_path: Path) -> None:
    for arguments in ([], ["--rootless"]):
        subprocess.run(["runc", "spec", *arguments], cwd=tmp_path, check=True)
        text = (tmp_path / "config.json").read_text()
        (tmp_path / "config.json").unlink()
        assert problems(text) == ()


@pytest.mark.peer("crun")
def test_the_configuration_that_crun_spec_writes_has_no_problem(tmp_path: Path) -> None:
    assert shutil.which("crun")
    subprocess.run(["crun", "spec"], cwd=tmp_path, check=True)
    text = (tmp_path / "config.json").read_text()
    # crun 1.8 writes "1.0.0" versions and every capability by name.
    assert [each for each in problems(text) if each.severity == "error"] == []


@pytest.mark.root
def test_runt_refuses_what_is_called_an_error(tmp_path: Path) -> None:
    (tmp_path / "rootfs" / "proc").mkdir(parents=True)
    runt = (str(Path(sys.executable).with_name("runt")), "--root", str(tmp_path / "state"))
    for number, (pointer, value, expected) in enumerate(CHANGES):
        if expected is None or expected[0] != "error":
            continue
        config = changed(pointer, value)
        (tmp_path / "config.json").write_text(json.dumps(config))
        create = subprocess.run(
            ["unshare", "--mount", "--propagation", "private", *runt, "create", "--bundle", str(tmp_path), f"x{number}"],
            stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False, timeout=patience.scaled(60),
        )  # fmt: skip
        assert create.returncode == 1, (pointer, value)
        later = expected[2].startswith(
            ("fs_option", "rules_contradict")
        )  # by the kernel, or as the filter is made
        assert ("config.json:" in create.stderr) is not later, (pointer, value, create.stderr)


LEAVES: st.SearchStrategy[Any] = st.sampled_from(
    [None, True, 0, -1, 2**70, 0.5, "", "/", "x", [], {}, [{}], [None], {"type": "pid"}, [[1]]]
)


def _mutations(config: Any) -> list[Callable[[Any], Any]]:
    """Return ways to put something else in each place of a configuration."""
    ways: list[Callable[[Any], Any]] = [lambda new: new]
    items = (
        config.items() if isinstance(config, dict) else enumerate(config) if isinstance(config, list) else ()
    )
    for name, item in items:
        for way in _mutations(item):

            def put(new: Any, name: Any = name, way: Callable[[Any], Any] = way) -> Any:
                copied = copy.copy(config)
                copied[name] = way(new)
                return copied

            ways.append(put)
    return ways


FULL = changed("/linux", {
    "namespaces": [{"type": "pid"}], "devices": [{"type": "c", "path": "/x", "major": 1, "minor": 2}],
    "seccomp": {"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"names": ["x"], "action": "SCMP_ACT_LOG", "args": []}]},
    "resources": {"cpu": {"shares": 1}, "rdma": {"mlx": {"hcaHandles": 1}}}, "timeOffsets": {"monotonic": {"secs": 1}},
})  # fmt: skip


@given(st.sampled_from(_mutations(FULL)), LEAVES)
def test_whatever_stands_anywhere_the_check_answers(mutate: Callable[[Any], Any], leaf: Any) -> None:
    for problem in problems(json.dumps(mutate(leaf))):
        for language in LANGUAGES:
            assert problem.located(Messages(language))
