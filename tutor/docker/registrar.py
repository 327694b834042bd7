"""Install and uninstall: change the file, then make the daemon read it; return what was done."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from tutor.docker import daemon as dockerd
from tutor.docker import launcher
from tutor.docker.daemon import Daemon
from tutor.docker.registration import NAME, Registration
from tutor.errors import TutorError
from tutor.home import command_line
from tutor.lazy_dataclass import dataclass

if TYPE_CHECKING:
    from typing import Self


@dataclass(frozen=True, slots=True)
class Outcome:
    """What was done.

    Attributes:
        changed: whether daemon.json was changed (False: it was as wanted already).
        restored: whether daemon.json is now what it was before install, byte by byte.
        reloaded: the command that made dockerd read it again; empty if no dockerd that reads this file runs.
        known: whether dockerd now knows the runtime; None if it could not be asked.
        orphans: the containers that were created with the runtime and cannot be started without it.
    """

    changed: bool
    restored: bool = False
    reloaded: str = ""
    known: bool | None = None
    orphans: tuple[str, ...] = ()


class Registrar:
    """A Docker, the machine's or a test's, and its daemon.json."""

    def __init__(self, registration: Registration, daemon: Daemon | None) -> None:
        self.registration = registration
        self.daemon = daemon

    @classmethod
    def find(cls, daemon_json: Path | None, pidfile: Path | None) -> Self:
        """Return the registrar for a daemon.json: the one named, else the running dockerd's, else Docker's default one.

        Raises:
            TutorError: `docker.missing` (no Docker here, and no file was named).
        """
        daemon = Daemon.find(pidfile or dockerd.PIDFILE)
        if daemon_json is None and daemon is None and not dockerd.installed():
            raise TutorError("docker.missing")
        registration = Registration(daemon_json or (daemon.config() if daemon else dockerd.CONFIG))
        if daemon is not None and Path(os.path.realpath(daemon.config())) != registration.path:
            daemon = None  # it reads another file
        return cls(registration, daemon)

    def install(self) -> Outcome:
        """Register `runt` and make dockerd know it.

        Raises:
            TutorError: nothing has been changed.
        """
        if self.daemon is not None and self.daemon.flags("--add-runtime"):
            # dockerd takes `runtimes` from its flags or from the file; with both it does not start.
            raise TutorError(
                "docker.flags", flags=command_line(self.daemon.flags("--add-runtime")), name=NAME
            )
        with self.registration.locked():
            changed = self._register()
            if self.daemon is None or (not changed and NAME in (self.daemon.runtimes() or {})):
                return Outcome(changed, known=None if self.daemon is None else True)
            reloaded = self.daemon.reload()
            known = self.daemon.wait_until(NAME, known=True)
            if known is False and changed:
                self._undo(self.registration.final())
                raise TutorError("docker.refused", path=self.registration.path, pid=self.daemon.pid)
            return Outcome(changed, reloaded=reloaded, known=known)

    def _register(self) -> bool:
        """Write the launcher, then its entry. Raises TutorError; then both are as they were before."""
        self.registration.check()
        before = self.registration.record()
        path = launcher.install()
        try:
            return self.registration.install(path)
        except BaseException:
            if before is None:
                launcher.uninstall()
            raise

    def uninstall(self) -> Outcome:
        """Remove the registration.

        Raises:
            TutorError: nothing has been changed.
        """
        registration = self.registration
        with registration.locked():
            file = registration.check()
            entry = file.runtime(NAME)
            if entry is None and registration.record() is None:
                return Outcome(changed=False)
            if entry is not None and file.setting("default-runtime") == NAME:
                raise TutorError("docker.is_default", path=registration.path, name=NAME)
            orphans = self._stopped_containers()
            final = registration.final()
            reloaded, known = self._make_daemon_forget()
            restored = registration.is_restored_by(final)
            self._undo(final)
            return Outcome(True, restored, reloaded, known, orphans)

    def _undo(self, final: bytes | None) -> None:
        self.registration.restore(final)
        # The machine's own Docker may use it, too: all use the same launcher.
        usual = Registration(dockerd.CONFIG)
        if usual.path == self.registration.path or usual.record() is None:
            launcher.uninstall()
        self.registration.forget()

    def _stopped_containers(self) -> tuple[str, ...]:
        """Return the containers that name the runtime. Raises TutorError if one of them is running and needs it."""
        containers = self.daemon.containers(NAME) if self.daemon is not None else {}
        if running := [name for name, is_running in containers.items() if is_running]:
            assert self.daemon is not None  # noqa: S101  (without a daemon there are none)
            remove = command_line(self.daemon.command("rm", "--force", *running))
            raise TutorError("docker.in_use", names=", ".join(running), remove=remove)
        return tuple(containers)

    def _make_daemon_forget(self) -> tuple[str, bool | None]:
        """Make dockerd forget the runtime, by a daemon.json with a list of runtimes that lacks it."""
        if self.daemon is None:
            return "", None
        self.registration.forget_first()
        return self.daemon.reload(), self.daemon.wait_until(NAME, known=False)
