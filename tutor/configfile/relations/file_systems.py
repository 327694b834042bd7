"""The options of the filesystems that configurations mount themselves: tmpfs(5), proc(5), devpts, sysfs, mqueue."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    Forms = dict[str, Callable[[str], object]]

_NUMBER = re.compile(r"[0-9]+").fullmatch
_OCTAL = re.compile(r"[0-7]+").fullmatch
_SIZE = re.compile(r"[0-9]+[kKmMgGtTpPeE]?|[0-9]+%").fullmatch
_NOTHING = re.compile("").fullmatch
_ANY = re.compile(".*", re.DOTALL).fullmatch

OPTIONS: dict[str, Forms] = {
    "tmpfs": {
        **dict.fromkeys(("size", "nr_blocks", "nr_inodes"), _SIZE),
        **dict.fromkeys(("uid", "gid"), _NUMBER),
        "mode": _OCTAL,
        "huge": re.compile("never|always|within_size|advise|deny|force").fullmatch,
        **dict.fromkeys(
            ("inode32", "inode64", "noswap", "quota", "usrquota", "grpquota", "strict_encoding"), _NOTHING
        ),
        **dict.fromkeys(("mpol", "casefold", "source"), _ANY),
        **dict.fromkeys(
            (
                "usrquota_block_hardlimit",
                "usrquota_inode_hardlimit",
                "grpquota_block_hardlimit",
                "grpquota_inode_hardlimit",
            ),
            _SIZE,
        ),
    },
    "proc": {
        "hidepid": re.compile("0|1|2|4|off|noaccess|invisible|ptraceable").fullmatch,
        "gid": _NUMBER,
        "subset": re.compile("pid").fullmatch,
        "pidns": _ANY,
    },
    "devpts": {
        **dict.fromkeys(("uid", "gid", "max"), _NUMBER),
        **dict.fromkeys(("mode", "ptmxmode"), _OCTAL),
        "newinstance": _NOTHING,
    },
    "sysfs": {},
    "mqueue": {},
}
"""By the type and the name, whether a value has the right form; other types are not known here."""
_FOR_ALL = ("context", "fscontext", "defcontext", "rootcontext", "source")
"""Options that a security module takes from those of any filesystem."""


def wrong_part(kind: str, option: str) -> tuple[str, str]:
    """Return what is wrong with an option: `name` or `value`, and the name; empty texts if nothing is, or it is not known."""
    forms = OPTIONS.get(kind)
    if forms is None:
        return "", ""
    for part in option.split(","):
        name, _, value = part.partition("=")
        if not part or name in _FOR_ALL:
            continue
        if name not in forms:
            return "name", name
        if not forms[name](value):
            return "value", name
    return "", ""
