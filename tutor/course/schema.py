"""JSON Schemas of `lesson.yaml` and `text.*.yaml` for editors, made from the tables of the loader.

They are of draft 7, which YAML language servers support best. A schema describes one file: whether ids agree between files,
files exist, and the specification has a clause, only `lint` checks.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, get_args

from tutor.course.checks import KINDS
from tutor.course.load import COMMON_KEYS, DAEMONS, FORMAT, IMAGES
from tutor.course.model import ABILITIES, OPERATIONS, REQUIREMENTS, Directory, Panel, Provided
from tutor.course.read_activity import EXERCISE_IDS, OWN_KEYS
from tutor.course.read_checks import BESIDE
from tutor.course.storage import write_atomically
from tutor.engines.model import ENGINE_NAMES
from tutor.errors import TutorError
from tutor.own_steps.exercises import FUNCTIONS

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from tutor.course.checks import Argument, Kind
    from tutor.messages import Messages

Schema = dict[str, Any]

_DRAFT = "http://json-schema.org/draft-07/schema#"
_IDENTIFIER: Schema = {"type": "string", "pattern": "^[a-z0-9-]+$"}
_TEXT: Schema = {"type": "string"}
_TEXTS: Schema = {"type": ["string", "array"], "items": _TEXT}
_BOOLEAN: Schema = {"type": "boolean"}
_NUMBER: Schema = {"type": "integer"}
_SECONDS: Schema = {"type": "number"}
_FILE: Schema = {"type": "string", "minLength": 1}


def _ref(name: str) -> Schema:
    return {"$ref": f"#/definitions/{name}"}


def _list(of: Schema) -> Schema:
    return {"type": "array", "items": of}


def _map(of: Schema) -> Schema:
    return {"type": "object", "additionalProperties": of, "propertyNames": _IDENTIFIER}


def _object(required: Iterable[str], **members: Schema) -> Schema:
    return {
        "type": "object",
        "properties": members,
        "required": list(required),
        "additionalProperties": False,
    }


def lesson_schema(messages: Messages) -> Schema:
    """Return the schema of `lesson.yaml`; descriptions of keys are in the language of `messages`."""
    lab = _object(
        ("bundle", "container"),
        bundle=_IDENTIFIER,
        container=_IDENTIFIER,
        image={"enum": list(IMAGES)},
        directory={"enum": list(get_args(Directory))},
        config=_FILE,
        files={"type": "object", "additionalProperties": _FILE},
        provides=_list({"enum": list(get_args(Provided))}),
        daemon={"enum": list(DAEMONS)},
    )
    top = _object(
        ("format", "order", "minutes", "spec", "lab", "steps"),
        format={"const": FORMAT},
        order=_NUMBER,
        minutes=_NUMBER,
        spec=_TEXT,
        engines=_list({"enum": list(ENGINE_NAMES)}),
        needs=_TEXTS,
        lab=lab,
        steps={**_list(_ref("step")), "minItems": 1},
    )
    step = _step()
    _describe(top, "lesson", messages)
    _describe(lab, "lab", messages)
    _describe(step, "step", messages)
    definitions = {
        "step": step,
        "condition": _one_kind(messages, {}, ()),
        "check": _one_kind(messages, {name: _BESIDE[name] for name in BESIDE}, ("id",)),
        "hint": _object(("id",), id=_IDENTIFIER, after=_NUMBER, when=_ref("condition")),
        "wrong": _object(("id", "do"), id=_IDENTIFIER, do=_list(_ref("action")), hint=_IDENTIFIER),
        "fail_if": _object(
            ("id", "when"),
            id=_IDENTIFIER,
            when=_ref("condition"),
            recovery={"oneOf": [{"const": "reset"}, _list(_ref("action"))]},
        ),
        "action": _action(),
    }
    return {"$schema": _DRAFT, "title": "lesson.yaml", **top, "definitions": definitions}


def text_schema(messages: Messages) -> Schema:
    """Return the schema of `text.LANGUAGE.yaml`."""
    choice = _object(("text", "feedback"), text=_TEXT, feedback=_TEXT)
    quiz = _object(("question",), question=_TEXT, choices=_map(choice), feedback=_TEXT)
    step = _object(
        ("title", "body"),
        title=_TEXT,
        body=_TEXT,
        summary=_TEXT,
        checks=_map(_TEXT),
        hints=_map(_TEXT),
        fail_if=_map(_TEXT),
        quiz={**quiz, "oneOf": [{"required": ["choices"]}, {"required": ["feedback"]}]},
    )
    top = _object(("title", "summary", "steps"), title=_TEXT, summary=_TEXT, steps=_map(step))
    _describe(step, "text", messages)
    return {"$schema": _DRAFT, "title": "text.yaml", **top}


def _describe(schema: Schema, group: str, messages: Messages) -> None:
    properties = schema["properties"]
    for name, member in properties.items():
        if messages.has(f"schema.{group}.{name}"):
            properties[name] = {**member, "description": messages(f"schema.{group}.{name}")}


_COMMON: dict[str, Schema] = {
    "clause": _TEXT,
    "shows": _TEXTS,
    "requires": {"enum": list(REQUIREMENTS)},
    "begins": _FILE,
    "setup": _TEXTS,
    "replay": _BOOLEAN,
    "needs": _list({"enum": list(ABILITIES)}),
    "checks": _list(_ref("check")),
    "hints": _list(_ref("hint")),
    "wrong": _list(_ref("wrong")),
    "fail_if": _list(_ref("fail_if")),
}
_BESIDE: dict[str, Schema] = {
    "id": _IDENTIFIER,
    "within": _SECONDS,
    "stable_for": _SECONDS,
    "guard": _BOOLEAN,
}
_OWN: dict[str, Schema] = {
    "file": _FILE,
    "operation": {"enum": list(OPERATIONS)},
    "arguments": _TEXTS,
    "fails": _BOOLEAN,
    "panel": {"enum": list(get_args(Panel))},
    "answer": {"type": ["string", "object"]},
    "choices": _list(_IDENTIFIER),
    "prediction": _BOOLEAN,
    "suggested": _TEXTS,
    "solution": {},
    "exercise": {"enum": list(EXERCISE_IDS)},
    "variants": _list(_FILE),
}
# Keys of a step whose type depends on the step's kind.
_OF_A_KIND: dict[str, dict[str, Schema]] = {
    "edit-config": {"solution": _FILE},
    "shell": {"solution": _TEXTS},
    "task": {"solution": _list(_ref("action"))},
    "quiz": {
        "answer": {
            "oneOf": [
                _IDENTIFIER,
                _object(("when",), when=_map(_ref("condition"))),
                _object(("command",), command=_TEXT),
            ]
        }
    },
}


def _step() -> Schema:
    """Return the schema of a step: the keys besides the common ones depend on its kind."""
    members = {name: _COMMON[name] for name in COMMON_KEYS} | _OWN
    step = _object(("id", "kind"), id=_IDENTIFIER, kind={"enum": list(OWN_KEYS)}, **members)
    step["allOf"] = [
        {
            "if": {"properties": {"kind": {"const": kind}}},
            "then": {
                "required": list(required),
                "propertyNames": {"enum": ["id", "kind", *COMMON_KEYS, *required, *optional]},
                "properties": _OF_A_KIND.get(kind, {}),
            },
        }
        for kind, (required, optional) in OWN_KEYS.items()
    ]
    return step


def _action() -> Schema:
    operate: Schema = {"type": "string", "pattern": f"^({'|'.join(OPERATIONS)})\\b"}
    single = {"minProperties": 1, "maxProperties": 1}
    return {
        **_object(
            (),
            write={"oneOf": [_FILE, _object(("file", "from"), **{"file": _FILE, "from": _FILE})]},
            op=operate,
            run=_TEXT,
            answer=_TEXT,
            wait=_ref("condition"),
            define={"oneOf": [_FILE, _object(("reference",), reference=_list({"enum": list(FUNCTIONS)}))]},
            fails={**_object((), op=operate, run=_TEXT), **single},
            **{"try": {**_object((), op=operate, run=_TEXT), **single}},
        ),
        **single,
    }


def _one_kind(messages: Messages, beside: dict[str, Schema], required: tuple[str, ...]) -> Schema:
    """Return the schema of a condition: exactly one kind, with that kind's arguments, and some keys beside it."""
    kinds = {name: _kind(kind) for name, kind in KINDS.items()}
    schema = _object(required, **beside, **kinds)
    _describe(schema, "kind", messages)
    return {**schema, "oneOf": [{"required": [name]} for name in kinds]}


def _kind(kind: Kind) -> Schema:
    match kind.name:
        case "not":
            return {"allOf": [_ref("condition")]}
        case "all" | "any":
            return {**_list(_ref("condition")), "minItems": 1}
    schema = _members(kind.arguments)
    if kind.one_of:
        schema["anyOf"] = [{"required": [name]} for name in kind.one_of]
    return schema


def _members(arguments: tuple[Argument, ...]) -> Schema:
    required = [each.name for each in arguments if each.required]
    return _object(required, **{each.name: _argument(each) for each in arguments})


def _argument(argument: Argument) -> Schema:
    words: Schema = {"enum": list(argument.known)}
    match argument.type:
        case "text":
            return _TEXT
        case "texts":
            return _TEXTS
        case "word":
            return words
        case "words":
            return {"oneOf": [words, _list(words)]}
        case "boolean":
            return _BOOLEAN
        case "integer":
            return {"anyOf": [_NUMBER, words]} if argument.known else _NUMBER
        case "integers":
            return {"type": ["integer", "array"], "items": _NUMBER}
        case "pattern":
            return {"type": "string", "format": "regex"}
        case "record" | "records" | "map":
            return _structure(argument)
        case "data":
            return {}


def _structure(argument: Argument) -> Schema:
    """Return the schema of an argument that consists of others."""
    if argument.type == "map":
        names: Schema = {"propertyNames": {"enum": list(argument.known)}} if argument.known else {}
        return {"type": "object", "additionalProperties": _argument(argument.members[0]), **names}
    record = _members(argument.members)
    if argument.bare:
        record = {"anyOf": [record, _argument(argument.members[0])]}
    return {"anyOf": [record, _list(record)]} if argument.type == "records" else record


def as_text(schema: Schema) -> str:
    """Return a schema as the text of its file."""
    return json.dumps(schema, indent=1, ensure_ascii=False) + "\n"


def write_schemas(folder: Path, messages: Messages) -> list[Path]:
    """Write `lesson.json` and `text.json` into a folder; return those that changed.

    Raises:
        TutorError: `lint.unwritable`.
    """
    changed = []
    for name, schema in (("lesson", lesson_schema(messages)), ("text", text_schema(messages))):
        file, text = folder / f"{name}.json", as_text(schema)
        try:
            if not file.exists() or file.read_text(encoding="utf-8") != text:
                write_atomically(file, text)
                changed.append(file)
        except OSError as error:
            raise TutorError("lint.unwritable", file=file, reason=error.strerror) from error
    return changed
