"""The JSON Schemas for editors: every lesson validates, and the mistakes that the loader reports do not."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import jsonschema
import pytest
import yaml

from tutor.cli.main import main
from tutor.course.checks import KINDS
from tutor.course.find import LOGIC, lesson_folders, lessons_folder
from tutor.course.load import COMMON_KEYS
from tutor.course.read_activity import OWN_KEYS
from tutor.course.schema import as_text, lesson_schema, text_schema
from tutor.messages import LANGUAGES, Messages

if TYPE_CHECKING:
    from pathlib import Path

SCHEMAS = {"lesson": lesson_schema(Messages("ja")), "text": text_schema(Messages("ja"))}
LOGIC_TEXT = """\
format: 1
order: 1
minutes: 10
spec: "1.3.0"
lab: {bundle: box, container: one, image: none, directory: work, provides: [layout]}
steps:
  - id: look
    kind: observe
    panel: mounts
    requires: created
    checks:
      - {id: proc, mount: {target: /proc}, within: 2.5}
      - {id: both, all: [{state: {is: [created, running]}}, {not: {file: {path: a, exists: true}}}]}
    hints:
      - {id: first, when: {any: [{state: {is: stopped}}]}}
  - id: ask
    kind: quiz
    choices: [a, b]
    answer: b
    wrong: [{id: a, do: [{answer: a}]}]
  - {id: compute, kind: quiz, choices: [a], answer: {when: {a: {state: {is: none}}}}}
  - {id: type, kind: quiz, answer: {command: echo 1}}
  - id: do
    kind: task
    solution: [{write: x.json}, {op: kill TERM}, {fails: {op: start}}, {wait: {state: {is: none}}}, {run: ls}]
    checks: [{id: gone, state: {is: none}}]
    fail_if: [{id: lost, when: {state: {is: none}}, recovery: [{op: create}]}]
"""


def _problems(schema: dict[str, Any], document: object) -> list[str]:
    return [
        f"{each.json_path}: {each.message}"
        for each in jsonschema.Draft7Validator(schema).iter_errors(document)
    ]


@pytest.mark.parametrize("folder", lesson_folders(lessons_folder()), ids=lambda folder: folder.name)
def test_every_lesson_validates(folder: Path) -> None:
    files = {LOGIC: "lesson"} | {f"text.{language}.yaml": "text" for language in LANGUAGES}
    for file, schema in files.items():
        assert not _problems(SCHEMAS[schema], yaml.safe_load((folder / file).read_text(encoding="utf-8")))


@pytest.mark.parametrize("schema", SCHEMAS.values(), ids=SCHEMAS)
def test_the_schemas_are_schemas(schema: dict[str, Any]) -> None:
    jsonschema.Draft7Validator.check_schema(schema)


def test_a_sound_lesson_validates() -> None:
    assert not _problems(SCHEMAS["lesson"], yaml.safe_load(LOGIC_TEXT))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("panel: mounts", "pannel: mounts"),
        ("panel: mounts", "panel: moutns"),
        ("    panel: mounts\n", ""),
        ("kind: observe", "kind: watch"),
        ("kind: observe", "kind: read"),
        ("order: 1", "order: early"),
        ("requires: created", "requires: [created]"),
        ("mount: {target", "muont: {target"),
        ("{target: /proc}", "{tarket: /proc}"),
        ("{target: /proc}", "{type: proc}"),
        ("mount: {target: /proc}", "json: {pointer: /a}"),
        (", mount: {target: /proc}", ""),
        ("within: 2.5", "within: soon"),
        ("within: 2.5", "output: {contains: x}"),
        ("[created, running]", "[created, runing]"),
        ("all: [{state: {is: [created, running]}}, {not: {file: {path: a, exists: true}}}]", "all: []"),
        ("when: {any", "if: {any"),
        ("id: ask", "id: Ask!"),
        ("    kind: quiz\n", ""),
        ("{command: echo 1}", "{comand: echo 1}"),
        ("{op: kill TERM}", "{op: slay TERM}"),
        ("{op: kill TERM}", "{op: kill, run: ls}"),
        ("{fails: {op: start}}", "{fails: start}"),
        ("recovery: [{op: create}]", "recovery: again"),
        ("container: one", "container: ../up"),
        ("image: none", "image: debian"),
        ("format: 1", "format: 9"),
        ("steps:", "extra: 1\nsteps:"),
    ],
)
def test_mistakes_do_not_validate(old: str, new: str) -> None:
    assert old in LOGIC_TEXT
    assert _problems(SCHEMAS["lesson"], yaml.safe_load(LOGIC_TEXT.replace(old, new)))


@pytest.mark.parametrize(
    ("step", "sound"),
    [
        ({"title": "t", "body": "b", "summary": "s", "checks": {"a": "x"}}, True),
        ({"title": "t", "body": "b", "quiz": {"question": "q", "feedback": "f"}}, True),
        ({"title": "t", "body": "b", "quiz": {"question": "q"}}, False),
        ({"title": "t"}, False),
        ({"title": "t", "body": 1}, False),
        ({"title": "t", "body": "b", "sumary": "s"}, False),
        ({"title": "t", "body": "b", "checks": ["x"]}, False),
    ],
)
def test_texts(step: dict[str, object], sound: bool) -> None:
    assert sound is not bool(
        _problems(SCHEMAS["text"], {"title": "t", "summary": "s", "steps": {"one": step}})
    )


def test_the_schema_knows_what_the_loader_knows() -> None:
    definitions = SCHEMAS["lesson"]["definitions"]
    for name in ("condition", "check"):
        assert KINDS.keys() <= definitions[name]["properties"].keys()
    own = {key for required, optional in OWN_KEYS.values() for key in (*required, *optional)}
    assert definitions["step"]["properties"].keys() == {"id", "kind", *COMMON_KEYS, *own}


def test_the_copy_beside_the_lessons_is_the_one_that_is_written(tmp_path: Path) -> None:
    """Editors read `lessons/schema`. When this fails: `script/tutor lint --lang ja --schema lessons/schema`."""
    assert main(["lint", "--lang", "ja", "--schema", str(tmp_path)]) == 0
    for name, schema in SCHEMAS.items():
        written = (tmp_path / f"{name}.json").read_text(encoding="utf-8")
        assert json.loads(written) == schema
        assert written == as_text(schema)
        assert (lessons_folder() / "schema" / f"{name}.json").read_text(encoding="utf-8") == written
