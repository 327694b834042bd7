import json
import os
import select
import signal

from container import ContainerError


def run_hooks(c, name, status):
    """With fork, exec and a pidfd instead of the module subprocess."""
    for hook in c.config.get("hooks", {}).get(name, []):
        state = {"ociVersion": c.config["ociVersion"], "id": c.id, "status": status, "bundle": c.bundle}
        if status != "stopped" and c.pid:
            state["pid"] = c.pid
        reading, writing = os.pipe()
        child = os.fork()
        if child == 0:
            try:
                os.close(writing)
                os.dup2(reading, 0)
                environment = dict(each.split("=", 1) for each in hook.get("env", []))
                os.execve(hook["path"], hook.get("args", [hook["path"]]), environment)
            finally:
                os._exit(127)
        os.close(reading)
        process = os.pidfd_open(child)
        try:
            os.write(writing, json.dumps(state).encode())
        except BrokenPipeError:
            pass
        os.close(writing)
        in_time = select.select([process], [], [], hook.get("timeout"))[0]
        if not in_time:
            os.kill(child, signal.SIGKILL)
        code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        os.close(process)
        if not in_time or code != 0:
            raise ContainerError(f"{name}: {hook['path']} failed ({code})")
