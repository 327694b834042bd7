from container import ContainerError
from syscalls import sethostname


def set_hostname(c):
    if c.config.get("hostname"):
        if c.namespace("uts") is None:
            raise ContainerError("hostname needs a uts namespace")
        sethostname(c.config["hostname"])
