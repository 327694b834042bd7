"""`oci-tutor engines`: the traits of the engines on this machine, beside what was observed on other versions."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING

from tutor import waiting
from tutor.text.glyphs import DIFFERS, NEW, SAME, SPLIT, UNASKED, WARNING

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator

    from tutor.engines.engine import Engine
    from tutor.engines.traits.kept import Answers
    from tutor.engines.traits.table import Table
    from tutor.home import Home
    from tutor.messages import Messages

    Asked = dict[str, Answers]  # by the engine's name

STARTS_LABS = True

GLYPHS = {
    "differs": DIFFERS,
    "new": NEW,
    "engines": SPLIT,
    "varies": WARNING,
    "same": SAME,
    "unasked": UNASKED,
}
"""What a line of the table says, the most important first; a word stands beside each glyph."""
UNRECORDED = ("differs", "new")
"""What `--new` shows: an engine here answers as its version, or every version, was not seen to."""


def add_arguments(parser: argparse.ArgumentParser, messages: Messages) -> None:
    """Add the arguments of `engines`."""
    parser.add_argument("--probe", action="store_true", help=messages("cli.engines.probe"))
    parser.add_argument("--new", action="store_true", help=messages("cli.engines.new"))
    parser.add_argument("--json", action="store_true", help=messages("cli.engines.json"))


def run(arguments: argparse.Namespace, messages: Messages) -> int:
    """Ask the engines that were not asked yet, print the table, and return 0.

    Raises:
        TutorError: `--probe` was given, and they can't be asked here.
    """
    from tutor.cli.terminal import text_width
    from tutor.engines.engine import installed
    from tutor.engines.traits.kept import kept
    from tutor.engines.traits.table import Table
    from tutor.errors import TutorError
    from tutor.home import Home

    table, engines, home = Table.load(), installed(), Home.default()
    asked: Asked = {}
    unasked: TutorError | None = None
    for engine in engines:
        try:
            asked[engine.name] = _ask(home, engine, messages, again=arguments.probe)
        except TutorError as error:
            if arguments.probe:
                raise
            unasked = error
            if known := kept(home, engine):
                asked[engine.name] = known
    waiting.clear()
    if arguments.json:
        print(_as_json(table, engines, asked, messages))
        return 0
    words = UNRECORDED if arguments.new else tuple(GLYPHS)
    print("\n".join(_as_text(table, engines, asked, messages, text_width(), words)))
    if unasked is not None:
        title, body, following = unasked.render(messages)
        print(f"\n{messages('cli.engines.unasked')}", title, body, following, sep="\n", file=sys.stderr)
    return 0


def _ask(home: Home, engine: Engine, messages: Messages, *, again: bool) -> Answers:
    """Ask an engine, and show on a terminal how far it is."""
    from tutor.engines.traits.kept import answers_of

    def progress(done: int, of: int) -> None:
        waiting.say(
            messages("cli.engines.asking", engine=engine.name, version=engine.version, done=done, of=of)
        )

    try:
        return answers_of(home, engine, again=again, progress=progress)
    finally:
        waiting.clear()


def _as_text(
    table: Table,
    engines: tuple[Engine, ...],
    asked: Asked,
    messages: Messages,
    width: int,
    words: tuple[str, ...],
) -> Iterator[str]:
    """Yield the lines of the table, of the traits of which there is one of `words` to say."""
    from tutor.engines.traits.table import short
    from tutor.text import wrap

    names = ", ".join(f"{each.name} {short(each.version)}" for each in engines)
    yield from wrap(messages("cli.engines.title", engines=names), width)
    found = {trait: _word(trait, table, engines, asked) for trait in table.traits}
    if not set(found.values()) & set(words):
        yield from wrap(messages("cli.engines.nothing_new"), width)
        return
    yield from _legend(messages, width, words)
    for topic, traits in table.topics.items():
        shown = [trait for trait in traits if found[trait] in words]
        yield from ("", messages(f"cli.engines.topic.{topic}")) if shown else ()
        for trait in shown:
            yield from _heading(trait, found[trait], messages, width)
            yield from _rows(trait, table, engines, asked, messages, width)


def _legend(messages: Messages, width: int, words: tuple[str, ...]) -> Iterator[str]:
    from tutor.text import cell_width

    line = ""
    for word in words:
        added = f"{line}{'   ' if line else ''}{GLYPHS[word]} {messages(f'cli.engines.word.{word}')}"
        if line and cell_width(added) > width:
            yield line
            added = added[len(line) + 3 :]
        line = added
    yield line


def _heading(trait: str, word: str, messages: Messages, width: int) -> Iterator[str]:
    from tutor.text import cell_width, pad, wrap

    words = [messages(f"cli.engines.word.{each}") for each in GLYPHS]
    head = f"  {GLYPHS[word]} {pad(messages(f'cli.engines.word.{word}'), max(map(cell_width, words)))}  "
    indent = cell_width(head)
    for number, line in enumerate(wrap(f"{messages(f'traits.{trait}.question')} ({trait})", width - indent)):
        yield (" " * indent if number else head) + line


def _word(trait: str, table: Table, engines: tuple[Engine, ...], asked: Asked) -> str:
    """Return the most important thing that there is to say of a trait."""
    verdicts = {str(table.verdict(trait, asked.get(each.name), each.name, each.version)) for each in engines}
    answers = {asked[each.name].get(trait) for each in engines if each.name in asked} - {""}
    if len(answers) > 1:
        verdicts.add("engines")
    if "unasked" in verdicts and answers:
        verdicts.discard("unasked")
    return next((word for word in GLYPHS if word in verdicts), "unasked")


def _rows(
    trait: str, table: Table, engines: tuple[Engine, ...], asked: Asked, messages: Messages, width: int
) -> Iterator[str]:
    """Yield a line for each answer of the engines here, and one for each that other versions gave."""
    from tutor.engines.traits.table import short

    here: dict[str, list[str]] = {}
    for engine in engines:
        answer = asked[engine.name].get(trait) if engine.name in asked else ""
        if answer:
            here.setdefault(answer, []).append(f"{engine.name} {short(engine.version)}")
    recorded: dict[str, list[str]] = {}
    for each in table.observations:
        own = asked.get(each.engine)
        answer = each.answers.get(trait, "")
        if answer and (own is None or own.get(trait) != answer):
            recorded.setdefault(answer, []).append(f"{each.engine} {short(each.version)}")
    yield from _lines(trait, here, messages("cli.engines.here"), messages, width)
    yield from _lines(trait, recorded, messages("cli.engines.recorded"), messages, width)


def _lines(
    trait: str, answers: dict[str, list[str]], where: str, messages: Messages, width: int
) -> Iterator[str]:
    from tutor.engines.traits.words import said
    from tutor.text import wrap

    for answer, names in answers.items():
        text = messages(
            "cli.engines.row", where=where, engines=", ".join(names), answer=said(trait, answer, messages)
        )
        for number, line in enumerate(wrap(text, width - 8)):
            yield " " * (8 if number else 6) + line


def _as_json(table: Table, engines: tuple[Engine, ...], asked: Asked, messages: Messages) -> str:
    from tutor.engines.traits.words import said

    traits = []
    for trait in table.traits:
        answers = {}
        for engine in engines:
            answer = asked[engine.name].get(trait) if engine.name in asked else ""
            answers[engine.name] = {
                "answer": answer or None,
                "text": said(trait, answer, messages) if answer else None,
                "verdict": table.verdict(trait, asked.get(engine.name), engine.name, engine.version),
            }
        recorded = [
            {"engine": each.engine, "version": each.version, "date": each.date, "answer": each.answers[trait]}
            for each in table.observations
            if trait in each.answers
        ]
        traits.append(
            {
                "id": trait,
                "question": messages(f"traits.{trait}.question"),
                "here": answers,
                "recorded": recorded,
            }
        )
    found = [
        {
            "engine": each.name,
            "version": each.version,
            "path": str(each.path),
            "digest": asked[each.name].digest if each.name in asked else None,
            "asked": asked[each.name].date if each.name in asked else None,
        }
        for each in engines
    ]
    return json.dumps({"engines": found, "traits": traits}, ensure_ascii=False, indent=2)
