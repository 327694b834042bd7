"""When a message is over: what it says is no longer so.

Every message goes when the next step begins, or the next command starts; what is here goes earlier.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tutor.session.events import (
    Checked,
    ConfigChanged,
    HintGiven,
    NoticeEnded,
    QuizAnswered,
    StateChanged,
    StepPassed,
)

if TYPE_CHECKING:
    from tutor.session.events import Event, Notice

_REPLIES = (StepPassed, QuizAnswered, Checked, HintGiven)
"""What answers the learner's next command; a line that was refused before it is of no interest any more."""

_ENDED_BY: dict[str, tuple[type, ...]] = {
    "session.notice.not_yet": (StepPassed, Checked),  # the list of what is missing is another then
    "session.notice.answer_first": (StepPassed, QuizAnswered),
    "session.notice.no_answer_now": (StepPassed, StateChanged),
    "session.notice.dead_end": (StepPassed,),
    "session.notice.unfit": (StepPassed, StateChanged),
    "session.notice.steps_left": (StepPassed,),
    "session.error.replay": (StepPassed,),
    "session.error.no_space": (ConfigChanged,),
    "session.error.home": (ConfigChanged,),
    "session.play.no_rootfs": (ConfigChanged,),
}
_REFUSED = (
    "quotes",
    "unknown_command",
    "unknown_flag",
    "too_many_arguments",
    "missing_argument",
    "other_engine",
    "engine_command",
    "other_container",
    "unknown_choice",
    "unknown_engine",
    "face_command",
)
_ENDED_BY |= {f"session.error.{name}": _REPLIES for name in _REFUSED}
_OF_THE_FILE = ("session.config.", "session.bundle.missing")
"""Keys of messages that `config.json` can't be read; they end as soon as it is."""


def is_over(notice: Notice, event: Event) -> bool:
    """Tell whether an event makes a message one of the past."""
    if isinstance(event, NoticeEnded):
        return notice.key == event.key
    if isinstance(event, ConfigChanged) and notice.key.startswith(_OF_THE_FILE):
        return bool(event.text)
    return isinstance(event, _ENDED_BY.get(notice.key, ()))
