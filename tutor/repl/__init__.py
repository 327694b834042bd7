"""The REPL: the session's face for whoever prefers to type commands, and for scripts.

`render*`, `layout`, `markdown` and `views` make styled lines of events and snapshots; `commandline` reads what was typed; the
two loops, `interactive` (prompt_toolkit) and `script` (plain input and output), drive the same `Repl`.
"""

from __future__ import annotations
