"""`script/sid-engines`: its errors before it fetches anything."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from tests.support.nobody import NOBODY, place_of_nobody

SCRIPTS = Path(__file__).parent.parent / "script"


def _run(
    home: Path, scripts: Path, language: str, *words: str, user: int = 0
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["setpriv", f"--reuid={user}", "--clear-groups", "sh", scripts / "sid-engines", *words],
        env={"PATH": "/usr/bin:/bin", "HOME": str(home), "LANG": language},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.root
@pytest.mark.parametrize(("language", "says"), [("ja_JP.UTF-8", "使い方"), ("en_US.UTF-8", "usage")])
def test_it_takes_a_command(tmp_path: Path, language: str, says: str) -> None:
    done = _run(tmp_path, SCRIPTS, language)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith(f"{says}: script/sid-engines ")
    assert len(done.stderr.splitlines()) == 1
    assert not list(tmp_path.iterdir())


@pytest.mark.root
@pytest.mark.parametrize(("language", "says"), [("ja_JP.UTF-8", "root 権限"), ("en_US.UTF-8", "needs root")])
def test_without_root_it_says_so_and_does_nothing(language: str, says: str) -> None:
    with place_of_nobody() as place:
        shutil.copytree(SCRIPTS, place / "script")
        done = _run(place, place / "script", language, "true", user=NOBODY)
        assert (done.returncode, done.stdout) == (1, "")
        assert done.stderr.startswith("script/sid-engines ")
        assert says in done.stderr
        assert len(done.stderr.splitlines()) == 1
        assert [each.name for each in place.iterdir()] == ["script"]
