"""Enter namespaces in which this ordinary user is root, so that a lab can be had without root; user_namespaces(7).

Root there is the user; the other ids are the user's ranges of /etc/subuid and /etc/subgid, which newuidmap(1) and newgidmap(1) map.
The whole program enters them, before its first thread: so every file of a lesson and every process of a lab can be read and removed
by it. It has a PID namespace too, with a /proc of its own: the kernel lets root of a user namespace mount no other (so does the
first container of the lessons, which has no PID namespace of its own). Whatever ends this program ends all that it started.
"""

from __future__ import annotations

import errno
import os
import pwd
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING, Self

from tutor.errors import TutorError
from tutor.lab import kernel, outside
from tutor.paths import search_path

if TYPE_CHECKING:
    from collections.abc import Callable

LEAST = 65_536
"""The subordinate ids that a user needs: images have files of users up to 65534 (nobody)."""

# Each forbids them to an ordinary user when it has the first value; the second allows them.
_LIMIT = "user.max_user_namespaces"
_SWITCHES = (
    ("kernel.unprivileged_userns_clone", "0", "1"),  # Debian's
    (_LIMIT, "0", "10000"),
    ("kernel.apparmor_restrict_unprivileged_userns", "1", "0"),  # Ubuntu's
)

_refused: TutorError | None = None
_entered = False
_pid_outside = 0


def enter() -> None:
    """Enter namespaces of this user's own; do nothing for root. A refusal is kept for `require_privilege`.

    The caller goes on in a child process, the first of a PID namespace; the process that called waits for it and ends as it does.
    This process must have one thread.
    """
    global _refused, _entered
    if os.geteuid() == 0:
        return
    os.environ.setdefault("HOME", os.path.expanduser("~"))  # noqa: PTH111  (of this user, not of root)
    try:
        _become_root()
    except TutorError as error:
        _refused = error
    else:
        _entered = True


def is_ordinary_user() -> bool:
    """Return whether an ordinary user runs this program, in a user namespace or not."""
    return _entered or os.geteuid() != 0


def in_user_namespace() -> bool:
    """Return whether this program has entered a user namespace of an ordinary user."""
    return _entered


def pid_outside() -> int:
    """Return the pid by which other programs of this machine know this program: a signal to it arrives here."""
    return _pid_outside or os.getpid()


def require_privilege() -> None:
    """Do nothing where this process may make a lab.

    Raises:
        TutorError: `lab.no_privilege`, or why an ordinary user can have no user namespace here (`lab.user_namespace.*`).
    """
    if os.geteuid() != 0:
        raise _refused or TutorError("lab.no_privilege", missing="root (uid 0)")
    if not kernel.has_capability(kernel.CAP_SYS_ADMIN):
        raise TutorError("lab.no_privilege", missing="CAP_SYS_ADMIN")


def ranges(path: str, user: str, uid: int) -> list[tuple[int, int]]:
    """Return the ranges that a file of subuid(5) gives to a user: the first id of each, and their number."""
    found = []
    for line in _read(path).splitlines():
        owner, _, numbers = line.strip().partition(":")
        first, _, count = numbers.partition(":")
        if owner in (user, str(uid)) and first.isdecimal() and count.isdecimal() and int(count):
            found.append((int(first), int(count)))
    return found


def _become_root() -> None:
    """Make the namespace in a child, map its ids from here, try it there, and join it: a refusal leaves this process as it was."""
    with _Child() as child:
        child.ask("lab.user_namespace.forbidden")
        namespace = os.open(f"/proc/{child.pid}/ns/user", os.O_RDONLY | os.O_CLOEXEC)
        try:
            _map(child.pid)
            child.ask("lab.user_namespace.useless")
            kernel.join_user_namespace(namespace)
        finally:
            os.close(namespace)
    _become_first_process()


def _become_first_process() -> None:
    global _pid_outside
    _pid_outside = os.getpid()
    _set_ids()
    kernel.unshare(kernel.CLONE_NEWNS | kernel.CLONE_NEWPID | kernel.CLONE_NEWIPC | kernel.CLONE_NEWUTS)
    sys.stdout.flush()
    sys.stderr.flush()
    outside.fork_and_wait()
    _mount_proc()


def _set_ids() -> None:
    # The supplementary groups stay: files that the user may use as a member of a group stay in reach.
    os.setresgid(0, 0, 0)
    os.setresuid(0, 0, 0)


def _mount_proc() -> None:
    kernel.mount("", "/", flags=kernel.MS_REC | kernel.MS_PRIVATE)
    kernel.mount("proc", "/proc", "proc", kernel.MS_NOSUID | kernel.MS_NODEV | kernel.MS_NOEXEC)


class _Child:
    """A child process that makes the namespace when it is asked first, and tries it when it is asked again."""

    def __init__(self) -> None:
        asked, self._ask = os.pipe2(os.O_CLOEXEC)
        self._answers, answer = os.pipe2(os.O_CLOEXEC)
        self.pid = os.fork()
        if self.pid == 0:
            try:
                os.close(self._ask)
                for work in (_make, _try):
                    if not os.read(asked, 1):
                        break
                    os.write(answer, b"%d\n" % _errno_of(work))
                os.read(asked, 1)  # until the parent has joined the namespace
            finally:
                os._exit(0)
        os.close(asked)
        os.close(answer)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self._ask)
        os.close(self._answers)
        os.waitpid(self.pid, 0)

    def ask(self, key: str) -> None:
        """Have it do its next piece of work.

        Raises:
            TutorError: `key`, and which switch of the machine it is.
        """
        os.write(self._ask, b".")
        number = int(os.read(self._answers, 16) or b"%d" % errno.EIO)
        if number:
            raise _explained(key, number)


def _make() -> None:
    kernel.unshare(kernel.CLONE_NEWUSER)


def _try() -> None:
    """Mount as a lab does. AppArmor lets a user namespace be made, and takes its privileges away; a container may hide its /proc."""
    _set_ids()
    kernel.unshare(kernel.CLONE_NEWNS | kernel.CLONE_NEWPID | kernel.CLONE_NEWIPC | kernel.CLONE_NEWUTS)
    first = os.fork()
    if first == 0:
        os._exit(_errno_of(_mount_proc))
    status = os.waitstatus_to_exitcode(os.waitpid(first, 0)[1])
    if status:
        raise OSError(status if status > 0 else errno.EIO, "")


def _errno_of(work: Callable[[], None]) -> int:
    try:
        work()
    except OSError as error:
        return error.errno or errno.EIO
    return 0


def _explained(key: str, number: int) -> TutorError:
    """Return the error of a kernel that refuses, with the switch that forbids it where that can be seen."""
    reason = os.strerror(number)
    for switch, forbids, allows in _SWITCHES:
        if (number == errno.ENOSPC) != (switch == _LIMIT):
            continue  # the limit has an error of its own
        if _read(f"/proc/sys/{switch.replace('.', '/', 1)}").strip() == forbids:
            return TutorError(
                "lab.user_namespace.switch", switch=switch, now=forbids, wanted=allows, reason=reason
            )
    if number == errno.ENOSPC:
        return TutorError("lab.user_namespace.full", reason=reason)
    if not any(line.split(" ")[4] == "/" for line in _read("/proc/self/mountinfo").split("\n") if line):
        return TutorError("lab.user_namespace.chroot", reason=reason)
    if "\nSeccomp:\t2" in _read("/proc/self/status"):
        return TutorError("lab.user_namespace.seccomp", reason=reason)
    return TutorError(key, reason=reason)


def _map(pid: int) -> None:
    """Map this user to root, and the subordinate ids after it.

    Raises:
        TutorError: there is no newuidmap or no newgidmap, they refuse, or the user has too few subordinate ids.
    """
    uid, gid = os.geteuid(), os.getegid()
    try:
        user = pwd.getpwuid(uid).pw_name
    except KeyError:
        user = str(uid)
    for program, path, own in (("newuidmap", "/etc/subuid", uid), ("newgidmap", "/etc/subgid", gid)):
        tool = shutil.which(program, path=search_path())
        if tool is None:
            raise TutorError("lab.user_namespace.no_tool", program=program)
        given = ranges(path, user, uid)
        total = sum(count for _first, count in given)
        if total < LEAST:
            raise TutorError("lab.user_namespace.no_ids", path=path, user=user, total=total, least=LEAST)
        words, inside = ["0", str(own), "1"], 1
        for first, count in given:
            words += [str(inside), str(first), str(count)]
            inside += count
        done = subprocess.run(
            [tool, str(pid), *words],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            check=False,
        )
        if done.returncode != 0:
            said = " ".join(done.stderr.split())
            bound = "\nNoNewPrivs:\t1" in _read("/proc/self/status")
            raise TutorError(
                "lab.user_namespace.no_new_privs" if bound else "lab.user_namespace.unmapped",
                program=program,
                said=said,
            )


def _read(path: str) -> str:
    try:
        with open(path, encoding="utf-8", errors="replace", newline="\n") as file:  # noqa: PTH123  (as the lab's other modules)
            return file.read()
    except OSError:
        return ""
