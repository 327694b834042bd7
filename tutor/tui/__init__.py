"""The terminal user interface, one of the session's faces: screens and widgets that draw what the session publishes."""

from __future__ import annotations

import os

# Textual asks for the kitty keyboard protocol since 8.2.7, and a Japanese text of five or more kanji that an input method
# commits at once then arrives as garbage. Textual reads this when it is first imported, so it is set before every import.
os.environ["TEXTUAL_DISABLE_KITTY_KEY"] = "1"
