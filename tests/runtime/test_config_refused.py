"""What `config.load` refuses: each member by its name, with what was expected and found."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from tests.support.config_files import MINIMAL, changed, load_text, refusal

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    ("place", "value", "message"),
    [
        ("ociVersion", "1.0", "ociVersion: expected a version"),
        ("ociVersion", "2.0.0", "ociVersion: expected version 1.x"),
        ("ociVersion", 1, "ociVersion: expected a string, found 1"),
        ("root", None, "root is required"),
        ("root.path", "", "root.path must not be empty"),
        ("root.readonly", "yes", 'root.readonly: expected true or false, found "yes"'),
        ("process.args", [], "process.args must not be empty"),
        ("process.args", "sh", 'process.args: expected an array, found "sh"'),
        ("process.args", ["a\0b"], "process.args[0]: expected a string without NUL"),
        ("process.args", ["\ud800"], "process.args[0]: expected Unicode text"),
        ("process.cwd", "tmp", 'process.cwd: expected an absolute path, found "tmp"'),
        ("process.env", ["PATH"], 'process.env[0]: expected NAME=VALUE, found "PATH"'),
        ("process.env", ["=x"], 'process.env[0]: expected NAME=VALUE, found "=x"'),
        ("process.terminal", 1, "process.terminal: expected true or false, found 1"),
        ("process.consoleSize", {"height": 24}, "process.consoleSize.width is required"),
        ("process.user.uid", -1, "process.user.uid: expected a whole number from 0 to 4294967294, found -1"),
        ("process.user.uid", 1.0, "process.user.uid: expected a whole number"),
        (
            "process.user.uid",
            True,
            "process.user.uid: expected a whole number from 0 to 4294967294, found true",
        ),
        ("process.user.umask", 0o1000, "process.user.umask: expected a whole number from 0 to 511"),
        ("process.user.additionalGids", [2**32], "process.user.additionalGids[0]: expected a whole number"),
        (
            "process.rlimits",
            [{"type": "RLIMIT_FOO", "soft": 1, "hard": 1}],
            "process.rlimits[0].type: expected one of",
        ),
        (
            "process.rlimits",
            [{"type": "RLIMIT_CPU", "soft": 2, "hard": 1}],
            "process.rlimits[0]: the soft limit 2 is above",
        ),
        (
            "process.rlimits",
            [{"type": "RLIMIT_CPU", "soft": 1, "hard": 1}] * 2,
            "process.rlimits[1]: RLIMIT_CPU is there twice",
        ),
        (
            "process.rlimits",
            [{"type": "RLIMIT_CPU", "soft": 2**64, "hard": 1}],
            "process.rlimits[0].soft: expected a whole",
        ),
        ("process.capabilities.bounding", "CAP_KILL", "process.capabilities.bounding: expected an array"),
        ("process.oomScoreAdj", 1001, "process.oomScoreAdj: expected a whole number from -1000 to 1000"),
        ("hostname", "x", "hostname: unable to set hostname without a private UTS namespace"),
        ("domainname", "x", "domainname: unable to set domainname without a private UTS namespace"),
        ("mounts", [{"source": "x"}], "mounts[0].destination is required"),
        (
            "mounts",
            [{"destination": "/x", "options": ["bind"]}],
            "mounts[0].source is required for a bind mount",
        ),
        ("hooks.prestart", [{"args": ["x"]}], "hooks.prestart[0].path is required"),
        ("hooks.poststop", [{"path": "x"}], 'hooks.poststop[0].path: expected an absolute path, found "x"'),
        (
            "hooks.poststop",
            [{"path": "/x", "timeout": 0}],
            "hooks.poststop[0].timeout: expected a whole number from 1",
        ),
        ("hooks.poststop", [{"path": "/x", "env": ["x"]}], "hooks.poststop[0].env[0]: expected NAME=VALUE"),
        ("annotations", {"": "x"}, "annotations.: expected a name"),
        ("annotations", {"a": 1}, "annotations.a: expected a string, found 1"),
        ("linux.namespaces", [{"type": "net"}], "linux.namespaces[0].type: expected one of pid, network"),
        (
            "linux.namespaces",
            [{"type": "pid"}] * 2,
            "linux.namespaces[1]: malformed spec file: duplicated ns",
        ),
        (
            "linux.namespaces",
            [{"type": "pid", "path": "x"}],
            "linux.namespaces[0].path: expected an absolute path",
        ),
        (
            "linux.namespaces",
            [{"type": "user"}],
            "linux.uidMappings: User namespaces enabled, but no mappings found",
        ),
        (
            "linux.uidMappings",
            [{"containerID": 0, "hostID": 0, "size": 1}],
            "linux.uidMappings: User namespace mappings specified, but USER namespace isn't enabled",
        ),
        (
            "linux.gidMappings",
            [{"containerID": 0, "hostID": 0, "size": 0}],
            "linux.gidMappings[0].size: expected",
        ),
        (
            "linux.timeOffsets",
            {"monotonic": {"secs": 1}},
            "linux.timeOffsets: time offsets need a new time namespace",
        ),
        (
            "linux.timeOffsets",
            {"realtime": {"secs": 1}},
            "linux.timeOffsets.realtime: expected one of monotonic",
        ),
        ("linux.maskedPaths", ["/proc/x"], "linux.maskedPaths: unable to restrict sys entries"),
        ("linux.readonlyPaths", ["/proc/x"], "linux.readonlyPaths: unable to restrict sys entries"),
        ("linux.readonlyPaths", ["proc"], "linux.readonlyPaths[0]: expected an absolute path"),
        ("linux.rootfsPropagation", "both", "linux.rootfsPropagation: expected one of shared"),
        (
            "linux.devices",
            [{"type": "c", "path": "/dev/x", "major": 1}],
            "linux.devices[0].minor is required for a device",
        ),
        (
            "linux.devices",
            [{"type": "c", "path": "/x", "major": -1, "minor": 0}],
            "linux.devices[0].major: expected a number",
        ),
        ("linux.devices", [{"type": "x", "path": "/x"}], "linux.devices[0].type: expected one of c, b, u, p"),
        (
            "linux.sysctl",
            {"kernel.msgmax": "1"},
            'linux.sysctl.kernel.msgmax: sysctl "kernel.msgmax" is not allowed in the hosts',
        ),
        (
            "linux.sysctl",
            {"net.ipv4.x": "1"},
            'linux.sysctl.net.ipv4.x: sysctl "net.ipv4.x" not allowed in host network',
        ),
        ("linux.sysctl", {"vm.swappiness": "1"}, "linux.sysctl.vm.swappiness: sysctl"),
        (
            "linux.sysctl",
            {"user.max_uts_namespaces": "1"},
            "linux.sysctl.user.max_uts_namespaces: setting ucounts",
        ),
        ("linux.sysctl", {"net/../../x": "1"}, "linux.sysctl.net/../../x: expected a name"),
        ("linux.sysctl", {"net.ipv4.x": 1}, "linux.sysctl.net.ipv4.x: expected a string, found 1"),
    ],
)
def test_a_wrong_value_is_refused_by_name(tmp_path: Path, place: str, value: object, message: str) -> None:
    refused = refusal(tmp_path, changed(place, value))
    assert refused.startswith("config.json:1:")
    assert refused.split(": ", 1)[1].startswith(message)
    assert refused.endswith(")")
    assert "(config" in refused


@pytest.mark.parametrize(
    ("place", "value"),
    [
        ("linux.intelRdt", {}),
        ("windows", {"layerFolders": ["x"]}),
        ("vm", {"kernel": {"path": "/x"}}),
        ("solaris", {"milestone": "x"}),
        ("zos", {"namespaces": [{"type": "pid"}]}),
        ("freebsd", {"jail": {"parent": "x"}}),
    ],
)
def test_what_is_not_supported_yet_is_refused_by_name_and_not_ignored(
    tmp_path: Path, place: str, value: object
) -> None:
    refused = refusal(tmp_path, changed(place, value))
    assert "is not supported by this version of runt" in refused
    assert place in refused


def test_namespaces_make_hostname_sysctl_and_masked_paths_possible(tmp_path: Path) -> None:
    config = MINIMAL | {
        "hostname": "h",
        "domainname": "d",
        "linux": {
            "namespaces": [
                {"type": kind} for kind in ("pid", "network", "mount", "ipc", "uts", "cgroup", "time", "user")
            ],
            "uidMappings": [{"containerID": 0, "hostID": 1000, "size": 10}],
            "gidMappings": [{"containerID": 0, "hostID": 1000, "size": 10}],
            "timeOffsets": {"boottime": {"secs": -5, "nanosecs": 1}},
            # One that says the same as `domainname`, too.
            "sysctl": {
                "net.ipv4.ip_forward": "1", "kernel.shmmax": "1", "fs.mqueue.msg_max": "5", "kernel.domainname": "d"
            },
            "maskedPaths": ["/proc/kcore"],
        },
    }  # fmt: skip
    assert load_text(tmp_path, json.dumps(config))["linux"] == config["linux"]
    config["domainname"] = "another"
    assert 'linux.sysctl.kernel.domainname: sysctl "kernel.domainname"' in refusal(
        tmp_path, json.dumps(config)
    )


def test_a_joined_namespace_that_is_the_hosts_own_gives_no_right_to_its_sysctls(tmp_path: Path) -> None:
    config = MINIMAL | {
        "linux": {
            "namespaces": [{"type": "network", "path": "/proc/self/ns/net"}],
            "sysctl": {"net.ipv4.ip_forward": "1"},
        }
    }
    assert "not allowed in host network namespace" in refusal(tmp_path, json.dumps(config))
