"""The message catalogue: both languages have the same keys, and every key that the code uses exists."""

from __future__ import annotations

import ast
import string
from pathlib import Path

import pytest

from tutor.messages import LANGUAGES, Messages, language_from_environment, topic_entries

ROOT = Path(__file__).parent.parent
MESSAGES = ROOT / "tutor" / "messages"
TOPICS = sorted(path.stem for path in (MESSAGES / "ja").glob("*.yaml"))


def _placeholders(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name is not None}


def _used_keys() -> dict[str, str]:
    """Return every literal in tutor/ that looks like a catalogue key, with its place."""
    used: dict[str, str] = {}
    for source in sorted((ROOT / "tutor").rglob("*.py")):
        for node in ast.walk(ast.parse(source.read_text(encoding="utf-8"))):
            if not (isinstance(node, ast.Call) and node.args):
                continue
            name = node.func.id if isinstance(node.func, ast.Name) else getattr(node.func, "attr", "")
            first = node.args[0]
            if (
                name in {"m", "messages", "_m", "_messages", "t", "raw"}
                and isinstance(first, ast.Constant)
                and isinstance(first.value, str)
                and first.value.partition(".")[0] in TOPICS
            ):
                used[first.value] = f"{source.relative_to(ROOT)}:{node.lineno}"
    return used


def _raised_keys() -> dict[str, str]:
    """Return every literal key of a TutorError (or a subclass) in tutor/, with its place."""
    raised: dict[str, str] = {}
    for source in sorted((ROOT / "tutor").rglob("*.py")):
        for node in ast.walk(ast.parse(source.read_text(encoding="utf-8"))):
            if (
                isinstance(node, ast.Call)
                and isinstance(node.func, ast.Name)
                and node.func.id in {"TutorError", "ImageError", "LabError", "EngineError"}
                and node.args
                and isinstance(node.args[0], ast.Constant)
            ):
                raised[str(node.args[0].value)] = f"{source.relative_to(ROOT)}:{node.lineno}"
    return raised


def test_both_languages_have_the_same_topics() -> None:
    assert TOPICS
    assert sorted(path.stem for path in (MESSAGES / "en").glob("*.yaml")) == TOPICS


@pytest.mark.parametrize("topic", TOPICS)
def test_both_languages_have_the_same_keys_and_placeholders(topic: str) -> None:
    japanese, english = topic_entries("ja", topic), topic_entries("en", topic)
    assert japanese.keys() == english.keys()
    differing = {key for key in japanese if _placeholders(japanese[key]) != _placeholders(english[key])}
    assert not differing


def test_a_value_in_a_command_line_is_one_word_of_a_shell() -> None:
    values = {"path": "~/my images/x.tar", "name": "mini"}
    for language in LANGUAGES:
        assert "image convert ~/'my images/x.tar' mini" in Messages(language)("images.built.next", **values)
        assert "~/my images/x.tar" in Messages(language)("images.built.busybox", **values)


def test_every_key_that_the_code_uses_exists() -> None:
    used = _used_keys()
    assert len(used) > 50, "the probe finds no uses"
    missing = {
        key: place for key, place in used.items() for language in LANGUAGES if not Messages(language).has(key)
    }
    assert not missing


def test_every_error_that_the_code_raises_has_a_title_and_says_what_now() -> None:
    raised = _raised_keys()
    assert len(raised) > 10, "the probe finds no errors"
    untold = {
        f"{key}.{part}": place
        for key, place in raised.items()
        for part in ("title", "next")
        for language in LANGUAGES
        if not Messages(language).has(f"{key}.{part}")
    }
    assert not untold


@pytest.mark.parametrize(
    ("environ", "language"),
    [
        ({"LANG": "ja_JP.UTF-8"}, "ja"),
        ({"LANG": "en_US.UTF-8"}, "en"),
        ({"LANG": "ja_JP.UTF-8", "LC_ALL": "en_GB.UTF-8"}, "en"),
        ({"LANG": "C.UTF-8"}, "ja"),
        ({"LANG": "C.UTF-8", "OCI_TUTOR_LANG": "en"}, "en"),
        ({"LANG": "fr_FR.UTF-8"}, "en"),
        ({}, "ja"),
    ],
)
def test_the_language_comes_from_the_locale(environ: dict[str, str], language: str) -> None:
    assert language_from_environment(environ) == language


def test_commands_in_texts_can_be_typed_as_they_stand(monkeypatch: pytest.MonkeyPatch) -> None:
    """`script/tutor` names itself: in a checkout `oci-tutor` is not on PATH."""
    m = Messages("en")
    monkeypatch.delenv("OCI_TUTOR_COMMAND", raising=False)
    assert "`oci-tutor doctor`" in m("cli.epilog")
    monkeypatch.setenv("OCI_TUTOR_COMMAND", "script/tutor")
    assert "`script/tutor doctor`" in m("cli.epilog")
