"""What engines print for each case of `broken.yaml`, kept so that every release's words are explained on every machine.

    script/test --peers sid tests/recording/errors.py -q -s | python -m tests.recording.errors

The first part runs the cases on the engines of a release and prints a line for each; the second writes `explain/recorded/*.json`,
one file for each version of runc and crun. Without the option, the engines of this machine are recorded.
"""

from __future__ import annotations

import json
import re
import sys
import threading
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.broken import RECORDED, cases, clear, lay, run
from tests.support.engines import stage
from tests.support.lab import bundle
from tutor.engines.engine import installed

if TYPE_CHECKING:
    from pathlib import Path

    from tutor.engines.engine import Engine

_MARK = "@recorded "


@pytest.mark.root
@pytest.mark.peer("runc", "crun")
def test_record(tmp_path: Path) -> None:
    """Print what the engines on PATH say: one lab for each, all at once."""
    engines = [each for each in installed() if each.name != "runt"]
    threads = [threading.Thread(target=_record, args=(each, tmp_path / each.name)) for each in engines]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def _record(engine: Engine, tmp_path: Path) -> None:
    tmp_path.mkdir()
    path = bundle(tmp_path)
    with stage(tmp_path, engine.name, path) as here:
        for case in cases():
            before = lay(case, path)
            outcome = run(case, here)
            clear(before)
            said = outcome.said.replace(str(path), "{bundle}").replace(str(tmp_path), "{place}")
            said = re.sub(r'time="\d{4}-[^"]*"', 'time="now"', said)
            seen = {
                "operation": outcome.operation,
                "status": outcome.status,
                "state": outcome.state,
                "said": said,
            }
            version = engine.version.partition("+")[0]
            line = {"engine": engine.name, "version": version, "case": case.name, "seen": seen}
            print(f"\n{_MARK}{json.dumps(line, ensure_ascii=False)}", flush=True)


def main() -> None:
    """Write the files for the lines on standard input."""
    found: dict[str, dict[str, Any]] = {}
    for text in sys.stdin:
        if text.startswith(_MARK):
            line = json.loads(text.removeprefix(_MARK))
            found.setdefault(f"{line['engine']}-{line['version']}", {})[line["case"]] = line["seen"]
    RECORDED.mkdir(exist_ok=True)
    for name, seen in found.items():
        ordered = {case.name: seen[case.name] for case in cases()}
        text = json.dumps(ordered, ensure_ascii=False, indent=1)
        (RECORDED / f"{name}.json").write_text(f"{text}\n", encoding="utf-8")
        print(f"{name}: {len(ordered)}")


if __name__ == "__main__":
    main()
