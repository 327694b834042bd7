"""The parts of README.ja.md that programs write: between two comments, from what was measured and recorded beside the program."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

README = Path(__file__).parents[2] / "README.ja.md"


def marks(program: str) -> tuple[str, str]:
    """Return the comments between which a program's part stands."""
    return (
        f"<!-- {program} が書く部分: ここから -->\n",
        f"<!-- {program} が書く部分: ここまで -->\n",
    )


def part(program: str) -> str:
    """Return what stands between a program's marks."""
    begin, end = marks(program)
    _, found, rest = README.read_text(encoding="utf-8").partition(begin)
    text, closed, _ = rest.partition(end)
    if not found or not closed:
        raise SystemExit(f"{README.name} has no marks for {program}")
    return text


def keep(program: str, text: str) -> None:
    """Write the text between a program's marks."""
    begin, end = marks(program)
    readme = README.read_text(encoding="utf-8")
    README.write_text(
        readme.replace(f"{begin}{part(program)}{end}", f"{begin}\n{text}\n{end}"), encoding="utf-8"
    )


def version(program: str) -> str:
    """Return the version that a program says it is, without the distribution's suffix: `1.1.5`."""
    said = subprocess.run([program, "--version"], capture_output=True, text=True, check=True).stdout
    return said.split("version ", 1)[1].split()[0].rstrip(",").partition("+")[0]


def load(record: Path) -> Any:
    """Return what a program has recorded."""
    return json.loads(record.read_text(encoding="utf-8"))


def save(record: Path, content: object) -> None:
    """Record what a program has measured."""
    record.write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
