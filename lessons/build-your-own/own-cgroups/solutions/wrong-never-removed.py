import os
import signal


def remove_cgroup(c):
    for directory in c.cgroups:
        with open(directory + "/cgroup.procs") as file:
            for pid in file.read().split():
                os.kill(int(pid), signal.SIGKILL)
