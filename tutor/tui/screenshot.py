"""Pictures of the screen for the manual: the SVG that Textual exports, corrected for Japanese, and as PNG by a browser.

Rich gives each piece of text the width of as many cells as it has characters, so that Japanese comes out squeezed to half
its width. Here every character that needs it gets its own place.
"""

from __future__ import annotations

import html
import re
import subprocess
import tempfile
from pathlib import Path

from textual._cells import cell_len

from tutor.text.cells import clusters

FONTS = "'DejaVu Sans Mono', 'Noto Sans Mono CJK JP', 'Noto Sans CJK JP', monospace"
_CELL = 20 * 0.61
"""The width of a cell: Rich's character height and Textual's font aspect ratio."""
_TEXT = re.compile(
    r'<text (?P<before>class="[^"]*-r\d+") x="(?P<x>[\d.]+)" (?P<y>y="[\d.]+") textLength="[\d.]+"(?P<after>[^>]*)>(?P<text>[^<]*)</text>'
)
_SIZE = re.compile(r'viewBox="0 0 (?P<width>[\d.]+) (?P<height>[\d.]+)"')


def aligned_svg(svg: str) -> str:
    """Return an SVG of `App.export_screenshot` whose characters stand where a terminal puts them, in fonts that are local."""
    svg = re.sub(r"@font-face\s*{.*?}", "", svg, flags=re.DOTALL)
    svg = re.sub(r"font-family: [^;]*;", f"font-family: {FONTS};", svg)
    return _TEXT.sub(_place, svg)


def _place(match: re.Match[str]) -> str:
    text = html.unescape(match["text"])
    if text.replace("\u00a0", " ").isascii():
        return match[0]
    x = float(match["x"])
    places: list[str] = []
    for start, end, _ in clusters(text):
        places += [f"{x:g}"] * (end - start)
        x += cell_len(text[start:end]) * _CELL
    return (
        f'<text {match["before"]} x="{" ".join(places)}" {match["y"]}{match["after"]}>{match["text"]}</text>'
    )


def write_png(svg: str, path: Path, browser: str = "chromium") -> None:
    """Draw an SVG into a PNG file of twice its size, by a headless browser.

    Raises:
        FileNotFoundError: there is no such browser.
        subprocess.CalledProcessError: it failed; its `stderr` says why.
    """
    size = _SIZE.search(svg)
    width, height = (int(float(size[name])) + 1 for name in ("width", "height")) if size else (1200, 800)
    with tempfile.TemporaryDirectory() as folder:
        page = Path(folder, "page.html")
        page.write_text(f'<body style="margin:0">{svg}</body>', encoding="utf-8")
        arguments = [
            browser, "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
            "--disable-background-networking", "--disable-component-update", "--disable-sync",
            "--hide-scrollbars", "--force-device-scale-factor=2", f"--user-data-dir={folder}/profile",
            f"--window-size={width},{height}", f"--screenshot={path.absolute()}", page.as_uri(),
        ]  # fmt: skip
        subprocess.run(arguments, check=True, capture_output=True, timeout=60)
