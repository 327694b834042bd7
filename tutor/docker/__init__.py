"""Docker: register `runt` in the machine's Docker and unregister it completely; a private dockerd for labs.

Docker reads its runtimes from `runtimes` in its daemon.json, which it reads again on SIGHUP (dockerd(8)).
"""
