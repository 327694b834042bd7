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


def wanted(c):
    """Return the limits that are asked for, as (controller, file, value)."""
    resources = c.linux.get("resources", {})
    memory = resources.get("memory", {}).get("limit")
    pids = resources.get("pids", {}).get("limit")
    cpu = resources.get("cpu", {})
    found = []
    if pids is not None:
        found.append(("pids", "pids.max", pids if pids > 0 else "max"))
    if is_version_2():
        if memory is not None:
            found.append(("memory", "memory.max", "max" if memory < 0 else memory))
        if cpu.get("shares"):
            found.append(("cpu", "cpu.weight", 1 + (cpu["shares"] - 2) * 9999 // 262142))
        if cpu.get("quota"):
            quota = cpu["quota"] if cpu["quota"] > 0 else "max"
            found.append(("cpu", "cpu.max", f"{quota} {cpu.get('period', 100000)}"))
        return found
    if memory is not None:
        found.append(("memory", "memory.limit_in_bytes", memory))
    for member, file in (("shares", "cpu.shares"), ("period", "cpu.cfs_period_us"), ("quota", "cpu.cfs_quota_us")):
        if cpu.get(member):
            found.append(("cpu", file, cpu[member]))
    for member in ("cpus", "mems"):
        if cpu.get(member):
            found.append(("cpuset", f"cpuset.{member}", cpu[member]))
    return found


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
        for _, file, value in wanted(c):
            put(f"{directory}/{file}", value)
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
        for its, file, value in wanted(c):
            if its == controller:
                put(f"{directory}/{file}", value)
