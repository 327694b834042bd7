"""Images: docker-archive, OCI image layout, bundle, and the mini image that is built from this machine's programs.

No user interface, and only the standard library (zstd is in it since Python 3.14; before, `backports.zstd` stands in). The
modules that do the work are imported when they are called, so that importing this package is cheap.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tutor.images.errors import ImageError

if TYPE_CHECKING:
    from pathlib import Path

    from tutor.images.bundle_config import ConfigStyle

__all__ = ["ImageError", "prepare_bundle"]


def prepare_bundle(bundle: Path, *, cache: Path, config: ConfigStyle) -> None:
    """Create a bundle of the mini image at `bundle`, which must not exist or must be an empty directory.

    The image in `cache` is used if it is intact and of the programs as they are now; otherwise it is built. `config`: the form
    of `config.json` (`tutor.images.bundle_config`). For an ordinary user, all files belong to that user.

    Raises:
        ImageError: there are no programs to build from, there is something at `bundle`, or a disk is full or not writable.
    """
    from tutor.images.prepare import prepare

    prepare(bundle, cache=cache, config=config)
