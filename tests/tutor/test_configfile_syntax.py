"""Text that is not JSON: one error, at the right place, that says what was meant. And text that is: the same as json."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tutor.configfile import parse, problems
from tutor.messages import LANGUAGES, Messages, topic_entries

# text, key, line, column, end column
MISTAKES = [
    ("", "empty", 1, 1, 1),
    (" \n\t ", "empty", 1, 1, 1),
    ('{"a": 1 "b": 2}', "missing_comma", 1, 8, 9),
    ('{\n  "a": "x"\n  "b": 2\n}', "missing_comma", 2, 11, 12),
    ('{"a": [1 2]}', "missing_comma", 1, 9, 10),
    ('{"a": {}\n "b": 2}', "missing_comma", 1, 9, 10),
    ('{\n  "a": 1,\n}', "trailing_comma", 2, 9, 10),
    ("[1, 2 , ]", "trailing_comma", 1, 7, 8),
    ("[1,,2]", "double_comma", 1, 4, 5),
    ('{"a": 1,, "b": 2}', "double_comma", 1, 9, 10),
    ('["a": 1]', "extra_colon", 1, 5, 6),
    ('{"a": 1; "b": 2}', "semicolon", 1, 8, 9),
    ('{"a" = 1}', "equals", 1, 6, 7),
    ('{"a" 1}', "missing_colon", 1, 5, 6),
    ('{"a"}', "missing_colon", 1, 5, 6),
    ('{"a":, "b": 1}', "missing_value", 1, 5, 6),
    ('{"a":\n}', "missing_value", 1, 5, 6),
    ('{"a": ', "missing_value", 1, 5, 7),
    ('{"a": {"b": 1}', "unclosed_bracket", 1, 1, 2),
    ('{"a": [1, 2', "unclosed_bracket", 1, 7, 8),
    ("[", "unclosed_bracket", 1, 1, 2),
    ('{\n "a": "x,\n "b": 1}', "unclosed_string", 2, 7, 10),
    ('{"a', "unclosed_string", 1, 2, 4),
    ('{"a": [1, 2}', "mismatched", 1, 12, 13),
    ('{"a": 1]', "mismatched", 1, 8, 9),
    ("{]", "mismatched", 1, 2, 3),
    ('{"a": 1}}', "extra_closing", 1, 9, 10),
    ("{} {}", "extra", 1, 4, 5),
    ("{'a': 1}", "single_quote", 1, 2, 3),
    ('{"a": ‘x’}', "single_quote", 1, 7, 8),
    ('{"a": 1} // done', "comment", 1, 10, 17),
    ('{\n  # why\n  "a": 1}', "comment", 2, 3, 8),
    ('{/* x */ "a": 1}', "comment", 1, 2, 17),
    ('{“a”: 1}', "full_width", 1, 2, 3),
    ('{"a": ”x”}', "full_width", 1, 7, 8),
    ('{"a": "x”}', "full_width", 1, 9, 10),
    ('{"a"：1}', "full_width", 1, 5, 6),
    ('{"a": 1， "b": 2}', "full_width", 1, 8, 9),
    ('{"a": 1、"b": 2}', "full_width", 1, 8, 9),
    ("｛｝", "full_width", 1, 1, 2),
    ("「」", "full_width", 1, 1, 2),
    ('{"a": ｔｒｕｅ}', "full_width", 1, 7, 11),
    ('{"a": １２}', "full_width", 1, 7, 9),
    ('{\n\u3000\u3000"a": 1}', "full_width_space", 2, 1, 2),
    ('{"a":\u3000"x"}', "full_width_space", 1, 6, 7),
    ('{\u00a0"a": 1}', "other_space", 1, 2, 3),
    ('{"a": 1}\u2003', "other_space", 1, 9, 10),
    ("\ufeff{}", "byte_order_mark", 1, 1, 2),
    ('{"a"\u200b: 1}', "invisible", 1, 5, 6),
    ('{"a": "x\ty"}', "control_character", 1, 9, 10),
    ('{"a": "\\d"}', "bad_escape", 1, 8, 10),
    ('{"a": "\\u12"}', "bad_escape", 1, 8, 10),
    ("{a: 1}", "unquoted_key", 1, 2, 3),
    ('{"a": rootfs}', "unquoted_value", 1, 7, 13),
    ('{"a": True}', "literal", 1, 7, 11),
    ('{"a": None}', "literal", 1, 7, 11),
    ("{1: 1}", "key_expected", 1, 2, 3),
    ('{, "a": 1}', "key_expected", 1, 2, 3),
    ('{"a": /bin/sh}', "value_expected", 1, 7, 8),
    ('{"a": 1 /bin/sh}', "unexpected", 1, 9, 10),
    ('{"a": 0755}', "octal", 1, 7, 11),
    ('{"a": 0o755}', "octal", 1, 7, 12),
    ('{"a": 1.}', "bad_number", 1, 7, 9),
    ('{"a": 64k}', "bad_number", 1, 7, 10),
    ('{"a": -}', "bad_number", 1, 7, 8),
    ("[" * 5000, "too_deep", 1, 201, 202),
]  # fmt: skip


@pytest.mark.parametrize(("text", "key", "line", "column", "end_column"), MISTAKES)
def test_a_mistake_is_one_error_at_its_place(
    text: str, key: str, line: int, column: int, end_column: int
) -> None:
    (problem,) = problems(text)
    assert problem.key == f"configfile.syntax.{key}"
    assert (problem.line, problem.column, problem.end_column) == (line, column, end_column)
    assert problem.end_line == line
    assert problem.severity == "error"
    assert not parse(text).valid
    for language in LANGUAGES:
        m = Messages(language)
        assert problem.message(m)
        assert str(line) in problem.located(m)


def test_every_mistake_of_the_catalogue_has_an_example() -> None:
    shown = {f"configfile.syntax.{key}" for _, key, *_ in MISTAKES}
    assert {key for key in topic_entries("ja", "configfile") if key.startswith("configfile.syntax.")} == shown


def test_what_an_input_method_typed_is_told_with_what_to_type_instead() -> None:
    (problem,) = problems('{"ociVersion"： "1.0.0"}')
    assert (
        problem.message(Messages("ja")) == "全角の「：」です。日本語入力を切って、半角の : に直してください"
    )
    assert problem.pointer == "/ociVersion"
    (problem,) = problems('{"readonly": ｆａｌｓｅ}')
    assert problem.values == {"found": "ｆａｌｓｅ", "wanted": "false"}
    (problem,) = problems('{"fileMode": 0666}')
    assert "438" in problem.message(Messages("ja"))


def test_full_width_characters_inside_strings_are_content() -> None:
    document = parse('{"　：，“": "値、、　”"}')
    assert document.valid
    assert document.value == {"　：，“": "値、、　”"}


def test_positions_are_in_characters_and_pointers_are_escaped() -> None:
    document = parse('{\n  "日本": {"a/b~c": [10, {"x": null}]}\n}')
    assert document.position("/日本", of="key").line == 2
    assert document.position("/日本", of="key").column == 3
    assert document.position("/日本").column == 9
    assert document.position("/日本/a~1b~0c/0").column == 20
    assert document.position("/日本/a~1b~0c/1/x").column == 30
    assert document.position("").column == 1
    with pytest.raises(KeyError):
        document.position("/日本/a~1b~0c/0", of="key")
    assert document.pointer_at(2, 21) == "/日本/a~1b~0c/0"
    assert document.pointer_at(2, 4) == "/日本"
    assert document.pointer_at(99, 1) == ""


def test_duplicate_keys_warn_at_the_second_and_the_last_counts() -> None:
    document = parse('{\n "a": {"x": 1},\n "a": {"y": 2}\n}')
    assert document.valid
    assert document.value == {"a": {"y": 2}}
    (problem,) = document.problems
    assert (problem.severity, problem.line, problem.column, problem.end_column) == ("warning", 3, 2, 5)
    assert problem.values["first_line"] == 2
    assert document.position("/a/y").line == 3
    with pytest.raises(KeyError):
        document.position("/a/x")


def test_windows_line_ends_are_spaces() -> None:
    document = parse('{\r\n  "a": 1\r\n}\r\n')
    assert document.valid
    assert document.position("/a").line == 2


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)


@given(JSON, st.booleans(), st.sampled_from([None, 2]))
def test_json_is_read_as_json_reads_it(value: Any, escaped: bool, indent: int | None) -> None:
    text = json.dumps(value, ensure_ascii=escaped, indent=indent)
    document = parse(text)
    assert document.valid
    assert document.value == value
    for span in document.values.values():
        assert parse(text[span.start : span.end]).valid


PIECES = st.sampled_from(
    [*'{}[]:,"\\ \n01-.eE', "“", "：", "　", "'", "//", "true", "null", '"a"', "\\u", "\ud800", "\ufeff"]
)


@given(st.lists(PIECES | st.text(max_size=3), max_size=30).map("".join))
def test_no_text_ever_raises_and_json_agrees_on_what_is_json(text: str) -> None:
    found = problems(text)

    def refuse(word: str) -> None:
        raise ValueError(word)

    try:
        json.loads(text, parse_constant=refuse)
    except ValueError:
        assert len(found) == 1
        assert found[0].severity == "error"
    else:
        assert parse(text).valid
    for problem in found:
        assert problem.line >= 1
        assert problem.column >= 1
        assert (problem.end_line, problem.end_column) >= (problem.line, problem.column)
        for language in LANGUAGES:
            problem.located(Messages(language))
