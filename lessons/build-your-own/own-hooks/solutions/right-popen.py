import json
from subprocess import PIPE, Popen, TimeoutExpired

from container import ContainerError


def run_hooks(c, name, status):
    hooks = c.config.get("hooks", {})
    for hook in hooks.get(name, ()):
        told = {"id": c.id, "bundle": c.bundle, "status": status, "ociVersion": c.config["ociVersion"]}
        if status != "stopped" and c.pid:
            told.update(pid=c.pid)
        pairs = [each.split("=", 1) for each in hook.get("env", [])]
        try:
            process = Popen(hook.get("args", [hook["path"]]), executable=hook["path"], env=dict(pairs), stdin=PIPE)
        except OSError as error:
            raise ContainerError(f"{hook['path']}: {error}") from error
        try:
            process.communicate(json.dumps(told).encode(), timeout=hook.get("timeout"))
        except TimeoutExpired:
            process.kill()
            process.wait()
            raise ContainerError(f"{hook['path']}: more than {hook['timeout']} s")
        if process.returncode:
            raise ContainerError(f"{hook['path']}: {process.returncode}")
