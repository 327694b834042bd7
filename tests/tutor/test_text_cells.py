"""Widths in cells: a table with Japanese in it lines up."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tutor.text import Align, cell_width, fit, pad, truncate

TEXT = st.text(
    alphabet=st.one_of(
        st.characters(categories=["L", "N", "P", "Zs", "Mn"]), st.sampled_from("あ漢ｱA🇯🇵👩\u200d")
    )
)


@pytest.mark.parametrize(
    ("text", "width"),
    [
        ("", 0),
        ("abc", 3),
        ("名前空間", 8),
        ("mnt 自分", 8),
        ("ｱｲｳ", 3),
        ("か\u3099", 2),  # a voiced mark that combines
        ("e\u0301", 1),
        ("◆ ○ ✓ ✗ ·", 9),  # the glyphs of the panels are narrow
        ("👩\u200d💻", 2),
        ("\x1b", 0),
    ],
)
def test_width(text: str, width: int) -> None:
    assert cell_width(text) == width


@pytest.mark.parametrize(("align", "padded"), [("left", "自分  "), ("right", "  自分"), ("center", " 自分 ")])
def test_padding_counts_cells(align: Align, padded: str) -> None:
    assert pad("自分", 6, align) == padded


def test_padding_never_cuts() -> None:
    assert pad("自分の名前空間", 4) == "自分の名前空間"


@pytest.mark.parametrize(
    ("text", "width", "expected"),
    [
        ("自分の名前空間", 14, "自分の名前空間"),
        ("自分の名前空間", 9, "自分の名…"),
        ("自分の名前空間", 8, "自分の…"),
        ("ab", 1, "…"),
        ("ab", 0, ""),
    ],
)
def test_truncation_never_splits_a_wide_character(text: str, width: int, expected: str) -> None:
    assert truncate(text, width) == expected


@given(TEXT, st.integers(0, 30))
def test_a_truncated_text_fits(text: str, width: int) -> None:
    assert cell_width(truncate(text, width)) <= width


@given(TEXT, st.integers(0, 30), st.sampled_from(["left", "right", "center"]))
@example("\u200d", 1, "left")
def test_a_cell_of_a_table_is_exactly_as_wide_as_its_column(text: str, width: int, align: Align) -> None:
    assert cell_width(fit(text, width, align)) == width
