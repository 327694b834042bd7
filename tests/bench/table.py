"""The benchmark's tables, as they are in README.ja.md."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.bench.steps import Row

README = Path(__file__).parents[2] / "README.ja.md"
BEGIN = "<!-- tests/bench が書く部分: ここから -->\n"
END = "<!-- tests/bench が書く部分: ここまで -->\n"

_NAMES = {
    "run": "`run`",
    "life": "`create` + `start` + `state` + `delete`",
    "exec": "`exec`",
    "docker": "`docker run --rm`",
}
_LONGEST = 12
"""How many steps are shown: the longest ones."""


class Result(NamedTuple):
    """One comparison: the median of each runtime in milliseconds."""

    what: str
    cold: bool
    medians: dict[str, float]

    def ratio(self, other: str) -> str:
        """Return runt's time as a part of the other's."""
        if other not in self.medians:
            return ""
        return f"{self.medians['runt'] / self.medians[other]:.2f}"


def contest(results: Sequence[Result], machine: str) -> str:
    """Return the comparison as a Markdown table."""
    lines = [
        f"測ったマシン: {machine}。単位はミリ秒（中央値）。",
        "",
        "| | runt | runc | crun | runt / runc | runt / crun |",
        "| --- | --: | --: | --: | --: | --: |",
    ]
    for result in results:
        times = [
            f"{result.medians[name]:.1f}" if name in result.medians else ""
            for name in ("runt", "runc", "crun")
        ]
        mood = "" if result.what == "docker" else "、冷" if result.cold else "、温"
        cells = [_NAMES[result.what] + mood, *times, result.ratio("runc"), result.ratio("crun")]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def steps(rows: Sequence[Row]) -> str:
    """Return the time of the steps as a Markdown table: the longest steps of both processes."""
    longest = sorted(rows, key=lambda row: row.milliseconds, reverse=True)[:_LONGEST]
    shown = [row for row in rows if row in longest]
    lines = ["| プロセス | 手順 | ミリ秒 |", "| --- | --- | --: |"]
    lines += [f"| {row.process} | `{row.step}` | {row.milliseconds:.2f} |" for row in shown]
    others = [row for row in rows if row not in longest]
    lines.append(f"| | ほかの {len(others)} 個の合計 | {sum(row.milliseconds for row in others):.2f} |")
    return "\n".join(lines) + "\n"


def keep(text: str) -> None:
    """Write the tables between the marks in README.ja.md."""
    before, begin, rest = README.read_text(encoding="utf-8").partition(BEGIN)
    _, end, after = rest.partition(END)
    if not end:
        raise SystemExit(f"{README.name} has no marks for the tables")
    README.write_text(f"{before}{begin}\n{text}\n{end}{after}", encoding="utf-8")
