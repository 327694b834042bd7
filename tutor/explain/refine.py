"""Makes a finding more precise, by `config.json` and by the files on disk."""

from __future__ import annotations

import re
import signal
from dataclasses import replace
from typing import TYPE_CHECKING

from tutor.explain.bundle import kind_of
from tutor.explain.model import Finding
from tutor.explain.programs import look_at_program, search_path
from tutor.explain.seen import (
    devices_forbidden,
    look_at_hook,
    namespace_kind,
    namespace_of_sysctl,
    near_directory,
    near_type,
    read_only_root,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from tutor.configfile import Problem
    from tutor.explain.bundle import Bundle
    from tutor.explain.model import Failure, Values


_MAKES_IN_ROOT = re.compile(
    r"(?:mkdir\w*|mknod\w*|creat\w+|symlink|ptmx|make device)(?:(?!/sys/|/proc/).)*read-only file system",
    re.IGNORECASE,
)


def refine(finding: Finding, failure: Failure, bundle: Bundle) -> Finding:
    """Return a more precise finding, or the same one."""
    if _MAKES_IN_ROOT.search(failure.said) and (read_only := read_only_root(bundle)):
        mount, kind = read_only
        return replace(
            _with(finding, "root.read_only", mount=mount, kind=kind), pointer="/root/path", problem=None
        )
    step = _REFINERS.get(finding.id)
    return step(finding, failure, bundle) if step else finding


def of_problem(problem: Problem, bundle: Bundle) -> Finding:
    """Return what `tutor.configfile` has found as a finding."""
    name = "config.structure" if bundle.document.valid else "config.syntax"
    if problem.key.endswith("structure.missing"):  # it may be there, misspelt
        parent = problem.pointer.rpartition("/")[0]
        for other in bundle.problems:
            beside = other.pointer.rpartition("/")[0] == parent
            if (
                beside
                and other.key.endswith("did_you_mean")
                and other.values.get("meant") == problem.values.get("name")
            ):
                problem = replace(other, severity="error")
    return Finding(name, {}, problem.pointer, problem, problem.severity)


def _structure(bundle: Bundle, pointer: str) -> Finding | None:
    problem = bundle.problem_at(pointer)
    return of_problem(problem, bundle) if problem else None


def _with(finding: Finding, id_: str, **values: str | int) -> Finding:
    return replace(finding, id=id_, values={**finding.values, **values})


def _config_load(finding: Finding, _failure: Failure, bundle: Bundle) -> Finding:
    if bundle.text is None:
        there = bool(kind_of(bundle.config))
        name = "config.unreadable" if there else "config.missing"
        # Without a bundle there are no files to examine.
        return _with(finding, name, path=str(bundle.config)) if bundle.config else finding
    errors = [each for each in bundle.problems if each.severity == "error"]
    return of_problem(errors[0], bundle) if errors else finding


def _config_value(finding: Finding, _failure: Failure, bundle: Bundle) -> Finding:
    if bundle.text is None:
        return finding
    found = _structure(bundle, finding.pointer or "")
    if found is None:  # a missing member is reported at the object that lacks it
        near = [each for each in bundle.problems if (finding.pointer or "").startswith(f"{each.pointer}/")]
        found = of_problem(near[0], bundle) if near and near[0].pointer else None
    what = re.sub(
        r"\s*\([\w.-]+\.md, [^)]*\)$", "", str(finding.values.get("what") or finding.values.get("said", ""))
    )
    if (finding.pointer or "").startswith("/linux/resources/"):
        return found or _valued(_with(finding, "cgroup.value", said=what), _failure, bundle)
    return found or _with(finding, "config.refused", what=what)


def _program(finding: Finding, failure: Failure, bundle: Bundle) -> Finding:
    name = str(finding.values.get("name") or next(iter(bundle.strings("/process/args")), "")).strip("`")
    if finding.pointer:  # it is process.args[0], and the configuration may be wrong before any file is
        for pointer in ("/root/path", "/process/args", "/process/env"):
            if problem := bundle.problem_at(pointer):
                return of_problem(problem, bundle)
    if not name and not (bundle.text is None and "name" not in finding.values):
        return _with(finding, "program.empty")
    seen = look_at_program(bundle, name)
    if seen:
        where = finding.pointer
        if seen.id == "program.no_path" and where:
            where = "/process/env" if bundle.value("/process/env") is not None else "/process"
        return replace(seen, pointer=where, values={**finding.values, "near": "", **seen.values})
    said = failure.said.lower()
    if "is not a regular file" in said:
        return _with(finding, "program.not_file", name=name)
    if "not found in $path" in said and "/" not in name:
        folders = search_path(bundle)
        return _with(
            finding, "program.not_in_path", name=name, path=":".join(folders) if folders else "$PATH"
        )
    looked_up = f"stat {name}" in said or "open executable" in said  # by stat(2) or open(2), not by execve(2)
    if bundle.text is None and "no such file" in said and not looked_up:
        return _with(finding, "program.missing_or_interpreter", name=name)
    if "no such file" in said or "not found in $path" in said:
        return _with(finding, "program.not_there", name=name, path=name)
    if "format error" in said:
        # What can be seen of the file was seen above: what else it may be is not asserted.
        return _with(finding, "program.format_unseen", name=name, path=name)
    return _with(finding, "program.denied", name=name, path=name)


def _cwd(finding: Finding, _failure: Failure, bundle: Bundle) -> Finding:
    path = bundle.text_at("/process/cwd") or str(finding.values.get("path", ""))
    if problem := bundle.problem_at("/process/cwd"):
        return of_problem(problem, bundle)
    parts = path.strip("/").split("/")
    for end in range(1, len(parts) + 1):
        upper = "/" + "/".join(parts[:end])
        file = None if bundle.mounted(upper) else bundle.inside(upper)
        if kind_of(file) in ("file", "other"):
            return _with(finding, "cwd.not_directory", path=path, file=upper)
    return _with(finding, "cwd.unusable", path=path)


def _root(finding: Finding, _failure: Failure, bundle: Bundle) -> Finding:
    if problem := bundle.problem_at("/root"):
        return of_problem(problem, bundle)
    path = bundle.text_at("/root/path") or str(finding.values.get("path", ""))
    rootfs = bundle.rootfs
    if kind_of(rootfs) in ("file", "other"):
        return _with(finding, "root.not_directory", path=path)
    return _with(finding, "root.missing", path=path, near=near_directory(bundle, path))


def _namespace(finding: Finding, failure: Failure, bundle: Bundle) -> Finding:
    pointer = finding.pointer or ""
    if problem := bundle.problem_at(pointer):
        return of_problem(problem, bundle)
    wanted = bundle.text_at(pointer.removesuffix("/path") + "/type")
    path = bundle.text_at(pointer) or str(finding.values.get("path", ""))
    values: Values = {"kind": wanted, "path": path}
    said = re.search(r"is a namespace of type (\w+)", failure.said)
    if said:
        return _with(finding, "namespace.other_kind", found=said[1], **values)
    if "is not a namespace" in failure.said:
        return _with(finding, "namespace.not_namespace", **values)
    if "no such file" in failure.said.lower():
        return _with(finding, "namespace.path_missing", **values)
    if bundle.text is None:  # the error may come from another machine
        return _with(finding, "namespace.unusable", **values)
    found = namespace_kind(path)
    if found == "":
        return _with(finding, "namespace.not_namespace", **values)
    if found and found != wanted:
        return _with(finding, "namespace.other_kind", found=found, **values)
    return _with(finding, "namespace.unusable", **values)


def _hook(finding: Finding, failure: Failure, bundle: Bundle) -> Finding:
    pointer = finding.pointer or ""
    path = bundle.text_at(f"{pointer}/path") or str(finding.values.get("path", ""))
    kind = pointer.split("/")[2] if pointer.count("/") > 1 else str(finding.values.get("kind", ""))
    values: Values = {"path": path, "kind": kind, "stderr": ""}
    why = str(finding.values.get("why", ""))
    if pointer == "/hooks":
        hooks = bundle.value("/hooks")
        kinds = " / ".join(hooks) if isinstance(hooks, dict) else ""
        return _with(finding, "hook.one_of_several", kind=kinds)
    code = int(str(finding.values.get("code", 0)))
    if "timeout" in failure.said.lower():
        limit = bundle.value(f"{pointer}/timeout")
        return _with(finding, "hook.timeout", seconds=limit if isinstance(limit, int) else 0, **values)
    if problem := bundle.problem_at(f"{pointer}/path"):
        return of_problem(problem, bundle)
    unfit = look_at_hook(bundle, kind, path) if bundle.text is not None else ""
    if unfit and (code or not re.search(r"exit status|signal", why)):
        return replace(_with(finding, "hook.unfit", why=unfit, **values), pointer=f"{pointer}/path")
    if match := re.search(r"signal: ([a-z ]+?)(?: \(|,|$)", why):  # "killed": strsignal(3), in lower case
        words = {(signal.strsignal(each) or "").lower(): each.name for each in signal.Signals}
        return _with(finding, "hook.signal", signal=words.get(match[1], match[1]), **values)
    if code > 128:
        names = {each.value: each.name for each in signal.Signals}
        return _with(finding, "hook.signal", signal=names.get(code - 128, str(code - 128)), **values)
    match = re.search(r"exit status (\d+)(?:: (.+?)(?: \(step|$)|.*stderr: (.+))?", why, re.DOTALL)
    if match:
        printed = (match[2] or match[3] or "").strip()
        return _with(finding, "hook.status", status=match[1], **{**values, "stderr": printed})
    if code:
        return _with(finding, "hook.status", status=code, **values)
    return _with(finding, "hook.failed", **{**values, "why": why})


def _mount(finding: Finding, failure: Failure, bundle: Bundle) -> Finding:
    pointer = finding.pointer or ""
    found = pointer != "/mounts"
    values: Values = {
        name: bundle.text_at(f"{pointer}/{name}") or ("" if found else str(finding.values.get(name, "")))
        for name in ("source", "destination", "type")
    }
    values["options"] = ", ".join(bundle.strings(f"{pointer}/options"))
    if (problem := bundle.problem_at("/mounts")) and problem.severity == "error":
        return of_problem(problem, bundle)
    said = failure.said.lower()
    why = str(finding.values.get("why", "")).lower()
    source = bundle.beside(str(values["source"]))
    binds = bool({"bind", "rbind"} & set(bundle.strings(f"{pointer}/options"))) or values["type"] == "bind"
    asked = (
        "mount request" in failure.said or "stat" in failure.said.partition("`")[0]
    )  # for the source, by runc and crun
    if "no such file" in said and asked and (bundle.text is None or not kind_of(source)):
        return _with(finding, "mount.source_missing", **values)
    if binds and not values["source"]:
        return _with(finding, "mount.no_source", **values)
    if "no such device" in said:
        return _with(finding, "mount.type_unknown", near=near_type(str(values["type"])), **values)
    if (
        "no such file" in said
        and source
        and not kind_of(source)
        and (binds or str(source).startswith("/dev"))
    ):
        return _with(finding, "mount.source_missing", **values)
    if "not a directory" in said or why == "file":
        return _with(finding, "mount.kinds", **values)
    if "no such file" in said:
        return _with(finding, "mount.no_place", **values)
    if "invalid argument" in said:
        return _with(finding, "mount.option", **values)
    if "not permitted" in said or "permission denied" in said:
        return _with(finding, "mount.not_permitted", **values)
    return _with(finding, "mount.failed", **values)


def _dev(finding: Finding, _failure: Failure, bundle: Bundle) -> Finding:
    """See whether the devices of a root without a /dev of its own are on a filesystem that forbids devices."""
    forbidden = devices_forbidden(bundle)
    return _with(finding, "dev.nodev", path=forbidden) if forbidden else finding


def _rlimit(finding: Finding, _failure: Failure, bundle: Bundle) -> Finding:
    pointer = finding.pointer or ""
    if problem := bundle.problem_at(pointer):
        return of_problem(problem, bundle)
    values: Values = {}
    for name in ("type", "soft", "hard"):
        value = bundle.value(f"{pointer}/{name}")
        if isinstance(value, str | int):
            values[name] = value
    return _with(finding, finding.id, **values)


def _sysctl(finding: Finding, _failure: Failure, _bundle: Bundle) -> Finding:
    name = str(finding.values.get("name", "")).replace("/", ".")
    return _with(finding, finding.id, name=name, kind=namespace_of_sysctl(name))


def _valued(finding: Finding, _failure: Failure, bundle: Bundle) -> Finding:
    """Add the value at the pointer."""
    value = bundle.value(finding.pointer or "")
    if problem := bundle.problem_at(finding.pointer or "-"):
        return of_problem(problem, bundle)
    limit = bundle.value("/linux/resources/memory/limit")
    if (
        finding.pointer == "/linux/resources/memory/swap"
        and isinstance(value, int)
        and isinstance(limit, int)
    ):
        finding = replace(finding, id="cgroup.swap_below" if 0 < value < limit else finding.id)
    file = finding.values.get("file") or (finding.pointer or "").removeprefix("/linux/resources/").replace(
        "/", "."
    )
    return _with(finding, finding.id, value=str(value) if isinstance(value, str | int) else "", file=file)


def _version(finding: Finding, failure: Failure, bundle: Bundle) -> Finding:
    """See whether the version is one of the specification's, so that only this engine does not take it."""
    value = bundle.text_at("/ociVersion")
    if re.fullmatch(r"1\.\d+\.\d+(?:[-+].*)?", value):
        return _with(finding, "version.newer", value=value)
    return _valued(finding, failure, bundle)


def _user_id(finding: Finding, _failure: Failure, bundle: Bundle) -> Finding:
    value = bundle.value(finding.pointer or "")
    return _with(finding, finding.id, number=value if isinstance(value, int) else 0)


def _mapping(finding: Finding, _failure: Failure, bundle: Bundle) -> Finding:
    return _structure(bundle, finding.pointer or "-") or finding


def _named(finding: Finding, _failure: Failure, _bundle: Bundle) -> Finding:
    """Give the values that a pattern's alternatives name differently one name."""
    values = finding.values
    path = values.get("path") or values.get("folder") or ""
    name = values.get("name") or values.get("word") or values.get("other") or ""
    flag = values.get("flag") or values.get("option") or ""
    return _with(finding, finding.id, path=path, name=name, flag=str(flag).strip())


_REFINERS: dict[str, Callable[[Finding, Failure, Bundle], Finding]] = {
    "config.load": _config_load,
    "config.missing": _config_load,
    "config.value": _config_value,
    "config.field": _config_value,
    "config.refused": _config_value,
    "program.cannot_run": _program,
    "cwd.unusable": _cwd,
    "root.unusable": _root,
    "namespace.unusable": _namespace,
    "hook.failed": _hook,
    "dev.unopened": _dev,
    "mount.failed": _mount,
    "rlimit.soft_over_hard": _rlimit,
    "rlimit.not_permitted": _rlimit,
    "rlimit.too_small": _rlimit,
    "cgroup.pids_too_small": _valued,
    "mount.inside_proc": _valued,
    "sysctl.host_namespace": _sysctl,
    "sysctl.not_namespaced": _sysctl,
    "sysctl.unknown": _sysctl,
    "sysctl.value": _sysctl,
    "cgroup.value": _valued,
    "cgroup.shares": _valued,
    "cgroup.memory_too_small": _valued,
    "cgroup.swap_below": _valued,
    "version.unsupported": _version,
    "label.apparmor": _valued,
    "label.selinux": _valued,
    "user.id_not_mapped": _user_id,
    "user.mapping_refused": _mapping,
    "bundle.missing": _named,
    "command.unknown": _named,
    "docker.no_runtime": _named,
    "flag.unknown": _named,
}
