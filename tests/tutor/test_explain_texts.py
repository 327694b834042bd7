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

from tests.recording.messages import explained, messages
from tests.support.broken import DATA, recorded
from tests.support.lab import bundle
from tutor.explain.bundle import Bundle
from tutor.explain.explainer import explain, explain_bundle, find
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
    (_OCI + "error during container init: error adding seccomp rule for syscall socket: file exists", "seccomp.contradiction"),
    ("crun: seccomp_rule_add_array: File exists", "seccomp.contradiction"),
    ("linux.seccomp: two rules for socket have the same conditions, but not the same action (step compile_filter)",
        "seccomp.contradiction"),
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
    (
        "permission denied while trying to connect to the Docker daemon socket at unix:///var/run/docker.sock",
        "docker.unreachable",
    ),
]  # fmt: skip


# One of each family, with what comes before it in life.
FAMILIES = [
    ("exec failed: unable to stat preserved-fd 5 (of 3): stat /proc/self/fd/7: no such file or directory", "command.usage"),
    ("unable to parse \"x\" as a uint from file \"/sys/fs/cgroup/box/memory.max\"", "cgroup.failed"),
    ("packet read too short: expected 64 byte packet but only 12 bytes read", "init.protocol"),
    ('handle path "/proc/1/attr" doesn\'t match expected path "/proc/self/attr"', "file.failed"),
    ("open subpath: reopen fd 8: input/output error", "file.failed"),
    (f"socket path too long: `/{'x' * 120}`", "command.usage"),
    ("errno value specified for action `SCMP_ACT_ALLOW`", "seccomp.rule"),
    ("Unable to parse RDMA entry: strconv.ParseUint: parsing x: invalid syntax", "cgroup.value"),
    ("error during container init: open sysctl net.ipv4.nope file: input/output error", "config.value"),
    ("configuring container /dev: no such process", "device.failed"),
    ("the target `/etc/link` is invalid: Too many levels of symbolic links", "mount.step"),
    ("invalid file system type on `/sys/fs/cgroup`", "host.kernel"),
    ("openat procfd for `self/fd`: Input/output error", "file.failed"),
    ("read from `/run/crun/box/status`: Input/output error", "file.failed"),
    ("fstat parent of `/rootfs/x`: Input/output error", "file.failed"),
    ("crun: sd-bus call: Permission denied: OCI permission denied", "systemd.refused"),
    ("Error: crun: cannot open sd-bus: No such file or directory: OCI runtime attempted to invoke a command that was not found", "systemd.absent"),
    (_OCI + 'unable to apply cgroup configuration: unable to start unit "docker-1.scope" (properties [{Name:Description}]): Unit docker-1.scope already exists.', "systemd.refused"),
    ('runc create failed: expected cgroupsPath to be of format "slice:prefix:name" for systemd cgroups, got "/box" instead: unknown', "systemd.path"),
    ("runc run failed: systemd not running on this host, cannot use systemd cgroups manager", "systemd.absent"),
    ("systemd cgroup flag passed, but the systemd of user 1000 cannot be reached (/run/user/1000/bus: no such file or directory): a login starts it", "systemd.absent"),
    ("criu failed: type NOTIFY errno 0", "checkpoint.failed"),
    ("could not load `libcriu.so.2`: `libcriu.so.2: cannot open shared object file`", "checkpoint.missing"),
    ("runc create failed: unable to move network devices without a NET namespace", "network.device"),
    ("runc create failed: link not found for interface eth9 on runtime namespace : Link not found", "network.device"),
    ('failed to connect with seccomp agent specified in the seccomp profile: dial unix /run/agent.sock: connect: no such file or directory', "seccomp.notify"),
    ("invalid seccomp syscall `opn`", "seccomp.rule"),
    ("runc create failed: seccomp: config provided but seccomp not supported", "seccomp.unsupported"),
    ('runc create failed: invalid memory policy mode "MPOL_BEST"', "memory_policy.value"),
    ("requested linux NUMA mempolicy mode 'MPOL_BEST' is unknown", "memory_policy.value"),
    ("runc create failed: scheduler.priority can only be specified for SchedFIFO or SchedRR policy", "scheduler.value"),
    ("sched_setattr: Operation not permitted", "scheduler.value"),
    ('runc create failed: invalid ioPriority.Class: "IOPRIO_CLASS_FAST"', "io_priority.value"),
    ("unknown persona specified `LINUX64`", "personality.value"),
    (_OCI + "error during container init: error setting initial CPU affinity: invalid argument", "cpu_affinity.value"),
    ("ioctl TIOCSCTTY: Inappropriate ioctl for device", "terminal.failed"),
    (_OCI + "error during container init: failed to get peer end of newly-allocated console: input/output error", "terminal.failed"),
    (_OCI + "error during container init: unable to join session keyring: unable to create session key: operation not permitted", "keyring.failed"),
    ("the container requires libkrun but it's not available: Operation not supported", "handler.missing"),
    ("could not load `libwasmedge.so.0`: `libwasmedge.so.0: cannot open shared object file`", "handler.missing"),
    (_OCI + 'error during container init: error creating device nodes: mount src=/dev/null, dst=/b/rootfs/dev/null: no such device', "device.failed"),
    ("mknod `/dev/null`: Operation not permitted", "device.failed"),
    ("runc create failed: id-mapped mounts must have both uid and gid mappings specified", "mount.id_mapped"),
    ("move_mount `5` to `/proc`: Invalid argument", "mount.step"),
    (_OCI + "error during container init: error jailing process inside rootfs: pivot_root .: invalid argument", "root.entering"),
    (_OCI + "error during container init: unable to setup user: setgroups failed: operation not permitted", "user.refused"),
    ("setresgid to `1000`: Operation not permitted", "user.id_not_mapped"),
    ("prctl set no new privs: Operation not permitted", "privilege.failed"),
    ("unshare `CLONE_NEWNS`: Operation not permitted", "init.creation"),
    ('level=fatal msg="nsexec-1[7]: failed to unshare user namespace: Operation not permitted"', "init.creation"),
    ("write to sync socket: Broken pipe", "init.died"),
    ("read from sync pipe: Connection reset by peer", "init.protocol"),
    ("`pid` missing in `/run/crun/box/status`", "state.damaged"),
    ('runc: "create" requires exactly 1 argument(s)', "command.usage"),
    ("`kill` requires a minimum of 1 arguments", "command.usage"),
    ("bpf attach: Operation not permitted", "cgroup.devices"),
    (_OCI + "error setting cgroup config for procHooks process: bpf_prog_query(BPF_CGROUP_DEVICE) failed: operation not permitted", "cgroup.devices"),
    ("cannot pause the container without a cgroup", "cgroup.none"),
    ("runc create failed: cannot set any additional groups in a rootless container", "rootless.unsupported"),
    (_OCI + "error during container init: current working directory is outside of container mount namespace root -- possible container breakout detected", "cwd.outside"),
    ("runc create failed: cgroup namespaces aren't enabled in the kernel", "host.kernel"),
    ("runc create failed: unable to create safe /proc/self/exe clone for runc init: memfd_create: operation not permitted", "engine.copy"),
    ("internal error: read invalid exit code", "engine.internal"),
    ("runc create failed: clos dir not accessible (must be pre-created when schemata, l3CacheSchema and memBwSchema are empty): stat /sys/fs/resctrl/x: no such file or directory", "intel_rdt.failed"),
    ("cannot opendir `/b`: Input/output error", "file.failed"),
    ("failed to write /run/x: input/output error", "file.failed"),
    ("container paused", "state.delete_alive"),
    ("cannot start a container in the paused state", "state.start_again"),
    ("error during container init: can't reopen /dev/null: open /dev/null: permission denied", "dev.unopened"),
    ("invalid value for `TimeoutStopUSec`", "config.value"),
    ('invalid value for memory: units: invalid size: "x"', "command.usage"),
    ("sendmsg: Broken pipe", "host.call"),
]  # fmt: skip


# Reports of the last ten years: runc 0.1 and 1.0, Docker's and podman's words around them.
REPORTS = [
    ('oci runtime error: container_linux.go:247: starting container process caused "process_linux.go:245: running exec setns process for init caused \\"exit status 29\\""', 'init.creation'),
    ('docker: Error response from daemon: OCI runtime create failed: container_linux.go:380: starting container process caused: process_linux.go:722: waiting for init preliminary setup caused: read init-p: connection reset by peer: unknown.', 'init.ended'),
    ('docker: Error response from daemon: OCI runtime create failed: container_linux.go:348: starting container process caused "process_linux.go:297: copying bootstrap data to pipe caused \\"write init-p: broken pipe\\"": unknown.', 'init.protocol'),
    ("Error response from daemon: OCI runtime create failed: container_linux.go:367: starting container process caused: process_linux.go:352: getting the final child's pid from pipe caused: EOF: unknown", 'init.ended'),
    ('docker: Error response from daemon: OCI runtime create failed: container_linux.go:349: starting container process caused "process_linux.go:449: container init caused \\"process_linux.go:432: running prestart hook 0 caused \\\\\\"error running hook: exit status 1, stdout: , stderr: nvidia-container-cli: initialization error: nvml error: driver not loaded\\\\\\\\n\\\\\\"\\"": unknown.', 'hook.status'),
    ('docker: Error response from daemon: failed to create task for container: failed to create shim task: OCI runtime create failed: unable to retrieve OCI runtime error (open /run/docker/containerd/daemon/io.containerd.runtime.v1.linux/moby/189cf/log.json: no such file or directory): fork/exec /usr/local/bin/crun : no such file or directory: : unknown.', 'docker.no_runtime'),
    ('OCI runtime create failed: unable to retrieve OCI runtime error (open /run/containerd/io.containerd.runtime.v2.task/moby/1/log.json: no such file or directory): exec: "nvidia-container-runtime": executable file not found in $PATH: unknown', 'docker.no_runtime'),
    ('Error: crun: open /sys/fs/cgroup/machine.slice/libpod-35ee.scope/container/cgroup.freeze: No such file or directory: OCI runtime attempted to invoke a command that was not found', 'cgroup.gone'),
    ('Error: OCI runtime error: crun: unknown version specified', 'version.unsupported'),
    ('starting registry: creating registry container: starting container: crun: unknown version specified: OCI runtime error', 'version.unsupported'),
    ('Error: executable file not found in $PATH: No such file or directory: OCI runtime command not found error', 'program.not_in_path'),
    ('Error: crun: executable file `nonexistent` not found in $PATH: No such file or directory: OCI runtime attempted to invoke a command that was not found', 'program.not_in_path'),
    ('Error: runc: runc create failed: unable to start container process: error during container init: exec: "nonexistent": executable file not found in $PATH: OCI runtime attempted to invoke a command that was not found', 'program.not_in_path'),
    ('Error: OCI runtime error: crun: mount_setattr `/sys`: Function not implemented', 'host.kernel'),
    ('Error: openat2 ``: No such file or directory: OCI not found', 'mount.no_place'),
    ('Error: OCI runtime error: crun: mount `/mnt/git/build-root/15.5-x86_64/.mount` to ``: Invalid argument', 'mount.option'),
    ('Error: crun: open `/home/ann/.local/share/containers/storage/overlay/41bf/merged`: Permission denied: OCI permission denied', 'host.not_permitted'),
    ('Error: crun: open executable: Permission denied: OCI permission denied', 'program.denied'),
    ('Error: writing file `/proc/450976/gid_map`: Operation not permitted: OCI permission denied', 'user.mapping_refused'),
    ("Error: writing file '/sys/fs/cgroup//user.slice/user-1000.slice/user@1000.service/user.slice/libpod-39c5.scope/cgroup.procs': Permission denied: OCI runtime permission denied error", 'cgroup.not_permitted'),
    ("Error: creating file '/home/ann/.local/share/containers/storage/overlay/0d16/merged/run/.containerenv': Permission denied: OCI runtime permission denied error", 'host.not_permitted'),
    ('Error: OCI runtime error: crun: error `creating` systemd unit `libpod-0948.scope`: got `failed`', 'systemd.refused'),
    ('Failed create pod sandbox: rpc error: code = Unknown desc = failed to start sandbox container for pod "x": Error response from daemon: shim error: docker-runc not installed on system', 'docker.no_runtime'),
    ('Failed create pod sandbox: rpc error: code = Unknown desc = failed to start sandbox container for pod "netchecker-agent-2nmcd": Error response from daemon: OCI runtime create failed: container_linux.go:345: starting container process caused "process_linux.go:297: getting the final child\'s pid from pipe caused \\"read init-p: connection reset by peer\\"": unknown', 'init.ended'),
    ('OCI runtime exec failed: exec failed: container_linux.go:349: starting container process caused "exec: \\"bash\\": executable file not found in $PATH": unknown', 'program.not_in_path'),
    ('OCI runtime exec failed: exec failed: container_linux.go:348: starting container process caused "open /proc/self/fd: no such file or directory": unknown', 'mount.no_proc'),
    ('OCI runtime exec failed: exec failed: unable to start container process: exec: "redis-commander": executable file not found in $PATH: unknown', 'program.not_in_path'),
    ('docker: Error response from daemon: oci runtime error: container_linux.go:247: starting container process caused "exec: \\"/bin/topsy\\": stat /bin/topsy: no such file or directory".', 'program.not_there'),
    ('docker: Error response from daemon: failed to create task for container: failed to create shim task: OCI runtime create failed: runc create failed: unable to start container process: exec: "/etc": permission denied: unknown.', 'program.denied'),
    ('rpc error: code = 13 desc = invalid header field value "oci runtime error: exec failed: cannot exec a container that has run and stopped\\n"', 'state.exec_stopped'),
    ('unable to start container process: error during container init: error preparing rootfs: remount-private dst=/run/containerd/x/rootfs, flags=MS_PRIVATE: operation not permitted', 'root.entering'),
    ('process_linux.go: applying cgroup configuration: failed to write 268435456 to memory.max: invalid argument', 'cgroup.value'),
    ('OCI runtime create failed: runc create failed: unable to start container process: unable to apply cgroup configuration: unable to start unit "docker-1.scope" (properties [{Name:Description Value:"libcontainer container 1"}]): Permission denied: unknown', 'systemd.refused'),
    ('container_linux.go:345: starting container process caused "process_linux.go:430: container init caused \\"rootfs_linux.go:58: mounting \\\\\\"/a.conf\\\\\\" to rootfs \\\\\\"/var/lib/docker/overlay2/1/merged\\\\\\" at \\\\\\"/var/lib/docker/overlay2/1/merged/a.conf\\\\\\" caused \\\\\\"not a directory\\\\\\"\\"": unknown: Are you trying to mount a directory onto a file (or vice-versa)?', 'mount.kinds'),
    ('docker: Error response from daemon: OCI runtime create failed: container_linux.go:380: starting container process caused: process_linux.go:545: container init caused: process_linux.go:508: setting cgroup config for procHooks process caused: cannot set property TasksAccounting, or unknown property.: unknown.', 'systemd.refused'),
    ('Error: OCI runtime error: crun: create keyring `1234`: Disk quota exceeded', 'host.keys'),
    ('Error: OCI runtime error: runc: runc create failed: unable to start container process: error during container init: unable to set apparmor label: apparmor failed to apply profile: write /proc/self/attr/apparmor/exec: no such file or directory', 'label.apparmor'),
    ('standard_init_linux.go:228: exec user process caused: exec format error', 'program.format_unseen'),
    ('standard_init_linux.go:211: exec user process caused "no such file or directory"', 'program.missing_or_interpreter'),
    ('exec /entrypoint.sh: no such file or directory', 'program.missing_or_interpreter'),
    ('exec /usr/local/bin/docker-entrypoint.sh: exec format error', 'program.format_unseen'),
]  # fmt: skip


@pytest.mark.parametrize(("said", "id_"), NO_DISK + OTHERS + FAMILIES + REPORTS)
def test_a_text_without_a_bundle_is_explained_by_what_was_being_done(said: str, id_: str) -> None:
    assert find(Failure(said), Bundle()).id == id_


@pytest.mark.parametrize(
    "said",
    [
        "Unable to find image 'nope:latest' locally",
        "docker: Error response from daemon: pull access denied for nope, repository does not exist or may require 'docker login'",
        "bash: sleeep: command not found",
        "ls: cannot access 'x': No such file or directory",
        "ls: can't open '/root': Permission denied",
        "mkdir: can't create directory '/x': Read-only file system",
        "/bin/sh: 1: cannot create /x: No space left on device",
        "curl: (7) Failed to connect to localhost port 80 after 0 ms: Couldn't connect to server",
        "E: Unable to locate package nope",
        "Traceback (most recent call last):",
        "make: *** No rule to make target 'x'.  Stop.",
        "Segmentation fault (core dumped)",
        "fatal: not a git repository (or any of the parent directories): .git",
        "Unit nope.service could not be found.",
        "ssh: connect to host example.org port 22: Connection refused",
        "docker: Error response from daemon: driver failed programming external connectivity on endpoint web: Bind for 0.0.0.0:80 failed: port is already allocated.",
        'docker: Error response from daemon: Conflict. The container name "/web" is already in use by container "abc".',
        'Error: short-name "foo" did not resolve to an alias and no unqualified-search registries are defined in "/etc/containers/registries.conf"',
        "Error: creating build container: initializing source docker://x: reading manifest latest in docker.io/library/x: requested access to the resource is denied",
    ],
)
def test_what_another_program_says_is_not_taken_for_a_runtime_s(said: str) -> None:
    assert find(Failure(said), Bundle()).id in ("unknown", "other.message")
    told = explain(Failure(said), Bundle(), Messages("en"))
    assert "The runtime says" not in told.cause
    assert "runtime cannot" not in told.title


def test_a_format_that_was_not_looked_at_is_not_asserted() -> None:
    told = explain(Failure('runc: exec: "/app": exec format error'), Bundle(), Messages("en"))
    assert told.id == "program.format_unseen"
    assert "for another CPU, or" in told.cause


@pytest.mark.parametrize("name", ["sh", "/bin/sh", "/script"])
def test_a_link_to_a_missing_busybox_is_named(tmp_path: Path, name: str) -> None:
    folder = tmp_path / "rootfs/bin"
    folder.mkdir(parents=True)
    (folder / "sh").symlink_to("ash")
    (folder / "ash").symlink_to("/bin/busybox")
    script = tmp_path / "rootfs/script"
    script.write_text("#!/bin/sh\n")
    script.chmod(0o755)
    config = {
        "ociVersion": "1.0.2",
        "process": {"args": [name], "cwd": "/", "env": ["PATH=/usr/bin:/bin"]},
        "root": {"path": "rootfs"},
        "linux": {},
    }
    (tmp_path / "config.json").write_text(json.dumps(config))
    (told,) = (
        each for each in explain_bundle(Bundle(tmp_path), Messages("en")) if each.id.startswith("program.")
    )
    assert "is a link, and /bin/busybox, where it leads, is missing" in told.title
    (folder / "busybox").touch(mode=0o755)
    assert "busybox" not in str(explain_bundle(Bundle(tmp_path), Messages("en")))


def test_what_runt_says_is_known() -> None:
    """The messages in its source, without a bundle. Those that stay unknown are parts of others, or filled in by what fails."""
    known = {each: explained(each) for each in messages(Path(__file__).parents[2])}
    unknown = sorted(each for each, id_ in known.items() if id_ == "unknown")
    assert len(known) > 150
    assert len(unknown) <= 0.15 * len(known), unknown


@pytest.mark.parametrize("language", LANGUAGES)
def test_nothing_is_asserted_that_the_text_does_not_say(language: Language) -> None:
    """What engines print, without a bundle: no placeholder stays empty, and no place in a file is named."""
    m = Messages(language)
    printed = {was["said"] for each in recorded().values() for was in each.values() if was["status"]}
    for said in printed | {said for said, _ in NO_DISK + OTHERS + FAMILIES + REPORTS}:
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


def test_a_consequence_is_explained_by_what_is_wrong_in_the_bundle(tmp_path: Path) -> None:
    """An engine that lost its init process, or names only a step, does not know why; the configuration may show it."""
    config = json.loads((DATA / "base.json").read_text())
    limited = config | {"linux": config["linux"] | {"resources": {"memory": {"limit": 4096}}}}
    mistyped = config | {"mounts": {}}
    rules = [
        {"names": ["socket"], "action": action, "args": [{"index": 0, "op": "SCMP_CMP_EQ", "value": 40}]}
        for action in ("SCMP_ACT_ALLOW", "SCMP_ACT_LOG")
    ]
    contradictory = config | {"linux": {"seccomp": {"defaultAction": "SCMP_ACT_KILL", "syscalls": rules}}}
    rootless = config | {"linux": config["linux"] | {"timeOffsets": {"monotonic": {"secs": 1}}}}
    for text, said, id_, pointer in (
        (limited, "container init was OOM-killed (memory limit too low?)", "cgroup.memory_too_small", "/linux/resources/memory/limit"),
        (config, "container init was OOM-killed (memory limit too low?)", "init.oom", None),
        (mistyped, "fsconfig create `tmpfs`: Input/output error", "config.structure", "/mounts"),
        (config, "fsconfig create `tmpfs`: Input/output error", "mount.step", None),
        (contradictory, "seccomp_rule_add_array: File exists", "config.structure", "/linux/seccomp/syscalls/1"),
        (rootless, "can't get final child's PID from pipe: EOF", "time.no_namespace", "/linux/timeOffsets"),
    ):  # fmt: skip
        (tmp_path / "rootfs/bin").mkdir(parents=True, exist_ok=True)
        (tmp_path / "rootfs/bin/sleep").write_text("#!/bin/sleep")
        (tmp_path / "rootfs/bin/sleep").chmod(0o755)
        (tmp_path / "config.json").write_text(json.dumps(text))
        found = find(Failure(said, "create"), Bundle(tmp_path))
        assert (found.id, found.pointer) == (id_, pointer), said


def test_a_version_that_is_fine_is_not_called_wrong(tmp_path: Path) -> None:
    config = json.loads((DATA / "base.json").read_text()) | {"ociVersion": "1.1.0"}
    (tmp_path / "config.json").write_text(json.dumps(config))
    assert find(Failure("unknown version specified"), Bundle(tmp_path)).id == "version.newer"
    config["ociVersion"] = "2.0.0"
    (tmp_path / "config.json").write_text(json.dumps(config))
    found = find(Failure("unknown version specified"), Bundle(tmp_path))
    assert (found.id, found.pointer) == ("config.structure", "/ociVersion")


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
