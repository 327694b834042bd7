import json
import os

from container import ContainerError


def load_config(c):
    path = os.path.join(c.bundle, "config.json")
    try:
        file = open(path)
    except OSError as error:
        raise ContainerError(f"{path}: {error.strerror}") from error
    with file:
        try:
            c.config = json.load(file)
        except ValueError as error:
            raise ContainerError(f"{path}: {error}") from error
    try:
        c.config["ociVersion"]
        rootfs = c.config["root"]["path"]
        args, cwd = c.config["process"]["args"], c.config["process"]["cwd"]
    except (KeyError, TypeError) as error:
        raise ContainerError(f"{path}: {error}") from error
    if not os.path.isabs(rootfs):
        rootfs = os.path.join(c.bundle, rootfs)
    c.rootfs = os.path.realpath(rootfs)
    if not os.path.isdir(c.rootfs):
        raise ContainerError(f"{path}: no directory {c.rootfs}")
    if not args:
        raise ContainerError(f"{path}: no program")
    if cwd[:1] != "/":
        raise ContainerError(f"{path}: {cwd} is relative")
