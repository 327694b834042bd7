"""Convert frozen values to JSON and back, by the types of their fields.

A dataclass becomes an object with its fields as members, without those that have their default; a tuple becomes an array. The caller
converts strings, since it may have to hide a part.
"""

from __future__ import annotations

import math
import types
from dataclasses import MISSING, fields, is_dataclass
from functools import cache
from typing import TYPE_CHECKING, Any, Literal, TypeVar, Union, cast, get_args, get_origin, get_type_hints

from tutor.engines.model import Call, ContainerState, EngineName
from tutor.observe import Snapshot

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

Json = Any
"""What `json.loads` returns."""

T = TypeVar("T")


class BadValueError(ValueError):
    """A value is not of the expected type; `place` names the member, such as `snapshot.host.pid`."""

    def __init__(self, place: str) -> None:
        super().__init__(place)
        self.place = place


def to_json(value: object, text: Callable[[str], Json]) -> Json:
    """Return a value in the form that `json.dumps` takes; `text` converts a string.

    Raises:
        TypeError: its type has no such form.
    """
    match value:
        case None | bool() | int() | float():
            return value
        case str():
            return text(value)
        case tuple():
            return [to_json(each, text) for each in value]
        case frozenset():
            return [to_json(each, text) for each in sorted(value)]
        case dict():
            return {name: to_json(each, text) for name, each in value.items()}
    return fields_to_json(value, text)


def fields_to_json(value: object, text: Callable[[str], Json], *but: str) -> dict[str, Json]:
    """Return the fields of a dataclass, without those in `but`, in the form that `json.dumps` takes.

    Raises:
        TypeError: it is no dataclass.
    """
    if not is_dataclass(value) or isinstance(value, type):
        raise TypeError(type(value).__name__)
    return {
        each.name: to_json(part, text)
        for each in fields(value)
        if each.name not in but and (part := getattr(value, each.name)) != _default(each)
    }


def from_json(kind: type[T], data: Json, text: Callable[[Json], str], place: str = "", **given: object) -> T:
    """Return a value of a type from the form that `to_json` returns; skip members that the type does not have.

    Args:
        kind: a dataclass, or any type that its fields have.
        data: what `json.loads` returned.
        text: converts the form of a string back; raises ValueError for anything else.
        place: the member that holds `data`, for the error.
        given: fields of the dataclass that are known already.

    Raises:
        BadValueError: it is not of that type.
    """
    if given:
        return cast("T", _read_dataclass(kind, data, text, place, given))
    return cast("T", _read(kind, data, text, place))


def _read(kind: Any, data: Json, text: Callable[[Json], str], place: str) -> Any:
    if is_dataclass(kind):
        return _read_dataclass(cast("type", kind), data, text, place, {})
    if kind is str:
        try:
            return text(data)
        except ValueError as error:
            raise BadValueError(place) from error
    if get_origin(kind) in (Union, types.UnionType):
        (other,) = (each for each in get_args(kind) if each is not types.NoneType)
        return None if data is None else _read(other, data, text, place)
    if get_origin(kind) in (tuple, frozenset, dict):
        return _read_many(kind, data, text, place)
    fits = (
        data in get_args(kind) and isinstance(data, str)
        if get_origin(kind) is Literal
        else (kind is bool and isinstance(data, bool))
        or (kind is int and type(data) is int)
        or (kind is float and type(data) in (int, float) and _is_finite(data))
    )
    if not fits:
        raise BadValueError(place)
    return float(data) if kind is float else data


def _is_finite(number: float) -> bool:
    try:
        return math.isfinite(number)
    except OverflowError:  # an integer that no float can hold
        return False


def _read_many(kind: Any, data: Json, text: Callable[[Json], str], place: str) -> Any:
    made: Any = get_origin(kind)
    if made is dict:
        if not isinstance(data, dict):
            raise BadValueError(place)
        of = get_args(kind)[1]
        return {name: _read(of, each, text, f"{place}.{name}") for name, each in data.items()}
    if not isinstance(data, list):
        raise BadValueError(place)
    of = get_args(kind)[0]
    return made(_read(of, each, text, f"{place}[{number}]") for number, each in enumerate(data))


def _read_dataclass(
    kind: type, data: Json, text: Callable[[Json], str], place: str, given: Mapping[str, object]
) -> Any:
    if not isinstance(data, dict):
        raise BadValueError(place)
    values = dict(given)
    hints = _hints(kind)
    for each in fields(kind):
        inside = f"{place}.{each.name}" if place else each.name
        if each.name in given:
            continue
        if each.name in data:
            values[each.name] = _read(hints[each.name], data[each.name], text, inside)
        elif _default(each) is MISSING:
            raise BadValueError(inside)
    return kind(**values)


def _default(field: Any) -> object:
    return field.default if field.default_factory is MISSING else field.default_factory()


@cache
def _hints(kind: type) -> dict[str, Any]:
    return get_type_hints(
        kind,
        localns={
            "Call": Call,
            "ContainerState": ContainerState,
            "EngineName": EngineName,
            "Snapshot": Snapshot,
        },
    )
