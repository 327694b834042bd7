"""The panes of a screen: which of them is in front. The style sheet decides which are side by side."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tutor.course.model import Observe, Task
from tutor.text.glyphs import FINISHED, PASSED
from tutor.tui.widgets.below import how_to_scroll
from tutor.tui.widgets.guide import Guide
from tutor.tui.widgets.line_view import Panel
from tutor.tui.widgets.quiz import QuizBox
from tutor.tui.widgets.tab_line import TabLine
from tutor.tui.widgets.way_out import way_out
from tutor.view.edited_file import edited_name

if TYPE_CHECKING:
    from collections.abc import Callable

    from textual.screen import Screen
    from textual.widget import Widget

    from tutor.course.model import Lesson
    from tutor.messages import Messages
    from tutor.tui.widgets.editor import ConfigPane
    from tutor.view.lesson_view import LessonView

PANELS = ("guide", "config", "output", "namespaces", "mounts", "processes", "cgroup", "terminal")
WORK = ("config", "output", "terminal")
LOWER = ("output", "terminal")
"""The panes that share a place even in the widest layout."""
UNDER_CGROUP = {"-medium": ("namespaces", "mounts"), "-wide": ("mounts",)}
"""The panels whose place that of the cgroup takes, by the width of the screen."""
INSIDE = {"config": "#config-text", "terminal": "#terminal-view"}
"""Where the keys go in a pane that is not one widget."""


class Panes:
    """Brings panes forward, and writes the tabs with their names."""

    def __init__(
        self,
        screen: Screen[None],
        view: LessonView,
        config: ConfigPane,
        messages: Messages,
        following: Callable[[], Lesson | None],
    ) -> None:
        """`following` returns the lesson to go on to, None as long as this one has not ended."""
        self._screen = screen
        self._view = view
        self._config = config
        self._messages = messages
        self._following = following
        self._panel = "guide"
        self._work = "config"
        self._lower = "output"
        self.tabs = TabLine(self._tab_text, PANELS, "tabs", self._tail, has=self._has)
        self.work_tabs = TabLine(self._tab_text, WORK, "work-tabs")

    @property
    def panel(self) -> str:
        """The pane in front."""
        return self._panel

    @property
    def panel_of_focus(self) -> str:
        """The pane that has the focus; empty where none has it."""
        return pane_of(self._screen.focused) if self._screen.focused is not None else ""

    @property
    def one_at_a_time(self) -> bool:
        """Tell whether the terminal is so narrow that only one pane fits."""
        return self._screen.has_class("-narrow")

    def bring(self, panel: str) -> None:
        """Bring a pane forward and give it the focus."""
        self.show(panel)
        self._screen.set_focus(
            self._target(panel), scroll_visible=False
        )  # at once: the next key is for this pane

    def show(self, panel: str) -> None:
        """Bring a pane forward; a focus that would be hidden goes to it."""
        if panel != self._panel:
            self._panel = panel
            for each in PANELS:
                self._screen.set_class(each == panel, f"-at-{each}")
            self.tabs.highlight(panel)
            # Not before the pane has its place: what it knows of its size is from when it was in front before.
            self._screen.call_after_refresh(self.say_below)
            self._screen.refresh_bindings()
        self._bring_to_its_place(panel)
        self._keep_focus_in_sight(panel)

    def _bring_to_its_place(self, panel: str) -> None:
        """Show a pane where it shares a place with others."""
        if panel in WORK:
            self._set_work(panel)
        if panel == "cgroup" or panel in self._under_cgroup:
            self._screen.set_class(panel == "cgroup", "-cgroup")

    @property
    def _under_cgroup(self) -> tuple[str, ...]:
        return next((each for width, each in UNDER_CGROUP.items() if self._screen.has_class(width)), ())

    def _has(self, panel: str) -> bool:
        """Tell whether a panel has a tab: that of the cgroup only where a step is about it, and in free play."""
        lesson = self._view.lesson
        if panel != "cgroup" or lesson is None:
            return panel != "cgroup"
        wanted = {each.activity.panel for each in lesson.steps if isinstance(each.activity, Observe | Task)}
        return panel in wanted or lesson.is_free_play

    def set_work(self, panel: str) -> None:
        """Show config.json or the output where the two share a place; a focus that would be hidden goes to it."""
        self._set_work(panel)
        self._keep_focus_in_sight(panel)

    def _set_work(self, panel: str) -> None:
        self._work = panel
        for each in WORK:
            self._screen.set_class(each == panel, f"-work-{each}")
        if panel in LOWER:
            self._lower = panel
            for each in LOWER:
                self._screen.set_class(each == panel, f"-lower-{each}")
        self.work_tabs.highlight(panel)

    def reveal(self, widget: Widget) -> None:
        """Bring the pane of a widget forward, where it is hidden."""
        panel = pane_of(widget)
        if panel and not self.in_sight(panel):
            self.show(panel)

    def in_sight(self, panel: str) -> bool:
        """Tell whether a pane is shown, as the style sheet has it in this width."""
        if self._screen.has_class("-zoomed"):
            return panel == "terminal"
        if self._screen.has_class("-narrow"):
            return panel == self._panel
        if panel == "cgroup" or panel in self._under_cgroup:
            return self._screen.has_class("-cgroup") == (panel == "cgroup")
        if self._screen.has_class("-wide"):
            return panel not in LOWER or panel == self._lower
        return panel not in WORK or panel == self._work

    def _keep_focus_in_sight(self, panel: str) -> None:
        focused = self._screen.focused
        if focused is not None and (own := pane_of(focused)) and not self.in_sight(own):
            self._screen.set_focus(
                self._target(panel if self.in_sight(panel) else self._panel), scroll_visible=False
            )

    def _target(self, panel: str) -> Widget:
        if panel in INSIDE:
            return self._screen.query_one(INSIDE[panel])
        if panel == "guide" and self._screen.query(QuizBox):
            return self._screen.query_one(QuizBox)
        return self._screen.query_one(f"#{panel}")

    def want(self, panel: str) -> None:
        """Mark the pane that a step is about; an empty name marks none."""
        for each in PANELS:
            self._screen.query_one(f"#{each}").set_class(each == panel, "-wanted")
        if panel in WORK:
            self.set_work(panel)
        else:
            self._bring_to_its_place(panel)

    def say_below(self) -> None:
        """Say above the last command how to scroll, where panes have no frame for it: one at a time."""
        pane = self._screen.query_one(f"#{self._panel}")
        said = how_to_scroll(pane, self._messages) if isinstance(pane, Guide | Panel) else ""
        self._screen.query_one("#status").border_title = said

    def redraw_tabs(self) -> None:
        """Draw the names again, with their present marks."""
        self.tabs.redraw()
        self.work_tabs.redraw()

    def _tab_text(self, panel: str) -> str:
        """Return the name of a pane with its key, and `*` if it has unsaved edits."""
        m = self._messages
        name = edited_name(self._view.lesson) if panel == "config" else m(f"tui.panel.{panel}")
        mark = "*" if panel == "config" and self._config.unsaved else ""
        return f"{m(f'tui.key.{panel}.key')} {name}{mark}"

    def _tail(self) -> tuple[str, ...]:
        """Return the text after the names, and a shorter one: that the step is passed, or that there is a hint."""
        m = self._messages
        first = f"{way_out(self._screen.focused)} ".lstrip()
        if self._view.finished is not None:
            following = self._following()
            short = f"{FINISHED} {first}{'n' if following else '0'}"
            return f"{short} {following.title if following else m('tui.key.home.short')}", short
        if self._view.step_passed:
            short = f"{PASSED} {first}n"
            return f"{short} {m('tui.key.next.short')}", short
        if any(hint.for_mistake for hint in self._view.hints) and self._panel != "guide":
            short = f"! {first}{m('tui.key.guide.key')}"
            return f"{short} {m('tui.key.hint.short')}", short
        return ()


def pane_of(widget: Widget) -> str:
    """Return the name of the pane that a widget is in; empty outside of all panes."""
    return next((node.id for node in widget.ancestors_with_self if node.id in PANELS), None) or ""
