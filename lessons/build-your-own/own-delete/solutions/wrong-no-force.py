import os

from container import ContainerError


def delete(c, force):
    if status_of(c) != "stopped":
        raise ContainerError(f"{c.id} still runs")
    remove_cgroup(c)
    for name in os.listdir(c.directory):
        os.unlink(os.path.join(c.directory, name))
    os.rmdir(c.directory)
    run_hooks(c, "poststop", "stopped")
