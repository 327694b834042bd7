import os


TOP = "/sys/fs/cgroup"


def is_version_2():
    return os.path.exists(TOP + "/cgroup.controllers")


def put(path, value):
    with open(path, "w") as file:
        file.write(f"{value}")


def path_of(c):
    path = c.linux.get("cgroupsPath") or c.id
    if path.count(":") == 2:
        parent, prefix, name = path.split(":")
        path = f"{parent}/{prefix}-{name}.scope"
    return path.strip("/").split("/")


def make_cgroup(c):
    names = path_of(c)
    if is_version_2():
        directory = TOP
        for name in names:
            for controller in ("cpu", "memory", "pids"):
                try:
                    put(directory + "/cgroup.subtree_control", "+" + controller)
                except OSError:
                    pass
            directory += "/" + name
            os.makedirs(directory, exist_ok=True)
        c.cgroups.append(directory)
        put(directory + "/cgroup.procs", c.pid)
        return
    for controller in ("memory", "pids", "cpu", "cpuset", "freezer"):
        directory = f"{TOP}/{controller}"
        if not os.path.isdir(directory):
            continue
        for name in names:
            above, directory = directory, f"{directory}/{name}"
            os.makedirs(directory, exist_ok=True)
            if controller == "cpuset":
                for file in ("cpuset.cpus", "cpuset.mems"):
                    put(f"{directory}/{file}", open(f"{above}/{file}").read().strip())
        c.cgroups.append(directory)
        put(f"{directory}/cgroup.procs", c.pid)
