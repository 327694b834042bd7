"""`runt steps`: the tables, where each step is in the source, and what asks for it."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from runtime.operations.restore import RESTORE_STEPS
from runtime.operations.steps import _CLAUSE
from runtime.steps.create import INIT_STEPS, RUNTIME_STEPS
from runtime.steps.delete import DELETE_STEPS
from runtime.steps.exec import EXEC_INIT_STEPS, EXEC_STEPS
from runtime.steps.start import START_STEPS

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.support.runt import Runt

TABLES: dict[str, tuple[Callable[..., None], ...]] = {
    "RUNTIME_STEPS": RUNTIME_STEPS,
    "INIT_STEPS": INIT_STEPS,
    "START_STEPS": START_STEPS,
    "EXEC_STEPS": EXEC_STEPS,
    "EXEC_INIT_STEPS": EXEC_INIT_STEPS,
    "DELETE_STEPS": DELETE_STEPS,
    "RESTORE_STEPS": RESTORE_STEPS,
}


def listed(runt: Runt) -> dict[str, dict[str, Any]]:
    return {each["table"]: each for each in json.loads(runt.ok("steps", "--format", "json"))}


def test_every_table_is_listed_with_its_steps_in_their_order(runt: Runt) -> None:
    found = listed(runt)
    assert {name: [step["step"] for step in table["steps"]] for name, table in found.items()} == {
        name: [function.__name__ for function in table] for name, table in TABLES.items()
    }
    assert found["INIT_STEPS"]["process"] == "init"
    assert found["RUNTIME_STEPS"]["commands"] == ["create", "run"]


@pytest.mark.parametrize("table", TABLES)
def test_each_step_is_where_it_is_said_to_be(runt: Runt, table: str) -> None:
    for position, step in enumerate(listed(runt)[table]["steps"]):
        lines = Path(step["file"]).read_text(encoding="utf-8").splitlines()
        assert lines[step["line"] - 1].startswith(f"def {step['function']}(")
        assert not [
            line for line in lines[step["line"] : step["lastLine"]] if line.startswith(("def ", "class "))
        ]
        assert step["file"].endswith(step["module"].replace(".", "/") + ".py")
        assert step["position"] == position
        assert step["summary"].endswith((".", ":"))


def test_what_asks_for_a_step_is_told(runt: Runt) -> None:
    steps = {step["step"]: step for step in listed(runt)["INIT_STEPS"]["steps"]}
    assert steps["mount_filesystems"]["clauses"] == ["config.md, Mounts"]
    assert "pivot_root(2)" in steps["pivot_root"]["manual"]
    assert steps["change_directory"]["clauses"] == ["config.md, cwd"]


@pytest.mark.parametrize("table", TABLES)
def test_no_clause_that_a_step_names_is_left_out(runt: Runt, table: str) -> None:
    for step, function in zip(listed(runt)[table]["steps"], TABLES[table], strict=True):
        named = re.findall(r"\b(?:bundle|config|runtime)(?:-linux)?\.md,", function.__doc__ or "")
        assert [clause.split(" ")[0] for clause in step["clauses"]] == named, step["step"]


@pytest.mark.parametrize(
    ("text", "clauses"),
    [
        ("config-linux.md, disableOOMKiller", [("config-linux.md", "disableOOMKiller")]),
        ("config.md, `cwd`, and chdir(2)", [("config.md", "`cwd`")]),
        ("runtime.md, steps 12 and 13", [("runtime.md", "steps 12 and 13")]),
        ("config-linux.md, Default Filesystems; mount(2)", [("config-linux.md", "Default Filesystems")]),
        ("config.md calls the priority REQUIRED", []),
    ],
)
def test_a_clause_is_found_however_it_is_written(text: str, clauses: list[tuple[str, str]]) -> None:
    assert _CLAUSE.findall(text) == clauses


def test_as_text_each_step_has_a_line_with_its_place(runt: Runt) -> None:
    text = runt.ok("steps")
    assert re.search(
        r"^ +\d+ +pivot_root +runtime/filesystem/rootfs\.py:\d+ +config\.md, Root; pivot_root\(2\)",
        text,
        re.MULTILINE,
    )
    numbers = re.findall(r"^ +(\d+) ", text, re.MULTILINE)
    assert [int(number) for number in numbers] == [
        step["position"] for table in listed(runt).values() for step in table["steps"]
    ]
