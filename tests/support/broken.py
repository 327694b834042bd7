"""Broken configurations as data: a bundle is made of each, an engine runs it, and its output is kept."""

from __future__ import annotations

import copy
import json
import struct
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from tutor.explain.bundle import Bundle
from tutor.explain.explainer import explain_silence, find
from tutor.explain.model import Failure
from tutor.messages import Messages

if TYPE_CHECKING:
    from tests.support.engines import Stage
    from tutor.engines.model import EngineName

DATA = Path(__file__).parents[1] / "tutor" / "explain"
RECORDED = DATA / "recorded"
# What counts of each outcome.
_TOLD = {
    "accepts": ("outcome",),
    "silent": ("outcome", "is", "at"),
    "fails": ("outcome", "is", "at", "problem", "line"),
}
ENGINES: tuple[EngineName, ...] = ("runt", "runc", "crun")


@dataclass(frozen=True)
class Broken:
    """One case of `broken.yaml`; the head of that file explains the keys."""

    name: str
    raw: dict[str, Any]

    def expected(self, engine: str) -> list[dict[str, Any]]:
        """Return what the engine may do (`outcome`: fails, accepts or silent), each with the explanation that it must then get."""
        own = self.raw.get(engine, {})
        own = own if isinstance(own, list) else [own]
        each = [{"outcome": one} if isinstance(one, str) else one for one in own]
        return [{"outcome": "fails", **self.raw["expect"], **one} for one in each]

    def fits(self, engine: str, found: dict[str, Any]) -> bool:
        """Tell whether what was seen (of `seen`) is what the engine may do, and is explained as it must be."""
        return any(each == {name: found.get(name) for name in each} for each in self.wanted(engine))

    def wanted(self, engine: str) -> list[dict[str, Any]]:
        """Return what must be seen: one of these."""
        return [
            {name: each.get(name) for name in _TOLD[each["outcome"]] if name in each or name in ("is", "at")}
            for each in self.expected(engine)
        ]

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


def seen(engine: str, outcome: Outcome, path: Path) -> dict[str, Any]:
    """Return an outcome and its explanation in the form of the data's `expect`; the case is laid in the bundle at `path`."""
    bundle = Bundle(path)
    if outcome.status:
        finding = find(Failure(outcome.said, outcome.operation, engine), bundle)
        problem = finding.problem
        return {
            "outcome": "fails",
            "is": finding.id,
            "at": finding.pointer,
            "problem": problem.key.partition(".")[2] if problem else None,
            "line": problem.line if problem else None,
            "said": outcome.said,
        }
    ended = outcome.operation == "start" and outcome.state == "stopped"
    silent = explain_silence(outcome.said, bundle, Messages("en")) if ended else None
    if silent is None:
        return {"outcome": "ended" if ended else "accepts", "said": outcome.said}
    return {"outcome": "silent", "is": silent.id, "at": silent.pointer, "said": outcome.said}


def recorded() -> dict[tuple[str, str], dict[str, dict[str, Any]]]:
    """Return what each recorded version of each engine did in each case."""
    return {
        (file.stem.partition("-")[0], file.stem.partition("-")[2]): json.loads(
            file.read_text(encoding="utf-8")
        )
        for file in sorted(RECORDED.glob("*.json"))
    }


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
