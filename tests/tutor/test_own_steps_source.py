"""The learner's file as text: skeletons and definitions are put in, and all else stays as it is."""

from __future__ import annotations

import ast
import gc
import sys
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from tutor.messages import Messages
from tutor.own_steps import assemble, source
from tutor.own_steps.exercises import EXERCISES, FUNCTIONS

if TYPE_CHECKING:
    from pathlib import Path

MINE = '''"""Mine."""

import os
from syscalls import sethostname

NAME = "x"  # a remark


def set_hostname(c):
    sethostname(NAME)  # as it is


def helper():
    return os.getpid()
'''


def test_new_file_has_nothing_written_and_gets_the_skeleton_of_an_exercise(tmp_path: Path) -> None:
    text = source.read(tmp_path / source.FILE)
    assert source.missing(text) == FUNCTIONS
    text = source.with_skeleton(text, ("set_hostname",))
    assert source.functions_of(text)["set_hostname"].is_stub
    assert source.missing(text) == FUNCTIONS
    assert source.with_skeleton(text, ("set_hostname",)) == text, "it is there once"
    function = ast.parse(text).body[-1]
    assert isinstance(function, ast.FunctionDef)
    assert "config.md" in (ast.get_docstring(function) or ""), (
        "it says what is asked, and where the clause is"
    )


def test_definition_takes_the_place_of_the_one_with_its_name_and_the_rest_stays() -> None:
    text = source.with_definitions(
        MINE, "import json\nfrom syscalls import mount\n\n\ndef set_hostname(c):\n    json.dumps(mount)\n"
    )
    assert '\nNAME = "x"  # a remark\n' in text
    assert text.count("def set_hostname") == 1
    assert "# as it is" not in text
    assert "import json\n" in text
    assert "from syscalls import mount, sethostname\n" in text
    assert text.endswith("def helper():\n    return os.getpid()\n")


def test_reset_puts_the_skeleton_back() -> None:
    text = source.without_definitions(MINE, ("set_hostname",))
    assert source.missing(text, ("set_hostname",)) == ("set_hostname",)
    assert "def helper" in text


def test_function_that_is_written_below_its_skeleton_is_the_one_that_counts() -> None:
    text = source.with_skeleton("", ("set_hostname",)) + "\n\ndef set_hostname(c):\n    return 1\n"
    assert source.missing(text, ("set_hostname",)) == ()
    text = source.without_definitions(text, ("set_hostname",))
    assert source.missing(text, ("set_hostname",)) == ("set_hostname",)
    assert text.count("def set_hostname") == 1


def test_what_a_function_uses_belongs_to_it_but_not_another_exercises_functions() -> None:
    tree = ast.parse(
        "LIMIT = 3\ndef twice(): return LIMIT\ndef kill(c): pass\ndef delete(c): twice(); kill(c)\ndef other(): pass\n"
    )
    found = source.needed_statements(tree, {"delete"})
    assert [ast.unparse(each).splitlines()[0] for each in found] == [
        "LIMIT = 3",
        "def twice():",
        "def delete(c):",
    ]


def test_model_solution_of_every_exercise_can_be_put_in() -> None:
    text = ""
    for exercise in EXERCISES:
        text = source.with_definitions(text, source.reference_definition(exercise.functions))
    assert source.missing(text) == ()
    assert source.with_definitions(text, source.reference_definition(("set_user",))) == text


@pytest.mark.parametrize("text", ["def set_hostname(c:\n", "\0"])
def test_text_that_is_not_python_is_refused_with_its_place(text: str) -> None:
    with pytest.raises(source.SourceError) as refused:
        source.missing(text)
    assert refused.value.line == 1


def test_script_is_python_without_anything_of_ours_and_says_what_is_not_the_learners() -> None:
    script = assemble.exported("def _options(c):\n    return 1\n", Messages("ja"))
    tree = ast.parse(script)
    imported = [each for each in ast.walk(tree) if isinstance(each, ast.Import | ast.ImportFrom)]
    assert not [each for each in imported if "tutor" in ast.unparse(each) or "syscalls" in ast.unparse(each)]
    defined = [name for node in tree.body if isinstance(node, ast.FunctionDef) for name in [node.name]]
    assert sorted(defined) == sorted(set(defined)), (
        "a helper of the learner's and one of ours don't get in each other's way"
    )
    assert set(FUNCTIONS) <= set(defined)


class _Cycle:
    """Only the garbage collector frees it, and its finalizer is long enough for another thread to get its turn in it."""

    def __init__(self) -> None:
        self.itself = self

    def __del__(self) -> None:
        for _ in range(50):
            pass


def test_files_are_read_by_several_threads_at_once() -> None:
    """On CPython 3.11 two syntax trees that are built at once end in a SystemError: the screen, the judge and the poller read the file."""
    text = "\n".join(f"def f{number}(c):\n    return [c, {{'a': (c, c.d)}}]" for number in range(200))

    def reading(_: int) -> int:
        found = 0
        for _again in range(8):
            _Cycle()
            found = len(source.functions_of(text))
        return found

    interval, threshold = sys.getswitchinterval(), gc.get_threshold()
    sys.setswitchinterval(1e-6)
    gc.set_threshold(50, 2, 2)
    try:
        with ThreadPoolExecutor(4) as threads:
            assert list(threads.map(reading, range(8))) == [200] * 8
    finally:
        gc.set_threshold(*threshold)
        sys.setswitchinterval(interval)
