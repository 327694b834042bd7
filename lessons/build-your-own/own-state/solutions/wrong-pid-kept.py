import os


def list_containers(root):
    try:
        names = sorted(os.listdir(root))
    except FileNotFoundError:
        return []
    result = []
    for name in names:
        c = Container(root, name)
        try:
            read_state(c)
        except ContainerError:
            continue
        status = status_of(c)
        result.append({"id": c.id, "pid": c.pid, "status": status, "bundle": c.bundle})
    return result
