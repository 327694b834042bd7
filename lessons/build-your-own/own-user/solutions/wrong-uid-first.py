import os
import resource


def set_user(c):
    user = c.process.get("user", {})
    os.umask(user.get("umask", 0o22))
    for each in c.process.get("rlimits", []):
        number = getattr(resource, each["type"])
        resource.setrlimit(number, (each["soft"], each["hard"]))
    os.setuid(user.get("uid", 0))
    os.setgid(user.get("gid", 0))
    os.setgroups(user.get("additionalGids", []))
