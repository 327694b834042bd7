"""`runt` as a program that starts fast: `python -m runtime.install.launcher install` makes it, `uninstall` removes it.

A launcher is a small Python program. Its first line names the interpreter itself, not the one of a virtual environment or
a version manager's shim, with options that leave out what `runt` does not use: -I the environment and the current
directory, -S the site packages, which take longer to search than all of `runt` to load. It loads `runtime` from where it is
installed, or from a checkout, as one file (see `code_cache`).

For callers at a terminal, `env --block-signal` keeps Ctrl-C from ending the interpreter while it starts, when it would print
a traceback; `interrupts` unblocks the signals. Docker and other engines call the launcher by the path that `install` gives it:
they have no Ctrl-C, and save the 0.7 ms.

The installed launcher runs an interpreter that no container can write to: a read-only mount of it, below PLACES. See
`protection`, also for what happens without that mount.
"""

from __future__ import annotations

import os
import sys

from runtime.install.interpreter import PLACES, interpreter, place, program, root
from runtime.install.protection import unmount
from runtime.support import files
from runtime.support.errors import RuntError, describe

_BLOCKED = "HUP,INT,TERM"
_LONGEST_FIRST_LINE = 255
"""BINPRM_BUF_SIZE of the kernel, execve(2)."""

_STAND_IN = """\
#!{interpreter} -IS
# Is where the read-only mount of the interpreter will be, and makes it: see runtime/install/protection.py.
import sys
sys.path.insert(0, {root!r})
from runtime.install.protection import mount_and_restart
mount_and_restart({place!r}, {interpreter!r})
"""


def install(path: str = "") -> str:
    """Make a launcher at `path`, or in a directory of its own; return its path. Needs root; it is for the whole machine.

    Raises RuntError.
    """
    python = interpreter()
    directory = place(python)
    try:
        os.makedirs(directory, 0o755, exist_ok=True)
        _write(f"{directory}/interpreter", python, 0o644)
        # As in a virtual environment: where an interpreter that is elsewhere has its library (`venv` in the library reference).
        _write(f"{directory}/pyvenv.cfg", f"home = {os.path.dirname(python)}\n", 0o644)
        mounted = f"{directory}/python3"
        # The next start mounts it again.
        unmount(mounted)
        _write(mounted, _STAND_IN.format(interpreter=python, root=root(), place=directory), 0o755)
        return _write_launcher(path or f"{directory}/runt", mounted, blocks_signals=bool(path))
    except OSError as error:
        raise RuntError(f"cannot install the launcher: {describe(error)}") from None


def install_plain(path: str) -> str:
    """Make a launcher at `path` and nothing else. It protects the interpreter again at every start."""
    try:
        return _write_launcher(path, interpreter(), blocks_signals=True)
    except OSError as error:
        raise RuntError(f"cannot install the launcher: {describe(error)}") from None


def uninstall(path: str = "") -> None:
    """Remove what `install` made: the launcher, the mount, and the directory. It is no error if they are gone already."""
    directory = place(interpreter())
    try:
        if path and os.path.lexists(path):
            os.unlink(path)
        if not os.path.isdir(directory):
            return
        unmount(f"{directory}/python3")
        for name in os.listdir(directory):
            os.unlink(f"{directory}/{name}")
        os.rmdir(directory)
        if not os.listdir(PLACES):
            os.rmdir(PLACES)
    except OSError as error:
        raise RuntError(f"cannot remove the launcher: {describe(error)}") from None


def _write_launcher(path: str, python: str, *, blocks_signals: bool) -> str:
    from runtime.install import code_compiler

    try:
        code_compiler.write()
    except OSError:
        # Installed where this user may not write: then Python uses its own files of compiled code.
        pass
    first_line = f"#!{_env() if blocks_signals else ''}{python} -IS\n"
    if len(os.fsencode(first_line)) > _LONGEST_FIRST_LINE:
        raise RuntError(f"cannot install the launcher: the path of the interpreter is too long: {python}")
    path = os.path.abspath(path)
    _write(
        path,
        f"{first_line}# Made by `python -m runtime.install.launcher`; may be removed.\n{program()}",
        0o755,
    )
    return path


def _env() -> str:
    """Return the beginning of the first line, which blocks signals; nothing where `env` can't (GNU env can since 8.31)."""
    import subprocess

    env = "/usr/bin/env"
    try:
        done = subprocess.run([env, f"--block-signal={_BLOCKED}", "true"], check=False, capture_output=True)
    except OSError:
        return ""
    return f"{env} -S --block-signal={_BLOCKED} " if done.returncode == 0 else ""


def _write(path: str, text: str, mode: int) -> None:
    files.replace(path, text.encode("utf-8", "surrogateescape"), f"{path}.{os.getpid()}", mode)


def run(words: list[str]) -> int:
    """`install [PATH]`, `install-plain PATH`, `uninstall [PATH]`. There are no options: `--help` is no path."""
    if any(word.startswith("-") for word in words):
        words = []
    try:
        if words[:1] == ["install"] and len(words) <= 2:
            print(install(*words[1:]))
        elif words[:1] == ["install-plain"] and len(words) == 2:
            print(install_plain(words[1]))
        elif words[:1] == ["uninstall"] and len(words) <= 2:
            uninstall(*words[1:])
        else:
            print(
                "usage: python -m runtime.install.launcher install [PATH] | install-plain PATH | uninstall [PATH]"
            )
            return 2
    except RuntError as error:
        print(error.message, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(run(sys.argv[1:]))
