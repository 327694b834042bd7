"""The file in which oci-tutor keeps its own troubles: each of them once, in the file that has the name, and never on the screen."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.support.pseudo_terminal import PseudoTerminal

if TYPE_CHECKING:
    from pathlib import Path

LOGGING = """
import logging, sys
from pathlib import Path
from tutor.log import LogFile
handler = LogFile(Path(sys.argv[1]), most=int(sys.argv[2]))
logging.getLogger().addHandler(handler)
for line in sys.stdin:
    logging.getLogger("tutor.test").warning(line.rstrip("\\n"))
    print("done", flush=True)
"""


class Process:
    """An oci-tutor that logs what it is told to."""

    def __init__(self, path: Path, most: int = 1_000_000) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-c", LOGGING, path, str(most)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip

    def log(self, message: str) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(f"{message}\n")
        self._process.stdin.flush()
        assert self._process.stdout.readline() == "done\n"

    def end(self) -> str:
        """Return what was printed to the screen."""
        _, error = self._process.communicate()
        return error


def messages(path: Path) -> list[str]:
    return [line.partition("WARNING ")[2] for line in path.read_text(encoding="utf-8").splitlines()]


def test_the_full_screen_logs_a_trouble_once(tmp_path: Path) -> None:
    script = (
        "import logging, sys; from tutor.cli import main as cli; from tutor.tui.app import TutorApp\n"
        "async def run(app): logging.getLogger('tutor.test').warning('a trouble')\n"
        "TutorApp.run_async = run\n"
        "sys.exit(cli.main([]))\n"
    )
    environment = {**os.environ, "OCI_TUTOR_HOME": str(tmp_path), "TERM": "xterm-256color"}
    with PseudoTerminal([sys.executable, "-c", script], environment) as terminal:
        assert terminal.wait_for_end() == 0
    assert messages(tmp_path / "state/oci-tutor.log") == ["a trouble"]


def test_after_a_rotation_records_go_to_the_new_file(tmp_path: Path) -> None:
    path, old = tmp_path / "log", tmp_path / "log.old"
    process = Process(path)
    process.log("before")
    path.rename(old)
    process.log("after")
    assert process.end() == ""
    assert (messages(old), messages(path)) == (["before"], ["after"])


def test_two_processes_share_a_file_that_one_of_them_rotates(tmp_path: Path) -> None:
    path = tmp_path / "log"
    first, second = Process(path, 1000), Process(path, 1000)
    written = [f"{number:03} {'x' * 150}" for number in range(8)]
    for number, message in enumerate(written):
        (first, second)[number % 2].log(message)
        assert path.stat().st_size <= 1000
    assert (first.end(), second.end()) == ("", "")
    assert messages(tmp_path / "log.1") + messages(path) == written
    assert len(messages(path)) < len(written), "nothing was rotated"


def test_many_at_once_lose_no_record_and_mix_none(tmp_path: Path) -> None:
    path = tmp_path / "log"
    script = LOGGING.replace("sys.stdin", "(f'{sys.argv[3]} {n}' for n in range(200))")
    each = [
        subprocess.Popen(
            [sys.executable, "-c", script, path, "20000", str(number)], stdout=subprocess.DEVNULL
        )
        for number in range(3)
    ]
    assert [process.wait() for process in each] == [0, 0, 0]
    found = messages(tmp_path / "log.1") + messages(path)
    assert len(found) == len(set(found))
    # What the first of two rotations renamed is gone by now; what is left is the end of what each has written.
    for number in range(3):
        own = [int(message.split()[1]) for message in found if message.startswith(f"{number} ")]
        assert own == list(range(200))[-len(own) :] if own else True
    assert path.stat().st_size <= 20000


@pytest.mark.parametrize("kind", ["directory", "fifo", "full", "below a file", "closed"])
def test_where_nothing_can_be_written_nothing_is_said_on_the_screen(kind: str, tmp_path: Path) -> None:
    path = tmp_path / "log"
    if kind == "directory":
        path.mkdir()
    elif kind == "fifo":
        os.mkfifo(path)  # without a reader
    elif kind == "full":
        path.symlink_to("/dev/full")
    elif kind == "below a file":
        path.write_text("")
        path /= "log"
    else:
        path.symlink_to("/dev/fd/99")
    process = Process(path)
    process.log("lost")
    assert process.end() == ""


def test_a_log_may_be_the_screen_itself_or_a_pipe_that_is_read(tmp_path: Path) -> None:
    path, pipe = tmp_path / "log", tmp_path / "pipe"
    path.symlink_to("/dev/stderr")
    process = Process(path)
    process.log("seen")
    assert [line.partition("WARNING ")[2] for line in process.end().splitlines()] == ["seen"]
    os.mkfifo(pipe)
    reading = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    process = Process(pipe)
    process.log("read")
    assert process.end() == ""
    assert os.read(reading, 1000).endswith(b"WARNING read\n")
    os.close(reading)


@pytest.mark.root
def test_a_full_disk_leaves_no_half_record(tmp_path: Path) -> None:
    script = f"""
import logging, sys
from pathlib import Path
from tutor.log import LogFile
place = Path({str(tmp_path)!r})
logging.getLogger().addHandler(LogFile(place / "log"))
logger = logging.getLogger("tutor.test")
logger.warning("first")
(place / "big").write_bytes(bytes(3 * 4096))
logger.warning("x" * 6000)
(place / "big").unlink()
logger.warning("last")
print((place / "log").read_text(), end="")
"""
    mount = 'mount -t tmpfs -o size=16k none "$0" && exec "$@"'
    done = subprocess.run(
        ["unshare", "--mount", "--propagation=private", "sh", "-c", mount, tmp_path, sys.executable, "-c", script],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert done.stderr == ""
    assert [line.partition("WARNING ")[2] for line in done.stdout.splitlines()] == ["first", "last"]
