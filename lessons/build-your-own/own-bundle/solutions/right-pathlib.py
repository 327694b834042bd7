import json
from pathlib import Path

from container import ContainerError


def load_config(c):
    path = Path(c.bundle) / "config.json"
    if not path.is_file():
        raise ContainerError(f"{path} does not exist")
    try:
        config = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise ContainerError(f"{path} is not JSON: {error}")
    if not isinstance(config, dict):
        raise ContainerError(f"{path} is not an object")
    missing = {"ociVersion", "root", "process"} - set(config)
    if missing:
        raise ContainerError(f"{path} lacks {', '.join(sorted(missing))}")
    rootfs = (Path(c.bundle) / config["root"]["path"]).resolve()
    if not rootfs.is_dir():
        raise ContainerError(f"{path}: {rootfs} is no directory")
    process = config["process"]
    if len(process.get("args", [])) == 0 or not process.get("cwd", "").startswith("/"):
        raise ContainerError(f"{path}: process.args or process.cwd is wrong")
    c.config, c.rootfs = config, str(rootfs)
