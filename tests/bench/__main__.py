"""Compare `runt` with `runc` and `crun`: `python -m tests.bench`, as root.

    --hot N, --cold N   how many rounds (default: 40 and 20)
    --no-docker         without `docker run`
    --write             keep the tables in README.ja.md, and what they are made from in tests/bench/recorded.json

All measurements take turns in one run. Hot: one after the other without a pause. Cold: before each a pause of 0.3 s, and another
program's 64 MiB in the caches; then the kernel has to begin again what it had prepared (a grace period of RCU, before a
cgroup v1 can be joined, for one). Medians of whole processes, from their start to their end.

crun 1.8 refuses a machine with both versions of cgroups mounted: all of them run without the one without controllers.
"""

from __future__ import annotations

import argparse
import os
import platform
import shutil
import subprocess
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path

from runtime import __version__
from tests.bench import steps, table
from tests.bench.contest import Contestant, docker_runs, installed_launcher, make_bundles, runtimes
from tests.bench.stopwatch import adopt_orphans, take_turns
from tests.support import manual
from tests.support.runt import REPOSITORY

_INSIDE = "OCI_TUTOR_BENCH_INSIDE"
_HYBRID = Path("/sys/fs/cgroup/unified")


def main() -> None:
    """Measure, print, and write the tables."""
    options = _options()
    _enter_namespace()
    adopt_orphans()
    results: list[table.Result] = []
    with tempfile.TemporaryDirectory(prefix="bench-", dir="/tmp") as name, ExitStack() as stack:
        launcher = stack.enter_context(installed_launcher())
        directory = Path(name)
        bundles = make_bundles(directory)
        contestants = {
            name: stack.enter_context(Contestant(name, program, directory / "state", bundles))
            for name, program in runtimes(launcher).items()
        }
        for cold, rounds in ((False, options.hot), (True, options.cold)):
            for what in ("run", "life", "exec"):
                measures = {name: getattr(contestant, what) for name, contestant in contestants.items()}
                results.append(table.Result(what, cold, take_turns(measures, rounds, cold=cold)))
                print(results[-1], flush=True)
        if not options.no_docker:
            measures = stack.enter_context(docker_runs(launcher, directory))
            results.append(table.Result("docker", False, take_turns(measures, options.cold, cold=False)))
        rows = steps.measure(bundles[0], directory / "steps", options.hot)
    recorded = table.record(results, rows, _machine(), _versions())
    text = table.text(recorded)
    print(text)
    if options.write:
        manual.save(table.RECORD, recorded)
        manual.keep(table.PROGRAM, text)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--hot", type=int, default=40)
    parser.add_argument("--cold", type=int, default=20)
    parser.add_argument("--no-docker", action="store_true")
    parser.add_argument("--write", action="store_true")
    return parser.parse_args()


def _enter_namespace() -> None:
    """Start again in a mount namespace without cgroup v2 beside v1."""
    if _INSIDE in os.environ:
        if _HYBRID.is_mount():
            subprocess.run(["umount", "--lazy", _HYBRID], check=True)
        # The daemons' files too are where the disk doesn't matter, unless that would hide this very checkout.
        if not REPOSITORY.is_relative_to("/tmp"):
            subprocess.run(["mount", "-t", "tmpfs", "tmpfs", "/tmp"], check=True)
        return
    os.environ[_INSIDE] = "1"
    command = ["unshare", "--mount", "--propagation", "private", sys.executable, "-m", "tests.bench"]
    os.execvp(command[0], [*command, *sys.argv[1:]])


def _machine() -> str:
    return f"CPU {os.cpu_count()}, Linux {platform.release().split('-')[0]}"


def _versions() -> dict[str, str]:
    others = {name: manual.version(name) for name in ("runc", "crun")}
    docker = {"docker": manual.version("dockerd")} if shutil.which("dockerd") else {}
    return {"runt": __version__, **others, **docker}


if __name__ == "__main__":
    main()
