"""`python -m tests.recording.manual`: write the parts of README.ja.md that are made from recorded data.

`tests.recording.engines`, `tests.bench --write` and `tests.conformance --write` do it for what they record.
"""

from __future__ import annotations

from tests.bench import table as bench
from tests.conformance import table as conformance
from tests.recording import conformance as own_checks
from tests.support import manual
from tutor.engines.model import ENGINE_NAMES
from tutor.engines.traits.table import Table, short
from tutor.engines.traits.words import said
from tutor.messages import Messages

TRAITS = "tests/recording"


def parts() -> dict[str, str]:
    """Return the text of each part, by the program whose marks it stands between."""
    return {
        TRAITS: traits(Table.load()),
        bench.PROGRAM: bench.text(manual.load(bench.RECORD)),
        conformance.PROGRAM: conformance.text(manual.load(conformance.RECORD)),
        own_checks.PROGRAM: own_checks.text(manual.load(own_checks.RECORD)),
    }


def traits(table: Table) -> str:
    """Return which versions are recorded, and a table of the traits in which versions of one engine differ."""
    messages = Messages("ja")
    engines = "、".join(
        f"`{name}` {'・'.join(short(each.version) for each in table.of(name))}" for name in ENGINE_NAMES
    )
    lines = [f"記録した版: {engines}。同じエンジンの版によって違う性質は、次のとおりです。", ""]
    lines += ["| 性質 | エンジンと版 |", "| --- | --- |"]
    for trait in table.traits:
        cells = [cell for name in ENGINE_NAMES if (cell := _differing(table, trait, name, messages))]
        if cells:
            lines.append(f"| {messages(f'traits.{trait}.question')} | {'。'.join(cells)} |")
    return "\n".join(lines) + "\n"


def _differing(table: Table, trait: str, engine: str, messages: Messages) -> str:
    """Return what each version of an engine answered; empty where all answered alike."""
    versions: dict[str, list[str]] = {}
    for each in table.of(engine):
        if answer := each.answers.get(trait):
            versions.setdefault(answer, []).append(short(each.version))
    if len(versions) <= 1:
        return ""
    return "。".join(
        f"`{engine}` {'・'.join(found)}: {said(trait, answer, messages)}"
        for answer, found in versions.items()
    )


def main() -> None:
    """Write all parts."""
    for program, text in parts().items():
        manual.keep(program, text)


if __name__ == "__main__":
    main()
