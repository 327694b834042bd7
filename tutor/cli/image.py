"""`oci-tutor image build|convert|unpack|verify|fetch`."""

from __future__ import annotations

import os
import signal
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator

    from tutor.messages import Messages

    SubParsers = argparse._SubParsersAction[argparse.ArgumentParser]

_TAG = "mini:latest"
_REFERENCE = "docker://alpine:3.9"
_SOURCES = ("auto", "busybox", "tools")
_STYLES = ("full", "minimal")


def add_arguments(parser: argparse.ArgumentParser, messages: Messages) -> None:
    """Add the subcommands of `image` and their arguments."""
    commands = parser.add_subparsers(
        dest="image_command", metavar=messages("images.help.command"), required=True
    )

    parser = _command(commands, messages, "build")
    parser.add_argument(
        "-o", "--output", type=Path, required=True, metavar="FILE", help=messages("images.help.output")
    )
    parser.add_argument("-t", "--tag", default=_TAG, help=messages("images.help.tag", default=_TAG))
    parser.add_argument(
        "--from", dest="source", choices=_SOURCES, default="auto", help=messages("images.help.source")
    )
    parser = _command(commands, messages, "convert")
    parser.add_argument("archive", metavar="ARCHIVE[:NAME]", help=messages("images.help.archive"))
    parser.add_argument("layout", metavar="LAYOUT[:REF]", help=messages("images.help.new_layout"))

    parser = _command(commands, messages, "unpack")
    parser.add_argument("image", metavar="LAYOUT[:REF]|ARCHIVE", help=messages("images.help.image"))
    parser.add_argument("bundle", type=Path, metavar="BUNDLE", help=messages("images.help.bundle"))
    parser.add_argument("--config", choices=_STYLES, default="full", help=messages("images.help.config"))

    text = messages("images.help.verify")
    parser = commands.add_parser("verify", help=text, description=text)
    parser.add_argument("image", metavar="LAYOUT[:REF]|ARCHIVE", help=messages("images.help.verified"))

    text = messages("images.help.fetch")
    parser = commands.add_parser("fetch", help=text, description=text)
    parser.add_argument(
        "reference", nargs="?", metavar="IMAGE", help=messages("images.help.reference", default=_REFERENCE)
    )


def _command(commands: SubParsers, messages: Messages, name: str) -> argparse.ArgumentParser:
    text = messages(f"images.help.{name}")
    parser = commands.add_parser(name, help=text, description=text)
    parser.add_argument("--force", action="store_true", help=messages("images.help.force"))
    return parser


def run(arguments: argparse.Namespace, messages: Messages) -> int:
    """Do what a subcommand of `image` says, and print the result; return the exit status: 0, 130 after Ctrl-C.

    Raises:
        ImageError: the image, an archive, a layout or a bundle can't be made or used.
    """
    try:
        with _ended_by_signals():
            does = {
                "build": _build,
                "convert": _convert,
                "unpack": _unpack,
                "verify": _verify,
                "fetch": _fetch,
            }
            lines = does[arguments.image_command](arguments, messages)
    except KeyboardInterrupt:
        print(f"oci-tutor: {messages('images.interrupted')}", file=sys.stderr)
        return 128 + signal.SIGINT
    return _print(lines)


def _build(arguments: argparse.Namespace, messages: Messages) -> list[str]:
    from tutor.images.mini import build

    image = build(arguments.output, tag=arguments.tag, source=arguments.source, replace=arguments.force)
    if image.programs.kind == "busybox":
        origin = messages("images.built.busybox", path=image.programs.paths["busybox"])
    else:
        origin = messages(
            "images.built.tools", count=len(image.programs.paths), path=image.programs.paths["sh"]
        )
    return [
        messages("images.built.title", path=arguments.output, tag=image.tag, architecture=image.architecture),
        origin,
        messages("images.built.image_id", digest=image.image_id),
        *(
            messages("images.built.layer", number=number, digest=layer.diff_id, size=layer.size)
            for number, layer in enumerate(image.layers, 1)
        ),
        messages("images.built.next", path=arguments.output, name=image.tag.replace("/", "-")),
    ]


def _convert(arguments: argparse.Namespace, messages: Messages) -> list[str]:
    from tutor.images.convert import convert
    from tutor.images.reference import find_image, new_layout

    source, target = find_image(arguments.archive), new_layout(arguments.layout)
    layout = target.path
    image = convert(source.path, layout, name=source.ref, ref=target.ref, replace=arguments.force)
    lines = [
        messages("images.converted.title", archive=arguments.archive, layout=layout, ref=image.ref),
        messages("images.converted.manifest", digest=image.manifest),
        messages("images.converted.config", digest=image.config),
    ]
    for number, layer in enumerate(image.layers, 1):
        lines.append(messages("images.converted.layer", number=number, digest=layer.digest, size=layer.size))
        lines.append(messages("images.converted.diff_id", digest=layer.diff_id))
    lines.append(messages("images.converted.next", layout=layout, ref=image.ref))
    return lines


def _unpack(arguments: argparse.Namespace, messages: Messages) -> list[str]:
    from tutor.images.image_source import open_image
    from tutor.images.reference import find_image
    from tutor.images.unpack import unpack_image

    with open_image(find_image(arguments.image)) as image:
        unpacked = unpack_image(image, arguments.bundle, config=arguments.config, replace=arguments.force)
    lines = [messages("images.unpacked.title", image=arguments.image, bundle=arguments.bundle)]
    if image.manifest:
        lines.append(messages("images.converted.manifest", digest=image.manifest))
    lines.append(messages("images.converted.config", digest=image.image_id))
    lines += [
        messages("images.unpacked.layer", number=number, digest=digest)
        for number, digest in enumerate(image.layers, 1)
    ]
    lines += [
        messages(f"images.notice.{notice.code}", count=notice.count, example=notice.example)
        for notice in unpacked.notices
    ]
    if unpacked.foreign:
        lines.append(messages("images.notice.foreign", architecture=unpacked.foreign))
    lines.append(messages(f"images.unpacked.{arguments.config}", bundle=arguments.bundle))
    return lines


def _verify(arguments: argparse.Namespace, messages: Messages) -> list[str]:
    from tutor.images.verify import verify

    transport, found = verify(arguments.image)
    return [
        messages(
            f"images.verified.{transport.replace('-', '_')}",
            image=arguments.image,
            names=", ".join(found.names) or "-",
        ),
        messages("images.built.image_id", digest=found.image_id),
        *(
            messages("images.verified.layer", number=number, digest=digest)
            for number, digest in enumerate(found.diff_ids, 1)
        ),
    ]


def _fetch(arguments: argparse.Namespace, messages: Messages) -> list[str]:
    from tutor.home import Home
    from tutor.images.alpine import MINI, REF, VARIABLE, fetch
    from tutor.images.fetching import Patience
    from tutor.images.layout import Layout

    def tell(command: str) -> None:
        print(f"$ {command}", file=sys.stderr, flush=True)

    asked = os.environ.get(VARIABLE, "")
    reference = arguments.reference or (asked if asked != MINI else "") or _REFERENCE
    fetched = fetch(Home.default().cache, reference, Patience(None, tell))
    image = Layout(fetched.layout).image(REF)
    return [
        messages("images.fetched.title", reference=reference, path=fetched.folder),
        messages("images.fetched.is", image=fetched.origin.phrase(messages)),
        messages("images.converted.manifest", digest=image.manifest.digest),
        messages("images.converted.config", digest=image.config_descriptor.digest),
        *(
            messages("images.fetched.layer", number=number, digest=layer.digest)
            for number, layer in enumerate(image.layers, 1)
        ),
        messages("images.fetched.next"),
    ]


@contextmanager
def _ended_by_signals() -> Iterator[None]:
    """Let SIGTERM and SIGHUP end the block with an exception, as Ctrl-C does, so that it cleans up."""

    def stop(number: int, _: object) -> None:
        raise SystemExit(128 + number)

    before = {number: signal.signal(number, stop) for number in (signal.SIGTERM, signal.SIGHUP)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _print(lines: list[str]) -> int:
    """Print the lines. A closed pipe (`| head -1`) is not a failure: the output has been made."""
    try:
        print("\n".join(lines), flush=True)
    except BrokenPipeError:
        # Otherwise the interpreter prints an error when it flushes at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 0
