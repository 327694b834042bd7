from container import ContainerError
from syscalls import setdomainname, sethostname


def set_hostname(c):
    hostname, domainname = c.config["hostname"], c.config["domainname"]
    if c.namespace("uts") is None:
        raise ContainerError("hostname needs a uts namespace")
    sethostname(hostname)
    setdomainname(domainname)
