"""Conclude from the machine which engines and lessons can be used."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tutor.course.model import ABILITIES
from tutor.doctor.findings import ESSENTIAL_CAPABILITIES, LEAST_DISK
from tutor.doctor.model import Conclusions, EngineVerdict, LessonVerdict, Machine
from tutor.doctor.tools import TIMEOUT
from tutor.engines.model import ENGINE_NAMES
from tutor.engines.traits.table import Table

if TYPE_CHECKING:
    from collections.abc import Collection

    from tutor.course.model import Lesson
    from tutor.doctor.model import Level
    from tutor.engines.model import EngineName

# What the lab (a mount namespace of its own, a tmpfs over the engines' state) and the lessons' containers need.
NEEDED_TRIALS = ("mnt", "tmpfs", "proc", "pivot_root")
_BEST_FIRST: tuple[Level, ...] = ("ok", "limited", "unknown")


def conclude(
    machine: Machine, lessons: tuple[Lesson, ...], problem: str = "", lacking: Collection[str] = ()
) -> Conclusions:
    """Return which engines run here, and which lessons can be done on them.

    `problem` says why the lessons could not be loaded; `lacking` are missing programs that lessons need.
    """
    engines = tuple(_engine(machine, name) for name in ENGINE_NAMES)
    unable = _unable(machine)
    verdicts = tuple(_lesson(lesson, engines, lacking, unable) for lesson in lessons)
    return Conclusions(engines, verdicts, problem)


def _unable(machine: Machine) -> frozenset[str]:
    """Return what the labs of an ordinary user lack (`tutor.course.model.ABILITIES`); nothing for root, whose lab finds out."""
    if not machine.has_ordinary_labs:
        return frozenset()
    return frozenset(each for each in ABILITIES if each != "cgroup" or not machine.cgroups.delegated)


def _lesson(
    lesson: Lesson,
    engines: tuple[EngineVerdict, ...],
    lacking: Collection[str],
    unable: frozenset[str],
) -> LessonVerdict:
    """Return whether a lesson can be done: the level of the best of its engines, lowered if a program is missing."""
    usable = [each for each in engines if each.level != "missing" and each.engine in lesson.engines]
    level: Level = next(
        (best for best in _BEST_FIRST if any(each.level == best for each in usable)), "missing"
    )
    lacks = tuple(each for each in lesson.needs if each in lacking)
    if lacks and level == "ok":
        level = "limited"
    only_read = sum(not unable.isdisjoint(step.needs) for step in lesson.steps)
    return LessonVerdict(
        lesson.id,
        lesson.title,
        level,
        tuple(each.engine for each in usable),
        lacks,
        only_read,
        bool(unable) and lesson.lab.daemon,
    )


def _engine(machine: Machine, name: EngineName) -> EngineVerdict:
    tool = machine.tool(name)
    if tool.path is None:
        return EngineVerdict(name, "missing", "doctor.engine.absent")
    if not tool.version and tool.problem != TIMEOUT:
        return EngineVerdict(name, "missing", "doctor.engine.broken", {"path": tool.path})
    weak = any(each in ESSENTIAL_CAPABILITIES for each in machine.privileges.missing_capabilities)
    if weak if machine.privileges.uid == 0 else not machine.has_ordinary_labs:
        return EngineVerdict(name, "missing", "doctor.engine.needs_root")
    failed = [each for each in NEEDED_TRIALS if not machine.can(each) and not machine.unsure(each)]
    if failed:
        return EngineVerdict(name, "missing", "doctor.engine.kernel", {"names": ", ".join(failed)})
    if any(not place.writable or place.free < LEAST_DISK for place in machine.storage):
        return EngineVerdict(name, "missing", "doctor.engine.disk")
    if unsure := [each for each in NEEDED_TRIALS if machine.unsure(each)]:
        return EngineVerdict(name, "unknown", "doctor.engine.untried", {"names": ", ".join(unsure)})
    if not tool.version:
        return EngineVerdict(name, "unknown", "doctor.engine.unanswered", {"path": tool.path})
    if machine.cgroups.layout == "hybrid" and machine.cgroups.v2 and _refuses_hybrid(name, tool.version):
        # The lab hides the version 2 hierarchy from it.
        return EngineVerdict(name, "limited", "doctor.engine.hybrid")
    if machine.has_ordinary_labs:
        return EngineVerdict(name, "limited", "doctor.engine.ordinary", {"version": tool.version})
    return EngineVerdict(name, "ok", "doctor.engine.ok", {"version": tool.version})


def _refuses_hybrid(name: EngineName, version: str) -> bool:
    """Return whether the engine refuses cgroup v1 and v2 side by side: this version; if it is not recorded, one of the others."""
    table = Table.load()
    own = table.recorded(name, version)
    asked = (own,) if own and "hybrid-cgroups" in own.answers else table.of(name)
    return any(each.answers.get("hybrid-cgroups") == "refused" for each in asked)
