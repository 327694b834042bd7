"""The themes: one for a screen in a dim room, one for a projector, and two of the colours of the terminal's own palette.

In the first two every text has a contrast of 4.5:1 or more. In the others no colour is chosen here: they name the sixteen colours that
a person has set in the terminal (ECMA-48), and its default colours for text and background.
"""

from __future__ import annotations

from textual.theme import Theme

_DARK_VARIABLES = {
    "text": "#e6edf3",
    "text-muted": "#a3b3c2",
    "text-disabled": "#a3b3c2",
    "text-primary": "#8cc8ff",
    "text-secondary": "#a5d6ff",
    "text-success": "#7ee787",
    "text-warning": "#f2cc60",
    "text-error": "#ffa198",
    "text-accent": "#d2b8ff",
    "foreground-muted": "#a3b3c2",
    "border": "#8cc8ff",
    "border-blurred": "#3b4a5a",
    "block-cursor-foreground": "#0d1117",
    "block-cursor-background": "#8cc8ff",
    "block-cursor-blurred-foreground": "#e6edf3",
    "block-cursor-blurred-background": "#2b3a4a",
    "input-cursor-background": "#e6edf3",
    "input-cursor-foreground": "#0d1117",
    "input-selection-background": "#264f78",
    "input-selection-foreground": "#ffffff",
    "screen-selection-background": "#264f78",
    "screen-selection-foreground": "#ffffff",
    "link-color": "#8cc8ff",
    "link-background-hover": "#264f78",
    "link-color-hover": "#ffffff",
    "scrollbar": "#3b4a5a",
    "scrollbar-hover": "#5a6d80",
    "scrollbar-active": "#8cc8ff",
    "scrollbar-background": "#0d1117",
    "scrollbar-background-hover": "#0d1117",
    "scrollbar-background-active": "#0d1117",
    "scrollbar-corner-color": "#0d1117",
    "button-color-foreground": "#0d1117",
    "button-foreground": "#e6edf3",
}

_LIGHT_VARIABLES = {
    "text": "#1f2328",
    "text-muted": "#4b545d",
    "text-disabled": "#4b545d",
    "text-primary": "#0a4fa6",
    "text-secondary": "#0a4fa6",
    "text-success": "#0f5c24",
    "text-warning": "#734700",
    "text-error": "#a00f26",
    "text-accent": "#5b31a8",
    "foreground-muted": "#4b545d",
    "border": "#0a4fa6",
    "border-blurred": "#b6c0cb",
    "block-cursor-foreground": "#ffffff",
    "block-cursor-background": "#0a4fa6",
    "block-cursor-blurred-foreground": "#1f2328",
    "block-cursor-blurred-background": "#d0d9e2",
    "input-cursor-background": "#1f2328",
    "input-cursor-foreground": "#ffffff",
    "input-selection-background": "#b6d7ff",
    "input-selection-foreground": "#1f2328",
    "screen-selection-background": "#b6d7ff",
    "screen-selection-foreground": "#1f2328",
    "link-color": "#0a4fa6",
    "link-background-hover": "#0a4fa6",
    "link-color-hover": "#ffffff",
    "scrollbar": "#b6c0cb",
    "scrollbar-hover": "#8b98a6",
    "scrollbar-active": "#0a4fa6",
    "scrollbar-background": "#ffffff",
    "scrollbar-background-hover": "#ffffff",
    "scrollbar-background-active": "#ffffff",
    "scrollbar-corner-color": "#ffffff",
    "button-color-foreground": "#ffffff",
    "button-foreground": "#1f2328",
}

DARK = Theme(
    name="tutor-dark",
    primary="#8cc8ff",
    secondary="#a5d6ff",
    accent="#d2b8ff",
    foreground="#e6edf3",
    background="#0d1117",
    surface="#131a22",
    panel="#1c2530",
    success="#7ee787",
    warning="#f2cc60",
    error="#ffa198",
    dark=True,
    text_alpha=1.0,
    variables=_DARK_VARIABLES,
)

LIGHT = Theme(
    name="tutor-light",
    primary="#0a4fa6",
    secondary="#0a4fa6",
    accent="#5b31a8",
    foreground="#1f2328",
    background="#ffffff",
    surface="#f6f8fa",
    panel="#e9eef3",
    success="#0f5c24",
    warning="#734700",
    error="#a00f26",
    dark=False,
    text_alpha=1.0,
    variables=_LIGHT_VARIABLES,
)


def _of_palette(name: str, *, dark: bool) -> Theme:
    """Return a theme of the terminal's own colours, for a palette with a dark or a light background."""
    text, muted, line = ("ansi_default", "ansi_white" if dark else "ansi_bright_black", "ansi_bright_black")
    bright = "ansi_bright_" if dark else "ansi_"
    cursor, under_cursor = ("ansi_black", "ansi_white") if dark else ("ansi_bright_white", "ansi_blue")
    colours = {each: f"{bright}{each}" for each in ("blue", "cyan", "green", "yellow", "red", "magenta")}
    variables = {name: text for name in _DARK_VARIABLES if name.startswith(("text", "foreground", "button"))}
    variables |= {name: cursor for name in _DARK_VARIABLES if name.endswith("-foreground")}
    variables |= {name: under_cursor for name in _DARK_VARIABLES if "cursor-background" in name}
    variables |= {name: under_cursor for name in _DARK_VARIABLES if "selection-background" in name}
    variables |= {name: line for name in _DARK_VARIABLES if name.startswith("scrollbar")}
    variables |= {name: text for name in _DARK_VARIABLES if name.startswith("scrollbar-background")}
    variables |= {
        "text-muted": muted,
        "text-disabled": muted,
        "foreground-muted": muted,
        "text-primary": colours["blue"],
        "text-secondary": colours["cyan"],
        "text-success": colours["green"],
        "text-warning": colours["yellow"],
        "text-error": colours["red"],
        "text-accent": colours["magenta"],
        "border": colours["blue"],
        "border-blurred": line,
        "block-cursor-blurred-foreground": text,
        "block-cursor-blurred-background": "ansi_default",
        "scrollbar-active": colours["blue"],
        "link-color": colours["blue"],
        "link-background-hover": under_cursor,
        "link-color-hover": cursor,
        "surface": text,  # Textual's would be transparent, which the editor's text area takes for black
        "panel": text,
        "ansi-background": "ansi_black"
        if dark
        else "ansi_white",  # Textual's own names, for widgets of its own
        "ansi-foreground": "ansi_white" if dark else "ansi_black",
    }
    return Theme(
        name=name,
        primary=colours["blue"],
        secondary=colours["cyan"],
        accent=colours["magenta"],
        foreground=text,
        background=text,
        surface=text,
        panel=text,
        boost=text,
        success=colours["green"],
        warning=colours["yellow"],
        error=colours["red"],
        dark=dark,
        text_alpha=1.0,
        variables=variables,
        ansi=True,
    )


ANSI_DARK = _of_palette("tutor-ansi-dark", dark=True)
ANSI_LIGHT = _of_palette("tutor-ansi-light", dark=False)

THEMES = (DARK, LIGHT, ANSI_DARK, ANSI_LIGHT)
