"""Process 1 of a sandbox: it plays the operations of a scenario on the learner's runtime, and writes down what it sees."""

from __future__ import annotations

import json
import os
import shutil
import stat
import time
from typing import TYPE_CHECKING, Any

from tutor.own_steps.sandbox import limits, looks
from tutor.own_steps.sandbox.commands import Commands, HungError
from tutor.own_steps.sandbox.console import Console
from tutor.own_steps.sandbox.places import (
    BUNDLE,
    FILE,
    OUTPUT,
    PID_FILE,
    READY,
    ROOTFS,
    STATE,
)

if TYPE_CHECKING:
    from collections.abc import Callable

_SHOWN = 20_000  # bytes of an output
_SETTLE = 2.0  # seconds for a program to begin, to handle a signal, or to end


def drive(play: dict[str, Any]) -> dict[str, Any]:
    """Play a scenario, and return the records of its operations, in their order; `failed` says why it was broken off."""
    limits.write("/proc/self/oom_score_adj", "-1000")  # short of memory, the kernel is to end the runtime
    driver = _Driver(play)
    driver.records.append({"look": "begin", **looks.host(driver.commands.host)})
    failed = ""
    for operation, *words in play["operations"]:
        try:
            driver.play(operation, words)
        except HungError as error:
            driver.records.append({"did": words, **error.args[0]})
            failed = "hung"
            break
        except OSError as error:
            failed = f"{operation}: {error}"
            break
        if not driver.goes_on:
            break
    driver.records.append({"look": "end", **looks.host(driver.commands.host)})
    return {"failed": failed, "records": driver.records, "in_vain": driver.in_vain}


class _Driver:
    def __init__(self, play: dict[str, Any]) -> None:
        self._play = play
        self._began = time.monotonic()
        self._deadline = self._began + play["seconds"]
        self._settle = _SETTLE * play["slowness"]
        self._init = 0
        self._console: Console | None = None
        self.records: list[dict[str, Any]] = []
        self.goes_on = True
        self.in_vain = 0
        self._commands = 0
        self._creates: list[int] = []  # the numbers of the commands that created containers
        self._lay_out()
        self.commands = Commands(play["launcher"], play["text"])

    def _lay_out(self) -> None:
        os.mkdir(OUTPUT)  # noqa: PTH102  (starts fast)
        os.mkdir(BUNDLE)  # noqa: PTH102
        _write(FILE, self._play["text"])
        _copy(self._play["root"], ROOTFS)
        _write(f"{BUNDLE}/config.json", json.dumps(self._play["config"], indent=2))
        for path, content in self._play["files"].items():
            place = f"{BUNDLE}/{path}"
            os.makedirs(os.path.dirname(place), exist_ok=True)  # noqa: PTH103, PTH120
            _write(place, content)
            os.chmod(place, 0o755)  # noqa: PTH101, S103

    def play(self, operation: str, words: list[str]) -> None:
        """Play one operation.

        Raises:
            HungError: a command did not end.
            OSError: something went wrong with the sandbox itself.
        """
        match operation:
            case "run":
                self._run(words)
            case "look":
                self._look(words[0])
            case "ready":
                self._until(lambda: self._is_ready() or not self._alive)
            case "ended":
                self._until(lambda: not self._alive)
            case "printed":
                self._until(lambda: words[0] in self._printed().splitlines() or not self._alive)
            case "console":
                self._console = Console()
            case _:
                raise OSError(f"no operation {operation}")

    def _run(self, words: list[str]) -> None:
        self._commands += 1
        if words[0] == "create":
            self._creates.append(self._commands)
        done = self.commands.run([f"--root={STATE}", *words], self._deadline)
        self.commands.collect()
        living = looks.orphans()
        if not self._init and living:
            self._init = living[0]
        self.records.append({"did": words, **done, "init": self._init, "living": living})
        if not done["file"]:
            self.goes_on = False  # what comes now says nothing of the runtime

    def _look(self, name: str) -> None:
        self.commands.collect()
        record: dict[str, Any] = {"look": name, **looks.host(self.commands.host)}
        record["orphans"] = len(looks.orphans())
        record["ended"] = self.commands.ended.get(self._init)
        record["init"] = self._init
        record["printed"] = self._printed()
        record["pid_file"] = _read(PID_FILE)
        if self._alive:
            record["process"] = looks.process(self._init, self.commands.host, self._play["paths"])
        record["bundle"] = looks.listing(BUNDLE, self._play["bundle_paths"])
        if self._console is not None:
            record["console"] = self._console.look()
        self.records.append(record)

    @property
    def _alive(self) -> bool:
        """Whether the container's first process runs."""
        return bool(self._init) and self._init not in self.commands.ended

    def _is_ready(self) -> bool:
        """Tell whether the program has printed its line, and become the one that it ends with: a shell does that by `exec` after it."""
        if READY not in self._printed().splitlines():
            return False
        try:
            with open(f"/proc/{self._init}/cmdline", "rb") as file:  # noqa: PTH123  (starts fast)
                return b"exec " not in file.read()
        except OSError:
            return True

    def _until(self, look: Callable[[], bool]) -> None:
        deadline = min(self._deadline, time.monotonic() + self._settle)
        self.in_vain += not self.commands.until(look, deadline)

    def _printed(self) -> str:
        # The container has the standard output of the command that created it.
        texts = [_read(f"{OUTPUT}/{number}.out") for number in self._creates]
        return "".join(texts) + (self._console.printed() if self._console else "")


def _copy(source: str, target: str) -> None:
    """Copy a tree with its owners, modes and links."""
    os.mkdir(target)  # noqa: PTH102
    with os.scandir(source) as entries:
        for entry in entries:
            place = f"{target}/{entry.name}"
            status = entry.stat(follow_symlinks=False)
            if stat.S_ISLNK(status.st_mode):
                os.symlink(os.readlink(entry.path), place)  # noqa: PTH115, PTH211
            elif stat.S_ISDIR(status.st_mode):
                _copy(entry.path, place)
            elif stat.S_ISREG(status.st_mode):
                shutil.copyfile(entry.path, place)
            else:
                continue
            os.chown(place, status.st_uid, status.st_gid, follow_symlinks=False)
            if not stat.S_ISLNK(status.st_mode):
                os.chmod(place, stat.S_IMODE(status.st_mode))  # noqa: PTH101


def _write(path: str, text: str) -> None:
    with open(path, "w", encoding="utf-8") as file:  # noqa: PTH123  (starts fast)
        file.write(text)


def _read(path: str) -> str:
    return limits.read(path, _SHOWN)
