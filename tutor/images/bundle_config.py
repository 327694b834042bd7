"""Convert an image's config to a runtime's `config.json` (image-spec conversion.md).

There are two forms. `full` (the default) has everything that conversion.md asks for, and new namespaces, so that every runtime
runs it and the host is not changed. `minimal` is the output of `oci-image-tool create`, with which the lessons begin:
`"linux": {}`, no namespaces, mounts or annotations. It is for reading and extending: a runtime that runs it mounts into the
host.
"""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING, Any, Literal

from tutor.images.errors import ImageError
from tutor.lazy_dataclass import dataclass
from tutor.paths import SYSTEM_PATH

if TYPE_CHECKING:
    from tutor.images.rootfs import Rootfs

ConfigStyle = Literal["full", "minimal"]

_OF = "config."  # where the properties for the process are
_LAST_ID = (
    1 << 31
) - 1  # of a user or a group: what Docker, containerd and umoci take; the kernel takes twice as many
_ANNOTATION = "org.opencontainers.image."
# What features of runc 1.3.6, crun 1.28 and runt call potentiallyUnsafeConfigAnnotations (runtime-spec features.md): those change
# what a runtime does, on the host too, and an image has no say in that. A dot ends a prefix.
_UNSAFE = (
    *("bundle", "org.systemd.property.", "org.criu.", "run.oci.", "krun."),
    *("module.wasm.image/variant", "io.kubernetes.cri.container-type"),
)
# Docker's default capabilities: enough for su, chown, ping and package managers, not enough to leave the container.
_CAPABILITIES = [
    *(
        "CAP_AUDIT_WRITE",
        "CAP_CHOWN",
        "CAP_DAC_OVERRIDE",
        "CAP_FOWNER",
        "CAP_FSETID",
        "CAP_KILL",
        "CAP_MKNOD",
    ),
    *(
        "CAP_NET_BIND_SERVICE",
        "CAP_NET_RAW",
        "CAP_SETFCAP",
        "CAP_SETGID",
        "CAP_SETPCAP",
        "CAP_SETUID",
        "CAP_SYS_CHROOT",
    ),
]
_MASKED = [
    "/proc/acpi",
    "/proc/kcore",
    "/proc/keys",
    "/proc/latency_stats",
    "/proc/sched_debug",
    "/proc/scsi",
    "/proc/timer_list",
]
_READ_ONLY = ["/proc/asound", "/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"]


@dataclass(frozen=True, slots=True)
class _User:
    uid: int
    gid: int
    additional: list[int]


def runtime_config(image: dict[str, Any], rootfs: Rootfs, style: ConfigStyle) -> dict[str, Any]:
    """Return the content of `config.json` for an image's config; users and groups are looked up in `rootfs`.

    For a caller other than root, the full form has a user namespace in which the caller is root (as `runc spec --rootless`).

    Raises:
        ImageError: `user`: the image's user or group is a name that the root filesystem does not have; `id_range`,
            `environment`, `relative_path` or `image_config`: a property is not what a runtime can use.
    """
    execution = _typed(image, "config", dict) or {}
    user = _resolve_user(_typed(execution, "User", str, _OF) or "", rootfs)
    env = _environment(execution)
    if not any(entry.startswith("PATH=") for entry in env):
        env = [*env, f"PATH={SYSTEM_PATH}"]
    minimal = style == "minimal"
    process_user: dict[str, Any] = {"uid": user.uid, "gid": user.gid}
    if user.additional:
        process_user["additionalGids"] = user.additional
    process: dict[str, Any] = {
        "terminal": True,
        "user": process_user,
        "args": [*_strings(execution, "Entrypoint", _OF), *_strings(execution, "Cmd", _OF)] or ["sh"],
        "env": env,
        "cwd": _absolute(_typed(execution, "WorkingDir", str, _OF) or "/", "WorkingDir"),
    }
    if minimal:
        return {"ociVersion": "1.0.0", "process": process, "root": {"path": "rootfs"}, "linux": {}}
    if not any(entry.startswith("TERM=") for entry in env):
        process["env"] = [*env, "TERM=xterm"]
    # Only root gets capabilities; an ambient set would give them to other users, too.
    process["capabilities"] = {
        "bounding": _CAPABILITIES,
        "effective": _CAPABILITIES if user.uid == 0 else [],
        "permitted": _CAPABILITIES if user.uid == 0 else [],
    }
    process["noNewPrivileges"] = True
    rootless = os.geteuid() != 0
    volumes = [_absolute(path, "Volumes") for path in sorted(_typed(execution, "Volumes", dict, _OF) or {})]
    return {
        "ociVersion": "1.0.2",
        "process": process,
        "root": {"path": "rootfs"},
        "hostname": "mini",
        "mounts": _mounts(volumes, rootless=rootless),
        "annotations": _annotations(image, execution),
        "linux": _linux(rootless=rootless),
    }


def _mounts(volumes: list[str], *, rootless: bool) -> list[dict[str, Any]]:
    # A user namespace with one group has no gid 5; and without a network namespace, sysfs can only be bind-mounted.
    pts = ["nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620", *([] if rootless else ["gid=5"])]
    sys = ("none", "/sys", ["rbind"]) if rootless else ("sysfs", "sysfs", [])
    harmless = ["nosuid", "noexec", "nodev"]
    table = [
        ("/proc", "proc", "proc", []),
        ("/dev", "tmpfs", "tmpfs", ["nosuid", "strictatime", "mode=755", "size=65536k"]),
        ("/dev/pts", "devpts", "devpts", pts),
        ("/dev/shm", "tmpfs", "shm", [*harmless, "mode=1777", "size=65536k"]),  # noqa: S108  (a mount point)
        ("/dev/mqueue", "mqueue", "mqueue", harmless),
        ("/sys", sys[0], sys[1], [*sys[2], *harmless, "ro"]),
        # conversion.md, "Optional Fields": so that writes there do not reach the root filesystem.
        *((volume, "tmpfs", "tmpfs", ["nosuid", "nodev"]) for volume in volumes),
    ]
    return [
        {
            "destination": destination,
            "type": kind,
            "source": source,
            **({"options": options} if options else {}),
        }
        for destination, kind, source, options in table
    ]


def _linux(*, rootless: bool) -> dict[str, Any]:
    # Without root, a network namespace needs privileges that a user namespace does not give on every machine.
    kinds = ["pid", "ipc", "uts", "mount", "user" if rootless else "network"]
    mappings: dict[str, Any] = {}
    if rootless:
        mappings["uidMappings"] = [{"containerID": 0, "hostID": os.geteuid(), "size": 1}]
        mappings["gidMappings"] = [{"containerID": 0, "hostID": os.getegid(), "size": 1}]
    namespaces = [{"type": kind} for kind in kinds]
    return {
        "namespaces": namespaces,
        **mappings,
        "maskedPaths": [*_MASKED, "/sys/firmware"],
        "readonlyPaths": _READ_ONLY,
    }


def _annotations(image: dict[str, Any], execution: dict[str, Any]) -> dict[str, str]:
    """Return the annotations of conversion.md; a label of the same name takes precedence."""
    annotations = {
        _ANNOTATION + key: value
        for key in ("os", "architecture", "variant", "os.version", "author", "created")
        if (value := _typed(image, key, str))
    }
    if features := _strings(image, "os.features"):
        annotations[_ANNOTATION + "os.features"] = ",".join(features)
    if signal := _typed(execution, "StopSignal", str, _OF):
        annotations[_ANNOTATION + "stopSignal"] = signal
    if ports := _typed(execution, "ExposedPorts", dict, _OF):
        annotations[_ANNOTATION + "exposedPorts"] = ",".join(sorted(ports))
    labels = _typed(execution, "Labels", dict, _OF) or {}
    taken = {key: value for key, value in labels.items() if isinstance(value, str) and not _is_unsafe(key)}
    return {**annotations, **taken}


def unsafe_labels(image: dict[str, Any]) -> list[str]:
    """Return the names of the labels that become no annotations, because they would change what a runtime does."""
    execution = _typed(image, "config", dict) or {}
    return sorted(filter(_is_unsafe, _typed(execution, "Labels", dict, _OF) or {}))


def _is_unsafe(name: str) -> bool:
    return any(name.startswith(each) if each.endswith(".") else name == each for each in _UNSAFE)


def _resolve_user(text: str, rootfs: Rootfs) -> _User:
    """Return the user of `Config.User`: `user`, `uid`, `user:group`, `uid:gid`, `uid:group` or `user:gid`."""
    user, colon, group = text.partition(":")
    if not user:
        if colon:
            raise ImageError("images.error.user", user=text, file="/etc/passwd")
        return _User(0, 0, [])
    accounts = _accounts(rootfs, "etc/passwd", fields=7)
    uid, gid = _in_range(user), 0
    # A number is a uid even if it is also the name of an account; the gid is that of the account, if there is one.
    wanted, column = (user, 0) if uid is None else (str(uid), 2)
    account = next((fields for fields in accounts if fields[column] == wanted), None)
    if account is not None:
        uid, gid = int(account[2]), int(account[3])
    if uid is None:
        raise ImageError("images.error.user", user=text, file="/etc/passwd")
    groups = _accounts(rootfs, "etc/group", fields=4)
    if colon:
        numbers = [int(fields[2]) for fields in groups if fields[0] == group]
        given = _in_range(group)
        if given is None and not numbers:
            raise ImageError("images.error.user", user=text, file="/etc/group")
        return _User(uid, numbers[0] if given is None else given, [])
    if column == 2:
        return _User(uid, gid, [])
    return _User(
        uid, gid, sorted({int(fields[2]) for fields in groups if user in fields[3].split(",")} - {gid})
    )


def _accounts(rootfs: Rootfs, path: str, *, fields: int) -> list[list[str]]:
    """Return the valid lines of passwd(5) or group(5): all fields, and ids that are numbers."""
    lines = [line.split(":") for line in (rootfs.read(path) or "").splitlines()]
    numbers = (2, 3) if fields == 7 else (2,)
    return [
        line for line in lines if len(line) >= fields and all(_number(line[n]) is not None for n in numbers)
    ]


def _number(text: str) -> int | None:
    """Parse a user or group id; return None if it is not one."""
    if len(text) > 10 or not (text.isascii() and text.isdecimal()) or int(text) > _LAST_ID:
        return None
    return int(text)


def _in_range(text: str) -> int | None:
    """Parse an id of `Config.User`; return None if it is a name.

    Raises:
        ImageError: `id_range`: it is a number, but not that of a user.
    """
    number = _number(text)
    if number is None and re.fullmatch(r"[+-]?[0-9]+", text):
        raise ImageError("images.error.id_range", property="config.User", value=text[:60], last=_LAST_ID)
    return number


def _environment(execution: dict[str, Any]) -> list[str]:
    """Return `Env`: a runtime refuses an entry that is not `NAME=VALUE` (config.md, "Env")."""
    env = _strings(execution, "Env", _OF)
    for number, entry in enumerate(env):
        if not entry.partition("=")[0] or "=" not in entry:
            raise ImageError(
                "images.error.environment", property=f"config.Env[{number}]", value=repr(entry)[:60]
            )
    return env


def _absolute(path: str, key: str) -> str:
    if not path.startswith("/"):
        raise ImageError("images.error.relative_path", property=f"config.{key}", value=repr(path)[:60])
    if "\0" in path:
        raise ImageError("images.error.image_config", property=f"config.{key}", value=repr(path)[:60])
    return path


def _typed(owner: dict[str, Any], key: str, kind: type[Any], place: str = "") -> Any:
    """Return a property; None if it is absent or null, which config.md treats alike. `place` is where `owner` is."""
    value = owner.get(key)
    if value is not None and not isinstance(value, kind):
        raise ImageError("images.error.image_config", property=place + key, value=repr(value)[:60])
    return value


def _strings(owner: dict[str, Any], key: str, place: str = "") -> list[str]:
    """Return a property that is an array of strings; no program can be given a NUL in one."""
    value = _typed(owner, key, list, place) or []
    for number, item in enumerate(value):
        if not isinstance(item, str) or "\0" in item:
            raise ImageError(
                "images.error.image_config", property=f"{place}{key}[{number}]", value=repr(item)[:60]
            )
    return list(value)
