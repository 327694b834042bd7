"""The command line speaks the learner's language, errors included, and takes the common options anywhere."""

from __future__ import annotations

import argparse
import ast
import os
import subprocess
import sys
from importlib import metadata
from pathlib import Path

import pytest

from tutor.cli import main as cli
from tutor.cli.language import language_of
from tutor.cli.parser import ARGPARSE_TEXTS
from tutor.messages import LANGUAGES, Messages
from tutor.text import cell_width

# Messages that only a programmer's mistake causes, or a feature of argparse that is not used here.
NOT_FOR_USERS = (
    "'required' is an invalid argument",
    "%r is not callable",
    ".__call__() not defined",
    'argument "-" with mode',
    "cannot have multiple subparser",
    "cannot merge actions",
    "conflicting ",
    "dest= is required",
    "invalid conflict_resolution",
    "invalid option string",
    "mutually exclusive arguments must be",
)


def run(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "tutor", *arguments],
        env={**os.environ, "COLUMNS": "80", "LANG": "ja_JP.UTF-8", "LC_ALL": "", **environment},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )


def test_every_text_of_this_pythons_argparse_that_reaches_users_is_translated() -> None:
    tree = ast.parse(Path(argparse.__file__).read_text(encoding="utf-8"))
    texts = {
        argument.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id in ("_", "ngettext")
        for argument in node.args
        if isinstance(argument, ast.Constant) and isinstance(argument.value, str)
    }
    assert len(texts) > 20, "the probe finds no texts"
    unknown = {text for text in texts if not text.startswith(NOT_FOR_USERS)} - set(ARGPARSE_TEXTS)
    assert not unknown


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("text", ARGPARSE_TEXTS)
def test_a_translation_keeps_the_placeholders_of_argparse(language: str, text: str) -> None:
    translated = Messages(next(each for each in LANGUAGES if each == language)).raw(
        f"cli.argparse.{ARGPARSE_TEXTS[text]}"
    )
    wanted = {word for word in ("prog", "message", "argument_name", "option", "matches", "filename", "error",
              "type", "value", "closest", "choices", "parser_name", "heading", "default") if f"%({word})" in text}  # fmt: skip
    assert {word for word in wanted if f"%({word})" not in translated} == set()
    assert translated.count("%") == text.count("%")


@pytest.mark.parametrize(("locale", "word"), [("ja_JP.UTF-8", "使い方:"), ("en_US.UTF-8", "usage:")])
def test_help_is_in_the_language_of_the_locale(locale: str, word: str) -> None:
    done = run("--help", LANG=locale)
    assert done.returncode == 0
    assert word in done.stdout
    for command in ("start", "lessons", "repl", "doctor", "image"):
        assert command in done.stdout


@pytest.mark.parametrize("command", [(), ("start",), ("repl",), ("doctor",), ("image",), ("image", "build")])
@pytest.mark.parametrize("language", LANGUAGES)
def test_help_fits_eighty_columns(command: tuple[str, ...], language: str) -> None:
    done = run(*command, "--help", "--lang", language)
    assert done.returncode == 0, done.stderr
    assert max(map(cell_width, done.stdout.splitlines())) <= 80


@pytest.mark.parametrize(
    ("arguments", "japanese", "english"),
    [
        (["dance"], "'dance' はありません", "there is no command 'dance'|there is no 'dance'"),
        (["start"], "足りません: LESSON", "missing: LESSON"),
        (["doctor", "--frob"], "解釈できない引数があります: --frob", "not understood: --frob"),
        (["--engine", "rkt", "repl"], "--engine: 'rkt' はありません", "--engine: there is no 'rkt'"),
        (["repl", "--engine"], "--engine: 値が必要です", "--engine: a value is needed"),
        (["doctor", "--json=yes"], "値は付けられません", "takes no value"),
    ],
)
def test_a_wrong_command_line_is_explained(arguments: list[str], japanese: str, english: str) -> None:
    done = run(*arguments)
    assert done.returncode == 2
    assert japanese in done.stderr
    assert "使い方:" in done.stderr
    assert "--help" in done.stderr
    done = run(*arguments, LANG="en_US.UTF-8")
    assert done.returncode == 2
    assert any(each in done.stderr for each in english.split("|")), done.stderr
    assert "usage:" in done.stderr


def test_the_common_options_may_stand_before_and_after_the_command() -> None:
    for arguments in (["--lang", "en", "lessons"], ["lessons", "--lang", "en"], ["lessons", "--lang=en"]):
        done = run(*arguments)
        assert done.returncode == 0, done.stderr
        assert done.stdout.startswith("Lessons")


@pytest.mark.parametrize(
    ("arguments", "language"),
    [
        (["--lang", "ja"], "ja"),
        (["doctor", "--lang=ja"], "ja"),
        (["--lang"], "en"),
        (["--lang", "tlh"], "en"),
        (["--", "--lang", "ja"], "en"),
        (["--lang", "ja", "--lang", "en"], "en"),
    ],
)
def test_the_language_is_known_before_the_command_line_is_parsed(
    arguments: list[str], language: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LC_ALL", "en_US.UTF-8")
    assert language_of(arguments) == language


def test_the_version_is_that_of_the_installed_distribution() -> None:
    done = run("--version")
    assert done.returncode == 0
    assert done.stdout.split() == ["oci-tutor", metadata.version("oci-tutor")]


@pytest.mark.parametrize(
    ("arguments", "absent"),
    [
        (["--help"], {"textual", "prompt_toolkit", "rich", "markdown_it"}),
        (["lessons"], {"textual", "prompt_toolkit", "rich", "markdown_it"}),
        (["doctor", "--json"], {"textual", "prompt_toolkit", "rich", "markdown_it"}),
        (["image", "build", "--help"], {"textual", "prompt_toolkit", "rich", "markdown_it"}),
    ],
)
def test_a_command_loads_only_what_it_needs(arguments: list[str], absent: set[str], tmp_path: Path) -> None:
    code = (
        "import sys\nfrom tutor.cli.main import main\n"
        f"try:\n    main({arguments!r})\nexcept SystemExit:\n    pass\n"
        "print(*sys.modules, sep='\\n', file=sys.stderr)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "OCI_TUTOR_HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        check=True,
    )
    loaded = {name.partition(".")[0] for name in done.stderr.split()}
    assert "tutor" in loaded
    assert not loaded & absent


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_lines_of_the_usage_stand_below_each_other(
    language: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """By columns, not by characters: the word for "usage" is wider in Japanese."""
    monkeypatch.setenv("COLUMNS", "80")
    with pytest.raises(SystemExit):
        cli.main(["--lang", language, "image", "build", "--help"])
    first, second = capsys.readouterr().out.splitlines()[:2]
    assert cell_width(first.partition("[")[0]) == len(second) - len(second.lstrip())
