"""The kept pictures, and how one is drawn: until it equals the kept one, or until it does not change any more."""

from __future__ import annotations

import itertools
import time
from dataclasses import dataclass
from difflib import ndiff
from pathlib import Path
from typing import TYPE_CHECKING

from tests.pictures.scenes import SCENES
from tests.support.stage import staged
from tests.support.svg import lines_of
from tutor.messages import LANGUAGES

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.pictures.scenes import Scene
    from tests.support.stage import Size, Stage
    from tutor.messages import Language

KEPT = Path(__file__).parent.parent / "tutor" / "pictures"
RENEW = "script/pictures"
_STILL = 0.4
"""Seconds without a change after which a picture is complete: longer than the editor waits before it checks the text."""
_LOOKS = 3
"""How often it must have been drawn in that time: on a busy machine drawing takes long."""
_BETWEEN = 0.03
_LONGEST = 15.0
"""Seconds after which a picture that keeps changing is taken as it is."""


def name_of(scene: Scene, language: Language, size: Size) -> str:
    """Return a picture's file name."""
    return f"{scene.name}-{language}-{size[0]}x{size[1]}.svg"


@dataclass(frozen=True, slots=True)
class Show:
    """Scenes that are played in one app, one after the other: with the same terminal size, language and colours."""

    scenes: tuple[Scene, ...]
    language: Language
    size: Size
    light: bool
    no_color: bool

    @property
    def name(self) -> str:
        """Its name, without blanks."""
        colours = "light-" * self.light + "no-color-" * self.no_color
        return f"{colours}{self.language}-{self.size[0]}x{self.size[1]}"

    @property
    def pictures(self) -> dict[str, Scene]:
        """The scenes by the file names of their pictures."""
        return {name_of(scene, self.language, self.size): scene for scene in self.scenes}


def shows(word: str = "") -> list[Show]:
    """Return all pictures to draw, or those whose file names contain a word."""
    found: dict[tuple[Size, Language, bool, bool], list[Scene]] = {}
    for scene, language in itertools.product(SCENES, LANGUAGES):
        for size in scene.sizes:
            if word in name_of(scene, language, size):
                found.setdefault((size, language, scene.light, scene.no_color), []).append(scene)
    return [
        Show(tuple(scenes), language, size, light, no_color)
        for (size, language, light, no_color), scenes in found.items()
    ]


async def draw(folder: Path, show: Show, *, anew: bool = False) -> AsyncIterator[tuple[str, str]]:
    """Play scenes; yield each picture's file name and its SVG. The learner's progress is kept in `folder`.

    `anew`: each is complete when it does not change any more. Else also once it equals the kept one, which a test may take for
    complete: but a screen that only passes by on the way would be kept for ever.
    """
    colours = {"light": show.light, "no_color": show.no_color}
    async with staged(folder, show.language, show.size, **colours) as stage:
        for name, scene in show.pictures.items():
            await scene.reach(stage)
            yield name, await _drawn(stage, "" if anew else kept(name))


def kept(name: str) -> str:
    """Return a kept picture; empty if there is none."""
    path = KEPT / name
    return path.read_text(encoding="utf-8") if path.exists() else ""


async def _drawn(stage: Stage, expected: str) -> str:
    """Return the picture once it is the expected one, or else once it has not changed for a while."""
    begin = since = time.monotonic()
    last, looks = "", 0
    await stage.pause(0)
    while (now := stage.draw()) != expected:
        moment = time.monotonic()
        if now != last:
            last, since, looks = now, moment, 0
        if moment - begin > _LONGEST or (moment - since > _STILL and looks >= _LOOKS):
            break
        looks += 1
        await stage.pause(_BETWEEN)
    return now


def difference(name: str, drawn: str) -> str:
    """Return the differences of a picture as text: the lines that differ, or else that only colours or positions do."""
    before = kept(name)
    if not before:
        return f"{name}: there is no such picture yet"
    old, new = ([f"{at:>2} {line}" for at, line in enumerate(lines_of(svg), 1)] for svg in (before, drawn))
    changed = [line.rstrip() for line in ndiff(old, new) if line[0] in "-+"]
    if not changed:
        pairs = zip(before.splitlines(), drawn.splitlines(), strict=False)
        lines = [str(at - 2) for at, (one, other) in enumerate(pairs) if one != other]
        return f"{name}: the same text, other colours or attributes in line {', '.join(lines)}"
    return "\n".join([f"{name}: kept (-) and as it is now (+), by lines of the screen", *changed])
