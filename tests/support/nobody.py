"""`runt`, called by the user nobody, without or with ranges in /etc/subuid and /etc/subgid."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.support.runt import REPOSITORY, Bundle, Runt

if TYPE_CHECKING:
    from collections.abc import Iterator

NOBODY = 65534
RANGE = 200_000
"""The first of the UIDs and GIDs that `RuntWithRanges` gives to nobody, 1000 each."""

_NEW_ENOUGH = "import sys; sys.exit(sys.version_info < (3, 11))"
_WITH_RANGES = """
mount --bind "$PLACE/ranges" /etc/subuid
mount --bind "$PLACE/ranges" /etc/subgid
exec setpriv --reuid nobody --regid nogroup --clear-groups "$@"
"""


class RuntOfNobody(Runt):
    """`runt`, called by the user nobody, from a copy that nobody can read, wherever the checkout is."""

    def __init__(self, place: Path) -> None:
        super().__init__(place / "state")
        shutil.copytree(REPOSITORY / "runtime", place / "runtime")
        self.place = place
        self.python = next(
            path
            for path in (sys.executable, "/usr/bin/python3")
            if _as_nobody([path, "-c", _NEW_ENOUGH]) == 0
        )

    def command(self, *words: str) -> list[str]:
        """Return the whole command line for some arguments."""
        return [self.python, "-m", "runtime", "--root", str(self.root), *words]

    def __call__(self, *words: str, **options: Any) -> subprocess.CompletedProcess[str]:
        """Run a command as the user nobody."""
        user = {"user": NOBODY, "group": NOBODY, "extra_groups": []}
        env = {"PYTHONPATH": "", **options.pop("env", {})}
        return super().__call__(*words, cwd=self.place, env=env, **user, **options)


class RuntWithRanges(RuntOfNobody):
    """The same, with ranges of UIDs and GIDs: files are mounted over /etc/subuid and /etc/subgid."""

    def __init__(self, place: Path) -> None:
        super().__init__(place)
        (place / "ranges").write_text(f"nobody:{RANGE}:1000\n")
        self.before = ""
        """A shell command that root runs first, in a mount namespace of this command's own."""

    def command(self, *words: str) -> list[str]:
        """Return the whole command line for some arguments."""
        script = f"{self.before}\n{_WITH_RANGES}"
        unshare = ["unshare", "--mount", "--propagation", "slave", "sh", "-ec", script, "sh"]
        return [*unshare, *super().command(*words)]

    def __call__(self, *words: str, **options: Any) -> subprocess.CompletedProcess[str]:
        """Run a command: as root, until the files are in place."""
        env = {"PYTHONPATH": "", "PLACE": str(self.place), **options.pop("env", {})}
        return Runt.__call__(self, *words, cwd=self.place, env=env, **options)


@contextmanager
def place_of_nobody() -> Iterator[Path]:
    """Yield a directory that belongs to the user nobody, below one that every user may enter (pytest's own may not)."""
    with tempfile.TemporaryDirectory() as name:
        os.chown(name, NOBODY, NOBODY)
        yield Path(name)


def bundle_of_nobody(place: Path) -> Bundle:
    """Make a bundle in `place` that belongs to the user nobody."""
    bundle = Bundle(place / "bundle")
    for path in (bundle.path, *bundle.path.rglob("*")):
        os.chown(path, NOBODY, NOBODY, follow_symlinks=False)
    return bundle


def _as_nobody(command: list[str]) -> int:
    try:
        return subprocess.run(command, user=NOBODY, group=NOBODY, extra_groups=[], check=False).returncode
    except PermissionError:
        return 1
