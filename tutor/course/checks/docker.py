"""Checks on the lab's dockerd: the runtimes that it has registered, its containers, its images."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from tutor.course.checks.context import CheckContext, Finding
from tutor.course.checks.registry import Argument, kind
from tutor.course.checks.verdict import Evidence
from tutor.docker.private import runtime_name

if TYPE_CHECKING:
    from collections.abc import Mapping

_STATUSES = ("created", "running", "paused", "exited", "absent")
ENGINE = "{runtime}"


@kind(
    "docker",
    Argument("runtime", "text"),
    Argument("registered", "boolean"),
    Argument("container", "text"),
    Argument("status", "words", known=_STATUSES),
    Argument("exit", "data"),
    Argument("image", "text"),
    one_of=("registered", "container", "image"),
)
def docker(context: CheckContext, arguments: Mapping[str, Any]) -> Finding:
    """Docker has registered a runtime, has a container with this status, runtime and exit code, or has an image.

    `runtime` defaults to `{runtime}`: the name under which the lesson registers its engine.
    """
    if "runtime" in arguments:
        name = arguments["runtime"].replace(ENGINE, runtime_name(context.engine))
        arguments = {**arguments, "runtime": name}
    if "container" in arguments:
        return _container(context, arguments)
    if "image" in arguments:
        return _image(context, arguments["image"])
    name = arguments.get("runtime", runtime_name(context.engine))
    return _runtime(context, name, registered=arguments["registered"])


def _runtime(context: CheckContext, name: str, *, registered: bool) -> Finding:
    words = context.messages
    answer = context.docker("/info")
    known = sorted((answer or {}).get("Runtimes") or {})
    evidence = Evidence(
        words("course.check.docker.runtimes"),
        words("course.check.docker.has" if registered else "course.check.docker.has_not", name=name),
        words("course.check.docker.silent") if answer is None else " ".join(known),
        "docker info --format '{{json .Runtimes}}'",
    )
    return Finding(answer is not None and (name in known) == registered, (evidence,))


def _container(context: CheckContext, arguments: Mapping[str, Any]) -> Finding:
    words, name = context.messages, arguments["container"]
    answer = context.docker(f"/containers/{quote(name, safe='')}/json")
    state = (answer or {}).get("State", {})
    seen = {
        "status": state.get("Status", "absent"),
        "runtime": (answer or {}).get("HostConfig", {}).get("Runtime"),
        "exit": state.get("ExitCode"),
    }
    paths = {"status": ".State.Status", "runtime": ".HostConfig.Runtime", "exit": ".State.ExitCode"}
    wanted = {each: arguments[each] for each in paths if each in arguments}
    evidence, passed = [], answer is not None
    for each, value in (wanted or {"status": _STATUSES[:-1]}).items():
        accepted = value if isinstance(value, tuple) else (value,)
        passed = passed and seen[each] in accepted
        found = str(seen[each]) if answer else words("course.check.docker.absent")
        evidence.append(
            Evidence(
                f"docker inspect {name} {paths[each]}",
                words("course.check.or").join(_say(context, each, one) for one in accepted),
                words("course.check.docker.silent") if answer is None else found,
                f"docker inspect --format '{{{{{paths[each]}}}}}' {name}",
            )
        )
    return Finding(passed, tuple(evidence))


def _say(context: CheckContext, what: str, value: object) -> str:
    absent = what == "status" and value == "absent"
    return context.messages("course.check.docker.absent") if absent else str(value)


def _image(context: CheckContext, reference: str) -> Finding:
    words = context.messages
    answer = context.docker(f"/images/{quote(reference, safe='/:')}/json")
    found = words("course.check.docker.silent") if answer is None else words("course.check.docker.no_image")
    evidence = Evidence(
        words("course.check.docker.images"),
        reference,
        str(answer["Id"])[:19] if answer else found,
        f"docker image ls {reference}",
    )
    return Finding(bool(answer), (evidence,))
