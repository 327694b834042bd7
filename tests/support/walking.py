"""A learner at a real terminal: does what a lesson asks for, by the keys of the TUI or the commands of the REPL."""

from __future__ import annotations

import os
import signal
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from tests.support.lab import Traces, until_nothing
from tests.support.terminal import Terminal
from tutor.course.course import Course
from tutor.course.model import (
    EditConfig,
    Fail,
    Observe,
    Operate,
    Quiz,
    Read,
    Run,
    RunOperation,
    Shell,
    Task,
    Wait,
    Write,
)
from tutor.course.progress import LessonProgress, Progress
from tutor.home import Home
from tutor.messages import Messages
from tutor.session.placeholders import for_execution, placeholders_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tutor.course.model import Action, Step
    from tutor.engines.model import EngineName
    from tutor.messages import Language

FUNCTION_KEYS = {"create": "F5", "start": "F6", "kill": "F7", "delete": "F8", "state": "F2", "list": "F3"}
PANEL_KEYS = {"config": "2", "output": "3", "namespaces": "4", "mounts": "5", "processes": "6"}
PANEL_WORDS = {"namespaces": "ns", "mounts": "mounts", "processes": "ps"}


class Walk:
    """A learner in one lesson. `words` is the command line of the program; `again` starts it again."""

    def __init__(
        self, home: Path, lesson_id: str, words: list[str], size: tuple[int, int], engine: EngineName,
        language: Language,
    ) -> None:  # fmt: skip
        place = Home(home / "labs", home / "state", home / "cache")
        self.home = home
        lesson = Course.load(language).lesson(lesson_id)
        self.lesson = for_execution(lesson, placeholders_of(lesson, engine, place))
        self.m = Messages(language)
        self._traces: Traces | None = None  # of the present lab
        self._argv = [str(Path(sys.executable).with_name("oci-tutor")), *words, "--engine", engine]
        self._size = size
        self._environ = {
            "OCI_TUTOR_HOME": str(home),
            "OCI_TUTOR_IMAGE": "mini",  # no network, whatever the machine has
            "LANG": "ja_JP.UTF-8" if language == "ja" else "en_US.UTF-8",
            "LC_ALL": "",
            "TERM": "xterm-256color",
        }
        self._answer = home / "answer"

    @contextmanager
    def at_the_terminal(self) -> Iterator[None]:
        """Start the program."""
        columns, rows = self._size
        with Terminal(
            self._argv, columns=columns, rows=rows, environ=self._environ, cwd=self.home
        ) as terminal:
            self.terminal = terminal
            self.begin()
            yield

    @property
    def config(self) -> Path:
        return self.home / "labs" / self.lesson.id / self.lesson.lab.bundle / "config.json"

    def progress(self) -> LessonProgress:
        return Progress(self.home / "state").of(self.lesson.id)

    def walk(self, first: int = 1, last: int | None = None) -> None:
        """Do the steps from `first` to `last`, counted from 1, each as its text asks, and go on from each."""
        for number, step in list(enumerate(self.lesson.steps, 1))[first - 1 : last]:
            self.stand_at(number)
            self._note_traces()
            self.do(step)
            self._go_on(step)

    def _note_traces(self) -> Traces:
        if self._traces is None:
            self._traces = Traces(self.home / "state", self.home)
        self._traces.note_members()
        return self._traces

    def _go_on(self, step: Step) -> None:
        by_itself = not isinstance(step.activity, Read | Observe | Shell) or (
            isinstance(step.activity, Shell) and bool(step.checks)
        )
        if not by_itself and step.summary:
            self.next()  # the summary first
        if by_itself or step.summary:
            self.wait_passed(step)
        self.next()

    def wait_passed(self, step: Step) -> None:
        self.terminal.wait(lambda _: step.id in self.progress().passed, f"{step.id} passed")

    def do(self, step: Step) -> None:
        match step.activity:
            case Observe(panel=panel):
                self.look_at(panel)
            case Quiz() as quiz:
                self._answer_quiz(step, quiz)
            case EditConfig(solution=solution):
                self.config.write_text(solution)  # an editor in a second terminal
                self.saved_outside()
            case RunOperation(operation=operation, arguments=arguments):
                self.operate(Operate(operation, arguments))
            case Shell(suggested=suggested):
                self.in_the_shell([suggested[0]])
            case Task(solution=actions):
                self._do_all(list(actions))
            case _:
                pass

    def _do_all(self, actions: list[Action]) -> None:
        while actions:
            match actions.pop(0):
                case Write(file=file, content=content):
                    (self.config.parent / file).write_text(content)
                case Operate() as action:
                    self.operate(action)
                case Fail(action=Operate() as action):
                    self.operate(action)
                case Run(line=line) | Fail(action=Run(line=line)):
                    lines = [line]
                    while actions and isinstance(actions[0], Run):
                        lines.append(actions.pop(0).line)  # type: ignore[union-attr]  # a Run, as was just seen
                    self.in_the_shell(lines)
                case Wait(until=until):
                    assert until.kind == "state", "the walker waits for nothing else yet"
                    wanted = until.arguments["is"][0]
                    self.terminal.wait(lambda screen, word=wanted: f"● {word}" in screen, wanted)  # type: ignore[misc]  # mypy knows no defaults of lambdas
                case action:
                    raise AssertionError(action)

    def _answer_quiz(self, step: Step, quiz: Quiz) -> None:
        if quiz.command:
            self.in_the_shell([f"{{ {quiz.command}; }} > {self._answer}"])
            self.answer(step, self._answer.read_text().strip())
            return
        # If the right answer depends on the kernel's state, try one choice after the other.
        tries = [choice.id for choice in quiz.choices] if quiz.when else [quiz.answer]
        for choice in tries:
            self.answer(step, choice)
            self.terminal.wait(
                lambda screen: step.id in self.progress().passed or self.m("tui.guide.incorrect") in screen,
                "an answer to the answer",
            )
            if step.id in self.progress().passed:
                return

    def again(self, number: int, *, kill: bool) -> None:
        """End the program at a step, by its own command or by SIGKILL, and start it again: it resumes there, nothing is lost."""
        self.stand_at(number)
        passed = self.progress().passed
        traces = self._note_traces()
        if kill:
            shell = self.terminal.pid
            (program,) = Path(f"/proc/{shell}/task/{shell}/children").read_text().split()
            os.kill(int(program), signal.SIGKILL)
            self.terminal.wait_for("exit status 137")
        else:
            self.leave()
        until_nothing(traces.left)
        self._traces = None
        self.terminal.close()
        columns, rows = self._size
        self.terminal = Terminal(self._argv, columns=columns, rows=rows, environ=self._environ, cwd=self.home)
        self.begin()
        self.stand_at(number)
        assert self.progress().passed == passed

    def finish(self) -> None:
        """Check that the lesson is done, leave, and check that nothing is left."""
        self.terminal.wait(lambda _: self.progress().finished, "the lesson recorded as finished")
        self.terminal.wait_for(self.congratulation()[:12])
        traces = self._note_traces()
        self.leave()
        assert self.progress().solved == ()
        until_nothing(traces.left)
        self.terminal.close()

    # The TUI and the REPL implement these.

    def begin(self) -> None:
        raise NotImplementedError

    def stand_at(self, number: int) -> None:
        raise NotImplementedError

    def next(self) -> None:
        raise NotImplementedError

    def look_at(self, panel: str) -> None:
        raise NotImplementedError

    def operate(self, action: Operate) -> None:
        raise NotImplementedError

    def answer(self, step: Step, answer: str) -> None:
        raise NotImplementedError

    def in_the_shell(self, lines: list[str]) -> None:
        raise NotImplementedError

    def saved_outside(self) -> None:
        raise NotImplementedError

    def congratulation(self) -> str:
        raise NotImplementedError

    def leave(self) -> None:
        raise NotImplementedError


class TuiWalk(Walk):
    """A learner who uses the keys of the TUI."""

    def begin(self) -> None:
        self.terminal.wait_for("oci-tutor")
        self.terminal.wait_for(self.m("tui.key.next.short"))

    def stand_at(self, number: int) -> None:
        self.terminal.wait_for(f" {number}/{len(self.lesson.steps)} ")

    def press(self, *keys: str) -> None:
        """Press keys once the bottom line offers those of the lesson, which it does not while a command runs."""
        self.terminal.wait_for("h " + self.m("tui.key.hint.short"))
        self.terminal.keys(*keys)

    def next(self) -> None:
        self.press("End", "n")  # n asks first where there is text below

    def look_at(self, panel: str) -> None:
        self.press(PANEL_KEYS[panel])
        if panel == "config":
            self.terminal.wait_for("^s")
            self.leave_editor()
        elif panel == "processes":
            self.terminal.wait_for("exec.fifo")
        self.press("1")

    def leave_editor(self) -> None:
        """Press Escape, and wait until it has been read: together with the next key it would be Alt and that key."""
        self.terminal.keys("Escape")
        self.terminal.wait(lambda screen: "^s" not in screen, "the editor left")

    def operate(self, action: Operate) -> None:
        if action.operation in FUNCTION_KEYS and not action.arguments:
            self.press(FUNCTION_KEYS[action.operation])
        else:
            self.press(":")
            self.terminal.wait_for(self.m("tui.command.placeholder")[-10:])
            self.terminal.type(" ".join((action.operation, *action.arguments)))
            self.terminal.keys("Enter")

    def answer(self, step: Step, answer: str) -> None:
        assert isinstance(step.activity, Quiz)
        choices = [choice.id for choice in step.activity.choices]
        if choices:
            self.press("1")
            self.press(*["Up"] * len(choices), *["Down"] * choices.index(answer), "Enter")
            return
        self.press("a")
        self.terminal.wait(
            lambda screen: "h " + self.m("tui.key.hint.short") not in screen, "a line to type in"
        )
        self.terminal.type(answer)
        self.terminal.keys("Enter")

    def in_the_shell(self, lines: list[str]) -> None:
        self.press("!")
        self.terminal.wait_for(self.m("tui.shell.banner")[:20])
        for line in [*lines, "exit"]:
            self.terminal.type(line.rstrip("\n") + "\n")
        self.terminal.wait_for("F5 ")

    def saved_outside(self) -> None:
        """Do nothing: it is visible already."""

    def congratulation(self) -> str:
        return self.m("tui.guide.finished")

    def leave(self) -> None:
        self.press("q")
        self.terminal.wait_for("exit status 0")

    def change_a_word_by_hand(self, old: str, new: str) -> None:
        """Change a word at the end of a line in the editor: to its line, to the end of it, and type."""
        lines = self.config.read_text().splitlines()
        number = next(index for index, line in enumerate(lines) if line.endswith(f'"{old}"'))
        self.press("2")
        self.terminal.wait_for("^s")
        before = self.terminal.wait_for(f'"{old}"').count(f'"{old}"')  # the guide may have the word too
        self.terminal.keys("C-Home", *["Down"] * number, "End", "BSpace")
        # Textual runs a key's binding later than it inserts a letter: wait for the effect of BSpace before typing on.
        self.terminal.wait(lambda screen: screen.count(f'"{old}"') == before - 1, "the quote erased")
        self.terminal.type(new.removeprefix(old) + '"')
        self.terminal.wait_for(f'"{new}"')
        self.terminal.keys("C-s")
        self.leave_editor()


class ReplWalk(Walk):
    """A learner who types the commands of the REPL."""

    def begin(self) -> None:
        self.terminal.wait_for(f"{self.lesson.id} ")

    def _prompt(self, number: int) -> str:
        return f"{self.lesson.id} {number}/{len(self.lesson.steps)} ["

    def stand_at(self, number: int) -> None:
        self.number = number
        self.terminal.wait(lambda screen: self._prompted(screen), self._prompt(number))

    def _prompted(self, screen: str) -> bool:
        lines = [line for line in screen.splitlines() if line.strip()]
        return any(
            each.startswith(self._prompt(self.number)) and each.rstrip().endswith(">") for each in lines[-3:]
        )

    def type(self, line: str) -> None:
        self.terminal.wait(self._prompted, "the prompt")
        self.terminal.type(line + "\n")

    def next(self) -> None:
        self.type("next")

    def look_at(self, panel: str) -> None:
        self.type(PANEL_WORDS.get(panel, "read"))
        if panel == "processes":
            self.terminal.wait_for("exec.fifo")

    def operate(self, action: Operate) -> None:
        ended = self.m("repl.call.done", seconds="").split("0")[0]
        before = self.terminal.history().count(ended)
        self.type(" ".join((action.operation, *action.arguments)))
        self.terminal.wait(lambda _: self.terminal.history().count(ended) > before, "the end of the command")

    def answer(self, step: Step, answer: str) -> None:  # noqa: ARG002  (the TUI wants to know)
        self.type(f"answer {answer}")

    def in_the_shell(self, lines: list[str]) -> None:
        self.type("shell")
        self.terminal.wait(lambda screen: screen.rstrip().endswith("$"), "a shell's prompt")
        for line in [*lines, "exit"]:
            self.terminal.type(line.rstrip("\n") + "\n")
        self.terminal.wait(self._prompted, "the shell left")

    def saved_outside(self) -> None:
        self.type("check")

    def congratulation(self) -> str:
        return self.m("repl.lesson.finished", title=self.lesson.title)

    def leave(self) -> None:
        self.type("quit")
        self.terminal.wait_for("exit status 0")
