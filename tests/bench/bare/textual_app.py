"""A Textual app with the kinds of widgets of a lesson's screen, and no more: `python textual_app.py CONFIG`.

It shows a short text, a config.json with its colours, two tables, a log, a header and a footer.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from textual.app import App
from textual.containers import Horizontal, Vertical
from textual.widgets import DataTable, Footer, Header, Markdown, RichLog, TextArea

if TYPE_CHECKING:
    from textual.app import ComposeResult

_TEXT = """\
# A step

A container is a process that the kernel shows **another** view. `create` makes it, `start` lets it go.

- The namespaces of the process
- Its root, and what is mounted there

```sh
runt create --bundle bundle test
```
"""


class Bare(App[None]):
    """The widgets, side by side."""

    BINDINGS = [("q", "quit", "Quit"), ("f5", "create", "Create")]  # noqa: RUF012  (as Textual declares it)
    CSS = "Markdown, #right { width: 1fr } TextArea { height: 2fr } DataTable, RichLog { height: 1fr }"

    def compose(self) -> ComposeResult:
        """Lay them out."""
        yield Header()
        with Horizontal():
            yield Markdown(_TEXT)
            with Vertical(id="right"):
                text = Path(sys.argv[1]).read_text(encoding="utf-8")
                yield TextArea.code_editor(text, language="json")
                yield DataTable[Any]()
                yield DataTable[Any]()
                yield RichLog()
        yield Footer()

    def on_mount(self) -> None:
        """Fill them."""
        for table in self.query(DataTable):
            table.add_columns("name", "number", "state")
            table.add_rows([(f"row {number}", number, "running") for number in range(8)])
        self.query_one(RichLog).write("ready")


if __name__ == "__main__":
    Bare().run()
