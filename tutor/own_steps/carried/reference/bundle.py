"""Ids, the state on disk, and the bundle: exercises `ids` and `bundle`."""

from __future__ import annotations

import json
import os
import re

from tutor.own_steps.carried.container import Container, ContainerError

# ids


def claim_id(c: Container) -> None:
    """Make `c.directory` (mode 0711) for a new container (runtime.md, Create).

    ContainerError if another container has its id, or if it has more than letters, digits and _ + - . in it.
    """
    if not re.fullmatch(r"[\w+.-]+", c.id, re.ASCII) or c.id in (".", ".."):
        raise ContainerError(f"{c.id!r} is not an id: letters, digits and _ + - . may be in it")
    os.makedirs(c.root, mode=0o711, exist_ok=True)
    try:
        os.mkdir(c.directory, 0o711)
    except FileExistsError:
        raise ContainerError(f"container with given ID already exists: {c.id}") from None


def save_state(c: Container) -> None:
    """Write bundle, config, rootfs, pid, start_time and cgroups into `c.directory`, whole or not at all (rename(2))."""
    names = ("bundle", "config", "rootfs", "pid", "start_time", "cgroups")
    path = os.path.join(c.directory, "state.json")
    with open(path + ".new", "w", encoding="utf-8") as file:
        json.dump({name: getattr(c, name) for name in names}, file)
    os.rename(path + ".new", path)


def read_state(c: Container) -> None:
    """Read back into `c` what save_state wrote. ContainerError if there is no container with this id."""
    try:
        with open(os.path.join(c.directory, "state.json"), encoding="utf-8") as file:
            for name, value in json.load(file).items():
                setattr(c, name, value)
    except FileNotFoundError:
        raise ContainerError(f"container does not exist: {c.id}") from None


# bundle


def load_config(c: Container) -> None:
    """Read `config.json` of the bundle into `c.config`, and set `c.rootfs` (bundle.md; config.md, Root).

    ContainerError if it can't be read, or lacks `ociVersion`, `root`, `process.args` or an absolute `process.cwd`.
    """
    path = os.path.join(c.bundle, "config.json")
    try:
        with open(path, encoding="utf-8") as file:
            c.config = json.load(file)
        c.rootfs = os.path.realpath(os.path.join(c.bundle, c.config["root"]["path"]))
        if not c.config["ociVersion"] or not c.process["args"]:
            raise ContainerError(f"{path}: ociVersion or process.args is empty")
        if not c.process["cwd"].startswith("/"):
            raise ContainerError(f"{path}: process.cwd must be an absolute path")
    except OSError as error:
        raise ContainerError(f"cannot read the bundle's configuration: {error}") from None
    except ValueError as error:
        raise ContainerError(f"{path}: not JSON: {error}") from None
    except (KeyError, TypeError, AttributeError) as error:
        raise ContainerError(f"{path}: a member is missing, or of another type: {error}") from None
    if not os.path.isdir(c.rootfs):
        raise ContainerError(f"{path}: root.path: {c.rootfs} is not a directory")
