"""The pictures of the manuals: kept pictures of screens, drawn as PNG by a browser."""

from __future__ import annotations

import hashlib
import re
import struct
import subprocess
import tempfile
import zlib
from pathlib import Path

from tutor import patience

DOCS = Path(__file__).parent.parent.parent / "docs"
PICTURES = {
    "lesson-ja.png": "created-config-ja-120x40.svg",
    "lesson-en.png": "created-config-en-120x40.svg",
    "lesson-80x24.png": "created-processes-ja-80x24.svg",
}
"""A picture of the manuals, by the screen that it shows."""
_MARGIN = 8
_SCALE = 1.25
_SIZE = re.compile(r'viewBox="0 0 (\d+) (\d+)"')
_GROUND = re.compile(r'<path fill="(#\w{6})"')
_KEYWORD = b"Source\0sha256:"
_SIGNATURE_AND_HEADER = (
    8 + 25
)  # bytes: PNG's signature, then the chunk IHDR (https://www.w3.org/TR/png-3/#5DataRep)


def is_drawn_of(path: Path, svg: str) -> bool:
    """Tell whether a PNG was drawn of this SVG, by a text chunk in it: no two browsers draw the same bytes."""
    return path.exists() and _source(svg) in path.read_bytes()


def draw_png(svg: str, path: Path, browser: str) -> None:
    """Draw an SVG into a PNG file.

    Raises:
        subprocess.CalledProcessError: the browser failed; its `stderr` says why.
        subprocess.TimeoutExpired: it did not end.
    """
    size, ground = _SIZE.search(svg), _GROUND.search(svg)
    assert size is not None
    assert ground is not None
    width, height = (int(each) for each in size.groups())
    sized = svg.replace("<svg ", f'<svg width="{width}" height="{height}" ', 1)
    style = f"margin:{_MARGIN}px;background:{ground[1]}"
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        page = folder / "page.html"
        page.write_text(f'<meta charset="utf-8"><body style="{style}">{sized}</body>', encoding="utf-8")
        drawn = folder / "drawn.png"
        arguments = [
            browser, "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
            "--disable-background-networking", "--disable-component-update", "--disable-sync",
            "--hide-scrollbars", f"--force-device-scale-factor={_SCALE}", f"--user-data-dir={folder}/profile",
            f"--window-size={width + 2 * _MARGIN},{height + 2 * _MARGIN}", f"--screenshot={drawn}", page.as_uri(),
        ]  # fmt: skip
        subprocess.run(arguments, check=True, capture_output=True, text=True, timeout=patience.scaled(60))
        png = drawn.read_bytes()
    path.write_bytes(png[:_SIGNATURE_AND_HEADER] + _chunk(svg) + png[_SIGNATURE_AND_HEADER:])


def _chunk(svg: str) -> bytes:
    """Return the text chunk that identifies the SVG of a PNG."""
    body = b"tEXt" + _source(svg)
    return struct.pack(">I", len(body) - 4) + body + struct.pack(">I", zlib.crc32(body))


def _source(svg: str) -> bytes:
    return _KEYWORD + hashlib.sha256(svg.encode()).hexdigest().encode()
