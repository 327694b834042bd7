"""Errors of the image tools; their texts are in the topic `images` of the catalogue."""

from __future__ import annotations

import errno
import os
from contextlib import contextmanager
from typing import TYPE_CHECKING

from tutor.errors import TutorError

if TYPE_CHECKING:
    from collections.abc import Iterator

UNFINISHED = ".partial"  # the end of the name of an unfinished output
_REASONS = {
    errno.ENOSPC: "disk_full",
    errno.EDQUOT: "disk_full",
    errno.EACCES: "permission",
    errno.EPERM: "permission",
    errno.EROFS: "read_only",
    errno.ENOENT: "missing",
    errno.EOVERFLOW: "owners",
}


class ImageError(TutorError):
    """An image, an archive, a layout or a bundle that cannot be made or used; the key is `images.error.CODE`."""

    @property
    def code(self) -> str:
        """The last part of the key: `blob_digest` of `images.error.blob_digest`."""
        return self.key.rpartition(".")[2]


@contextmanager
def explaining_os_errors(path: str | os.PathLike[str]) -> Iterator[None]:
    """Turn an `OSError` in the block into an `ImageError` that names `path` (or the file that the error names).

    Raises:
        ImageError: `disk_full`, `permission`, `read_only`, `missing`, `owners` (the mount does not map them), and `os` for everything else.
    """
    try:
        yield
    except OSError as error:
        named = error.filename if isinstance(error.filename, str) and error.filename.startswith("/") else ""
        # The user does not know the name of an unfinished output (`outputs`), nor that of a descriptor.
        unknown = not named or UNFINISHED in named or named.startswith("/proc/self/fd/")
        where = path if unknown else named
        code = _REASONS.get(error.errno or 0, "os")
        raise ImageError(
            f"images.error.{code}", path=os.fspath(where), reason=error.strerror or str(error)
        ) from error
