"""`oci-tutor docker`: registers `runt` in a machine's Docker, and undoes it completely.

Docker learns of a runtime from `runtimes` in its daemon.json, which it reads again when it is sent SIGHUP (dockerd(8)).
"""
