"""Whatever a learner's runtime does, it ends in a judgement that says what went wrong, and nothing of it is left on the host."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.support.lab import until
from tests.support.mounts import mount_table
from tutor.home import Home
from tutor.lab import processes
from tutor.messages import Messages
from tutor.own_steps.judge import Judgement, judge
from tutor.own_steps.sandbox.limits import PREFIX

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    Judge = Callable[[str, str], Judgement]

pytestmark = pytest.mark.root
IMPORTS = (
    "import os, signal, sys, time\nfrom syscalls import *\nfrom container import Container, ContainerError\n"
)
SECONDS = 4.0


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Home:
    root = tmp_path_factory.mktemp("own")
    return Home(root / "labs", root / "state", root / "cache")


@pytest.fixture
def canary() -> Iterator[Path]:
    # Not below /tmp, which is another one in a sandbox.
    with tempfile.TemporaryDirectory(dir="/var/tmp") as folder:
        file = Path(folder, "canary")
        file.write_text("alive")
        yield file


@pytest.fixture
def judged(tmp_path: Path, home: Home, canary: Path) -> Iterator[Judge]:
    mounts, host_name = mount_table(tmp_path), os.uname().nodename
    # A run of the tests that was killed leaves some below a cgroup that is not this one's: no sandbox of this run removes those.
    left = set(abandoned())

    def run(exercise: str, text: str) -> Judgement:
        file = tmp_path / "my_runtime.py"
        file.write_text(IMPORTS + text)
        judgement = judge(exercise, file.read_text(), messages=Messages("en"), home=home, seconds=SECONDS)
        assert file.read_text() == IMPORTS + text
        return judgement

    yield run
    assert mount_table(tmp_path) == mounts
    assert os.uname().nodename == host_name
    assert canary.read_text() == "alive"
    assert not set(abandoned()) - left


def abandoned() -> list[Path]:
    """Return the cgroups of sandboxes whose outside has ended: with processes in them or not."""
    found = []
    for directory in sandboxes():
        pid, start, _ = directory.name.removeprefix(PREFIX).split("-")
        if not processes.is_alive(processes.Identity(int(pid), int(start))):
            found.append(directory)
    return [directory for directory in found if directory.exists()]


def sandboxes() -> list[Path]:
    """Return the cgroups of sandboxes, other programs' too."""
    return [
        Path(folder, name)
        for folder, names, _files in os.walk("/sys/fs/cgroup")
        for name in names
        if name.startswith(PREFIX)
    ]


def hostname(body: str) -> str:
    return f"def set_hostname(c):\n    {body}\n"


@pytest.mark.parametrize(
    ("body", "error"),
    [
        ("return 1 / 0", "ZeroDivisionError"),
        ("return c.config['no-such-member']", "KeyError"),
        ("return set_hostname(c)", "RecursionError"),
        ("sys.exit(0)", "SystemExit"),
        ("os.kill({tutor}, signal.SIGKILL)", "ProcessLookupError"),
        ("open({canary!r}, 'w')", "OSError"),
        ("os.unlink({canary!r})", "OSError"),
    ],
)
def test_an_exception_is_explained_with_the_line(judged: Judge, canary: Path, body: str, error: str) -> None:
    body = body.format(tutor=os.getpid(), canary=str(canary))
    judgement = judged("hostname", hostname(body))
    assert judgement.mishap is not None
    assert not judgement.passed
    found = judgement.mishap
    assert (found.kind, found.function, found.line, found.source_line, found.error) == ("exception", "set_hostname", 5, body, error)  # fmt: skip
    assert found.explanation


def test_a_system_call_that_fails_is_named_with_its_arguments(judged: Judge) -> None:
    text = "def mount_filesystems(c):\n    mount('proc', f'{c.rootfs}/proc', 'proc')\n    mount('x', '/nowhere', 'ext4', MS_BIND)\n"
    found = judged("mounts", text).mishap
    assert found is not None
    assert (found.line, found.call, found.errno) == (6, "mount", "ENOENT")
    assert found.arguments[1] == "'/nowhere'"
    assert "Make the place first" in found.explanation


@pytest.mark.parametrize(
    ("body", "line"),
    [
        ("time.sleep(600)", 5),
        ("signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals()); time.sleep(600)", 0),
    ],
)
def test_a_function_that_does_not_return_is_ended(judged: Judge, body: str, line: int) -> None:
    found = judged("hostname", hostname(body)).mishap
    assert found is not None
    assert (found.kind, found.function, found.line) == ("hang", "set_hostname", line)


@pytest.mark.parametrize("body", ["os._exit(0)", "__import__('ctypes').string_at(0)"])
def test_a_function_that_ends_the_process_is_named(judged: Judge, body: str) -> None:
    found = judged("hostname", hostname(body)).mishap
    assert found is not None
    assert (found.kind, found.function) == ("ended", "set_hostname")


@pytest.mark.parametrize("body", ["while True: os.fork()"])
def test_a_fork_bomb_is_stopped(judged: Judge, body: str) -> None:
    found = judged("hostname", hostname(body)).mishap
    assert found is not None
    assert found.kind == "processes"


def test_a_function_that_removes_its_own_file_is_told(judged: Judge) -> None:
    found = judged("hostname", hostname("os.unlink('/run/oci-tutor/my_runtime.py')")).mishap
    # In the container's mount namespace the file is there, too.
    assert found is not None
    assert (found.kind, found.function) == ("file", "set_hostname")


@pytest.mark.parametrize(
    "body",
    [
        "mount('tmpfs', '/', 'tmpfs')",
        "os.chroot('/tmp')",
    ],
)
def test_mounting_over_the_root_spoils_only_the_sandbox(judged: Judge, body: str) -> None:
    # In the runtime itself: there is no container yet.
    text = f"def claim_id(c):\n    os.makedirs(c.directory, exist_ok=True)\n    {body}\n"
    judgement = judged("ids", text)
    assert not judgement.passed
    assert judgement.mishap or judgement.differences


@pytest.mark.parametrize("body", ["os.kill(-1, signal.SIGKILL)", "for pid in range(1, 4000):\n        if pid != os.getpid():\n            try:\n                os.kill(pid, signal.SIGKILL)\n            except OSError: pass"])  # fmt: skip
def test_killing_every_process_reaches_none_outside(judged: Judge, body: str) -> None:
    bystander = subprocess.Popen(["sleep", "600"])
    try:
        judged("start", f"def start(c):\n    {body}\n")
        assert bystander.poll() is None
    finally:
        bystander.kill()
        bystander.wait()


def test_memory_without_end_is_stopped(judged: Judge) -> None:
    found = judged("hostname", hostname("kept = [bytes(1 << 20) + b'x' for _ in range(2000)]")).mishap
    assert found is not None
    assert found.kind == "memory"


def test_output_without_end_is_stopped(judged: Judge) -> None:
    found = judged("hostname", hostname("while True: os.write(2, b'x' * 100000)")).mishap
    assert found is not None
    assert found.kind in ("hang", "exception")


def test_when_the_tutor_is_killed_everything_ends(tmp_path: Path, home: Home) -> None:
    file = tmp_path / "my_runtime.py"
    file.write_text(IMPORTS + hostname("time.sleep(600)"))
    code = (
        "from pathlib import Path; from tutor.home import Home; from tutor.messages import Messages; from tutor.own_steps.judge import judge;"
        f"home = Home(Path({str(home.labs)!r}), Path({str(home.state)!r}), Path({str(home.cache)!r}));"
        f"judge('hostname', Path({str(file)!r}).read_text(), messages=Messages('en'), home=home, seconds=600)"
    )
    tutor = subprocess.Popen([sys.executable, "-P", "-c", code], cwd=Path(__file__).parents[2])
    try:
        until(lambda: bool(sandboxes_of(tutor.pid)))
        cgroups = sandboxes_of(tutor.pid)
    finally:
        tutor.send_signal(signal.SIGKILL)
        tutor.wait()
    until(lambda: not any(cgroup.exists() for cgroup in cgroups))


def sandboxes_of(pid: int) -> list[Path]:
    try:
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except OSError:
        return []
    return [each for each in sandboxes() if each.name.removeprefix(PREFIX).partition("-")[0] in children]
