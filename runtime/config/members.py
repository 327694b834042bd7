"""What every member of `config.json` must look like, key by key as config.md and config-linux.md list them (1.3.0).

A key that the specification knows is either described here or refused here as `Unsupported`: none is ignored.
"""

from __future__ import annotations

from runtime.config.shape import Array, Boolean, Integer, Map, Object, String, Unsupported

TYPE_CHECKING = False
if TYPE_CHECKING:
    from runtime.schema import HookKind

UINT32 = Integer(0, 2**32 - 1)
UINT64 = Integer(0, 2**64 - 1)
INT64 = Integer(-(2**63), 2**63 - 1)
ID = Integer(0, 2**32 - 2)
"""A user or group id; 4294967295 means "no change" to setresuid(2) and is nobody's."""

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
RLIMITS = tuple(
    f"RLIMIT_{name}"
    for name in [
        "AS",
        "CORE",
        "CPU",
        "DATA",
        "FSIZE",
        "LOCKS",
        "MEMLOCK",
        "MSGQUEUE",
        "NICE",
        "NOFILE",
        "NPROC",
        "RSS",
        "RTPRIO",
        "RTTIME",
        "SIGPENDING",
        "STACK",
    ]
)
"""getrlimit(2)."""

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
        "username": Unsupported(),
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
    {"type": String(choices=RLIMITS), "soft": UINT64, "hard": UINT64},
    required=("type", "soft", "hard"),
)

PROCESS = Object(
    {
        "terminal": Boolean(),
        "consoleSize": Object({"height": UINT64, "width": UINT64}, required=("height", "width")),
        "user": USER,
        "args": Array(String(), filled=True),
        "commandLine": Unsupported(),
        "env": STRINGS,
        "cwd": PATH,
        "rlimits": Array(RLIMIT),
        "capabilities": CAPABILITIES,
        "noNewPrivileges": Boolean(),
        # -1000 and 1000: OOM_SCORE_ADJ_MIN and MAX of proc(5).
        "oomScoreAdj": Integer(-1000, 1000),
        "apparmorProfile": Unsupported(),
        "selinuxLabel": Unsupported(),
        "scheduler": Unsupported(empty_is_nothing=False),
        "ioPriority": Unsupported(empty_is_nothing=False),
        "execCPUAffinity": Unsupported(),
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

LINUX = Object(
    {
        "namespaces": Array(NAMESPACE),
        "uidMappings": ID_MAPPINGS,
        "gidMappings": ID_MAPPINGS,
        "timeOffsets": Map(TIME_OFFSET, names=("monotonic", "boottime")),
        "devices": Array(DEVICE),
        "netDevices": Unsupported(),
        "cgroupsPath": String(),
        "resources": Unsupported(),
        "intelRdt": Unsupported(empty_is_nothing=False),
        "memoryPolicy": Unsupported(empty_is_nothing=False),
        "sysctl": Map(String()),
        "seccomp": Unsupported(),
        "rootfsPropagation": String(choices=(*PROPAGATION, *(f"r{name}" for name in PROPAGATION))),
        "maskedPaths": Array(PATH),
        "readonlyPaths": Array(PATH),
        "mountLabel": Unsupported(),
        "personality": Unsupported(empty_is_nothing=False),
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
        # Sections for other platforms and for virtual machines: whoever fills them in expects what we are not.
        "freebsd": Unsupported(),
        "solaris": Unsupported(),
        "vm": Unsupported(),
        "windows": Unsupported(),
        "zos": Unsupported(),
    },
    required=("ociVersion", "root"),
)
