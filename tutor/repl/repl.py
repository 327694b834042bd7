"""What both loops share: the prompt, the commands that only show something, and events as text."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tutor.home import shown
from tutor.repl import views
from tutor.repl.layout import Line, line, table, wrap_line
from tutor.repl.paint import paint
from tutor.session.commands.parser import Parsed, parse, usage
from tutor.session.commands.registry import BY_NAME, COMMANDS
from tutor.session.events import (
    Checked,
    CommandFinished,
    Notice,
    Output,
)
from tutor.text import cell_width, truncate, visible
from tutor.text.diff import difference
from tutor.text.glyphs import FAILED, SEVERITIES
from tutor.text.plain import plain
from tutor.view.config_texts import solution_of
from tutor.view.edited_file import edited_name, problems_of
from tutor.view.lesson_view import LessonView

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from tutor.errors import TutorError
    from tutor.messages import Messages
    from tutor.repl.render import Renderer
    from tutor.session.commands.registry import Command
    from tutor.session.events import Event
    from tutor.session.protocol import SessionProtocol

SEPARATOR = " │ "
STYLES = {"error": "bad", "warning": "warning"}
DIFF_STYLES = {"+": "good", "-": "bad", " ": "faint", "…": "faint"}
_SCOPES = ("lesson", "engine", "view", "face")


class Printer:
    """Turns events and lines into text for a terminal or a pipe; keeps track of whether the last line has ended.

    `words`: those of plain text, if it is asked for (`tutor.text.plain`).
    `failed` counts failures: of an engine's command, of a check that was asked for, of a line that was typed.
    """

    def __init__(
        self,
        renderer: Renderer,
        *,
        escapes: bool,
        colours: bool,
        words: Mapping[str, str] | None = None,
    ) -> None:
        self.renderer = renderer
        self.failed = 0
        self._escapes = escapes
        self._words = words
        self._colours = colours
        self._at_line_start = True

    def another(self) -> Printer:
        """Return a printer of the same kind for another session."""
        return Printer(
            self.renderer.another(), escapes=self._escapes, colours=self._colours, words=self._words
        )

    def event(self, event: Event) -> str:
        """Return the text of an event."""
        self._count(event)
        if isinstance(event, Output):
            return self._output(event)
        return self.lines(self.renderer.lines(event))

    def lines(self, lines: Iterable[Line]) -> str:
        """Return lines as text, on a line of their own."""
        text = paint(lines, escapes=self._escapes, colours=self._colours)
        if self._words is not None:
            text = plain(text, self._words)
        return self.end_of_line() + text if text else ""

    def end_of_line(self) -> str:
        """Return a line end if the last output had none."""
        missing = "" if self._at_line_start else "\n"
        self._at_line_start = True
        return missing

    def line_was_begun(self) -> None:
        """Note that the terminal itself has written within a line."""
        self._at_line_start = False

    def _output(self, event: Output) -> str:
        text = visible(event.text.replace("\r\n", "\n"), keep="\n\t")
        if not text:
            return ""
        self._at_line_start = text.endswith("\n")
        if event.stream == "stdout":
            return text
        painted = paint(
            [line(each, "stderr") for each in text.split("\n")], escapes=self._escapes, colours=self._colours
        )
        return painted.removesuffix("\n")

    def fail(self) -> None:
        """Count a failure that has no event."""
        self.failed += 1

    def _count(self, event: Event) -> None:
        match event:
            case CommandFinished(result=result):
                self.failed += result.returncode != 0 and not result.call.recorded
            case Checked(asked=True, passed=False) | Notice(severity="error"):
                self.failed += 1


class Repl:
    """One session at a prompt: what it shows is folded from the session's events, which a loop hands to `view.fold` in order."""

    def __init__(self, session: SessionProtocol, printer: Printer, messages: Messages) -> None:
        self.session = session
        self.view = LessonView(session.engine)
        self.printer = printer
        self.messages = messages

    def parse(self, text: str) -> Parsed | None:
        """Return the command that was typed, None for an empty line or a comment.

        Raises:
            TutorError: it is no command.
        """
        if text.lstrip().startswith("#"):
            return None
        lesson = self.view.lesson
        container = lesson.lab.container_id if lesson is not None else ""
        return parse(text, engine=self.view.engine, container_id=container)

    def parse_lines(self, text: str) -> list[str]:
        """Return the lines of a text that was typed or pasted; empty ones are left out.

        Raises:
            TutorError: one of them is no command, so none is to be run.
        """
        lines = [each for each in text.split("\n") if each.strip()]
        for each in lines:
            self.parse(each)
        return lines

    def prompt(self) -> Line:
        """Return the prompt: `first-container 4/8 [created] runt> `; in free play the bundle's name stands for the step."""
        view = self.view
        lesson = view.lesson
        where = ""
        if lesson is not None:
            free = lesson.is_free_play
            where = lesson.lab.bundle if free else f"{view.index + 1}/{len(lesson.steps)}"
        return (
            ("lesson", lesson.id if lesson is not None else ""),
            ("", f" {where} "),
            ("state", f"[{self.status()}]"),
            ("", " "),
            ("engine", view.engine),
            ("", "> "),
        )

    def status(self) -> str:
        """Return the container's state in a word."""
        state = self.view.state
        return state.status if state is not None else self.messages("repl.state.none")

    def toolbar(self, width: int) -> str:
        """Return the bottom line: lesson, step, state, engine, keys; where it is too narrow, the titles are cut."""
        view = self.view
        lesson = view.lesson.title if view.lesson is not None else ""
        step = view.step.title if view.step is not None else ""
        if view.lesson is not None and view.lesson.is_free_play:
            step = shown(view.lesson.folder)
        rest = [
            self.messages("repl.toolbar.state", state=self.status()),
            view.engine,
            self.messages("repl.toolbar.keys"),
        ]
        for titles in ([lesson, step], [step]):
            text = SEPARATOR.join([*titles, *rest])
            if cell_width(text) <= width:
                return text
        room = width - cell_width(SEPARATOR.join(["", *rest]))
        return truncate(SEPARATOR.join([truncate(step, room), *rest]), width)

    def answer(self, parsed: Parsed) -> list[Line]:
        """Return the lines of a command that only shows something: `read`, `ns`, `mounts`, `ps`, `cgroup`, `clause`, `glossary`, `help`.

        Raises:
            TutorError: there is no such clause, term or command.
        """
        view, width = self.view, self.printer.renderer.width
        match parsed.command.name:
            case "read" if view.step is not None:
                return self.printer.renderer.step(view.index, view.step, passed=view.step_passed)
            case "ns":
                return views.namespaces(view, self.messages, width)
            case "mounts":
                return views.mounts(view, self.messages, width)
            case "ps":
                return views.processes(view, self.messages, width)
            case "cgroup":
                return views.cgroup(view, self.messages, width)
            case "clause":
                from tutor.repl import reference  # it reads YAML, as nothing before it does

                return reference.clause(view, parsed.arguments, self.messages, width)
            case "glossary":
                from tutor.repl import reference

                return reference.glossary(view, " ".join(parsed.arguments), self.messages, width)
            case "help":
                return self.help(parsed.arguments[0] if parsed.arguments else None)
            case _:
                return []

    def help(self, name: str | None) -> list[Line]:
        """Return the help of one command, or of all of them."""
        if name is not None:
            parsed = self.parse_name(name)
            return self._help_of(parsed)
        width = self.printer.renderer.width
        names = max(len(usage(command)) for command in COMMANDS)
        lines: list[Line] = []
        for scope in _SCOPES:
            lines += [(), line(self.messages(f"repl.help.{scope}"), "heading")]
            rows = [
                (line("  " + usage(each).ljust(names), "command"), line(self._about(each)))
                for each in COMMANDS
                if each.scope == scope
            ]
            lines += table((), rows, width)
        return [*lines, (), *wrap_line(line(self.messages("repl.help.keys"), "faint"), width)]

    def parse_name(self, name: str) -> Command:
        """Return a command by its name.

        Raises:
            TutorError: there is none; it names similar ones.
        """
        if name not in BY_NAME:
            self.parse(name)  # raises, with the names of similar ones
        return BY_NAME[name]

    def _help_of(self, command: Command) -> list[Line]:
        lines: list[Line] = [line(usage(command), "command")]
        lines += wrap_line(line("  " + self._about(command)), self.printer.renderer.width)
        rows = [
            (line(f"  {argument.name.upper()}", "argument"), line(self.messages(key)))
            for argument in command.arguments
            if self.messages.has(key := f"session.argument.{argument.name}")
        ]
        rows += [
            (line(f"  {flag}", "flag"), line(self.messages(key)))
            for flag in command.flags
            if self.messages.has(key := f"session.flag.{flag.lstrip('-')}")
        ]
        return [*lines, *table((), rows, self.printer.renderer.width)]

    def _about(self, command: Command) -> str:
        return self.messages(f"session.command.{command.name}")

    def faults(self) -> tuple[list[Line], bool]:
        """Return the problems of the learner's file with lines and columns, and whether a runtime would refuse it."""
        name = edited_name(self.view.lesson)
        found = problems_of(self.view.config_text, name)
        if not found:
            return [], False
        head = line(self.messages("repl.edit.faults", count=len(found), file=name), "heading")
        rows = [
            (
                line(f"{SEVERITIES[each.severity]} {each.line}:{each.column}", STYLES[each.severity]),
                line(each.message(self.messages)),
            )
            for each in found
        ]
        refused = any(each.severity == "error" for each in found)
        return [head, *table((), rows, self.printer.renderer.width)], refused

    def solution(self, parsed: Parsed) -> list[Line]:
        """Return how `solve` is about to change the learner's file; nothing for another command, or if it changes nothing."""
        step, text = self.view.step, self.session.config_text
        solution = solution_of(step, text) if parsed.command.name == "solve" and step is not None else None
        changes = difference(text, solution) if solution is not None else ()
        if not changes:
            return []
        return [
            line(self.messages("repl.diff.solve", file=edited_name(self.view.lesson)), "heading"),
            *(line(f"{each.mark} {visible(each.text)}".rstrip(), DIFF_STYLES[each.mark]) for each in changes),
        ]

    def ended(self, status: int, seconds: float) -> list[Line]:
        """Return how a line of the shell ended, and count it if it failed."""
        if status == 0:
            return []
        self.printer.fail()
        key = "repl.call.signal" if status < 0 else "repl.call.failed"
        text = self.messages(key, status=abs(status), seconds=f"{seconds:.2f}")
        return [line(f"{FAILED} {text}", "bad")]

    def notice_of(self, error: TutorError) -> Notice:
        """Return the notice of a line that was refused."""
        return Notice.of("error", error, self.messages)
