"""Styled lines, tables, Markdown, and what is left of them without colours."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tutor.repl.layout import indent, line, plain, table, width_of, wrap_line
from tutor.repl.markdown import render
from tutor.repl.paint import STYLES, paint, sgr, toolkit_styles

WORDS = st.text(alphabet=st.sampled_from("abc コンテナを作る、。「」()・ー\u3000"), max_size=80)


def shown(text: str, width: int = 60) -> str:
    return paint(render(text, width), escapes=False, colours=False)


@given(st.lists(st.tuples(st.sampled_from(list(STYLES)), WORDS), max_size=6), st.integers(10, 60))
def test_wrapping_keeps_every_character_and_the_width(fragments: list[tuple[str, str]], width: int) -> None:
    lines = wrap_line(fragments, width)
    assert all(width_of(each) <= width for each in lines[:-1])
    kept = "".join(map(plain, lines))
    assert kept.replace(" ", "").replace("\u3000", "") == plain(fragments).replace(" ", "").replace(
        "\u3000", ""
    )


def test_styles_survive_wrapping() -> None:
    lines = wrap_line([("strong", "強い文字"), ("", "と普通の文字")], 10)
    assert lines == [(("strong", "強い文字"), ("", "と")), (("", "普通の文字"),)]


def test_indenting_hangs_the_following_lines() -> None:
    assert indent([line("a"), line("b")], ("faint", "・ ")) == [
        (("faint", "・ "), ("", "a")),
        (("", "   "), ("", "b")),
    ]


def test_a_table_is_aligned_by_width_and_wraps_its_widest_column() -> None:
    lines = table(
        (line("種類"), line("説明")),
        [(line("mnt"), line("マウントの一覧を分ける")), (line("プロセス"), line("x"))],
        24,
    )
    assert [plain(each) for each in lines] == [
        "種類      説明",
        "────────  ──────────────",
        "mnt       マウントの一覧",
        "          を分ける",
        "プロセス  x",
    ]
    assert all(width_of(each) <= 24 for each in lines)


def test_a_table_too_narrow_for_its_columns_still_has_all_its_text() -> None:
    lines = table((), [(line("abcdefghijklmnop"), line("qrstuvwxyzabcdef"))], 10)
    text = "".join(plain(each) for each in lines).replace(" ", "")
    assert sorted(text) == sorted("abcdefghijklmnopqrstuvwxyzabcdef")


def test_markdown_of_every_kind_that_lessons_use() -> None:
    text = shown(
        "# 見出し\n\n本文の途中で\n改行します。English\nwords, `code` and **strong**.\n\n"
        "- 一つ目\n- 二つ目\n    1. 中の一\n    2. 中の二\n\n"
        "> 引用\n\n```sh\nrunt create alpine-test\n  indented\n```\n\n"
        "| 種類 | 意味 |\n|---|---|\n| `mnt` | マウント |\n\n[仕様](https://example.org/spec)"
    )
    assert text == (
        "見出し\n\n"
        "本文の途中で改行します。English words, code and strong.\n\n"
        "  • 一つ目\n  • 二つ目\n      1. 中の一\n      2. 中の二\n\n"
        "│ 引用\n\n"
        "  │ runt create alpine-test\n  │   indented\n\n"
        "種類  意味\n────  ────────\nmnt   マウント\n\n"
        "仕様 <https://example.org/spec>\n"
    )


def test_loose_lists_have_space_between_their_items() -> None:
    assert shown("- a\n\n- b\n\n  c") == "  • a\n\n  • b\n\n    c\n"


def test_markdown_keeps_kinsoku_and_the_width() -> None:
    text = shown("これは、とても長い文章です（括弧の中も、とても長くなっています）。" * 5, 40)
    for each in text.splitlines():
        assert width_of(line(each)) <= 40
        assert not each.startswith(("、", "。", "）"))


def test_code_is_not_divided() -> None:
    long = "x" * 200
    assert f"  │ {long}\n" in shown(f"```\n{long}\n```", 40)


def test_without_escapes_there_is_only_text() -> None:
    assert paint([(("bad", "✗ "), ("", "text"))], escapes=False, colours=True) == "✗ text\n"


def test_without_colours_bold_stays_and_no_colour_code_is_written() -> None:
    assert paint([line("title", "title")], escapes=True, colours=True) == "\x1b[1;36mtitle\x1b[0m\n"
    assert paint([line("title", "title")], escapes=True, colours=False) == "\x1b[1mtitle\x1b[0m\n"
    for style in STYLES:
        assert not set(sgr(style, colours=False).split(";")) & {str(code) for code in range(30, 98)}
    assert not any("ansi" in words for words in toolkit_styles(colours=False).values())
