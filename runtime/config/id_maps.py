"""Looking IDs up in mappings, and crun's way to write those of a mount into an option of it, which `podman --mount` takes too.

In `idmap=uids=0-1-10#10-11-10;gids=@0-100-10` three numbers are the first ID in the file system, the first on the host, and how many
there are; with `@` the second is one of the container. The specification has members of the mount for this (config.md, Mounts:
uidMappings and gidMappings).
"""

from __future__ import annotations

from runtime.config.shape import Mismatch, found

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from runtime.config.document import Place
    from runtime.config.types import Config, IdMapping

_KINDS = ("uids", "gids")
_HIGHEST = 2**32 - 1


def write_out_id_maps(config: Config) -> None:
    """Put the mappings of such options into the members of their mounts, where all else looks for them. Raises Mismatch."""
    for index, mount in enumerate(config.get("mounts", ())):
        for number, option in enumerate(mount.get("options", ())):
            name, _, text = option.partition("=")
            if name not in ("idmap", "ridmap") or not text:
                continue
            mappings = _mappings(config, text, ("mounts", index, "options", number))
            mount["options"][number] = name
            # With both the members count, as with crun.
            if not mount.get("uidMappings"):
                mount["uidMappings"], mount["gidMappings"] = mappings["uids"], mappings["gids"]


def _mappings(config: Config, text: str, place: Place) -> dict[str, list[IdMapping]]:
    mappings: dict[str, list[IdMapping]] = {}
    for part in text.split(";"):
        kind, _, ranges = part.partition("=")
        if kind not in _KINDS or kind in mappings:
            raise Mismatch(place, f": expected uids=... and gids=..., each once, found {found(part)}")
        linux = config["linux"]
        own = linux.get("uidMappings", ()) if kind == "uids" else linux.get("gidMappings", ())
        mappings[kind] = [_mapping(each, own, place) for each in ranges.split("#")]
    if len(mappings) < len(_KINDS):
        raise Mismatch(place, f": expected both uids=... and gids=..., found {found(text)}")
    return mappings


def _mapping(text: str, own: Sequence[IdMapping], place: Place) -> IdMapping:
    words = text.removeprefix("@").split("-")
    if len(words) != 3 or not all(word.isascii() and word.isdigit() and len(word) <= 10 for word in words):
        raise Mismatch(place, f": expected three numbers such as 0-1000-10, found {found(text)}")
    inside, outside, size = map(int, words)
    if max(inside, outside, size) > _HIGHEST:
        raise Mismatch(place, f": expected numbers of at most {_HIGHEST}, found {found(text)}")
    if text.startswith("@"):
        outside = host_id(own, outside)
        if outside < 0:
            raise Mismatch(place, f": {found(text)}: the user namespace does not map this ID")
    return {"containerID": inside, "hostID": outside, "size": size}


def host_id(mappings: Sequence[IdMapping], number: int) -> int:
    """Return the ID on the host for an ID of the container, -1 if it is not mapped."""
    for mapping in mappings:
        offset = number - mapping["containerID"]
        if 0 <= offset < mapping["size"]:
            return mapping["hostID"] + offset
    return -1
