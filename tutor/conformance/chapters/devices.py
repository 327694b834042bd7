"""Devices: those that every container has, and those of the configuration: config-linux.md, runtime-linux.md."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tutor.conformance.registry import add, check

if TYPE_CHECKING:
    from tutor.conformance.subject import Subject

_DEVICES, _DEFAULT = "config-linux.md#devices", "config-linux.md#default-devices"
_LINKS = "runtime-linux.md#dev-symbolic-links"


def _default(name: str, numbers: str) -> None:
    def run(t: Subject) -> None:
        major, minor = (int(each) for each in numbers.split(":"))
        t.prints(f"stat -L -c '%F %t:%T' /dev/{name}", f"character special file {major:x}:{minor:x}")

    add(f"devices.{name}", _DEFAULT, run, text="devices.default", name=name)


for _name, _numbers in (
    ("null", "1:3"),
    ("zero", "1:5"),
    ("full", "1:7"),
    ("random", "1:8"),
    ("urandom", "1:9"),
    ("tty", "5:0"),
):
    _default(_name, _numbers)


@check("devices.null-usable", _DEFAULT)
def null_usable(t: Subject) -> None:
    """/dev/null can be written by every user."""
    t.prints(
        "echo x >/dev/null && echo written",
        "written",
        patch={"process": {"user": {"uid": 1000, "gid": 1000}}},
    )


@check("devices.ptmx", _DEFAULT)
def ptmx(t: Subject) -> None:
    """/dev/ptmx is that of the container's own /dev/pts."""
    mount = {
        "destination": "/dev/pts",
        "type": "devpts",
        "source": "devpts",
        "options": ["nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620"],
    }
    t.prints("test /dev/ptmx -ef /dev/pts/ptmx && echo same", "same", mounts=[mount])


def _link(name: str, target: str) -> None:
    def run(t: Subject) -> None:
        t.prints(f"readlink /dev/{name}", target)

    add(f"devices.link-{name}", _LINKS, run, text="devices.link", name=name, target=target)


for _name, _target in (
    ("fd", "/proc/self/fd"),
    ("stdin", "/proc/self/fd/0"),
    ("stdout", "/proc/self/fd/1"),
    ("stderr", "/proc/self/fd/2"),
):
    _link(_name, _target)


def _made(name: str, device: dict[str, Any], script: str, expected: str) -> None:
    def run(t: Subject) -> None:
        t.prints(script, expected, patch={"linux": {"devices": [device]}})

    add(f"devices.{name}", _DEVICES, run)


_ZERO: dict[str, Any] = {"path": "/dev/mine", "type": "c", "major": 1, "minor": 5}
_STAT = "stat -c '%F %t:%T' /dev/mine"
_made("character", _ZERO, _STAT, "character special file 1:5")
_made("unbuffered", {**_ZERO, "type": "u"}, _STAT, "character special file 1:5")
_made("block", {"path": "/dev/mine", "type": "b", "major": 7, "minor": 0}, _STAT, "block special file 7:0")
_made("fifo", {"path": "/dev/mine", "type": "p"}, "stat -c %F /dev/mine", "fifo")
_made("mode", {**_ZERO, "fileMode": 0o640}, "stat -c %a /dev/mine", "640")
_made("owner", {**_ZERO, "uid": 12, "gid": 34}, "stat -c %u:%g /dev/mine", "12:34")
_made(
    "elsewhere",
    {**_ZERO, "path": "/other/place/mine"},
    "stat -c %F /other/place/mine",
    "character special file",
)


@check("devices.file-in-the-way", _DEVICES)
def file_in_the_way(t: Subject) -> None:
    """A file at the path of a device that is not that device is an error."""
    t.refuses({"linux": {"devices": [{**_ZERO, "path": "/taken"}]}}, files={"rootfs/taken": "x"})
