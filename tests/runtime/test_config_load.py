"""What `config.load` accepts and returns, and the position of an error in the file."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runtime.config.load import load
from runtime.config.members import CONFIG
from runtime.config.shape import Mismatch, name_place
from runtime.support.errors import RuntError
from tests.support.config_files import MINIMAL, changed, load_text, refusal

if TYPE_CHECKING:
    from pathlib import Path

SEED = """{
  "ociVersion": "1.0.0",
  "process": {
    "terminal": false,
    "user": {"uid": 0, "gid": 0},
    "args": ["echo", "alpine"],
    "env": ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"],
    "cwd": "/"
  },
  "root": {"path": "rootfs"},
  "linux": {},
  "mounts": [{"destination": "/proc", "type": "proc", "source": "proc"}]
}
"""


def test_the_seed_of_the_course_is_accepted_as_it_stands(tmp_path: Path) -> None:
    assert load_text(tmp_path, SEED) == json.loads(SEED)


def test_what_is_missing_gets_the_defaults_that_the_steps_rely_on(tmp_path: Path) -> None:
    config = load_text(tmp_path, json.dumps(MINIMAL))
    assert config["linux"] == {}
    assert config["process"]["user"] == {"uid": 0, "gid": 0}


def test_null_and_empty_members_count_as_absent(tmp_path: Path) -> None:
    text = json.dumps(
        MINIMAL
        | {
            "hostname": "",
            "hooks": None,
            "linux": {"seccomp": None, "cgroupsPath": "", "resources": None},
        }
    )
    config = load_text(tmp_path, text)
    assert "hostname" not in config
    assert "hooks" not in config
    assert config["linux"] == {}


def test_unknown_members_are_ignored(tmp_path: Path) -> None:
    config = load_text(tmp_path, json.dumps(MINIMAL | {"x-mine": {"deep": [1.5, None]}}))
    assert "x-mine" not in config


def test_the_later_of_two_equal_members_counts_and_objects_are_merged(tmp_path: Path) -> None:
    """As Go's decoder does for runc."""
    config = load_text(
        tmp_path,
        '{"ociVersion": "9.0.0", "ociVersion": "1.0.0", "root": {"path": "r"},'
        ' "process": {"args": ["first", "x"], "cwd": "/"}, "process": {"args": ["second"]}}',
    )
    assert config["ociVersion"] == "1.0.0"
    assert config["process"]["args"] == ["second"]
    assert config["process"]["cwd"] == "/"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        pytest.param("", "config.json:1:1: not valid JSON", id="empty"),
        pytest.param('{"a": [1,\n  2, }', "config.json:2:6: not valid JSON", id="syntax"),
        pytest.param('{\n "日本": x}', "config.json:2:8: not valid JSON", id="columns are characters"),
        pytest.param(b'{\n"a": "\xff"}', "config.json:2:7: not UTF-8: byte 0xff", id="bytes"),
        pytest.param(
            b"\xef\xbb\xbf{}",
            "config.json:1:1: not valid JSON: a byte order mark (U+FEFF)",
            id="byte order mark",
        ),
        pytest.param('{"a": "NaN",\n "b": NaN}', "config.json:2:7: not valid JSON", id="NaN"),
        pytest.param(
            '{"a": "\\"' + "9" * 5000 + '", "b": ' + "9" * 5000 + "}",
            "config.json:1:5018: not valid JSON",
            id="digits",
        ),
        pytest.param(
            "[" * 100_000, "config.json:1:201: arrays and objects are nested too deeply", id="nesting"
        ),
        pytest.param("{} {}", "config.json:1:4: not valid JSON", id="two documents"),
        pytest.param("[]", "config.json:1:1: config: expected an object, found an array", id="array"),
    ],
)
def test_text_that_is_not_json_is_refused_with_line_and_column(
    tmp_path: Path, text: str, message: str
) -> None:
    assert refusal(tmp_path, text).startswith(message)


def test_deep_nesting_inside_a_member_that_is_looked_at_is_refused_too(tmp_path: Path) -> None:
    text = changed("linux.resources", 0).replace(": 0}", ': {"a":' * 900 + "1" + "}" * 900 + "}")
    assert refusal(tmp_path, text).startswith("config.json:1:")


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(RuntError, match=r"JSON specification file /.*/config\.json not found"):
        load(f"{tmp_path}/config.json")


def test_the_position_is_that_of_the_wrong_value(tmp_path: Path) -> None:
    text = SEED.replace('["echo", "alpine"]', '["echo",\n      7]')
    assert refusal(tmp_path, text) == (
        "config.json:7:7: process.args[1]: expected a string, found 7 (config.md, Process)"
    )


def test_a_missing_member_is_placed_at_the_object_that_lacks_it(tmp_path: Path) -> None:
    text = SEED.replace('"cwd": "/"', '"x": 1')
    assert (
        refusal(tmp_path, text)
        == "config.json:3:14: process.cwd is required, but missing (config.md, Process)"
    )


def test_console_size_is_ignored_without_a_terminal(tmp_path: Path) -> None:
    """config.md: runtimes MUST ignore consoleSize if terminal is false."""
    size = {"height": 2**40, "width": 1}
    assert load_text(tmp_path, changed("process.consoleSize", size))["process"]["consoleSize"] == size
    text = changed("process.consoleSize", size).replace('"cwd"', '"terminal": true, "cwd"')
    assert "process.consoleSize.height: expected at most 65535" in refusal(tmp_path, text)


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                [
                    "process",
                    "args",
                    "root",
                    "path",
                    "linux",
                    "hooks",
                    "env",
                    "prestart",
                    "user",
                    "type",
                    "mounts",
                ]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@given(JSON)
def test_any_json_is_either_accepted_or_a_mismatch_that_names_a_place(value: object) -> None:
    try:
        CONFIG.check(value, ())
    except Mismatch as mismatch:
        said = f"{name_place(mismatch.place)}{mismatch.text}"
        assert (
            "expected" in said or "required" in said or "must not be empty" in said or "not supported" in said
        )
