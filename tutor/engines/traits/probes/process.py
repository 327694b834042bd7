"""Questions on the process: capabilities, user, environment, limits, processors."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from tutor.engines.traits.probes.registry import probe
from tutor.engines.trial import UndecidedError

if TYPE_CHECKING:
    from tutor.engines.trial import Trial

_STATUS = 'while read -r name rest; do [ "$name" = \'{name}:\' ] && echo "$rest"; done </proc/self/status; :'
_UNUSED_UID = 54321


def _status(name: str) -> str:
    """Return a script that prints a line of /proc/self/status, of a shell that the container's user runs."""
    return _STATUS.replace("{name}", name)


@probe("absent-capabilities")
def absent_capabilities(trial: Trial) -> str:
    """`process.capabilities` is absent: what is in the effective set?"""
    done = trial.run(_status("CapEff"))
    if not done.ok:
        return "refused"
    return "none" if int(done.stdout.strip() or "0", 16) == 0 else "kept"


@probe("unknown-capability")
def unknown_capability(trial: Trial) -> str:
    """A capability that no kernel has."""
    names = ["CAP_NO_SUCH_THING", "CAP_CHOWN"]
    sets = dict.fromkeys(("bounding", "effective", "permitted"), names)
    done = trial.run(":", patch={"process": {"capabilities": sets}})
    if not done.ok:
        return "refused"
    return "warned" if "NO_SUCH_THING" in done.stdout + done.stderr else "silent"


@probe("duplicate-groups")
def duplicate_groups(trial: Trial) -> str:
    """`additionalGids` with one group twice."""
    groups = trial.printed(_status("Groups"), patch={"process": {"user": {"additionalGids": [4321, 4321]}}})
    return "kept" if groups.split().count("4321") > 1 else "once"


@probe("home-of-unknown-uid")
def home_of_unknown_uid(trial: Trial) -> str:
    """HOME of a user that the container's /etc/passwd does not have."""
    user = {"uid": _UNUSED_UID, "gid": _UNUSED_UID}
    files = {"rootfs/etc/passwd": "root:x:0:0:root:/root:/bin/sh\n"}
    with trial.bundle('echo "${HOME-unset}"', patch={"process": {"user": user}}, files=files) as box:
        done = box.engine("run")
    if not done.ok:
        return "refused"
    return {"unset": "unset", "/": "root"}.get(done.stdout.strip(), "other")


@probe("relative-cwd")
def relative_cwd(trial: Trial) -> str:
    """`process.cwd` without a leading slash."""
    return "accepted" if trial.run(":", patch={"process": {"cwd": "tmp"}}).ok else "refused"


@probe("duplicate-rlimit")
def duplicate_rlimit(trial: Trial) -> str:
    """One type of limit twice in `process.rlimits`."""
    limits = [{"type": "RLIMIT_NOFILE", "soft": each, "hard": each} for each in (128, 64)]
    done = trial.run("ulimit -n", patch={"process": {"rlimits": limits}})
    if not done.ok:
        return "refused"
    return {"128": "first", "64": "last"}.get(done.stdout.strip(), "other")


@probe("exec-rlimits")
def exec_rlimits(trial: Trial) -> str:
    """Does `exec` use the limits of `process.rlimits`?"""
    limits = [{"type": "RLIMIT_NOFILE", "soft": 77, "hard": 77}]
    with trial.bundle("exec sleep 60", patch={"process": {"rlimits": limits}}) as box:
        if not (box.engine("create").ok and box.engine("start").ok):
            raise UndecidedError
        found = box.engine("exec", "/bin/sh", "-c", "ulimit -Hn")
    return "config" if found.stdout.strip() == "77" else "caller"


@probe("affinity")
def affinity(trial: Trial) -> str:
    """The processors of a container whose runtime was called with one only."""
    processors = os.sched_getaffinity(0)
    if len(processors) == 1:
        raise UndecidedError
    one = min(processors)
    with trial.bundle(_status("Cpus_allowed_list")) as box:
        argv = trial.engine.argv("run", box.id, (f"--bundle={box.path}",))
        code = f"import os,sys; os.sched_setaffinity(0, {{{one}}}); os.execv(sys.argv[1], sys.argv[1:])"
        done = trial.command([sys.executable, "-I", "-S", "-c", code, *argv])
    if not done.ok:
        raise UndecidedError
    return "kept" if done.stdout.strip() == str(one) else "reset"


@probe("missing-program")
def missing_program(trial: Trial) -> str:
    """A program that does not exist: which operation fails?"""
    with trial.bundle(patch={"process": {"args": ["/no/such/program"]}}) as box:
        if not box.engine("create").ok:
            return "create"
        return "start-succeeds" if box.engine("start").ok else "start"


@probe("not-executable")
def not_executable(trial: Trial) -> str:
    """A program that execve(2) refuses (its format is unknown): does `start` say so?"""
    with trial.bundle(patch={"process": {"args": ["/program"]}}, files={"rootfs/program": "\0\0\0\0"}) as box:
        if not box.engine("create").ok:
            return "create"
        return "start-succeeds" if box.engine("start").ok else "start"


@probe("mappings-without-user-namespace")
def mappings_without_user_namespace(trial: Trial) -> str:
    """`uidMappings` without a user namespace."""
    mapping = [{"containerID": 0, "hostID": 100000, "size": 1000}]
    done = trial.run(":", patch={"linux": {"uidMappings": mapping, "gidMappings": mapping}})
    return "ignored" if done.ok else "refused"


@probe("time-namespace")
def time_namespace(trial: Trial) -> str:
    """A namespace of the type `time`."""
    if not Path("/proc/self/ns/time").exists():
        raise UndecidedError
    kinds = [{"type": each} for each in ("mount", "pid", "time")]
    return "supported" if trial.run(":", patch={"linux": {"namespaces": kinds}}).ok else "refused"


@probe("loopback")
def loopback(trial: Trial) -> str:
    """The state of `lo` in a new network namespace."""
    kinds = [{"type": each} for each in ("mount", "pid", "network")]
    with trial.bundle("exec sleep 60", patch={"linux": {"namespaces": kinds}}) as box:
        if not (box.engine("create").ok and box.engine("start").ok):
            raise UndecidedError
        addresses = Path(f"/proc/{box.pid()}/net/if_inet6")
        routes = Path(f"/proc/{box.pid()}/net/fib_trie")
        try:
            up = "127.0.0.1" in routes.read_text() or " lo" in addresses.read_text()
        except OSError as error:
            raise UndecidedError from error
    return "up" if up else "down"
