"""Questions on config.json: its JSON, its version, and members that are absent or wrong."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from tutor.engines.traits.probes.registry import probe
from tutor.engines.trial import PATH

if TYPE_CHECKING:
    from tutor.engines.trial import Trial

_NEW, _NONSENSE = "1.3.0", "nonsense"


def _accepted(trial: Trial, patch: dict[str, Any]) -> str:
    return "accepted" if trial.run(":", patch=patch).ok else "refused"


@probe("json-trailing-comma")
def json_trailing_comma(trial: Trial) -> str:
    """A comma before the last brace."""
    with trial.bundle(text=lambda text: text.rstrip()[:-1] + ",}") as box:
        return "accepted" if box.engine("create").ok else "refused"


@probe("json-nan")
def json_nan(trial: Trial) -> str:
    """NaN, which JSON lacks, as the value of a member that no specification knows."""
    with trial.bundle(text=lambda text: text.rstrip()[:-1] + ', "org.example.extra": NaN}') as box:
        return "accepted" if box.engine("create").ok else "refused"


@probe("json-duplicate-key")
def json_duplicate_key(trial: Trial) -> str:
    """One member of an object twice."""
    names = '"hostname": "first", "hostname": "last"'
    with trial.bundle("uname -n", text=lambda text: f"{text.rstrip()[:-1]}, {names}}}") as box:
        done = box.engine("run")
    if not done.ok:
        return "refused"
    name = done.stdout.strip()
    return name if name in ("first", "last") else "other"


@probe("oci-version")
def oci_version(trial: Trial) -> str:
    """Which values of `ociVersion` are taken?"""
    if not trial.run(":", patch={"ociVersion": _NEW}).ok:
        return "only-1.0"
    return "any" if trial.run(":", patch={"ociVersion": _NONSENSE}).ok else "checked"


@probe("absent-process")
def absent_process(trial: Trial) -> str:
    """`process` is absent, which the specification allows for `create`."""
    with trial.bundle(patch={"process": None}) as box:
        if not box.engine("create").ok:
            return "refused"
        return "starts" if box.engine("start").ok else "created"


@probe("absent-mounts")
def absent_mounts(trial: Trial) -> str:
    """`mounts` is absent."""
    return _static(trial, None)


@probe("without-proc")
def without_proc(trial: Trial) -> str:
    """Nothing is mounted on /proc."""
    return _static(trial, [])


def _static(trial: Trial, mounts: list[Any] | None) -> str:
    # Without mounts the root has no program either: an engine that gets as far as that does not miss /proc.
    # crun makes no /dev of its own.
    patch = {"mounts": mounts, "process": {"args": ["/no/such/program"]}}
    with trial.bundle(patch=patch, files={"rootfs/dev/.keep": ""}) as box:
        created = box.engine("create")
        done = box.engine("start") if created.ok else created
    text = (created.stdout + created.stderr + done.stdout + done.stderr).lower()
    return "accepted" if done.ok or "/no/such/program" in text else "refused"


@probe("string-limit")
def string_limit(trial: Trial) -> str:
    """A number written as a string: `"limit": "32M"`."""
    return _ignored(trial, {"linux": {"resources": {"memory": {"limit": "32M"}}}})


@probe("duplicate-namespace")
def duplicate_namespace(trial: Trial) -> str:
    """One type of namespace twice."""
    kinds = [{"type": each} for each in ("mount", "pid", "uts", "uts")]
    return _accepted(trial, {"linux": {"namespaces": kinds}})


@probe("empty-namespace-path")
def empty_namespace_path(trial: Trial) -> str:
    """A namespace whose path is an empty string."""
    kinds = [{"type": "mount"}, {"type": "pid"}, {"type": "uts", "path": ""}]
    return _accepted(trial, {"linux": {"namespaces": kinds}})


@probe("relative-namespace-path")
def relative_namespace_path(trial: Trial) -> str:
    """A namespace whose path is relative."""
    kinds = [{"type": "mount"}, {"type": "pid"}, {"type": "uts", "path": "proc/self/ns/uts"}]
    with trial.bundle(patch={"linux": {"namespaces": kinds}}) as box:
        argv = trial.engine.argv("create", box.id, (f"--bundle={box.path}",))
        # From /, as well as from the bundle: an engine may go into it first.
        (box.inside / "proc").symlink_to("/proc")
        return "accepted" if trial.command(argv, cwd=box.path).ok else "refused"


@probe("unknown-member")
def unknown_member(trial: Trial) -> str:
    """A member that no specification knows; config.md says that it must be ignored."""
    return _accepted(trial, {"org.example.extra": {"a": 1}})


def _ignored(trial: Trial, patch: dict[str, Any]) -> str:
    return "ignored" if trial.run(":", patch=patch).ok else "refused"


@probe("json-comment")
def json_comment(trial: Trial) -> str:
    """A comment, which JSON lacks."""
    with trial.bundle(text=lambda text: f"/* {json.dumps(PATH)} */{text}") as box:
        return "accepted" if box.engine("create").ok else "refused"
