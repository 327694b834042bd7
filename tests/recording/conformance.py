"""`python -m tests.recording.conformance [PATH ...]`: check runtimes for conformance, record it, and write the manual's table.

Without paths, the engines that are installed; `script/sid-engines` runs it with those of Debian sid. As root.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from tests.support import manual
from tutor.engines.engine import path_of
from tutor.engines.model import ENGINE_NAMES

RECORD = Path(__file__).with_name("conformance.json")
PROGRAM = "tests/recording/conformance"
_WORDS = {"pass": "合格", "fail": "不合格", "inapplicable": "対象外"}


def check(path: str) -> dict[str, Any]:
    """Return the record of a runtime: its versions, the counts, and which checks it failed.

    Raises:
        SystemExit: the checks could not be run, or not all of them.
    """
    words = [sys.executable, "-m", "tutor", "conformance", "--lang", "ja", "--json", "--runtime", path]
    done = subprocess.run(words, stdout=subprocess.PIPE, text=True, check=False)
    report = json.loads(done.stdout or "{}")
    if not report or report["counts"]["undone"]:
        raise SystemExit(f"{path}: not all checks were run")
    return {
        "version": report["runtime"]["version"].partition("+")[0],
        "specification": report["runtime"]["specification"],
        "kernel": report["kernel"].partition("-")[0],
        "counts": {each: report["counts"][each] for each in _WORDS},
        "failed": [each["id"] for each in report["checks"] if each["status"] == "fail"],
    }


def text(recorded: dict[str, Any]) -> str:
    """Return the table of all records, and below it what each runtime does otherwise, as Markdown."""
    lines = [
        f"| ランタイム | 従う仕様 | カーネル | {' | '.join(_WORDS.values())} |",
        "| --- | --- | --- | --: | --: | --: |",
    ]
    for name, record in recorded.items():
        counts = " | ".join(str(record["counts"][each]) for each in _WORDS)
        lines.append(f"| {name} | {record['specification']} | {record['kernel']} | {counts} |")
    lines.append("")
    for name, record in recorded.items():
        failed = "、".join(f"`{each}`" for each in record["failed"]) or "ありません"
        lines.append(f"- {name} が不合格の検査: {failed}")
    return "\n".join(lines) + "\n"


def main(paths: list[str]) -> None:
    """Check and record each runtime."""
    recorded = manual.load(RECORD) if RECORD.exists() else {}
    for path in paths or [found for name in ENGINE_NAMES if (found := path_of(name))]:
        record = check(path)
        recorded[f"{Path(path).name} {record['version']}"] = record
    recorded = dict(sorted(recorded.items(), key=_order))
    manual.save(RECORD, recorded)
    manual.keep(PROGRAM, text(recorded))


def _order(item: tuple[str, Any]) -> tuple[int, list[int]]:
    """Return what sorts a record: by engine, and older versions first."""
    name, _, version = item[0].partition(" ")
    engines: tuple[str, ...] = ENGINE_NAMES
    numbers = [int(each) for each in version.partition("-")[0].split(".") if each.isdigit()]
    return (engines.index(name) if name in engines else len(engines)), numbers


if __name__ == "__main__":
    main(sys.argv[1:])
