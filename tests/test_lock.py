"""`requirements/` pins everything that pyproject.toml asks for, for every machine, with hashes, and names no registry."""

from __future__ import annotations

import re
import tomllib
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parent.parent
LOCKS = sorted((ROOT / "requirements").glob("*.txt"))
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
PYTHONS = [
    version
    for classifier in PYPROJECT["project"]["classifiers"]
    if (version := classifier.rpartition(" :: ")[2]).startswith("3.")
]
MACHINES = [
    {"python_version": python, "python_full_version": f"{python}.0", "platform_machine": machine}
    for python, machine in product(PYTHONS, ["x86_64", "aarch64"])
]

RUN = PYPROJECT["project"]["dependencies"] + PYPROJECT["build-system"]["requires"]


def _group(name: str) -> Iterator[str]:
    """Yield the requirements of a dependency group and of those that it includes."""
    item: Any
    for item in PYPROJECT["dependency-groups"][name]:
        if isinstance(item, dict):
            yield from _group(item["include-group"])
        else:
            yield item


# What each lock must contain: the requirements of the script that installs from it.
INSTALLED = {
    "tutor.txt": RUN,
    "dev.txt": [*RUN, *_group("dev")],
    "test.txt": [*_group("test")],
    "lock.txt": [*_group("lock")],
}


def _locked(name: str) -> list[tuple[Requirement, list[str]]]:
    """Return the packages of a lock, each with its hashes. Anything but these, comments and blanks is an error."""
    text = (ROOT / "requirements" / name).read_text(encoding="utf-8")
    lines = [line for line in text.replace("\\\n", " ").splitlines() if line.strip() and "#" not in line[:5]]
    locked = []
    for line in lines:
        requirement, *hashes = re.split(r"\s+--hash=", line.strip())
        locked.append((Requirement(requirement), hashes))
    return locked


def test_every_lock_is_one_that_a_script_installs() -> None:
    assert [lock.name for lock in LOCKS] == sorted(INSTALLED)


@pytest.mark.parametrize("name", INSTALLED)
def test_every_package_is_pinned_with_hashes(name: str) -> None:
    locked = _locked(name)
    assert len(locked) >= len(INSTALLED[name])
    for requirement, hashes in locked:
        assert re.fullmatch(r"==[^*,]+", str(requirement.specifier)), requirement
        assert hashes, requirement
        assert all(re.fullmatch(r"sha256:[0-9a-f]{64}", digest) for digest in hashes), requirement


@pytest.mark.parametrize("machine", MACHINES, ids=lambda machine: "-".join(machine.values()))
@pytest.mark.parametrize("name", INSTALLED)
def test_the_lock_satisfies_what_pyproject_asks_for(name: str, machine: dict[str, str]) -> None:
    pins = {
        canonicalize_name(requirement.name): next(iter(requirement.specifier)).version
        for requirement, _ in _locked(name)
        if requirement.marker is None or requirement.marker.evaluate(machine)
    }
    for wanted in map(Requirement, INSTALLED[name]):
        if wanted.marker is not None and not wanted.marker.evaluate(machine):
            continue
        assert wanted.specifier.contains(pins[canonicalize_name(wanted.name)]), wanted


def test_the_locks_agree_with_each_other() -> None:
    """`.venv` may be created from one and extended from another."""
    versions: dict[str, set[str]] = {}
    for name in INSTALLED:
        for requirement, _ in _locked(name):
            versions.setdefault(requirement.name, set()).add(str(requirement.specifier))
    assert not {name: found for name, found in versions.items() if len(found) > 1}


def test_the_classifiers_name_pythons_that_are_allowed() -> None:
    allowed = SpecifierSet(PYPROJECT["project"]["requires-python"])
    assert len(PYTHONS) >= 4
    assert all(allowed.contains(python) for python in PYTHONS)
    wheelhouse = (ROOT / "script/wheelhouse").read_text(encoding="utf-8")
    assert f"PYTHONS='{' '.join(PYTHONS)}'" in wheelhouse


@pytest.mark.parametrize("lock", LOCKS, ids=lambda lock: lock.name)
def test_a_lock_names_no_registry(lock: Path) -> None:
    """pip's configuration decides where packages come from: an index, a mirror, a wheelhouse."""
    text = lock.read_text(encoding="utf-8")
    assert not re.search(r"://|--(index|extra|find|trusted)|@ ", text)
