"""Checks on `config.json` (and other JSON in the bundle), parsed, never as text."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from tutor.course.checks.context import CheckContext, Finding
from tutor.course.checks.registry import Argument, kind
from tutor.course.checks.verdict import Evidence
from tutor.home import shell_word, shown

if TYPE_CHECKING:
    from collections.abc import Mapping

ABSENT = object()  # what `look_up` returns where there is no value
_SIGNS = {"at_least": "≧", "at_most": "≦"}


@kind(
    "json",
    Argument("file", "text"),
    Argument("pointer", "text"),
    Argument("equals", "data"),
    Argument("not_equals", "data"),
    Argument("contains", "data"),
    Argument("lacks", "data"),
    Argument("at_least", "integer"),
    Argument("at_most", "integer"),
    Argument("matches", "pattern"),
    Argument("exists", "boolean"),
    Argument("default", "data"),
    Argument("valid", "boolean"),
    one_of=("equals", "not_equals", "contains", "lacks", "at_least", "at_most", "matches", "exists", "valid"),
)
def json_value(context: CheckContext, arguments: Mapping[str, Any]) -> Finding:
    """The value at a JSON pointer (RFC 6901) is this, is not that, has such a member, or exists.

    - The file is relative to the bundle (default: `config.json`), or as `./x` to the lab's directory.
    - `pointer`: the whole document by default.
    - `contains`: an element of the list (an object matches when it has at least these members), or a part of the text; `lacks`: none.
    - `default`: the value that an absent property has by the specification.
    - `matches`: a text in which the regular expression is found.
    - `valid`: the file is JSON, or is not.
    """
    file, pointer, words = (
        arguments.get("file", "config.json"),
        arguments.get("pointer", ""),
        context.messages,
    )
    path = (context.place if file.startswith("./") else context.bundle) / file
    command = f"cat {shell_word(shown(path))}"
    looked_at, expected = f"{file} {pointer}".strip(), _expected(context, arguments)
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        found = words("course.check.json.unreadable", reason=error.strerror)
        return Finding(False, (Evidence(looked_at, expected, found, command),))
    except (ValueError, RecursionError) as error:
        found = words("course.check.json.invalid", reason=str(error))
        if arguments.get("valid") is False:
            return Finding(True, (Evidence(looked_at, expected, found, command),))
        # The same for each check on the file, so that it is shown once.
        return Finding(False, (Evidence(file, words("course.check.json.valid"), found, command),))
    if arguments.get("valid") is False:
        return Finding(False, (Evidence(looked_at, expected, words("course.check.json.valid"), command),))
    value = look_up(document, pointer)
    found = words("course.check.json.absent") if value is ABSENT else _show(value)
    if arguments.keys() <= {"file", "valid"}:
        found = words("course.check.json.valid")
    if value is ABSENT and "default" in arguments:
        value = arguments["default"]
    return Finding(_holds(value, arguments), (Evidence(looked_at, expected, found, command),))


def look_up(document: object, pointer: str) -> object:
    """Return the value at a JSON pointer, or a marker that equals nothing when there is none."""
    value: Any = document
    for token in pointer.split("/")[1:]:
        name = token.replace("~1", "/").replace("~0", "~")
        if isinstance(value, dict) and name in value:
            value = value[name]
        elif isinstance(value, list) and name.isdecimal() and int(name) < len(value):
            value = value[int(name)]
        else:
            return ABSENT
    return value


def _holds(value: object, arguments: Mapping[str, Any]) -> bool:
    there = value is not ABSENT
    if "exists" in arguments and arguments["exists"] != there:
        return False
    if "equals" in arguments and not (there and _same(value, arguments["equals"])):
        return False
    if "not_equals" in arguments and not (there and not _same(value, arguments["not_equals"])):
        return False
    if "contains" in arguments and not _contains(value, arguments["contains"]):
        return False
    if "lacks" in arguments and _contains(value, arguments["lacks"]):
        return False
    if "matches" in arguments and not (isinstance(value, str) and re.search(arguments["matches"], value)):
        return False
    if "at_least" in arguments or "at_most" in arguments:
        if isinstance(value, bool) or not isinstance(value, int | float):
            return False
        return bool(arguments.get("at_least", value) <= value <= arguments.get("at_most", value))
    return True


def _contains(value: object, wanted: object) -> bool:
    if isinstance(value, str) and isinstance(wanted, str):
        return wanted in value
    return isinstance(value, list) and any(_like(each, wanted) for each in value)


def _same(left: object, right: object) -> bool:
    """Return whether two values are equal in JSON, where `true` is not 1."""
    return json.dumps(left, sort_keys=True) == json.dumps(right, sort_keys=True)


def _like(value: object, pattern: object) -> bool:
    if isinstance(pattern, dict) and isinstance(value, dict):
        return all(name in value and _like(value[name], each) for name, each in pattern.items())
    return _same(value, pattern)


def _expected(context: CheckContext, arguments: Mapping[str, Any]) -> str:
    words = context.messages
    parts = []
    if "exists" in arguments:
        parts.append(words("course.check.json.exists" if arguments["exists"] else "course.check.json.absent"))
    if "equals" in arguments:
        parts.append(_show(arguments["equals"]))
    if "not_equals" in arguments:
        parts.append(words("course.check.json.other_than", value=_show(arguments["not_equals"])))
    if "contains" in arguments:
        parts.append(words("course.check.json.contains", value=_show(arguments["contains"])))
    if "lacks" in arguments:
        parts.append(words("course.check.lacks", value=_show(arguments["lacks"])))
    if "matches" in arguments:
        parts.append(words("course.check.matches", pattern=arguments["matches"]))
    parts += [f"{sign} {arguments[name]}" for name, sign in _SIGNS.items() if name in arguments]
    if "valid" in arguments:
        parts.append(
            words("course.check.json.valid" if arguments["valid"] else "course.check.json.not_valid")
        )
    return words("course.check.and").join(parts)


def _show(value: object, longest: int = 72) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= longest else text[: longest - 1] + "…"
