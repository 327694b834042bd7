from syscalls import setdomainname, sethostname


def set_hostname(c):
    if c.config.get("hostname"):
        sethostname(c.config["hostname"])
    if c.config.get("domainname"):
        setdomainname(c.config["domainname"])
