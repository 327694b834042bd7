"""config.json itself: what it must have, and what must be refused or ignored: config.md."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from tutor.conformance.registry import add, check

if TYPE_CHECKING:
    from collections.abc import Callable

    from tutor.conformance.subject import Subject

_VERSION, _PROCESS, _VALID = "config.md#specification-version", "config.md#process", "config.md#valid-values"
_EXTENSIBILITY = "config.md#extensibility"


def _refused(name: str, clause: str, patch: dict[str, Any]) -> None:
    def run(t: Subject) -> None:
        t.refuses(patch)

    add(f"config.{name}", clause, run)


def _refused_text(name: str, clause: str, change: Callable[[str], str]) -> None:
    def run(t: Subject) -> None:
        t.refuses(text=change)

    add(f"config.{name}", clause, run)


_refused_text("not-json", _VALID, lambda text: text.rstrip()[:-1])
_refused_text("empty", _VALID, lambda _text: "")
_refused_text("not-an-object", _VALID, lambda _text: "[]")
_refused("version-absent", _VERSION, {"ociVersion": None})
_refused("version-form", _VERSION, {"ociVersion": "nonsense"})
_refused("version-major", _VERSION, {"ociVersion": "2.0.0"})
_refused("version-type", _VERSION, {"ociVersion": 1})
_refused("root-absent", "config.md#root", {"root": None})
_refused("root-path-absent", "config.md#root", {"root": {"path": None}})
_refused("cwd-absent", _PROCESS, {"process": {"cwd": None}})
_refused("cwd-relative", _PROCESS, {"process": {"cwd": "tmp"}})
_refused("args-absent", _PROCESS, {"process": {"args": None}})
_refused("args-empty", _PROCESS, {"process": {"args": []}})
_refused("args-type", _VALID, {"process": {"args": "/bin/true"}})
_refused("env-type", _VALID, {"process": {"env": {"A": "1"}}})
_refused("number-type", _VALID, {"process": {"user": {"uid": "0"}}})
_refused("boolean-type", _VALID, {"root": {"readonly": "true"}})
_refused("mounts-type", _VALID, {"mounts": {"destination": "/x"}})
_refused("namespaces-type", _VALID, {"linux": {"namespaces": "mount"}})
_refused("seccomp-action", _VALID, {"linux": {"seccomp": {"defaultAction": "SCMP_ACT_NONSENSE"}}})
_refused("propagation-value", _VALID, {"linux": {"rootfsPropagation": "nonsense"}})


def _ignored(name: str, place: str, patch: dict[str, Any]) -> None:
    def run(t: Subject) -> None:
        t.prints("echo ran", "ran", patch=patch)

    add(f"config.{name}", _EXTENSIBILITY, run, text="config.unknown-member", place=place)


_EXTRA = {"org.example.extra": {"a": [1, None, "x"]}}
_ignored("unknown-member", "/", _EXTRA)
_ignored("unknown-member-of-process", "/process", {"process": _EXTRA})
_ignored("unknown-member-of-root", "/root", {"root": _EXTRA})
_ignored("unknown-member-of-linux", "/linux", {"linux": _EXTRA})


def _version(version: str) -> None:
    def run(t: Subject) -> None:
        t.prints("echo ran", "ran", patch={"ociVersion": version})

    add(f"config.version-{version}", _VERSION, run, text="config.version", since=version, version=version)


for _each in ("1.0.0", "1.0.2", "1.1.0", "1.2.0"):
    _version(_each)


@check("config.hostname", "config.md#hostname")
def hostname(t: Subject) -> None:
    """`hostname` is set."""
    t.prints("uname -n", "conformance", patch={"hostname": "conformance"})


@check("config.hostname-absent", "config.md#hostname")
def hostname_absent(t: Subject) -> None:
    """Without `hostname` the name is left as it is."""
    t.prints("uname -n", t.shell("uname -n").stdout.strip())


@check("config.domainname", "config.md#domainname", since="1.1.0")
def domainname(t: Subject) -> None:
    """`domainname` is set."""
    t.prints(
        "cat /proc/sys/kernel/domainname",
        "example.org",
        patch={"ociVersion": "1.1.0", "domainname": "example.org"},
    )


@check("config.escapes", _VALID)
def escapes(t: Subject) -> None:
    """A string is what its JSON escapes say: blanks, a line break, letters beyond ASCII."""
    args = ["/bin/sh", "-c", 'printf "%s" "$1" | od -An -tx1 | tr -d " \\n"', "sh", 'a\t\n"\u3042\U0001f600']
    with t.bundle(patch={"process": {"args": args}}) as box:
        done = box.engine("run")
        t.ok(done, "run")
        t.same("args", args[-1].encode().hex(), done.stdout.strip())


@check("config.large-numbers", _VALID)
def large_numbers(t: Subject) -> None:
    """An integer of 64 bits keeps its value."""
    limit = {"type": "RLIMIT_FSIZE", "soft": (1 << 62) + 1024, "hard": (1 << 62) + 1024}
    t.prints(
        "grep 'Max file size' /proc/self/limits",
        f"Max file size {(1 << 62) + 1024} {(1 << 62) + 1024} bytes",
        patch={"process": {"rlimits": [limit]}},
    )


@check("config.key-order", _VALID)
def key_order(t: Subject) -> None:
    """The order of members does not matter."""

    def backwards(text: str) -> str:
        return json.dumps(dict(reversed(list(json.loads(text).items()))))

    with t.bundle("echo ran", text=backwards) as box:
        done = box.engine("run")
        t.ok(done, "run")
        t.same("echo ran", "ran", done.stdout.strip())
