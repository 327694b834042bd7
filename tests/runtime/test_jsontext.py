"""The fast JSON writes and reads exactly what the standard library does."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runtime.support import jsontext

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


def _answer(loads: Callable[[str], object], text: str) -> object:
    try:
        return loads(text)
    except ValueError as error:
        return str(error)


@given(_VALUES)
def test_it_writes_what_json_writes(value: object) -> None:
    assert jsontext.dumps(value) == json.dumps(value)
    assert jsontext.dumps(value, ascii_only=False, compact=True) == json.dumps(
        value, ensure_ascii=False, separators=(",", ":")
    )
    assert jsontext.pretty(value) == json.dumps(value, ensure_ascii=False, indent=2)
    assert jsontext.pretty(value, indent="\t") == json.dumps(value, ensure_ascii=False, indent="\t")


@given(_VALUES)
def test_it_reads_what_json_writes(value: object) -> None:
    assert jsontext.loads(json.dumps(value)) == value
    assert jsontext.loads(json.dumps(value, indent=1).encode()) == value


@given(st.text(alphabet='{}[]",:0123.eE+-truefalsn \t\n\\u', max_size=24))
def test_it_refuses_what_json_refuses_with_the_same_words(text: str) -> None:
    assert _answer(jsontext.loads, text) == _answer(json.loads, text)


def test_what_is_no_json_is_a_fault() -> None:
    with pytest.raises(TypeError):
        jsontext.dumps({"a": object()})


@pytest.mark.parametrize("text", ["{", "", "nul", '{"a" 1}', "[1,]", "1 2"])
def test_an_error_is_found_where_json_has_never_been_imported(text: str) -> None:
    code = (
        "import sys\nfrom runtime.support import jsontext\nassert 'json' not in sys.modules\n"
        "try: jsontext.loads(sys.argv[1])\nexcept ValueError as error: print(error)"
    )
    done = subprocess.run([sys.executable, "-Sc", code, text], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == _answer(json.loads, text)
