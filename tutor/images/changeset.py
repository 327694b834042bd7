"""Apply layers to a root filesystem, in order (image-spec layer.md, "Applying Changesets")."""

from __future__ import annotations

import errno
import os
import shutil
import stat
import tarfile
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import IO, TYPE_CHECKING

from tutor.images.digests import CHUNK
from tutor.images.errors import ImageError
from tutor.images.rootfs import Parts, Rootfs, split

if TYPE_CHECKING:
    from collections.abc import Callable

_WHITEOUT = ".wh."
_OPAQUE = ".wh..wh..opq"
# AUFS kept metadata under names with this prefix; old images still have them, and every tool skips them.
_WHITEOUT_META = ".wh..wh."
_XATTR = "SCHILY.xattr."  # the prefix of extended attributes among PAX headers: libarchive tar(5)
_REFUSED = (errno.EPERM, errno.EACCES, errno.EINVAL, errno.ENOTSUP)
_TARGET_FAULTS = (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EIO, errno.EMFILE, errno.ENOMEM)


@dataclass(frozen=True, slots=True)
class Notice:
    """An attribute of an image's files that could not be set here and was left out; `code` is `owners`, `devices` or `xattrs`."""

    code: str
    count: int
    example: str  # the path of the first one, as inside the container


class Changesets:
    """Applies layers to `rootfs`, from the base up; `finish` sets the attributes that must be set at the end."""

    def __init__(self, rootfs: Rootfs) -> None:
        self._rootfs = rootfs
        self._left_out: dict[str, list[str]] = {}
        # A directory's mode may forbid creating files in it, and creating them changes its times: `finish` sets both.
        self._directories: dict[Parts, tarfile.TarInfo] = {}

    def apply(self, file: IO[bytes], layer: str) -> None:
        """Apply one layer: `file` is its uncompressed tar, `layer` its digest (for messages).

        Raises:
            ImageError: an entry leads out of the root, a whiteout or the type of a file is invalid, a hard link has no target,
                or the tar cannot be read; the message names layer and entry.
            OSError: the disk is full or has errors.
        """
        try:
            with tarfile.open(fileobj=file, mode="r:") as tar:
                members = [(split(member.name), member) for member in tar.getmembers()]
                for path, member in members:
                    _check_names(member, path, layer)
                self._hide([path for path, _ in members], {path for path, m in members if m.isdir()}, layer)
                for path, member in members:
                    if not path or not path[-1].startswith(_WHITEOUT):
                        self._entry(tar, member, path, layer)
        except (tarfile.TarError, EOFError, ValueError, OverflowError) as error:
            raise ImageError("images.error.layer_tar", layer=layer, reason=str(error)) from error

    def finish(self) -> list[Notice]:
        """Set the attributes of the directories, the deepest first; return the attributes that could not be set."""
        for path in sorted(self._directories, key=len, reverse=True):
            with self._rootfs.directory(path) as (descriptor, _):
                self._attributes(f"/proc/self/fd/{descriptor}", None, self._directories[path], path)
        return [Notice(code, len(paths), paths[0]) for code, paths in sorted(self._left_out.items())]

    def _hide(self, paths: list[Parts], directories: set[Parts], layer: str) -> None:
        """Apply the whiteouts of the layer before its entries: they concern only the layers below."""
        for path in paths:
            name = path[-1] if path else ""
            if not name.startswith(_WHITEOUT) or (name.startswith(_WHITEOUT_META) and name != _OPAQUE):
                continue
            hidden = name.removeprefix(_WHITEOUT)
            if hidden in ("", ".", ".."):
                raise ImageError("images.error.whiteout", layer=layer, entry="/".join(path))
            # If this layer replaces a link by a directory, nothing below is hidden: the target of the link stays.
            declared = [path[:length] for length in range(1, len(path)) if path[:length] in directories]
            if any(self._is_link(directory) for directory in declared):
                continue
            if name == _OPAQUE:
                self._remove_children(path[:-1])
            else:
                self._remove_lower((*path[:-1], hidden))

    def _is_link(self, path: Parts) -> bool:
        try:
            with self._rootfs.directory(path[:-1]) as (parent, _):
                return stat.S_ISLNK(os.lstat(path[-1], dir_fd=parent).st_mode)
        except (FileNotFoundError, NotADirectoryError):
            return False

    def _remove_children(self, path: Parts) -> None:
        if path and self._is_link(path):
            return
        try:
            with self._rootfs.directory(path) as (descriptor, resolved):
                # An O_PATH descriptor cannot be listed, but its entry in /proc can.
                for child in list(Path(f"/proc/self/fd/{descriptor}").iterdir()):
                    self._remove(descriptor, (*resolved, child.name))
        except (FileNotFoundError, NotADirectoryError):
            return

    def _remove_lower(self, path: Parts) -> None:
        try:
            with self._rootfs.directory(path[:-1]) as (parent, resolved):
                self._remove(parent, (*resolved, path[-1]))
        except (FileNotFoundError, NotADirectoryError):
            return

    def _remove(self, parent: int, path: Parts) -> None:
        """Remove a file or a tree; `path` is without links, `parent` is the directory that contains it."""
        if stat.S_ISDIR(os.lstat(path[-1], dir_fd=parent).st_mode):
            shutil.rmtree(path[-1], dir_fd=parent)
            for directory in [known for known in self._directories if known[: len(path)] == path]:
                del self._directories[directory]
        else:
            os.unlink(path[-1], dir_fd=parent)

    def _entry(self, tar: tarfile.TarFile, member: tarfile.TarInfo, path: Parts, layer: str) -> None:
        """Apply one entry of a layer to the root filesystem."""
        try:
            if not path:
                if member.isdir():
                    self._directories[()] = member
                return
            with self._rootfs.directory(path[:-1], create=True) as (parent, resolved):
                path = (*resolved, path[-1])
                if self._make_way(parent, path, member) and self._create(tar, member, parent, path, layer):
                    self._attributes(path[-1], parent, member, path)
        except OSError as error:
            if error.errno in _TARGET_FAULTS:
                raise
            raise ImageError(
                "images.error.layer_entry", layer=layer, entry=member.name, reason=error.strerror
            ) from error

    def _make_way(self, parent: int, path: Parts, member: tarfile.TarInfo) -> bool:
        """Remove what is in the way ("Changeset over existing files"); return whether a file is to be created."""
        if member.isdir():
            self._directories.pop(path, None)
        try:
            mode = os.lstat(path[-1], dir_fd=parent).st_mode
        except FileNotFoundError:
            return True
        if member.isdir() and stat.S_ISDIR(mode):
            self._directories[path] = member
            return False
        self._remove(parent, path)
        return True

    def _create(
        self, tar: tarfile.TarFile, member: tarfile.TarInfo, parent: int, path: Parts, layer: str
    ) -> bool:
        """Create a file of the entry's type; return whether its attributes are to be set now."""
        name = path[-1]
        if member.isdir():
            os.mkdir(name, 0o700, dir_fd=parent)
            self._directories[path] = member
            return False
        if member.isreg():
            source = tar.extractfile(member)
            flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
            with open(os.open(name, flags, 0o600, dir_fd=parent), "wb") as target:  # noqa: PTH123  (a descriptor)
                if source is not None:
                    shutil.copyfileobj(source, target, CHUNK)
        elif member.issym():
            os.symlink(member.linkname, name, dir_fd=parent)
        elif member.islnk():
            self._hard_link(member, parent, name, layer)
            return False  # the attributes are those of the file linked to
        elif member.isfifo():
            os.mkfifo(name, 0o600, dir_fd=parent)
        elif member.ischr() or member.isblk():
            kind = stat.S_IFCHR if member.ischr() else stat.S_IFBLK
            device = os.makedev(member.devmajor, member.devminor)
            return self._try("devices", path, lambda: os.mknod(name, kind | 0o600, device, dir_fd=parent))
        else:
            raise ImageError(
                "images.error.entry_type", layer=layer, entry=member.name, type=repr(member.type)
            )
        return True

    def _hard_link(self, member: tarfile.TarInfo, parent: int, name: str, layer: str) -> None:
        target = split(member.linkname)
        try:
            with self._rootfs.directory(target[:-1]) as (folder, _):
                os.link(target[-1], name, src_dir_fd=folder, dst_dir_fd=parent, follow_symlinks=False)
        except (FileNotFoundError, NotADirectoryError, PermissionError, IndexError) as error:
            raise ImageError(
                "images.error.hard_link", layer=layer, entry=member.name, target=member.linkname
            ) from error

    def _attributes(self, name: str, parent: int | None, member: tarfile.TarInfo, path: Parts) -> None:
        """Set owner, extended attributes, mode and time, in this order: chown(2) clears capabilities and set-ID bits.

        With `parent`, `name` is in that directory and links are not followed; without, it is a `/proc/self/fd` path.
        """
        follow = parent is None
        self._try(
            "owners",
            path,
            lambda: os.chown(name, member.uid, member.gid, dir_fd=parent, follow_symlinks=follow),
        )
        xattr_path = name if follow else f"/proc/self/fd/{parent}/{name}"
        for key, value in member.pax_headers.items():
            if key.startswith(_XATTR):
                self._set_xattr(xattr_path, key.removeprefix(_XATTR), value, path, follow=follow)
        if not member.issym():
            os.chmod(name, stat.S_IMODE(member.mode), dir_fd=parent)
        time = _nanoseconds(member)
        os.utime(name, ns=(time, time), dir_fd=parent, follow_symlinks=follow)

    def _set_xattr(self, target: str, key: str, value: str, path: Parts, *, follow: bool) -> None:
        data = value.encode("utf-8", "surrogateescape")
        self._try("xattrs", path, lambda: os.setxattr(target, key, data, follow_symlinks=follow))

    def _try(self, code: str, path: Parts, action: Callable[[], None]) -> bool:
        """Set an attribute that an ordinary user or the filesystem may be refused; if so, note it and continue."""
        try:
            action()
        except OSError as error:
            if error.errno not in _REFUSED:
                raise
            self._left_out.setdefault(code, []).append("/" + "/".join(path))
            return False
        return True


def _check_names(member: tarfile.TarInfo, path: Parts, layer: str) -> None:
    """Refuse names that lead out of the root; links that do so are harmless (see `Rootfs`)."""
    if ".." in path or (member.islnk() and ".." in split(member.linkname)):
        raise ImageError(
            "images.error.entry_escape", layer=layer, entry=member.name, target=member.linkname or "-"
        )


def _nanoseconds(member: tarfile.TarInfo) -> int:
    """Return the modification time in nanoseconds; a PAX header has it as a decimal fraction, too fine for a float."""
    try:
        return int(Decimal(member.pax_headers.get("mtime", "")) * 1_000_000_000)
    except InvalidOperation:
        return int(member.mtime) * 1_000_000_000
