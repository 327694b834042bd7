"""The shape of every member of `config.json`, in the order of config.md and config-linux.md (1.3.0).

A member that the specification has for Linux is either described here or refused here as `Unsupported`: none is ignored.
"""

from __future__ import annotations

from runtime.config.resources import RESOURCES
from runtime.config.seccomp import SECCOMP
from runtime.config.shape import Array, Boolean, Integer, Map, Object, String, Unsupported
from runtime.kernel import process, scheduling

TYPE_CHECKING = False
if TYPE_CHECKING:
    from runtime.config.types import HookKind

INT32 = Integer(-(2**31), 2**31 - 1)
UINT32 = Integer(0, 2**32 - 1)
UINT64 = Integer(0, 2**64 - 1)
INT64 = Integer(-(2**63), 2**63 - 1)
ID = Integer(0, 2**32 - 2)
"""A user or group id; 4294967295 means "no change" to setresuid(2) and is no user's."""

NAMESPACES = ("pid", "network", "mount", "ipc", "uts", "user", "cgroup", "time")
HOOKS: tuple[HookKind, ...] = (
    "prestart",
    "createRuntime",
    "createContainer",
    "startContainer",
    "poststart",
    "poststop",
)
PROPAGATION = ("shared", "slave", "private", "unbindable")
"""With an `r` in front too: the specification has only these four, but runc takes and Docker writes the others."""

STRINGS = Array(String())
PATH = String(absolute=True)

ROOT = Object({"path": String(), "readonly": Boolean()}, required=("path",))

ID_MAPPING = Object(
    {"containerID": UINT32, "hostID": UINT32, "size": Integer(1, 2**32 - 1)},
    required=("containerID", "hostID", "size"),
)
ID_MAPPINGS = Array(ID_MAPPING)

MOUNT = Object(
    {
        "destination": String(),
        "type": String(),
        "source": String(),
        "options": STRINGS,
        "uidMappings": ID_MAPPINGS,
        "gidMappings": ID_MAPPINGS,
    },
    required=("destination",),
)

USER = Object(
    {
        "uid": ID,
        "gid": ID,
        "umask": Integer(0, 0o777),
        "additionalGids": Array(ID),
    }
)

CAPABILITIES = Object(
    {
        "bounding": STRINGS,
        "effective": STRINGS,
        "inheritable": STRINGS,
        "permitted": STRINGS,
        "ambient": STRINGS,
    }
)

RLIMIT = Object(
    {"type": String(choices=tuple(sorted(process.LIMITS))), "soft": UINT64, "hard": UINT64},
    required=("type", "soft", "hard"),
)

SCHEDULER = Object(
    {
        "policy": String(choices=tuple(scheduling.POLICIES)),
        # -20 and 19: sched(7).
        "nice": Integer(-20, 19),
        "priority": INT32,
        "flags": Array(String(choices=tuple(scheduling.POLICY_FLAGS))),
        "runtime": UINT64,
        "deadline": UINT64,
        "period": UINT64,
    },
    required=("policy",),
)

IO_PRIORITY = Object(
    {"class": String(choices=tuple(scheduling.IO_CLASSES)), "priority": Integer(0, 7)},
    # config.md calls the priority REQUIRED; the schema does not, and runc and crun take none as 0. IDLE has no priorities.
    required=("class",),
)

PROCESS = Object(
    {
        "terminal": Boolean(),
        "consoleSize": Object({"height": UINT64, "width": UINT64}, required=("height", "width")),
        "user": USER,
        "args": Array(String(), filled=True),
        "env": STRINGS,
        "cwd": PATH,
        "rlimits": Array(RLIMIT),
        "capabilities": CAPABILITIES,
        "noNewPrivileges": Boolean(),
        # -1000 and 1000: OOM_SCORE_ADJ_MIN and MAX of proc(5).
        "oomScoreAdj": Integer(-1000, 1000),
        "apparmorProfile": String(),
        "selinuxLabel": String(),
        "scheduler": SCHEDULER,
        "ioPriority": IO_PRIORITY,
        "execCPUAffinity": Object({"initial": String(), "final": String()}),
        # `commandLine`, and `username` of the user, are for Windows: they have no effect here.
    },
    required=("args", "cwd"),
)

HOOK = Object(
    {"path": PATH, "args": STRINGS, "env": STRINGS, "timeout": Integer(1, 2**31 - 1)},
    required=("path",),
)

NAMESPACE = Object({"type": String(choices=NAMESPACES), "path": PATH}, required=("type",))

DEVICE = Object(
    {
        "type": String(choices=("c", "b", "u", "p")),
        "path": PATH,
        "major": INT64,
        "minor": INT64,
        "fileMode": UINT32,
        "uid": ID,
        "gid": ID,
    },
    required=("type", "path"),
)

TIME_OFFSET = Object({"secs": INT64, "nanosecs": Integer(0, 999_999_999)})

MEMORY_POLICY = Object(
    {
        "mode": String(choices=tuple(scheduling.MEMORY_MODES), what="memory policy mode"),
        "nodes": String(),
        "flags": Array(String(choices=tuple(scheduling.MEMORY_FLAGS), what="memory policy flag")),
    },
    required=("mode",),
)

PERSONALITY = Object(
    {"domain": String(choices=tuple(scheduling.PERSONALITIES)), "flags": STRINGS}, required=("domain",)
)

LINUX = Object(
    {
        "namespaces": Array(NAMESPACE),
        "uidMappings": ID_MAPPINGS,
        "gidMappings": ID_MAPPINGS,
        "timeOffsets": Map(TIME_OFFSET, names=("monotonic", "boottime")),
        "devices": Array(DEVICE),
        "netDevices": Map(Object({"name": String()})),
        "cgroupsPath": String(),
        "resources": RESOURCES,
        "intelRdt": Unsupported(empty_is_nothing=False),
        "memoryPolicy": MEMORY_POLICY,
        "sysctl": Map(String()),
        "seccomp": SECCOMP,
        "rootfsPropagation": String(choices=(*PROPAGATION, *(f"r{name}" for name in PROPAGATION))),
        "maskedPaths": Array(PATH),
        "readonlyPaths": Array(PATH),
        "mountLabel": String(),
        "personality": PERSONALITY,
    }
)

CONFIG = Object(
    {
        "ociVersion": String(),
        "root": ROOT,
        "mounts": Array(MOUNT),
        "process": PROCESS,
        "hostname": String(),
        "domainname": String(),
        "hooks": Object({kind: Array(HOOK) for kind in HOOKS}),
        "annotations": Map(String(nul=True)),
        "linux": LINUX,
        # Sections for other platforms and for virtual machines: a configuration that has them is not for this runtime.
        "freebsd": Unsupported(),
        "solaris": Unsupported(),
        "vm": Unsupported(),
        "windows": Unsupported(),
        "zos": Unsupported(),
    },
    required=("ociVersion", "root"),
)
