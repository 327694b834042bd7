"""Where things are in a sandbox."""

from __future__ import annotations

WORK = "/run/oci-tutor"
"""The work area, a tmpfs: the only place of the sandbox that can be written to, besides the cgroups."""
FILE = f"{WORK}/my_runtime.py"
REPORT = f"{WORK}/report.json"
BUNDLE = f"{WORK}/bundle"
ROOTFS = f"{BUNDLE}/rootfs"
STATE = f"{WORK}/state"
OUTPUT = f"{WORK}/output"
CONSOLE = f"{WORK}/console.sock"
PID_FILE = f"{WORK}/pid"
CGROUP = "/sys/fs/cgroup"
HOST_NAME = "host"
"""The host name that stands for the host's."""
READY = "ready"
"""The line that the container's program prints first."""
