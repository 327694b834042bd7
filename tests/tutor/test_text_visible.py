"""Output of programs and quoted logs on a screen: control characters become visible, and nothing visible is lost."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tutor.explain.printed import sentences
from tutor.text import printable, visible
from tutor.text.logrus import message_of

if TYPE_CHECKING:
    from pathlib import Path

ODD = '\\n is no newline: "C:\\new"\n\a\b\x1b[2J\x85\u200b\u3000\U000e0001é漢'


@pytest.mark.parametrize("engine", [pytest.param("runc", marks=pytest.mark.peer("runc")), "runt"])
def test_a_log_says_again_what_was_quoted_in_it(engine: str, tmp_path: Path) -> None:
    command = [engine] if engine == "runc" else [sys.executable, "-m", "runtime"]
    log, bundle = tmp_path / "log", tmp_path / ODD
    subprocess.run([*command, "--log", log, "run", "-b", bundle, "x"], capture_output=True, check=False)
    (record,) = log.read_text(encoding="utf-8").splitlines()
    said = message_of(record)
    assert said is not None
    assert str(bundle) in said
    (sentence,) = sentences(record)
    assert r'\n is no newline: "C:\new"' in sentence
    assert r"\x07\x08\x1b[2J\x85\u200b" + "\u3000" + r"\U000e0001é漢" in sentence


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("level=warning msg=plain", "plain"),
        ('time="now" level=error msg="a" error="b"', "a"),
        (r'level=error msg="\u00e9\xff\\xff"', r"é\xff\xff"),
        ('level=error msg=""', ""),
        ("error: no record", None),
    ],
)
def test_the_message_of_a_record(line: str, said: str | None) -> None:
    assert message_of(line) == said


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        ("a\tb\r", "a       b"),
        ("\x1b[31m\x07\x9b", r"\x1b[31m\x07\x9b"),
        ("名前　空間\xa0x", "名前　空間\xa0x"),
        ("\u202efdp.exe \U000e0001", r"\u202efdp.exe \U000e0001"),
    ],
)
def test_what_no_screen_shows_is_shown(line: str, shown: str) -> None:
    assert printable(line) == shown


def test_a_text_is_escaped_in_the_usual_short_forms() -> None:
    assert visible("a\tb\nc\rd\x0be") == r"a\tb\nc\rd\x0be"
    assert visible("a\tb\nc", keep="\n\t") == "a\tb\nc"


@given(st.text())
def test_nothing_that_moves_the_cursor_gets_through(line: str) -> None:
    assert all(character.isprintable() or character.isspace() for character in printable(line))
    assert not set(printable(line)) & set("\n\r\v\f\x1b\x85\u2028\u2029")
