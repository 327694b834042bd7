"""Between `create` and `start`: a process inside finds nothing of the host in init, whatever it may look at."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.support.runt import REPOSITORY

if TYPE_CHECKING:
    from tests.support.runt import Bundle, Runt

pytestmark = [pytest.mark.root, pytest.mark.peer("busybox")]

MARK = "OF_THE_CALLER"
LOOK = f"""
cd /proc/1/fd || exit 0
for fd in *; do [ $fd -le 2 ] || echo "open: $(stat -L -c %F $fd)"; done
for fd in *; do ls -d $fd/.. >/dev/null 2>&1 && echo "way out: $fd"; done
for place in cwd root; do [ "$(stat -L -c %d:%i /proc/1/$place)" = "$(stat -c %d:%i /)" ] || echo "elsewhere: $place"; done
grep {MARK} /proc/1/environ && echo environment
true
"""


def user_namespace(bundle: Bundle) -> None:
    """Give the container a user namespace whose root is not the host's, and the root filesystem to that root."""
    bundle.namespaces("pid", "user")
    os.chown(bundle.rootfs, 100000, 100000)
    bundle.linux["uidMappings"] = bundle.linux["gidMappings"] = [
        {"containerID": 0, "hostID": 100000, "size": 65536}
    ]


@pytest.mark.parametrize("with_user_namespace", [False, True])
def test_init_that_waits_for_start_has_nothing_of_the_host(
    runt: Runt, bundle: Bundle, monkeypatch: pytest.MonkeyPatch, with_user_namespace: bool
) -> None:
    """With CAP_SYS_PTRACE, by which /proc/PID/fd, cwd, root and environ can be followed (proc(5))."""
    monkeypatch.setenv(MARK, "1")
    bundle.namespaces("pid")
    if with_user_namespace:
        user_namespace(bundle)
    bundle.process["args"] = ["sleep", "1000"]
    runt.create(bundle)
    said = runt.ok("exec", "--cap", "CAP_SYS_PTRACE", "test", "sh", "-c", LOOK)
    # Of init, whose memory is the runtime's, the root of a user namespace may look at nothing at all (ptrace(2)).
    assert said == ("" if with_user_namespace else "open: fifo\n")
    runt.ok("start", "test")
    assert runt.state()["status"] == "running"


SLOW = """
import sys, time
from runtime.operations.create import create
from runtime.state.options import CreateOptions
from runtime.steps.runner import Observer, Plan

class Slow(Observer):
    def before(self, step, subject):
        if step.__name__ == "wait_for_hand_over":
            time.sleep(0.3)

root, bundle = sys.argv[1:]
create(CreateOptions(root=root, container_id="test", bundle=bundle), Plan(observer=Slow()))
"""


def test_create_returns_only_when_init_has_closed_its_connection(runt: Runt, bundle: Bundle) -> None:
    """On a busy machine init comes to it late; what was open then could be seen from inside."""
    bundle.process["args"] = ["sleep", "1000"]
    bundle.save()
    subprocess.run([sys.executable, "-c", SLOW, str(runt.root), str(bundle.path)], check=True, cwd=REPOSITORY)
    opened = Path(f"/proc/{runt.state()['pid']}/fd").iterdir()
    assert not [target for link in opened if (target := str(link.readlink())).startswith("socket:")]


@pytest.mark.parametrize("kind", ["createContainer", "startContainer"])
def test_a_hook_inside_sees_nothing_of_the_callers_environment_in_init(
    runt: Runt, bundle: Bundle, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    monkeypatch.setenv(MARK, "1")
    script = f"echo began; grep -ls {MARK} /proc/[0-9]*/environ; echo ended"
    out = bundle.rootfs / "said"
    path = "/said" if kind == "startContainer" else str(out)
    # createContainer still has the host's /proc below its own: look at init alone.
    script = script.replace("/proc/[0-9]*/environ", "/proc/1/environ /proc/self/environ")
    if kind == "createContainer":
        script = f"cd proc; {script.replace('/proc/', '')}"
    bundle.namespaces("pid").config["hooks"] = {
        kind: [{"path": "/bin/sh", "args": ["sh", "-c", f"({script}) > {path} 2>&1"]}]
    }
    runt.run(bundle)
    assert out.read_text() == "began\nended\n"


def test_a_container_without_a_proc_is_created_and_started(runt: Runt, bundle: Bundle) -> None:
    bundle.config["mounts"] = []
    assert runt.run(bundle.sh("echo started")) == "started\n"
    assert not list((bundle.rootfs / "proc").iterdir())
