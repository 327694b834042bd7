"""`script/test --peers` and `script/test --vm`: their errors before they build anything."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parent.parent / "script/test"
NO_RELEASES = (("tests/runtime",), ("jessie",), ("*",), ("trixie sid",))


@pytest.mark.parametrize(
    ("words", "usage"),
    [
        *((("--peers", *each), "--peers bookworm|trixie|sid [") for each in ((), *NO_RELEASES)),
        *((("--vm", *each), "--vm [bookworm|trixie|sid] [verify [") for each in NO_RELEASES[1:]),
        (("--vm", "trixie", "sid"), "--vm [bookworm|trixie|sid] [verify ["),
    ],
)
@pytest.mark.parametrize(("language", "says"), [("ja_JP.UTF-8", "使い方"), ("en_US.UTF-8", "usage")])
def test_a_release_that_there_is_not_is_refused_with_those_that_there_are(
    tmp_path: Path, words: tuple[str, ...], usage: str, language: str, says: str
) -> None:
    done = subprocess.run(
        ["sh", SCRIPT, *words],
        env={"PATH": "/usr/bin:/bin", "HOME": str(tmp_path), "LANG": language},
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 2
    assert done.stderr.startswith(f"{says}: script/test {usage}")
    assert len(done.stderr.splitlines()) == 1
    assert not list(tmp_path.iterdir())
