"""`features` compared with config.json: each listed feature is accepted, and each other one refused."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from typing import TYPE_CHECKING, Any

import pytest

from runtime import __version__
from runtime.config.load import load
from runtime.config.mount_options import MountOptions
from runtime.operations.features import features
from runtime.support.errors import RuntError
from tests.support.config_files import MINIMAL, changed
from tests.support.runt import REPOSITORY
from tutor.images.bundle_config import unsafe_labels

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.runt import Bundle, Runt

FEATURES = features()
LINUX = FEATURES["linux"]
NOT_SUPPORTED = "is not supported by this version of runt"

OF_THE_SPECIFICATION = [
    "async",
    "atime",
    "bind",
    "defaults",
    "dev",
    "diratime",
    "dirsync",
    "exec",
    "iversion",
    "lazytime",
    "loud",
    "mand",
    "noatime",
    "nodev",
    "nodiratime",
    "noexec",
    "noiversion",
    "nolazytime",
    "nomand",
    "norelatime",
    "nostrictatime",
    "nosuid",
    "nosymfollow",
    "private",
    "ratime",
    "rbind",
    "rdev",
    "rdiratime",
    "relatime",
    "remount",
    "rexec",
    "rnoatime",
    "rnodiratime",
    "rnoexec",
    "rnorelatime",
    "rnostrictatime",
    "rnosuid",
    "rnosymfollow",
    "ro",
    "rprivate",
    "rrelatime",
    "rro",
    "rrw",
    "rshared",
    "rslave",
    "rstrictatime",
    "rsuid",
    "rsymfollow",
    "runbindable",
    "rw",
    "shared",
    "silent",
    "slave",
    "strictatime",
    "suid",
    "symfollow",
    "sync",
    "tmpcopyup",
    "unbindable",
    "idmap",
    "ridmap",
]
"""The table of config.md, Linux mount options."""

KEYS = {
    "ociVersionMin", "ociVersionMax", "hooks", "mountOptions", "linux", "annotations", "potentiallyUnsafeConfigAnnotations",
}  # fmt: skip
LINUX_KEYS = {
    "namespaces", "capabilities", "cgroup", "seccomp", "apparmor", "selinux", "memoryPolicy", "intelRdt",
    "mountExtensions", "netDevices",
}  # fmt: skip


def refused(directory: Path, config: str | dict[str, Any]) -> str:
    """Return the message that a configuration is refused with, an empty string if it is accepted."""
    path = directory / "config.json"
    path.write_text(config if isinstance(config, str) else json.dumps(config))
    try:
        load(str(path))
    except RuntError as error:
        return error.message
    return ""


def test_structure_has_every_member_of_the_specification_and_no_other() -> None:
    assert set(FEATURES) == KEYS
    assert set(LINUX) == LINUX_KEYS
    assert set(LINUX["cgroup"]) == {"v1", "v2", "systemd", "systemdUser", "rdma"}
    assert FEATURES["annotations"]["org.opencontainers.runt.version"] == __version__


@pytest.mark.parametrize("member", ["ociVersionMin", "ociVersionMax"])
def test_versions_are_taken(tmp_path: Path, member: str) -> None:
    assert refused(tmp_path, changed("ociVersion", FEATURES[member])) == ""


def test_hooks_are_taken(tmp_path: Path) -> None:
    hooks = {kind: [{"path": "/bin/true"}] for kind in FEATURES["hooks"]}
    assert refused(tmp_path, MINIMAL | {"hooks": hooks}) == ""
    assert set(load(str(tmp_path / "config.json"))["hooks"]) == set(FEATURES["hooks"])


def test_mount_options_are_those_of_the_specification_and_not_handed_on() -> None:
    assert set(OF_THE_SPECIFICATION) <= set(FEATURES["mountOptions"])
    for name in FEATURES["mountOptions"]:
        assert MountOptions([name]).data == []
    assert MountOptions(["acl", "size=1m"]).data == ["acl", "size=1m"]


@pytest.mark.root
@pytest.mark.peer("busybox")
def test_namespaces_are_made(bundle: Bundle, runt: Runt) -> None:
    mapping = [{"containerID": 0, "hostID": 0, "size": 1}]
    bundle.namespaces(*LINUX["namespaces"]).linux.update(uidMappings=mapping, gidMappings=mapping)
    files = {"network": "net", "mount": "mnt"}
    names = " ".join(files.get(kind, kind) for kind in LINUX["namespaces"])
    inside = runt.run(bundle.sh(f"cd /proc/self/ns; for n in {names}; do readlink $n; done")).split()
    assert len(set(inside)) == len(LINUX["namespaces"]) == 8
    outside = subprocess.check_output(["sh", "-c", "readlink /proc/self/ns/*"], text=True).split()
    assert not set(inside) & set(outside)


@pytest.mark.root
@pytest.mark.peer("busybox")
def test_capabilities_are_granted(bundle: Bundle, runt: Runt) -> None:
    names = LINUX["capabilities"]
    bundle.process["capabilities"] = dict.fromkeys(("bounding", "permitted", "effective"), names)
    said = runt.run(
        bundle.sh("grep -E 'CapEff' /proc/self/status; cat /proc/sys/kernel/cap_last_cap")
    ).split()
    with open("/proc/self/status", encoding="ascii") as file:  # noqa: PTH123 - a file of the kernel
        bounding = next(line.split()[1] for line in file if line.startswith("CapBnd"))
    assert said[1] == bounding
    assert len(names) == int(said[2]) + 1


@pytest.mark.parametrize("flag", ["", *LINUX["memoryPolicy"]["flags"]])
def test_memory_policies_are_taken(tmp_path: Path, flag: str) -> None:
    for mode in LINUX["memoryPolicy"]["modes"]:
        policy: dict[str, Any] = {"mode": mode, "flags": [flag] if flag else []}
        if mode not in ("MPOL_DEFAULT", "MPOL_LOCAL"):
            policy["nodes"] = "0"
        assert refused(tmp_path, changed("linux.memoryPolicy", policy)) == ""


def test_seccomp_is_taken_word_by_word(tmp_path: Path) -> None:
    claims = LINUX["seccomp"]
    if not claims["enabled"]:
        assert NOT_SUPPORTED in refused(
            tmp_path, changed("linux.seccomp", {"defaultAction": "SCMP_ACT_ALLOW"})
        )
        return
    for action in claims["actions"]:
        rule = {"names": ["getcwd"], "action": action}
        profile: dict[str, Any] = {"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [rule]}
        if action == "SCMP_ACT_NOTIFY":
            profile["listenerPath"] = "/run/listener"
        assert refused(tmp_path, changed("linux.seccomp", profile)) == ""
    for operator in claims["operators"]:
        rule = {
            "names": ["kill"],
            "action": "SCMP_ACT_ERRNO",
            "args": [{"index": 0, "value": 1, "op": operator}],
        }
        profile = {"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [rule]}
        assert refused(tmp_path, changed("linux.seccomp", profile)) == ""
    profile = {
        "defaultAction": "SCMP_ACT_ALLOW",
        "architectures": claims["archs"],
        "listenerPath": "/run/listener",
    }
    profile["flags"] = claims["supportedFlags"]
    # Some flags are for the listener.
    profile["syscalls"] = [{"names": ["getcwd"], "action": "SCMP_ACT_NOTIFY"}]
    assert refused(tmp_path, changed("linux.seccomp", profile)) == ""
    assert set(claims["supportedFlags"]) <= set(claims["knownFlags"])


@pytest.mark.parametrize(
    ("claim", "place", "value"),
    [
        (LINUX["apparmor"]["enabled"], "process.apparmorProfile", "unconfined"),
        (LINUX["selinux"]["enabled"], "process.selinuxLabel", "a:b:c:s0"),
        (LINUX["intelRdt"]["enabled"], "linux.intelRdt", {"closID": "x"}),
        (LINUX["netDevices"]["enabled"], "linux.netDevices", {"eth0": {}}),
        (LINUX["cgroup"]["rdma"], "linux.resources", {"rdma": {"mlx5_1": {"hcaHandles": 3}}}),
    ],
)
def test_what_is_enabled_is_not_refused_for_being_unknown_and_the_rest_is(
    tmp_path: Path, claim: bool, place: str, value: object
) -> None:
    """A machine may lack it: then the error says so, and does not mention this version of runt."""
    assert (NOT_SUPPORTED in refused(tmp_path, changed(place, value))) is not claim


@pytest.mark.root
@pytest.mark.peer("busybox")
def test_systemd_driver_is_refused_unless_it_is_claimed(bundle: Bundle, runt: Runt) -> None:
    bundle.save()
    said = runt("--systemd-cgroup", "run", "-b", str(bundle.path), "test").stderr
    assert (NOT_SUPPORTED in said) is not LINUX["cgroup"]["systemd"]


@pytest.mark.peer("runc")
def test_nothing_that_runc_claims_is_missing() -> None:
    of_runc = json.loads(subprocess.check_output(["runc", "features"]))
    assert set(of_runc["hooks"]) <= set(FEATURES["hooks"])
    # The specification has neither: they are options of some filesystems, and are passed on to them.
    assert set(of_runc["mountOptions"]) - {"acl", "noacl"} <= set(FEATURES["mountOptions"])
    for member in ("namespaces", "capabilities"):
        assert set(of_runc["linux"][member]) <= set(LINUX[member])


def test_every_annotation_that_changes_something_is_named_and_no_image_can_set_it() -> None:
    """`unpack` takes labels of images for annotations, but none that an engine here calls unsafe (features.md)."""
    code = "".join(path.read_text() for path in (REPOSITORY / "runtime").rglob("*.py"))
    unsafe = list(FEATURES["potentiallyUnsafeConfigAnnotations"])
    assert set(re.findall(r'\.get\("((?:org|run)\.[\w.]+)"', code)) == set(unsafe)
    for engine in filter(shutil.which, ("runc", "crun")):
        done = subprocess.run([engine, "features"], capture_output=True, text=True, check=False)
        unsafe += json.loads(done.stdout or "{}").get("potentiallyUnsafeConfigAnnotations", [])
    names = sorted({f"{name}x" if name.endswith(".") else name for name in unsafe})
    assert unsafe_labels({"config": {"Labels": dict.fromkeys(names, "")}}) == names
