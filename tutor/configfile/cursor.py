"""Where in a `config.json` the cursor is: the path there, whether a key or a value belongs there, and what is typed of it already.

A text that is being typed is hardly ever JSON, so this reader, other than parser.py, takes anything: a string that is not closed ends with
its line, a missing comma or value is passed over, a closing bracket that does not fit closes what it fits.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Literal

from tutor.lazy_dataclass import dataclass, field

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tutor.configfile.meanings import Path

TOKEN = re.compile(r'"(?:[^"\\\n]|\\[^\n])*"?|[{}\[\],:]|[^\s{}\[\],:"]+')
_WORD = re.compile(r"[\w.$=/-]*")
_OPENERS = {"{": "}", "[": "]"}
_MAY_FOLLOW = re.compile(r"[\s,:}\]]|$")

Role = Literal["key", "value", "none"]


@dataclass(frozen=True, slots=True)
class Place:
    """What belongs where the cursor is.

    Attributes:
        path: of the member or the item there; where a key is missing or being typed, of the object that it is for, and of the key.
        role: `none` behind a value that is complete, or between a key and its colon.
        start, end: the part of the text that is this key or value, in character offsets; empty where there is none yet.
        typed: what is typed of it before the cursor, without the quotation mark.
        names: the other names in this object, or the other strings in this array.
        owner: the path of the object or array that it is in; None outside of all.
        has_colon: a colon stands behind this key; follows: something is behind it that needs a comma in between.
        comma_at: where a comma is missing before it; None where it is not.
    """

    path: Path
    role: Role
    start: int
    end: int
    typed: str = ""
    names: frozenset[str] = frozenset()
    owner: Path | None = None
    has_colon: bool = False
    follows: bool = False
    comma_at: int | None = None


@dataclass(slots=True)
class _Frame:
    """An object or array that is open; `state` is what comes next in it."""

    opener: str
    path: Path
    state: Literal["key", "colon", "value", "comma"]
    key: str = ""
    index: int = 0
    names: list[tuple[int, str]] = field(default_factory=list)

    @property
    def here(self) -> Path:
        """The path of the member or item that is being read."""
        return (*self.path, self.key if self.opener == "{" else self.index)


@dataclass(slots=True)
class _Found:
    frame: _Frame | None
    state: str
    here: Path
    token: re.Match[str] | None
    last_end: int


def place_at(text: str, offset: int) -> Place:
    """Return what belongs at a character offset of a text, half typed or not."""
    tokens = list(TOKEN.finditer(text))
    found = _find(tokens, offset)
    if found.frame is None:
        return _outside(tokens, offset)
    return _in_token(text, offset, found, tokens) if found.token else _between(text, offset, found, tokens)


def in_string(text: str, offset: int) -> bool:
    """Tell whether the cursor is within the quotation marks of a string."""
    for token in TOKEN.finditer(text):
        if token.start() >= offset:
            return False
        if token.end() >= offset and _within(token, offset):
            return token[0].startswith('"')
    return False


def _within(token: re.Match[str], offset: int) -> bool:
    """Tell whether the cursor is in a string, or in or directly behind a word."""
    if token[0] in "{}[],:":
        return False
    closed = is_closed(token[0])
    return token.start() < offset and (offset < token.end() or (offset == token.end() and not closed))


def is_closed(token: str) -> bool:
    """Tell whether a token is a string with both of its quotation marks."""
    return len(token) > 1 and token.startswith('"') and token.endswith('"') and _ends_unescaped(token)


def _ends_unescaped(token: str) -> bool:
    backslashes = len(token) - 1 - len(token[:-1].rstrip("\\"))
    return backslashes % 2 == 0


def _find(tokens: list[re.Match[str]], offset: int) -> _Found:
    """Read all tokens; note the frame at the cursor, which learns of the names behind the cursor as well."""
    stack: list[_Frame] = []
    found: _Found | None = None
    last_end = 0
    for number, token in enumerate(tokens):
        if found is None and (offset <= token.start() or _within(token, offset)):
            inside = token if _within(token, offset) else None
            found = _note(stack, inside, _colon_behind(tokens, number), last_end)
        _take(stack, token, colon_behind=_colon_behind(tokens, number))
        last_end = token.end()
    return found or _note(stack, None, False, last_end)


def _note(stack: list[_Frame], inside: re.Match[str] | None, colon_behind: bool, last_end: int) -> _Found:
    if not stack:
        return _Found(None, "", (), inside, last_end)
    frame = stack[-1]
    state: str = frame.state
    here = frame.here
    if inside is not None and frame.opener == "{":
        is_key = state in ("key", "comma") or (colon_behind and state in ("colon", "value"))
        here = (*frame.path, _text_of(inside[0])) if is_key else frame.here
        state = ("key" if state != "comma" else "comma") if is_key else "value"
    elif frame.opener == "[" and state == "comma":
        here = (*frame.path, frame.index + 1) if inside is not None else frame.here
    return _Found(frame, state, here, inside, last_end)


def _colon_behind(tokens: list[re.Match[str]], number: int) -> bool:
    return number + 1 < len(tokens) and tokens[number + 1][0] == ":"


def _take(stack: list[_Frame], token: re.Match[str], *, colon_behind: bool) -> None:
    """Let the innermost frame read a token; anything is taken somehow."""
    text = token[0]
    if text in _OPENERS:
        _open(stack, text)
    elif text in ("}", "]"):
        _close(stack, text)
    elif not stack:
        return
    elif stack[-1].opener == "{":
        _take_in_object(stack[-1], token, colon_behind=colon_behind)
    else:
        _take_in_array(stack[-1], token)


def _open(stack: list[_Frame], opener: str) -> None:
    path: Path = ()
    if stack:
        above = stack[-1]
        if above.opener == "[" and above.state == "comma":
            above.index += 1
        path = above.here
        above.state = "comma"
    stack.append(_Frame(opener, path, "key" if opener == "{" else "value"))


def _close(stack: list[_Frame], closer: str) -> None:
    fitting = [number for number, frame in enumerate(stack) if _OPENERS[frame.opener] == closer]
    if fitting:
        del stack[fitting[-1] :]


def _take_in_object(frame: _Frame, token: re.Match[str], *, colon_behind: bool) -> None:
    text = token[0]
    if text == ",":
        frame.state = "key"
    elif text == ":":
        frame.state = "value"
    elif frame.state in ("key", "comma") or colon_behind:
        frame.key = _text_of(text)
        frame.names.append((token.start(), frame.key))
        frame.state = "colon"
    else:
        frame.state = "comma"


def _take_in_array(frame: _Frame, token: re.Match[str]) -> None:
    text = token[0]
    if text == ":":
        return
    if text == ",":
        frame.index += 1
        frame.state = "value"
        return
    if frame.state == "comma":
        frame.index += 1
    frame.names.append((token.start(), _text_of(text)))
    frame.state = "comma"


def _text_of(token: str) -> str:
    if not token.startswith('"'):
        return token
    body = token[1:-1] if is_closed(token) else token[1:]
    if "\\" not in body:
        return body
    try:
        return str(json.loads(f'"{body}"'))
    except ValueError:
        return body


def _names(frame: _Frame, but: int = -1) -> frozenset[str]:
    return frozenset(name for start, name in frame.names if start != but)


def _in_token(text: str, offset: int, found: _Found, tokens: list[re.Match[str]]) -> Place:
    frame, token = found.frame, found.token
    assert frame is not None  # noqa: S101  (for mypy: `place_at` has looked)
    assert token is not None  # noqa: S101
    key = frame.opener == "{" and found.state in ("key", "comma")
    start, end = token.start(), token.end()
    quoted = token[0].startswith('"')
    if quoted and (not is_closed(token[0]) or not _MAY_FOLLOW.match(text, end)):
        # A quotation mark is missing, and the string has swallowed what is behind it, up to the next one.
        word = _WORD.match(text, offset)
        end = word.end() if word else offset
    behind = next((each for each in tokens if each.start() >= end), None)
    return Place(
        found.here,
        "key" if key else "value",
        start,
        end,
        typed=text[start + quoted : offset],
        names=_names(frame, start),
        owner=frame.path,
        has_colon=behind is not None and behind[0] == ":",
        follows=_needs_comma(behind),
        comma_at=found.last_end if found.state == "comma" else None,
    )


def _between(text: str, offset: int, found: _Found, tokens: list[re.Match[str]]) -> Place:
    frame = found.frame
    assert frame is not None  # noqa: S101  (for mypy: `place_at` has looked)
    behind = next((each for each in tokens if each.start() >= offset), None)
    complete = found.state == "comma" and "\n" not in text[found.last_end : offset]
    if complete or found.state == "colon" or (found.state == "value" and _is_there(frame, behind, tokens)):
        return Place(found.here, "none", offset, offset, names=_names(frame), owner=frame.path)
    comma_at = found.last_end if found.state == "comma" else None
    key = frame.opener == "{" and found.state in ("key", "comma")
    here = found.here
    if key:
        here = frame.path
    elif comma_at is not None:
        here = (*frame.path, frame.index + 1)
    return Place(
        here,
        "key" if key else "value",
        offset,
        offset,
        names=_names(frame),
        owner=frame.path,
        follows=_needs_comma(behind),
        comma_at=comma_at,
    )


def _is_there(frame: _Frame, behind: re.Match[str] | None, tokens: list[re.Match[str]]) -> bool:
    """Tell whether the value of a member stands behind the cursor already: what is there is no key."""
    if frame.opener != "{" or behind is None or behind[0] in ("}", "]", ","):
        return False
    return not _colon_behind(tokens, tokens.index(behind))


def _needs_comma(behind: re.Match[str] | None) -> bool:
    return behind is not None and behind[0] not in (",", "}", "]", ":")


def _outside(tokens: list[re.Match[str]], offset: int) -> Place:
    """Return the place of the whole document's value where there is none yet."""
    return Place((), "none" if tokens else "value", offset, offset)


def brackets(text: str) -> Iterator[re.Match[str]]:
    """Yield the brackets of a text that are not within strings."""
    return (token for token in TOKEN.finditer(text) if token[0] in "{}[]")
