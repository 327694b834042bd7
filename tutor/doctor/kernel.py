"""Probe the kernel: trials in a child process, this process's privileges, the cgroup hierarchies."""

from __future__ import annotations

import json
import math
import os
import platform
import pwd
import shutil
import signal
import subprocess
import sys
from pathlib import Path

from tutor import patience
from tutor.doctor.model import Cgroups, Privileges, System, Trial
from tutor.doctor.tools import AGAIN
from tutor.lab.delegation import can_have_cgroup
from tutor.lab.user_namespace import ranges

TRIAL_SECONDS = 3.0
MOST_TRIALS = 6  # that take all their time; the others take milliseconds

# The capabilities that runtimes use as root, with their numbers (<linux/capability.h>).
WANTED_CAPABILITIES = {
    "CAP_CHOWN": 0,
    "CAP_DAC_OVERRIDE": 1,
    "CAP_KILL": 5,
    "CAP_SETGID": 6,
    "CAP_SETUID": 7,
    "CAP_SETPCAP": 8,
    "CAP_NET_ADMIN": 12,
    "CAP_SYS_CHROOT": 18,
    "CAP_SYS_PTRACE": 19,
    "CAP_SYS_ADMIN": 21,
    "CAP_SYS_RESOURCE": 24,
    "CAP_MKNOD": 27,
}
# The files below /proc/sys that may forbid user namespaces to an ordinary user.
SYSCTLS = (
    "kernel/apparmor_restrict_unprivileged_userns",  # Ubuntu 23.10 and later
    "kernel/unprivileged_userns_clone",  # Debian's patch
    "user/max_user_namespaces",
    "kernel/yama/ptrace_scope",
)


def run_trials() -> dict[str, Trial]:
    """Run every trial of `trial.py`, and once more, with more time, those that did not end in time."""
    limit = patience.scaled(TRIAL_SECONDS)
    trials = _run_trials(limit)
    late = [name for name, trial in trials.items() if trial.way == "timeout"]
    return trials | (_run_trials(limit * AGAIN, *late) if late else {})


def _run_trials(seconds: float, *names: str) -> dict[str, Trial]:
    """Run these trials, or all, and return the results of those that could be run; each is ended after `seconds`."""
    program = Path(__file__).with_name("trial.py")
    command = [sys.executable, "-I", "-S", str(program), str(math.ceil(seconds)), *names]
    try:
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, start_new_session=True
        )
    except OSError:
        return {}
    with process:
        try:
            answers, _ = process.communicate(timeout=MOST_TRIALS * seconds)
        except subprocess.TimeoutExpired as error:  # the kernel does not let one end
            os.killpg(process.pid, signal.SIGKILL)
            answers = error.output or b""
    return {name: Trial(**answer) for name, answer in map(json.loads, answers.splitlines())}


def read_system() -> System:
    """Return the kernel, the distribution and the package manager of this system."""
    try:
        release = platform.freedesktop_os_release()
    except OSError:
        release = {}
    return System(
        kernel=platform.release(),
        architecture=platform.machine(),
        distribution=release.get("PRETTY_NAME", ""),
        apt=shutil.which("apt-get") is not None,
        python=platform.python_version(),
        executable=sys.executable,
    )


def read_privileges() -> Privileges:
    """Return the ids and the capabilities of this process (proc_pid_status(5), subuid(5))."""
    status = _status()
    effective = int(status.get("CapEff", "0"), 16)
    uid = os.geteuid()
    try:
        user = pwd.getpwuid(uid).pw_name
    except KeyError:
        user = str(uid)
    return Privileges(
        uid=uid,
        user=user,
        missing_capabilities=tuple(
            name for name, bit in WANTED_CAPABILITIES.items() if not effective >> bit & 1
        ),
        no_new_privs=status.get("NoNewPrivs") == "1",
        sudo=shutil.which("sudo"),
        newuidmap=shutil.which("newuidmap"),
        newgidmap=shutil.which("newgidmap"),
        subordinate_uids=sum(count for _first, count in ranges("/etc/subuid", user, uid)),
        subordinate_gids=sum(count for _first, count in ranges("/etc/subgid", user, uid)),
        sysctls={name.replace("/", "."): text for name in SYSCTLS if (text := _read(f"/proc/sys/{name}"))},
    )


def read_cgroups() -> Cgroups:
    """Return which cgroup file systems are mounted and whether this user may create groups in them."""
    v1: dict[str, str] = {}
    v2_mount = ""
    for line in _read("/proc/self/mountinfo").split("\n"):
        before, _, after = line.partition(" - ")
        target = before.split(" ")[4]
        fstype, _, rest = after.partition(" ")
        if fstype == "cgroup2":
            v2_mount = v2_mount or target
        elif fstype == "cgroup":
            options = rest.split()[-1].split(",")
            v1 |= {name: target for name in options if name in _v1_controllers()}
    own = v2_mount + _own_v2_group().rstrip("/") if v2_mount else ""
    places = [*v1.values(), *filter(None, (own, v2_mount))]
    return Cgroups(
        layout="hybrid" if v1 and v2_mount else "v1" if v1 else "v2" if v2_mount else "none",
        v1=tuple(sorted(v1)),
        v2=tuple(_read(f"{v2_mount}/cgroup.controllers").split()) if v2_mount else (),
        v2_mount=v2_mount,
        writable=any(os.access(place, os.W_OK) for place in places),
        delegated=os.geteuid() != 0 and can_have_cgroup(),
    )


def _v1_controllers() -> set[str]:
    return {
        line.split()[0] for line in _read("/proc/cgroups").splitlines() if line and not line.startswith("#")
    }


def _own_v2_group() -> str:
    lines = _read("/proc/self/cgroup").split("\n")
    return next((line.removeprefix("0::") for line in lines if line.startswith("0::")), "/")


def _status() -> dict[str, str]:
    pairs = (line.partition(":") for line in _read("/proc/self/status").splitlines())
    return {name: text.strip() for name, _, text in pairs}


def _read(path: str) -> str:
    """Return the text of a file without surrounding white space; an empty one if it cannot be read."""
    try:
        return Path(path).read_bytes().decode("utf-8", "replace").strip()
    except OSError:
        return ""
