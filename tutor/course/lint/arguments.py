"""The arguments of `oci-tutor lint`, apart from what it does: `--help` needs no lessons."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import argparse

    from tutor.messages import Messages

    SubParsers = argparse._SubParsersAction[argparse.ArgumentParser]


def add_arguments(subparsers: SubParsers, messages: Messages) -> None:
    """Add the command `lint`."""
    text = messages("lint.help.lint")
    parser = subparsers.add_parser("lint", help=text, description=text)
    parser.add_argument("path", type=Path, nargs="?", metavar="PATH", help=messages("lint.help.path"))
    parser.add_argument("--stamp", nargs="*", metavar="LESSON", help=messages("lint.help.stamp"))
    parser.add_argument("--schema", type=Path, metavar="DIR", help=messages("lint.help.schema"))
