"""Images: docker-archive, OCI image layout, bundle, and the mini image that is made of this machine's own programs.

No user interface, and nothing but the standard library: tarfile, zlib, hashlib and json are all that these formats need.
What does the work is imported when it is called for, because the command line imports this room on every start.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tutor.images.errors import ImageError

if TYPE_CHECKING:
    from pathlib import Path

    from tutor.images.bundle_config import ConfigStyle

__all__ = ["ImageError", "prepare_bundle"]


def prepare_bundle(bundle: Path, *, cache: Path, config: ConfigStyle) -> None:
    """Make a bundle of the mini image at `bundle`, which must not exist or be an empty directory.

    The image is taken from below `cache` if it is there, undamaged and of this machine's present programs; otherwise it is built.
    `config`: the form of `config.json`, as `tutor.images.bundle_config` says. As an ordinary user the owners of files are
    left as they come.

    Raises:
        ImageError: no programs to build of, `bundle` is taken, a disk is full or not writable.
    """
    from tutor.images.prepare import prepare

    prepare(bundle, cache=cache, config=config)
