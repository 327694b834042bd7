"""Shapes of JSON values, and checking a value against its shape.

A shape's `check(value, place)` returns the value as the runtime uses it, without
- members that are `null` or unknown (config.md: runtimes ignore unknown ones);
- optional strings that are empty, as with Go's `omitempty`.
If the value does not have the shape it raises `Mismatch` with the place, what was expected, and what was found.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Protocol

    from runtime.config.document import Place

    class Shape(Protocol):
        """The shape of a value."""

        def check(self, value: object, place: Place) -> object:
            """Return `value` as it is used. Raises Mismatch."""
            ...


class Mismatch(Exception):  # noqa: N818 - a value that doesn't fit its shape is not yet an error: `load` makes it one
    """A value does not have its shape, or breaks a rule. `place` is its path, `text` completes the sentence after it."""

    def __init__(self, place: Place, text: str) -> None:
        super().__init__(text)
        self.place = place
        self.text = text


class String:
    """A string, without NUL characters because it is passed to the kernel; with `choices`, one of them.

    `what` they are is said where runc's message has a name for it.
    """

    def __init__(
        self, *, absolute: bool = False, choices: tuple[str, ...] = (), what: str = "", nul: bool = False
    ) -> None:
        self.absolute = absolute
        self.invalid = f": invalid {what}" if what else ""
        self.choices = choices
        self.nul = nul

    def check(self, value: object, place: Place) -> str:
        """Return the string. Raises Mismatch."""
        if not isinstance(value, str):
            raise Mismatch(place, f": expected a string, found {found(value)}")
        if not self.nul and "\0" in value:
            raise Mismatch(place, f": expected a string without NUL characters, found {found(value)}")
        if not value.isascii() and any("\ud800" <= character <= "\udfff" for character in value):
            raise Mismatch(
                place, f": expected Unicode text, found half of a surrogate pair in {found(value)}"
            )
        if self.choices and value and value not in self.choices:
            raise Mismatch(
                place, f"{self.invalid}: expected one of {', '.join(self.choices)}, found {found(value)}"
            )
        if self.absolute and value and not value.startswith("/"):
            raise Mismatch(place, f": expected an absolute path, found {found(value)}")
        return value


class Integer:
    """A whole number from `low` to `high`, written without a fraction or an exponent."""

    def __init__(self, low: int, high: int) -> None:
        self.low = low
        self.high = high

    def check(self, value: object, place: Place) -> int:
        """Return the number. Raises Mismatch."""
        if type(value) is not int or not self.low <= value <= self.high:
            raise Mismatch(
                place, f": expected a whole number from {self.low} to {self.high}, found {found(value)}"
            )
        return value


class Boolean:
    """true or false."""

    def check(self, value: object, place: Place) -> bool:
        """Return the boolean. Raises Mismatch."""
        if type(value) is not bool:
            raise Mismatch(place, f": expected true or false, found {found(value)}")
        return value


class Array:
    """An array of elements of one shape; with `filled`, of at least one."""

    def __init__(self, element: Shape, *, filled: bool = False) -> None:
        self.element = element
        self.filled = filled

    def check(self, value: object, place: Place) -> list[object]:
        """Return the list. Raises Mismatch."""
        if not isinstance(value, list):
            raise Mismatch(place, f": expected an array, found {found(value)}")
        if self.filled and not value:
            raise Mismatch(place, " must not be empty")
        return [self.element.check(element, (*place, index)) for index, element in enumerate(value)]


class Map:
    """An object of values of one shape, whose names are not empty; with `names`, some of them."""

    def __init__(self, element: Shape, *, names: tuple[str, ...] = ()) -> None:
        self.element = element
        self.name = String(choices=names)

    def check(self, value: object, place: Place) -> dict[str, object]:
        """Return the mapping. Raises Mismatch."""
        if not isinstance(value, dict):
            raise Mismatch(place, f": expected an object, found {found(value)}")
        if "" in value:
            raise Mismatch((*place, ""), ": expected a name, found an empty one")
        return {
            self.name.check(name, (*place, name)): self.element.check(element, (*place, name))
            for name, element in value.items()
            if element is not None
        }


class Object:
    """An object with known members, of which `required` must not be missing."""

    def __init__(self, members: Mapping[str, Shape], *, required: tuple[str, ...] = ()) -> None:
        self.members = members
        self.required = required

    def check(self, value: object, place: Place) -> dict[str, object]:
        """Return the known members. Raises Mismatch."""
        if not isinstance(value, dict):
            raise Mismatch(place, f": expected an object, found {found(value)}")
        checked = {}
        for name, shape in self.members.items():
            member = value.get(name)
            if member is None:
                continue
            result = shape.check(member, (*place, name))
            if result is not ABSENT and result != "":
                checked[name] = result
        for name in self.required:
            if name not in checked:
                raise Mismatch(
                    (*place, name),
                    " must not be empty" if value.get(name) is not None else " is required, but missing",
                )
        return checked


ABSENT = object()
"""Returned by a check for a member that is left out."""


class Unsupported:
    """A member of the specification that this version of runt does not support: an error, never ignored.

    With `empty_is_nothing`, an empty value is accepted: an empty string, array or object, or one with only such members.
    """

    def __init__(self, *, empty_is_nothing: bool = True) -> None:
        self.empty_is_nothing = empty_is_nothing

    def check(self, value: object, place: Place) -> object:
        """Return ABSENT. Raises Mismatch."""
        if not self.empty_is_nothing:
            raise Mismatch(place, UNSUPPORTED)
        self._refuse_content(value, place)
        return ABSENT

    def _refuse_content(self, value: object, place: Place) -> None:
        if isinstance(value, dict):
            for name, member in value.items():
                self._refuse_content(member, (*place, name))
        elif value not in (None, "", []):
            raise Mismatch(place, UNSUPPORTED)


UNSUPPORTED = " is not supported by this version of runt: leave it out, or use another runtime"


def found(value: object) -> str:
    """Return a short description of a JSON value for an error message."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dict):
        return "an object"
    if isinstance(value, list):
        return "an array"
    if isinstance(value, str):
        text = ascii(value) if any(not character.isprintable() for character in value) else f'"{value}"'
        return text if len(text) <= 60 else f"{text[:56]}...{text[-1]}"
    if isinstance(value, int) and abs(value) >= 10**30:
        return "a much larger number"
    return f"{value}"


def name_place(place: Place) -> str:
    """Return a place in the form `process.args[0]`; the whole document is `config`."""
    text = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in place)
    return text.removeprefix(".") or "config"
