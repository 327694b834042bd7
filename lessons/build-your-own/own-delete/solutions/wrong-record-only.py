import os
import signal
import time

from container import ContainerError


def delete(c, force):
    if status_of(c) != "stopped":
        if not force:
            raise ContainerError(f"{c.id} still runs: stop it first, or use --force")
        kill(c, signal.SIGKILL)
        for _ in range(1000):
            if status_of(c) == "stopped":
                break
            time.sleep(0.01)
    remove_cgroup(c)
    os.unlink(os.path.join(c.directory, "state.json"))
    run_hooks(c, "poststop", "stopped")
