"""What the panels cost while a container has many processes: `python -m tests.bench.panels`, as root.

The TUI runs on a pseudoterminal, with a container of 1,000 processes that sleep. Printed is the share of one processor that the
program takes, all its threads, over some seconds after the panels show the container; and for comparison without a container.

    --processes N, --seconds N
"""

from __future__ import annotations

import argparse
import json
import os
import select
import sys
import tempfile
import time
from pathlib import Path

from tests.bench.faces import processor_time
from tests.support.pseudo_terminal import PseudoTerminal
from tests.support.runt import make_rootfs


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.panels")
    parser.add_argument("--processes", type=int, default=1000)
    parser.add_argument("--seconds", type=float, default=10.0)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="bench-panels-") as name:
        bundle = Path(name, "bundle")
        _make_bundle(bundle, options.processes)
        environ = {"PATH": os.environ["PATH"], "LANG": "C.UTF-8", "OCI_TUTOR_HOME": f"{name}/home"}
        argv = [str(Path(sys.executable).with_name("oci-tutor")), "--lang", "en", "play", str(bundle)]
        with PseudoTerminal(argv, environ, columns=160, rows=48) as terminal:
            terminal.wait_for('"ociVersion"')
            print(f"without a container: {_share(terminal, options.seconds):.1%}")
            terminal.type("\x1b[15~")  # F5
            terminal.wait_for("created")
            terminal.type("\x1b[17~")  # F6
            terminal.wait_for("running")
            _wait_until_settled(terminal)
            print(f"{options.processes} processes: {_share(terminal, options.seconds):.1%}")
            terminal.process.terminate()
            terminal.wait_for_end()


def _make_bundle(bundle: Path, processes: int) -> None:
    make_rootfs(bundle / "rootfs")
    script = f"i=0; while [ $i -lt {processes - 1} ]; do sleep 1000 & i=$((i+1)); done; wait"
    config = {
        "ociVersion": "1.0.2",
        "process": {
            "user": {"uid": 0, "gid": 0},
            "args": ["sh", "-c", script],
            "env": ["PATH=/bin"],
            "cwd": "/",
        },
        "root": {"path": "rootfs"},
        "linux": {"namespaces": [{"type": kind} for kind in ("pid", "mount")]},
        "mounts": [{"destination": "/proc", "type": "proc", "source": "proc"}],
    }
    (bundle / "config.json").write_text(json.dumps(config, indent=2))


def _wait_until_settled(terminal: PseudoTerminal) -> None:
    """Wait until nothing has been drawn for two seconds: the last process is on the screen."""
    until = time.monotonic() + 2
    while time.monotonic() < until:
        before = len(terminal.raw)
        select.select([terminal._master], [], [], 0.5)
        terminal.read()
        if len(terminal.raw) != before:
            until = time.monotonic() + 2


def _share(terminal: PseudoTerminal, seconds: float) -> float:
    """Return the share of one processor that the program takes itself, without the processes of the lab."""
    pid = terminal.process.pid
    began, used = time.monotonic(), processor_time(pid, alone=True)
    while time.monotonic() < began + seconds:
        select.select([terminal._master], [], [], 0.2)
        terminal.read()
    return (processor_time(pid, alone=True) - used) / 1000 / (time.monotonic() - began)


if __name__ == "__main__":
    main()
