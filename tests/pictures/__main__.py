"""Renew the pictures of the screens, and those of the manuals: `script/pictures [WORD]`.

WORD: only pictures whose names contain it (`created`, `-ja-80x24`). Prints the names of changed pictures; `git diff` shows the rest.
"""

from __future__ import annotations

import argparse
import asyncio
import tempfile
from pathlib import Path

from tests.pictures import manual
from tests.pictures.gallery import KEPT, draw, kept, shows


def main() -> None:
    """Draw the pictures, and print the names of those that have changed."""
    parser = argparse.ArgumentParser(prog="script/pictures", description=__doc__)
    parser.add_argument("word", nargs="?", default="", metavar="WORD")
    parser.add_argument("--browser", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    KEPT.mkdir(exist_ok=True)
    asyncio.run(_renew(arguments.word))
    wanted = {name for show in shows() for name in show.pictures}
    for path in KEPT.glob("*"):
        if path.name not in wanted:
            path.unlink()
            print(f"- {path.name}")
    for name, scene in manual.PICTURES.items():
        svg, path = kept(scene), manual.DOCS / name
        if arguments.browser and svg and not manual.is_drawn_of(path, svg):
            manual.draw_png(svg, path, arguments.browser)
            print(f"* docs/{name}")


async def _renew(word: str) -> None:
    for show in shows(word):
        with tempfile.TemporaryDirectory() as folder:
            async for name, svg in draw(Path(folder), show, anew=True):
                if svg != kept(name):
                    print(f"{'*' if kept(name) else '+'} {name}", flush=True)
                    (KEPT / name).write_text(svg, encoding="utf-8")


if __name__ == "__main__":
    main()
