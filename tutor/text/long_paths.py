"""Long paths in a text, shortened to the parts that tell them apart."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

_LONGEST = 40  # characters; a shorter path is left as it is
_KEPT = 2  # names at the end
_PATH = re.compile(r"(?<![^\s'\"=])~?/[^\s'\",]+")


def shortener(texts: Iterable[str]) -> Callable[[str], str]:
    """Return a function that shortens the long paths in one of `texts`: to their last two names (`…/alpine-test/pids.max`).

    Of paths that end alike, the first name by which they differ is kept, too (`…/memory/…/lab/alpine-test`).
    """
    paths = {path for text in texts for path in _PATH.findall(text) if len(path) > _LONGEST}
    by_end: dict[tuple[str, ...], list[list[str]]] = {}
    for path in sorted(paths):
        names = path.split("/")
        by_end.setdefault(tuple(names[-_KEPT:]), []).append(names)
    short = {"/".join(names): _short(names, alike) for alike in by_end.values() for names in alike}

    def shortened(text: str) -> str:
        return _PATH.sub(lambda found: short.get(found[0], found[0]), text)

    return shortened


def _short(names: list[str], alike: list[list[str]]) -> str:
    end = "/".join(names[-_KEPT:])
    different = [
        at
        for at, name in enumerate(names[:-_KEPT])
        if any(at >= len(other) or other[at] != name for other in alike)
    ]
    if not different:
        return f"…/{end}"
    first = different[0]
    before = "…/" if first > 1 else "/"
    between = "/" if first == len(names) - _KEPT - 1 else "/…/"
    return f"{before}{names[first]}{between}{end}"
