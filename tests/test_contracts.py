"""The import contracts (ARCHITECTURE.md): which package may import which."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
FACES = {"tui", "repl"}
TOOLKITS = ("textual", "prompt_toolkit")
JAPANESE = re.compile(r"[぀-ヿ㐀-鿿]")


def _sources(room: str) -> list[Path]:
    return sorted((ROOT / room).rglob("*.py"))


def _modules(room: str) -> list[str]:
    return [
        ".".join(source.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
        for source in _sources(room)
        if source.stem != "__main__"
    ]


def _imported_roots(source: Path) -> set[str]:
    """Return the top-level names that a file imports, also in functions and under TYPE_CHECKING."""
    roots: set[str] = set()
    for node in ast.walk(ast.parse(source.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            roots.update(alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            roots.add(node.module.partition(".")[0])
    return roots


def _modules_loaded_by(code: str, *flags: str) -> set[str]:
    """Run code in a fresh interpreter and return the top-level names in its sys.modules afterwards."""
    return {name.partition(".")[0] for name in _full_names_loaded_by(code, *flags)}


def _full_names_loaded_by(code: str, *flags: str) -> set[str]:
    """Run code in a fresh interpreter and return its sys.modules afterwards."""
    script = f"{code}\nimport sys\nprint('\\n'.join(sys.modules))"
    done = subprocess.run(
        [sys.executable, *flags, "-c", script], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return set(done.stdout.splitlines())


@pytest.mark.parametrize("source", _sources("runtime"), ids=lambda source: str(source.relative_to(ROOT)))
def test_the_runtime_imports_only_the_standard_library_and_itself(source: Path) -> None:
    foreign = _imported_roots(source) - set(sys.stdlib_module_names) - {"runtime"}
    assert not foreign


def test_the_runtime_loads_without_site_packages() -> None:
    modules = _modules("runtime")
    loaded = _modules_loaded_by(
        f"import sys; sys.path.insert(0, {str(ROOT)!r})\nimport {', '.join(modules)}", "-I", "-S"
    )
    assert "runtime" in loaded
    assert "tutor" not in loaded


@pytest.mark.parametrize("source", _sources("tutor"), ids=lambda source: str(source.relative_to(ROOT)))
def test_the_tutor_reaches_a_runtime_only_through_its_command_line(source: Path) -> None:
    assert "runtime" not in _imported_roots(source)


def test_a_terminal_has_its_first_words_before_anything_is_loaded_that_takes_long() -> None:
    code = (
        "import os, sys\nfrom tutor import waiting\nfrom tutor import __main__ as entry\n"
        "waiting.is_possible = lambda: True\n"
        "def say(text):\n    print(text)\n    print('\\n'.join(sys.modules), flush=True)\n    os._exit(0)\n"
        "waiting.say = say\nsys.argv = ['oci-tutor', '--lang', 'en']\nentry.main()"
    )
    loaded = _modules_loaded_by(code)
    assert "oci-tutor is starting " in loaded
    assert not loaded & {*TOOLKITS, "argparse", "yaml", "wcwidth", "json", "subprocess"}


def test_the_headless_rooms_load_neither_textual_nor_prompt_toolkit() -> None:
    headless = [
        name for name in _modules("tutor") if name.split(".")[1:2] == [] or name.split(".")[1] not in FACES
    ]
    assert len(headless) > 20
    loaded = _modules_loaded_by(f"import {', '.join(headless)}")
    assert not loaded & set(TOOLKITS)


def test_the_repl_does_not_load_textual() -> None:
    repl = [name for name in _modules("tutor") if name.startswith("tutor.repl")]
    assert len(repl) > 5
    assert "textual" not in _modules_loaded_by(f"import tutor.cli, {', '.join(repl)}")


def test_the_repl_opens_a_lesson_without_what_reads_images_or_checks_a_file() -> None:
    """A learner waits for every module. Where the image came from is told at once, and it is unpacked once."""
    origin = '{"source": "mini", "reference": "alpine:3.9", "release": "", "archive": ""}'
    loaded = _full_names_loaded_by(
        "import tutor.cli.repl, tutor.repl.interactive, tutor.repl.run, tutor.session.session\n"
        "from tutor.messages import Messages\nfrom tutor.session.placeholders import image_phrase\n"
        f"assert 'alpine:3.9' in image_phrase({origin!r}, Messages.load('en'))"
    )
    assert "tutor.repl.repl" in loaded
    assert not loaded & {
        "tutor.images.alpine",
        "tutor.images.layout",
        "tutor.configfile.structure",
        "markdown_it",
    }


def test_the_tui_does_not_load_prompt_toolkit() -> None:
    tui = [name for name in _modules("tutor") if name.startswith("tutor.tui")]
    assert len(tui) > 20
    assert "prompt_toolkit" not in _modules_loaded_by(f"import {', '.join(tui)}")


@pytest.mark.parametrize("source", _sources("tutor/tui/widgets"), ids=lambda source: source.name)
def test_widgets_draw_what_they_are_handed_and_ask_the_system_nothing(source: Path) -> None:
    asking = {"os", "subprocess", "shutil", "socket", "signal", "fcntl", "platform", "pwd", "tempfile"}
    assert not _imported_roots(source) & asking


@pytest.mark.parametrize("option", ["--help", "--version"])
def test_help_loads_neither_toolkit(option: str) -> None:
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "tutor", option],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    loaded = {line.rpartition("|")[2].strip().partition(".")[0] for line in done.stderr.splitlines()}
    assert "argparse" in loaded, "the probe sees no imports"
    assert not loaded & set(TOOLKITS)


@pytest.mark.parametrize(
    "source", [*_sources("runtime"), *_sources("tutor")], ids=lambda s: str(s.relative_to(ROOT))
)
def test_no_japanese_text_in_code(source: Path) -> None:
    """It belongs in the message catalogue or in the lessons (character tables are written as escapes)."""
    assert not [line for line in source.read_text(encoding="utf-8").splitlines() if JAPANESE.search(line)]
