"""The keeper: run in the lab's mount namespace and cgroup, and start programs there for the client.

It has one thread, adopts the containers that engine commands leave running (so none stays a zombie), and ends when the client asks
or has ended. Then it has the engines delete their containers; the guard cleans up after it, or the keeper itself when the guard
was killed.
"""

from __future__ import annotations

import fcntl
import os
import select
import signal
import subprocess
import termios
import time
from typing import TYPE_CHECKING, NoReturn

from tutor import patience
from tutor.lab import cgroups, kernel, processes
from tutor.lab import state_roots as roots
from tutor.lab.abilities import lacking
from tutor.lab.cleaning import clean
from tutor.lab.journal import Journal, load
from tutor.lab.places import detach_devices, free
from tutor.lab.run_directory import cover_run
from tutor.lab.signals import WATCHED, SignalPipe

if TYPE_CHECKING:
    from tutor.lab.wire import Channel, Message

_PATIENCE_FOR_A_DELETE = 4.0  # seconds
_ROOT_SIZE = "16m"
_DAEMON_SIZE = "50%"  # of the memory, at most: for images and root filesystems of containers


def main(channel: Channel, plan: Message, journal: Journal) -> NoReturn:
    """Run the keeper in this (forked) process; `plan` is `Lab.start`'s message."""
    status = 1
    try:
        kernel.set_process_name("oci-tutor-lab")
        kernel.become_subreaper()
        _Keeper(channel, plan, journal).run()
        status = 0
    finally:
        # Never return into the guard's code; the guard cleans up.
        os._exit(status)


def latest(journal: Journal) -> Journal:
    """Return the journal as the keeper wrote it last."""
    return load(journal.path) or journal


class _Keeper:
    def __init__(self, channel: Channel, plan: Message, journal: Journal) -> None:
        self._channel = channel
        self._plan = plan
        self._environment: dict[str, str] = plan["environment"]
        self._covered = (*roots.DIRECTORIES, *plan["covers"])
        self._guard = processes.identity(os.getppid())
        self._journal = journal._replace(owners=[*journal.owners, processes.own_identity()])
        self._held: list[int] = []
        self._programs: dict[int, subprocess.Popen[bytes]] = {}
        self._signals = SignalPipe(WATCHED)

    def run(self) -> None:
        try:
            self._move_in()
        except OSError as error:
            self._answer({"error": self._error_key(error), "errno": error.errno, "path": str(error.filename)})
            return
        self._answer(
            {
                "ready": os.getpid(),
                "mount_namespace": os.stat("/proc/self/ns/mnt").st_ino,  # noqa: PTH116  (starts fast: no pathlib)
                "cgroups": self._cgroups,
                "places": [list(place) for place in self._places],
                "lacks": lacking(has_limits=self._has_limits),
            }
        )
        closing = self._serve()
        self._let_engines_delete()
        if self._guard is None or not processes.is_alive(self._guard):
            left = self._clean_up()
            if closing:
                self._answer({"closed": left})

    def _error_key(self, error: OSError) -> str:
        path = str(error.filename)
        if path in self._covered:
            return "lab.state_root"
        return "lab.journal" if path.startswith(self._journal.path) else "lab.refused"

    def _move_in(self) -> None:
        """Make what the lab consists of: all of it is in the journal already, or ends with the last process of the namespace."""
        self._journal.write()
        self._cgroups_before = [hierarchy.own for hierarchy in cgroups.hierarchies()]
        made = [directory for directory in cgroups.make(self._plan["name"]) if _join(directory)]
        self._outside = os.open("/proc/self/ns/mnt", os.O_RDONLY | os.O_CLOEXEC)
        if not self._plan["own_run"]:
            # Locked until this process ends, however it ends.
            self._held = [roots.acquire(directory) for directory in self._covered]
        kernel.unshare(kernel.CLONE_NEWNS)
        kernel.mount("", "/", flags=kernel.MS_REC | kernel.MS_PRIVATE)
        if self._plan["own_run"]:
            cover_run(self._covered)
            for directory in self._covered:
                os.makedirs(directory, exist_ok=True)  # noqa: PTH103  (starts fast)
        for directory in self._covered:
            is_root = directory in roots.DIRECTORIES
            # A daemon keeps root filesystems there, which have devices and set-user-ID programs.
            flags = kernel.MS_NOSUID | kernel.MS_NODEV if is_root else 0
            data = f"mode=0700,size={_ROOT_SIZE}" if is_root else f"mode=0711,size={_DAEMON_SIZE}"
            kernel.mount(self._journal.name, directory, "tmpfs", flags, data)
        for path in self._plan["hides"]:
            if os.path.exists(path):  # noqa: PTH110  (starts fast)
                kernel.mount("/dev/null", path, flags=kernel.MS_BIND)
        self._places = [free(path) for path in self._plan["places"] if os.path.isdir(path)]  # noqa: PTH112  (starts fast)
        self._cgroups = made
        # Later their paths may lead elsewhere. With v1 each controller is in one of several.
        self._has_limits = bool(made) and (cgroups.version2_alone() is None or cgroups.has_limits(made[0]))
        _arrange_cgroups(made, confined=self._plan["confined"])

    def _serve(self) -> bool:
        """Serve until the client has ended (False), closes the lab (True), or SIGTERM arrives (False)."""
        while True:
            self._report_ended()
            ready, _, _ = select.select([self._channel.fileno(), self._signals.fileno()], [], [])
            if self._signals.fileno() in ready and signal.SIGTERM in self._signals.read():
                return False
            if self._channel.fileno() not in ready:
                continue
            received = self._channel.receive()
            if received is None:
                return False
            message, descriptors = received
            if "close" in message:
                return True
            if "spawn" in message:
                self._spawn(message, descriptors)
            elif "detach" in message:
                detach_devices(message["detach"])
            elif "signal" in message:
                self._send_signal(message)

    def _spawn(self, message: Message, descriptors: list[int]) -> None:
        number = message["spawn"]
        stdin, stdout, stderr = descriptors
        try:
            program = subprocess.Popen(
                message["argv"],
                cwd=message["cwd"],
                env=message["env"] if message["env"] is not None else self._environment,
                stdin=stdin,
                stdout=stdout,
                stderr=stderr,
                # A process group of its own: an interrupt reaches the command and its helpers, never an earlier container.
                start_new_session=True,
                preexec_fn=_take_terminal if message["terminal"] else None,
            )
        except (OSError, ValueError, subprocess.SubprocessError) as error:
            self._answer({"failed": number, "errno": getattr(error, "errno", None), "reason": str(error)})
            return
        finally:
            for descriptor in descriptors:
                os.close(descriptor)
        self._programs[program.pid] = program
        self._answer({"spawned": number, "pid": program.pid})

    def _send_signal(self, message: Message) -> None:
        # Only this process waits for its children, so a pid in the table is not reused: it runs, or is a zombie.
        if message["pid"] in self._programs:
            try:
                os.killpg(message["pid"], message["signal"])
            except ProcessLookupError:
                return  # every process of the group has ended

    def _report_ended(self) -> None:
        orphans_changed = False
        for pid, code in processes.reap_children():
            program = self._programs.pop(pid, None)
            orphans_changed = True
            if program:
                program.returncode = code  # it was waited for here, not by Popen
                self._answer({"ended": pid, "returncode": code})
        if orphans_changed:
            self._journal_orphans()

    def _journal_orphans(self) -> None:
        """Record which containers run: without a cgroup, a later start has nothing else to find them by."""
        own = os.getpid()
        strays = [process for process in processes.descendants(own) if process.pid not in self._programs]
        if strays == self._journal.strays:
            return
        self._journal = self._journal._replace(strays=strays)
        try:
            self._journal.write()
        except OSError:
            return  # no space: they are found by the cgroup and the namespace too

    def _let_engines_delete(self) -> None:
        """Have each engine delete its containers: it knows what else belongs to them (cgroups elsewhere, poststop hooks)."""
        for directory in roots.DIRECTORIES:
            engine = self._find_program(os.path.basename(directory))  # noqa: PTH119  (starts fast)
            try:
                containers = os.listdir(directory)  # noqa: PTH208
            except OSError:
                continue
            for container in containers if engine else ():
                self._run_quietly([engine, "delete", "--force", container])

    def _find_program(self, name: str) -> str:
        for folder in self._environment.get("PATH", "").split(":"):
            path = f"{folder}/{name}"
            if os.access(path, os.X_OK):
                return path
        return ""

    def _run_quietly(self, argv: list[str]) -> None:
        nowhere = subprocess.DEVNULL
        try:
            program = subprocess.Popen(
                argv, env=self._environment, stdin=nowhere, stdout=nowhere, stderr=nowhere
            )
        except OSError:
            return  # `clean` removes it then
        self._programs[program.pid] = program
        deadline = time.monotonic() + patience.scaled(_PATIENCE_FOR_A_DELETE)
        # Go on waiting for children: an engine may wait until the container's init process, a child of the keeper, is gone.
        while program.pid in self._programs and (left := deadline - time.monotonic()) > 0:
            select.select([self._signals.fileno()], [], [], left)
            self._signals.read()
            self._report_ended()

    def _clean_up(self) -> list[str]:
        """Clean up in the guard's place: leave the namespace and the cgroups, and remove all from outside."""
        kernel.join_mount_namespace(self._outside)
        for directory in self._cgroups_before:
            try:
                cgroups.join(directory)
            except OSError:
                continue  # removed by now
        for held in self._held:
            os.close(held)
        return clean(self._journal, reap=True, ancestor=os.getpid())

    def _answer(self, message: Message) -> None:
        try:
            self._channel.send(message)
        except OSError:
            return  # the client has ended; `_serve` sees that next


def _take_terminal() -> None:
    """Make standard input the controlling terminal of this session, ioctl_tty(2)."""
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)


def _join(directory: str) -> bool:
    try:
        cgroups.join(f"{directory}/{cgroups.LEAF}")
    except (
        OSError
    ):  # this hierarchy refuses the process (a threaded v2 domain, real-time processes ...): do without it
        cgroups.remove(directory)
        return False
    return True


def _arrange_cgroups(made: list[str], *, confined: bool) -> None:
    """Cover the paths by which engines leave the lab's cgroup, and those that they would write above it.

    - Where v2 is mounted beside v1 (hybrid), crun refuses to work if v2 has a controller, and runc uses `/ID` in v2, whatever its own
      cgroup is. Without v2 both do as they do on plain v1. A tmpfs covers it: crun leaves files in the bare directory.
    - `confined`: show the lab's cgroup as the root of each hierarchy, for an engine whose default is absolute (crun: `/ID`) and for
      daemons, which choose the path (Docker: `/docker/ID`).
    """
    hierarchies = cgroups.hierarchies()
    hybrid = len({hierarchy.version for hierarchy in hierarchies}) > 1
    for hierarchy in hierarchies:
        inside = next((directory for directory in made if directory.startswith(hierarchy.mount + "/")), None)
        if hybrid and hierarchy.version > 1:
            _unmount_unless_locked(hierarchy.mount)
            kernel.mount("tmpfs", hierarchy.mount, "tmpfs")
        elif confined and inside:
            _confine(inside, hierarchy.mount)
        elif hierarchy.version > 1 and inside:
            _protect_controllers(hierarchy.mount, inside)


def _unmount_unless_locked(mount: str) -> None:
    try:
        kernel.unmount(mount)
    except OSError:
        return  # a more privileged user namespace made it (mount_namespaces(7)): mount on top of it then


def _confine(inside: str, mount: str) -> None:
    """Replace a hierarchy's mount by one of a cgroup in it.

    A mount on top of it is not enough: runc looks a hierarchy up in mountinfo(5), and takes the first line.
    """
    aside = f"{roots.DIRECTORIES[0]}/.cgroup"  # on a tmpfs of the lab
    os.mkdir(aside)  # noqa: PTH102  (starts fast)
    kernel.mount(inside, aside, flags=kernel.MS_BIND)
    try:
        kernel.unmount(mount)
    except OSError:
        # Locked, since a more privileged user namespace made it (mount_namespaces(7)): mount on top of it then.
        kernel.mount(aside, mount, flags=kernel.MS_BIND)
        kernel.unmount(aside)
    else:
        kernel.mount(aside, mount, flags=kernel.MS_MOVE)
    os.rmdir(aside)  # noqa: PTH106  (starts fast)


def _protect_controllers(mount: str, inside: str) -> None:
    """Make `cgroup.subtree_control` read-only in every cgroup above the lab's, cgroups(7).

    With v2, runc enables all controllers in each of them, from the root down, for every container, and never disables them again;
    those cgroups are systemd's. runc goes on where it cannot. (A read-only `mount` with the lab's cgroup bound writable into it does
    not work: runc opens nothing through a mount below /sys/fs/cgroup, RESOLVE_NO_XDEV.)
    """
    flags = kernel.MS_RDONLY | kernel.MS_NOSUID | kernel.MS_NODEV | kernel.MS_NOEXEC
    directory = inside
    while directory != mount:
        directory = os.path.dirname(directory)  # noqa: PTH120  (starts fast)
        file = f"{directory}/cgroup.subtree_control"
        kernel.mount(file, file, flags=kernel.MS_BIND)
        kernel.mount("", file, flags=kernel.MS_REMOUNT | kernel.MS_BIND | flags)
