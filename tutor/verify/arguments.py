"""The arguments of `oci-tutor verify`: apart from the command, so that `--help` does not load what plays lessons."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import argparse

    from tutor.messages import Messages

    SubParsers = argparse._SubParsersAction[argparse.ArgumentParser]


def add_arguments(subparsers: SubParsers, messages: Messages) -> None:
    """Add the command `verify`."""
    text = messages("verify.help.verify")
    parser = subparsers.add_parser("verify", help=text, description=text)
    parser.add_argument(
        "lessons", nargs="*", metavar=messages("cli.lesson"), help=messages("verify.help.lessons")
    )
    parser.add_argument(
        "--jobs", type=int, default=_default_jobs(), metavar="N", help=messages("verify.help.jobs")
    )


def _default_jobs() -> int:
    # Much of playing a lesson is waiting for a process to come to a state.
    return min(8, 2 * (os.cpu_count() or 1))
