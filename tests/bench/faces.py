"""How long a learner waits: `python -m tests.bench.faces`, as root. From exec to the words on the screen, on a pseudoterminal.

Each face takes turns with the smallest program of its toolkit (`tests/bench/bare`), by the same Python, so that the ratio does not
depend on the load. Two numbers for each: milliseconds by the clock, and milliseconds of processor time of the program and every process
that it has started, up to the words. The directories of the learner are there from an earlier start, and the step is the first one.

    --rounds N      how many rounds (default: 15)
    --lang LANG     ja (default) or en
    --only NAME     one comparison: lesson, home, repl
"""

from __future__ import annotations

import argparse
import fcntl
import json
import os
import pty
import select
import signal
import struct
import subprocess
import sys
import tempfile
import termios
import time
from pathlib import Path
from statistics import median
from typing import NamedTuple

from tests.bench.bare.prompt import PROMPT

_BARE = Path(__file__).with_name("bare")
_LESSON = "first-container"
_CONFIG = {
    "ociVersion": "1.0.0",
    "process": {"terminal": True, "user": {"uid": 0, "gid": 0}, "args": ["/bin/sh"], "cwd": "/"},
    "root": {"path": "rootfs"},
    "linux": {"namespaces": [{"type": kind} for kind in ("pid", "network", "ipc", "uts", "mount")]},
}
_SIZE = (40, 120)  # lines, columns
_PATIENCE = 60.0  # seconds until words that do not come are a failure


class Face(NamedTuple):
    """A program, and the bytes that it writes when its screen is complete."""

    argv: list[str]
    words: bytes


class Taken(NamedTuple):
    """One start, in milliseconds."""

    clock: float
    processor: float


def start(face: Face, environ: dict[str, str]) -> Taken:
    """Start a program on a pseudoterminal of its own, wait for its words, and end it. Raises SystemExit if they do not come."""
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", *_SIZE, 0, 0))
    began = time.perf_counter()
    process = subprocess.Popen(
        face.argv, stdin=slave, stdout=slave, stderr=slave, env=environ, start_new_session=True
    )
    os.close(slave)
    try:
        _wait_for(face, master)
        took = Taken((time.perf_counter() - began) * 1000, processor_time(process.pid))
    finally:
        process.send_signal(signal.SIGTERM)
        while select.select([master], [], [], _PATIENCE)[0]:
            try:
                if not os.read(master, 1 << 16):
                    break
            except OSError:  # EIO: the last process with the terminal open has ended
                break
        process.wait()
        os.close(master)
    return took


def _wait_for(face: Face, master: int) -> None:
    deadline = time.monotonic() + _PATIENCE
    written = b""
    while face.words not in written:
        if not select.select([master], [], [], max(0.0, deadline - time.monotonic()))[0]:
            raise SystemExit(f"{face.argv}: {face.words!r} did not come:\n{written!r}")
        written += os.read(master, 1 << 16)


def processor_time(pid: int, *, alone: bool = False) -> float:
    """Return the milliseconds of processor time of a process, and, not `alone`, of those it has waited for and all descendants."""
    total = 0.0
    for each in [pid] if alone else descendants(pid):
        for task in Path(f"/proc/{each}/task").iterdir():
            total += int((task / "schedstat").read_text().split()[0]) / 1e6
        if alone:
            break
        fields = Path(f"/proc/{each}/stat").read_text().rpartition(") ")[2].split()
        total += (int(fields[13]) + int(fields[14])) * 1000 / os.sysconf("SC_CLK_TCK")
    return total


def descendants(pid: int) -> list[int]:
    """Return a process and all of its descendants."""
    found = [pid]
    for each in found:
        for task in Path(f"/proc/{each}/task").iterdir():
            found += [int(child) for child in (task / "children").read_text().split()]
    return found


def comparisons(directory: Path, lang: str) -> dict[str, tuple[Face, Face]]:
    """Return each face with the bare program that it is compared with."""
    program = [str(Path(sys.executable).with_name("oci-tutor")), "--lang", lang]
    config = directory / "config.json"
    config.write_text(json.dumps(_CONFIG, indent=2))
    textual = Face([sys.executable, str(_BARE / "textual_app.py"), str(config)], b'"ociVersion"')
    prompt = Face([sys.executable, str(_BARE / "prompt.py")], PROMPT.strip().encode())
    last = {"ja": "壊れた bundle", "en": "broken bundle"}[lang].encode()
    return {
        "lesson": (Face([*program, "start", _LESSON], b'"ociVersion"'), textual),
        "home": (Face(program, last), textual),
        "repl": (Face([*program, "repl", _LESSON], b"[0;32mrunt"), prompt),
    }


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.faces")
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--lang", choices=("ja", "en"), default="ja")
    parser.add_argument("--only", choices=("lesson", "home", "repl"))
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="bench-faces-") as name:
        directory = Path(name)
        environ = {
            **{key: value for key, value in os.environ.items() if not key.startswith(("PYTHON", "LC_"))},
            "TERM": "xterm-256color",
            "LANG": "C.UTF-8",
            "OCI_TUTOR_HOME": str(directory / "home"),
        }
        for what, pair in comparisons(directory, options.lang).items():
            if options.only in (None, what):
                print(_line(what, _compare(pair, environ, options.rounds)), flush=True)


def _compare(pair: tuple[Face, Face], environ: dict[str, str], rounds: int) -> list[list[Taken]]:
    for face in pair:
        start(face, environ)
    taken: list[list[Taken]] = [[], []]
    for _ in range(rounds):
        for face, times in zip(pair, taken, strict=True):
            times.append(start(face, environ))
    return taken


def _line(what: str, taken: list[list[Taken]]) -> str:
    (face, bare), (face_used, bare_used) = (
        [median(each[number] for each in times) for times in taken] for number in (0, 1)
    )
    return (
        f"{what:8} clock {face:7.0f} / {bare:5.0f} ms = {face / bare:4.2f}"
        f"   processor {face_used:7.0f} / {bare_used:5.0f} ms = {face_used / bare_used:4.2f}"
    )


if __name__ == "__main__":
    main()
