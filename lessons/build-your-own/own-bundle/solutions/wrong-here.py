import json
import os

from container import ContainerError


def check(condition, path, text):
    if not condition:
        raise ContainerError(f"{path}: {text}")


def load_config(c):
    path = c.bundle + "/config.json"
    check(os.path.exists(path), path, "not found")
    with open(path, "rb") as file:
        data = file.read()
    try:
        c.config = json.loads(data)
    except json.JSONDecodeError as error:
        check(False, path, str(error))
    check(isinstance(c.config, dict), path, "no JSON object")
    for name in "ociVersion", "process", "root":
        check(name in c.config, path, f"no {name}")
    root, process = c.config["root"], c.config["process"]
    check(process.get("args"), path, "process.args is empty")
    check(os.path.isabs(process.get("cwd", "")), path, "process.cwd is not absolute")
    c.rootfs = os.path.realpath(root.get("path", "rootfs"))
    check(os.path.isdir(c.rootfs), path, "root.path is not a directory")
