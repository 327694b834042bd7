import shutil


def remove_cgroup(c):
    for directory in c.cgroups:
        shutil.rmtree(directory)
