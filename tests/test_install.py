"""The installation: from a checkout by its scripts, by `pip install .` into an empty virtual environment, and from its wheel."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import venv
import zipfile
from pathlib import Path

import pytest

from runtime import __version__
from tutor.course.course import Course
from tutor.course.progress import Progress

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


def _clone(target: Path) -> Path:
    """Copy what git tracks, with the uncommitted changes: a fresh clone, one commit ahead."""
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
def clone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return _clone(tmp_path_factory.mktemp("clone") / "oci-tutor")


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
    listed = _run(
        programs / "oci-tutor", "lessons", "--lang", "en", cwd=cwd, OCI_TUTOR_HOME=str(cwd / "home")
    )
    assert "first-container" in listed
    assert "own-aloud" in listed, "the course that is installed beside the first"


def test_pip_installs_a_checkout_into_an_empty_environment(clone: Path, tmp_path: Path) -> None:
    _works(_installed(clone, tmp_path / "venv"), tmp_path)


def test_the_wheel_works_alone(wheel: Path, tmp_path: Path) -> None:
    _works(_installed(wheel, tmp_path / "venv"), tmp_path)


def _newer_pythons() -> list[str]:
    """Return the interpreters newer than this one that this machine has, by PATH and by pyenv, one for each version."""
    candidates = [f"python3.{minor}" for minor in range(sys.version_info.minor + 1, 20)]
    candidates += [str(path) for path in sorted(Path.home().glob(".pyenv/versions/3.*/bin/python"))]
    ask = "import sys; print('%d.%d' % sys.version_info[:2], sys.executable)"
    found: dict[str, str] = {}
    for candidate in filter(shutil.which, candidates):
        answer = subprocess.run(
            [candidate, "-c", ask], capture_output=True, text=True, check=False
        ).stdout.split()
        if len(answer) == 2 and tuple(map(int, answer[0].split("."))) > sys.version_info[:2]:
            found.setdefault(answer[0], answer[1])
    return list(found.values())


@pytest.mark.root
@pytest.mark.parametrize(
    "python", _newer_pythons() or [pytest.param("", marks=pytest.mark.skip("no newer Python here"))]
)
def test_the_whole_lesson_on_a_newer_python(wheel: Path, tmp_path: Path, python: str) -> None:
    """The wheel, alone, with warnings as errors: its REPL plays the lesson to the end on a real container."""
    _run(python, "-m", "venv", tmp_path / "venv", cwd=tmp_path)
    _run(
        tmp_path / "venv/bin/python",
        "-m",
        "pip",
        "install",
        "--quiet",
        "--disable-pip-version-check",
        wheel,
        cwd=tmp_path,
    )
    script: list[str] = []
    for step in Course.load("en").lesson("first-container").steps:
        does = step.kind in ("edit-config", "run-op", "quiz")
        script += (["solve"] if does else ["next"] if step.summary else []) + ["next"]
    done = subprocess.run(
        [tmp_path / "venv/bin/python", "-W", "error", "-m", "tutor", "repl", "first-container", "--lang", "en"],
        cwd=tmp_path, env={**os.environ, "OCI_TUTOR_HOME": str(tmp_path / "home")},
        input="\n".join(script), capture_output=True, text=True, check=False,
    )  # fmt: skip
    # Two of its steps fail on purpose, and a script says so by its exit status.
    assert done.returncode in (0, 1), done.stdout[-3000:] + done.stderr[-3000:]
    assert Progress(tmp_path / "home/state").of("first-container").finished
    assert done.stderr == ""


def test_lessons_and_messages_travel_in_the_wheel(wheel: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    assert {
        f"tutor/lessons/first-container/{name}" for name in ("lesson.yaml", "text.ja.yaml", "text.en.yaml")
    } <= names
    assert "tutor/lessons/build-your-own/own-aloud/lesson.yaml" in names
    assert "tutor/own_steps/carried/reference/bundle.py" in names
    assert "tutor/messages/ja/cli.yaml" in names
    assert not {name for name in names if name.startswith(("tests/", "lessons/"))}


def test_a_fresh_clone_sets_itself_up(clone: Path) -> None:
    """`script/tutor` needs nothing but a Python: it creates the virtual environment on first use only."""
    first = _run("sh", "script/tutor", "--version", cwd=clone, LANG="en_US.UTF-8")
    assert __version__ in first
    stamp = (clone / ".venv/.oci-tutor-tutor").stat().st_mtime_ns
    assert _run("sh", "script/tutor", "--version", cwd=clone) == first
    assert (clone / ".venv/.oci-tutor-tutor").stat().st_mtime_ns == stamp


@pytest.fixture(scope="module")
def wheelhouse(clone: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheelhouse")
    _run("sh", "script/wheelhouse", "--here", folder, cwd=clone)
    return folder


@pytest.mark.root
def test_a_wheelhouse_sets_a_clone_up_without_network(wheelhouse: Path, tmp_path: Path) -> None:
    fresh = _clone(tmp_path / "oci-tutor")
    environ = {"OCI_TUTOR_WHEELHOUSE": os.path.relpath(wheelhouse, fresh)}
    words = ["unshare", "--net", "sh", "script/tutor", "--version"]
    assert __version__ in _run(*words, cwd=fresh, **environ)
    assert f"runt version {__version__}" in _run(fresh / ".venv/bin/runt", "--version", cwd=fresh)


@pytest.mark.root
def test_pip_installs_a_checkout_from_a_wheelhouse(clone: Path, wheelhouse: Path, tmp_path: Path) -> None:
    """It holds the build backend too, so that no index is asked."""
    venv.create(tmp_path / "venv", with_pip=True)
    python = tmp_path / "venv/bin/python"
    pip = ["--quiet", "--disable-pip-version-check", "install", "--no-index", "--find-links", str(wheelhouse)]
    _run("unshare", "--net", python, "-m", "pip", *pip, clone, cwd=tmp_path)
    _works(tmp_path / "venv/bin", tmp_path)


def test_a_changed_wheel_in_the_wheelhouse_of_a_checkout_is_refused(wheelhouse: Path, tmp_path: Path) -> None:
    fresh = _clone(tmp_path / "oci-tutor")
    shutil.copytree(wheelhouse, fresh / "wheelhouse")
    (wheel,) = (fresh / "wheelhouse").glob("textual-*.whl")
    with wheel.open("ab") as file:
        file.write(b"one line more")
    done = subprocess.run(
        ["sh", "script/tutor", "--version"], cwd=fresh, env={**os.environ, "LANG": "en_US.UTF-8"},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 1
    assert "DO NOT MATCH THE HASHES" in done.stderr
    assert f"The packages in {fresh}/wheelhouse could not be installed" in done.stderr
    assert not (fresh / ".venv/bin/oci-tutor").exists()
