"""A program in the foreground: every signal that the runtime gets reaches the program."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

# The signal comes after 1 to 120 microseconds: before, in and after the moment in which the call begins to wait.
SIGNALS_AT_ANY_TIME = """
import os, signal, sys, time
from runtime.process import foreground, relay
for microseconds in range(1, 121):
    pid = os.fork()
    if pid == 0:
        time.sleep(2)
        os._exit(0)
    pidfd = os.pidfd_open(pid)
    signal.signal(signal.SIGALRM, lambda *_: signal.pidfd_send_signal(pidfd, signal.SIGKILL))
    if sys.argv[1] == "terminal":
        with relay.Relay(os.openpty()[0]) as terminal:
            signal.setitimer(signal.ITIMER_REAL, microseconds / 1e6)
            terminal.until(pidfd)
    else:
        signal.setitimer(signal.ITIMER_REAL, microseconds / 1e6)
    print(foreground.wait(pid), flush=True)
    os.close(pidfd)
"""


@pytest.mark.parametrize("how", ["streams", "terminal"])
def test_a_signal_is_passed_on_whenever_it_comes(how: str) -> None:
    seen = subprocess.run(
        [sys.executable, "-c", SIGNALS_AT_ANY_TIME, how],
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    assert seen.stdout.split() == [str(128 + signal.SIGKILL)] * 120
