"""The specifications' documents and anchors, and rules for a lesson's references to them.

`spec-anchors.json` is made by script/spec-anchors from the specifications' repositories; it holds names only.
"""

from __future__ import annotations

import difflib
import json
import re
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from tutor.course.lint.sources import found, member, scalars, word

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tutor.course.lint.findings import Finding
    from tutor.course.lint.sources import Sources
    from tutor.course.yaml_items import Item

_DATA = Path(__file__).with_name("spec-anchors.json")
_IMAGE = "image-spec"
_RUNTIME = "runtime-spec"
# A link to either specification on GitHub, or a document named in a text, both with or without an anchor.
_LINK = re.compile(
    r"https://github\.com/opencontainers/(?P<spec>runtime-spec|image-spec)/(?:blob|tree|raw)/(?P<version>[^/\s)#]+)"
    r"(?:/(?P<document>[\w./-]+))?(?:#(?P<anchor>[\w-]+))?"
)
_NAMED = re.compile(r"(?<![\w/.-])(?P<document>(?:image-spec/)?[a-z][\w/-]*\.md)(?:#(?P<anchor>[\w-]+))?")

Documents = dict[str, list[str]]


@cache
def specifications() -> dict[str, dict[str, Documents]]:
    """Return specification to version to document to anchors."""
    data: dict[str, dict[str, Documents]] = json.loads(_DATA.read_text(encoding="utf-8"))
    return data


def spec(sources: Sources) -> Iterator[Finding]:
    """Yield every clause, link and document name in a lesson that the specification does not have."""
    version = word(member(sources.logic, "spec"))
    known = specifications()[_RUNTIME]
    if version and version not in known:
        item = member(sources.logic, "spec")
        if item is not None:
            yield found(item, "spec_version", version=version, known=", ".join(known))
        version = ""
    for _, step in sources.steps:
        clause = member(step, "clause")
        if clause is not None:
            yield from clause_findings(clause, version)
    for root in sources.texts.values():
        for item in scalars(root):
            yield from _links(item)


def clause_findings(item: Item, version: str = "") -> Iterator[Finding]:
    """Yield the defects of `document.md#anchor`, or `image-spec/document.md#anchor`, of that version of the runtime-spec."""
    document, _, anchor = word(item).partition("#")
    yield from _look_up(item, 0, document, anchor, "" if document.startswith(_IMAGE) else version)


def _links(item: Item) -> Iterator[Finding]:
    text = str(item.node.value)
    linked = []
    for match in _LINK.finditer(text):
        linked.append(match.span())
        name, version = match["spec"], match["version"].removeprefix("v")
        if version not in specifications()[name]:
            known = ", ".join(specifications()[name])
            yield found(item, "spec_version", offset=match.start(), version=version, known=known)
            continue
        document = match["document"] or "README.md"
        prefix = f"{_IMAGE}/" if name == _IMAGE else ""
        yield from _look_up(item, match.start(), prefix + document, match["anchor"] or "", version)
    for match in _NAMED.finditer(text):
        if not any(start <= match.start() < end for start, end in linked):
            yield from _look_up(item, match.start(), match["document"], match["anchor"] or "", "", named=True)


def _look_up(
    item: Item, offset: int, document: str, anchor: str, version: str, *, named: bool = False
) -> Iterator[Finding]:
    """Search one version, or without one all; a document that a text only names may belong to either specification."""
    known: dict[str, set[str]] = {}
    for name, versions in specifications().items():
        for number, documents in versions.items():
            if version in ("", number):
                for each, anchors in documents.items():
                    prefix = f"{_IMAGE}/" if name == _IMAGE else ""
                    known.setdefault(prefix + each, set()).update(anchors)
                    if named:
                        known.setdefault(each, set()).update(anchors)
    if document not in known:
        near = _near(document, known)
        yield found(item, "no_document", offset=offset, document=document, near=near)
    elif anchor and anchor not in known[document]:
        near = _near(anchor, known[document])
        yield found(item, "no_anchor", offset=offset, document=document, anchor=anchor, near=near)


def _near(name: str, known: dict[str, set[str]] | set[str]) -> str:
    return ", ".join(difflib.get_close_matches(name, sorted(known), cutoff=0.4)) or ", ".join(
        sorted(known)[:5]
    )
