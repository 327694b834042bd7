"""Print the table of fault injection: `python -m tests.faults [VARIANT]... [--operation NAME]... [--every N]`, as root.

A row is a step before which (or after the last of which) something went wrong, a column what it was. A number is how many
things were left after `delete --force`, or differ from before an operation that failed; what they are follows the table.
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from runtime.kernel.syscall import call
from tests.faults.containers import VARIANTS, make_bundle
from tests.faults.experiments import OPERATIONS, Laboratory, Operation
from tests.faults.world import MARK, World

if TYPE_CHECKING:
    from types import FrameType

_COLUMNS = ("runtime", "init", "process", "error")
_SUBREAPER = 36
"""PR_SET_CHILD_SUBREAPER, prctl(2): orphans become children of this process, which waits for them sooner than a busy process 1."""


def main() -> int:
    """Make the experiments; return 1 if one of them left anything."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults", description=__doc__)
    parser.add_argument("variants", nargs="*", choices=[*VARIANTS, []], metavar="VARIANT")
    parser.add_argument("--operation", action="append", choices=[one.name for one in OPERATIONS])
    parser.add_argument("--every", type=int, default=1, metavar="N", help="only every Nth step of a table")
    arguments = parser.parse_args()
    if MARK not in os.environ:
        _start_again()
    call("prctl", _SUBREAPER, 1, 0, 0, 0)
    signal.signal(signal.SIGALRM, _time_is_up)
    operations = [one for one in OPERATIONS if not arguments.operation or one.name in arguments.operation]
    findings: list[str] = []
    count = 0
    for variant in arguments.variants or VARIANTS:
        container_id = f"fault-{variant}-{os.getpid()}"
        with tempfile.TemporaryDirectory(prefix="runt-faults-") as temporary:
            Path(temporary).chmod(0o755)
            root, bundle = Path(temporary, "state"), Path(temporary, "bundle")
            root.mkdir()
            make_bundle(bundle, variant, container_id)
            laboratory = Laboratory(World(root, bundle, container_id, os.environ[MARK]))
            # The first container makes what the image lacks.
            laboratory.kill(operations[0], 0, "runtime")
            for operation in operations:
                count += _print_table(laboratory, variant, operation, findings, arguments.every)
    for finding in findings:
        sys.stdout.write(f"{finding}\n")
    sys.stdout.write(f"{count} experiments, {len(findings)} findings\n")
    return 1 if findings else 0


def _print_table(
    laboratory: Laboratory, variant: str, operation: Operation, findings: list[str], every: int
) -> int:
    """Make the experiments with one table of steps, print a row for each boundary, and return how many were made."""
    title = f"{operation.name} ({variant}): steps of the {operation.process}"
    heads = "".join(f"{f'{name} killed' if name != 'error' else name:>16}" for name in _COLUMNS)
    sys.stdout.write(f"{title:<46}{heads}\n")
    count = 0
    for step in operation.steps[::every]:
        name = f"before {operation.table[step].__name__}" if step < len(operation.table) else "after the last"
        cells = []
        for column in _COLUMNS:
            left: list[str] | None = None
            if column == "error":
                left = laboratory.fail(operation, step)
            elif column in operation.victims:
                left = laboratory.kill(operation, step, column)
            cells.append("-" if left is None else str(len(left)))
            count += left is not None
            findings += [f"{title}, {column}, {name}: {what}" for what in left or ()]
        sys.stdout.write(f"  {name:<44}" + "".join(f"{cell:>16}" for cell in cells) + "\n")
        sys.stdout.flush()
    return count


def _start_again() -> NoReturn:
    """Start again in a new mount namespace, with the mark by which all processes can be found."""
    words = ["unshare", "--mount", "--propagation", "private", sys.executable, "-m", "tests.faults"]
    os.execvpe("unshare", [*words, *sys.argv[1:]], {**os.environ, MARK: str(os.getpid())})


def _time_is_up(_signum: int, _frame: FrameType | None) -> NoReturn:
    raise TimeoutError


if __name__ == "__main__":
    sys.exit(main())
