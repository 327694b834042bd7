"""Configurations that are nearly right: real ones with a few members removed, exchanged, doubled or replaced by odd values."""

from __future__ import annotations

import copy
import json
import os
import re
import signal
from pathlib import Path
from typing import Any, NoReturn

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from runtime.cgroups.group import Group
from runtime.cgroups.limits import settings as limits
from runtime.config.load import load
from runtime.config.mount_options import MountOptions
from runtime.namespaces.sysctl import sysctl_path
from runtime.seccomp.compiler import compile_profile
from runtime.support.errors import RuntError

Place = tuple[Any, ...]
"""The names and indices that lead to a value."""

# fmt: off
ODD: list[Any] = [
    None, True, False, 0, 1, -1, 2**31, 2**32, 2**63, 2**64, -(2**63), 10**40, 0.5, 1e308, [], {}, [None], {"": 0},
    "", "\0", "/", ".", "..", "../..", "a\nb", "日本", "\udc80", "%s", "x" * 5000, [[]] * 20, "SCMP_ACT_LOG", "ro",
    "CAP_SYS_ADMIN", "SIGKILL", "RLIMIT_NOFILE", "a", "-1", "0-3", "max", "/proc/self/fd/3", "rbind", "idmap", "1:2",
    {"type": "user"}, {"type": "mount", "path": "/x"}, {"containerID": 0, "hostID": 0, "size": 1}, ["bind", "ro"],
]
"""Values that are wrong in most places and right in some."""

NAMES = [
    "process", "root", "linux", "hooks", "mounts", "hostname", "domainname", "annotations", "args", "cwd", "path",
    "user", "capabilities", "rlimits", "type", "options", "uidMappings", "gidMappings", "resources", "devices",
    "seccomp", "sysctl", "cgroupsPath", "timeOffsets", "intelRdt", "personality", "memory", "limit", "unified",
    "scheduler", "ioPriority", "netDevices", "memoryPolicy", "umask", "blockIO", "hugepageLimits", "x", "",
]
"""Names of members, known ones and others."""
# fmt: on

_SECONDS = 5  # of processor time that a configuration may take


def a_place(draw: st.DrawFn, config: Any) -> Place:
    """Return a random place in `config`, chosen from the top down: a long list of rules is not chosen more often than a string."""
    place: Place = ()
    while isinstance(config, (dict, list)) and config:
        names: list[Any] = list(config) if isinstance(config, dict) else list(range(len(config)))
        place = (*place, draw(st.sampled_from(names)))
        config = config[place[-1]]
        if draw(st.integers(0, 3)) == 0:
            break
    return place


def look_up(config: Any, place: Place) -> Any:
    """Return what is at `place`."""
    for name in place:
        config = config[name]
    return config


@st.composite
def nearly(draw: st.DrawFn, base: Any) -> Any:
    """Return `base` with up to four changes at places that exist in it."""
    config = json.loads(json.dumps(base))
    for _ in range(draw(st.integers(1, 4))):
        place = a_place(draw, config)
        if not place:
            break
        around = look_up(config, place[:-1])
        name = place[-1]
        change = draw(st.integers(0, 4))
        if change == 0:
            del around[name]
        elif change == 1:
            around[name] = copy.deepcopy(look_up(config, a_place(draw, config)))
        elif change == 2 and isinstance(around, list):
            around.insert(name, copy.deepcopy(around[name]))
        elif change == 3 and isinstance(around, dict):
            around[draw(st.sampled_from(NAMES))] = copy.deepcopy(draw(st.sampled_from(ODD)))
        else:
            around[name] = copy.deepcopy(draw(st.sampled_from(ODD)))
    return config


def prepare(path: Path) -> bool:
    """Load a configuration and do what the runtime does before it creates anything; tell whether it was accepted.

    Raises whatever is a fault of the runtime:
    - an exception other than RuntError
    - a configuration that takes more than a few seconds of the processor
    - a refusal that does not name the place in the file
    """
    signal.signal(signal.SIGPROF, _hangs)
    signal.setitimer(signal.ITIMER_PROF, _SECONDS)
    try:
        try:
            config = load(str(path))
        except RuntError as error:
            if not re.match(rf"{re.escape(str(path))}:[0-9]+:[0-9]+: .", error.message):
                raise AssertionError(f"a refusal that names no place: {error.message}") from error
            raise
        json.dumps(config)
        for mount in config.get("mounts", ()):
            MountOptions(mount.get("options", ()))
        linux = config["linux"]
        if "seccomp" in linux:
            compile_profile(linux["seccomp"])
        for is_version2 in (False, True):
            limits(linux.get("resources", {}), Group([]), is_version2=is_version2)
        for name in linux.get("sysctl", {}):
            sysctl_path(name)
    except RuntError:
        return False
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
    return True


def _hangs(_signum: int, _frame: object) -> NoReturn:
    raise AssertionError(f"not done after {_SECONDS} seconds of the processor")


def fuzz(base: Any, directory: Path, cases: int) -> tuple[int, int]:
    """Try `cases` variants of `base`, the same in each run; return how many were accepted and refused.

    RUNT_FUZZ=N tries N times as many, and different ones in each run.
    """
    deeper = int(os.environ.get("RUNT_FUZZ", "0"))
    counts = [0, 0]
    path = directory / "config.json"
    path.write_text(json.dumps(base))
    assert prepare(path), "what a real program writes is accepted"

    @settings(
        max_examples=cases * (deeper or 1),
        derandomize=not deeper,
        database=None,
        deadline=None,
        phases=[Phase.generate, Phase.shrink],
        suppress_health_check=list(HealthCheck),
    )
    @given(nearly(base))
    def try_one(config: Any) -> None:
        path.write_text(json.dumps(config))
        counts[0 if prepare(path) else 1] += 1

    before = len(list(Path("/proc/self/fd").iterdir()))
    try_one()
    assert len(list(Path("/proc/self/fd").iterdir())) == before, "descriptors were left open"
    return counts[0], counts[1]
