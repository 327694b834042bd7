"""`oci-tutor compare`: one bundle on several engines, and what the kernel says of each container, side by side."""

from __future__ import annotations

import argparse
import json
from typing import TYPE_CHECKING, Any, cast

from tutor import waiting
from tutor.engines.model import ENGINE_NAMES
from tutor.text.glyphs import DIFFERS, EXPLAINED, FAILED, INFORMATION, SAME, WARNING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

    from tutor.compare.known import Explanation
    from tutor.compare.model import Moment, Outcome
    from tutor.compare.table import Row
    from tutor.engines.engine import Engine
    from tutor.engines.model import EngineName
    from tutor.messages import Messages

    Table = Mapping[Moment, Sequence[Row]]
    Explain = Callable[[Row], Explanation | None]

STARTS_LABS = True

_WORDS = {"own", "shared", "joined", "none", "all"}
_IN_WORDS = ("namespaces", "capabilities", "mappings", "ids")
"""The sections whose values may be one of `_WORDS`, which are ours; everything else is the kernel's."""


def add_arguments(parser: argparse.ArgumentParser, messages: Messages) -> None:
    """Add the arguments of `compare`."""

    def engines(text: str) -> tuple[str, ...]:
        names = tuple(dict.fromkeys(text.split(",")))
        if unknown := [each for each in names if each not in ENGINE_NAMES]:
            known = ", ".join(ENGINE_NAMES)
            raise argparse.ArgumentTypeError(
                messages("cli.compare.unknown_engine", name=unknown[0], known=known)
            )
        return names

    from pathlib import Path

    parser.add_argument("bundle", metavar="BUNDLE", type=Path, help=messages("cli.compare.bundle"))
    parser.add_argument(
        "--engines", metavar="NAME,NAME", type=engines, default=(), help=messages("cli.compare.engines")
    )
    parser.add_argument("--all", action="store_true", help=messages("cli.compare.all"))
    parser.add_argument("--json", action="store_true", help=messages("cli.compare.json"))


def run(arguments: argparse.Namespace, messages: Messages) -> int:
    """Run the bundle on the engines, print what differs, and return 0; 1 if an engine refused an operation.

    Raises:
        TutorError: `session.play.*`, the bundle can't be used; `compare. ...`; `engines. ...`, an engine is missing; `lab. ...`.
    """
    from tutor.compare.known import explanation
    from tutor.compare.runner import outcomes
    from tutor.compare.table import table
    from tutor.home import Home
    from tutor.session.free_play import usable_bundle

    bundle = usable_bundle(arguments.bundle)
    config = _configuration(bundle)
    engines, home = _engines(arguments.engines), Home.default()

    def progress(engine: Engine, moment: Moment) -> None:
        waiting.say(messages("compare.running", engine=engine.name, moment=moment))

    try:
        found = list(outcomes(bundle, config, engines, home, progress))
    finally:
        waiting.clear()

    def explain(row: Row) -> Explanation | None:
        return explanation(row, config, engines, home)

    rows = table(found)
    if arguments.json:
        print(_as_json(bundle, found, rows, explain))
    else:
        print("\n".join(_as_text(bundle, found, rows, explain, messages, shows_all=arguments.all)))
    return int(any(each.failed for each in found))


def _engines(names: Sequence[EngineName]) -> tuple[Engine, ...]:
    from tutor.engines.engine import find, installed
    from tutor.errors import TutorError

    engines = tuple(find(name) for name in names) if names else installed()
    if len(engines) < 2:
        raise TutorError("compare.too_few", engines=", ".join(each.name for each in engines))
    return engines


def _configuration(bundle: Path) -> dict[str, Any]:
    from tutor.errors import TutorError
    from tutor.session.free_play import missing_rootfs
    from tutor.session.own_bundle import read_config

    file = bundle / "config.json"
    text = read_config(file)
    try:
        config = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise TutorError("compare.not_json", path=file, reason=str(error)) from error
    if not isinstance(config, dict):
        raise TutorError("compare.not_json", path=file, reason=f"{text.strip()[:20]}…")
    if missing := missing_rootfs(bundle, text):
        raise missing
    return cast("dict[str, Any]", config)


def _as_text(
    bundle: Path,
    outcomes: Sequence[Outcome],
    table: Table,
    explain: Explain,
    messages: Messages,
    *,
    shows_all: bool,
) -> Iterator[str]:
    from tutor.cli.terminal import text_width
    from tutor.engines.traits.table import short
    from tutor.text import wrap

    width = text_width()
    names = ", ".join(f"{each.engine.name} {short(each.engine.version)}" for each in outcomes)
    yield from wrap(messages("compare.title", engines=names, bundle=bundle), width)
    for each in outcomes:
        for glyph, line in _trouble(each, messages):
            yield from _indented(wrap(f"{glyph} {line}", width - 4), 2)
    if any(each.failed for each in outcomes):
        yield from _indented(wrap(messages("compare.explain", bundle=bundle), width - 4), 2)
    for moment, rows in table.items():
        differing = sum(row.differs and not row.passing for row in rows)
        counts = messages(
            "compare.counts",
            same=sum(not row.differs for row in rows),
            differs=differing,
            passing=sum(row.passing for row in rows),
        )
        yield from ("", *wrap(f"{messages(f'compare.moment.{moment}')}  {counts}", width))
        yield from _of_moment(rows, explain, messages, width, shows_all=shows_all)
    if not table:
        yield from ("", *wrap(messages("compare.nothing"), width))


def _trouble(outcome: Outcome, messages: Messages) -> Iterator[tuple[str, str]]:
    name, operation = outcome.engine.name, outcome.failed
    if outcome.hung:
        yield FAILED, messages("compare.hung", engine=name, operation=operation)
    elif operation:
        yield FAILED, messages("compare.failed", engine=name, operation=operation, said=outcome.said)
    elif outcome.ended:
        yield INFORMATION, messages("compare.ended", engine=name, moment=outcome.ended)


def _of_moment(
    rows: Sequence[Row], explain: Explain, messages: Messages, width: int, *, shows_all: bool
) -> Iterator[str]:
    """Yield a block for each difference, those of one kind together; what agrees only if it is asked for."""
    from itertools import groupby

    from tutor.compare.table import folded

    for section, group in groupby(folded(rows), key=lambda row: row.key.section):
        found = list(group)
        title = messages(f"compare.section.{section}")
        if not shows_all and not any(row.differs for row in found):
            yield f"  {SAME} {title}"
            continue
        yield f"  {DIFFERS if any(row.differs for row in found) else SAME} {title}"
        alike: dict[tuple[object, ...], list[Row]] = {}
        for row in found:
            if row.differs or shows_all:
                alike.setdefault((row.key.aspect, *row.values.values()), []).append(row)
        told: set[Explanation] = set()
        for same in alike.values():
            yield from _block(same, messages, width)
            why = explain(same[0])
            if why and why not in told:
                told.add(why)
                yield from _why(why, messages, width)


def _block(rows: Sequence[Row], messages: Messages, width: int) -> Iterator[str]:
    """Yield the lines of rows with the same values: their names, and each value with the engines that have it."""
    from tutor.text import cell_width, pad, wrap

    row = rows[0]
    glyph = (WARNING if row.passing else DIFFERS) if row.differs else SAME
    title = ", ".join(each.key.name for each in rows)
    if row.key.aspect:
        title = messages("compare.aspect", name=title, aspect=messages(f"compare.aspects.{row.key.aspect}"))
    if row.passing:
        title += messages("compare.passing")
    if not row.differs:
        value = _said(row, next(iter(row.values.values())), messages)
        yield from _indented(wrap(f"{glyph} {title}  {value}", width - 6), 4)
        return
    yield from _indented(wrap(f"{glyph} {title}", width - 6), 4)
    engines: dict[str | None, list[str]] = {}
    for name, found in row.values.items():
        engines.setdefault(found, []).append(name)
    labels = {found: ", ".join(names) for found, names in engines.items()}
    wide = max(map(cell_width, labels.values()))
    for found, label in labels.items():
        lines = wrap(_said(row, found, messages), width - wide - 10)
        for number, line in enumerate(lines or [""]):
            yield f"{' ' * 8}{pad('' if number else label, wide)}  {line}"


def _said(row: Row, value: str | None, messages: Messages) -> str:
    if value is None:
        return messages("compare.absent")
    if row.key.section in _IN_WORDS and value in _WORDS:
        return messages(f"compare.value.{value}")
    return value


def _why(why: Explanation, messages: Messages, width: int) -> Iterator[str]:
    """Yield the trait that explains a difference, and what each version was seen to do."""
    from tutor.engines.traits.table import short
    from tutor.engines.traits.words import said
    from tutor.text import wrap

    question = messages(f"traits.{why.trait}.question")
    yield from _indented(
        wrap(f"{EXPLAINED} {messages('compare.known', question=question, trait=why.trait)}", width - 8), 6
    )
    for each in why.seen:
        line = messages(
            "compare.seen",
            engine=f"{each.engine} {short(each.version)}",
            answer=said(why.trait, each.answer, messages),
            date=each.date,
        )
        yield from _indented(wrap(line, width - 10), 8)


def _indented(lines: Sequence[str], indent: int) -> Iterator[str]:
    for number, line in enumerate(lines):
        yield " " * (indent + 2 if number else indent) + line


def _as_json(bundle: Path, outcomes: Sequence[Outcome], table: Table, explain: Explain) -> str:
    from dataclasses import asdict

    engines = [
        {
            "engine": each.engine.name,
            "version": each.engine.version,
            "path": str(each.engine.path),
            "failed": each.failed or None,
            "said": each.said or None,
            "hung": each.hung,
            "ended": each.ended or None,
        }
        for each in outcomes
    ]
    moments = {
        moment: [
            {
                **row.key._asdict(),
                "values": row.values,
                "differs": row.differs,
                "passing": row.passing,
                "known": asdict(why) if (why := explain(row)) else None,
            }
            for row in rows
        ]
        for moment, rows in table.items()
    }
    return json.dumps({"bundle": str(bundle), "engines": engines, **moments}, ensure_ascii=False, indent=2)
