"""Questions on config.json: its JSON, its version, and members that are absent or wrong."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from tutor.engines.traits.bench import PATH
from tutor.engines.traits.probes.registry import probe

if TYPE_CHECKING:
    from tutor.engines.traits.bench import Bench

_NEW, _NONSENSE = "1.3.0", "nonsense"


def _accepted(bench: Bench, patch: dict[str, Any]) -> str:
    return "accepted" if bench.run(":", patch=patch).ok else "refused"


@probe("json-trailing-comma")
def json_trailing_comma(bench: Bench) -> str:
    """A comma before the last brace."""
    with bench.bundle(text=lambda text: text.rstrip()[:-1] + ",}") as box:
        return "accepted" if box.engine("create").ok else "refused"


@probe("json-nan")
def json_nan(bench: Bench) -> str:
    """NaN, which JSON lacks, as the value of a member that no specification knows."""
    with bench.bundle(text=lambda text: text.rstrip()[:-1] + ', "org.example.extra": NaN}') as box:
        return "accepted" if box.engine("create").ok else "refused"


@probe("json-duplicate-key")
def json_duplicate_key(bench: Bench) -> str:
    """One member of an object twice."""
    names = '"hostname": "first", "hostname": "last"'
    with bench.bundle("uname -n", text=lambda text: f"{text.rstrip()[:-1]}, {names}}}") as box:
        done = box.engine("run")
    if not done.ok:
        return "refused"
    name = done.stdout.strip()
    return name if name in ("first", "last") else "other"


@probe("oci-version")
def oci_version(bench: Bench) -> str:
    """Which values of `ociVersion` are taken?"""
    if not bench.run(":", patch={"ociVersion": _NEW}).ok:
        return "only-1.0"
    return "any" if bench.run(":", patch={"ociVersion": _NONSENSE}).ok else "checked"


@probe("absent-process")
def absent_process(bench: Bench) -> str:
    """`process` is absent, which the specification allows for `create`."""
    with bench.bundle(patch={"process": None}) as box:
        if not box.engine("create").ok:
            return "refused"
        return "starts" if box.engine("start").ok else "created"


@probe("absent-mounts")
def absent_mounts(bench: Bench) -> str:
    """`mounts` is absent."""
    return _static(bench, None)


@probe("without-proc")
def without_proc(bench: Bench) -> str:
    """Nothing is mounted on /proc."""
    return _static(bench, [])


def _static(bench: Bench, mounts: list[Any] | None) -> str:
    # Without mounts the root has no program either: an engine that gets as far as that does not miss /proc.
    with bench.bundle(patch={"mounts": mounts, "process": {"args": ["/no/such/program"]}}) as box:
        created = box.engine("create")
        done = box.engine("start") if created.ok else created
    text = (created.stdout + created.stderr + done.stdout + done.stderr).lower()
    return "accepted" if done.ok or "/no/such/program" in text else "refused"


@probe("string-limit")
def string_limit(bench: Bench) -> str:
    """A number written as a string: `"limit": "32M"`."""
    return _ignored(bench, {"linux": {"resources": {"memory": {"limit": "32M"}}}})


@probe("duplicate-namespace")
def duplicate_namespace(bench: Bench) -> str:
    """One type of namespace twice."""
    kinds = [{"type": each} for each in ("mount", "pid", "uts", "uts")]
    return _accepted(bench, {"linux": {"namespaces": kinds}})


@probe("empty-namespace-path")
def empty_namespace_path(bench: Bench) -> str:
    """A namespace whose path is an empty string."""
    kinds = [{"type": "mount"}, {"type": "pid"}, {"type": "uts", "path": ""}]
    return _accepted(bench, {"linux": {"namespaces": kinds}})


@probe("relative-namespace-path")
def relative_namespace_path(bench: Bench) -> str:
    """A namespace whose path is relative."""
    kinds = [{"type": "mount"}, {"type": "pid"}, {"type": "uts", "path": "proc/self/ns/uts"}]
    with bench.bundle(patch={"linux": {"namespaces": kinds}}) as box:
        argv = bench.engine.argv("create", box.id, (f"--bundle={box.path}",))
        # From /, as well as from the bundle: an engine may go into it first.
        (box.inside / "proc").symlink_to("/proc")
        return "accepted" if bench.command(argv, cwd=box.path).ok else "refused"


@probe("unknown-member")
def unknown_member(bench: Bench) -> str:
    """A member that no specification knows; config.md says that it must be ignored."""
    return _accepted(bench, {"org.example.extra": {"a": 1}})


def _ignored(bench: Bench, patch: dict[str, Any]) -> str:
    return "ignored" if bench.run(":", patch=patch).ok else "refused"


@probe("json-comment")
def json_comment(bench: Bench) -> str:
    """A comment, which JSON lacks."""
    with bench.bundle(text=lambda text: f"/* {json.dumps(PATH)} */{text}") as box:
        return "accepted" if box.engine("create").ok else "refused"
