"""Find this machine's programs for the mini image, and put them into a layer.

A static busybox is one file with all of them. Without it, the machine's shell and tools are used, with their libraries.
"""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from tutor.images.elf import Elf, libraries_of
from tutor.images.errors import ImageError
from tutor.lazy_dataclass import dataclass
from tutor.paths import SYSTEM_FOLDERS, search_path

if TYPE_CHECKING:
    from tutor.images.layers import Layer

Source = Literal["auto", "busybox", "tools"]

# Both packages of Debian name the program busybox; the initramfs has one even where neither is installed.
_BUSYBOXES = ("busybox", "busybox-static", "busybox.static", "/usr/lib/initramfs-tools/bin/busybox")
_TOOLS = (
    *(
        "sh",
        "[",
        "awk",
        "base64",
        "basename",
        "cat",
        "chgrp",
        "chmod",
        "chown",
        "chroot",
        "cp",
        "cut",
        "date",
        "dd",
        "df",
    ),
    *(
        "dirname",
        "du",
        "echo",
        "env",
        "expr",
        "false",
        "find",
        "grep",
        "head",
        "hostname",
        "id",
        "ip",
        "kill",
        "ln",
        "ls",
    ),
    *(
        "lsns",
        "mkdir",
        "mkfifo",
        "mknod",
        "mktemp",
        "mount",
        "mv",
        "nproc",
        "nsenter",
        "od",
        "printf",
        "ps",
        "pwd",
    ),
    *(
        "readlink",
        "realpath",
        "rm",
        "rmdir",
        "sed",
        "seq",
        "setpriv",
        "sleep",
        "sort",
        "stat",
        "stty",
        "sync",
        "tail",
    ),
    *(
        "tee",
        "test",
        "timeout",
        "touch",
        "tr",
        "true",
        "tty",
        "umount",
        "uname",
        "uniq",
        "unshare",
        "wc",
        "whoami",
        "yes",
    ),
)


@dataclass(frozen=True, slots=True)
class Programs:
    """The programs found: one busybox, or tools by their names."""

    kind: Literal["busybox", "tools"]
    paths: dict[str, Path]

    @classmethod
    def find(cls, source: Source = "auto") -> Programs:
        """Find busybox (a static one first), else the machine's own tools; or only what `source` names.

        Raises:
            ImageError: `no_programs` (neither a busybox nor a shell) or `no_busybox`.
        """
        folders = search_path(SYSTEM_FOLDERS)
        if source != "tools":
            busybox = _find_busybox(folders)
            if busybox is not None:
                return cls("busybox", {"busybox": busybox})
            if source == "busybox":
                raise ImageError("images.error.no_busybox", path=folders)
        found = {name: shutil.which(name, path=folders) for name in _TOOLS}
        paths = {
            name: Path(path).resolve()
            for name, path in found.items()
            if path and _elf(Path(path)) is not None
        }
        if "sh" not in paths:
            raise ImageError("images.error.no_programs", path=folders)
        return cls("tools", paths)

    def fingerprint(self) -> list[tuple[str, str, int, int]]:
        """Return values that change when a program does: name, path, size in bytes, modification time in nanoseconds."""
        stats = [(name, path, path.stat()) for name, path in sorted(self.paths.items())]
        return [(name, str(path), stat.st_size, stat.st_mtime_ns) for name, path, stat in stats]

    def install(self, layer: Layer) -> str:
        """Put the programs, their links and their libraries into a layer, and return their architecture (as GOARCH).

        Raises:
            ImageError: `loader`: a program's libraries cannot be found.
            OSError: a program cannot be read.
        """
        architectures = {_install_program(layer, path) for path in sorted(set(self.paths.values()))}
        if self.kind == "busybox":
            for applet in _applets(self.paths["busybox"]):
                if applet not in layer:
                    layer.symlink(applet, "/bin/busybox")
            return architectures.pop()
        for name, path in self.paths.items():
            if name != path.name:
                layer.symlink(f"bin/{name}", path.name)
        return _elf_or_raise(self.paths["sh"])[0].architecture


def _find_busybox(folders: str) -> Path | None:
    found = [Path(path).resolve() for name in _BUSYBOXES if (path := shutil.which(name, path=folders))]
    programs = [(path, elf) for path in found if (elf := _elf(path)) is not None]
    return min(programs, key=lambda item: item[1].interpreter is not None, default=(None, None))[0]


def _applets(busybox: Path) -> list[str]:
    """Return the paths of busybox's links (`usr/bin/awk`); for a build without --list-full all are in /bin."""
    for option, prefix in (("--list-full", ""), ("--list", "bin/")):
        listing = subprocess.run([busybox, option], capture_output=True, text=True, check=False)
        # "linuxrc" has no directory: it is for an initial RAM disk only.
        names = [prefix + name for name in listing.stdout.split() if "/" in prefix + name]
        if listing.returncode == 0 and names:
            return names
    raise ImageError("images.error.no_applets", path=busybox)


def _install_program(layer: Layer, path: Path) -> str:
    elf, content = _elf_or_raise(path)
    # Set-user-ID bits are not copied.
    layer.file("bin/busybox" if path.name.startswith("busybox") else f"bin/{path.name}", content, mode=0o755)
    if elf.interpreter is not None:
        _install_libraries(layer, libraries_of(path, elf.interpreter), elf.interpreter)
    return elf.architecture


def _install_libraries(layer: Layer, libraries: dict[str, Path], interpreter: str) -> None:
    """Put the loader at the path in the program, and all libraries beside libc, where it looks without an ld.so.cache."""
    libc = [path for name, path in libraries.items() if name.startswith("libc.")]
    folder = libc[0].parent if libc else Path(interpreter).parent
    # Before glibc 2.34 a plugin that no program lists looked up the names of users and groups.
    if (folder / "libnss_files.so.2").exists():
        libraries = {**libraries, "libnss_files.so.2": folder / "libnss_files.so.2"}
    for target, source in [
        (Path(interpreter), Path(interpreter)),
        *((folder / n, p) for n, p in libraries.items()),
    ]:
        name = target.relative_to("/").as_posix()
        if name not in layer:
            layer.file(name, source.read_bytes(), mode=0o755)


def _elf(path: Path) -> Elf | None:
    try:
        return Elf.parse(path.read_bytes())
    except OSError:
        return None


def _elf_or_raise(path: Path) -> tuple[Elf, bytes]:
    content = path.read_bytes()
    elf = Elf.parse(content)
    if elf is None:
        raise ImageError("images.error.not_elf", path=path)
    return elf, content
