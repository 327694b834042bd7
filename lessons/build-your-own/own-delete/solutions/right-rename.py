import os
import shutil
import signal
import tempfile
import time

from container import ContainerError


def delete(c, force):
    """Take the directory away at once by rename, so that nobody sees half of it."""
    deadline = time.monotonic() + 10
    while status_of(c) != "stopped":
        if not force:
            raise ContainerError("not stopped")
        try:
            kill(c, signal.SIGKILL)
        except ContainerError:
            pass
        if time.monotonic() > deadline:
            raise ContainerError("its process does not end")
        time.sleep(0.005)
    remove_cgroup(c)
    away = tempfile.mkdtemp(dir=os.path.dirname(c.root))
    os.rename(c.directory, f"{away:s}/gone")
    shutil.rmtree(away)
    run_hooks(c, "poststop", "stopped")
