"""Break real configurations in one place each: `python -m tests.config_mutations [--random 3000] [--seed N] [--engines runt,runc,crun]`.

What `runt` refuses when it reads a configuration, `explain BUNDLE` must find, and where it is. With `--engines`, as root, the
configurations that runt reads are created and started on these engines in labs: what runt refuses then must be found too, and
where every engine accepts all, `explain` must see no error. A configuration that leaves its root filesystem, its mount namespace
or its cgroup is not run. Tens of minutes with three engines.
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.support.engines import stage
from tests.support.lab import bundle
from tests.support.mutated_config import Mutation, bases, mutations, some
from tests.support.refusals import is_harmless, refusal, told
from tutor.explain.bundle import Bundle
from tutor.explain.survey import survey

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tests.support.engines import Stage
    from tutor.engines.model import EngineName
    from tutor.explain.model import Finding

Outcomes = dict[str, str]
"""By the name of a mistake: `accepted`, or what the engine said, or how the container ended."""
_UNSEEN = ("realtimeRuntime", 'exec: \\"/proc/')
"""What the lab's own cgroup lets a container have, and whether a program below a mount can run."""


def chosen(found: dict[str, Any], seed: int, count: int) -> list[Mutation]:
    """Return every mistake of the lists once for each text, and random ones."""
    made: dict[str, Mutation] = {}
    for base, config in found.items():
        dice = random.Random(f"{seed}-{base}")  # noqa: S311  (the same every time)
        for each in (*mutations(base, config), *some(base, config, dice, count // len(found))):
            made.setdefault(each.text, each)
    return list(made.values())


def look(made: Iterable[Mutation], place: Path) -> tuple[dict[str, list[Finding]], int]:
    """Return what `explain` finds for each, by its name, and how much of what runt refuses it does not find."""
    seen = {}
    wrong: list[str] = []
    counts: Counter[str] = Counter()
    for each in made:
        (place / "config.json").write_text(each.text)
        found = seen[each.name] = survey(Bundle(place))
        why = refusal(each.text)
        counts["refused when read" if why else "read"] += 1
        wrong += filter(None, [told(each, why, found)])
    print(f"{dict(counts)}: {len(wrong)} not found", *wrong, sep="\n", flush=True)
    return seen, len(wrong)


def run(engine: EngineName, made: list[Mutation], folder: Path, outcomes: dict[str, Outcomes]) -> None:
    """Create and start each in a lab, and delete it."""
    path = bundle(folder)
    outcomes[engine] = {}
    with stage(folder, engine, path) as here:
        for number, each in enumerate(made, 1):
            (path / "config.json").write_text(each.text)
            outcomes[engine][each.name] = _outcome(here)
            if number % 200 == 0:
                print(f"{engine}: {number} of {len(made)}", flush=True)


def _outcome(here: Stage) -> str:
    here.said.clear()
    operation, result = "create", here.runner.run("create", "box", cwd=here.bundle)
    if not result.returncode:
        operation, result = "start", here.runner.run("start", "box", cwd=here.bundle)
    status = here.status()
    if status != "none":
        if status != "stopped":
            here.run("kill", "KILL")
        here.run("delete", "--force")
    if result.returncode:
        return f"{operation}: {result.stderr.strip()[-300:]}"
    return "accepted" if status == "running" else f"ended: {here.printed('create', 'stderr')[-300:]}"


def compare(made: list[Mutation], seen: dict[str, list[Finding]], outcomes: dict[str, Outcomes]) -> int:
    """Print where engines and `explain` differ; return how often."""
    wrong = []
    counts: Counter[str] = Counter()
    for each in made:
        errors = [(found.id, found.pointer) for found in seen[each.name] if found.severity == "error"]
        results = {engine: outcomes[engine][each.name] for engine in outcomes}
        by_runt = results.get("runt", "")
        counts["refused by runt" if by_runt.startswith("create: ") else "others"] += 1
        if (
            by_runt.startswith("create: ")
            and not errors
            and not any(word in each.text + by_runt for word in _UNSEEN)
        ):
            wrong.append(f"{each.name}: not found: {by_runt}")
        elif errors and all(result == "accepted" for result in results.values()):
            wrong.append(f"{each.name}: found, and accepted by {', '.join(results)}: {errors}")
    print(f"{dict(counts)}: {len(wrong)} differ", *wrong, sep="\n", flush=True)
    return len(wrong)


def main() -> int:
    """Break, compare, and return 1 if something differs."""
    parser = argparse.ArgumentParser(prog="python -m tests.config_mutations", description=__doc__)
    parser.add_argument("--random", type=int, default=3000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--engines", default="")
    parser.add_argument("--every", type=int, default=1, help="run only every Nth on the engines")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        made = chosen(bases(folder), arguments.seed, arguments.random)
        seen, missed = look(made, bundle(folder / "seen"))
        if not arguments.engines:
            return min(missed, 1)
        runnable = [each for each in made if refusal(each.text) is None and is_harmless(each)][
            :: arguments.every
        ]
        print(f"{len(runnable)} to run", flush=True)
        outcomes: dict[str, Outcomes] = {}
        with ThreadPoolExecutor() as pool:
            tasks = [
                pool.submit(run, engine, runnable, folder / engine, outcomes)
                for engine in arguments.engines.split(",")
            ]
        for task in tasks:
            task.result()
        return min(missed + compare(runnable, seen, outcomes), 1)


if __name__ == "__main__":
    sys.exit(main())
