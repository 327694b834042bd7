"""Where an image of the lessons came from. A screen that tells it loads nothing that reads images."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Literal

from tutor.lazy_dataclass import dataclass

if TYPE_CHECKING:
    from tutor.messages import Messages

Source = Literal["registry", "docker", "file", "mini"]


@dataclass(frozen=True, slots=True)
class Origin:
    """The origin of an image."""

    source: Source
    reference: str
    release: str  # the content of its /etc/alpine-release; empty if it has none
    archive: str  # the digest of the docker-archive

    @classmethod
    def parse(cls, text: str) -> Origin:
        """Parse the output of `text()`.

        Raises:
            ValueError: it is invalid.
        """
        try:
            return cls(**json.loads(text))
        except TypeError as error:
            raise ValueError(str(error)) from error

    def text(self) -> str:
        """Return it as the content of a file."""
        return json.dumps(asdict(self))

    def phrase(self, messages: Messages) -> str:
        """Return a text for the learner: which image it is, and where it came from."""
        if self.source == "mini":
            return messages("images.origin.mini", reference=self.reference)
        what = messages(
            "images.origin.alpine" if self.release else "images.origin.other", release=self.release
        )
        return messages(f"images.origin.{self.source}", image=what, reference=self.reference)
