#!/bin/sh
# Textual 8.2.8: App.register_theme with the name of the theme in use changes one of the two tables of variables that an app has, and not the other.
#
# Guessed: either both keep the old colour until the theme is chosen again, or both have the new one at once.
# Seen (Python 3.11, textual 8.2.8 of PyPI), `primary` of the theme textual-dark, registered again as #ff0000 while it is in use:
#   theme_variables        #0178D4  the old colour, for all that is drawn or asks for a variable by this table
#   get_css_variables()    #FE0000  the new one (a colour of a theme goes through another colour space, which rounds)
#   both, after refresh_css()   #FE0000
# For whom: whoever lets people change a theme's colours while the program runs. Call refresh_css() after register_theme.
set -eu

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM

python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet textual==8.2.8
cat >"$work/theme.py" <<'PYTHON'
import asyncio, sys
from textual.app import App
from textual.theme import Theme

async def seen():
    app = App()
    async with app.run_test() as pilot:
        def both():
            return app.theme_variables["primary"].lower(), app.get_css_variables()["primary"].lower()

        old = both()
        app.register_theme(Theme(name=app.theme, primary="#ff0000"))
        await pilot.pause()
        registered = both()
        app.refresh_css()
        await pilot.pause()
        return old, registered, both()

old, registered, refreshed = asyncio.run(seen())
print("before", *old)
print("registered", *registered)
print("refreshed", *refreshed)
new = "#fe0000"
sys.exit((old[0], registered, refreshed) != ("#0178d4", ("#0178d4", new), (new, new)))
PYTHON
"$work/venv/bin/python" "$work/theme.py" || { echo "CHANGED: the tables of variables agree, or another one is old" >&2; exit 1; }
