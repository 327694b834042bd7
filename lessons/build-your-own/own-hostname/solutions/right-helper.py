from container import ContainerError
from syscalls import setdomainname, sethostname


def has_own_uts(c):
    return any(entry["type"] == "uts" for entry in c.linux.get("namespaces", []))


def set_hostname(c):
    for member, call in {"domainname": setdomainname, "hostname": sethostname}.items():
        name = c.config.get(member, "")
        if name == "":
            continue
        if not has_own_uts(c):
            raise ContainerError(f"no UTS namespace for {member}")
        call(name)
