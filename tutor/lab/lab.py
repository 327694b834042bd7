"""The client's side of a lab: start it, start programs in it, close it. Safe to use from many threads; this process never forks."""

from __future__ import annotations

import contextlib
import errno
import os
import secrets
import shutil
import subprocess
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from tutor import patience
from tutor.errors import TutorError
from tutor.lab import cgroups, journal, processes
from tutor.lab.cleaning import clean
from tutor.lab.delegation import move_into_scope
from tutor.lab.guard import PATIENCE
from tutor.lab.options import PLAIN
from tutor.lab.places import Place, copy, uncover
from tutor.lab.user_namespace import enter, in_user_namespace, require_privilege
from tutor.lab.wire import Channel, Message
from tutor.paths import SYSTEM_FOLDERS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from types import TracebackType

    from tutor.home import Home
    from tutor.lab.options import LabOptions

_ROOT = Path(__file__).parents[2]
_ANSWER_SECONDS = 20.0  # for an answer that takes milliseconds, unless the machine swaps
_NO_SPACE = (errno.ENOSPC, errno.EDQUOT)
# What the face has in its environment says something of its own terminal.
_BASHRC = Path(__file__).with_name("bashrc")
_OF_ANOTHER_TERMINAL = (
    "COLUMNS",
    "LINES",
    "TMUX",
    "TMUX_PANE",
    "STY",
    "COLORTERM",
    "TERM_PROGRAM",
    "TERM_PROGRAM_VERSION",
)


class LabProcess:
    """A program in the lab; `pid` is its pid in the host's pid namespace."""

    def __init__(self, lab: Lab, pid: int) -> None:
        self._lab = lab
        self._ended = threading.Event()
        self._returncode: int | None = None
        self.pid = pid

    def wait(self, timeout: float | None = None) -> int:
        """Wait until it ends; return its exit status, negative for a signal, as subprocess does. `timeout` is in seconds.

        Raises:
            TimeoutError: it still runs.
            TutorError: `lab.ended`, the lab ended first.
        """
        if not self._ended.wait(timeout):
            raise TimeoutError
        if self._returncode is None:
            raise TutorError("lab.ended")
        return self._returncode

    def signal(self, sig: int) -> None:
        """Send a signal to the program and its children (its process group, as Ctrl-C on a terminal does).

        Nothing happens when it has ended.
        """
        if not self._ended.is_set():
            self._lab.send_signal(self.pid, sig)

    def finish(self, returncode: int | None) -> None:
        """Record the end, with None where the status cannot be known any more: for `Lab`."""
        self._returncode = returncode
        self._ended.set()


class Lab:
    """A running lab; a context manager that closes it.

    `mount_namespace_inode` identifies its mount namespace, `cgroups` are its cgroups' directories (empty: none could be created),
    `environment` is the environment of programs in it, `places` says which directories were made usable (`LabOptions.places`),
    `lacks` what it does not have (`tutor.lab.abilities`).
    """

    def __init__(
        self, guard: subprocess.Popen[bytes], channels: tuple[Channel, Channel], plan: Message
    ) -> None:
        """Take over a guard that has its plan already; use `Lab.start`."""
        self._guard = guard
        self._to_guard, self._to_keeper = channels
        self._journal_path: str = plan["journal"]
        self.environment: dict[str, str] = plan["environment"]
        self.engine: str = plan["engine"]
        self.workdir = Path(plan["workdir"])
        self.keeper_pid = 0
        self.mount_namespace_inode = 0
        self.cgroups: tuple[str, ...] = ()
        self.places: tuple[Place, ...] = ()
        self.lacks: tuple[str, ...] = ()
        self._lock = threading.Lock()
        self._answered = threading.Condition(self._lock)
        self._number = 0
        self._answers: dict[int, Message | LabProcess] = {}
        self._running: dict[int, LabProcess] = {}
        self._left: list[str] | None = (
            None  # what the keeper could not remove, once it has tried in the guard's place
        )
        self._over = False
        self._closing = threading.Lock()
        self._closed = False
        self._copies: tuple[Place, ...] = ()

    @classmethod
    def start(cls, *, home: Home, engine: str, workdir: Path, options: LabOptions = PLAIN) -> Lab:
        """Start a lab; first clean up what labs that were killed have left (`sweep`).

        Raises:
            TutorError: `lab.no_privilege`, `lab.no_cgroup`, `lab.journal`, `lab.no_space`, `lab.state_root`, `lab.refused`.
        """
        require_privilege()
        if engine != "runt" and not cgroups.hierarchies():
            raise TutorError("lab.no_cgroup", engine=engine)
        folder = home.state / "labs"
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise _error({"error": "lab.journal", "errno": error.errno, "path": str(folder)}) from error
        sweep(home)
        name = journal.PREFIX + secrets.token_hex(6)
        plan: Message = {
            "name": name,
            "journal": str(folder / f"{name}.json"),
            "client": processes.own_identity(),
            "engine": engine,
            "workdir": str(workdir),
            "environment": {**_environment(), **options.environment},
            "covers": options.covers,
            "confined": options.confined or engine == "crun",
            "hides": options.hides,
            "places": () if in_user_namespace() else options.places,
            "own_run": in_user_namespace(),
        }
        copies = _copy_roots(options.places) if in_user_namespace() else ()
        lab = cls(*_start_guard(plan), plan)
        lab._copies = copies
        lab._await_ready()
        return lab

    def _await_ready(self) -> None:
        received = self._to_keeper.receive()
        answer: Message = received[0] if received else {"error": "lab.ended"}
        if "error" in answer:
            self._to_guard.shut_down()
            self._guard.wait()
            self._release()
            raise _error(answer)
        self.keeper_pid = answer["ready"]
        self.mount_namespace_inode = answer["mount_namespace"]
        self.cgroups = tuple(answer["cgroups"])
        self.places = self._copies or tuple(Place(*each) for each in answer["places"])
        self.lacks = tuple(answer["lacks"])
        threading.Thread(target=self._listen, name="lab", daemon=True).start()

    @property
    def alive(self) -> bool:
        """Whether programs can be started in it."""
        return not self._over

    def spawn(
        self,
        argv: Sequence[str],
        *,
        cwd: Path,
        env: Mapping[str, str] | None = None,
        stdin: int,
        stdout: int,
        stderr: int,
        terminal: bool = False,
    ) -> LabProcess:
        """Start a program in the lab; it gets copies of the descriptors, so the caller may close its own at once.

        `terminal`: `stdin` is a terminal that no session has yet, and becomes the controlling terminal of the program's.

        Raises:
            TutorError: `lab.ended`, or `lab.spawn` when it cannot be started (no such program, no such folder ...).
        """
        with self._lock:
            self._number += 1
            number = self._number
        message: Message = {
            "spawn": number,
            "argv": list(argv),
            "cwd": str(cwd),
            "env": None if env is None else dict(env),
            "terminal": terminal,
        }
        try:
            self._to_keeper.send(message, (stdin, stdout, stderr))
        except OSError as error:
            if error.errno == errno.EMSGSIZE:
                raise TutorError("lab.spawn", program=argv[0], reason=os.strerror(errno.E2BIG)) from error
            raise TutorError("lab.ended") from error
        with self._answered:
            self._answered.wait_for(
                lambda: number in self._answers or self._over, patience.scaled(_ANSWER_SECONDS)
            )
            answer = self._answers.pop(number, None)
        if isinstance(answer, LabProcess):
            return answer
        if answer is None:
            raise TutorError("lab.ended")
        raise TutorError("lab.spawn", program=argv[0], reason=answer["reason"])

    def send_signal(self, pid: int, number: int) -> None:
        """Send a signal to a program's process group; do nothing when it has ended: for `LabProcess`."""
        try:
            self._to_keeper.send({"signal": number, "pid": pid})
        except OSError:
            return  # the lab has ended, and the program with it

    def detach_devices(self, dev: Path) -> None:
        """Unmount the devices that containers of an ordinary user have left in a bundle's /dev, before the next program starts."""
        if in_user_namespace():
            with contextlib.suppress(OSError):
                self._to_keeper.send({"detach": str(dev)})

    def shell_call(self, cwd: Path, line: str = "") -> tuple[tuple[str, ...], str, dict[str, str]]:
        """Return argv, working directory and environment of an interactive shell in the lab, for the caller's terminal.

        With `line`, the shell runs that and ends. Its exit status is the shell's, or 3 when the lab has ended.
        """
        shell, environment = self._shell(f"(oci-tutor:{self.engine}) $PWD $ ")
        if line:
            shell, environment = (shell[0], "-c", line), environment | {"BASH_ENV": str(_BASHRC)}
        return _python("enter", self._journal_path, str(cwd), *shell), "/", environment

    def shell_on(self, terminal: int, cwd: Path, environment: Mapping[str, str]) -> LabProcess:
        """Start an interactive shell in the lab on a terminal that no session has yet; `environment` is added to the lab's.

        Raises:
            TutorError: `lab.ended`, `lab.spawn`.
        """
        shell, own = self._shell(f"({self.engine}) \\W $ " if shutil.which("bash") else f"({self.engine}) $ ")
        own = {name: value for name, value in own.items() if name not in _OF_ANOTHER_TERMINAL}
        return self.spawn(
            shell,
            cwd=cwd,
            env={**own, **environment},
            stdin=terminal,
            stdout=terminal,
            stderr=terminal,
            terminal=True,
        )

    def _shell(self, prompt: str) -> tuple[tuple[str, ...], dict[str, str]]:
        bash = shutil.which("bash")
        shell = (bash, "--rcfile", str(_BASHRC), "-i") if bash else ("/bin/sh", "-i")
        own = {"OCI_TUTOR_PATH": self.environment["PATH"], "OCI_TUTOR_PROMPT": prompt, "PS1": prompt}
        return shell, self.environment | own

    def close(self) -> None:
        """End the lab and everything in it; a second call does nothing.

        Raises:
            TutorError: `lab.leftover`, something could not be removed; `left` names it.
        """
        with self._closing:
            if self._closed:
                return
            self._closed = True
            try:
                left = self._ask_guard()
                if left is None:
                    left = self._ask_keeper()
                if left is None:
                    left = self._clean_ourselves()
            finally:
                self._release()
        if left:
            raise TutorError("lab.leftover", left=", ".join(left))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _ask_guard(self) -> list[str] | None:
        """Have the guard close the lab; return what it could not remove, or None when the guard has ended."""
        # It may have cleaned up already (the keeper was killed); then its last message still waits to be read.
        with contextlib.suppress(OSError):
            self._to_guard.send({"close": True})
        watchdog = threading.Timer(patience.scaled(PATIENCE + _ANSWER_SECONDS), self._to_guard.shut_down)
        watchdog.daemon = True
        watchdog.start()
        try:
            received = self._to_guard.receive()
        finally:  # a second signal may end the wait; the program would end only with the timer
            watchdog.cancel()
        return list(received[0]["closed"]) if received else None

    def _ask_keeper(self) -> list[str] | None:
        """Have the keeper close the lab in the guard's place; return what it could not remove, or None when it has ended too."""
        keeper = processes.identity(self.keeper_pid)
        try:
            self._to_keeper.send({"close": True})
        except OSError:
            return None
        with self._answered:
            self._answered.wait_for(lambda: self._over, patience.scaled(PATIENCE + _ANSWER_SECONDS))
            left = self._left
        if keeper:  # it reports what is left before it ends
            processes.wait_for_end(keeper, patience.scaled(_ANSWER_SECONDS))
        return left

    def _clean_ourselves(self) -> list[str]:
        found = journal.load(self._journal_path)
        return clean(found, reap=False) if found else []

    def _release(self) -> None:
        self._to_keeper.shut_down()
        self._guard.wait()
        with self._answered:
            self._answered.wait_for(
                lambda: self._over or not self.keeper_pid, patience.scaled(_ANSWER_SECONDS)
            )
        self._to_keeper.close()
        self._to_guard.close()
        for place in self._copies:
            uncover(place)

    def _listen(self) -> None:
        """Hand on the keeper's messages until it ends: the one thread that reads them."""
        while received := self._to_keeper.receive():
            message = received[0]
            with self._answered:
                if "spawned" in message:
                    process = LabProcess(self, message["pid"])
                    self._running[process.pid] = process
                    self._answers[message["spawned"]] = process
                elif "failed" in message:
                    self._answers[message["failed"]] = message
                elif "ended" in message and message["ended"] in self._running:
                    self._running.pop(message["ended"]).finish(message["returncode"])
                elif "closed" in message:
                    self._left = message["closed"]
                self._answered.notify_all()
        with self._answered:
            self._over = True
            for process in self._running.values():
                process.finish(None)
            self._running.clear()
            self._answered.notify_all()


def prepare(home: Home) -> None:
    """Let an ordinary user have labs, where the machine allows it; `Lab.start` says why not. Do nothing for root.

    Call this before the first thread. What dead labs have left is cleaned up from outside of the user namespace: the users of another
    one can't be killed from inside.
    """
    if os.geteuid() != 0:
        sweep(home)
        move_into_scope()
        enter()


def sweep(home: Home) -> None:
    """Clean up after dead labs: those whose client, guard and keeper were all killed, or whose machine has crashed.

    Labs in use, by this or by another process, are not touched.
    """
    for path in sorted((home.state / "labs").glob(f"{journal.PREFIX}*.json")):
        found = journal.load(str(path))
        if in_user_namespace() and found is not None and found.pids != processes.pid_namespace():
            continue  # can't be seen from here: `prepare` looked at it
        if found is None or not found.is_of_this_boot():
            path.unlink(missing_ok=True)  # truncated by a machine crash, or of an earlier boot
        elif not found.has_owner():
            clean(found, reap=False)


def _environment() -> dict[str, str]:
    """Return the environment for programs in a lab: the caller's, with every engine on PATH, and no other state root."""
    environment = {name: value for name, value in os.environ.items() if name != "XDG_RUNTIME_DIR"}
    folders = [folder for folder in environment.get("PATH", os.defpath).split(":") if folder]
    # Also /bin, which a chroot into an image needs: where it is a link, a PATH may be without it (Fedora's, a service's of systemd).
    folders += [folder for folder in SYSTEM_FOLDERS if folder not in folders]
    own = str(Path(sys.executable).parent)
    if (Path(own) / "runt").exists() and shutil.which("runt", path=":".join(folders)) != f"{own}/runt":
        # Last on PATH where there is no other `runt`, so that the learner's `python3` stays the same program.
        folders = [*folders, own] if shutil.which("runt", path=":".join(folders)) is None else [own, *folders]
    return environment | {"PATH": ":".join(folders)}


def _python(module: str, *arguments: str) -> tuple[str, ...]:
    """Return argv that runs a module of the lab in an isolated interpreter (`-I -S`): without the user's modules and variables."""
    code = f"import sys; sys.path.append({str(_ROOT)!r}); from tutor.lab.{module} import main; main()"
    return (sys.executable, "-I", "-S", "-c", code, *arguments)


def _copy_roots(places: Sequence[str]) -> tuple[Place, ...]:
    try:
        return tuple(copy(path) for path in places if Path(path).is_dir())
    except OSError as error:
        raise _error({"error": "lab.refused", "errno": error.errno, "path": str(error.filename)}) from error


def _start_guard(plan: Message) -> tuple[subprocess.Popen[bytes], tuple[Channel, Channel]]:
    to_guard, guard_end = Channel.pair()
    to_keeper, keeper_end = Channel.pair()
    guard = subprocess.Popen(
        _python("guard", str(guard_end.fileno()), str(keeper_end.fileno())),
        cwd="/",
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        pass_fds=(guard_end.fileno(), keeper_end.fileno()),
        start_new_session=True,
    )
    guard_end.close()
    keeper_end.close()
    to_guard.send(plan)
    return guard, (to_guard, to_keeper)


def _error(answer: dict[str, Any]) -> TutorError:
    if answer["error"] == "lab.ended":
        return TutorError("lab.ended")
    path, reason = answer["path"], os.strerror(answer["errno"])
    if answer["errno"] in _NO_SPACE:
        return TutorError("lab.no_space", path=path)
    return TutorError(answer["error"], path=path, reason=reason)
