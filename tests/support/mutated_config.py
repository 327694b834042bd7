"""Configurations with one mistake: real ones of which one member is changed, with the place where the mistake is.

`bases` makes the configurations, `mutations` the mistakes: the same in each run, or random ones for a `random.Random`.
"""

from __future__ import annotations

import copy
import json
import shutil
import subprocess
import sys
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import random
    from collections.abc import Iterator

LESSON = Path(__file__).parents[1] / "tutor" / "explain" / "base.json"
GONE = object()
"""The new value of a member that is left out."""


@dataclass(frozen=True)
class Mutation:
    """One mistake: the JSON pointer of what was changed, what was done, and the whole text."""

    base: str
    pointer: str
    what: str
    text: str
    listed: bool = False
    """It is one of `_VALUES`, and not made of the member's type."""

    @property
    def name(self) -> str:
        return f"{self.base} {self.pointer or '/'} {self.what}"


def spec(engine: str, folder: Path, *arguments: str) -> Any:
    """Return what `ENGINE spec` writes, with a program that stays, and no terminal."""
    (folder / "config.json").unlink(missing_ok=True)
    subprocess.run([engine, "spec", *arguments], cwd=folder, check=True, capture_output=True)
    return staying(json.loads((folder / "config.json").read_text()))


def staying(config: Any) -> Any:
    """Return a configuration whose program stays in the background."""
    config["process"] |= {"terminal": False, "args": ["sleep", "1000"]}
    return config


def bases(folder: Path) -> dict[str, Any]:
    """Return real configurations by name: of the engines that are here, of the lessons, and one with nearly every member."""
    runt = str(Path(sys.executable).parent / "runt")
    made = {"runt": spec(runt, folder), "rootless": spec(runt, folder, "--rootless")}
    for engine in ("runc", "crun"):
        if shutil.which(engine):
            made[engine] = spec(engine, folder)
    made["lesson"] = json.loads(LESSON.read_text())
    made["timed"] = _timed(copy.deepcopy(made["lesson"]))
    made["whole"] = _whole(copy.deepcopy(made["runt"]))
    # crun 1.8.1 knows only versions with "1.0" in them.
    return {name: config | {"ociVersion": "1.0.2"} for name, config in made.items()}


def _whole(config: Any) -> Any:
    """Return a configuration with the members that Docker and podman write, and most others."""
    process, linux = config["process"], config["linux"]
    process["user"] |= {"umask": 18, "additionalGids": [1, 2]}
    process |= {
        "rlimits": [
            {"type": "RLIMIT_NOFILE", "soft": 512, "hard": 1024},
            {"type": "RLIMIT_CORE", "soft": 0, "hard": 0},
        ],
        "oomScoreAdj": 100,
        "ioPriority": {"class": "IOPRIO_CLASS_BE", "priority": 4},
        "scheduler": {"policy": "SCHED_BATCH", "nice": 5},
        "execCPUAffinity": {"initial": "0", "final": "0"},
    }
    config["hooks"] = {
        "createRuntime": [{"path": "/bin/true", "args": ["true"], "env": ["A=b"], "timeout": 5}],
        "createContainer": [{"path": "/bin/true"}],
        "startContainer": [{"path": "/bin/true"}],
        "poststop": [{"path": "/bin/true"}],
    }
    config["annotations"] = {"org.example.name": "box"}
    config["mounts"] += [
        {"destination": "/data", "type": "bind", "source": "rootfs/etc", "options": ["rbind", "ro", "rprivate"]},
        {"destination": "/tmp", "type": "tmpfs", "source": "tmpfs", "options": ["nosuid", "size=1m", "mode=1777"]},
    ]  # fmt: skip
    linux |= {
        "sysctl": {"net.ipv4.ip_forward": "1", "kernel.shmmax": "65536"},
        "rootfsPropagation": "private",
        "personality": {"domain": "LINUX"},
        "devices": [
            {"type": "c", "path": "/dev/fuse", "major": 10, "minor": 229, "fileMode": 438, "uid": 0, "gid": 0},
            {"type": "p", "path": "/dev/pipe", "fileMode": 384},
        ],
        "resources": {
            "devices": [{"allow": False, "access": "rwm"}, {"allow": True, "type": "c", "major": 1, "minor": 3, "access": "rw"}],
            "memory": {"limit": 67108864, "reservation": 33554432, "swap": 134217728, "swappiness": 10},
            "cpu": {"shares": 512, "quota": 50000, "period": 100000, "cpus": "0", "mems": "0"},
            "pids": {"limit": 100},
            "blockIO": {"weight": 0},
        },
        "seccomp": {
            "defaultAction": "SCMP_ACT_ALLOW",
            "architectures": ["SCMP_ARCH_X86_64", "SCMP_ARCH_X86"],
            "flags": ["SECCOMP_FILTER_FLAG_LOG"],
            "syscalls": [
                {
                    "names": ["mount"],
                    "action": "SCMP_ACT_ERRNO",
                    "errnoRet": 13,
                    "args": [{"index": 3, "value": 1, "valueTwo": 0, "op": "SCMP_CMP_MASKED_EQ"}],
                },
                {"names": ["ptrace"], "action": "SCMP_ACT_LOG"},
            ],
        },
    }  # fmt: skip
    return config


def _timed(config: Any) -> Any:
    """Return a configuration with a time namespace, which not every engine knows."""
    config["linux"]["namespaces"].append({"type": "time"})
    config["linux"]["timeOffsets"] = {"boottime": {"secs": 10, "nanosecs": 0}}
    return config


# What is put in place of a member: JSON pointer -> values. Of an array, the first item is meant. `...` stands for the old value.
# fmt: off
_VALUES: dict[str, list[Any]] = {
    "/ociVersion": ["1", "1.0", "1.0.0.0", "2.0.0", "0.2.0", "v1.0.2", "1.0.2-rc1", "1.2.0+x", "01.0.0", "１.0.0", "1.99.0"],
    "/root/path": ["nowhere", "config.json", "", "/nowhere"],
    "/hostname": ["x" * 65, "x" * 64, "a b", "日本"],
    "/domainname": ["x" * 65, "example.org"],
    "/process/cwd": ["tmp", "", ".", "/not/there", "/etc/passwd"],
    "/process/args": [[], ["nothing-of-this-name"], ["/not/there"], [""], ["/etc/passwd"], ["/etc"], ["sleep 1000"], "sleep 1000"],
    "/process/env": [["PATH"], ["=x"], [""], ["A=1", "A=2", "PATH=/bin"], ["PATH=/nowhere"], [], ["A B=c", "PATH=/bin"]],
    "/process/user/uid": [-1, 2**32 - 1, 2**32, 1000, "root"],
    "/process/user/gid": [-1, 2**32 - 1, 2**32, 1000],
    "/process/user/umask": [511, 512, -1, 2**32],
    "/process/user/additionalGids": [[-1], [2**32 - 1], [5, 5], ["wheel"]],
    "/process/rlimits": [
        [{"type": "RLIMIT_NOFILE", "soft": 2, "hard": 1}], [{"type": "RLIMIT_FILES", "soft": 1, "hard": 1}],
        [{"type": "NOFILE", "soft": 1, "hard": 1}], [{"type": "rlimit_nofile", "soft": 1024, "hard": 1024}],
        [{"type": "RLIMIT_CORE", "soft": 0, "hard": 0}] * 2, [{"type": "RLIMIT_CORE", "soft": -1, "hard": 0}],
        [{"type": "RLIMIT_CORE", "soft": 0}], [{"type": "RLIMIT_CORE", "hard": 0}], [{"soft": 0, "hard": 0}],
        [{"type": "", "soft": 0, "hard": 0}], [{"type": "RLIMIT_CORE", "soft": 0, "hard": 2**64}],
        [{"type": "RLIMIT_NOFILE", "soft": 1024, "hard": 2**40}],
    ],
    "/process/capabilities/bounding": [["CAP_NOTHING"], ["cap_kill"], ["KILL"], [], [1], ["CAP_KILL"], "CAP_KILL"],
    "/process/capabilities/effective": [["CAP_SYS_TIME"], ["CAP_NOTHING"], [], ["CAP_KILL", "CAP_KILL"]],
    "/process/capabilities/permitted": [[], ["CAP_SYS_TIME"], ["CAP_NOTHING"]],
    "/process/capabilities/inheritable": [["CAP_SYS_TIME"], ["CAP_KILL"]],
    "/process/capabilities/ambient": [["CAP_SYS_TIME"], ["CAP_KILL"], ["CAP_NOTHING"], []],
    "/process/oomScoreAdj": [1001, -1001, 1000, -1000, 0.5],
    "/process/noNewPrivileges": [1, "true"],
    "/process/terminal": ["false", 0],
    "/process/consoleSize": [{"height": 1}, {"height": -1, "width": 1}, {"height": 25, "width": 70000}, {"height": 25, "width": 80}],
    "/process/scheduler": [
        {"policy": "SCHED_FAST"}, {"policy": "SCHED_ISO"}, {"policy": "SCHED_FIFO"}, {"policy": "SCHED_FIFO", "priority": 100},
        {"policy": "SCHED_OTHER", "priority": 1}, {"policy": "SCHED_OTHER", "nice": 20}, {"policy": "SCHED_OTHER", "nice": -21},
        {"policy": "SCHED_OTHER", "runtime": 1}, {"policy": "SCHED_BATCH", "deadline": 1}, {"policy": "SCHED_RR", "period": 5, "priority": 1},
        {"policy": "SCHED_OTHER", "flags": ["SCHED_FLAG_X"]}, {"nice": 1}, {"policy": ""}, {"policy": "sched_other"},
        {"policy": "SCHED_DEADLINE", "runtime": 0, "deadline": 0, "period": 0}, {"policy": "SCHED_OTHER", "nice": 19},
        {"policy": "SCHED_IDLE"}, {"policy": "SCHED_RR", "priority": 0}, {"policy": "SCHED_DEADLINE", "runtime": 4096},
        {"policy": "SCHED_DEADLINE", "runtime": 4096, "deadline": 2048}, {"policy": "SCHED_DEADLINE", "runtime": 2048, "deadline": 1 << 63},
        {"policy": "SCHED_DEADLINE", "runtime": 2048, "deadline": 4096, "period": 2048},
    ],
    "/process/ioPriority": [
        {"class": "IOPRIO_CLASS_X", "priority": 1}, {"class": "IOPRIO_CLASS_BE", "priority": 8}, {"class": "IOPRIO_CLASS_BE", "priority": -1},
        {"class": "IOPRIO_CLASS_BE"}, {"priority": 1}, {"class": "", "priority": 1}, {"class": "IOPRIO_CLASS_IDLE", "priority": 0},
        {"class": "BE", "priority": 1},
    ],
    "/process/execCPUAffinity": [{"initial": "x"}, {"initial": "3-1"}, {"final": "0,"}, {"final": "1-"}, {"initial": "0-0"}, {"final": "-1"}],
    "/process/apparmorProfile": ["no-such-profile", ""],
    "/process/selinuxLabel": ["no-such-label", ""],
    "/hooks/createRuntime": [
        [{"path": "true"}], [{"path": "/not/there"}], [{"args": ["true"]}], [{"path": ""}], [{"path": "/etc/passwd"}], [{"path": "/etc"}],
        [{"path": "/bin/true", "timeout": 0}], [{"path": "/bin/true", "timeout": -1}], [{"path": "/bin/true", "timeout": 2**31}],
        [{"path": "/bin/true", "env": ["A"]}], [{"path": "/bin/true", "args": "true"}], {"path": "/bin/true"}, [{"path": "/bin/true", "env": ["=b"]}],
        [{"path": "/bin/true", "args": []}], [{"path": "/bin/true", "timeout": 1.5}], ["/bin/true"],
    ],
    "/hooks/prestart": [[{"path": "true"}], [{"path": "/not/there"}], [{"path": "/bin/true"}], [{}]],
    "/hooks/createContainer": [[{"path": "bin/true"}], [{"path": "/not/there"}], [{"path": "/bin/true", "env": [""]}]],
    "/hooks/startContainer": [[{"path": "./true"}], [{"path": "/not/there"}], [{"path": "/etc/passwd"}]],
    "/hooks/poststart": [[{"path": "true"}], [{"path": "/bin/true", "timeout": "5"}], [{"path": "/bin/true"}]],
    "/hooks/poststop": [[{"path": "true"}], [{"path": None}], [{"path": "/bin/true", "env": "A=b"}]],
    "/hooks/beforeStart": [[{"path": "/bin/true"}]],
    "/annotations": [{"": "x"}, {"a": 1}, {"a": None}, {"a": ""}, []],
    "/mounts/-": [
        {"type": "tmpfs", "source": "tmpfs"}, {"destination": "", "type": "tmpfs", "source": "tmpfs"},
        {"destination": "/", "type": "tmpfs", "source": "tmpfs"}, {"destination": "/..", "type": "tmpfs", "source": "tmpfs"},
        {"destination": "mnt", "type": "tmpfs", "source": "tmpfs"}, {"destination": "/mnt", "type": "tmpfs", "source": "tmpfs"},
        {"destination": "/mnt", "type": "bind", "source": "rootfs"}, {"destination": "/mnt", "source": "rootfs"},
        {"destination": "/mnt", "type": "none", "source": "rootfs"}, {"destination": "/mnt", "options": ["bind"]},
        {"destination": "/mnt", "source": "", "options": ["rbind"]}, {"destination": "/mnt", "source": "not-there", "options": ["bind"]},
        {"destination": "/mnt", "source": "/not/there", "options": ["rbind", "ro"]}, {"destination": "/mnt", "type": "bind", "source": "rootfs", "options": ["ro"]},
        {"destination": "/mnt", "source": "rootfs", "options": ["bind", "readonly"]}, {"destination": "/mnt", "source": "rootfs", "options": ["bind", "mode=755"]},
        {"destination": "/mnt", "source": "rootfs", "options": ["bind", "size=1m"]}, {"destination": "/mnt", "source": "rootfs", "options": ["rbind", "RO"]},
        {"destination": "/mnt", "source": "rootfs", "options": ["bind", "ro", "rw", "rslave"]}, {"destination": "/mnt", "source": "rootfs", "options": ["bind", "defaults", "x-mount"]},
        {"destination": "/mnt", "type": "tmpfs", "source": "tmpfs", "options": ["sise=1m"]}, {"destination": "/mnt", "type": "tmpfs", "source": "tmpfs", "options": ["size=lots"]},
        {"destination": "/mnt", "type": "tmpfs", "source": "tmpfs", "options": ["mode=999"]}, {"destination": "/mnt", "type": "tmpfs", "source": "tmpfs", "options": ["readonly"]},
        {"destination": "/mnt", "type": "tmpsf", "source": "tmpfs"}, {"destination": "/mnt", "type": "nothing", "source": "nothing"},
        {"destination": "/mnt", "type": "proc", "source": "proc", "options": ["hidepid=9"]}, {"destination": "/mnt", "type": "tmpfs", "options": "ro"},
        {"destination": "/mnt", "type": "tmpfs", "source": "tmpfs", "options": [1]}, {"destination": "/etc/passwd", "type": "tmpfs", "source": "tmpfs"},
        {"destination": "/etc/passwd/x", "type": "tmpfs", "source": "tmpfs"}, {"destination": "/etc/passwd", "source": "rootfs", "options": ["bind"]},
        {"destination": "/etc", "source": "config.json", "options": ["bind"]}, {"destination": "/mnt/x", "source": "config.json", "options": ["bind"]},
        *(
            {"destination": "/mnt", "source": "rootfs", "options": ["bind", f"idmap={each}"]}
            for each in ("uids=0-1-1", "pids=0-1-1;uids=0-1-1", "uids=0-1;gids=0-1-1", "uids=0-1-4294967296;gids=0-1-1", "uids=@0-999999-1;gids=@0-999999-1")
        ),
        {"destination": "/mnt", "source": "rootfs", "options": ["bind", "idmap"]}, {"destination": "/mnt", "source": "rootfs", "options": ["bind"], "uidMappings": [{"containerID": 0, "hostID": 0, "size": 1}]},
        {"destination": "/mnt", "source": "rootfs", "options": ["bind"], "uidMappings": [{"containerID": 0, "hostID": 0, "size": 1}], "gidMappings": []},
        {"destination": "/mnt", "type": "cgroup", "source": "cgroup", "options": ["ro", "nothing=1"]},
        {"destination": "/mnt", "type": "tmpfs", "source": "tmpfs", "options": ["shared", "private"]}, {"destination": "/proc/sys/mine", "type": "tmpfs", "source": "tmpfs"},
        {"destination": "/proc/mine", "source": "rootfs", "options": ["bind"]}, {"destination": "/proc", "type": "tmpfs", "source": "tmpfs"},
        {"destination": "/mnt", "type": "ext4", "source": "/dev/null"}, {"destination": "/mnt", "type": "overlay", "source": "overlay", "options": ["lowerdir=/nowhere"]},
        {"destination": "/mnt", "type": "none", "options": ["remount", "ro"]}, "/mnt",
    ],
    "/linux/namespaces": [
        "pid", {"type": "pid"},
    ],
    "/linux/namespaces/-": [
        {"type": "pid"}, {"type": "mount"}, {"type": "net"}, {"type": "mnt"}, {"type": "PID"}, {"path": "/proc/1/ns/user"}, {}, {"type": ""}, "user",
        {"type": "user"}, {"type": "cgroup", "path": ""}, {"type": "time", "path": "proc/1/ns/time"}, {"type": "time", "path": "/proc/self/ns/nothing"},
        {"type": "cgroup", "path": "/proc/self/ns/pid"}, {"type": "cgroup", "path": "/etc/passwd"}, {"type": "cgroup", "path": "/proc/self/ns/cgroup"},
        {"type": "time", "path": 1}, {"type": "cgroup"}, {"type": "time"},
    ],
    "/linux/uidMappings": [
        [{"containerID": 0, "hostID": 0, "size": 1}], [{"containerID": 0, "hostID": 0, "size": 0}], [{"containerID": -1, "hostID": 0, "size": 1}],
        [{"containerID": 0, "hostID": 0}], [{"hostID": 0, "size": 1}], [{"containerID": 0, "size": 1}], [], [{"containerID": 1, "hostID": 1, "size": 1}],
        [{"containerID": 0, "hostID": 0, "size": 10}, {"containerID": 5, "hostID": 100, "size": 10}],
        [{"containerID": 0, "hostID": 0, "size": 10}, {"containerID": 100, "hostID": 5, "size": 10}],
        [{"containerID": 0, "hostID": 2**32 - 1, "size": 1}], [{"containerID": 0, "hostID": 0, "size": 2**32}],
        [{"containerID": 0, "hostID": 4294967290, "size": 10}], [{"containerID": 2**32 - 5, "hostID": 0, "size": 10}],
        [{"containerID": n, "hostID": n, "size": 1} for n in range(341)],
    ],
    "/linux/gidMappings": [
        [], [{"containerID": 0, "hostID": 0, "size": 1}], [{"containerID": 5, "hostID": 5, "size": 1}],
        [{"containerID": 0, "hostID": 0, "size": 10}, {"containerID": 5, "hostID": 100, "size": 10}], [{"containerID": 0, "hostID": 0, "size": 0}],
    ],
    "/linux/timeOffsets": [
        {"realtime": {"secs": 1}}, {"boottime": {"nanosecs": 10**9}}, {"monotonic": {"secs": "1"}}, {"boottime": {"nanosecs": -1}},
        {"boottime": {"secs": -(10**9)}}, {"monotonic": {"secs": 2**63}}, {"boottime": {"nanosecs": 999_999_999}}, {"monotonic": {"secs": 10**11}}, {},
    ],
    "/linux/devices": [
        [{"type": "c", "path": "/dev/x", "major": 1}], [{"type": "x", "path": "/dev/x", "major": 1, "minor": 3}], [{"type": "c", "path": "dev/x", "major": 1, "minor": 3}],
        [{"path": "/dev/x", "major": 1, "minor": 3}], [{"type": "c", "major": 1, "minor": 3}], [{"type": "b", "path": "/dev/x", "major": -1, "minor": 0}],
        [{"type": "c", "path": "/dev/x", "major": 4096, "minor": 0}], [{"type": "c", "path": "/dev/x", "major": 1, "minor": 1048576}],
        [{"type": "c", "path": "/dev/x", "major": 1, "minor": 3, "fileMode": -1}], [{"type": "c", "path": "/dev/x", "major": 1, "minor": 3, "fileMode": "0666"}],
        [{"type": "c", "path": "/dev/x", "major": 1, "minor": 3, "uid": 2**32 - 1}], [{"type": "c", "path": "/dev/x", "major": 1, "minor": 3, "gid": -1}],
        [{"type": "", "path": "/dev/x"}], [{"type": "p", "path": "/dev/x"}], [{"type": "c", "path": "/dev/null", "major": 1, "minor": 3}],
        [{"type": "u", "path": "/dev/x", "major": 1, "minor": 3}], [{"type": "c", "path": "/dev/x", "major": "1", "minor": 3}], [{"type": "c", "path": "/etc/passwd", "major": 1, "minor": 3}],
        [{"type": "c", "path": "", "major": 1, "minor": 3}], [{"type": "c", "path": "/dev/x", "major": 1, "minor": 3, "fileMode": 2**32 - 1}],
        [{"type": "p", "path": "/dev/x", "major": 5000, "minor": -3}], [{"type": "a", "path": "/dev/x", "major": 1, "minor": 3}],
    ],
    "/linux/netDevices": [{"nothing0": {}}, {"lo": {"name": "a/b"}}, {"lo": {"name": "x" * 16}}, {"": {}}, {"lo": {"name": 1}}, []],
    "/linux/cgroupsPath": [1, ["x"]],
    "/linux/sysctl": [
        {"vm.swappiness": "10"}, {"kernel.hostname": "x"}, {"kernel.domainname": "x"}, {"net.ipv4.ip_forward": 1}, {"net..x": "1"}, {"net/../x": "1"},
        {"user.max_user_namespaces": "1"}, {"kernel.msgmax": "x"}, {"net.ipv4.no_such_thing": "1"}, {"fs.mqueue.msg_max": "10"}, {"fs.file-max": "1"},
        {"net.ipv4.ip_forward": "maybe"}, {"kernel/shmmax": "65536"}, {"kernel.shm": "1"}, {"kernel.semaphores": "1"}, {"": "1"}, {"net": "1"},
        {"kernel.shm_rmid_forced": "1"}, {"kernel.shmmni.x": "1"}, {"net.": "1"}, [], {"net.ipv4.ip_forward": ""},
    ],
    "/linux/resources/memory": [
        {"limit": 1000000, "swap": 999999}, {"swap": 1000000}, {"limit": -2}, {"limit": "64M"}, {"swappiness": 101}, {"swappiness": -1}, {"limit": 0.5},
        {"limit": 4096}, {"limit": -1, "swap": -1}, {"disableOOMKiller": "yes"}, {"kernel": 1000000}, {"reservation": -5}, {"limit": 2**63}, {"limit": 1},
        {"limit": 67108864, "swap": 0}, {"swap": -1}, {"useHierarchy": False}, {"limit": 67108864, "reservation": 134217728}, {"kernelTCP": -2},
    ],
    "/linux/resources/cpu": [
        {"period": 10}, {"period": 2_000_000}, {"quota": 10}, {"quota": -1}, {"quota": 1000, "burst": 2000}, {"realtimeRuntime": 20, "realtimePeriod": 10},
        {"cpus": "a"}, {"cpus": "3-1"}, {"cpus": "0,,1"}, {"mems": "x"}, {"idle": 2}, {"idle": -1}, {"shares": -1}, {"shares": 1}, {"cpus": "4000"}, {"shares": 300000},
        {"cpus": "0-"}, {"quota": -5}, {"period": 100000, "quota": 50000, "burst": 1}, {"cpus": 0}, {"cpus": "99"}, {"mems": "7"}, {"shares": 2**64},
        {"realtimePeriod": 1000000, "realtimeRuntime": 10}, {"cpus": " 0"}, {"cpus": ""},
    ],
    "/linux/resources/pids": [{"limit": "100"}, {"limit": -1}, {"limit": 0}, {"limit": 2**63}, {"limit": 1}, {"limit": -5}, {}, 100],
    "/linux/resources/blockIO": [
        {"weight": 5}, {"weight": 1001}, {"leafWeight": 9}, {"weightDevice": [{"major": 8, "minor": 0}]}, {"weightDevice": [{"weight": 100}]},
        {"throttleReadBpsDevice": [{"major": 8, "minor": 0}]}, {"throttleWriteIOPSDevice": [{"major": 8, "rate": 1}]}, {"weight": 65536},
        {"throttleReadBpsDevice": [{"major": -1, "minor": 0, "rate": 1}]}, {"weight": 0},
        {"weightDevice": [{"major": 8, "minor": 0, "weight": 5}]}, {"throttleReadBpsDevice": [{"major": 999, "minor": 999, "rate": 1000}]},
    ],
    "/linux/resources/hugepageLimits": [
        [{"pageSize": "2M", "limit": 0}], [{"pageSize": "2MB"}], [{"limit": 0}], [{"pageSize": "3MB", "limit": 0}], [{"pageSize": "MB", "limit": 0}],
        [{"pageSize": "2mb", "limit": 0}], [{"pageSize": "2MB", "limit": -1}], [{"pageSize": "", "limit": 1}], [{"pageSize": "2MB", "limit": 0}], [{"pageSize": "1TB", "limit": 0}],
        [{"pageSize": "02MB", "limit": 0}], [{"pageSize": "2048KB", "limit": 0}],
    ],
    "/linux/resources/network": [
        {"classID": -1}, {"classID": 2**32}, {"priorities": [{"name": "lo"}]}, {"priorities": [{"priority": 1}]}, {"priorities": [{"name": "nothing0", "priority": 1}]},
        {"priorities": [{"name": "", "priority": 1}]}, {"priorities": [{"name": "lo", "priority": 1}]}, {"classID": "1"},
    ],
    "/linux/resources/rdma": [{"mlx5_1": {}}, {"a b": {"hcaHandles": 1}}, {"mlx5_1": {"hcaHandles": -1}}, {"": {"hcaHandles": 1}}, {"mlx5_1": {"hcaHandles": 3}}],
    "/linux/resources/unified": [{"memory": "x"}, {"memory/max": "1"}, {"../x.y": "1"}, {".x": "1"}, {"memory.max": 1}, {"memory.": "1"}, {"": "1"}, {"memory.max": "100000000"}],
    "/linux/resources/devices": [
        [{"access": "rwm"}], [{"allow": True}], [{"allow": True, "access": "x"}], [{"allow": True, "access": ""}], [{"allow": True, "access": "rw", "type": "d"}],
        [{"allow": True, "access": "rw", "type": "c", "major": -2}], [{"allow": "true", "access": "rwm"}], [{"allow": True, "access": "rw", "type": "c", "major": -1, "minor": 3}],
        [{"allow": True, "access": "rr", "type": "c"}], [{"allow": False, "access": "rwm", "type": "a"}], [{"allow": True, "access": "rwm", "type": "p"}], [{"allow": True, "access": "rwm", "type": "c", "major": 2**32}],
    ],
    "/linux/intelRdt": [{}, {"closID": "x"}, {"l3CacheSchema": "L3:0=f"}, None],
    "/linux/memoryPolicy": [
        {"mode": "MPOL_BIND"}, {"mode": "MPOL_X", "nodes": "0"}, {"mode": "MPOL_DEFAULT", "nodes": "0"}, {"mode": "MPOL_BIND", "nodes": "x"}, {"nodes": "0"},
        {"mode": "MPOL_BIND", "nodes": "0", "flags": ["MPOL_F_X"]}, {"mode": ""}, {"mode": "MPOL_LOCAL", "nodes": "0"}, {"mode": "MPOL_BIND", "nodes": "0"},
        {"mode": "MPOL_INTERLEAVE"}, {"mode": "MPOL_BIND", "nodes": "40"}, {"mode": "MPOL_PREFERRED"}, {"mode": "bind", "nodes": "0"},
    ],
    "/linux/seccomp/defaultAction": ["SCMP_ACT_NOTIFY", "ALLOW", "", "scmp_act_allow", "SCMP_ACT_NOTHING", "SCMP_ACT_LOG", "SCMP_ACT_TRACE"],
    "/linux/seccomp/defaultErrnoRet": [1, 4096, -1, 65536, "EPERM"],
    "/linux/seccomp/architectures": [["SCMP_ARCH_Z80"], ["x86_64"], [""], [], ["SCMP_ARCH_X86_64"] * 2, ["SCMP_ARCH_ARM"], "SCMP_ARCH_X86_64"],
    "/linux/seccomp/flags": [["SECCOMP_FILTER_FLAG_NEW_LISTENER"], ["LOG"], ["SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV"], [], ["SECCOMP_FILTER_FLAG_TSYNC"], ["SECCOMP_FILTER_FLAG_LOG"] * 2],
    "/linux/seccomp/listenerPath": ["/nowhere/agent.sock", ""],
    "/linux/seccomp/listenerMetadata": ["x", ""],
    "/linux/seccomp/syscalls": [
        [{"names": [], "action": "SCMP_ACT_ERRNO"}], [{"action": "SCMP_ACT_ERRNO"}], [{"names": ["mount"]}], [{"names": ["mount"], "action": "ERRNO"}],
        [{"names": ["mount"], "action": "SCMP_ACT_LOG", "errnoRet": 1}], [{"names": ["mount"], "action": "SCMP_ACT_ERRNO", "errnoRet": 5000}],
        [{"names": [""], "action": "SCMP_ACT_ERRNO"}], [{"names": ["no_such_call"], "action": "SCMP_ACT_ERRNO"}], [{"names": ["write"], "action": "SCMP_ACT_NOTIFY"}],
        [{"names": ["mount"], "action": "SCMP_ACT_NOTIFY"}], [{"names": "mount", "action": "SCMP_ACT_ERRNO"}],
        [{"names": ["mount"], "action": "SCMP_ACT_ERRNO", "args": [{"index": 6, "value": 1, "op": "SCMP_CMP_EQ"}]}],
        [{"names": ["mount"], "action": "SCMP_ACT_ERRNO", "args": [{"index": 0, "value": 1, "op": "EQ"}]}],
        [{"names": ["mount"], "action": "SCMP_ACT_ERRNO", "args": [{"index": 0, "value": -1, "op": "SCMP_CMP_EQ"}]}],
        [{"names": ["mount"], "action": "SCMP_ACT_ERRNO", "args": [{"index": 0, "op": "SCMP_CMP_EQ"}]}],
        [{"names": ["mount"], "action": "SCMP_ACT_ERRNO", "args": [{"value": 0, "op": "SCMP_CMP_EQ"}]}],
        [{"names": ["mount"], "action": "SCMP_ACT_ERRNO", "args": [{"index": 0, "value": 1}]}],
        [{"names": ["mount"], "action": "SCMP_ACT_ERRNO", "args": [{"index": 0, "value": 1, "op": "SCMP_CMP_EQ"}, {"index": 0, "value": 2, "op": "SCMP_CMP_EQ"}]}],
        [{"names": ["mount"], "action": "SCMP_ACT_ERRNO"}, {"names": ["mount"], "action": "SCMP_ACT_KILL"}], [{"names": ["mount"], "action": "SCMP_ACT_TRACE", "errnoRet": 70000}],
        [{"names": ["mount"], "action": "SCMP_ACT_TRACE", "errnoRet": 60000}], [{"names": ["mount"], "action": ""}], [{"names": ["mount", "mount"], "action": "SCMP_ACT_ERRNO"}],
        [{"names": ["mount"], "action": "SCMP_ACT_ALLOW"}], [{"names": [1], "action": "SCMP_ACT_ERRNO"}], {"names": ["mount"], "action": "SCMP_ACT_ERRNO"},
        [{"name": "mount", "action": "SCMP_ACT_ERRNO"}], [{"names": ["mount"], "action": "SCMP_ACT_KILL_PROCESS"}],
    ],
    "/linux/rootfsPropagation": ["rslave", "slave", "shared", "rshared", "unbindable", "runbindable", "rprivate", "both", "", "Private", 1],
    "/linux/maskedPaths": [["proc/kcore"], ["/not/there"], [""], "/proc/kcore", [1], ["/etc", "/etc/passwd"]],
    "/linux/readonlyPaths": [["proc/sys"], ["/not/there"], [""], [None]],
    "/linux/mountLabel": ["no-such-label", ""],
    "/linux/personality": [{"domain": "WINDOWS"}, {"domain": ""}, {}, {"domain": "LINUX", "flags": ["ADDR_NO_RANDOMIZE"]}, {"domain": "LINUX32"}, {"domain": "linux"}, {"domain": "LINUX", "flags": []}],
    "/windows": [{}, {"layerFolders": ["x"]}], "/vm": [{"kernel": {"path": "/x"}}, None], "/solaris": [{"milestone": "x"}], "/freebsd": [{"jail": {"parent": "x"}}],
    "/zos": [{"namespaces": [{"type": "pid"}]}, []],
    "/nothing": [1],
}
# fmt: on

_MOUNTS = [{"type": "mount"}, {"type": "pid"}]
_TOGETHER: list[dict[str, Any]] = [
    {"/linux/netDevices": {"lo": {}}, "/linux/sysctl": None, "/hostname": None, "/linux/namespaces": _MOUNTS},
    {"/domainname": "example.org", "/linux/sysctl": None, "/hostname": None, "/linux/namespaces": _MOUNTS},
    {"/hostname": "box", "/linux/sysctl": None, "/linux/namespaces": _MOUNTS},
    {"/linux/sysctl": {"kernel.msgmax": "1"}, "/hostname": None, "/linux/namespaces": _MOUNTS},
    {"/linux/sysctl": {"net.ipv4.ip_forward": "1"}, "/hostname": None, "/linux/namespaces": _MOUNTS},
    {
        "/linux/sysctl": {"net.ipv4.ip_forward": "1"},
        "/hostname": None,
        "/linux/namespaces": [*_MOUNTS, {"type": "network", "path": "/proc/self/ns/net"}],
    },
    {
        "/linux/sysctl": {"kernel.domainname": "a"},
        "/domainname": "b",
        "/hostname": None,
        "/linux/namespaces": [*_MOUNTS, {"type": "uts"}],
    },
    {"/linux/readonlyPaths": ["/proc/sys"], "/linux/maskedPaths": [], "/hostname": None, "/linux/namespaces": [{"type": "network"}, {"type": "ipc"}]},
    {
        "/linux/uidMappings": [{"containerID": 0, "hostID": 0, "size": 1}],
        "/linux/namespaces": [*_MOUNTS, {"type": "user", "path": "/proc/self/ns/user"}],
        "/linux/sysctl": None,
        "/hostname": None,
    },
    {"/process/consoleSize": {"height": 25, "width": 70000}, "/process/terminal": True},
    {"/linux/timeOffsets": {"boottime": {"secs": 1}}, "/hostname": None, "/linux/sysctl": None,
     "/linux/namespaces": [*_MOUNTS, {"type": "time", "path": "/proc/self/ns/time"}]},
]  # fmt: skip
"""Members that are wrong together; the mistake is at the first."""

_WRONG: dict[type, list[Any]] = {
    bool: ["true", 1],
    int: ["1", -1, 0.5, True, 2**64],
    str: [1, [], "\0", "\udc80", None],
    list: [{}, "x", None],
    dict: [[], "x", None],
}
"""By the type of a value: what is put in its place, wherever it is."""


def mutations(base: str, config: Any) -> Iterator[Mutation]:
    """Make every mistake in a configuration: each member left out, each of a wrong type, an item twice, and `_VALUES`."""
    for pointer, value in places(config):
        if pointer:
            yield changed(base, config, pointer, GONE)
        for wrong in _WRONG[type(value)]:
            yield changed(base, config, pointer, wrong)
        if isinstance(value, list) and value:
            yield changed(base, config, f"{pointer}/-", value[0])
    for pointer, values in _VALUES.items():
        if _has(config, pointer.removesuffix("/-").rpartition("/")[0]):
            for value in values:
                yield replace(changed(base, config, pointer, value), listed=True)
    for several in _TOGETHER:
        whole = config
        for pointer, value in several.items():
            whole = json.loads(changed(base, whole, pointer, value).text)
        first = next(iter(several))
        yield Mutation(base, first, f"= {json.dumps(several)}", json.dumps(whole), listed=True)


def some(base: str, config: Any, chosen: random.Random, count: int) -> Iterator[Mutation]:
    """Make random mistakes: a random value of `_VALUES`, or of another member, at a random place."""
    everywhere = list(places(config))
    odd = [value for values in _VALUES.values() for value in values]
    for _ in range(count):
        pointer, value = chosen.choice(everywhere[1:])
        kind = chosen.randrange(4)
        if kind == 0:
            yield changed(base, config, pointer, chosen.choice(odd))
        elif kind == 1:
            yield changed(base, config, pointer, chosen.choice(everywhere)[1])
        elif kind == 2:
            yield changed(base, config, pointer, chosen.choice(_WRONG[type(value)]))
        else:
            pointer = chosen.choice(
                [each for each in _VALUES if _has(config, each.removesuffix("/-").rpartition("/")[0])]
            )
            yield changed(base, config, pointer, chosen.choice(_VALUES[pointer]))


def places(value: Any, pointer: str = "") -> Iterator[tuple[str, Any]]:
    """Return every value with its pointer; of an array of equals, the first and the last."""
    if value is None or isinstance(value, float):
        return
    yield pointer, value
    if isinstance(value, dict):
        for name, item in value.items():
            yield from places(item, f"{pointer}/{name.replace('~', '~0').replace('/', '~1')}")
    elif isinstance(value, list):
        for index in sorted({0, len(value) - 1} if value else ()):
            yield from places(value[index], f"{pointer}/{index}")


def _has(config: Any, pointer: str) -> bool:
    at = config
    for name in pointer.split("/")[1:]:
        if not isinstance(at, dict) or name not in at:
            return False
        at = at[name]
    return isinstance(at, dict)


def changed(base: str, config: Any, pointer: str, value: Any) -> Mutation:
    """Return the mistake that one member has another value, or is left out; `-` is a new item of an array."""
    what = "is left out" if value is GONE else f"= {json.dumps(value)[:300]}"
    if not pointer:
        return Mutation(base, pointer, what, json.dumps(value))
    whole = json.loads(json.dumps(config))
    *path, last = (name.replace("~1", "/").replace("~0", "~") for name in pointer.split("/")[1:])
    at = whole
    for name in path:
        at = at[int(name)] if isinstance(at, list) else at.setdefault(name, []) if last == "-" else at[name]
    if value is GONE:
        del at[int(last) if isinstance(at, list) else last]
    elif isinstance(at, list) and last == "-":
        at.append(copy.deepcopy(value))
        pointer = pointer.removesuffix("-") + str(len(at) - 1)
    else:
        at[int(last) if isinstance(at, list) else last] = copy.deepcopy(value)
    return Mutation(base, pointer, what, json.dumps(whole))
