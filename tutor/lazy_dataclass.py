"""`dataclass` and `field` of the standard library, for classes whose constructor is compiled at its first call, not at import.

The standard decorator compiles six methods of every class while its module is imported, 0.7 ms a class: a fifth of a second
for all, of which one start constructs a third. This one lets the standard decorator collect the fields, so that `fields`, `replace`,
`asdict` and patterns work alike, and gives all classes the same `__eq__`, `__hash__` and `__repr__`.
"""

from __future__ import annotations

import dataclasses
from operator import attrgetter
from typing import TYPE_CHECKING, Literal

__all__ = ["dataclass", "field"]

if TYPE_CHECKING:
    from collections.abc import Callable
    from dataclasses import dataclass, field
    from typing import Any, TypeVar

    T = TypeVar("T")
else:
    field = dataclasses.field

    def dataclass(*, frozen: bool = False, slots: bool = False) -> Callable[[type[T]], type[T]]:
        """Return the decorator; the arguments are those of `dataclasses.dataclass`."""

        def decorate(cls: type[T]) -> type[T]:
            cls.__init__ = _compile_and_init
            cls.__eq__ = _eq
            cls.__repr__ = _repr
            if frozen:
                cls.__hash__ = _hash
                cls.__setattr__ = cls.__delattr__ = _refuse
                cls.__getstate__ = _getstate
                cls.__setstate__ = _setstate
            else:
                cls.__hash__ = None
            return dataclasses.dataclass(init=False, repr=False, eq=False, slots=slots)(cls)

        return decorate


def _compile_and_init(self: Any, *args: Any, **kwargs: Any) -> None:
    """Be the constructor of every class until its own is compiled."""
    cls: Any = next(each for each in type(self).__mro__ if "__dataclass_fields__" in vars(each))
    cls.__init__ = _constructor(cls)
    self.__init__(*args, **kwargs)


def _constructor(cls: Any) -> Callable[..., None]:
    """Return `__init__` with a parameter for each field. Slots are set by their descriptors, whatever `__setattr__` refuses."""
    names: dict[str, Any] = {"set_attribute": object.__setattr__}
    parameters, lines = [], []
    for each in dataclasses.fields(cls):
        name = value = each.name
        if each.default is not dataclasses.MISSING:
            names[f"default_{name}"] = each.default
            parameters.append(f"{name}=default_{name}")
        elif each.default_factory is not dataclasses.MISSING:
            names |= {f"new_{name}": each.default_factory, "MISSING": dataclasses.MISSING}
            parameters.append(f"{name}=MISSING")
            value = f"new_{name}() if {name} is MISSING else {name}"
        else:
            parameters.append(name)
        slot: Any = getattr(cls, name, None)
        if hasattr(slot, "__set__"):
            names[f"set_{name}"] = slot.__set__
            lines.append(f" set_{name}(self, {value})")
        else:
            lines.append(f" set_attribute(self, {name!r}, {value})")
    if hasattr(cls, "__post_init__"):
        lines.append(" self.__post_init__()")
    source = f"def __init__(self, {', '.join(parameters)}):\n" + ("\n".join(lines) or " pass")
    exec(source, names)  # noqa: S102  (as the standard library does; the source is names of fields)
    made: Callable[..., None] = names["__init__"]
    made.__qualname__ = f"{cls.__qualname__}.__init__"
    return made


def _eq(self: object, other: object) -> bool:
    cls = type(self)
    if type(other) is not cls:
        return NotImplemented  # type: ignore[no-any-return]  # typeshed's name for it is Any
    values = _getter(cls, "compare")
    return bool(values(self) == values(other))


def _hash(self: object) -> int:
    return hash(_getter(type(self), "hash")(self))


def _getter(cls: type, what: Literal["compare", "hash"]) -> Callable[[object], Any]:
    """Return what gives the values of the fields that are to be compared or hashed; the class keeps it."""
    name = f"_{what}_values"
    found = vars(cls).get(name)
    if found is None:
        fields = dataclasses.fields(cls)
        chosen = [
            each.name
            for each in fields
            if (each.compare if what == "compare" or each.hash is None else each.hash)
        ]
        found = attrgetter(*chosen) if chosen else _no_values
        setattr(cls, name, found)
    return found


def _no_values(_value: object) -> tuple[()]:
    return ()


def _repr(self: Any) -> str:
    values = (f"{each.name}={getattr(self, each.name)!r}" for each in dataclasses.fields(self) if each.repr)
    return f"{type(self).__qualname__}({', '.join(values)})"


def _refuse(_self: object, name: str, *_value: object) -> None:
    raise dataclasses.FrozenInstanceError(f"cannot change field {name!r}")


def _getstate(self: Any) -> list[Any]:
    return [getattr(self, each.name) for each in dataclasses.fields(self)]


def _setstate(self: Any, state: list[Any]) -> None:
    for name, value in zip(self.__match_args__, state, strict=True):
        object.__setattr__(self, name, value)
