"""What `docker install` and `docker uninstall` did, as lines to print."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tutor.docker.registration import NAME
from tutor.home import command_line

if TYPE_CHECKING:
    from tutor.docker.registrar import Outcome, Registrar
    from tutor.messages import Messages


def installed(registrar: Registrar, outcome: Outcome, options: str, m: Messages) -> list[str]:
    """Return what was installed; `options` are those that `docker uninstall` needs."""
    registration = registrar.registration
    file = registration.read()
    values = {"name": NAME, "path": registration.path}
    lines = [m("docker.installed.title" if outcome.changed else "docker.installed.already", **values)]
    if outcome.changed:
        record = registration.record()
        lines.append(m("docker.installed.file", **values))
        if record is not None and record.existed:
            lines.append(m("docker.installed.backup", path=registration.backup))
        lines.append(m("docker.installed.record", path=registration.record_file))
    entry = file.runtime(NAME)
    lines.append(m("docker.installed.launcher", path=entry["path"] if isinstance(entry, dict) else ""))
    lines += _reloaded(registrar, outcome, "installed", m)
    client = command_line(registrar.daemon.command() if registrar.daemon else ["docker"])
    return [*lines, "", m("docker.installed.next", client=client, name=NAME, options=options)]


def uninstalled(registrar: Registrar, outcome: Outcome, m: Messages) -> list[str]:
    """Return what was uninstalled."""
    path = registrar.registration.path
    if not outcome.changed:
        return [m("docker.uninstalled.already", name=NAME, path=path)]
    how = "edited" if not outcome.restored else "restored" if path.exists() else "removed"
    lines = [
        m("docker.uninstalled.title", name=NAME),
        m(f"docker.uninstalled.{how}", path=path, name=NAME),
        m("docker.uninstalled.cleaned", record=registrar.registration.record_file.name, path=path.parent),
        *_reloaded(registrar, outcome, "uninstalled", m),
    ]
    if outcome.orphans:
        lines += ["", m("docker.uninstalled.orphans", names=", ".join(outcome.orphans), name=NAME)]
    return lines


def _reloaded(registrar: Registrar, outcome: Outcome, what: str, m: Messages) -> list[str]:
    """Return how dockerd was made to reload, and whether it knows the runtime now."""
    if registrar.daemon is None:
        return [m(f"docker.{what}.no_daemon")]
    lines = []
    if outcome.reloaded:
        lines.append(m("docker.reloaded", command=outcome.reloaded, pid=registrar.daemon.pid))
    verdict = {True: "known", False: "unknown", None: "unasked"}[outcome.known]
    return [*lines, m(f"docker.{what}.{verdict}", name=NAME)]
