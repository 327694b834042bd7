"""What keys do in the editors beyond typing: pairs, indentation, and the layout of a text; `|` is the cursor."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tutor.configfile.completion import Change
from tutor.configfile.formatting import formatted
from tutor.configfile.keystrokes import backspace, newline, typed

SOLUTIONS = sorted((Path(__file__).parents[2] / "lessons").glob("*/solutions/*.json"))


def after(keys: str, text: str = "|") -> str:
    """Return a text after keys were pressed one by one; `\\b` is Backspace."""
    at = text.index("|")
    text = text.replace("|", "", 1)
    for key in keys:
        if key == "\n":
            change: Change | None = newline(text, at)
        else:
            change = backspace(text, at) if key == "\b" else typed(text, at, key)
        if change is None:
            kept = max(0, at - 1) if key == "\b" else at
            change = Change(kept, at, "" if key == "\b" else key, 0 if key == "\b" else 1)
        text, at = change.applied(text), change.cursor
    return f"{text[:at]}|{text[at:]}"


@pytest.mark.parametrize(
    ("text", "keys", "done"),
    [
        ("|", "{", "{|}"),
        ("|", '{"', '{"|"}'),
        ("|", '{"a"', '{"a"|}'),
        ("|", '{"a": [', '{"a": [|]}'),
        ("|", '{"a": [1]', '{"a": [1]|}'),
        ("|", "{\n", "{\n  |\n}"),
        ("|", "{\n}", "{\n}|"),
        ("[{|}]", "\n", "[{\n  |\n}]"),
        ('{"a": |x}', "[", '{"a": [|x}'),  # before something: it is the learner who closes it
        ('{"a": "x|y"}', "{", '{"a": "x{|y"}'),  # brackets in a string are only characters
        ('{"a": |1]}', "[", '{"a": [|1]}'),  # the closing one is there already
        ('{"a": "|b"}', '"', '{"a": ""|b"}'),
        ('{"a": "b\\|"}', '"', '{"a": "b\\"|"}'),  # an escaped one
        ('{"cwd|: "/"}', '"', '{"cwd"|: "/"}'),  # the missing one
        ('{|cwd": "/"}', '"', '{"|cwd": "/"}'),
        ("{|}", "\b", "|"),
        ('{"|"}', "\b\b", "|"),
        ('["a"|""]', "\b", '["a|""]'),
        ('{"a": "|x"}', "\b", '{"a": |x"}'),
        ("[[|]", "\b", "[|]"),
        ("{|}}", "\b", "|}"),
        ('{\n  "a": {\n    "b": 1|\n  }\n}', "\n", '{\n  "a": {\n    "b": 1\n    |\n  }\n}'),
        ('{\n  "a": {\n    "b": 1\n    |', "}", '{\n  "a": {\n    "b": 1\n  }|'),
        ('{\n  "a": 1\n  |\n}', "}", '{\n  "a": 1\n}|'),
        ('{\n  "a": [1|]\n}', "\n", '{\n  "a": [1\n  |]\n}'),
        ('{"a": 1}|', "}", '{"a": 1}}|'),  # a mistake is not made impossible, nor hidden
        ('{"名前|"}', '"', '{"名前"|}'),
    ],
)
def test_what_a_key_makes_of_a_text(text: str, keys: str, done: str) -> None:
    assert after(keys, text) == done


@pytest.mark.parametrize("lesson", ["first-container", "hooks", "privileges"])
def test_typed_key_by_key_a_configuration_is_the_same(lesson: str) -> None:
    """By hand without indentation, and as a terminal sends a paste that it does not mark."""
    text = min((each.read_text() for each in SOLUTIONS if each.parts[-3] == lesson), key=len)
    bare = "\n".join(line.strip() for line in text.splitlines())
    assert text.count("\n") > 15
    for keys in (text, bare):
        assert json.loads(after(keys).replace("|", "", 1)) == json.loads(text)


def test_every_solution_laid_out_is_the_same() -> None:
    for solution in SOLUTIONS[::4]:
        text = solution.read_text(encoding="utf-8")
        laid_out = formatted(text)
        assert laid_out is not None
        assert json.loads(laid_out) == json.loads(text)
        assert formatted(laid_out) == laid_out


def test_backspace_takes_back_what_was_typed() -> None:
    for keys in ("{", '{"', '{"a', '[{"a": ["', '{"a'):
        assert after(keys + "\b" * len(keys)) == "|"


def test_the_layout_keeps_what_was_written() -> None:
    text = '{"b":1.50,"a":[1,\n2],"b":"\\u0041","c":{ },"d":{"e":[true,null]},"日本":"語"}'
    assert formatted(text) == (
        '{\n  "b": 1.50,\n  "a": [\n    1,\n    2\n  ],\n  "b": "\\u0041",\n  "c": {},\n'
        '  "d": {"e": [true, null]},\n  "日本": "語"\n}\n'
    )
    assert formatted('{"a": 1,}') is None
    assert formatted("") is None
    wide = json.dumps({"args": ["x" * 30, "日" * 30]}, ensure_ascii=False)
    assert max(len(line) for line in (formatted(wide) or "").splitlines()) < 50, (
        "what does not fit gets lines of its own"
    )
