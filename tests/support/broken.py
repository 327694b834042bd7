"""Broken configurations as data: a bundle is made of each, an engine runs it, and its output is kept."""

from __future__ import annotations

import copy
import json
import struct
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

if TYPE_CHECKING:
    from tests.support.engines import Stage
    from tutor.engines.model import EngineName

DATA = Path(__file__).parents[1] / "tutor" / "explain"
ENGINES: tuple[EngineName, ...] = ("runt", "runc", "crun")


@dataclass(frozen=True)
class Broken:
    """One case of `broken.yaml`; the head of that file explains the keys."""

    name: str
    raw: dict[str, Any]

    def expected(self, engine: str) -> dict[str, Any]:
        """Return what the engine must do (`outcome`: fails, accepts or silent) and the explanation that it must get."""
        own = self.raw.get(engine, {})
        own = {"outcome": own} if isinstance(own, str) else own
        return {"outcome": "fails", **self.raw["expect"], **own}

    @property
    def operations(self) -> list[list[str]]:
        return self.raw.get("run") or [["create"], ["start"]]

    def text(self, bundle: Path) -> str | None:
        base = (DATA / "base.json").read_text()
        if "text" in self.raw:
            text: str | None = self.raw["text"]
            return text
        if "replace" in self.raw:
            old, new = self.raw["replace"]
            assert base.count(old) == 1, f"{self.name}: {old} is not once in base.json"
            return base.replace(old, new)
        if "cut" in self.raw:
            return base[: self.raw["cut"]]
        if "change" not in self.raw and "remove" not in self.raw:
            return base
        config = json.loads(base)
        for pointer in self.raw.get("remove", []):
            _change(config, pointer, ...)
        for pointer, value in self.raw.get("change", {}).items():
            _change(config, pointer, copy.deepcopy(value))
        return json.dumps(config, indent=2).replace("{bundle}", str(bundle))


def cases() -> list[Broken]:
    with (DATA / "broken.yaml").open(encoding="utf-8") as file:
        return [Broken(name, raw) for name, raw in yaml.safe_load(file).items()]


def _change(config: Any, pointer: str, value: Any) -> None:
    *path, last = pointer.split("/")[1:]
    at = config
    for name in path:
        at = at[int(name)] if isinstance(at, list) else at.setdefault(name, {})
    if value is ...:
        del at[int(last) if isinstance(at, list) else last]
    elif isinstance(at, list) and last == "-":
        at.append(value)
    else:
        at[int(last) if isinstance(at, list) else last] = value


@dataclass
class Outcome:
    """The result of a case: the operation that failed (else the last one), its exit status and its output."""

    operation: str
    status: int
    said: str
    bundle: Path
    state: str = "none"
    files: dict[Path, bytes | None] = field(default_factory=dict)


def lay(case: Broken, bundle: Path) -> dict[Path, bytes | None]:
    """Write a case's files; return what stood there before, for `clear`."""
    config = bundle / "config.json"
    before: dict[Path, bytes | None] = {}
    for name, what in case.raw.get("files", {}).items():
        path = bundle / name
        before[path] = path.read_bytes() if path.exists() else None
        path.write_bytes(what["text"].encode() if "text" in what else elf(**what["elf"]))
        path.chmod(int(what.get("mode", "0755"), 8))
    config.unlink(missing_ok=True)
    text = case.text(bundle)
    if text is not None:
        config.write_bytes(text.encode().replace(b"\\xff", b"\xff"))
    return before


def clear(before: dict[Path, bytes | None]) -> None:
    for path, content in before.items():
        if content is None:
            path.unlink()
        else:
            path.write_bytes(content)


def run(case: Broken, here: Stage) -> Outcome:
    """Run a case's operations until one fails, then remove the container."""
    outcome = Outcome("", 0, "", here.bundle)
    here.said.clear()
    for operation, *arguments in case.operations:
        if operation == "wait":
            here.until_status(*arguments)
            continue
        container = "box"
        if arguments and arguments[0].startswith("id="):
            container = arguments.pop(0).removeprefix("id=")
        result = here.runner.run(operation, container, *arguments, cwd=here.bundle)
        outcome.operation, outcome.status, outcome.said = operation, result.returncode, result.stderr
        if result.returncode:
            break
    outcome.state = here.status()
    if outcome.operation == "start" and not outcome.status:
        outcome.said = here.printed("create", "stderr")
    if outcome.state != "none":
        if outcome.state != "stopped":
            here.run("kill", "KILL")
        here.run("delete", "--force")
    return outcome


def elf(machine: int = 62, interpreter: str = "") -> bytes:
    """Return an ELF program of headers only (elf(5)): the kernel reads no more of it before it refuses."""
    name = interpreter.encode() + b"\0"
    count = 2 if interpreter else 1
    size = 64 + 56 * count
    head = struct.pack(
        "<4s5B7xHHIQQQIHHHHHH", b"\x7fELF", 2, 1, 1, 0, 0, 2, machine, 1, 0x400000 + size, 64, 0, 0, 64, 56, count, 0, 0, 0
    )  # fmt: skip
    load = struct.pack("<IIQQQQQQ", 1, 5, 0, 0x400000, 0x400000, size + len(name), size + len(name), 4096)
    interp = struct.pack("<IIQQQQQQ", 3, 4, size, 0x400000 + size, 0, len(name), len(name), 1)
    return head + (interp if interpreter else b"") + load + name
