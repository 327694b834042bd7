"""Reading and writing JSON as the standard library's `json` does, with the halves of it that are written in C.

Importing `json` itself takes longer than reading every file of a container: it brings the regular expressions along.
"""

from __future__ import annotations

from _json import encode_basestring, encode_basestring_ascii, make_encoder, make_scanner

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, NoReturn

_SPACE = " \t\n\r"
_CONSTANTS = {"NaN": float("nan"), "Infinity": float("inf"), "-Infinity": float("-inf")}


class _Rules:
    """How the scanner reads; it takes the attributes of an object instead of arguments."""

    strict = True
    object_hook = None
    parse_float = float
    parse_int = int
    array_hook = None

    def __init__(
        self,
        parse_constant: Callable[[str], Any],
        object_pairs_hook: Callable[[list[tuple[str, Any]]], Any] | None,
    ) -> None:
        self.parse_constant = parse_constant
        self.object_pairs_hook = object_pairs_hook


def loads(
    text: str | bytes | bytearray,
    *,
    parse_constant: Callable[[str], Any] = _CONSTANTS.__getitem__,
    object_pairs_hook: Callable[[list[tuple[str, Any]]], Any] | None = None,
) -> Any:
    """Return the value of the JSON `text`, UTF-8 if it is bytes. Raises json.JSONDecodeError, which is a ValueError."""
    if not isinstance(text, str):
        text = text.decode("utf-8", "surrogatepass")
    rules: Any = _Rules(parse_constant, object_pairs_hook)
    begin = len(text) - len(text.lstrip(_SPACE))
    scan = make_scanner(rules)
    try:
        try:
            value, end = scan(text, begin)
        except SystemError:
            # The scanner has found an error, and the exception for it is in a module that is not loaded yet.
            import json.decoder  # noqa: F401

            value, end = scan(text, begin)
    except StopIteration as error:
        _refuse("Expecting value", text, error.value)
    if text[end:].strip(_SPACE):
        _refuse("Extra data", text, len(text) - len(text[end:].lstrip(_SPACE)))
    return value


def dumps(value: object, *, ascii_only: bool = True, compact: bool = False) -> str:
    """Return `value` as JSON on one line; `compact` is without spaces."""
    encoder = make_encoder(
        None,
        _refuse_type,
        encode_basestring_ascii if ascii_only else encode_basestring,
        None,
        ":" if compact else ": ",
        "," if compact else ", ",
        False,
        False,
        True,
    )
    return "".join(encoder(value, 0))


def pretty(value: object, *, indent: str = "  ", margin: str = "\n") -> str:
    """Return `value` as JSON with each member and element on a line of its own, in Unicode."""
    if isinstance(value, dict) and value:
        inner = margin + indent
        members = (
            f"{dumps(name, ascii_only=False)}: {pretty(member, indent=indent, margin=inner)}"
            for name, member in value.items()
        )
        return "{" + inner + f",{inner}".join(members) + margin + "}"
    if isinstance(value, (list, tuple)) and value:
        inner = margin + indent
        return (
            "["
            + inner
            + f",{inner}".join(pretty(element, indent=indent, margin=inner) for element in value)
            + margin
            + "]"
        )
    return dumps(value, ascii_only=False)


def _refuse(reason: str, text: str, position: int) -> NoReturn:
    from json import JSONDecodeError

    raise JSONDecodeError(reason, text, position) from None


def _refuse_type(value: object) -> NoReturn:
    raise TypeError(f"{type(value).__name__} can't be written as JSON")
