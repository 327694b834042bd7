"""The words that stand for glyphs in plain text."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tutor.text.plain import WORDS

if TYPE_CHECKING:
    from tutor.messages import Messages


def words(messages: Messages) -> dict[str, str]:
    """Return the words of `tutor.text.plain.plain`, in the learner's language."""
    return {name: messages(f"view.plain.{name}") for name in (*WORDS.values(), "added", "removed", "changed")}
