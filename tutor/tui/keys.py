"""The keys, in one place: bindings, the line at the bottom and the help screen are made from these tables.

A key's texts are the catalogue's: `tui.key.<id>.short` for the line at the bottom, `tui.key.<id>.long` for the help. The id
is also the binding's (`<screen>.<id>`), by which a user may give it another key (Textual's keymap).
"""

from __future__ import annotations

from typing import Literal

from textual.binding import Binding

from tutor.lazy_dataclass import dataclass

Group = Literal["runtime", "lesson", "panels", "terminal", "app", "editor", "home"]


@dataclass(frozen=True, slots=True)
class Key:
    """One key: `keys` as Textual names them, the action, where the help lists it, and whether the bottom line shows it.

    `always`: it also works while the focus is in a text (function keys, control keys); other keys are letters of the text there.
    """

    id: str
    keys: str
    action: str
    group: Group
    show: bool = False
    always: bool = False
    display: str | None = None

    def binding(self, screen: str) -> Binding:
        """Return the binding for a screen."""
        return Binding(
            self.keys,
            self.action,
            description=self.id,
            show=self.show,
            priority=self.always,
            key_display=self.display,
            id=f"{screen}.{self.id}",
        )


LESSON_KEYS: tuple[Key, ...] = (
    Key("create", "f5", "operate('create')", "runtime", show=True, always=True, display="F5"),
    Key("start", "f6", "operate('start')", "runtime", show=True, always=True, display="F6"),
    Key("kill", "f7", "operate('kill')", "runtime", show=True, always=True, display="F7"),
    Key("delete", "f8", "operate('delete')", "runtime", show=True, always=True, display="F8"),
    Key("state", "f2", "operate('state')", "runtime", show=True, always=True, display="F2"),
    Key("list", "f3", "operate('list')", "runtime", show=True, always=True, display="F3"),
    Key("interrupt", "ctrl+c", "interrupt", "runtime", show=True, always=True),
    Key("copy", "ctrl+c", "copy_text", "app", always=True),
    Key("shell", "exclamation_mark", "shell", "runtime", display="!"),
    Key("terminal", "f9", "terminal", "terminal", show=True, always=True, display="F9"),
    Key("zoom", "f4", "zoom", "terminal", always=True, display="F4"),
    Key("to_shell", "7", "to_shell", "terminal"),
    Key("to_console", "8", "to_console", "terminal", show=True),
    Key("run_line", "r", "run_line", "terminal"),
    Key("next", "n", "lesson('next')", "lesson", show=True),
    Key("back", "b", "lesson('back')", "lesson"),
    Key("hint", "h", "lesson('hint')", "lesson", show=True),
    Key("check", "c", "lesson('check')", "lesson", show=True),
    Key("reset", "R", "dispatch('reset')", "lesson"),
    Key("solve", "S", "dispatch('solve')", "lesson"),
    Key("evidence", "enter", "evidence", "lesson", display="Enter"),
    Key("answer", "a", "answer", "lesson", show=True),
    Key("snippet", "i", "snippet", "lesson"),
    Key("clause", "m", "look_up('clause')", "lesson"),
    Key("glossary", "g", "look_up('glossary')", "lesson"),
    Key("guide", "1", "panel('guide')", "panels"),
    Key("config", "2,e", "panel('config')", "panels"),
    Key("output", "3", "panel('output')", "panels"),
    Key("namespaces", "4", "panel('namespaces')", "panels"),
    Key("mounts", "5", "panel('mounts')", "panels"),
    Key("processes", "6", "panel('processes')", "panels"),
    Key("cgroup", "9", "panel('cgroup')", "panels"),
    Key("search", "slash,ctrl+f", "search", "panels", display="/"),
    Key("save", "ctrl+s", "save", "editor", show=True, always=True),
    Key("leave", "escape", "leave", "editor", show=True, always=True, display="Esc"),
    Key("complete", "ctrl+@,ctrl+space", "editor('complete')", "editor", always=True, display="^Space"),
    Key("describe", "f1", "editor('describe')", "editor", show=True, always=True, display="F1"),
    Key("problem", "ctrl+n", "editor('problem')", "editor", always=True),
    Key("find", "ctrl+f", "editor('find')", "editor", always=True),
    Key("format", "ctrl+o", "editor('format')", "editor", always=True),
    Key("diff", "ctrl+r", "editor('diff')", "editor", always=True),
    Key("undo", "ctrl+z", "editor('undo')", "editor", always=True),
    Key("redo", "ctrl+y", "editor('redo')", "editor", always=True),
    Key("to_guide", "escape", "to_guide", "panels", display="Esc"),
    Key("command", "colon", "command", "app", show=True, display=":"),
    Key("palette", "ctrl+p", "palette", "app", always=True),
    Key("help", "question_mark", "help", "app", show=True, display="?"),
    Key("help_anywhere", "f1", "help_anywhere", "app", always=True, display="F1"),
    Key("home", "0", "home", "app", show=True),
    Key("uncover", "0,q", "uncover", "app", show=True, display="0"),
    Key("theme", "ctrl+t", "theme", "app", always=True),
    Key("quit", "q", "quit_gently", "app", show=True),
    Key("quit_anywhere", "ctrl+q", "quit_anywhere", "app", always=True),
)

HOME_KEYS: tuple[Key, ...] = (
    Key("open", "enter", "open", "home", show=True, always=True, display="Enter"),
    Key("play", "p", "play", "home", show=True),
    Key("engine", "e", "engine", "home", show=True),
    Key("glossary", "g", "glossary", "home"),
    Key("about", "pagedown", "about(1)", "home", always=True, display="PgDn"),
    Key("about_up", "pageup", "about(-1)", "home", always=True, display="PgUp"),
    Key("theme", "ctrl+t", "theme", "app", show=True, always=True),
    Key("help", "question_mark,f1", "help", "app", show=True, display="?"),
    Key("quit", "q", "quit_gently", "app", show=True),
    Key("quit_anywhere", "ctrl+q", "quit_gently", "app", always=True),
)

GROUPS: tuple[Group, ...] = ("home", "lesson", "runtime", "panels", "terminal", "editor", "app")


IN_TERMINAL = ("operate", "terminal", "zoom", "help_anywhere", "copy_text")
"""The actions whose keys work while the focus is in a terminal: function keys, and Ctrl-C for text that is selected (`TerminalView`).
Every other key is for the program in it."""


def bindings(screen: str, keys: tuple[Key, ...]) -> list[Binding | tuple[str, str] | tuple[str, str, str]]:
    """Return the bindings of a screen, for its `BINDINGS`."""
    return [key.binding(screen) for key in keys]
