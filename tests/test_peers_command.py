"""`script/test --peers`: its errors before it builds anything."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parent.parent / "script/test"


@pytest.mark.parametrize("words", [(), ("jessie",), ("tests/runtime",), ("*",), ("trixie sid",)])
@pytest.mark.parametrize(("language", "says"), [("ja_JP.UTF-8", "使い方"), ("en_US.UTF-8", "usage")])
def test_a_release_that_there_is_not_is_refused_with_those_that_there_are(
    tmp_path: Path, words: tuple[str, ...], language: str, says: str
) -> None:
    done = subprocess.run(
        ["sh", SCRIPT, "--peers", *words],
        env={"PATH": "/usr/bin:/bin", "HOME": str(tmp_path), "LANG": language},
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 2
    assert done.stderr.startswith(f"{says}: script/test --peers bookworm|trixie|sid [")
    assert len(done.stderr.splitlines()) == 1
    assert not list(tmp_path.iterdir())
