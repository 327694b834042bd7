import os
import signal
import time


def delete(c, force):
    if status_of(c) != "stopped":
        kill(c, signal.SIGKILL)
        for _ in range(1000):
            if status_of(c) == "stopped":
                break
            time.sleep(0.01)
    remove_cgroup(c)
    for name in os.listdir(c.directory):
        os.unlink(os.path.join(c.directory, name))
    os.rmdir(c.directory)
    run_hooks(c, "poststop", "stopped")
