"""The REPL: the face of the session at a prompt, and for scripts.

`render`, `layout`, `markdown` and `views` make styled lines of events and snapshots; `prompting` completes and validates what
is typed; the two loops, `interactive` (prompt_toolkit) and `script` (plain input and output), drive the same `Repl`.
"""

from __future__ import annotations
