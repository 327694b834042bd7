"""A step's snippet put where it belongs in a config.json, and the difference that shows it beforehand."""

from __future__ import annotations

import json

import pytest

from tests.support.tui import CONFIG
from tutor.configfile.meanings import path_of
from tutor.configfile.snippets import inserted
from tutor.text.diff import counts, difference


@pytest.mark.parametrize(
    ("snippet", "pointer", "value"),
    [
        ('"args": ["sleep", "1000"]', "/process/args", ["sleep", "1000"]),
        ('"hostname": "inside",', "/hostname", "inside"),
        ('"mounts": [{"destination": "/proc"}]', "/mounts", [{"destination": "/proc"}]),
        ('{ "type": "mount" }', "/linux/namespaces", [{"type": "mount"}]),
        (
            '{"destination": "/a"},\n{"destination": "/b"}',
            "/mounts",
            [{"destination": "/a"}, {"destination": "/b"}],
        ),
        ('"startContainer": [{"path": "/x"}]', "/hooks/startContainer", [{"path": "/x"}]),
        ('"resources": {"pids": {"limit": 16}}', "/linux/resources/pids/limit", 16),
        ('"cpu": {"quota": 1}', "/linux/resources/cpu/quota", 1),
    ],
)
def test_a_snippet_goes_where_it_belongs(snippet: str, pointer: str, value: object) -> None:
    text = inserted(snippet, CONFIG)
    assert text is not None
    found = json.loads(text)
    for name in path_of(pointer):
        found = found[name]
    assert found == value
    assert inserted(snippet, text) == text, "it is there already"
    assert json.loads(text) | {
        "mounts": 0,
        "linux": 0,
        "hooks": 0,
        "hostname": 0,
        "process": 0,
    } == json.loads(CONFIG) | {"mounts": 0, "linux": 0, "hooks": 0, "hostname": 0, "process": 0}, (
        "nothing else changes"
    )


def test_what_is_there_of_the_same_name_is_replaced_and_the_rest_stays() -> None:
    text = (
        '{\n  "mounts": [\n    {"destination": "/proc", "type": "x"},\n    {"destination": "/sys"}\n  ]\n}\n'
    )
    done = inserted('{"destination": "/proc", "type": "proc", "options": ["nosuid"]}', text)
    assert done is not None
    assert json.loads(done)["mounts"] == [
        {"destination": "/proc", "type": "proc", "options": ["nosuid"]},
        {"destination": "/sys"},
    ]
    lines = difference(text, done)
    assert [line.text.strip() for line in lines if line.mark == "-"] == [
        '{"destination": "/proc", "type": "x"},'
    ]
    assert counts(lines) == (5, 1)


@pytest.mark.parametrize(
    "snippet", ['{"destination": "/proc", … }', '"Cmd": ["x"]', "", "echo", '["a", "b"]', '{"path": "/x"}']
)
def test_what_belongs_nowhere_is_not_put_anywhere(snippet: str) -> None:
    assert inserted(snippet, CONFIG) is None


def test_into_a_text_that_is_not_json_nothing_is_put() -> None:
    assert inserted('"args": []', CONFIG + "}") is None


def test_a_difference_shows_three_lines_around() -> None:
    old = "".join(f"{number}\n" for number in range(40))
    new = old.replace("10\n", "ten\n").replace("30\n", "")
    marks = "".join(line.mark for line in difference(old, new))
    assert marks == "   -+   …   -   "
    assert [line.number for line in difference(old, new) if line.mark != " "] == [11, 11, 0, 31]
    assert difference(old, old) == ()
    assert difference(old, old.rstrip("\n")) == ()
