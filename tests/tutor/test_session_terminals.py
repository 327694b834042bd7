"""Terminals of a session: a shell in the lab on a pseudoterminal, and the one that a container asks for."""

from __future__ import annotations

import json
import os
import select
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from tests.support.lab import until
from tests.support.session import LESSON, every_engine, session
from tutor import patience
from tutor.course.model import RunOperation
from tutor.engines.lifecycle import status_of

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.session import Diary
    from tutor.engines.model import EngineName

pytestmark = pytest.mark.root

MOUNTS = [
    {"destination": "/proc", "type": "proc", "source": "proc"},
    {"destination": "/dev", "type": "tmpfs", "source": "tmpfs", "options": ["nosuid", "mode=755"]},
    {
        "destination": "/dev/pts",
        "type": "devpts",
        "source": "devpts",
        "options": ["newinstance", "ptmxmode=0666"],
    },
]


def read_until(master: int, wanted: bytes) -> bytes:
    """Read until `wanted` has come; an end (EIO) is an empty result after it."""
    found = b""
    while wanted not in found:
        assert select.select([master], [], [], patience.scaled(20))[0], found
        found += os.read(master, 4096)
    return found


def has_ended(master: int) -> bool:
    try:
        while select.select([master], [], [], patience.scaled(20))[0]:
            os.read(master, 4096)
    except OSError:
        return True
    return False


@every_engine
def test_a_container_with_a_terminal_has_it_in_the_face_that_takes_it(
    tmp_path: Path, diary: Diary, engine: EngineName
) -> None:
    masters: list[int] = []
    with session(tmp_path, diary, engine) as learner:
        learner.show_terminals(masters.append)
        learner.open(LESSON)
        config = json.loads(learner.config_text)
        assert config["process"]["terminal"] is True, "as the image's bundle has it"
        # runc 1.1.5 runs `exec` only in a container with a namespace of its own.
        own = {"namespaces": [{"type": "mount"}, {"type": "pid"}]}
        learner.write_config(json.dumps(config | {"mounts": MOUNTS, "linux": own}))
        run = learner._lesson_run
        assert run is not None
        whole = run.lesson
        asking = replace(run.step, activity=RunOperation("create", fails=True))
        run.lesson = replace(whole, steps=(asking, *whole.steps[1:]))
        learner.execute("create")
        assert status_of(learner.state) == "none", (
            "where a step asks for the error, the terminal is not taken"
        )
        run.lesson = whole
        learner.execute("create")
        assert status_of(learner.state) == "created", diary.printed()
        master = masters[0]
        assert len(masters) == 1
        learner.execute("start")
        os.write(master, "tty; echo 日本$((1+1))語\n".encode())
        said = read_until(master, "日本2語".encode())
        assert b"/dev/" in said
        learner.execute("exec -t sh")
        assert len(masters) == 2, diary.printed()
        os.write(masters[1], "tty; echo 別の$((1+1))\n".encode())
        assert b"/dev/" in read_until(masters[1], "別の2".encode())
        os.write(masters[1], b"exit\n")
        assert has_ended(masters[1])
        os.close(masters[1])
        os.write(master, b"exit\n")
        assert has_ended(master)
        os.close(master)
        learner.execute("delete")
        assert status_of(learner.state) == "none"

        shell = learner.open_shell((61, 17), "xterm-256color")
        os.write(shell.master, b"stty size; echo lab $(readlink /proc/self/ns/mnt) $TERM\n")
        assert b"17 61" in read_until(shell.master, b"] xterm-256color\r\n")
        until(lambda: os.tcgetpgrp(shell.master) == shell.pid)
        os.write(shell.master, b"trap '' HUP TERM; sleep 1000\n")
    assert has_ended(shell.master), "it ends with the lab"
    os.close(shell.master)
