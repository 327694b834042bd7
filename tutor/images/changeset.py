"""Apply layers to a root filesystem, in order (image-spec layer.md, "Applying Changesets")."""

from __future__ import annotations

import errno
import os
import shutil
import stat
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from tutor.images.errors import ImageError
from tutor.images.rootfs import Parts, Rootfs, split
from tutor.images.tar_header import BLOCK_DEVICE, CHARACTER, FIFO, LINK, REGULAR, SYMLINK, Entry
from tutor.lazy_dataclass import dataclass

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tutor.images.layer_tar import LayerTar
    from tutor.images.tar_reader import TarReader

_WHITEOUT = ".wh."
_OPAQUE = ".wh..wh..opq"
# AUFS kept metadata under names with this prefix; old images still have them, and every tool skips them.
_WHITEOUT_META = ".wh..wh."
_REFUSED = (errno.EPERM, errno.EACCES, errno.EINVAL, errno.ENOTSUP)
_TARGET_FAULTS = (
    errno.ENOSPC,
    errno.EDQUOT,
    errno.EROFS,
    errno.EIO,
    errno.EMFILE,
    errno.ENOMEM,
    errno.EOVERFLOW,
)


@dataclass(frozen=True, slots=True)
class Notice:
    """What was left out: attributes of files that could not be set here (`owners`, `devices`, `xattrs`), or unsafe `labels`."""

    code: str
    count: int
    example: str  # the path of the first one, as inside the container, or the name of a label


class Changesets:
    """Applies layers to `rootfs`, from the base up; `finish` sets the attributes that must be set at the end."""

    def __init__(self, rootfs: Rootfs) -> None:
        self._rootfs = rootfs
        self._left_out: dict[str, list[str]] = {}
        # A directory's mode may forbid creating files in it, and creating them changes its times: `finish` sets both.
        self._directories: dict[Parts, tuple[Entry, str]] = {}

    def apply(self, layer: LayerTar) -> None:
        """Apply one layer.

        Raises:
            ImageError: an entry leads out of the root, a whiteout or the type of a file is invalid, a hard link has no target,
                or the tar cannot be read; the message names layer and entry.
            OSError: the disk is full or has errors.
        """
        self._hide(layer)
        with layer.entries() as tar:
            for member in tar:
                path = split(member.name)
                _check_names(member, path, layer.digest)
                if not path or not path[-1].startswith(_WHITEOUT):
                    self._entry(tar, member, path, layer.digest)

    def finish(self) -> list[Notice]:
        """Set the attributes of the directories, the deepest first; return the attributes that could not be set."""
        for path in sorted(self._directories, key=len, reverse=True):
            with self._rootfs.directory(path) as (descriptor, _):
                entry, layer = self._directories[path]
                with _explaining(layer, entry.name):
                    self._attributes(f"/proc/self/fd/{descriptor}", None, entry, path)
        return [Notice(code, len(paths), paths[0]) for code, paths in sorted(self._left_out.items())]

    def _hide(self, layer: LayerTar) -> None:
        """Apply the whiteouts of the layer before its entries: they concern only the layers below."""
        if not layer.whiteouts:
            return
        with layer.entries() as tar:
            directories = {split(member.name) for member in tar if member.is_directory}
        for path in map(split, layer.whiteouts):
            name = path[-1]
            if name.startswith(_WHITEOUT_META) and name != _OPAQUE:
                continue
            hidden = name.removeprefix(_WHITEOUT)
            if hidden in ("", ".", ".."):
                raise ImageError("images.error.whiteout", layer=layer.digest, entry="/".join(path))
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

    def _entry(self, tar: TarReader, member: Entry, path: Parts, layer: str) -> None:
        """Apply one entry of a layer to the root filesystem."""
        with _explaining(layer, member.name):
            if not path:
                if not member.is_directory:
                    raise ImageError("images.error.root_entry", layer=layer, entry=member.name or "-")
                self._directories[()] = member, layer
                return
            with self._rootfs.directory(path[:-1], create=True) as (parent, resolved):
                path = (*resolved, path[-1])
                exists = self._make_way(parent, path, member)
                if member.is_directory:
                    self._directories[path] = member, layer
                if not exists and self._create(tar, member, parent, path, layer):
                    self._attributes(path[-1], parent, member, path)
                if member.is_directory:
                    _try_xattrs(f"/proc/self/fd/{parent}/{path[-1]}", member)

    def _make_way(self, parent: int, path: Parts, member: Entry) -> bool:
        """Remove what is in the way ("Changeset over existing files"); return whether the directory of the entry exists."""
        try:
            mode = os.lstat(path[-1], dir_fd=parent).st_mode
        except FileNotFoundError:
            return False
        if member.is_directory and stat.S_ISDIR(mode):
            return True
        self._remove(parent, path)
        return False

    def _create(self, tar: TarReader, member: Entry, parent: int, path: Parts, layer: str) -> bool:
        """Create a file of the entry's type; return whether its attributes are to be set now."""
        name = path[-1]
        if member.is_directory:
            os.mkdir(name, 0o700, dir_fd=parent)
            return False
        if member.type == REGULAR:
            flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
            with open(os.open(name, flags, 0o600, dir_fd=parent), "wb") as target:  # noqa: PTH123  (a descriptor)
                position = 0
                for at, data in tar.content():
                    if at != position:
                        target.seek(at)
                    target.write(data)
                    position = at + len(data)
                if position != member.size:
                    target.truncate(member.size)  # the end of a sparse file
        elif member.type == SYMLINK:
            os.symlink(member.target, name, dir_fd=parent)
        elif member.type == LINK:
            self._hard_link(member, parent, name, layer)
            return False  # the attributes are those of the file linked to
        elif member.type == FIFO:
            os.mkfifo(name, 0o600, dir_fd=parent)
        elif member.type in (CHARACTER, BLOCK_DEVICE):
            kind = stat.S_IFCHR if member.type == CHARACTER else stat.S_IFBLK
            device = os.makedev(*member.device)
            return self._try("devices", path, lambda: os.mknod(name, kind | 0o600, device, dir_fd=parent))
        else:
            raise ImageError(
                "images.error.entry_type", layer=layer, entry=member.name, type=repr(member.type)
            )
        return True

    def _hard_link(self, member: Entry, parent: int, name: str, layer: str) -> None:
        target = split(member.target)
        try:
            with self._rootfs.directory(target[:-1]) as (folder, _):
                os.link(target[-1], name, src_dir_fd=folder, dst_dir_fd=parent, follow_symlinks=False)
        except (FileNotFoundError, NotADirectoryError, PermissionError, IndexError) as error:
            raise ImageError(
                "images.error.hard_link", layer=layer, entry=member.name, target=member.target
            ) from error

    def _attributes(self, name: str, parent: int | None, member: Entry, path: Parts) -> None:
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
        for key, value in member.xattrs.items():
            self._set_xattr(xattr_path, key, value, path, follow=follow)
        if member.type != SYMLINK:
            os.chmod(name, stat.S_IMODE(member.mode), dir_fd=parent)
        os.utime(name, ns=(member.mtime, member.mtime), dir_fd=parent, follow_symlinks=follow)

    def _set_xattr(self, target: str, key: str, data: bytes, path: Parts, *, follow: bool) -> None:
        # Not one that is invalid, of which the kernel says EINVAL.
        refused = tuple(error for error in _REFUSED if error != errno.EINVAL)
        self._try("xattrs", path, lambda: os.setxattr(target, key, data, follow_symlinks=follow), refused)

    def _try(
        self, code: str, path: Parts, action: Callable[[], None], refused: tuple[int, ...] = _REFUSED
    ) -> bool:
        """Set an attribute that an ordinary user or the filesystem may be refused; if so, note it and continue."""
        try:
            action()
        except OSError as error:
            if error.errno not in refused:
                raise
            self._left_out.setdefault(code, []).append("/" + "/".join(path))
            return False
        return True


def _try_xattrs(directory: str, member: Entry) -> None:
    """Let the kernel look at the attributes of a directory, which are set at the end. Raises OSError for one that is invalid.

    A later layer may replace the directory; the one that brought it is wrong all the same, as umoci says too.
    """
    for key, value in member.xattrs.items():
        try:
            os.setxattr(directory, key, value, follow_symlinks=False)
            os.removexattr(directory, key, follow_symlinks=False)
        except OSError as error:
            if error.errno == errno.EINVAL:
                raise


@contextmanager
def _explaining(layer: str, entry: str) -> Iterator[None]:
    """Turn an error of an entry into one that names it; errors of the disk pass."""
    try:
        yield
    except (OSError, ValueError, OverflowError) as error:
        # Not an OSError: a NUL in a name, or a number that the system call does not take.
        if isinstance(error, OSError) and error.errno in _TARGET_FAULTS:
            raise
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise ImageError("images.error.layer_entry", layer=layer, entry=entry, reason=reason) from error


def _check_names(member: Entry, path: Parts, layer: str) -> None:
    """Refuse names that lead out of the root; links that do so are harmless (see `Rootfs`)."""
    if ".." in path or (member.type == LINK and ".." in split(member.target)):
        raise ImageError(
            "images.error.entry_escape", layer=layer, entry=member.name, target=member.target or "-"
        )
