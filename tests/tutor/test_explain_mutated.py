"""Hundreds of real configurations with one mistake: whatever runt refuses, `explain BUNDLE` finds, and where it is.

`python -m tests.config_mutations` tries all of them and random ones, also on the engines themselves.
"""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.support.lab import bundle
from tests.support.mutated_config import LESSON, bases, changed, mutations
from tests.support.refusals import is_harmless, is_near, refusal, told
from tutor import patience
from tutor.explain.bundle import Bundle
from tutor.explain.survey import survey

if TYPE_CHECKING:
    from tests.support.mutated_config import Mutation

CONFIG = Path(__file__).parents[2] / "runtime" / "config"
NOT_AS_ROOT = ("not supported for rootless containers",)
"""The words of rules that hold for an ordinary user only."""


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A bundle."""
    return bundle(tmp_path_factory.mktemp("mutated"))


@pytest.fixture(scope="module")
def chosen(tmp_path_factory: pytest.TempPathFactory) -> list[Mutation]:
    """Every mistake of the list in the largest configuration, and some of all others."""
    some: list[Mutation] = []
    for base, config in bases(tmp_path_factory.mktemp("bases")).items():
        step = 8 if base == "whole" else 12
        made = enumerate(mutations(base, config))
        some += [each for number, each in made if number % step == 0 or (each.listed and base == "whole")]
    return some


@pytest.mark.peer("runc", "crun")
def test_what_runt_refuses_is_found_where_it_is(here: Path, chosen: list[Mutation]) -> None:
    refused = {each: why for each in chosen[::2] if (why := refusal(each.text))}
    assert len(refused) >= 300
    wrong: list[str] = []
    for each, why in refused.items():
        (here / "config.json").write_text(each.text)
        wrong += filter(None, [told(each, why, survey(Bundle(here)))])
    assert not wrong, "\n".join(wrong)


@pytest.mark.peer("runc", "crun")
def test_every_rule_of_runt_is_broken_by_one_of_them(tmp_path: Path) -> None:
    """A new rule needs a mistake here, and so a finding of `explain`."""
    made = (each for base, config in bases(tmp_path).items() for each in mutations(base, config))
    broken = {why.raised for each in made if (why := refusal(each.text))}
    never = []
    for path in sorted(CONFIG.glob("*.py")):
        text = path.read_text(encoding="utf-8")
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.Raise) and "Mismatch(" in (
                said := ast.get_source_segment(text, node) or ""
            ):
                lines = {(path.stem, line) for line in range(node.lineno, (node.end_lineno or 0) + 1)}
                if not lines & broken and not any(words in said for words in NOT_AS_ROOT):
                    never.append(f"{path.name}:{node.lineno}: {said}")
    assert not never, "\n".join(never)


@pytest.mark.root
@pytest.mark.peer("runc", "crun")
def test_what_runt_or_the_kernel_refuses_later_is_found_too(here: Path, tmp_path: Path) -> None:
    """Real containers: a mount, a parameter of the kernel, a limit or a device that can't be."""
    config = bases(tmp_path)["lesson"]
    made = [
        each
        for each in mutations("lesson", config)
        if each.listed and is_harmless(each) and not refusal(each.text)
    ]
    log = tmp_path / "log"
    runt = [str(Path(sys.executable).with_name("runt")), "--root", str(tmp_path / "state"), "--log", str(log)]
    runt = ["unshare", "--mount", "--propagation", "private", *runt]
    refused = 0
    for each in made[::5]:
        (here / "config.json").write_text(each.text)
        found = survey(Bundle(here))
        status = _quietly(*runt, "create", "--bundle", str(here), "box")
        assert _quietly(*runt, "delete", "--force", "box") == 0
        if status:
            refused += 1
            assert any(is_near(one, each.pointer) for one in found), (each.name, log.read_text())
    assert refused >= 5


def _quietly(*argv: str) -> int:
    null = subprocess.DEVNULL
    return subprocess.run(
        argv, check=False, timeout=patience.scaled(60), stdin=null, stdout=null, stderr=null
    ).returncode


@pytest.mark.parametrize(
    ("pointer", "value"),
    [
        ("/linux/rootfsPropagation", "rslave"),
        ("/linux/rootfsPropagation", ""),
        ("/linux/maskedPaths", ["/proc/kcore", "/not/there"]),
        ("/linux/namespaces/0", {"type": "pid", "path": ""}),
        ("/process/capabilities", {"effective": ["CAP_NOTHING"]}),
        ("/mounts/-", {"destination": "/m", "source": "rootfs", "options": ["bind", "rslave", "x-own", "nofail"]}),
        ("/mounts/-", {"destination": "/m", "type": "tmpfs", "source": "tmpfs", "options": ["size=1m,mode=755", "noatime"]}),
        ("/linux/resources", {"cpu": {"quota": -1, "shares": 0}, "pids": {"limit": 0}, "memory": {"limit": -1}}),
        ("/linux/sysctl", {"kernel/shmmax": "65536"}),
        ("/linux/seccomp", {"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"names": ["no_such_call"], "action": "SCMP_ACT_ERRNO"}]}),
        ("/annotations", {"a": "\0"}),
    ],
)  # fmt: skip
def test_what_every_engine_takes_is_no_error(here: Path, pointer: str, value: object) -> None:
    (here / "config.json").write_text(changed("lesson", json.loads(LESSON.read_text()), pointer, value).text)
    assert [each for each in survey(Bundle(here)) if each.severity == "error"] == []
