"""A module for each subcommand, all with the same two functions, and none imported for another's sake."""

from __future__ import annotations

import ast
import inspect
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tutor.cli.main import SUBCOMMANDS, Subcommand, subcommand
from tutor.messages import LANGUAGES, Messages

if TYPE_CHECKING:
    from collections.abc import Callable

CLI = Path(__file__).parents[2] / "tutor" / "cli"


def _signature(function: Callable[..., object]) -> list[tuple[str, object]]:
    parameters = inspect.signature(function).parameters.values()
    return [(each.name, each.annotation) for each in parameters if each.name != "self"]


@pytest.mark.parametrize("name", SUBCOMMANDS)
def test_a_subcommand_has_the_functions_that_main_calls(name: str) -> None:
    module = subcommand(name)
    assert _signature(module.add_arguments) == _signature(Subcommand.add_arguments)
    assert _signature(module.run) == _signature(Subcommand.run)


def test_every_module_with_these_functions_is_in_the_table() -> None:
    defines = {
        source.stem.replace("_", "-")
        for source in CLI.glob("*.py")
        for node in ast.parse(source.read_text(encoding="utf-8")).body
        if isinstance(node, ast.FunctionDef) and node.name == "add_arguments"
    }
    assert defines == set(SUBCOMMANDS)


def test_no_module_imports_main_which_imports_them_all() -> None:
    """The contracts on imports do not see it: `main` imports by name."""
    importing = [
        source.name
        for source in CLI.glob("*.py")
        for node in ast.walk(ast.parse(source.read_text(encoding="utf-8")))
        if (isinstance(node, ast.ImportFrom) and node.module == "tutor.cli.main")
        or (isinstance(node, ast.ImportFrom) and node.module == "tutor.cli" and node.names[0].name == "main")
    ]
    assert importing == []


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", SUBCOMMANDS)
def test_the_help_of_each_says_what_the_list_says_or_more(name: str, language: str) -> None:
    messages = Messages(next(each for each in LANGUAGES if each == language))
    description = f"cli.{name}.description"
    shown = messages(description if messages.has(description) else f"cli.{name}.help")
    done = _python("-m", "tutor", name, "--help", "--lang", language)
    assert "".join(shown.split()) in "".join(done.stdout.split())


@pytest.mark.parametrize("name", SUBCOMMANDS)
def test_help_imports_only_what_says_it(name: str) -> None:
    """As fast as `--help` alone: neither lessons nor labs are loaded to list arguments."""
    code = (
        "import sys; from tutor.cli.main import main\n"
        "try: main([sys.argv[1], '--help'])\n"
        "finally: print(*sys.modules, file=sys.stderr)"
    )
    done = _python("-c", code, name)
    loaded = set(done.stderr.split())
    own = f"tutor.cli.{name.replace('-', '_')}"
    assert own in loaded
    others = {each for each in loaded if each.startswith("tutor.cli.")} - {
        own,
        "tutor.cli.language",
        "tutor.cli.main",
        "tutor.cli.parser",
    }
    assert not others
    rooms = {each.split(".")[1] for each in loaded if each.startswith("tutor.")}
    assert not rooms & {
        "course",
        "session",
        "lab",
        "tui",
        "repl",
        "view",
        "verify",
        "doctor",
        "explain",
        "docker",
    }


def _python(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *arguments],
        env={**os.environ, "COLUMNS": "80"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=True,
    )
