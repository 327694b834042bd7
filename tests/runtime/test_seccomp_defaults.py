"""podman's default profile, as the machine has it: runt's filter is libseccomp's for every call, and busybox runs with it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.libseccomp import disagreements

if TYPE_CHECKING:
    from tests.support.runt import Bundle, Runt

PROFILE = Path("/usr/share/containers/seccomp.json")
CAPABILITIES = {
    *(
        "CAP_CHOWN",
        "CAP_DAC_OVERRIDE",
        "CAP_FOWNER",
        "CAP_FSETID",
        "CAP_KILL",
        "CAP_NET_BIND_SERVICE",
        "CAP_SETFCAP",
    ),
    *("CAP_SETGID", "CAP_SETPCAP", "CAP_SETUID", "CAP_SYS_CHROOT"),
}
"""What podman grants by default."""


def podmans(capabilities: set[str]) -> Any:
    """Return the profile in the form that podman gives a runtime, for the capabilities of a container."""
    profile = json.loads(PROFILE.read_text())
    rules = []
    for rule in profile["syscalls"]:
        includes, excludes = rule.get("includes", {}), rule.get("excludes", {})
        if not set(includes.get("caps") or ()) <= capabilities:
            continue
        if set(excludes.get("caps") or ()) & capabilities or "amd64" in (excludes.get("arches") or ()):
            continue
        if includes.get("arches") and "amd64" not in includes["arches"]:
            continue
        rules.append({name: rule[name] for name in ("names", "action", "args", "errnoRet") if rule.get(name)})
    names = next(each for each in profile["archMap"] if each["architecture"] == "SCMP_ARCH_X86_64")
    architectures = [names["architecture"], *names["subArchitectures"]]
    default = {name: profile[name] for name in ("defaultAction", "defaultErrnoRet") if name in profile}
    return {**default, "architectures": architectures, "syscalls": rules}


@pytest.mark.peer("podman")
@pytest.mark.parametrize("capabilities", [CAPABILITIES, {*CAPABILITIES, "CAP_SYS_ADMIN", "CAP_NET_ADMIN"}])
def test_podmans_profile_is_what_libseccomp_makes_of_it(capabilities: set[str]) -> None:
    assert disagreements(podmans(capabilities)) == []


@pytest.mark.root
@pytest.mark.peer("podman", "busybox")
def test_programs_run_with_podmans_profile(bundle: Bundle, runt: Runt) -> None:
    bundle.linux["seccomp"] = podmans(CAPABILITIES)
    granted = [*CAPABILITIES, "CAP_SYS_ADMIN"]
    bundle.process["capabilities"] = {"bounding": granted, "permitted": granted, "effective": granted}
    bundle.sh("mkdir /tmp/x; ls /tmp; ps > /dev/null; echo a | grep a; hostname x")
    bundle.namespaces("uts")
    bundle.save()
    done = runt("run", "-b", str(bundle.path), "podman")
    assert done.stdout == "x\na\n"
    # The capability would allow it, the profile does not.
    assert "hostname: sethostname: Operation not permitted" in done.stderr
