import os


def list_containers(root):
    result = []
    for name in sorted(os.listdir(root)):
        c = Container(root, name)
        try:
            read_state(c)
        except ContainerError:
            continue
        status = status_of(c)
        pid = c.pid if status in ("created", "running") else 0
        result.append({"id": c.id, "pid": pid, "status": status, "bundle": c.bundle})
    return result
