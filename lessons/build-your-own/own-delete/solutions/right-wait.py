import os
import select
import shutil
import signal

from container import ContainerError


def delete(c, *, force=False):
    status = status_of(c)
    if status in ("created", "running"):
        if not force:
            raise ContainerError(f"cannot delete {c.id}: it is {status}")
        try:
            process = os.pidfd_open(c.pid)
        except ProcessLookupError:
            pass
        else:
            signal.pidfd_send_signal(process, signal.SIGKILL)
            select.select([process], [], [])
            os.close(process)
    remove_cgroup(c)
    shutil.rmtree(c.directory, ignore_errors=False)
    run_hooks(c, "poststop", "stopped")
