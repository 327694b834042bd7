"""`oci-tutor docker install|uninstall`: the arguments, and what is printed."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING

from tutor.docker.registrar import Registrar
from tutor.docker.registration import NAME
from tutor.errors import TutorError

if TYPE_CHECKING:
    import argparse

    from tutor.docker.registrar import Outcome
    from tutor.messages import Messages

    SubParsers = argparse._SubParsersAction[argparse.ArgumentParser]


def add_arguments(subparsers: SubParsers, messages: Messages) -> None:
    """Add the command `docker` with its two subcommands."""
    text = messages("docker.help.docker", name=NAME)
    docker = subparsers.add_parser("docker", help=text, description=text)
    commands = docker.add_subparsers(
        dest="docker_command", metavar=messages("docker.help.command"), required=True
    )
    for name in ("install", "uninstall"):
        text = messages(f"docker.help.{name}", name=NAME)
        parser = commands.add_parser(name, help=text, description=text)
        parser.add_argument(
            "--daemon-json", type=Path, metavar="FILE", help=messages("docker.help.daemon_json")
        )
        parser.add_argument("--pidfile", type=Path, metavar="FILE", help=messages("docker.help.pidfile"))


def run(args: argparse.Namespace, messages: Messages) -> int:
    """Run `docker` as `args` say and print what was done; return the exit status.

    Raises:
        TutorError: it could not be done, and nothing has been changed.
    """
    try:
        registrar = Registrar.find(args.daemon_json, args.pidfile)
        if args.docker_command == "install":
            lines = _installed(registrar, registrar.install(), _options(args), messages)
        else:
            lines = _uninstalled(registrar, registrar.uninstall(), messages)
    except TutorError as error:
        if "problem" in error.values:  # where the file goes wrong, in the reader's language
            error.values["problem"] = error.values["problem"].located(messages)  # type: ignore[attr-defined]
        raise
    print("\n".join(lines))
    return 0


def _options(args: argparse.Namespace) -> str:
    """Return the options as they have to be given again to take back what was done."""
    given = (("--daemon-json", args.daemon_json), ("--pidfile", args.pidfile))
    return "".join(f" {name} {shlex.quote(str(path))}" for name, path in given if path is not None)


def _installed(registrar: Registrar, outcome: Outcome, options: str, m: Messages) -> list[str]:
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
    client = " ".join(registrar.daemon.command() if registrar.daemon else ["docker"])
    return [*lines, "", m("docker.installed.next", client=client, name=NAME, options=options)]


def _uninstalled(registrar: Registrar, outcome: Outcome, m: Messages) -> list[str]:
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
    """Say what dockerd was told, and what it knows now."""
    if registrar.daemon is None:
        return [m(f"docker.{what}.no_daemon")]
    lines = []
    if outcome.reloaded:
        lines.append(m("docker.reloaded", command=outcome.reloaded, pid=registrar.daemon.pid))
    verdict = {True: "known", False: "unknown", None: "unasked"}[outcome.known]
    return [*lines, m(f"docker.{what}.{verdict}", name=NAME)]
