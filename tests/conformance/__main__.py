"""Run opencontainers/runtime-tools' validation programs on several runtimes and print their results side by side.

    python -m tests.conformance SUITE [--runtime NAME=PATH]... [--only PROGRAM]... [--log DIRECTORY] [--write]

SUITE is a checkout of the suite in which `runtimetest` and every `validation/*/*.t` have been built. Each program runs
in a mount namespace of its own and each runtime has a state root of its own, so that nothing of a failed program stays.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import NamedTuple

from runtime import __version__
from tests.conformance import table
from tests.support import manual

REPOSITORY = Path(__file__).parents[2]
ALL_CONTROLLERS = """
set -e
hierarchies=/sys/fs/cgroup
kept=$(mktemp -d)
mount --rbind $hierarchies $kept
mount -t tmpfs -o mode=755 cgroup $hierarchies
for path in $kept/*; do
    mkdir $hierarchies/${path##*/}
    mount --rbind $path $hierarchies/${path##*/}
done
umount -l $kept
rmdir $kept
while read -r controller _; do
    if [ "$controller" != "#subsys_name" ] && [ ! -e $hierarchies/$controller ]; then
        mkdir $hierarchies/$controller
        mount -t cgroup -o $controller cgroup $hierarchies/$controller
    fi
done </proc/cgroups
exec "$0"
"""
"""Mounts, for one program, the controllers of cgroup v1 that the kernel has and this machine has not mounted."""

PATIENCE = 120
"""Seconds that one program may take; the slowest waits 10 seconds several times."""


class Result(NamedTuple):
    """The result of a program for a runtime."""

    passed: bool
    assertions: int
    failed: int
    output: str

    @property
    def word(self) -> str:
        """The result as text for the table."""
        if self.passed:
            return "pass" if self.assertions else "pass (no assertion)"
        return f"FAIL ({self.failed} of {self.assertions})" if self.assertions else "FAIL (error)"


def read_result(status: int, output: str) -> Result:
    """Judge a program: it passes when it exits 0, prints no `not ok` and, without any assertion, no `"error"` block."""
    assertions = len(re.findall(r"^\s*(?:not )?ok\b", output, re.MULTILINE))
    failed = len(re.findall(r"^\s*not ok\b", output, re.MULTILINE))
    says_error = re.search(r'^\s*"?error"?\s*:', output, re.MULTILINE) is not None
    passed = status == 0 and "not ok" not in output and (assertions > 0 or not says_error)
    return Result(passed, assertions, failed, output)


def wrapper(directory: Path, name: str, command: list[str]) -> Path:
    """Make a program that is the runtime `command` with a state root of its own: the suite takes one word only."""
    path = directory / name
    words = " ".join(f"'{word}'" for word in [*command, "--root", str(directory / f"{name}.state")])
    path.write_text(f'#!/bin/sh\nexec {words} "$@"\n')
    path.chmod(0o755)
    return path


def run(suite: Path, program: Path, runtime: Path, *, all_controllers: bool = False) -> Result:
    """Run one program of the suite on a runtime."""
    words: list[str | Path] = [program]
    if all_controllers:
        words = ["sh", "-c", ALL_CONTROLLERS, program]
    with tempfile.TemporaryFile() as output:
        process = subprocess.Popen(
            ["unshare", "--mount", "--propagation", "private", *words],
            cwd=suite,
            # A program that fails leaves its bundle behind.
            env={**os.environ, "RUNTIME": str(runtime), "TMPDIR": str(runtime.parent)},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
        try:
            status = process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            process.kill()
            status = process.wait()
        output.seek(0)
        result = read_result(status, output.read().decode("utf-8", "replace"))
    done = subprocess.run([runtime, "list", "-q"], capture_output=True, text=True, check=False)
    for container_id in done.stdout.split():
        subprocess.run([runtime, "delete", "--force", container_id], capture_output=True, check=False)
    return result


def main() -> int:
    """Print the table; return 1 if runt fails a program that another runtime passes."""
    parser = argparse.ArgumentParser(prog="python -m tests.conformance", description=__doc__)
    parser.add_argument("suite", type=Path)
    parser.add_argument("--runtime", action="append", metavar="NAME=PATH", default=[])
    parser.add_argument("--only", action="append", metavar="PROGRAM", default=[])
    parser.add_argument(
        "--all-controllers", action="store_true", help="mount the v1 controllers that are not mounted"
    )
    parser.add_argument("--write", action="store_true", help="keep the table in README.ja.md")
    parser.add_argument("--log", type=Path, help="keep the output of every program in this directory")
    arguments = parser.parse_args()
    suite = arguments.suite.resolve()
    programs = sorted(
        path for path in suite.glob("validation/*/*.t") if not arguments.only or path.stem in arguments.only
    )
    if not programs or not (suite / "runtimetest").exists():
        parser.error(f"{suite} has no built suite: runtimetest and validation/*/*.t are missing")
    with tempfile.TemporaryDirectory() as temporary:
        # A container in a user namespace must be able to reach its bundle.
        Path(temporary).chmod(0o755)
        commands = {"runt": [sys.executable, str(REPOSITORY / "tests/conformance/runt.py")]}
        for pair in arguments.runtime or [
            f"{name}={path}" for name in ("runc",) if (path := shutil.which(name))
        ]:
            name, _, path = pair.partition("=")
            commands[name] = [path]
        runtimes = {name: wrapper(Path(temporary), name, command) for name, command in commands.items()}
        passed, status = compare(
            suite, programs, runtimes, arguments.log, all_controllers=arguments.all_controllers
        )
        if arguments.write:
            versions = {
                name: manual.version(command[-1]) for name, command in commands.items() if name != "runt"
            }
            way = "all-controllers" if arguments.all_controllers else "plain"
            table.keep(way, len(programs), {"runt": __version__, **versions}, passed)
        return status


def compare(
    suite: Path,
    programs: list[Path],
    runtimes: dict[str, Path],
    log: Path | None,
    *,
    all_controllers: bool,
) -> tuple[dict[str, int], int]:
    """Run every program on every runtime, and print a row for each; return how many each passes, and the exit status."""
    width = max(len(program.stem) for program in programs)
    sys.stdout.write(f"{'program':<{width}}  " + "  ".join(f"{name:<20}" for name in runtimes) + "\n")
    sums: dict[str, list[Result]] = {name: [] for name in runtimes}
    regressions = []
    for program in programs:
        row = {
            name: run(suite, program, path, all_controllers=all_controllers)
            for name, path in runtimes.items()
        }
        for name, result in row.items():
            sums[name].append(result)
            if log is not None:
                log.mkdir(parents=True, exist_ok=True)
                (log / f"{program.stem}.{name}").write_text(result.output)
        cells = "  ".join(f"{result.word:<20}" for result in row.values())
        sys.stdout.write(f"{program.stem:<{width}}  {cells}\n")
        sys.stdout.flush()
        if not row["runt"].passed and any(result.passed for result in row.values()):
            regressions.append(program.stem)
    for name, results in sums.items():
        failed = sum(result.failed for result in results)
        sys.stdout.write(
            f"{name}: {sum(result.passed for result in results)} of {len(results)} programs pass, {failed} assertions of the others fail\n"
        )
    for name in regressions:
        sys.stdout.write(f"runt fails where another passes: {name}\n")
    passed = {name: sum(result.passed for result in results) for name, results in sums.items()}
    return passed, 1 if regressions else 0


if __name__ == "__main__":
    sys.exit(main())
