"""Where lines break: no line too wide, nothing lost, and no line that begins or ends against the rules of Japanese."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tutor.text import NO_LINE_BEGINS_WITH, NO_LINE_ENDS_WITH, cell_width, divide, wrap

PROSE = (
    "create は、プログラムを走らせる手前まで、すべてを用意します。この時点で echo は動いているでしょうか（予想）。"
    "「/proc/29017/mountinfo」をコンテナランタイムと見比べて、ちょっと確かめましょう！"
)

# Text as people write it: at most a few marks that stick together in a row.
WORDS = st.lists(
    st.sampled_from(
        [
            "コンテナ",
            "ー",
            "、",
            "。",
            "（",
            "）",
            "「",
            "」",
            "っ",
            "ょ",
            "々",
            "作成",
            "走らせる",
            " ",
            "echo",
            "config.json",
            "か\u3099",
            "…",
            "👩\u200d💻",
            "！",
        ]
    ),
    max_size=40,
).map("".join)


def pieces(text: str, width: int) -> list[str]:
    cuts = [0, *divide(text, width), len(text)]
    return [text[start:end] for start, end in itertools.pairwise(cuts)]


def test_japanese_prose_is_set_as_in_a_book() -> None:
    assert wrap(PROSE, 20) == [
        "create は、プログラ",
        "ムを走らせる手前ま",
        "で、すべてを用意しま",
        "す。この時点で echo",
        "は動いているでしょう",
        "か（予想）。",
        "「/proc/29017/mounti",
        "nfo」をコンテナラン",
        "タイムと見比べて、",
        "ちょっと確かめましょ",
        "う！",
    ]


@pytest.mark.parametrize("width", range(8, 60))
def test_kinsoku_holds_at_every_width(width: int) -> None:
    lines = pieces(PROSE, width)
    assert not [line for line in lines[1:] if line[0] in NO_LINE_BEGINS_WITH]
    assert not [line for line in lines[:-1] if line.rstrip()[-1] in NO_LINE_ENDS_WITH]


@given(WORDS, st.integers(1, 50))
def test_nothing_is_lost(text: str, width: int) -> None:
    assert "".join(pieces(text, width)) == text


@given(st.text(), st.integers(1, 50))
def test_nothing_is_lost_of_any_text(text: str, width: int) -> None:
    cuts = divide(text, width)
    assert cuts == sorted(set(cuts))
    assert all(0 < cut < len(text) for cut in cuts)


@given(WORDS, st.integers(2, 50))
def test_no_line_is_wider_than_the_screen(text: str, width: int) -> None:
    assert all(cell_width(line) <= width for line in wrap(text.rstrip(), width))


@given(WORDS, st.integers(4, 60))
def test_kinsoku_is_broken_only_inside_a_run_that_no_line_could_hold(text: str, width: int) -> None:
    for cut in divide(text, width):
        if text[cut] in NO_LINE_BEGINS_WITH or text[cut - 1] in NO_LINE_ENDS_WITH:
            assert cell_width(_stuck_together(text, cut)) > width


def _stuck_together(text: str, offset: int) -> str:
    """Return the piece of text around an offset in which kinsoku allows no break at all."""
    start = end = offset
    while start > 0 and (
        text[start] in NO_LINE_BEGINS_WITH
        or text[start - 1] in NO_LINE_ENDS_WITH
        or text[start - 1].isascii()
        or text[start] == " "  # hangs on the line before
        or 0 in (cell_width(text[start]), cell_width(text[start - 1]))  # a mark that combines, a joiner
    ):
        start -= 1
    while end < len(text) and (text[end] in NO_LINE_BEGINS_WITH or text[end - 1] in NO_LINE_ENDS_WITH):
        end += 1
    return text[start:end]


@pytest.mark.parametrize(
    ("text", "width", "lines"),
    [
        ("The quick brown fox.", 10, ["The quick", "brown fox."]),
        ("コンテナは process です", 12, ["コンテナは", "process です"]),
        ("aaaaaaaaaa。", 10, ["aaaaaaaaa", "a。"]),  # a folded word keeps its full stop company
        ("名前空間（namespace）", 10, ["名前空間", "（namespac", "e）"]),
        ("これは 'ps' です", 8, ["これは", "'ps' で", "す"]),
        ('これは"日本"です', 8, ["これは", '"日本"で', "す"]),
        ("一行目\n二行目", 4, ["一行", "目", "二行", "目"]),
        ("漢", 1, ["漢"]),
        ("", 10, [""]),
    ],
)
def test_examples(text: str, width: int, lines: list[str]) -> None:
    assert wrap(text, width) == lines


def test_a_full_line_is_left_before_a_word_that_fits_beside_japanese() -> None:
    """Textual leaves half a line empty here: it breaks at spaces only."""
    assert wrap("name はコンテナの名前を付けるための項目です", 20)[0] == "name はコンテナの名"
