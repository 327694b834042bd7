"""It installs: from a checkout by its scripts, by `pip install .` into an empty virtual environment, and from its wheel."""

from __future__ import annotations

import os
import subprocess
import sys
import venv
import zipfile
from pathlib import Path

import pytest

from runtime import __version__

ROOT = Path(__file__).parent.parent


def _run(*argv: str | Path, cwd: Path, **environ: str) -> str:
    # A clean environment: neither this interpreter's PYTHONPATH nor the checkout may help.
    env = {key: value for key, value in os.environ.items() if not key.startswith(("PYTHON", "VIRTUAL_ENV"))}
    done = subprocess.run(
        [str(word) for word in argv],
        cwd=cwd,
        env={**env, **environ},
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
        check=False,
    )
    assert done.returncode == 0, f"{argv}: {done.stdout[-2000:]}{done.stderr[-2000:]}"
    return done.stdout


@pytest.fixture(scope="module")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a copy of what git tracks, with the uncommitted changes: a fresh clone, one commit ahead."""
    target = tmp_path_factory.mktemp("clone") / "oci-tutor"
    target.mkdir()
    names = _run("git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", cwd=ROOT)
    for name in filter(None, names.split("\0")):
        if (ROOT / name).is_file():
            copy = target / name
            copy.parent.mkdir(parents=True, exist_ok=True)
            copy.write_bytes((ROOT / name).read_bytes())
            copy.chmod((ROOT / name).stat().st_mode)
    return target


@pytest.fixture(scope="module")
def wheel(clone: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("dist")
    _run(sys.executable, "-m", "build", "--wheel", "--outdir", folder, clone, cwd=folder)
    (made,) = folder.glob("*.whl")
    return made


def _installed(source: Path, folder: Path) -> Path:
    venv.create(folder, with_pip=True)
    _run(
        folder / "bin/python",
        "-m",
        "pip",
        "install",
        "--quiet",
        "--disable-pip-version-check",
        source,
        cwd=folder,
    )
    return folder / "bin"


def _works(programs: Path, cwd: Path) -> None:
    assert __version__ in _run(programs / "oci-tutor", "--version", cwd=cwd)
    assert f"runt version {__version__}" in _run(programs / "runt", "--version", cwd=cwd)
    assert "first-container" in _run(
        programs / "oci-tutor", "lessons", "--lang", "en", cwd=cwd, OCI_TUTOR_HOME=str(cwd / "home")
    )


def test_pip_installs_a_checkout_into_an_empty_environment(clone: Path, tmp_path: Path) -> None:
    _works(_installed(clone, tmp_path / "venv"), tmp_path)


def test_the_wheel_works_alone(wheel: Path, tmp_path: Path) -> None:
    _works(_installed(wheel, tmp_path / "venv"), tmp_path)


def test_lessons_and_messages_travel_in_the_wheel(wheel: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    assert {
        f"tutor/lessons/first-container/{name}" for name in ("lesson.yaml", "text.ja.yaml", "text.en.yaml")
    } <= names
    assert "tutor/messages/ja/cli.yaml" in names
    assert not {name for name in names if name.startswith(("tests/", "lessons/"))}


def test_a_fresh_clone_sets_itself_up(clone: Path) -> None:
    """`script/tutor` needs nothing but a Python: the virtual environment is made on first use, and not again."""
    first = _run("sh", "script/tutor", "--version", cwd=clone, LANG="en_US.UTF-8")
    assert __version__ in first
    stamp = (clone / ".venv/.oci-tutor-tutor").stat().st_mtime_ns
    assert _run("sh", "script/tutor", "--version", cwd=clone) == first
    assert (clone / ".venv/.oci-tutor-tutor").stat().st_mtime_ns == stamp
