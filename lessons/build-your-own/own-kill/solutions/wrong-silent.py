import os


def kill(c, signum):
    try:
        os.kill(c.pid, signum)
    except ProcessLookupError:
        pass
