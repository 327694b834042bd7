"""Questions on the root and the mounts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tutor.engines.traits.probes.registry import probe
from tutor.engines.trial import UndecidedError

if TYPE_CHECKING:
    from tutor.engines.trial import Bundle, Trial

# The fields of a line of mountinfo, proc(5).
_ROOT, _TARGET, _OPTIONS = 3, 4, 6


def _with_mounts(added: list[dict[str, object]], dev: bool = True) -> dict[str, object]:
    """Return the mounts of a container that has no program to run: what is looked at is there after `create`."""
    own: list[dict[str, object]] = [{"destination": "/proc", "type": "proc", "source": "proc"}]
    if dev:
        own.append({"destination": "/dev", "type": "tmpfs", "source": "tmpfs", "options": ["mode=755"]})
    return {"mounts": own + added, "process": {"args": ["/program"]}}


def _line(box: Bundle, target: str) -> list[str] | None:
    """Return the last line of its mountinfo for a target."""
    lines = [
        line for line in box.mounts() if line[_TARGET] == target or line[_TARGET].endswith(f"/rootfs{target}")
    ]
    return lines[-1] if lines else None


def _propagation(line: list[str] | None) -> str:
    if line is None:
        raise UndecidedError
    optional = line[_OPTIONS : line.index("-")]
    if any(each.startswith("shared:") for each in optional):
        return "shared"
    return "slave" if any(each.startswith("master:") for each in optional) else "private"


@probe("bare-dev-twice")
def bare_dev_twice(trial: Trial) -> str:
    """A second container on a root that has nothing mounted on /dev: the first one left links there."""
    # crun makes no /dev of its own there.
    files = {"rootfs/program": "#!/bin/sh\n", "rootfs/dev/.keep": ""}
    with trial.bundle(patch=_with_mounts([], dev=False), files=files) as box:
        if not box.engine("create").ok:
            raise UndecidedError
        box.engine("delete", "--force")
        return "works" if box.engine("create").ok else "fails"


@probe("empty-linux")
def empty_linux(trial: Trial) -> str:
    """`"linux": {}`: what does the container see of its root and /proc as mounts, in the mount namespace that it shares?"""
    files = {"rootfs/program": "#!/bin/sh\n"}
    with trial.bundle(patch={**_with_mounts([]), "linux": {"namespaces": None}}, files=files) as box:
        if not box.engine("create").ok:
            return "refused"
        targets = {line[_TARGET] for line in box.mounts()}
    seen = ("/" in targets, "/proc" in targets)
    return {(True, True): "root-and-proc", (False, True): "proc", (True, False): "root"}.get(seen, "nothing")


@probe("relative-bind-propagation")
def relative_bind_propagation(trial: Trial) -> str:
    """An `rslave` bind mount whose source is a relative path of a shared mount."""
    return _bound(trial, "source", ["rbind", "rslave"], {"rootfsPropagation": "rslave"})


@probe("absolute-bind-propagation")
def absolute_bind_propagation(trial: Trial) -> str:
    """The same with an absolute path."""
    return _bound(trial, "{bundle}/source", ["rbind", "rslave"], {"rootfsPropagation": "rslave"})


@probe("default-bind-propagation")
def default_bind_propagation(trial: Trial) -> str:
    """A bind mount of a shared mount whose options name no propagation."""
    return _bound(trial, "{bundle}/source", ["rbind"], {})


def _bound(trial: Trial, source: str, options: list[str], linux: dict[str, object]) -> str:
    mount: dict[str, object] = {"destination": "/bound", "type": "bind", "source": source, "options": options}
    files = {"rootfs/program": "#!/bin/sh\n", "source/file": ""}
    with trial.bundle(patch={**_with_mounts([mount]), "linux": linux}, files=files) as box:
        place = f"{box.path}/source"
        trial.shell(f"mount --bind {place} {place} && mount --make-shared {place}")
        if not box.engine("create").ok:
            raise UndecidedError
        return _propagation(_line(box, "/bound"))


@probe("tmpfs-mode")
def tmpfs_mode(trial: Trial) -> str:
    """The mode of a tmpfs without `mode` on a directory that was there with 0705."""
    mount: dict[str, object] = {"destination": "/covered", "type": "tmpfs", "source": "tmpfs"}
    with trial.bundle(patch=_with_mounts([mount]), files={"rootfs/program": "#!/bin/sh\n"}) as box:
        covered = box.inside / "rootfs/covered"
        covered.mkdir()
        covered.chmod(0o705)
        if not box.engine("create").ok:
            raise UndecidedError
        mode = trial.shell(f"stat -c %a /proc/{box.pid()}/root/covered").stdout.strip()
    return {"705": "directory", "1777": "1777"}.get(mode, "other")


@probe("unknown-bind-option")
def unknown_bind_option(trial: Trial) -> str:
    """An option that nothing knows, on a bind mount."""
    options = ["rbind", "no-such-option"]
    mount: dict[str, object] = {
        "destination": "/bound",
        "type": "bind",
        "source": "/proc",
        "options": options,
    }
    with trial.bundle(patch=_with_mounts([mount]), files={"rootfs/program": "#!/bin/sh\n"}) as box:
        return "ignored" if box.engine("create").ok else "refused"


@probe("masked-directory")
def masked_directory(trial: Trial) -> str:
    """What covers a directory of `maskedPaths`?"""
    patch = {**_with_mounts([]), "linux": {"maskedPaths": ["/secret"]}}
    files = {"rootfs/program": "#!/bin/sh\n", "rootfs/secret/file": ""}
    with trial.bundle(patch=patch, files=files) as box:
        if not box.engine("create").ok:
            raise UndecidedError
        line = _line(box, "/secret")
    if line is None:
        return "other"
    # A bind mount shows a folder of a filesystem; a filesystem of its own shows its root.
    return "tmpfs" if line[_ROOT] == "/" and line[line.index("-") + 1] == "tmpfs" else "bind"
