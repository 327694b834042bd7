"""Launchers that runt 0.1.0 installed before its files were moved: Docker still calls them after an upgrade."""

from __future__ import annotations

import marshal
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from runtime.install.protection import unmount
from tests.support.runt import REPOSITORY

OLD_LAUNCHER = """\
#!{interpreter} -IS
# Made by `python -m runtime.launcher`; may be removed.
import gc, sys
gc.disable()  # we end before there is garbage
sys.path.append({root!r})
try:
    from marshal import loads
    with open({bundle!r}, "rb", 0) as file:
        compiled = loads(file.readall())
    space = {{"__name__": "runtime.bundle", "__file__": compiled[0][1]}}
    exec(compiled[0][4], space)
    if space["run"](compiled[1:]):
        sys.meta_path.insert(0, space["Importer"]())
except (OSError, EOFError, LookupError, TypeError, ValueError):
    pass  # it is a matter of speed only
from runtime.cli import command
command()
"""
OLD_STAND_IN = """\
#!{interpreter} -IS
# Stands where the read-only mount of the interpreter will be, and makes it: see runtime/protection.py.
import sys
sys.path.insert(0, {root!r})
from runtime.protection import mount_and_restart
mount_and_restart({place!r}, {interpreter!r})
"""
OLD_RUN = """\
import os
def run(compiled):
    for name, source, modified, size, code in compiled:
        try:
            status = os.stat(source)
        except OSError:
            return False
        if (status.st_mtime_ns, status.st_size) != (modified, size):
            return False
    raise AssertionError("sources of the old layout are up to date")
"""
"""What the old cache of compiled code did before it ran anything: look whether the sources are still the same."""


@pytest.fixture
def upgraded(tmp_path: Path) -> Path:
    """An installation that has been upgraded: the new tree, in the place where the old one was."""
    shutil.copytree(
        REPOSITORY / "runtime", tmp_path / "runtime", ignore=shutil.ignore_patterns("__pycache__")
    )
    return tmp_path


def _write(path: Path, text: str) -> Path:
    path.write_text(text)
    path.chmod(0o755)
    return path


@pytest.mark.parametrize("stale_cache", [True, False])
def test_the_old_launcher_runs_the_new_tree(upgraded: Path, stale_cache: bool) -> None:
    cache = upgraded / "runtime/__pycache__/runtime.cli.old.bundle"
    if stale_cache:
        cache.parent.mkdir()
        run = compile(OLD_RUN, "bundle.py", "exec")
        gone = ("runtime.errors", f"{upgraded}/runtime/errors.py", 1, 1, run)
        bundle = ("runtime.bundle", f"{upgraded}/runtime/bundle.py", 1, 1, run)
        cache.write_bytes(marshal.dumps([bundle, gone]))
    interpreter = os.path.realpath(sys.executable)
    text = OLD_LAUNCHER.format(interpreter=interpreter, root=str(upgraded), bundle=str(cache))
    launcher = _write(upgraded / "runt", text)
    done = subprocess.run([launcher, "--version"], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("runt version")


@pytest.mark.root
def test_the_old_stand_in_mounts_the_interpreter_and_runs_it(upgraded: Path) -> None:
    place = upgraded / "place"
    place.mkdir()
    interpreter = os.path.realpath(sys.executable)
    stand_in = OLD_STAND_IN.format(interpreter=interpreter, root=str(upgraded), place=str(place))
    program = _write(place / "python3", stand_in)
    (place / "pyvenv.cfg").write_text(f"home = {Path(interpreter).parent}\n")
    code = "import os; print(os.readlink('/proc/self/exe'))"
    try:
        done = subprocess.run([program, "-IS", "-c", code], capture_output=True, text=True, check=False)
        assert (done.returncode, done.stderr) == (0, "")
        assert done.stdout.strip() == str(program)
    finally:
        unmount(str(program))
