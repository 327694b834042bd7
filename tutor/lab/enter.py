"""Enter a lab with a shell on the learner's terminal: `enter JOURNAL CWD PROGRAM ...`.

It joins the lab's cgroups and mount namespace, then executes the program in its place. It is a child of the face, on the same
terminal, so job control, Ctrl-C and window sizes work as in any shell.
"""

from __future__ import annotations

import os
import signal
import sys

from tutor.lab import cgroups, kernel
from tutor.lab.journal import load

_GONE = 3


def main() -> None:
    """Enter the lab and execute the program; exit with status 3 when the lab has ended."""
    journal_path, cwd, *program = sys.argv[1:]
    journal = load(journal_path)
    if journal is None or not journal.has_keeper():
        sys.exit(_GONE)
    namespace = os.open(f"/proc/{journal.owners[-1].pid}/ns/mnt", os.O_RDONLY | os.O_CLOEXEC)
    if not journal.has_keeper():  # between the look and the open its pid may have become another process's
        sys.exit(_GONE)
    for directory in journal.cgroups:
        leaf = f"{directory}/{cgroups.LEAF}"
        if os.path.isdir(leaf):  # noqa: PTH112  (planned, but not to be had: then the keeper does without it too)
            cgroups.join(leaf)
    kernel.join_mount_namespace(namespace)
    os.chdir(cwd)
    for number in (
        signal.SIGPIPE,
        signal.SIGXFSZ,
    ):  # Python ignores them, and execve(2) keeps ignored signals ignored
        signal.signal(number, signal.SIG_DFL)
    os.execvp(program[0], program)  # noqa: S606  (no shell is meant)


if __name__ == "__main__":
    main()
