"""The rules between members of `config.json`, beyond the shape of each.

Each rule is a function that raises Mismatch. They are the rules of the specification and those of runc
(libcontainer/configs/validate). The messages are runc's where it has one.
"""

from __future__ import annotations

import os

from runtime.config.machine_rules import MACHINE_RULES, check_labels
from runtime.config.members import HOOKS
from runtime.config.mount_options import CGROUP_OPTIONS, NAMES, MountOptions
from runtime.config.namespaces import find_namespace, is_private
from runtime.config.resources import check_resources
from runtime.config.scheduling_rules import SCHEDULING_RULES, check_affinity, check_scheduler
from runtime.config.seccomp import check_seccomp
from runtime.config.shape import Mismatch, found

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from runtime.config.document import Place
    from runtime.config.types import Config, Mount, ProcessConfig

_IPC_SYSCTLS = frozenset(
    f"kernel.{name}"
    for name in [
        "msgmax",
        "msgmnb",
        "msgmni",
        "sem",
        "shmall",
        "shmmax",
        "shmmni",
        "shm_rmid_forced",
        "auto_msgmni",
        "msg_next_id",
        "sem_next_id",
        "shm_next_id",
    ]
)
_HOST_NAME_MAX = 64


def check_version(config: Config) -> None:
    """`ociVersion` is a semantic version, and one whose configurations runt understands: 1.x (config.md)."""
    version = config["ociVersion"]
    major = _major_version(version)
    if major is None:
        raise Mismatch(("ociVersion",), f": expected a version such as 1.3.0, found {found(version)}")
    if major != "1":
        raise Mismatch(
            ("ociVersion",), f": expected version 1.x of the specification, found {found(version)}"
        )


def _major_version(version: str) -> str | None:
    """Return the first number of a semantic version (semver.org), None for another text."""
    numbered, plus, build = version.partition("+")
    core, dash, pre_release = numbered.partition("-")
    numbers = core.split(".")
    labels = (pre_release.split(".") if dash else []) + ([build.replace(".", "")] if plus else [])
    if len(numbers) != 3 or not version.isascii():
        return None
    if not all(number.isdigit() and (number == "0" or number[0] != "0") for number in numbers):
        return None
    return numbers[0] if all(label.replace("-", "0").isalnum() for label in labels) else None


def check_process(config: Config) -> None:
    """`process` (config.md, Process)."""
    check_process_itself(config["process"], ("process",))


def check_process_itself(process: ProcessConfig, place: Place) -> None:
    """Check a `process` at `place`, which may be a whole file."""
    for rule in (_check_program, check_scheduler, check_affinity, check_labels):
        rule(process, place)


def _check_program(process: ProcessConfig, place: Place) -> None:
    """`process`: a valid environment and limits."""
    _check_environment(process.get("env", ()), (*place, "env"))
    if process.get("terminal") and "consoleSize" in process:
        for side, size in sorted(process["consoleSize"].items()):
            if not isinstance(size, int) or size > 0xFFFF:
                raise Mismatch((*place, "consoleSize", side), f": expected at most 65535, found {size}")
    seen = set()
    for index, limit in enumerate(process.get("rlimits", ())):
        limit_place = (*place, "rlimits", index)
        if limit["type"] in seen:
            raise Mismatch(limit_place, f": {limit['type']} is there twice")
        if limit["soft"] > limit["hard"]:
            raise Mismatch(
                limit_place, f": the soft limit {limit['soft']} is above the hard limit {limit['hard']}"
            )
        seen.add(limit["type"])


def check_hooks(config: Config) -> None:
    """`hooks`: a valid environment for each (config.md, POSIX-platform Hooks)."""
    hooks = config.get("hooks", {})
    for kind in HOOKS:
        for index, hook in enumerate(hooks.get(kind, ())):
            _check_environment(hook.get("env", ()), ("hooks", kind, index, "env"))


def check_mounts(config: Config) -> None:
    """`mounts`: unsupported ones are refused, and a bind mount has a source (config.md, Mounts)."""
    for index, mount in enumerate(config.get("mounts", ())):
        options = mount.get("options", ())
        if "remount" in options:
            continue
        if os.path.normpath(f"/{mount['destination']}").strip("/") == "":
            raise Mismatch(
                ("mounts", index, "destination"),
                ": the root itself can't be mounted on: root.path says what it is",
            )
        is_bind = "bind" in options or "rbind" in options
        if is_bind and "source" not in mount:
            raise Mismatch(("mounts", index, "source"), " is required for a bind mount, but missing")
        if not is_bind and mount.get("type", "none") in ("none", "bind"):
            raise Mismatch(
                ("mounts", index),
                f": expected a filesystem's type, or bind or rbind among the options: {_describe_type(mount)}",
            )


def check_mount_options(config: Config) -> None:
    """`mounts`: no option that would be lost (config.md, Mounts; mount(2): a bind mount takes no `data`).

    A bind mount has no options of a filesystem, and neither has what type `cgroup` shows, which is mounted already.
    """
    for index, mount in enumerate(config.get("mounts", ())):
        options = mount.get("options", ())
        taken: tuple[str, ...] = ()
        if "bind" in options or "rbind" in options:
            what = "a bind mount"
        elif mount.get("type") == "cgroup":
            what, taken = "a mount of type cgroup", CGROUP_OPTIONS
        else:
            continue
        if not MountOptions(options).data:
            continue
        for number, option in enumerate(options):
            if any(part.partition("=")[0] not in taken for part in MountOptions([option]).data):
                raise Mismatch(
                    ("mounts", index, "options", number),
                    f": {what} has no option {found(option)}{_meant(option)}",
                )


def _meant(option: str) -> str:
    """Return the option that was likely meant, as the end of a sentence."""
    from difflib import get_close_matches

    word = option.lower().replace("-", "").replace("_", "")
    near = {"readonly": "ro", "readwrite": "rw", "writable": "rw", "recursive": "rbind"}.get(word)
    if near is None and "," not in word:
        near = next(iter(get_close_matches(option.lower(), NAMES, 1, 0.7)), None)
    return f': did you mean "{near}"?' if near else ""


def check_id_mapped_mounts(config: Config) -> None:
    """`idmap`: mappings, and a mount that can be mapped (config.md, Mounts)."""
    for index, mount in enumerate(config.get("mounts", ())):
        options = mount.get("options", ())
        mappings = [member for member in ("uidMappings", "gidMappings") if mount.get(member)]
        if not mappings and not {"idmap", "ridmap"} & set(options):
            continue
        if len(mappings) == 1:
            raise Mismatch(
                ("mounts", index, mappings[0]), " needs the other one of uidMappings and gidMappings"
            )
        if not mappings and find_namespace(config, "user") is None:
            raise Mismatch(
                ("mounts", index, "options"),
                ": idmap without mappings, and no user namespace to take them from",
            )
        if os.geteuid() != 0:
            raise Mismatch(
                ("mounts", index, "options"),
                ": id-mapped mounts are not supported for rootless containers: the kernel lets only root map them",
            )


def check_namespaces(config: Config) -> None:
    """`linux.namespaces`: each type once (config-linux.md, Namespaces)."""
    seen = set()
    for index, namespace in enumerate(config["linux"].get("namespaces", ())):
        if namespace["type"] in seen:
            raise Mismatch(
                ("linux", "namespaces", index),
                f": malformed spec file: duplicated ns: a second namespace of type {namespace['type']}",
            )
        seen.add(namespace["type"])


def check_user_namespace(config: Config) -> None:
    """ID mappings and a new user namespace need each other (config-linux.md, User namespace mappings)."""
    linux = config["linux"]
    user = find_namespace(config, "user")
    if user is None:
        if linux.get("uidMappings") or linux.get("gidMappings"):
            member = "uidMappings" if linux.get("uidMappings") else "gidMappings"
            raise Mismatch(
                ("linux", member),
                ": User namespace mappings specified, but USER namespace isn't enabled in the config",
            )
        return
    mappings = (("uidMappings", linux.get("uidMappings")), ("gidMappings", linux.get("gidMappings")))
    for member, mapping in mappings:
        if "path" in user and mapping:
            raise Mismatch(("linux", member), ": the user namespace that is joined has mappings already")
        if "path" not in user and not mapping:
            raise Mismatch(
                ("linux", member), ": User namespaces enabled, but no mappings found: no id would be usable"
            )


def check_time_namespace(config: Config) -> None:
    """`linux.timeOffsets` can only be given to a time namespace that is new (time_namespaces(7))."""
    if config["linux"].get("timeOffsets"):
        namespace = find_namespace(config, "time")
        if namespace is None or "path" in namespace:
            raise Mismatch(("linux", "timeOffsets"), ": time offsets need a new time namespace")


def check_uts_namespace(config: Config) -> None:
    """`hostname` and `domainname` need a private UTS namespace: otherwise they would rename the host (config.md, Hostname)."""
    if "hostname" in config and find_namespace(config, "uts") is None:
        raise Mismatch(("hostname",), ": unable to set hostname without a private UTS namespace")
    if "domainname" in config and find_namespace(config, "uts") is None:
        raise Mismatch(("domainname",), ": unable to set domainname without a private UTS namespace")
    for member, name in (
        ("hostname", config.get("hostname", "")),
        ("domainname", config.get("domainname", "")),
    ):
        if len(name.encode()) > _HOST_NAME_MAX:
            raise Mismatch(
                (member,), f": expected at most {_HOST_NAME_MAX} bytes, found {len(name.encode())}"
            )


def check_mount_namespace(config: Config) -> None:
    """Masked and read-only paths need a private mount namespace: otherwise they would hide the host's own.

    config-linux.md, Masked Paths.
    """
    linux = config["linux"]
    if find_namespace(config, "mount") is not None:
        return
    if linux.get("maskedPaths"):
        raise Mismatch(
            ("linux", "maskedPaths"), ": unable to restrict sys entries without a private MNT namespace"
        )
    if linux.get("readonlyPaths"):
        raise Mismatch(
            ("linux", "readonlyPaths"), ": unable to restrict sys entries without a private MNT namespace"
        )


def check_devices(config: Config) -> None:
    """`linux.devices`: device numbers unless it is a fifo (config-linux.md, Devices)."""
    for index, device in enumerate(config["linux"].get("devices", ())):
        if device["type"] == "p":
            continue
        # 12 and 20 bits: MAJOR and MINOR of Linux's dev_t.
        for member, number, bits in (("major", device.get("major"), 12), ("minor", device.get("minor"), 20)):
            place = ("linux", "devices", index, member)
            if number is None:
                raise Mismatch(place, f" is required for a device of type {device['type']}, but missing")
            if not 0 <= number < 1 << bits:
                raise Mismatch(place, f": expected a number from 0 to {(1 << bits) - 1}, found {number}")


def check_sysctl(config: Config) -> None:
    """`linux.sysctl`: only parameters of a namespace that is not the host's (config-linux.md, Sysctl)."""
    for name, value in config["linux"].get("sysctl", {}).items():
        place = ("linux", "sysctl", name)
        parts = _sysctl_parts(name)
        if not {"", ".", ".."}.isdisjoint(parts):
            raise Mismatch(place, ": expected a name such as net.ipv4.ip_forward")
        dotted = ".".join(parts)
        if dotted in _IPC_SYSCTLS or dotted.startswith("fs.mqueue."):
            if not is_private(config, "ipc"):
                raise Mismatch(place, f': sysctl "{name}" is not allowed in the hosts ipc namespace')
        elif dotted.startswith("net."):
            if not is_private(config, "network"):
                raise Mismatch(place, f': sysctl "{name}" not allowed in host network namespace')
        elif dotted in ("kernel.hostname", "kernel.domainname") and is_private(config, "uts"):
            member = dotted.removeprefix("kernel.")
            # The same domain name said twice is no conflict: runc takes it.
            if member == "hostname" or config.get("domainname", value) != value:
                raise Mismatch(
                    place, f': sysctl "{name}" is not allowed as it conflicts with the OCI "{member}" field'
                )
        elif dotted.startswith("user."):
            # Limits on namespaces: a container must not change the host's.
            if not is_private(config, "user"):
                raise Mismatch(place, f": setting ucounts without a user namespace not allowed: {name}")
        else:
            raise Mismatch(place, f': sysctl "{name}" is not in a separate kernel namespace')


RULES = (
    check_version,
    check_process,
    check_hooks,
    check_mounts,
    check_mount_options,
    check_id_mapped_mounts,
    check_namespaces,
    check_user_namespace,
    check_time_namespace,
    check_uts_namespace,
    check_mount_namespace,
    check_devices,
    check_sysctl,
    *SCHEDULING_RULES,
    check_resources,
    *MACHINE_RULES,
    check_seccomp,
)


def _sysctl_parts(name: str) -> list[str]:
    """Split a name at its separators; as in sysctl(8), if the first one is a slash, dots are part of the names."""
    if "/" in name.split(".", 1)[0]:
        return name.split("/")
    return name.translate(str.maketrans("./", "/.")).split("/")


def _describe_type(mount: Mount) -> str:
    return f'the type "{mount["type"]}" alone makes no bind mount' if "type" in mount else "found neither"


def _check_environment(variables: Sequence[str], place: Place) -> None:
    for index, variable in enumerate(variables):
        if variable.find("=") < 1:
            raise Mismatch((*place, index), f": expected NAME=VALUE, found {found(variable)}")
