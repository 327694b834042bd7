"""`python -m tests.recording.engines [DATE]`: ask the engines on PATH, and write what they answer to `engines.yaml`.

An engine unpacked beside this machine's is asked when its folder stands first on PATH. An observation of the same version is replaced;
what this machine can't tell stays as it was.
"""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path
from typing import Any

import yaml

from tests.recording.manual import TRAITS, traits
from tests.support import manual
from tutor.engines.engine import installed
from tutor.engines.traits.file import FILE
from tutor.engines.traits.kept import answers_of
from tutor.engines.traits.table import Table
from tutor.home import Home
from tutor.lab import cgroups


def main() -> None:
    text = FILE.read_text(encoding="utf-8")
    head, _, _ = text.partition("observations:")
    observations: list[dict[str, Any]] = yaml.safe_load(text)["observations"] or []
    versions = "+".join(f"v{each}" for each in sorted({one.version for one in cgroups.hierarchies()}))
    machine = f"kernel {os.uname().release.partition('-')[0]}, cgroup {versions}"
    for engine in installed():
        with tempfile.TemporaryDirectory() as folder:
            own = Path(folder)
            asked = answers_of(Home(own, own, own), engine)
        key = (engine.name, engine.version)
        before = [each for each in observations if (each["engine"], each["version"]) == key]
        observations = [each for each in observations if each not in before]
        answers = dict(before[0]["answers"]) if before else {}
        answers |= {trait: each for trait, each in asked.answers.items() if each}
        observations.append(
            {
                "engine": engine.name,
                "version": engine.version,
                "date": sys.argv[1] if len(sys.argv) > 1 else asked.date,
                "machine": machine,
                "answers": dict(sorted(answers.items())),
            }
        )
    observations.sort(
        key=lambda each: (each["engine"] != "runt", each["engine"] == "crun", _order(each["version"]))
    )
    written = yaml.safe_dump({"observations": observations}, sort_keys=False, allow_unicode=True, width=130)
    FILE.write_text(head + written, encoding="utf-8")
    Table.load.cache_clear()
    manual.keep(TRAITS, traits(Table.load()))


def _order(version: str) -> list[int]:
    return [int("".join(filter(str.isdigit, part)) or 0) for part in version.partition("+")[0].split(".")]


if __name__ == "__main__":
    main()
