"""`oci-tutor docker install|uninstall`."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING

from tutor.errors import TutorError

if TYPE_CHECKING:
    import argparse

    from tutor.messages import Messages


def add_arguments(parser: argparse.ArgumentParser, messages: Messages) -> None:
    """Add the two subcommands of `docker` and their arguments."""
    commands = parser.add_subparsers(
        dest="docker_command", metavar=messages("docker.help.command"), required=True
    )
    for name in ("install", "uninstall"):
        text = messages(f"docker.help.{name}")
        own = commands.add_parser(name, help=text, description=text)
        own.add_argument("--daemon-json", type=Path, metavar="FILE", help=messages("docker.help.daemon_json"))
        own.add_argument("--pidfile", type=Path, metavar="FILE", help=messages("docker.help.pidfile"))


def run(arguments: argparse.Namespace, messages: Messages) -> int:
    """Register `runt` in Docker or unregister it; print what was done and return the exit status.

    Raises:
        TutorError: it failed, and nothing was changed.
    """
    from tutor.docker.registrar import Registrar
    from tutor.docker.report import installed, uninstalled

    try:
        registrar = Registrar.find(arguments.daemon_json, arguments.pidfile)
        if arguments.docker_command == "install":
            lines = installed(registrar, registrar.install(), _options(arguments), messages)
        else:
            lines = uninstalled(registrar, registrar.uninstall(), messages)
    except TutorError as error:
        if "problem" in error.values:  # the error's place in the file, in the user's language
            error.values["problem"] = error.values["problem"].located(messages)  # type: ignore[attr-defined]
        raise
    print("\n".join(lines))
    return 0


def _options(arguments: argparse.Namespace) -> str:
    """Return the options that `docker uninstall` needs to find the same daemon.json."""
    given = (("--daemon-json", arguments.daemon_json), ("--pidfile", arguments.pidfile))
    return "".join(f" {name} {shlex.quote(str(path))}" for name, path in given if path is not None)
