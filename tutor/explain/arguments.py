"""The command line of `oci-tutor explain`."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import argparse

    from tutor.messages import Messages


def add_arguments(commands: argparse._SubParsersAction[argparse.ArgumentParser], messages: Messages) -> None:
    """Add the subcommand."""
    text = messages("cli.explain.help")
    parser = commands.add_parser("explain", help=text, description=messages("cli.explain.description"))
    parser.add_argument("what", metavar="WHAT", nargs="*", help=messages("cli.explain.what"))
    place = parser.add_mutually_exclusive_group()
    place.add_argument("--bundle", "-b", metavar="DIR", help=messages("cli.explain.bundle"))
    place.add_argument("--config", metavar="FILE", help=messages("cli.explain.config"))
