"""`oci-tutor`, run by an ordinary user with a range of subordinate ids, in a mount namespace where that user may read the checkout."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from tests.support.nobody import NOBODY, RANGE
from tests.support.runt import REPOSITORY
from tutor import patience

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_ENTER = """
mount --bind "$PLACE/ranges" /etc/subuid
mount --bind "$PLACE/ranges" /etc/subgid
exec setpriv --reuid nobody --regid nogroup --clear-groups "$@"
"""
_UNCOVER = """
mkdir -p "$PLACE/{name}"; mount --rbind {path} "$PLACE/{name}"
"""
_COVER = """
mount -t tmpfs -o mode=755 tmpfs {closed}
"""
_AGAIN = """
mkdir -p {path}; mount --rbind "$PLACE/{name}" {path}
"""


class Ordinary:
    """The user nobody with a home in `place`; `before` are shell lines that root runs first, in the mount namespace."""

    def __init__(self, place: Path, *, before: str = "", ids: int = 65536) -> None:
        self.place, self._before = place, before
        self.home = place / "home"
        self.home.mkdir()
        os.chown(self.home, NOBODY, NOBODY)
        (place / "ranges").write_text(f"nobody:{RANGE}:{ids}\n" if ids else "")

    def command(self, *words: str, inside: tuple[str, ...] = ()) -> list[str]:
        """Return the command line of a program that this user runs, by root; `inside` is a tool to run all of it in."""
        script = _reachable() + self._before + _ENTER
        return [*inside, "unshare", "--mount", "--propagation", "private", "sh", "-ec", script, "sh", *words]

    @property
    def environment(self) -> Mapping[str, str]:
        """The environment of its programs."""
        path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
        return {**os.environ, "PLACE": str(self.place), "HOME": str(self.home), "PATH": path}

    def tutor(
        self, *words: str, typed: str = "", seconds: float = 120, inside: tuple[str, ...] = ()
    ) -> subprocess.CompletedProcess[str]:
        """Run `oci-tutor` with these arguments, and with `typed` as its standard input."""
        tool = str(Path(sys.executable).with_name("oci-tutor"))
        return subprocess.run(
            self.command(tool, *words, inside=inside),
            cwd="/",
            env=self.environment,
            input=typed,
            capture_output=True,
            text=True,
            timeout=patience.scaled(seconds),
            check=False,
        )


@contextmanager
def ordinary_user(*, before: str = "", ids: int = 65536) -> Iterator[Ordinary]:
    """Yield the user, with a place below a directory that every user may enter."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as name:
        Path(name).chmod(0o755)
        yield Ordinary(Path(name), before=before, ids=ids)


def _reachable() -> str:
    """Return shell lines that make checkout and interpreter reachable where only root may enter a directory above them."""
    places = {str(path.resolve()) for path in (REPOSITORY, Path(sys.prefix), Path(sys.base_prefix))}
    closed: dict[str, list[str]] = {}
    for place in sorted(places):
        above = next((str(each) for each in reversed(Path(place).parents) if not _open(each)), "")
        if above:
            closed.setdefault(above, []).append(place)
    lines = ""
    for number, (above, paths) in enumerate(closed.items()):
        named = [(f"reach-{number}-{at}", path) for at, path in enumerate(paths)]
        lines += "".join(_UNCOVER.format(name=name, path=path) for name, path in named)
        lines += _COVER.format(closed=above)
        lines += "".join(_AGAIN.format(name=name, path=path) for name, path in named)
    return lines


def _open(directory: Path) -> bool:
    return bool(directory.stat().st_mode & stat.S_IXOTH)
