"""A new bundle of the mini image in a few hundredths of a second: the layout is cached, and checked on every use."""

from __future__ import annotations

import fcntl
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from tutor.images.convert import convert
from tutor.images.errors import ImageError, explaining_os_errors
from tutor.images.layout import Layout
from tutor.images.mini import build, fingerprint
from tutor.images.outputs import remove_tree
from tutor.images.programs import Programs
from tutor.images.unpack import unpack

if TYPE_CHECKING:
    from tutor.images.bundle_config import ConfigStyle

_REF = "latest"


def prepare(bundle: Path, *, cache: Path, config: ConfigStyle) -> None:
    """Create a bundle, as described in `tutor.images.prepare_bundle`."""
    layout = mini_layout(cache)
    with explaining_os_errors(bundle):
        bundle.parent.mkdir(parents=True, exist_ok=True)
    unpack(layout, bundle, ref=_REF, config=config)


def mini_layout(cache: Path) -> Path:
    """Return an intact OCI layout with the mini image (ref `latest`), and build it if necessary.

    Raises:
        ImageError: there are no programs to build from, or the cache is full or not writable.
    """
    programs = Programs.find()
    with explaining_os_errors(cache):
        folder = cache / "images"
        layout = folder / f"mini-{fingerprint(programs)}"
        if _intact(layout):
            return layout
        folder.mkdir(parents=True, exist_ok=True)
        with (folder / ".lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            # The previous holder of the lock may have built it.
            if _intact(layout):
                return layout
            if layout.exists():
                remove_tree(layout)
            with tempfile.TemporaryDirectory(dir=folder) as scratch:
                archive = Path(scratch, "mini.tar")
                build(archive, source=programs.kind)
                convert(archive, layout, ref=_REF)
    return layout


def _intact(path: Path) -> bool:
    try:
        layout = Layout(path)
        layout.verify(layout.image(_REF))
    except ImageError:
        return False
    return True
