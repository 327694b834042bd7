"""`oci-tutor lint`: each defect is reported once, with file, line and column, and the installed course has none."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tutor.cli.main import main
from tutor.course.find import lessons_folder
from tutor.course.lint.course import lint
from tutor.course.lint.sources import Sources
from tutor.course.lint.translation import write_stamps
from tutor.messages import LANGUAGES, Messages

ROOT = Path(__file__).parents[2]
LOGIC = """\
format: 1
order: 1
minutes: 10
spec: "1.3.0"
lab:
  bundle: box
  container: one
steps:
  - id: look
    kind: observe
    panel: mounts
    requires: created
    clause: runtime.md#create
    checks:
      - id: proc
        mount: {target: /proc}
    hints:
      - {id: first, after: 2}
      - {id: wrong, when: {state: {is: stopped}}}
    wrong:
      - {id: killed, do: [{op: kill KILL}], hint: wrong}
  - id: change
    kind: edit-config
    solution: new.json
  - id: try
    kind: shell
    suggested: [ls]
    solution: ["{engine} state {container}"]
  - id: ask
    kind: quiz
    prediction: true
    choices: [a, b]
    answer: b
"""
TEXT = """\
title: A lesson
summary: About something.
steps:
  look:
    title: Look
    body: |
      With {engine}, as [the specification](https://github.com/opencontainers/runtime-spec/blob/v1.0.2/runtime.md#start) says.

      ```sh
      {engine} create {container}
      ```
    checks:
      proc: there is a proc
    hints:
      first: Look again.
      wrong: Not that.
    summary: Seen.
  change:
    title: Change
    body: See `config.md`.
  try:
    title: Try
    body: Do.
  ask:
    title: Ask
    body: Think.
    quiz:
      question: Which?
      choices:
        a: {text: This, feedback: No.}
        b: {text: That, feedback: Yes.}
"""


def _write(tmp_path: Path, logic: str = LOGIC, english: str = TEXT, japanese: str = TEXT) -> Path:
    folder = tmp_path / "lesson-one"
    (folder / "solutions").mkdir(parents=True)
    (folder / "solutions" / "new.json").write_text("{}")
    (folder / "lesson.yaml").write_text(logic)
    (folder / "text.ja.yaml").write_text(TEXT)
    (folder / "text.en.yaml").write_text(english)
    write_stamps(Sources(folder))
    (folder / "text.ja.yaml").write_text(japanese)
    return tmp_path


def _findings(course: Path) -> list[tuple[str, int, str]]:
    return [(each.file.name, each.line, each.key.split(".", 1)[1]) for each in lint(course)]


def _line(text: str, words: str) -> int:
    return text[: text.index(words)].count("\n") + 1


def test_our_course_lints_clean() -> None:
    findings = lint(lessons_folder())
    assert not findings, "\n".join(each.render(Messages.load("ja"), 100) for each in findings)


def test_a_sound_lesson_has_no_findings(tmp_path: Path) -> None:
    assert _findings(_write(tmp_path)) == []


def test_every_error_of_the_loader_is_told_not_only_the_first(tmp_path: Path) -> None:
    logic = (
        LOGIC.replace("order: 1", "order: early")
        .replace("  bundle: box\n", "")
        .replace("panel: mounts", "panel: moutns")
        .replace("mount: {target", "muont: {target")
        .replace("new.json", "old.json")
        .replace("suggested: [ls]", "sugested: [ls]")
        .replace("answer: b", "answer: c")
        .replace("hint: wrong}", "hint: wring}")
    )
    english = (
        TEXT.replace("    title: Look\n", "")
        .replace("With {engine}", "With {enigne} and {contaner}")
        .replace("      first: Look again.\n", "")
        .replace("  ask:\n", "  aks:\n")
    )
    findings = _findings(_write(tmp_path, logic, english, TEXT))

    def at(source: str, words: str, key: str) -> tuple[str, int, str]:
        return ("lesson.yaml" if source is logic else "text.en.yaml", _line(source, words), f"error.{key}")

    assert [each for each in findings if each[2].startswith("error.")] == [
        at(logic, "order: early", "expected.number"),
        at(logic, "container: one", "missing_key"),
        at(logic, "moutns", "unknown_value"),
        at(logic, "muont", "unknown_kind"),
        at(logic, "wring", "unknown_value"),
        at(logic, "old.json", "no_file"),
        at(logic, "sugested", "unknown_key"),
        at(logic, "id: ask", "no_text"),
        at(logic, "answer: c", "unknown_value"),
        at(english, "body: |", "missing_key"),
        at(english, "{enigne}", "unknown_placeholder"),
        at(english, "{contaner}", "unknown_placeholder"),
        at(english, "wrong: Not that.", "missing_key"),
        at(english, "aks:", "text_without"),
    ]


def test_a_lesson_that_is_no_lesson_is_told_as_such(tmp_path: Path) -> None:
    for broken in ("[", "", "format: 2", "steps: 1", "a: {b: [c, {d: e}]}"):
        folder = tmp_path / f"case-{len(broken)}"
        findings = _findings(_write(folder, broken))
        assert any(key.startswith("error.") for _, _, key in findings), broken


def test_files_that_are_no_yaml_are_all_told_and_nothing_follows_from_them(tmp_path: Path) -> None:
    course = _write(tmp_path, "steps: [", "title: 'open")
    (course / "lesson-one" / "text.ja.yaml").unlink()
    assert sorted((file, key) for file, _, key in _findings(course)) == [
        ("lesson.yaml", "error.syntax"),
        ("text.en.yaml", "error.syntax"),
        ("text.ja.yaml", "error.unreadable"),
    ]


@pytest.mark.parametrize(
    ("old", "new", "at", "key"),
    [
        ("runtime.md#create", "runtime.md#creation", "runtime.md#creation", "no_anchor"),
        ("runtime.md#create", "runtimes.md", "runtimes.md", "no_document"),
        ("runtime.md#create", "image-spec/manifest.md#image-manifes", "image-spec", "no_anchor"),
        ('"1.3.0"', '"1.4.0"', "1.4.0", "spec_version"),
        ("prediction: true", "prediction: false", "- id: look", "no_prediction"),
        ("hint: wrong}", "hint: wrong}\n      - {id: other, do: [{op: kill}], hint: wrong}", None, ""),
        (
            "    wrong:\n      - {id: killed, do: [{op: kill KILL}], hint: wrong}\n",
            "",
            "{id: wrong",
            "untriggered_hint",
        ),
        ("{container}", "{contianer}", "{contianer}", "misspelt_placeholder"),
        ("{container}", "{print $1} ${engin} {container}", None, ""),
        ("{container}", "${container}", "${container}", "filled_variable"),
    ],
)
def test_a_defect_of_the_logic(tmp_path: Path, old: str, new: str, at: str | None, key: str) -> None:
    logic = LOGIC.replace(old, new)
    assert logic != LOGIC
    expected = [] if at is None else [("lesson.yaml", _line(logic, at), key)]
    assert _findings(_write(tmp_path, logic)) == expected


@pytest.mark.parametrize(
    ("old", "new", "at", "key"),
    [
        ("    summary: Seen.\n", "", "look:", "only_here"),
        ("{engine} create", "{engine} start", "|", "other_code"),
        (
            "{engine} create {container}",
            "# what {engine} does\n      {engine} create {container}  # now",
            None,
            "",
        ),
        ("v1.0.2/runtime.md#start", "v1.0.2/runtime.md#begin", "runtime.md#begin", "no_anchor"),
        ("v1.0.2/runtime.md", "v1.0.9/runtime.md", "v1.0.9", "spec_version"),
        ("`config.md`", "`confg.md`", "`confg.md`", "no_document"),
        ("`config.md`", "`config.md#hoks`", "`config.md#hoks`", "no_anchor"),
        ("`config.md`", "`manifest.md` and https://example.org/other.md", None, ""),
        ("body: Think.", "body: Think \u8003.", "Think \u8003", "left_over"),
        ("body: Think.", "body: ''", "''", "empty_body"),
        # 500 words in eight paragraphs and more: only all of them together are too long
        ("body: Think.", "body: |\n" + f"      {'word ' * 50}\n\n" * 10, "|\n      word", "long_body"),
        ("body: Think.", f"body: {'word ' * 61}", "word", "long_paragraph_en"),
        ("body: Think.", f"body: {'word ' * 60}", None, ""),
        ("body: Think.", f"body: |\n      - {'word ' * 59}\n      - {'word ' * 59}", None, ""),
        ("body: Think.", f"body: |\n      Think.\n\n      - {'a ' * 60}", "- a a", "long_paragraph_en"),
        ("body: Think.", f"body: {'word ' * 59}[a](https://example.org/b-c) {{always}}", None, ""),
    ],
)
def test_a_defect_of_the_texts(tmp_path: Path, old: str, new: str, at: str | None, key: str) -> None:
    english = TEXT.replace(old, new)
    assert english != TEXT
    findings = _findings(_write(tmp_path, english=english))
    if key == "only_here":
        assert findings == [("text.ja.yaml", _line(TEXT, old), key)]
    else:
        assert findings == ([] if at is None else [("text.en.yaml", _line(english, at), key)])


@pytest.mark.parametrize(("length", "told"), [(150, False), (151, True)])
def test_a_paragraph_in_japanese_is_measured_in_characters(tmp_path: Path, length: int, told: bool) -> None:
    japanese = TEXT.replace("body: Think.", "body: " + " ".join(["\u8003" * 60, "\u8003" * (length - 60)]))
    course = _write(tmp_path, japanese=japanese)
    write_stamps(Sources(course / "lesson-one"))
    expected = [("text.ja.yaml", _line(japanese, "\u8003"), "long_paragraph_ja")]
    assert _findings(course) == (expected if told else [])


@pytest.mark.parametrize("value", ["2026-11-29", "!!binary eA==", "&a [*a]", "{1: 2, b: c}", "[" * 9000])
def test_a_text_that_is_none_is_told_and_nothing_else_is_raised(tmp_path: Path, value: str) -> None:
    """The stamps of translations look at every text of the Japanese."""
    japanese = TEXT.replace("body: Think.", f"body: {value}")
    keys = [key for file, _, key in _findings(_write(tmp_path, japanese=japanese)) if file == "text.ja.yaml"]
    assert {"error.expected.text", "error.expected.sequence", "error.syntax"} & {*keys}


def test_a_learner_reads_one_step_and_then_does_something(tmp_path: Path) -> None:
    """Two steps of reading in a row are told, except where the last one sums up."""
    steps = LOGIC[LOGIC.index("  - id: look") :]
    first = "  - {id: one, kind: read}\n"
    logic = LOGIC.replace(steps, first + first.replace("one", "two") + steps)
    last = first.replace("one", "three") + first.replace("one", "four")
    text = TEXT.replace(
        "steps:\n",
        "steps:\n"
        + "".join(f"  {name}: {{title: A, body: B.}}\n" for name in ("one", "two", "three", "four")),
    )
    course = _write(tmp_path, logic + last, text, text)
    write_stamps(Sources(course / "lesson-one"))
    assert _findings(course) == [("lesson.yaml", _line(logic, "id: two"), "reading_again")]


def test_wide_code_is_told_by_columns_with_its_place(tmp_path: Path) -> None:
    wide = TEXT.replace("{engine} create {container}", "echo " + "\uff21" * 36)
    course = _write(tmp_path, english=wide, japanese=wide)
    write_stamps(Sources(course / "lesson-one"))
    (first, second) = lint(course)
    assert (first.key, first.line, first.column) == ("lint.wide_code", _line(wide, "echo"), 7)
    assert first.values["width"] == 77
    assert second.file.name == "text.ja.yaml"


@pytest.mark.parametrize(
    ("sentence", "told"),
    [
        ("`crun` takes it.", True),
        ("Both fail. runc says nothing.", True),
        ("`runc` 1.1.5 takes it.", False),
        ("`runc` 1.1.5 takes it. `crun` doesn't.", True),
        ("`crun` differs: {trait absent-process}", False),
        ("As to `crun`. {trait absent-process}", False),
        ("`runc`{always} is a program.", False),
        ("See `runc create x` and /run/runc.", False),
    ],
)
def test_what_an_engine_does_is_said_with_a_trait_or_a_version(
    tmp_path: Path, sentence: str, told: bool
) -> None:
    text = TEXT.replace("body: Think.", f'body: "{sentence}"')
    course = _write(tmp_path, english=text, japanese=text)
    write_stamps(Sources(course / "lesson-one"))
    found = [each for each in lint(course) if each.key == "lint.claim"]
    assert len(found) == (2 if told else 0)  # in both languages
    assert all(str(each.values["text"]) in sentence for each in found)


def test_files_that_nothing_uses_and_misspelt_placeholders_in_them(tmp_path: Path) -> None:
    course = _write(tmp_path)
    (course / "lesson-one/solutions/old.json").write_text('{"a":\n  "{engine} {bundel}"}')
    assert _findings(course) == [("old.json", 0, "unused_file"), ("old.json", 2, "misspelt_placeholder")]


def test_recordings_are_there_for_each_engine_and_of_steps_that_there_are(tmp_path: Path) -> None:
    course = _write(tmp_path, LOGIC.replace("lab:\n", "engines: [runt, crun]\nneeds: [docker]\nlab:\n"))
    folder = course / "lesson-one" / "recorded"
    folder.mkdir()
    (folder / "runt.json").write_text('{"steps": {"look": [],\n "loook": []}}')
    assert _findings(course) == [("lesson.yaml", 6, "no_recording"), ("runt.json", 2, "recorded_without")]
    (folder / "crun.json").write_text('{"steps": {,}}')
    assert ("crun.json", 1, "no_json") in _findings(course)


def test_a_translation_is_stale_once_the_japanese_has_changed(tmp_path: Path) -> None:
    japanese = TEXT.replace("body: Think.", "body: Think twice.")
    course = _write(tmp_path, japanese=japanese)
    assert _findings(course) == [("text.en.yaml", _line(TEXT, "ask:"), "stale")]
    assert main(["lint", str(course), "--stamp", "lesson-one"]) == 0
    assert _findings(course) == []


def test_moving_the_japanese_about_is_no_change(tmp_path: Path) -> None:
    japanese = TEXT.replace("body: Think.", 'body: "Think."') + "# the end\n"
    assert _findings(_write(tmp_path, japanese=japanese)) == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_command_says_places_and_fails(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], language: str
) -> None:
    logic = LOGIC.replace("runtime.md#create", "runtime.md#creat")
    course = _write(tmp_path, logic)
    assert main(["lint", str(course), "--lang", language]) == 1
    line = _line(logic, "runtime.md#creat")
    out = capsys.readouterr().out
    assert re.search(rf"^{re.escape(str(course))}/lesson-one/lesson\.yaml:{line}:13: ", out, re.MULTILINE)
    assert " create," in out, "the near name"


def test_everything_that_can_be_found_has_its_words() -> None:
    code = "".join(file.read_text() for file in (ROOT / "tutor/course/lint").glob("*.py"))
    keys = {*re.findall(r'found\(\s*\w+,\s*"(\w+)"', code), *re.findall(r'"lint\.(\w+)"', code)}
    assert len(keys) > 15, "the probe finds no keys"
    for language in LANGUAGES:
        assert not [key for key in keys if not Messages(language).has(f"lint.{key}.title")]


def test_a_lesson_alone_can_be_linted_and_nothing_is_an_error(tmp_path: Path) -> None:
    assert main(["lint", str(_write(tmp_path) / "lesson-one")]) == 0
    assert main(["lint", str(tmp_path / "elsewhere")]) == 1
