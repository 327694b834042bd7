#!/bin/sh
# Textual 8.2.8 takes the right half of a wide character for the character behind it, when text is selected by the mouse.
#
# Guessed: a Japanese character takes two cells, and to press on either selects it.
# Seen (Python 3.11, textual 8.2.8 of PyPI), the text 漢字です, pressed on one cell and let go on another:
#   left half of 漢, left half of 字    漢字
#   right half of 漢, left half of 字   字      the first character is missing
#   left half of 漢, right half of 字   漢字で  one more than under the pointer
# For whom: whoever copies Japanese, Chinese or Korean text out of a program that is made with Textual.
set -eu

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM

python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet textual==8.2.8
cat >"$work/mouse.py" <<'PYTHON'
import asyncio, sys
from textual.app import App
from textual.widgets import Static

class Text(App):
    def compose(self):
        yield Static("漢字です")

async def selected(begin, end):
    app = Text()
    async with app.run_test(size=(20, 3)) as pilot:
        await pilot.mouse_down(offset=(begin, 0))
        await pilot.hover(offset=(end, 0))
        await pilot.mouse_up(offset=(end, 0))
        return app.screen.get_selected_text()

seen = [asyncio.run(selected(begin, end)) for begin, end in ((0, 2), (1, 2), (0, 3))]
print(*seen)
sys.exit(seen != ["漢字", "字", "漢字で"])
PYTHON
PYTHONUTF8=1 "$work/venv/bin/python" "$work/mouse.py" || { echo "CHANGED: another text is selected" >&2; exit 1; }
