"""The interpreter that runs `runt`, the Python program of the launcher, and the place of the read-only mount."""

from __future__ import annotations

import os

PLACES = "/var/lib/runt"
"""The directory of the read-only mounts of interpreters: each has a directory in it, with its launcher."""

_PROGRAM = """\
import gc, sys
gc.disable()  # the process ends before there is garbage
sys.path.append({root!r})
try:
    from marshal import loads
    with open({code!r}, "rb", 0) as file:
        compiled = loads(file.readall())
    space = {{"__name__": "runtime.install.code_cache", "__file__": compiled[0][1]}}
    exec(compiled[0][4], space)
    if space["run"](compiled[1:]):
        sys.meta_path.insert(0, space["Importer"]())
except (OSError, EOFError, LookupError, TypeError, ValueError):
    pass  # it is a matter of speed only
from runtime.cli import command
command()
"""


def program() -> str:
    """Return the Python program that loads `runtime` from the code cache and runs the command line."""
    from runtime.install import code_cache

    return _PROGRAM.format(root=root(), code=code_cache.path("runtime.cli"))


def interpreter() -> str:
    """Return the path of this interpreter, without links, virtual environments and mounts."""
    path = os.readlink("/proc/self/exe")
    if not path.startswith(f"{PLACES}/"):
        return path
    with open(f"{os.path.dirname(path)}/interpreter", encoding="utf-8", errors="surrogateescape") as file:
        return file.read()


def place(python: str) -> str:
    """Return the directory for the read-only mount of the interpreter `python`, as this installation of `runtime` uses it."""
    from binascii import crc32

    both = os.fsencode(f"{root()}\n{python}")
    return f"{PLACES}/{os.path.basename(python)}-{crc32(both):08x}"


def root() -> str:
    """Return the directory that the package `runtime` is in."""
    return os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
