"""Why a program can't be executed, as far as its file shows: the reason behind an errno of execve(2) (ENOENT, EACCES, ENOEXEC)."""

from __future__ import annotations

import difflib
import os
import stat
import sys
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from tutor.explain.bundle import kind_of, resolve
from tutor.explain.model import Finding
from tutor.images.elf import Elf
from tutor.paths import SYSTEM_FOLDERS, mount_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tutor.explain.bundle import Bundle

_HEAD = 64 * 1024  # bytes of a program that are read: its headers are at its beginning
_MOST_LINKS = 40  # path_resolution(7)
_BOM = b"\xef\xbb\xbf"
_SHELLS = ("bash", "zsh", "ksh", "dash", "ash", "fish")
# A 64-bit kernel usually runs the 32-bit programs of its family too.
_ALSO_RUNS = {("amd64", "386"), ("arm64", "arm")}


def look_at_program(bundle: Bundle, name: str) -> Finding | None:
    """Return why `process.args[0]`, or the program of `exec`, can't run; None if no reason is found.

    A program below a mount is not examined: the root filesystem does not show it.
    """
    root = bundle.rootfs
    if root is None or kind_of(root) != "directory":
        return None
    if "/" in name:
        path = os.path.normpath(os.path.join(bundle.text_at("/process/cwd") or "/", name))  # noqa: PTH118
        if bundle.mounted(path):
            return None
        found = look_at_file(root, path, bundle)
        missing = found is not None and found.id == "program.not_there"
        return (_command_line(root, name, set()) if missing else None) or found
    folders = search_path(bundle)
    if folders is None:
        return Finding("program.no_path", {"name": name})
    if any(bundle.mounted(folder) for folder in folders):
        return None
    unfit = None
    for folder in folders:
        file = resolve(root, f"{folder}/{name}")
        if kind_of(file) != "file":
            continue
        found = look_at_file(root, f"{folder}/{name}", bundle)
        if found is None or found.id not in ("program.not_executable", "program.not_allowed"):
            return found
        unfit = unfit or found
    links = (broken_link(root, f"{folder}/{name}") for folder in folders)
    return unfit or next(filter(None, links), None) or _not_in_path(root, folders, name)


def search_path(bundle: Bundle) -> list[str] | None:
    """Return the folders of PATH in `process.env`; None if it has none."""
    values = [entry[5:] for entry in bundle.strings("/process/env") if entry.startswith("PATH=")]
    return [folder or "/" for folder in values[-1].split(":")] if values else None


def _not_in_path(root: Path, folders: list[str], name: str) -> Finding:
    values: dict[str, str | int] = {"name": name, "path": ":".join(folders)}
    known = {each for folder in folders for each in _names_in(resolve(root, folder))}
    if line := _command_line(root, name, known):
        return line
    where = _elsewhere(root, name, folders)
    if where:
        return Finding("program.elsewhere", {**values, "where": where})
    return Finding("program.not_in_path", {**values, "near": _closest(name, known)})


def _command_line(root: Path, name: str, known: set[str]) -> Finding | None:
    """Return a finding if a whole command line stands in place of a program's name, and its first word is a program."""
    words = name.split()
    if len(words) < 2 or not (
        words[0] in known or ("/" in words[0] and kind_of(resolve(root, words[0])) == "file")
    ):
        return None
    quoted = ", ".join(f'"{word}"' for word in words)
    return Finding("program.one_string", {"name": name, "words": quoted})


def _elsewhere(root: Path, name: str, folders: list[str]) -> str:
    """Return the path of the program in one of the usual directories outside of PATH."""
    for folder in (*SYSTEM_FOLDERS, "/"):
        file = resolve(root, f"{folder}/{name}") if name and folder not in folders else None
        if kind_of(file) == "file":
            return f"{folder.rstrip('/')}/{name}"
    return ""


def look_at_file(root: Path, path: str, bundle: Bundle | None = None) -> Finding | None:
    """Return why the file at a path below a root can't be executed; None if no reason is found.

    `bundle` gives the user (`process.user`); without it, root.
    """
    file = resolve(root, path)
    values: dict[str, str | int] = {"name": path, "path": path}
    try:
        status = file.stat() if file else None
    except (OSError, ValueError):
        status = None
    if file is None or status is None:
        if link := broken_link(root, path):
            return link
        folder, _, name = path.rpartition("/")
        near = _closest(name, _names_in(resolve(root, folder or "/")))
        return Finding("program.not_there", {**values, "near": f"{folder}/{near}" if near else ""})
    if stat.S_ISDIR(status.st_mode):
        return Finding("program.directory", values)
    if not stat.S_ISREG(status.st_mode):
        return Finding("program.denied", values)  # and it must not be opened: a pipe would never open
    values["mode"] = f"{stat.S_IMODE(status.st_mode):04o}"
    if not status.st_mode & 0o111:
        return Finding("program.not_executable", values)
    uid, groups = _user(bundle)
    if uid and not _may_execute(status, uid, groups):
        return Finding("program.not_allowed", {**values, "uid": uid, "owner": status.st_uid})
    try:
        if os.statvfs(file).f_flag & os.ST_NOEXEC:
            return Finding("program.noexec", {**values, "mount": mount_of(str(file))})
        with file.open("rb") as opened:
            head = opened.read(_HEAD)
    except OSError:
        return None
    return _look_at_head(root, head, values)


def broken_link(root: Path, path: str) -> Finding | None:
    """Return a finding if a path is a symbolic link, below a root, to a file that is not there; of several, the last is named."""
    at = path
    for _ in range(_MOST_LINKS):
        folder, _, name = at.rpartition("/")
        parent = resolve(root, folder or "/")
        if parent is None:
            break
        try:
            target = os.readlink(parent / name)  # noqa: PTH115  (a Path would lose `./`)
        except (OSError, ValueError):
            break
        at = os.path.normpath(os.path.join(folder or "/", target))  # noqa: PTH118
    else:
        return None  # a loop
    there = resolve(root, at)
    if at == path or (there is not None and kind_of(there)):
        return None
    return Finding("program.broken_link", {"name": path, "path": path, "target": at})


def _look_at_head(root: Path, head: bytes, values: dict[str, str | int]) -> Finding | None:
    if head.startswith(b"#!"):
        return _look_at_script(root, head[2:].split(b"\n")[0], values)
    if head.startswith(_BOM + b"#!"):
        return Finding("program.bom", values)
    elf = Elf.parse(head)
    if elf is None:
        return Finding("program.format", values)
    machine = _own_architecture()
    if machine and elf.architecture != machine and (machine, elf.architecture) not in _ALSO_RUNS:
        return Finding("program.machine", {**values, "found": elf.architecture, "wanted": machine})
    if elf.interpreter and resolve(root, elf.interpreter) is None:
        return Finding("program.loader", {**values, "loader": elf.interpreter})
    return None


def _look_at_script(root: Path, line: bytes, values: dict[str, str | int]) -> Finding | None:
    words = line.decode(errors="replace").strip(" \t").split(None, 1)
    if not words:
        return Finding("program.format", values)
    interpreter = line.decode(errors="replace").strip(" \t").split(" ")[0].split("\t")[0]
    if line.endswith(b"\r") and resolve(root, interpreter) is None:
        return Finding("program.crlf", {**values, "interpreter": interpreter.rstrip("\r")})
    file = resolve(root, interpreter)
    if kind_of(file) != "file" and (link := broken_link(root, interpreter)):
        return link
    if file is None or kind_of(file) != "file":
        folder, _, name = interpreter.rpartition("/")
        near = _closest(name, _names_in(resolve(root, folder or "/")))
        if name in _SHELLS and resolve(root, "/bin/sh"):
            near, folder = "sh", "/bin"
        values = {**values, "interpreter": interpreter, "near": f"{folder}/{near}" if near else ""}
        return Finding("program.interpreter", values)
    if not file.stat().st_mode & 0o111:
        return Finding("program.not_executable", {"name": interpreter, "path": interpreter, "mode": "0644"})
    return None


def _user(bundle: Bundle | None) -> tuple[int, set[int]]:
    numbers = [bundle.value(f"/process/user/{name}") if bundle else 0 for name in ("uid", "gid")]
    uid, gid = (number if isinstance(number, int) else 0 for number in numbers)
    more = bundle.value("/process/user/additionalGids") if bundle else None
    return uid, {gid, *(each for each in more if isinstance(each, int))} if isinstance(more, list) else {gid}


def _may_execute(status: os.stat_result, uid: int, groups: set[int]) -> bool:
    if status.st_uid == uid:
        return bool(status.st_mode & stat.S_IXUSR)
    if status.st_gid in groups:
        return bool(status.st_mode & stat.S_IXGRP)
    return bool(status.st_mode & stat.S_IXOTH)


def _names_in(folder: Path | None) -> list[str]:
    try:
        return sorted(os.listdir(folder)) if folder else []  # noqa: PTH208
    except (OSError, ValueError):
        return []


def _closest(name: str, known: Iterable[str]) -> str:
    close = difflib.get_close_matches(name, sorted(known), n=1, cutoff=0.7)
    return close[0] if close and close[0] != name else ""


@cache
def _own_architecture() -> str:
    """Return this machine's architecture: that of its Python; empty if it can't be read."""
    try:
        with Path(sys.executable).resolve().open("rb") as opened:
            elf = Elf.parse(opened.read(_HEAD))
    except OSError:
        return ""
    return elf.architecture if elf else ""
