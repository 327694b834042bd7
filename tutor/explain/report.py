"""An explanation as lines for a terminal or a pipe."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tutor.configfile.describe import describe
from tutor.configfile.meanings import dotted, member_at, path_of
from tutor.explain.explainer import explain, explain_bundle
from tutor.explain.model import Failure
from tutor.explain.printed import sentences
from tutor.home import shown
from tutor.lazy_dataclass import dataclass
from tutor.text import cell_width, pad, visible, wrap
from tutor.text.glyphs import SEVERITIES

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tutor.configfile.meanings import Path
    from tutor.explain.bundle import Bundle
    from tutor.explain.model import Explanation
    from tutor.messages import Messages

_UNEXPLAINED = ("unknown", "silent")
_MOST_SENTENCES = 6  # of an error that are printed again


@dataclass(frozen=True, slots=True)
class Report:
    """Lines to print; `good` if the error could be explained, or if nothing is wrong in the bundle."""

    lines: list[str]
    good: bool


def error_report(said: str, bundle: Bundle, messages: Messages, width: int) -> Report:
    """Explain what an engine printed, and count what else is wrong in its bundle; lines are at most `width` cells wide."""
    found = explain(Failure(said), bundle, messages)
    lines = list(_lines(found, messages, width, "\n".join(sentences(said)[:_MOST_SENTENCES])))
    others = [
        each for each in explain_bundle(bundle, messages) if bundle.text and each.pointer != found.pointer
    ]
    if others:
        command = messages("explain.more", count=len(others), path=bundle.path or bundle.config)
        lines += ["", *wrap(command, width)]
    return Report(lines, found.id not in _UNEXPLAINED)


def bundle_report(bundle: Bundle, messages: Messages, width: int) -> Report:
    """Explain everything that is wrong in a bundle; lines are at most `width` cells wide."""
    found = explain_bundle(bundle, messages)
    if not found:
        return Report(wrap(messages("explain.nothing", path=shown(bundle.config or "")), width), good=True)
    lines: list[str] = []
    for each in found:
        lines += [*([""] if lines else []), *_lines(each, messages, width)]
    return Report(lines, not any(each.severity == "error" for each in found))


def member_report(path: Path, messages: Messages, width: int) -> Report:
    """Describe a member of `config.json`; lines are at most `width` cells wide."""
    found = describe(path, messages)
    label = messages("configfile.help.clause")
    lines = [f"{found.name}  {found.kind}", *_table((("", found.meaning), (label, found.clause)), width)]
    for name in ("values", "members"):
        listed = getattr(found, name)
        if listed:
            lines += ["", f"{messages(f'configfile.help.{name}')}:", *_table(listed, width)]
    if any(name.endswith("*") for name, _ in found.members):
        lines.append(f"  {messages('configfile.help.required_mark')}")
    return Report(lines, good=True)


def _table(rows: tuple[tuple[str, str], ...], width: int) -> Iterator[str]:
    column = min(max(cell_width(name) for name, _ in rows) + 2, width // 2)
    for name, text in rows:
        for number, line in enumerate(wrap(text, width - column - 2) or [""]):
            yield f"  {pad(name if number == 0 else '', column)}{line}".rstrip()


def _lines(found: Explanation, messages: Messages, width: int, said: str = "") -> Iterator[str]:
    glyph = SEVERITIES["warning" if found.severity == "warning" else "error"]
    yield from wrap(
        f"{glyph} {messages(f'explain.severity.{found.severity}')}: {visible(found.title)}", width
    )
    pointer = f"({found.pointer})" if found.pointer else ""
    place = "  ".join(filter(None, (found.place, pointer)))
    member = member_at(path_of(found.pointer)) if found.pointer else None
    meant = f"{dotted(path_of(found.pointer))}: {member.meaning(messages)}" if member is not None else ""
    rows = {
        "said": said, "place": place, "member": meant, "clause": found.clause, "cause": found.cause, "fix": found.fix,
    }  # fmt: skip
    yield from _rows(rows, messages, width)


def _rows(rows: dict[str, str], messages: Messages, width: int) -> Iterator[str]:
    labels = {name: messages(f"explain.row.{name}") for name in rows}
    column = max(cell_width(label) for label in labels.values()) + 2
    for name, text in rows.items():
        for number, line in enumerate(wrap(visible(text, keep="\n"), width - column - 2) if text else ()):
            label = labels[name] if number == 0 else ""
            yield f"  {pad(label, column)}{line}"
