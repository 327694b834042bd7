"""Where the cursor is in a config.json that is being typed, and what may be written there; `|` is the cursor."""

from __future__ import annotations

import json

import pytest

from tutor.configfile.completion import Candidate, candidates
from tutor.configfile.cursor import place_at
from tutor.configfile.meanings import dotted


def at(text: str) -> tuple[str, int]:
    return text.replace("|", "", 1), text.index("|")


def offered(text: str) -> tuple[Candidate, ...]:
    return candidates(*at(text))


def labels(text: str) -> list[str]:
    return [each.label for each in offered(text)]


def after(text: str, label: str) -> str:
    """Return the text after a completion was taken, with the cursor."""
    change = next(each.change for each in offered(text) if each.label == label)
    done = change.applied(at(text)[0])
    return f"{done[: change.cursor]}|{done[change.cursor :]}"


@pytest.mark.parametrize(
    ("text", "path", "role"),
    [
        ("|", "", "value"),
        ("{|", "", "key"),
        ('{"ro|', "ro", "key"),
        ("{ro|}", "ro", "key"),
        ('{"root": {"path": "r|', "root.path", "value"),
        ('{"root": {"path": |', "root.path", "value"),
        ('{"root": {"path": "rootfs"|}}', "root.path", "none"),
        ('{"root" |: {}}', "root", "none"),
        ('{"root": |{"path": "rootfs"}}', "root", "none"),
        ('{"process": {"args": [|]}}', "process.args[0]", "value"),
        ('{"process": {"args": ["a", "b", |]}}', "process.args[2]", "value"),
        ('{"process": {"args": ["a"\n"|"]}}', "process.args[1]", "value"),  # a missing comma
        ('{"process": {"cwd": "/"\n|\n}}', "process", "key"),  # the same
        ('{"process": {"cwd":\n"ar|"\n}}', "process.cwd", "value"),
        ('{"process": {"cwd":\n"ar|": []}}', "process.ar", "key"),  # a missing value
        ('{"mounts": [{"type": "proc"}, {"|"}]}', "mounts[1].", "key"),
        ('{"mounts": [{"type": "proc"}], "linux": {"namespaces": [{"ty|"', "linux.namespaces[0].ty", "key"),
        ('{"mounts": [{"type": "proc"], "linux": {|}}', "linux", "key"),  # a bracket that is not closed
        ('{"hostname": "日本|語", "root": {}}', "hostname", "value"),
        ('{"annotations": {"a\\"b": "x|"}}', 'annotations.a"b', "value"),
        ('{"process": {"env": ["A=}{]|"]}}', "process.env[0]", "value"),
        ('{"root": {"path|: "rootfs"}}', "root.path: ", "key"),  # a quotation mark is missing
        ("[{]}:,|", "", "none"),
    ],
)
def test_the_path_and_what_belongs_there(text: str, path: str, role: str) -> None:
    place = place_at(*at(text))
    assert (dotted(place.path), place.role) == (path, role)


def test_any_text_has_a_place() -> None:
    """Whatever is cut off, doubled or mixed up on the way to a whole text."""
    text = (
        '{"process": {"args": ["a", "b{"], "user": {"uid": 0}}, "linux": {"namespaces": [{"type": "pid"}]}}'
    )
    for end in range(0, len(text) + 1, 3):
        for broken in (text[:end], text[end:], text[:end] + '"' + text[end:], text[:end] + "]" + text[end:]):
            for offset in range(0, len(broken) + 1, 17):
                place = place_at(broken, offset)
                assert 0 <= place.start <= offset <= place.end <= len(broken)
                for each in candidates(broken, offset):
                    assert 0 <= each.change.start <= each.change.end <= len(broken)


@pytest.mark.parametrize(
    ("text", "first"),
    [
        ("{|}", ["ociVersion", "root", "process"]),
        ('{"process": {"ar|"}}', ["args"]),
        ('{"process": {"args": [], "cw|"}}', ["cwd"]),
        ('{"linux": {"namespaces": [{|}]}}', ["type", "path"]),
        ('{"linux": {"namespaces": [{"type": "|"}]}}', ["pid", "network", "mount"]),
        ('{"process": {"terminal": |}}', ["true", "false"]),
        ('{"process": {"capabilities": {"bounding": ["chown|"]}}}', ["CAP_CHOWN"]),
        ('{"process": {"capabilities": {"ambient": ["CAP_CHOWN", "CAP_|"]}}}', ["CAP_DAC_OVERRIDE"]),
        ('{"mounts": [{"options": ["nosuid", "no|"]}]}', ["nodev", "noexec"]),
        ('{"linux": {"timeOffsets": {"|"}}}', ["monotonic", "boottime"]),
        ('{"linux": {"seccomp": {"syscalls": [{"act|"}]}}}', ["action"]),
        ('{"hooks": {"poststop": [{"t|"}]}}', ["timeout"]),
    ],
)
def test_what_is_offered_first(text: str, first: list[str]) -> None:
    assert labels(text)[: len(first)] == first


@pytest.mark.parametrize(
    "text",
    [
        '{"nosuch": {"|"}}',
        '{"process": {"args": ["ec|"]}}',
        '{"process": {"cwd": "/"|}}',
        '{"annotations": {"|"}}',
        '{"linux": {"namespaces": [{"type": "uts|"}]}}',  # it is there already
        '{"process": {"cwd|": "/"}}',
    ],
)
def test_nothing_is_offered_where_nothing_is_known_or_all_is_there(text: str) -> None:
    assert labels(text) == []


def test_members_that_are_there_are_not_offered_again() -> None:
    assert "cwd" not in labels('{"process": {|\n"cwd": "/", "args": []}}')
    assert "windows" not in labels("{|}"), "members of other systems"


@pytest.mark.parametrize(
    ("text", "label", "done"),
    [
        ("{|}", "root", '{"root": {|}}'),
        ('{"process": {"ar|"}}', "args", '{"process": {"args": [|]}}'),
        ('{"process": {ar|}}', "args", '{"process": {"args": [|]}}'),
        ('{"process": {"ar|": ["a"]}}', "args", '{"process": {"args"|: ["a"]}}'),
        ('{"process": {"cwd": "/"\n|\n"args": []}}', "terminal", '{"process": {"cwd": "/",\n"terminal": |,\n"args": []}}'),
        ('{"process": {"cwd": "/",\n"us|\n}}', "user", '{"process": {"cwd": "/",\n"user": {|}\n}}'),
        ('{"process": {"terminal": |\n"cwd": "/"}}', "false", '{"process": {"terminal": false|,\n"cwd": "/"}}'),
        ('{"linux": {"namespaces": [{"type": "|p"}]}}', "pid", '{"linux": {"namespaces": [{"type": "pid"|}]}}'),
        ('{"linux": {"namespaces": [{"type": "u|\n}]}}', "uts", '{"linux": {"namespaces": [{"type": "uts"|\n}]}}'),
        ('{"linux": {"namespaces": [\n{"type": "uts"}\n|\n]}}', "{ }", '{"linux": {"namespaces": [\n{"type": "uts"},\n{|}\n]}}'),
        ('{"process": {"env": ["TE|"]}}', "TERM=xterm", '{"process": {"env": ["TERM=xterm"|]}}'),
    ],
)  # fmt: skip
def test_a_completion_brings_its_commas_and_quotation_marks(text: str, label: str, done: str) -> None:
    assert after(text, label) == done


def test_a_whole_configuration_is_written_by_completions_alone() -> None:
    text = "|"
    for label in ("{ }", "ociVersion", "1.0.2"):
        text = after(text, label)
    text = text.replace('"1.0.2"|', '"1.0.2",\n|')
    for label in ("root", "path", "rootfs"):
        text = after(text, label)
    text = text.replace("|}", "},\n|", 1)
    for label in ("linux", "namespaces", "{ }", "type", "pid"):
        text = after(text, label)
    assert json.loads(text.replace("|", "")) == {
        "ociVersion": "1.0.2",
        "root": {"path": "rootfs"},
        "linux": {"namespaces": [{"type": "pid"}]},
    }
