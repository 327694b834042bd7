"""The container's names: host name and domain name (config.md, Hostname and Domainname)."""

from __future__ import annotations

from runtime.kernel import process as kernel

TYPE_CHECKING = False
if TYPE_CHECKING:
    from runtime.state.container import Container


def set_hostname(c: Container) -> None:
    """Set the host name of the container's UTS namespace (config.md, Hostname; uts_namespaces(7))."""
    if "hostname" in c.config:
        kernel.sethostname(c.config["hostname"])


def set_domainname(c: Container) -> None:
    """Set the NIS domain name of the container's UTS namespace (config.md, Domainname; uts_namespaces(7))."""
    if "domainname" in c.config:
        kernel.setdomainname(c.config["domainname"])
