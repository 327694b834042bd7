"""Whatever goes wrong ends in a message and an exit status, never in a traceback."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.support.pseudo_terminal import PseudoTerminal
from tutor.cli import main as cli
from tutor.course.course import Course

if TYPE_CHECKING:
    from pathlib import Path


def run(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "tutor", *arguments],
        env={**os.environ, "LANG": "en_US.UTF-8", "LC_ALL": "", **environment},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )


def test_without_a_terminal_the_full_screen_says_what_to_use_instead(tmp_path: Path) -> None:
    done = run(OCI_TUTOR_HOME=str(tmp_path))
    assert done.returncode == 1
    assert "terminal" in done.stderr
    assert "oci-tutor repl" in done.stderr
    assert "oci-tutor --help" in done.stderr
    assert done.stdout == ""


@pytest.mark.parametrize("command", ["start", "repl"])
def test_an_unknown_lesson_is_answered_with_the_near_ones(command: str, tmp_path: Path) -> None:
    done = run(command, "frist-container", OCI_TUTOR_HOME=str(tmp_path))
    assert done.returncode == 1
    assert "frist-container" in done.stderr
    assert "first-container" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_terminal_without_utf8_gets_english_and_no_traceback(tmp_path: Path) -> None:
    plain = {"LANG": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0", "PYTHONIOENCODING": "ascii"}
    for arguments in (["lessons"], ["doctor"], ["--help"]):
        done = run(*arguments, OCI_TUTOR_HOME=str(tmp_path), **plain)
        assert done.stdout.isascii()
        assert "Traceback" not in done.stderr
        assert "?????" not in done.stdout.splitlines()[0]


def test_japanese_that_the_encoding_lacks_is_replaced_when_it_was_asked_for(tmp_path: Path) -> None:
    done = run("lessons", "--lang", "ja", OCI_TUTOR_HOME=str(tmp_path), PYTHONIOENCODING="ascii")
    assert done.returncode == 0
    assert "first-container" in done.stdout


def test_a_reader_that_goes_away_is_no_error(tmp_path: Path) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    done = subprocess.run(
        [sys.executable, "-m", "tutor", "lessons"],
        env={**os.environ, "OCI_TUTOR_HOME": str(tmp_path)},
        stdout=writing,
        stderr=subprocess.PIPE,
        text=True,
        check=False,
    )
    os.close(writing)
    assert done.returncode == cli.BROKEN_PIPE
    assert done.stderr == ""


def test_ctrl_c_ends_quietly(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def interrupted(*_: object) -> Course:
        raise KeyboardInterrupt

    monkeypatch.setattr(Course, "load", interrupted)
    assert cli.main(["lessons"]) == 128 + signal.SIGINT
    captured = capsys.readouterr()
    assert captured.out + captured.err == ""


def test_the_unexpected_is_one_message_and_a_log_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def broken(*_: object) -> Course:
        raise ZeroDivisionError("a defect in {braces}")

    monkeypatch.setattr(Course, "load", broken)
    monkeypatch.setenv("OCI_TUTOR_HOME", str(tmp_path))
    assert cli.main(["--lang", "en", "lessons"]) == 1
    told = capsys.readouterr().err
    (log,) = (tmp_path / "state").glob("crash-*.log")
    assert str(log) in told
    assert "a defect in {braces}" in told
    assert "Traceback" not in told
    written = log.read_text(encoding="utf-8")
    assert "Traceback" in written
    assert "ZeroDivisionError" in written
    assert "lessons" in written


def test_the_unexpected_is_told_even_where_no_log_can_be_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def broken(*_: object) -> Course:
        raise ZeroDivisionError("a defect")

    (tmp_path / "state").write_text("a file where a folder should be", encoding="utf-8")
    monkeypatch.setattr(Course, "load", broken)
    monkeypatch.setenv("OCI_TUTOR_HOME", str(tmp_path))
    assert cli.main(["--lang", "en", "lessons"]) == 1
    told = capsys.readouterr().err
    assert "a defect" in told
    assert "Traceback" not in told


def test_a_dumb_terminal_gets_no_full_screen(tmp_path: Path) -> None:
    environment = {**os.environ, "LANG": "en_US.UTF-8", "LC_ALL": "", "OCI_TUTOR_HOME": str(tmp_path)}
    with PseudoTerminal(["env", "TERM=dumb", sys.executable, "-m", "tutor"], environment) as terminal:
        assert terminal.wait_for_end() == 1
        assert "oci-tutor repl" in terminal.text
        assert "\x1b" not in terminal.raw
