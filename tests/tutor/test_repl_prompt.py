"""The prompt: completion, highlighting, validation, history, and the editor."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from prompt_toolkit.application import create_app_session
from prompt_toolkit.completion import CompleteEvent
from prompt_toolkit.document import Document
from prompt_toolkit.history import FileHistory, InMemoryHistory
from prompt_toolkit.input import create_pipe_input
from prompt_toolkit.output import DummyOutput
from prompt_toolkit.styles import Style
from prompt_toolkit.validation import ValidationError

from tests.support.session import Diary, session
from tutor.errors import TutorError
from tutor.messages import Messages
from tutor.repl.editor import Editor, JsonLexer, edit
from tutor.repl.paint import toolkit_styles
from tutor.repl.prompting import CommandCompleter, CommandLexer, CommandValidator, open_history
from tutor.repl.render import Renderer
from tutor.repl.repl import Printer, Repl
from tutor.session.commands.completion import files
from tutor.session.commands.registry import COMMANDS
from tutor.text import cell_width

if TYPE_CHECKING:
    from collections.abc import Iterator

GOOD = """{
  "ociVersion": "1.0.0",
  "process": {"user": {"uid": 0, "gid": 0}, "args": ["true"], "cwd": "/"},
  "root": {"path": "rootfs"}
}
"""
BAD = '{\n  "ociVersion": "1.0.0"\n  "root": {"path": "rootfs"}\n}\n'
DELETE = "\x1b[3~"
PATIENCE = 20.0  # seconds until an editor that does not end is a failure
SAVE, LEAVE, UNDO = "\x13", "\x11", "\x1a"


@pytest.fixture
def repl(tmp_path: Path) -> Iterator[Repl]:
    """A REPL whose session has no lesson open, so that no root is needed."""
    with session(tmp_path, Diary(), engine="runt") as opened:
        messages = Messages("en")
        yield Repl(opened, Printer(Renderer(messages, 80), escapes=False, colours=False), messages)


def completions(repl: Repl, text: str) -> dict[str, str]:
    found = CommandCompleter(repl).get_completions(Document(text), CompleteEvent())
    return {each.text: each.display_meta_text for each in found}


def test_every_command_is_offered_with_a_description(repl: Repl) -> None:
    offered = completions(repl, "")
    assert list(offered) == [command.name for command in COMMANDS]
    assert all(offered.values())
    assert set(completions(repl, "st")) == {"start", "state"}


def test_arguments_and_flags_are_offered_where_they_belong(repl: Repl) -> None:
    assert completions(repl, "kill ").keys() >= {"TERM", "KILL"}
    assert set(completions(repl, "kill te")) == {"TERM"}
    assert set(completions(repl, "engine r")) == {"runt", "runc"}
    assert set(completions(repl, "delete ")) == {"--force"}
    assert completions(repl, "delete --force ") == {}
    assert set(completions(repl, "help mo")) == {"mounts"}
    assert completions(repl, "nonsense ") == {}
    assert completions(repl, "kill TERM ") == {}


def styles(text: str) -> list[tuple[str, str]]:
    fragments = CommandLexer().lex_document(Document(text))(0)
    return [(style.removeprefix("class:"), piece) for style, piece, *_ in fragments if piece.strip()]


def test_the_command_line_is_coloured_by_what_its_words_are() -> None:
    assert styles("  delete --force") == [("command", "delete"), ("flag", "--force")]
    assert styles("kill TERM") == [("command", "kill"), ("argument", "TERM")]
    assert styles("kil TERM") == [("unknown", "kil"), ("argument", "TERM")]
    assert styles("") == []


def test_files_of_the_lab_are_offered_behind_an_exclamation_mark(
    repl: Repl, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "alpine-bundle").mkdir()
    (tmp_path / "alpine-bundle/config.json").touch()
    monkeypatch.setattr(repl.session, "completions", lambda _, prefix: files(prefix, tmp_path))
    assert set(completions(repl, "!ls alp")) == {"alpine-bundle/"}
    assert set(completions(repl, "! cat -n alpine-bundle/c")) == {"alpine-bundle/config.json"}


@pytest.mark.parametrize(
    ("text", "position", "told"),
    [
        ("delete --froce", 7, "--froce"),
        ("kill TERM now", 10, "now"),
        ("answer", 6, "answer"),
    ],
)
def test_a_mistake_puts_the_cursor_on_the_fault(repl: Repl, text: str, position: int, told: str) -> None:
    with pytest.raises(ValidationError) as raised:
        CommandValidator(repl).validate(Document(text))
    assert raised.value.cursor_position == position
    assert told in raised.value.message


@pytest.mark.parametrize("text", ["  craete", "list\ncraete", "kill TERM now\nlist"])
def test_a_line_that_ends_though_it_is_wrong_is_not_run(repl: Repl, text: str) -> None:
    CommandValidator(repl).validate(Document(text))
    with pytest.raises(TutorError):
        repl.parse_lines(text)
    CommandValidator(repl, lambda: True).validate(Document("kill TERM now"))  # more is typed already
    assert repl.parse_lines("list\n\n  state\n") == ["list", "  state"]


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("", None),
        ("   ", None),
        ("# a comment", None),
        ("create", ("create", (), ())),
        ("kill TERM", ("kill", ("TERM",), ())),
        ("  delete --force  ", ("delete", (), ("--force",))),
        ("help kill", ("help", ("kill",), ())),
        ("!ls -l | wc '", ("!", ("ls -l | wc '",), ())),
        (" ! ls", ("!", ("ls",), ())),
        ("exec sh -c 'echo --force; ls'", ("exec", ("sh", "-c", "echo --force; ls"), ())),
    ],
)
def test_what_is_a_command_is_taken(
    repl: Repl, text: str, meant: tuple[str, tuple[str, ...], tuple[str, ...]] | None
) -> None:
    CommandValidator(repl).validate(Document(text))
    parsed = repl.parse(text)
    assert (parsed and (parsed.command.name, parsed.arguments, parsed.flags)) == meant


def test_help_names_every_command_and_one_in_full(repl: Repl) -> None:
    every = "".join(text for each in repl.help(None) for _, text in each)
    for command in COMMANDS:
        assert command.name in every
    one = "".join(text for each in repl.help("delete") for _, text in each)
    assert "--force" in one


def test_the_bottom_line_fits_whatever_the_width(repl: Repl) -> None:
    for width in (20, 40, 79, 200):
        assert cell_width(repl.toolbar(width)) <= width


def test_history_is_kept_where_it_can_be(tmp_path: Path) -> None:
    history = open_history(tmp_path / "state")
    assert isinstance(history, FileHistory)
    history.append_string("create")
    assert "create" in (tmp_path / "state" / "repl-history").read_text(encoding="utf-8")
    (tmp_path / "file").write_text("", encoding="utf-8")
    assert isinstance(open_history(tmp_path / "file"), InMemoryHistory)


async def edited(text: str, keys: str) -> str | None:
    with create_pipe_input() as pipe, create_app_session(input=pipe, output=DummyOutput()):
        pipe.send_text(keys)
        style = Style.from_dict(toolkit_styles(colours=True))
        editing = edit(Editor(text, Path("/labs/config.json"), Messages("en")), style)
        return await asyncio.wait_for(editing, PATIENCE)


async def test_a_text_in_order_is_saved_at_once() -> None:
    assert await edited(GOOD, "\x1b[B\x1b[F \x7f" + SAVE) == GOOD


async def test_a_faulty_text_is_saved_only_when_asked_again() -> None:
    assert await edited(GOOD, "x" + SAVE + SAVE) == "x" + GOOD
    # The cursor has moved to the problem, and a correction is checked again.
    assert await edited(GOOD, "x" + SAVE + DELETE + SAVE) == GOOD


async def test_leaving_drops_changes_only_when_asked_again() -> None:
    assert await edited(GOOD, LEAVE) is None
    assert await edited(GOOD, " " + LEAVE + LEAVE) is None
    assert await edited(GOOD, " " + LEAVE + "\x7f" + SAVE) == GOOD


async def test_the_editor_completes_pairs_and_indents() -> None:
    """As the editor of the TUI, which uses the same functions: keys at once make what they make one by one."""
    made = await edited("", '{\r"oci\t1.0.2\x1b[F,\r"ro\t\r"path\tx{\x7f\x7frootfs' + SAVE + SAVE)
    assert made == '{\n  "ociVersion": "1.0.2",\n  "root": {\n    "path": "rootfs"\n  }\n}'
    chosen = '{"linux": {"namespaces": [{"type": "\x00\x1b[B\r' + SAVE + SAVE
    assert await edited("", chosen) == '{"linux": {"namespaces": [{"type": "network"}]}}'
    assert await edited("", "[{\x7f\x7f\x7fx" + SAVE + SAVE) == "x"


async def test_the_editor_formats_explains_compares_and_finds() -> None:
    assert await edited('{"a":[1,\n2]}', "\x0f" + SAVE + SAVE) == '{\n  "a": [\n    1,\n    2\n  ]\n}\n'
    # A page over the text takes the next key, and what is typed then goes into the text.
    assert await edited(GOOD, "\x1bOPq" + SAVE) == GOOD
    assert await edited(GOOD, "\x12\x12 " + SAVE) == " " + GOOD
    found = await edited(GOOD, "\x06cwd\rX" + SAVE + SAVE)
    assert found is not None
    assert '"Xcwd"' in found


def test_what_the_editor_says_of_a_member_and_of_changes() -> None:
    editor = Editor('{"process": {"cwd": "/"}}', Path("/c"), Messages("en"), (("the last create", "{}"),))
    aids, buffer = editor.aids, editor.focused().current_buffer
    assert buffer is not None

    def page() -> str:
        return "".join(text for _, text, *_ in aids._shown_page())

    buffer.cursor_position = buffer.text.index("cwd")
    with create_app_session(output=DummyOutput()):
        aids.describe()
        assert "process.cwd  a string, required" in page()
        assert "The directory in which the program begins" in page()
        assert "config.md#process" in page()
        aids.compare()
        assert "There is no difference." in page()
        aids.compare()
        assert '+ {"process": {"cwd": "/"}}' in page()
        aids.compare()
        assert not aids.page_is_open


async def test_undo_takes_back_what_was_typed() -> None:
    assert await edited(GOOD, "x" + UNDO + SAVE) == GOOD


async def test_the_cursor_goes_to_the_fault() -> None:
    # The missing comma of line 2: what is typed first lands there, because the editor opens with the cursor on it.
    changed = await edited(BAD, ",\x13\x13")
    assert changed is not None
    assert changed != BAD
    lines = changed.splitlines()
    assert "," in lines[1] + lines[2][:4]


def test_the_editor_tells_the_first_fault_with_its_place() -> None:
    editor = Editor(BAD, Path("/labs/config.json"), Messages("en"))
    assert not editor.may_save()
    assert editor.may_save()


def test_json_is_coloured_by_its_parts() -> None:
    fragments = JsonLexer().lex_document(Document('  "args": ["echo", 1.5, true, null],'))(0)
    found = [(style.removeprefix("class:"), text) for style, text, *_ in fragments if style]
    assert found == [
        ("json.key", '"args"'),
        ("json.string", '"echo"'),
        ("json.number", "1.5"),
        ("json.word", "true"),
        ("json.word", "null"),
    ]
