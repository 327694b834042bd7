"""The first screen: the lessons, the progress in each, and the runtime that will run the containers."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from textual import on
from textual.containers import Container, Vertical, VerticalScroll
from textual.content import Content
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

from tutor.course.progress import LessonProgress, Progress
from tutor.engines.model import ENGINE_NAMES
from tutor.errors import TutorError
from tutor.lab.user_namespace import is_ordinary_user
from tutor.text import cell_width, fit, pad
from tutor.text.glyphs import BAR_DONE, BAR_TO_DO, BEGUN, NEXT, NOT_BEGUN, PASSED, STEP_TO_DO
from tutor.tui.inline_markdown import inline
from tutor.tui.keys import HOME_KEYS, bindings
from tutor.tui.screens.base import TutorScreen
from tutor.tui.screens.dialogs import AskText, Pick
from tutor.tui.widgets.below import MoreBelow, has_more_below
from tutor.tui.widgets.key_bar import KeyBar
from tutor.tui.widgets.notice_bar import NoticeBar
from tutor.view.course_view import recommended, recommended_in, title_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from textual.app import ComposeResult

    from tutor.course.course import Course
    from tutor.course.model import Lesson
    from tutor.engines.model import EngineName
    from tutor.home import Home
    from tutor.messages import Messages
    from tutor.tui.navigation import Navigation
    from tutor.tui.palette import PaletteCommand

BAR_WIDTHS = (5, 10)  # cells: in a narrow terminal, and in one of `_ROOMY` columns or more
_ROOMY = 100  # columns
_AROUND = 10  # cells: margins, frame and scroll bar of the list
_GAP = 2  # cells after the title
_BEFORE_TITLE = 6  # glyph and number


class Lessons(OptionList):
    """The list of lessons, which says when it is scrolled: the title of another course may be out of sight."""

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        """Say so while it is scrolled."""
        super().watch_scroll_y(old_value, new_value)
        self.post_message(MoreBelow())


class About(VerticalScroll):
    """The text about a lesson, which says when there is more of it below."""

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        """Say so while it is scrolled."""
        super().watch_scroll_y(old_value, new_value)
        self.post_message(MoreBelow())

    def watch_virtual_size(self) -> None:
        """Say so when there is another text."""
        self.call_after_refresh(self.post_message, MoreBelow())


class HomeScreen(TutorScreen):
    """The list of lessons."""

    CSS_PATH: ClassVar = ["base.tcss", "home.tcss"]
    KEYS = HOME_KEYS
    BINDINGS: ClassVar = bindings("home", HOME_KEYS)
    AUTO_FOCUS: ClassVar[str | None] = "#lessons"

    def __init__(
        self, course: Course, home: Home, engine: EngineName, messages: Messages, navigation: Navigation
    ) -> None:
        super().__init__(messages, navigation)
        self._course = course
        self._kept = Progress(home.records)
        self._progress: dict[str, LessonProgress] = {}
        self._next: frozenset[str] = frozenset()
        self._titles: list[tuple[int, str]] = []  # of the courses: the number of the option, and the text
        self.engine: EngineName = engine

    def parts(self) -> ComposeResult:
        """Lay out the title, the list, and the summary of the highlighted lesson."""
        m = self.messages
        with Vertical(id="home"):
            yield Static(self._title(), id="title")
            with Container(id="columns"):
                yield Lessons(id="lessons")
                with About(id="about", can_focus=False):
                    yield Static(id="about-text")
            yield Static(id="machine")
        yield NoticeBar()
        yield KeyBar(m, HOME_KEYS)

    def _title(self) -> Content:
        m = self.messages
        return Content.assemble(("oci-tutor", "bold $text-primary"), f"  {m('tui.home.subtitle')}")

    def on_mount(self) -> None:
        """Fill the list."""
        self._progress = self._kept.all()
        self.redraw()

    def on_resize(self) -> None:
        """Draw the titles again for the new width."""
        self.redraw()

    def on_screen_resume(self) -> None:
        """Read and show the progress that was made in a lesson."""
        self._progress = self._kept.all()
        self.redraw()

    def redraw(self) -> None:
        """Draw the list again, with the same lesson highlighted."""
        lessons = self.query_one("#lessons", OptionList)
        highlighted = lessons.highlighted
        lessons.clear_options()
        self._titles.clear()
        self._next = self._lessons_to_go_on_with()
        every = self._course.every_lesson
        rows = {lesson.id: self._standing(lesson, self._progress_of(lesson)) for lesson in every}
        times = {lesson.id: self.messages("tui.home.minutes", minutes=lesson.minutes) for lesson in every}
        time_width = max(map(cell_width, times.values()))
        after = _GAP + time_width + max(rest.cell_length for _, rest in rows.values())
        room = self._list_width - _AROUND - _BEFORE_TITLE - after
        title_width = max(2, min(room, max(cell_width(lesson.title) for lesson in every)))
        for course in self._course.every:
            if len(self._course.every) > 1:
                title = title_of(course, self.messages)
                self._titles.append((lessons.option_count, title))
                lessons.add_option(Option(Content.styled(title, "bold $text-primary"), disabled=True))
            for lesson in course.lessons:
                glyph, rest = rows[lesson.id]
                name = (fit(lesson.title, title_width) + " " * _GAP, "bold")
                time = pad(times[lesson.id], time_width, "right")
                line = Content.assemble(glyph, f"{lesson.order:>2}  ", name, time, rest)
                lessons.add_option(Option(line, id=lesson.id))
        if highlighted is None:
            highlighted = lessons.get_option_index(recommended(self._course, self._progress).id)
        lessons.highlighted = highlighted
        self.call_after_refresh(self.post_message, MoreBelow())
        self._show_machine()

    def _lessons_to_go_on_with(self) -> frozenset[str]:
        """Return the ids of the lessons that are marked as next: of the first course, and of each other that the learner has begun."""
        marked = {recommended(self._course, self._progress).id}
        for course in self._course.every:
            following = recommended_in(course, self._progress)
            if following is not None and any(lesson.id in self._progress for lesson in course.lessons):
                marked.add(following.id)
        return frozenset(marked)

    @on(MoreBelow)
    def _say_what_is_below(self, event: MoreBelow) -> None:
        event.stop()
        lessons = self.query_one("#lessons", OptionList)
        end = lessons.scroll_offset.y + lessons.scrollable_content_region.height  # an option is one line
        hidden = [title for line, title in self._titles if line >= end]
        said = [self.messages("tui.home.course_below", title=hidden[0])] if hidden else []
        said += [self.messages("tui.home.below")] if has_more_below(self.query_one(About)) else []
        lessons.border_subtitle = "  ·  ".join(said)

    def action_about(self, by: int) -> None:
        """Scroll the text about the lesson by a page."""
        about = self.query_one(About)
        about.scroll_relative(y=by * max(1, about.size.height - 1), animate=False)

    @property
    def _list_width(self) -> int:
        """The columns of the list: all, or half of them where the text is beside it."""
        return self.size.width // 2 if self.has_class("-wide") else self.size.width

    def _progress_of(self, lesson: Lesson) -> LessonProgress:
        return self._progress.get(lesson.id, LessonProgress())

    def _standing(self, lesson: Lesson, progress: LessonProgress) -> tuple[Content, Content]:
        """Return the two parts of a line that show the progress in a lesson: before its number, and at the end."""
        m = self.messages
        done, count = len(progress.passed), len(lesson.steps)
        if progress.finished and progress.read:
            glyph, word, style = PASSED, m("tui.home.read"), "$text-warning"
        elif progress.finished:
            glyph, word, style = PASSED, m("tui.home.finished"), "$text-success"
        elif progress.step_id is not None:
            glyph, word, style = BEGUN, m("tui.home.resume", done=done, count=count), "$text-warning"
        elif lesson.id in self._next:
            word = m("tui.home.recommended" if any(self._progress.values()) else "tui.home.first")
            glyph, style = NEXT, "bold $text-accent"
        else:
            glyph, word, style = NOT_BEGUN, m("tui.home.new"), "$text-muted"
        width = BAR_WIDTHS[self._list_width >= _ROOMY]
        filled = width * done // max(1, count)
        return Content.styled(f"{glyph} ", style), Content.assemble(
            ("  " + BAR_DONE * filled, "$text-success"),
            (BAR_TO_DO * (width - filled) + "  ", ""),
            (word, style),
        )

    def _show_machine(self) -> None:
        m = self.messages
        user = m("tui.machine.rootless" if is_ordinary_user() else "tui.machine.root")
        every = self._course.every_lesson
        done = sum(self._progress_of(lesson).finished for lesson in every)
        self.query_one("#machine", Static).update(
            Content.assemble(
                (m("tui.home.done", done=done, count=len(every)), "$text-success"),
                (f"  ·  {m('tui.home.engine')} ", "$text-muted"),
                (self.engine, "bold $text-accent"),
                (f"  ·  {user}", "$text-muted"),
            )
        )

    def _about(self, lesson: Lesson) -> Content:
        progress = self._progress_of(lesson)
        stopped = progress.step_id if not progress.finished else None
        steps: list[Content] = []
        lines = [inline(lesson.summary)]
        for number, step in enumerate(lesson.steps, 1):
            if step.id == stopped:
                mark = (f"{NEXT} ", "bold $text-accent")
                said = self.messages("tui.home.stopped_at", number=number, step=step.title)
                lines += [Content(""), Content.assemble(mark, (said, "bold"))]
            else:
                mark = (
                    (f"{PASSED} ", "$text-success")
                    if step.id in progress.passed
                    else (f"{STEP_TO_DO} ", "$text-muted")
                )
            steps.append(Content.assemble(mark, f"{number:>2}  {step.title}"))
        title = Content.styled(self.messages("tui.home.steps"), "bold $text-primary")
        return Content("\n").join([*lines, Content(""), title, *steps])

    @on(OptionList.OptionHighlighted)
    def _highlighted(self, event: OptionList.OptionHighlighted) -> None:
        event.stop()
        if event.option_id is not None:
            lesson = self._course.lesson(event.option_id)
            self.query_one("#about-text", Static).update(self._about(lesson))

    @on(OptionList.OptionSelected)
    def _selected(self, event: OptionList.OptionSelected) -> None:
        event.stop()
        if event.option_id is not None:
            self.navigation.open_lesson(event.option_id, self.engine)

    def action_open(self) -> None:
        """Open the highlighted lesson."""
        self.query_one("#lessons", OptionList).action_select()

    def action_play(self) -> None:
        """Ask for a bundle, and open it for free play."""
        m = self.messages
        texts = (m(f"tui.play.{part}") for part in ("title", "body", "placeholder"))

        def entered(place: str | None) -> None:
            if place is not None:
                self.navigation.play(Path(place.strip()) if place.strip() else None, self.engine)

        self.app.push_screen(AskText(*texts), entered)

    def action_glossary(self) -> None:
        """Open the glossary."""
        from tutor.tui.screens.look_up import open_glossary

        try:
            open_glossary(self, self._course.folder, None)
        except TutorError as error:
            self.query_one(NoticeBar).say(self.navigation.notice_of(error))

    def action_engine(self) -> None:
        """Choose the runtime."""
        m = self.messages

        def picked(engine: str | None) -> None:
            self.engine = next((name for name in ENGINE_NAMES if name == engine), self.engine)
            self._show_machine()

        self.app.push_screen(Pick(m("tui.engine.title"), self.navigation.engines(), self.engine), picked)

    def palette_commands(self) -> Iterator[PaletteCommand]:
        """Yield each lesson, and the keys of this screen."""
        m = self.messages
        for lesson in self._course.every_lesson:
            yield lesson.title, lesson.summary, partial(self.navigation.open_lesson, lesson.id, self.engine)
        for key, run in (
            ("play", self.action_play),
            ("engine", self.action_engine),
            ("glossary", self.action_glossary),
            ("theme", self.action_theme),
            ("quit", self.action_quit_gently),
        ):
            yield m(f"tui.key.{key}.short"), m(f"tui.key.{key}.long"), run
