"""The process outside of the sandboxes: it makes their cgroups, forks them, ends them when their time is over, and cleans up.

Standard input brings the request, one line of JSON, and says by its end that the caller has ended; standard output takes the answers, a
line of JSON for each play, in their order.
"""

from __future__ import annotations

import json
import os
import secrets
import select
import signal
import sys
import time
import traceback
from typing import Any

from tutor.lab import cgroups, kernel, processes
from tutor.own_steps.sandbox import limits
from tutor.own_steps.sandbox.driver import drive
from tutor.own_steps.sandbox.ground import View, stand, views

_GRACE = 2.0  # seconds for a driver to give its answer when its own time limit has passed
_NAMESPACES = (
    kernel.CLONE_NEWNS
    | kernel.CLONE_NEWPID
    | kernel.CLONE_NEWIPC
    | kernel.CLONE_NEWUTS
    | kernel.CLONE_NEWNET
    | kernel.CLONE_NEWCGROUP
)


def main() -> None:
    """Play everything that the request asks for, a few at a time."""
    signal.pthread_sigmask(
        signal.SIG_SETMASK, ()
    )  # it is inherited from the thread that started this process
    request = json.loads(sys.stdin.buffer.readline())
    kernel.set_process_name("oci-tutor-own")
    _sweep()
    waiting = list(enumerate(request["plays"]))
    running: list[_Sandbox] = []
    answers: dict[int, dict[str, Any]] = {}
    try:
        while waiting or running:
            while waiting and len(running) < request["at_once"]:
                number, play = waiting.pop(0)
                running.append(_Sandbox(number, {**request, "plays": [], **play}))
            if not _wait(running):
                return  # the caller has ended
            for sandbox in [each for each in running if each.over]:
                running.remove(sandbox)
                answers[sandbox.number] = sandbox.close()
                if answers[sandbox.number]["failed"] in ("hung", "timeout"):
                    # The others would cost the time limit, too.
                    for number, play in [each for each in waiting if each[1]["text"] == sandbox.text]:
                        waiting.remove((number, play))
                        answers[number] = {"failed": "skipped", "records": [], "limits": {}}
    finally:
        for sandbox in running:
            sandbox.close()
    for _number, answer in sorted(answers.items()):
        print(json.dumps(answer), flush=True)


def _wait(running: list[_Sandbox]) -> bool:
    """Wait for something to happen; return False when the caller has ended."""
    poller = select.poll()
    poller.register(0, select.POLLIN)
    by_descriptor = {sandbox.answer: sandbox for sandbox in running}
    for descriptor in by_descriptor:
        poller.register(descriptor, select.POLLIN)
    left = min(sandbox.deadline for sandbox in running) - time.monotonic()
    for descriptor, _event in poller.poll(max(0.0, left) * 1000):
        if descriptor == 0 and not os.read(0, 4096):
            return False
        if descriptor in by_descriptor:
            by_descriptor[descriptor].read()
    return True


class _Sandbox:
    """One sandbox: its first process and its cgroup."""

    def __init__(self, number: int, play: dict[str, Any]) -> None:
        self.number = number
        self.text: str = play["text"]
        self._name = f"{limits.PREFIX}{os.getpid()}-{processes.own_identity().start}-{secrets.token_hex(3)}"
        hierarchies = cgroups.hierarchies()  # in a cgroup namespace their paths are others
        self._cgroups = cgroups.make(self._name)
        limits.give(self._cgroups)
        self.answer, writing = os.pipe2(os.O_CLOEXEC)
        self.deadline = time.monotonic() + play["seconds"] + _GRACE
        self._chunks: list[bytes] = []
        self._ended = False
        self._pid = os.fork()
        if self._pid == 0:
            _enter(play, writing, hierarchies, self._cgroups)
        os.close(writing)

    @property
    def over(self) -> bool:
        """Whether it has ended, or its time is over."""
        return self._ended or time.monotonic() >= self.deadline

    def read(self) -> None:
        """Take what the driver has written; its end is the end of the sandbox."""
        chunk = os.read(self.answer, 1 << 16)
        self._chunks.append(chunk)
        self._ended = not chunk

    def close(self) -> dict[str, Any]:
        """End every process in it, remove its cgroups, and return the driver's answer."""
        os.kill(self._pid, signal.SIGKILL)  # the driver dies with it, and everything else with the driver
        os.waitpid(self._pid, 0)
        os.close(self.answer)
        reached = limits.reached(self._cgroups)
        for directory in self._cgroups:
            cgroups.kill(directory)
            cgroups.remove(directory)
        try:
            answer: dict[str, Any] = json.loads(b"".join(self._chunks))
        except ValueError:
            answer = {"failed": "timeout", "records": []}
        return answer | {"limits": reached}


def _enter(play: dict[str, Any], writing: int, hierarchies: list[cgroups.Hierarchy], made: list[str]) -> None:
    """Enter new namespaces in this forked process, fork the driver as their process 1, and wait for it."""
    status = 1
    try:
        kernel.die_with_parent()
        nowhere = os.open("/dev/null", os.O_RDWR)
        for number in (0, 1):
            os.dup2(nowhere, number)
        for directory in made:
            cgroups.join(f"{directory}/{cgroups.LEAF}")
        kernel.unshare(_NAMESPACES)
        driver = os.fork()
        if driver == 0:
            _drive(play, writing, views(hierarchies, made))
        os.close(writing)
        status = os.waitstatus_to_exitcode(os.waitpid(driver, 0)[1])
    finally:
        os._exit(abs(status))


def _drive(play: dict[str, Any], writing: int, seen: list[View]) -> None:
    """Be process 1: prepare the ground, play, and write the answer; what goes wrong with the ground is in it, too."""
    try:
        kernel.die_with_parent()
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        try:
            stand(play["keep"], seen)
            answer = drive(play)
        except OSError as error:
            answer = {"failed": "ground", "reason": str(error), "records": []}
        except Exception:  # noqa: BLE001  (a defect of this program: whoever reads the answer is told)
            answer = {"failed": "broken", "reason": traceback.format_exc(), "records": []}
        with os.fdopen(writing, "wb") as file:
            file.write(json.dumps(answer).encode())
    finally:
        os._exit(0)


def _sweep() -> None:
    """Remove the cgroups of sandboxes whose outside was killed: nothing runs in them any more."""
    for planned in cgroups.planned(limits.PREFIX):
        above = os.path.dirname(planned)  # noqa: PTH120  (starts fast)
        try:
            names = [name for name in os.listdir(above) if name.startswith(limits.PREFIX)]  # noqa: PTH208
        except OSError:
            continue
        for name in names:
            pid, start, _ = name.removeprefix(limits.PREFIX).split("-")
            if not processes.is_alive(processes.Identity(int(pid), int(start))):
                cgroups.remove(f"{above}/{name}", 0)


if __name__ == "__main__":
    main()
