"""How long a key takes: `python -m tests.bench.keys`, as root. From the write to the terminal to the effect in what it is sent.

In the editor of config.json a letter is typed, until it is drawn; in turn, the same in the TextArea of the bare app. Milliseconds: the median, and the 95th percentile.
"""

from __future__ import annotations

import os
import select
import tempfile
import time
from pathlib import Path
from statistics import median, quantiles

from tests.bench.faces import comparisons
from tests.support.pseudo_terminal import PseudoTerminal

_LETTERS = "QWXZ"  # no final byte of a control sequence that is drawn with
_ROUNDS = 40
_PAUSE = 0.15  # seconds between two keys, as one types


def main() -> None:
    """Measure and print."""
    with tempfile.TemporaryDirectory(prefix="bench-keys-") as name:
        environ = {
            "PATH": os.environ["PATH"],
            "LANG": "C.UTF-8",
            "COLORTERM": "truecolor",
            "OCI_TUTOR_HOME": f"{name}/home",
        }
        lesson, bare = comparisons(Path(name), "en")["lesson"]
        with (
            PseudoTerminal(lesson.argv, environ, columns=120, rows=40) as face,
            PseudoTerminal(bare.argv, environ, columns=120, rows=40) as toolkit,
        ):
            face.wait_for("ociVersion")
            toolkit.wait_for("ociVersion")
            _settle(face, toolkit)
            face.type("2")
            toolkit.type("\t")
            _settle(face, toolkit)
            typed: list[list[float]] = [[], []]
            for number in range(_ROUNDS):
                for times, terminal in zip(typed, (face, toolkit), strict=True):
                    letter = _LETTERS[number % len(_LETTERS)]
                    times.append(_time(terminal, letter, letter))
            for what, times in (("editor", typed[0]), ("bare editor", typed[1])):
                print(f"{what:12} median {median(times):5.1f}   p95 {quantiles(times, n=20)[-1]:5.1f}")
            for terminal in (face, toolkit):
                terminal.process.terminate()
                terminal.wait_for_end()


def _time(terminal: PseudoTerminal, key: str, effect: str) -> float:
    """Return how long a key takes, in milliseconds. Raises SystemExit if it has no effect."""
    time.sleep(_PAUSE)
    terminal.read()
    seen = len(terminal.raw)
    began = time.perf_counter()
    terminal.type(key)
    while effect not in terminal.raw[seen:]:
        if not select.select([terminal._master], [], [], 10)[0]:
            raise SystemExit(f"{key!r} had no effect: {terminal.text[-600:]}")
        terminal.read()
    return (time.perf_counter() - began) * 1000


def _settle(*terminals: PseudoTerminal) -> None:
    """Read what is still drawn, for as long as that takes: a cursor that blinks is drawn for ever."""
    until = time.monotonic() + 4
    while time.monotonic() < until:
        for terminal in terminals:
            select.select([terminal._master], [], [], 0.1)
            terminal.read()


if __name__ == "__main__":
    main()
