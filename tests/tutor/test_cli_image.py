"""`oci-tutor image ...` as typed: what it prints, what it refuses, and that every text exists in both languages."""

from __future__ import annotations

import ast
import signal
import subprocess
import sys
from typing import TYPE_CHECKING, get_args

import pytest

from tests.support.images import REPOSITORY
from tutor.cli import image as commands
from tutor.cli.main import main
from tutor.images import mini
from tutor.images.bundle_config import ConfigStyle
from tutor.images.errors import ImageError
from tutor.images.programs import Source
from tutor.messages import LANGUAGES, Language, Messages

if TYPE_CHECKING:
    from pathlib import Path

MAIN = "import sys; from tutor.cli.main import main\nsys.exit(main(sys.argv[1:]))"


def _run(*argv: object, language: Language = "en") -> int:
    return main(["image", *map(str, argv), "--lang", language])


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_chain_prints_what_it_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], language: Language
) -> None:
    monkeypatch.chdir(tmp_path)
    assert _run("build", "-o", "mini.tar", language=language) == 0
    built = capsys.readouterr().out
    assert "skopeo copy docker-archive:mini.tar oci:mini:latest" in built
    assert _run("convert", "mini.tar", "mini:latest", language=language) == 0
    converted = capsys.readouterr().out
    manifest = next(word for word in converted.split() if word.startswith("sha256:"))
    assert (tmp_path / "mini/blobs/sha256" / manifest.removeprefix("sha256:")).exists()
    assert _run("unpack", "mini:latest", "bundle", "--config", "minimal", language=language) == 0
    unpacked = capsys.readouterr()
    assert manifest in unpacked.out
    assert unpacked.err == ""
    assert '"linux": {}' in (tmp_path / "bundle/config.json").read_text()


def test_an_error_is_one_message_and_exit_1(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "mini.tar").write_text("mine")
    assert _run("build", "-o", tmp_path / "mini.tar") == 1
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.splitlines() == [
        f"oci-tutor: {tmp_path}/mini.tar exists already",
        "It has not been overwritten.",
        "Name another file, or add --force if it may be replaced.",
    ]
    assert _run("unpack", tmp_path / "none", tmp_path / "bundle") == 1
    assert str(tmp_path / "none") in capsys.readouterr().err


def test_the_arguments_offer_what_the_tools_take() -> None:
    assert get_args(Source) == commands._SOURCES
    assert get_args(ConfigStyle) == commands._STYLES
    assert commands._TAG == mini.TAG


def test_a_reader_that_goes_away_is_no_failure(tmp_path: Path) -> None:
    done = subprocess.run(
        [
            "bash",
            "-c",
            'set -o pipefail; "$@" | true',
            "bash",
            sys.executable,
            "-c",
            MAIN,
            "image",
            "build",
            "-o",
            tmp_path / "m.tar",
        ],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)]
)
def test_a_signal_in_the_middle_leaves_nothing_half_written(
    tmp_path: Path, number: signal.Signals, code: int
) -> None:
    """The signal comes when the first member of the archive has been written."""
    stop = (
        "import tutor.images.docker_archive as archive, os\n"
        "write = archive._add\n"
        "def add(*args):\n    write(*args); os.kill(os.getpid(), int(sys.argv.pop()))\n"
        "archive._add = add\n"
    )
    out = tmp_path / "out"
    out.mkdir()
    script = MAIN.replace("sys.exit", stop + "sys.exit").replace("[1:]", "[1:-1]")
    done = subprocess.run(
        [sys.executable, "-c", script, "image", "build", "-o", out / "mini.tar", str(int(number))],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == code, done.stderr
    assert "Traceback" not in done.stderr
    assert list(out.iterdir()) == []


def _raised() -> list[ast.Call]:
    """Return every place where the room raises an error."""
    trees = [
        ast.parse(path.read_text(encoding="utf-8")) for path in (REPOSITORY / "tutor/images").glob("*.py")
    ]
    return [
        node
        for tree in trees
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "ImageError"
    ]


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_error_can_be_said_with_the_values_it_carries(language: Language) -> None:
    """A placeholder that a place of raising does not fill would be a traceback in front of a learner."""
    messages = Messages.load(language)
    calls = _raised()
    assert len(calls) > 40
    for call in calls:
        keys = [
            node.value
            for node in ast.walk(call.args[0])
            if isinstance(node, ast.Constant)
            and isinstance(node.value, str)
            and node.value != "images.error."
        ]
        for key in keys:
            error = ImageError(key, **{str(keyword.arg): "x" for keyword in call.keywords})
            title, _, what_now = error.render(messages)
            assert title != key
            assert what_now
    damages = ("checksum", "header", "truncated")
    for code in (
        *("disk_full", "permission", "read_only", "missing", "os", "exists_file", "exists_other"),
        *("archive_unreadable", "archive_digest", "archive_diff_id", "layer_tar"),
        *(f"{where}_{damage}" for where in ("archive", "tar") for damage in damages),
    ):
        values = {"path": "x", "reason": "y", "member": "m", "expected": "1", "found": "2"}
        place = {"layer": "l", "offset": 512, "entry": "e", "detail": "size"}
        title, _, what_now = ImageError(f"images.error.{code}", **values, **place).render(messages)
        assert title
        assert what_now
