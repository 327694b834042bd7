"""Checks on mounts: in the container, or in the lab's mount namespace."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tutor.course.checks.registry import Argument, kind
from tutor.course.checks.tally import CONTAINER, Tally, living, no_process
from tutor.home import shell_word

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tutor.course.checks.context import CheckContext, Finding
    from tutor.messages import Messages
    from tutor.observe import Mount

# The word of mount(8) to the optional field of /proc/PID/mountinfo.
_PROPAGATION = {"private": "private", "shared": "shared:", "slave": "master:", "unbindable": "unbindable"}
_QUALITIES = ("type", "source", "options", "lacks", "super_options", "propagation", "root")


@kind(
    "mount",
    Argument("target", "text", required=True),
    Argument("type", "text"),
    Argument("source", "text"),
    Argument("options", "texts"),
    Argument("lacks", "texts"),
    Argument("super_options", "texts"),
    Argument("propagation", "word", known=tuple(_PROPAGATION)),
    Argument("root", "text"),
    Argument("absent", "boolean"),
    Argument("host", "boolean"),
    CONTAINER,
)
def mount(context: CheckContext, arguments: Mapping[str, Any]) -> Finding:
    """In the container a mount (of this filesystem type, with these options ...) is on a target, or none is (`absent`).

    - `options` are those of the mount (`ro`, `nosuid`), `super_options` those of the filesystem; `lacks` names options that neither
      has.
    - `root`: the part of the filesystem that is mounted; that of a bind mount ends in the path that was bound.
    - `host`: the lab's mounts, to which a container without a mount namespace adds its own.

    Of several mounts on one target the last counts: it covers the others.
    """
    context = context.about(arguments.get("container"))
    words, target, tally = context.messages, arguments["target"], Tally()
    absent = arguments.get("absent", False)
    asked = [name for name in _QUALITIES if name in arguments]
    expected = words("course.check.mount.absent" if absent else "course.check.mount.present")
    if asked and not absent:
        expected = _expected(words, arguments, asked)
    if arguments.get("host", False):
        mounts, path = context.snapshot.host.mounts if context.snapshot else (), "/proc/self/mountinfo"
    else:
        view = living(context)
        if view is None:
            return no_process(context, f"/proc/PID/mountinfo {target}", expected)
        mounts, path = view.mounts, f"/proc/{view.pid}/mountinfo"
    here = [each for each in mounts if each.target == target]
    top = here[-1] if here else None
    matches = top is not None and all(_holds(top, name, arguments[name]) for name in asked)
    found = _show(top, asked) if top else words("course.check.mount.absent")
    tally.add(
        matches != absent, f"{path} {target}", expected, found, f"grep {shell_word(f' {target} ')} {path}"
    )
    return tally.finding


def _holds(mount: Mount, name: str, wanted: Any) -> bool:
    match name:
        case "type":
            return bool(mount.fstype == wanted)
        case "source":
            return bool(mount.source == wanted)
        case "options":
            return set(wanted) <= set(mount.options)
        case "super_options":
            return set(wanted) <= set(mount.super_options)
        case "lacks":
            return not set(wanted) & {*mount.options, *mount.super_options}
        case "propagation":
            return any(each.startswith(_PROPAGATION[wanted]) for each in mount.propagation)
        case _:
            return mount.root == wanted or mount.root.endswith(f"/{wanted.strip('/')}")


def _expected(words: Messages, arguments: Mapping[str, Any], asked: list[str]) -> str:
    parts = []
    for name in asked:
        value = arguments[name]
        shown = ",".join(value) if isinstance(value, tuple) else str(value)
        if name == "type":
            parts.append(words("course.check.mount.of_type", type=shown))
        elif name == "lacks":
            parts.append(words("course.check.lacks", value=shown))
        else:
            parts.append(f"{name} = {shown}")
    return words("course.check.and").join(parts)


def _show(mount: Mount, asked: list[str]) -> str:
    options = list(mount.options)
    if {"super_options", "lacks"} & set(asked):
        options += [each for each in mount.super_options if each not in options]
    text = f"{mount.fstype} ({','.join(options)})"
    for name in ("source", "root"):
        if name in asked:
            text += f", {name} = {getattr(mount, name)}"
    return f"{text}, {','.join(mount.propagation)}" if "propagation" in asked else text
