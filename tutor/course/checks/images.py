"""Checks on images: the digests of files, of descriptors, and of whole images."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tutor.course.checks.config import look_up
from tutor.course.checks.context import CheckContext, Finding
from tutor.course.checks.registry import Argument, kind
from tutor.course.checks.verdict import Evidence
from tutor.home import shell_word, shown
from tutor.images.errors import ImageError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

_DESCRIPTOR = (Argument("file", "text", required=True), Argument("pointer", "text", required=True))
_FORMS = ("docker-archive", "oci-layout")


@kind(
    "digest",
    Argument("path", "text"),
    Argument("equals", "text"),
    Argument("named", "boolean"),
    Argument("descriptor", "record", members=_DESCRIPTOR),
    Argument("layout", "text"),
    Argument("intact", "boolean"),
    one_of=("equals", "named", "descriptor"),
)
def digest(context: CheckContext, arguments: Mapping[str, Any]) -> Finding:
    """The SHA-256 of a file is this, or is (or is not) its name; or a blob matches (or does not match) its descriptor.

    `descriptor` is `{file, pointer}`: its place, as JSON. Its blob is in `layout`.
    """
    if "descriptor" in arguments:
        return _descriptor(context, arguments)
    path = _place(context, arguments.get("path", ""))
    found = _digest_of(path)
    passed = found is not None
    expected = []
    if "equals" in arguments:
        passed = passed and found == arguments["equals"]
        expected.append(arguments["equals"])
    if "named" in arguments:
        passed = passed and (found == f"sha256:{path.name.split('.')[0]}") == arguments["named"]
        key = "named" if arguments["named"] else "not_named"
        expected.append(context.messages(f"course.check.digest.{key}"))
    said = found or context.messages("course.check.file.absent")
    joined = context.messages("course.check.and").join(expected)
    return Finding(passed, (Evidence(shown(path), joined, said, f"sha256sum {shown(path)}"),))


def _descriptor(context: CheckContext, arguments: Mapping[str, Any]) -> Finding:
    from tutor.images.digests import hex_of, parse_json

    words = context.messages
    file, pointer = arguments["descriptor"]["file"], arguments["descriptor"]["pointer"]
    expected = words(
        "course.check.image.intact" if arguments.get("intact", True) else "course.check.image.broken"
    )
    try:
        value = look_up(parse_json(_place(context, file).read_bytes()), pointer)
    except (OSError, ValueError):
        value = None
    members = value if isinstance(value, dict) else {}
    named = hex_of(str(members.get("digest")))
    if named is None:
        found = words("course.check.digest.no_descriptor")
        return Finding(
            False,
            (
                Evidence(
                    f"{file} {pointer}", expected, found, f"cat {shell_word(shown(_place(context, file)))}"
                ),
            ),
        )
    blob = _place(context, arguments.get("layout", ".")) / "blobs" / "sha256" / named
    digest_found = _digest_of(blob)
    size = blob.stat().st_size if digest_found else -1
    intact = digest_found == members["digest"] and size == members.get("size")
    found = (
        words("course.check.digest.blob", digest=digest_found, size=size)
        if digest_found
        else words("course.check.file.absent")
    )
    passed = digest_found is not None and intact == arguments.get("intact", True)
    return Finding(
        passed, (Evidence(f"{file} {pointer}", expected, found, f"sha256sum {shell_word(shown(blob))}"),)
    )


@kind(
    "image",
    Argument("path", "text", required=True),
    Argument("form", "word", known=_FORMS),
    Argument("ref", "text"),
    Argument("intact", "boolean"),
    one_of=("form", "ref", "intact"),
)
def image(context: CheckContext, arguments: Mapping[str, Any]) -> Finding:
    """A path is an image of this form with this name, all of whose digests match (or do not).

    `ref` is a layout's ref, or an archive's tag (`3.9` of `alpine:3.9`).
    """
    words = context.messages
    path, ref = _place(context, arguments["path"]), arguments.get("ref")
    form = arguments.get("form") or ("oci-layout" if path.is_dir() else "docker-archive")
    expected = [form, *([words("course.check.image.named", ref=ref)] if ref else [])]
    if "intact" in arguments:
        expected.append(
            words("course.check.image.intact" if arguments["intact"] else "course.check.image.broken")
        )
    named = f"{shown(path)}:{ref}" if ref and form == "oci-layout" else shown(path)
    passed, found = _look(context, path, form, ref, arguments.get("intact"))
    joined = words("course.check.and").join(expected)
    return Finding(passed, (Evidence(shown(path), joined, found, f"oci-tutor image verify {named}"),))


def _look(
    context: CheckContext, path: Path, form: str, ref: str | None, intact: bool | None
) -> tuple[bool, str]:
    """Return whether an image is as required, and what was found."""
    from tutor.images.docker_archive import DockerArchive
    from tutor.images.layout import Layout
    from tutor.images.verify import verify_archive, verify_layout

    words = context.messages
    if not path.exists():
        return False, words("course.check.file.absent")
    try:
        if form == "oci-layout":
            layout = Layout(path)
            if ref is not None and ref not in layout.refs():
                return False, words("course.check.image.names", names=", ".join(layout.refs()) or "-")
        else:
            with DockerArchive.open(path) as archive:
                tags = archive.tags
            if ref is not None and ref not in [tag.rpartition(":")[2] for tag in tags]:
                return False, words("course.check.image.names", names=", ".join(tags) or "-")
    except ImageError as error:
        return False, error.render(words)[0]
    try:
        found = verify_layout(path, ref) if form == "oci-layout" else verify_archive(path)
    except ImageError as error:
        return intact is False, error.render(words)[0]
    return intact is not False, words("course.check.image.is", id=found.image_id)


def _place(context: CheckContext, path: str) -> Path:
    return (context.directory or context.bundle) / path


def _digest_of(path: Path) -> str | None:
    from tutor.images.digests import HashingWriter, chunks

    writer = HashingWriter()
    try:
        with path.open("rb") as file:
            for chunk in chunks(file):
                writer.write(chunk)
    except OSError:
        return None
    return writer.digest
