"""Write the report: as text, or as JSON for programs."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING

from tutor.doctor.model import TOPICS, Conclusions, Finding, Level, Machine
from tutor.text import cell_width, pad, wrap
from tutor.text.glyphs import FAILED, PASSED, UNKNOWN, WARNING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from tutor.messages import Messages

GLYPHS: dict[Level, str] = {"ok": PASSED, "limited": WARNING, "unknown": UNKNOWN, "missing": FAILED}
# The catalogue entries of the words beside the glyphs: works or not, present or not, good or not.
_WORDS = {
    "privileges": "good",
    "namespaces": "able",
    "mounts": "able",
    "kernel": "good",
    "cgroups": "good",
    "tools": "there",
    "terminal": "good",
    "storage": "good",
    "engines": "able",
    "lessons": "able",
}
_NAME_WIDTH = 15


def as_text(
    machine: Machine, findings: tuple[Finding, ...], conclusions: Conclusions, messages: Messages, width: int
) -> Iterator[str]:
    """Yield the lines of the report, at most `width` cells wide if possible."""
    system = machine.system
    yield messages("doctor.title")
    distribution = system.distribution or messages("doctor.unknown_system")
    yield "  " + messages(
        "doctor.system", distribution=distribution, kernel=system.kernel, architecture=system.architecture
    )
    for topic in TOPICS:
        yield ""
        yield messages(f"doctor.topic.{topic}")
        for finding in findings:
            if finding.topic == topic:
                advice = messages(finding.advice) if finding.advice else ""
                text = say(finding.key, finding.values, messages)
                yield from _line(topic, finding.level, finding.name, text, advice, messages, width)
    yield from _conclusions(conclusions, messages, width)
    yield from _installation(machine, findings, messages, width)
    yield ""
    first = conclusions.lessons[0].lesson_id if conclusions.lessons else ""
    yield from wrap(messages(f"doctor.verdict.{_verdict(conclusions)}", lesson=first), width)


def _verdict(conclusions: Conclusions) -> str:
    if not conclusions.can_start:
        return "not_ready"
    return "unknown" if conclusions.lessons[0].level == "unknown" else "ready"


def _conclusions(conclusions: Conclusions, messages: Messages, width: int) -> Iterator[str]:
    yield ""
    yield messages("doctor.topic.engines")
    for engine in conclusions.engines:
        text = say(engine.key, engine.values, messages)
        yield from _line("engines", engine.level, engine.engine, text, "", messages, width)
    yield ""
    yield messages("doctor.topic.lessons")
    for lesson in conclusions.lessons:
        text = messages(f"doctor.lesson.{lesson.level}", title=lesson.title, engines=" ".join(lesson.engines))
        advice = messages("doctor.lesson.lacks", programs=", ".join(lesson.lacks)) if lesson.lacks else ""
        if lesson.needs_root and not advice:
            advice = messages("doctor.lesson.needs_root")
        if lesson.only_read and not advice:
            advice = messages("doctor.lesson.only_read", count=lesson.only_read)
        yield from _line("lessons", lesson.level, lesson.lesson_id, text, advice, messages, width)
    if conclusions.problem:
        text = messages("doctor.lesson.defective", problem=conclusions.problem)
        yield from _line("lessons", "missing", "-", text, "", messages, width)


def _installation(
    machine: Machine, findings: tuple[Finding, ...], messages: Messages, width: int
) -> Iterator[str]:
    packages = missing_packages(findings)
    if not packages:
        return
    yield ""
    yield from wrap(messages("doctor.install.apt" if machine.system.apt else "doctor.install.other"), width)
    listed = " ".join(packages)
    sudo = "" if machine.privileges.uid == 0 else "sudo "
    yield f"  {sudo}apt-get install {listed}" if machine.system.apt else f"  {listed}"


def missing_packages(findings: tuple[Finding, ...]) -> list[str]:
    """Return the Debian packages of missing programs, each once, in the order of the report."""
    return list(dict.fromkeys(each.package for each in findings if each.package and each.level == "missing"))


def say(key: str, values: Mapping[str, object], messages: Messages) -> str:
    """Return the text of a finding; its value `about` is the key of another entry."""
    about = {"about": messages(str(values["about"]))} if "about" in values else {}
    return messages(key, **{**values, **about})


def _line(
    topic: str, level: Level, name: str, text: str, advice: str, messages: Messages, width: int
) -> Iterator[str]:
    kind = _WORDS[topic]
    words = {each: messages(f"doctor.level.{kind}.{each}") for each in GLYPHS}
    word = pad(words[level], max(map(cell_width, words.values())))
    head = f"  {GLYPHS[level]} {word}  {pad(name, _NAME_WIDTH)}  "
    indent = cell_width(head)
    room = max(width - indent, 20)
    lines = wrap(text, room)
    yield (head + lines[0]).rstrip()
    yield from (" " * indent + line for line in lines[1:])
    if advice:
        first, *rest = wrap(advice, room - 2)
        yield " " * indent + "→ " + first
        yield from (" " * (indent + 2) + line for line in rest)


def as_json(
    machine: Machine, findings: tuple[Finding, ...], conclusions: Conclusions, messages: Messages
) -> str:
    """Return the report as one JSON object: results, conclusions, and the texts of both."""
    report = {
        "can_start": conclusions.can_start,
        "machine": asdict(machine),
        "findings": [
            {
                "topic": each.topic,
                "name": each.name,
                "level": each.level,
                "text": say(each.key, each.values, messages),
                "advice": messages(each.advice) if each.advice else None,
                "package": each.package or None,
            }
            for each in findings
        ],
        "engines": [
            {
                "engine": each.engine,
                "level": each.level,
                "text": say(each.key, each.values, messages),
            }
            for each in conclusions.engines
        ],
        "lessons": [asdict(each) for each in conclusions.lessons],
        "lessons_problem": conclusions.problem or None,
        "packages": missing_packages(findings),
    }
    return json.dumps(report, ensure_ascii=False, indent=2)
