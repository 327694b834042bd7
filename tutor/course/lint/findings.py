"""What lint finds, and how it is printed: `file:line:column`, the form of compilers, to which editors jump."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from tutor.lazy_dataclass import dataclass, field
from tutor.text import wrap

if TYPE_CHECKING:
    from tutor.course.errors import LessonError
    from tutor.messages import Messages


@dataclass(frozen=True, slots=True)
class Finding:
    """One defect. `key` names a catalogue group (`title`, `body`, `next`); `line` and `column` count from 1, 0: the whole file."""

    file: Path
    line: int
    column: int
    key: str
    values: dict[str, Any] = field(default_factory=dict, hash=False)

    @classmethod
    def of(cls, error: LessonError) -> Finding:
        """Return an error of the loader as a finding."""
        return cls(error.file, error.line, error.column, error.key, error.values)

    @property
    def place(self) -> str:
        """Its place: the path (relative below the working directory), and line and column if they are known."""
        return ":".join([_near(self.file), *(str(number) for number in (self.line, self.column) if number)])

    def render(self, messages: Messages, width: int) -> str:
        """Return the lines to print: the place and what is wrong, then the details and what to do, indented and wrapped."""
        title, body, following = (
            messages(f"{self.key}.{part}", **self.values) if messages.has(f"{self.key}.{part}") else ""
            for part in ("title", "body", "next")
        )
        # The loader's errors begin their body with the place, which is printed already.
        for place in (f"{self.file}:{self.line}:{self.column}", str(self.file)):
            if body.startswith(place):
                body = body.removeprefix(place).removeprefix(":").strip()
                break
        lines = [f"{self.place}: {title}"]
        lines += ["    " + line for line in wrap(body, width - 4) if line]
        for number, line in enumerate(wrap(following, width - 6) if following else []):
            lines.append(("      " if number else "    → ") + line)
        return "\n".join(lines)


def _near(file: Path) -> str:
    try:
        return str(file.absolute().relative_to(Path.cwd()))
    except (ValueError, OSError):
        return str(file)
