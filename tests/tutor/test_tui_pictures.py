"""Every screen of the TUI looks as its picture: at 80, 120 and 200 columns, in Japanese and in English."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest
from rich.segment import Segment
from rich.style import Style

from tests.pictures import manual
from tests.pictures.gallery import KEPT, RENEW, difference, draw, kept, shows
from tests.support.svg import lines_of, svg_of

if TYPE_CHECKING:
    from pathlib import Path

    from tests.pictures.gallery import Show


def _shows() -> list[Any]:
    """Return what to draw; English beyond 80 columns takes long, and differs from Japanese in its words alone."""
    return [
        pytest.param(each, id=each.name, marks=[pytest.mark.long] if each.name in _LONG else [])
        for each in shows()
    ]


_LONG = ("en-120x40", "en-200x60")


@pytest.mark.parametrize("show", _shows())
async def test_the_screens_are_as_their_pictures(tmp_path: Path, show: Show) -> None:
    faults: list[str] = []
    async for name, svg in draw(tmp_path / "home", show):
        if svg != kept(name):
            new = tmp_path / name
            new.write_text(svg, encoding="utf-8")
            faults.append(f"{difference(name, svg)}\nkept: {KEPT / name}\nnew:  {new}")
    how = f"Look at both. If the new one is as it should be: {RENEW}"
    assert not faults, "\n\n".join([*faults, how])


def test_every_picture_has_its_scene() -> None:
    wanted = {name for show in shows() for name in show.pictures}
    assert {path.name for path in KEPT.glob("*")} == wanted, f"{RENEW} takes away what no scene draws"


def test_pictures_lead_nowhere() -> None:
    """A picture loads nothing from the network, and shows no path of the machine that made it."""
    for path in KEPT.glob("*.svg"):
        svg = path.read_text(encoding="utf-8").replace("http://www.w3.org/2000/svg", "", 1)
        assert not re.search(r"//|@font-face|href|url\(|/tmp/|/home/|/work/", svg), path.name


@pytest.mark.parametrize(("name", "scene"), manual.PICTURES.items())
def test_the_manuals_show_the_screens_as_they_are(name: str, scene: str) -> None:
    path = manual.DOCS / name
    assert manual.is_drawn_of(path, kept(scene)), f"{RENEW} draws docs/{name} again"


def test_a_japanese_character_takes_two_cells_of_a_picture() -> None:
    line = [Segment("$ 名前 ok  "), Segment("<&> ", Style(bold=True)), Segment("─" * 9)]
    svg = svg_of([line], ink="#ffffff", ground="#000000")
    assert '<text x="0 10 20 40 60 70 80">$ 名前 ok</text>' in svg
    assert '<text x="110" textLength="30" font-weight="bold">&lt;&amp;&gt;</text>' in svg
    assert '<text x="150" textLength="90">─────────</text>' in svg
    assert lines_of(svg) == ["$ 名前 ok  <&> ─────────"]


def test_a_picture_has_the_colours_that_a_terminal_shows() -> None:
    line = [
        Segment("a", Style(color="#111111", bgcolor="#222222", reverse=True)),
        Segment("b", Style(dim=True)),
        Segment("c", Style(underline=True, strike=True, italic=True)),
    ]
    drawn = svg_of([line], ink="#ffffff", ground="#000000").splitlines()[2]
    assert '<path fill="#111111" d="M0-15h10v20H0z"/><text x="0" fill="#222222">a</text>' in drawn
    assert '<text x="10" fill="#7f7f7f">b</text>' in drawn
    assert '<text x="20" font-style="italic" text-decoration="underline line-through">c</text>' in drawn


def test_what_is_different_in_a_picture_can_be_read() -> None:
    name = manual.PICTURES["lesson-en.png"]
    other = kept(name).replace("runt create alpine-test", "runt delete alpine-test")
    assert "\n- " in (told := difference(name, other))
    assert "\n+ " in told
    assert "$ runt delete alpine-test" in told
    assert "same text" in difference(name, kept(name).replace("#8cc8ff", "#8cc8fe"))
