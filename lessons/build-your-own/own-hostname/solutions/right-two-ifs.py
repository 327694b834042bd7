from container import ContainerError
from syscalls import setdomainname, sethostname


def set_hostname(c):
    hostname = c.config.get("hostname")
    domainname = c.config.get("domainname")
    if (hostname or domainname) and c.namespace("uts") is None:
        raise ContainerError("hostname and domainname need a UTS namespace")
    if domainname:
        setdomainname(domainname)
    if hostname:
        sethostname(hostname)
