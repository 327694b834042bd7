"""Errors as people paste them, without a bundle: each is explained as far as its text goes, and not beyond.

The texts are real: printed by the engines here, or from public reports (moby 29638 and 51405, runc 4968, 4984, 5007 and 5059, podman
8914, crun 704, containerd/cgroups 48 ...).
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.broken import DATA, recorded
from tests.support.lab import bundle
from tutor.explain.bundle import Bundle
from tutor.explain.explainer import explain, find
from tutor.explain.model import Failure
from tutor.explain.words import unfilled
from tutor.messages import LANGUAGES, Language, Messages

_OCI = (
    "docker: Error response from daemon: failed to create task for container: failed to create shim task: OCI runtime create "
    "failed: runc create failed: unable to start container process: "
)

NO_DISK = [
    (
        _OCI + "unable to apply cgroup configuration: mkdir /sys/fs/cgroup/memory/docker/74ad1f: no space left on device: unknown",
        "cgroup.too_many",
    ),
    ("creating cgroup directory `/sys/fs/cgroup/memory/user.slice/box`: No space left on device", "cgroup.too_many"),
    ("mkdir /sys/fs/cgroup/machine.slice/box: resource temporarily unavailable", "cgroup.too_many"),
    (
        _OCI + "unable to apply cgroup configuration: failed to write 4012: write "
        "/sys/fs/cgroup/cpuset/kubepods/box/cgroup.procs: no space left on device",
        "cgroup.empty_cpuset",
    ),
    ("writing file `/sys/fs/cgroup/cpuset/box/cgroup.procs`: No space left on device", "cgroup.empty_cpuset"),
    ("write /sys/fs/cgroup/cpu/docker/ff666f/tasks: no space left on device", "cgroup.empty_cpuset"),
    ("write `cpuset.cpus`: No space left on device", "cgroup.empty_cpuset"),
    (
        _OCI + "unable to apply cgroup configuration: failed to write 17: write /sys/fs/cgroup/box/cgroup.procs: device or "
        "resource busy",
        "cgroup.occupied",
    ),
    ("writing file `/sys/fs/cgroup/box/cgroup.subtree_control`: Device or resource busy", "cgroup.occupied"),
    (
        ('level=fatal msg="nsexec-1[14]: failed to unshare remaining namespaces (except cgroupns): No space left on device"\n'
        'level=fatal msg="nsexec-0[10]: failed to sync with stage-1: next state: Invalid argument"\n'
        'level=error msg="runc run failed: unable to start container process: can\'t get final child\'s PID from pipe: EOF"'),
        "host.namespaces",
    ),
    ("clone: No space left on device", "host.namespaces"),
    ("unshare user namespace: Too many users", "host.namespaces"),
    ("runt run failed: no space left on device (step clone_init)", "host.namespaces"),
    (_OCI + "error during container init: unable to join session keyring: unable to create session key: disk quota exceeded", "host.keys"),
    ("create keyring `box`: Disk quota exceeded", "host.keys"),
    ('error mounting "tmpfs" to rootfs at "/x": mount tmpfs:/x (via /proc/self/fd/6): no space left on device', "host.mounts"),
    ("mount `/tmp` to `x`: No space left on device", "host.mounts"),
    ("unable to init inotify: too many open files", "host.watches"),
    ("unable to add inotify watch: no space left on device", "host.watches"),
    ("open /home/ann/.local/share/crun/box/status: disk quota exceeded", "host.quota"),
    ("writing file `/run/crun/nr/config.json`: No space left on device", "host.no_space"),
    ('error mounting "x" to rootfs at "/x": create mountpoint for /x mount: mkdirat /b/rootfs/x: no space left on device', "host.no_space"),
]  # fmt: skip

OTHERS = [
    (_OCI + "container init was OOM-killed (memory limit too low?): unknown", "init.oom"),
    ("unable to start container process: unexpected EOF (possibly OOM-killed)", "init.oom"),
    ("crun: unknown version specified", "version.unsupported"),
    ("Error: crun: open executable: Permission denied: OCI permission denied", "program.denied"),
    ("open executable: No such file or directory", "program.not_there"),
    ("Error: OCI runtime error: crun: the requested cgroup controller `cpu` is not available", "cgroup.no_controller"),
    ("controller `pids` is not available under /sys/fs/cgroup/user.slice/cgroup.controllers", "cgroup.no_controller"),
    (
        _OCI + 'unified resource "memory.high" can\'t be set: controller "memory" not available',
        "cgroup.no_controller",
    ),
    (
        ("Error: writing file `/sys/fs/cgroup/user.slice/user-1000.slice/user@1000.service/cgroup.subtree_control`: No such file "
        "or directory: OCI runtime command not found error"),
        "cgroup.no_controller",
    ),
    ("OCI runtime error: writing file `/sys/fs/cgroup/cgroup.subtree_control`: Invalid argument", "cgroup.no_controller"),
    ("crun: cannot set memory+swap limit less than the memory limit", "cgroup.swap_below"),
    ("runc create failed: unable to set swap limit without memory limit", "cgroup.swap_alone"),
    ("cannot set memory swappiness with cgroupv2", "cgroup.v1_only"),
    ("rejecting memory limit 4096 <= usage 1609728", "cgroup.memory_too_small"),
    (_OCI + "error during container init: open sysctl net.ipv4.ip_unprivileged_port_start file: reopen fd 8: permission denied: unknown", "sysctl.denied"),
    ("open `/proc/sys/net/ipv4/ping_group_range`: Read-only file system", "sysctl.denied"),
    (_OCI + "error during container init: unable to setup user: unsafe procfs detected: openat2 fsmount:fscontext:proc/self/setgroups: operation not permitted: unknown", "procfs.unsafe"),
    (
        _OCI + "error during container init: error closing exec fds: get handle to /proc/thread-self/fd: unsafe procfs detected: "
        "openat2 fsmount:fscontext:proc/thread-self/fd/: function not implemented: unknown",
        "procfs.unsafe",
    ),
    (
        ('error closing exec fds: get handle to /proc/thread-self/fd: check "thread-self" component is not overmounted: get root '
        "mount id: statx(STATX_MNT_ID_...) fsmount:fscontext:proc/: could not get mount id: function not implemented"),
        "procfs.unsafe",
    ),
    ("runt create failed: this is a fault in runt, please report it: KeyError: 'x'", "own.fault"),
    ("oci-tutor: There is no directory nowhere\nName the directory that contains config.json.", "own.message"),
    ("oci-tutor: エラー: 解釈できない引数があります: --nope", "own.message"),
    ("nowhere というディレクトリはありません", "own.message"),
]  # fmt: skip


@pytest.mark.parametrize(("said", "id_"), NO_DISK + OTHERS)
def test_a_text_without_a_bundle_is_explained_by_what_was_being_done(said: str, id_: str) -> None:
    assert find(Failure(said), Bundle()).id == id_


@pytest.mark.parametrize("language", LANGUAGES)
def test_nothing_is_asserted_that_the_text_does_not_say(language: Language) -> None:
    """What engines print, without a bundle: no placeholder stays empty, and no place in a file is named."""
    m = Messages(language)
    printed = {was["said"] for each in recorded().values() for was in each.values() if was["status"]}
    for said in printed | {said for said, _ in NO_DISK + OTHERS}:
        found = find(Failure(said), Bundle())
        assert found.id not in ("unknown", "silent"), said
        for part in ("title", "cause", "fix"):
            key = f"explain.{found.id}.{part}"
            bare = f"explain.{found.id}.bare.{part}"
            if m.has(key) and unfilled(m, key, found.values):
                assert m.has(bare), (said, key, unfilled(m, key, found.values))
                assert not unfilled(m, bare, found.values), (said, bare)
        told = explain(Failure(said), Bundle(), m)
        assert told.place == "", said
        assert told.cause or found.id.startswith("config."), said


def test_a_version_that_is_fine_is_not_called_wrong(tmp_path: Path) -> None:
    config = json.loads((DATA / "base.json").read_text()) | {"ociVersion": "1.1.0"}
    (tmp_path / "config.json").write_text(json.dumps(config))
    assert find(Failure("unknown version specified"), Bundle(tmp_path)).id == "version.newer"
    config["ociVersion"] = "2.0.0"
    (tmp_path / "config.json").write_text(json.dumps(config))
    assert find(Failure("unknown version specified"), Bundle(tmp_path)).id == "version.unsupported"


def test_a_message_of_oci_tutor_is_not_blamed_on_a_runtime(tmp_path: Path) -> None:
    """What the program prints itself, piped into its own explanation."""
    script = '"$1" -m tutor explain --bundle nowhere 2>&1 | "$1" -m tutor explain --lang en'
    done = subprocess.run(
        ["sh", "-c", script, "-", sys.executable],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
        env={"PATH": "/usr/bin:/bin", "PYTHONPATH": str(Path(__file__).parents[2]), "HOME": "/nonexistent"},
    )
    assert "a message of oci-tutor" in done.stdout
    assert "The runtime says" not in done.stdout


@pytest.mark.root
@pytest.mark.peer("runc", "crun")
@pytest.mark.parametrize("engine", ["runt", "runc", "crun"])
def test_a_limit_of_namespaces_is_no_full_disk(engine: str, tmp_path: Path) -> None:
    """In a user namespace of its own, where no UTS namespace may be created."""
    made = bundle(tmp_path)
    (made / "config.json").write_text((DATA / "base.json").read_text())
    runt = str(Path(sys.executable).parent / "runt")
    script = 'echo 0 >/proc/sys/user/max_uts_namespaces && cd "$1" && "$2" --root "$3" create box'
    apart = ["unshare", "--user", "--map-root-user", "--mount", "--pid", "--fork", "--mount-proc"]
    words = [str(made), runt if engine == "runt" else engine, str(tmp_path / "state")]
    done = subprocess.run(
        [*apart, "sh", "-c", script, "-", *words],
        capture_output=True,
        text=True,
        check=False,
    )
    assert re.search("no space left on device", done.stderr, re.IGNORECASE), done.stderr
    assert find(Failure(done.stderr, "create", engine), Bundle(made)).id == "host.namespaces"
