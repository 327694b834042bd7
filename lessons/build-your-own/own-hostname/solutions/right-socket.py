import ctypes
import os
import socket

from container import ContainerError


def set_hostname(c):
    if "hostname" not in c.config and "domainname" not in c.config:
        return
    if not c.namespace("uts"):
        raise ContainerError("the host must keep its name: add a uts namespace")
    if c.config.get("hostname"):
        socket.sethostname(c.config["hostname"])
    if c.config.get("domainname"):
        name = os.fsencode(c.config["domainname"])
        if ctypes.PyDLL(None, use_errno=True).setdomainname(name, len(name)) != 0:
            raise OSError(ctypes.get_errno(), "setdomainname")
