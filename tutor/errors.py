"""The one kind of expected failure in `tutor`: it carries catalogue keys, so that every face shows it in the learner's language."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tutor.messages import Messages


class TutorError(Exception):
    """An expected failure: what, where, why, what to do next.

    `key` names a catalogue entry group with the members `title`, `body` and `next`, e.g. `lab.no_root` has `lab.no_root.title`.
    `body` and `next` may be missing. `values` fill the placeholders.
    """

    def __init__(self, key: str, /, **values: object) -> None:
        super().__init__(key, values)
        self.key = key
        self.values = values

    def __str__(self) -> str:
        """Return a form for logs and test failures; users see `render`."""
        return f"{self.key} {self.values}"

    def render(self, messages: Messages) -> tuple[str, str, str]:
        """Return title, body and what to do next, in the language of `messages`; empty where there is none."""
        title, body, following = (
            messages(f"{self.key}.{part}", **self.values) if messages.has(f"{self.key}.{part}") else ""
            for part in ("title", "body", "next")
        )
        return title or self.key, body, following
