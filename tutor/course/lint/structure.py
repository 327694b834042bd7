"""All the loader's errors in a lesson, not only the first.

The loader stops at the first error, and only it knows what is allowed. So it runs repeatedly: each error is noted, its place
is repaired in the parsed tree (never on disk), as a compiler recovers from an error, and the lesson is loaded again. Nodes
inserted as repairs have a negative line, so that an error at one is known to be a consequence.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import yaml

from tutor.course.errors import LessonError
from tutor.course.lint.findings import Finding
from tutor.course.lint.sources import place, scalars
from tutor.course.load import load_lesson
from tutor.course.yaml_items import Item, parse
from tutor.messages import LANGUAGES

if TYPE_CHECKING:
    from pathlib import Path

    from tutor.messages import Language

_MOST = 300
"""The most errors that are looked for in one lesson."""
_TAG = "tag:yaml.org,2002:"
_AT_A_KEY = ("unknown_key", "duplicate_key", "text_without", "unknown_kind")
_OF_A_WHOLE = ("missing_key", "missing_one_of", "one_kind", "just_one")


def errors(folder: Path) -> list[Finding]:
    """Return every error that the loader finds in a lesson, in either language, in the order of the files' lines."""
    noted: dict[tuple[object, ...], Finding] = {}
    for language in LANGUAGES:
        # A text is examined even if the logic is not YAML.
        for finding in [
            *_Repairer(folder, language).findings(),
            *_unparsable(folder / f"text.{language}.yaml"),
        ]:
            # An error of the logic is found once for each language.
            what = (finding.file, finding.line, finding.column, finding.key, str(finding.values.get("name")))
            noted.setdefault(what, finding)
    return sorted(noted.values(), key=lambda each: (each.file, each.line, each.column))


def _unparsable(file: Path) -> list[Finding]:
    try:
        parse(file)
    except LessonError as error:
        return [Finding.of(error)]
    return []


class _Repairer:
    def __init__(self, folder: Path, language: Language) -> None:
        self._folder = folder
        self._language: Language = language
        self._roots: dict[Path, Item] = {}
        self._inserted = 0
        self._changed: set[int] = set()  # nodes from which a member was removed
        self._removed_ids: set[str] = set()  # ids that were removed from the logic, and whose texts are left

    def findings(self) -> list[Finding]:
        """Return the errors, without their consequences."""
        noted: list[Finding] = []
        for _ in range(_MOST):
            try:
                load_lesson(self._folder, self._language, self._read)
            except LessonError as error:
                node = self._node(error)
                if not self._is_consequence(error, node):
                    noted.append(_finding(error, node))
                if node is None or not self._repair(error, node):
                    break
            else:
                break
        return noted

    def _read(self, file: Path) -> Item:
        if file not in self._roots:
            self._roots[file] = parse(file)
        return self._roots[file]

    def _is_consequence(self, error: LessonError, node: yaml.Node | None) -> bool:
        key, name = _kind(error), str(error.values.get("name", ""))
        return (
            error.line < 0
            or (
                key in ("text_without", "unknown_key", "missing_key", "no_text") and name in self._removed_ids
            )
            or (key in _OF_A_WHOLE and node is not None and id(node) in self._changed)
        )

    def _node(self, error: LessonError) -> yaml.Node | None:
        """Return the node of an error: a mapping and its first key have the same position."""
        at_key, whole = _kind(error) in _AT_A_KEY, _kind(error) in _OF_A_WHOLE
        for node, is_key in _nodes(self._roots[error.file].node) if error.file in self._roots else ():
            mark = node.start_mark
            if (mark.line + 1, mark.column + 1) != (error.line, error.column) or is_key != at_key:
                continue
            if whole and not isinstance(node, yaml.MappingNode):
                continue
            if at_key and node.value != error.values.get("name"):
                continue
            return node
        return None

    def _repair(self, error: LessonError, node: yaml.Node) -> bool:
        """Change the tree so that the error is gone; return whether that was possible."""
        key, name = _kind(error), str(error.values.get("name", ""))
        holder, slot = self._holder(error.file, node)
        if key == "no_text":
            return self._add_text(name)
        if key == "missing_key" and name not in ("id", "kind"):
            node.value.append((self._scalar(name), self._scalar("x")))
            return True
        if key in _AT_A_KEY and holder is not None:
            if key == "unknown_kind":
                none = self._placeholder_node("mapping")
                none.value.append((self._scalar("is"), self._scalar("none")))
                holder.value[slot] = (self._scalar("state"), none)
            else:
                del holder.value[slot]
                self._changed.add(id(holder))
            return True
        new = None if _is_kind(holder, slot) else self._replacement(error, node)
        if new is None or holder is None:
            return self._remove_step(error.file, node)
        holder.value[slot] = (holder.value[slot][0], new) if _is_map(holder) else new
        return True

    def _replacement(self, error: LessonError, node: yaml.Node) -> yaml.Node | None:
        """Return a value that the loader accepts in place of the wrong one; None if there is none."""
        match _kind(error):
            case "format":
                return self._scalar(str(error.values["known"]), "int")
            case "unknown_value":
                return self._scalar(str(error.values["known"]).split(", ")[0])
            case "no_file" | "outside":
                other = self._other_file(error)
                return self._scalar(str(other)) if other else None
            case "identifier" | "duplicate_id":
                if _kind(error) == "identifier":
                    self._removed_ids.add(node.value)
                self._removed_ids.add(f"inserted-{self._inserted}")
                return self._scalar(f"inserted-{self._inserted}")
            case "unknown_placeholder" if isinstance(node, yaml.ScalarNode):
                left = node.value.replace(str(error.values["name"]), "")
                style = node.style
                return yaml.ScalarNode(node.tag, left, node.start_mark, node.end_mark, style)
            case "unknown_placeholder":
                return self._placeholder_node("sequence")
            case kind if kind.startswith("expected."):
                return self._placeholder_node(kind.removeprefix("expected."))
            case _:
                return None

    def _other_file(self, error: LessonError) -> Path | None:
        """Return an existing file of the folder in which one was missing: steps name only solutions."""
        if error.line < 0:
            return None  # the inserted name was of the other folder
        files = self._folder / "files"
        folder = files if str(error.values["path"]).startswith(str(files)) else self._folder / "solutions"
        return next((each for each in sorted(folder.glob("*")) if each.is_file()), None)

    def _holder(self, file: Path, node: yaml.Node) -> tuple[yaml.Node | None, int]:
        """Return the collection that holds a node, and the node's index."""
        for each, _ in _nodes(self._roots[file].node):
            if isinstance(each, yaml.MappingNode):
                for slot, (key, value) in enumerate(each.value):
                    if node is key or node is value:
                        return each, slot
            elif isinstance(each, yaml.SequenceNode):
                for slot, value in enumerate(each.value):
                    if node is value:
                        return each, slot
        return None, 0

    def _mark(self) -> yaml.Mark:
        self._inserted += 1
        return yaml.Mark("", 0, -1 - self._inserted, 0, None, 0)

    def _scalar(self, value: str, tag: str = "str") -> yaml.ScalarNode:
        mark = self._mark()
        return yaml.ScalarNode(_TAG + tag, value, mark, mark)

    def _placeholder_node(self, kind: str) -> yaml.Node:
        mark = self._mark()
        match kind:
            case "mapping":
                return yaml.MappingNode(_TAG + "map", [], mark, mark)
            case "sequence":
                return yaml.SequenceNode(_TAG + "seq", [], mark, mark)
            case "number":
                return self._scalar("1", "int")
            case "boolean":
                return self._scalar("true", "bool")
            case _:
                return self._scalar("x")

    def _add_text(self, name: str) -> bool:
        root = self._roots[self._folder / f"text.{self._language}.yaml"].node
        steps = next((value for key, value in root.value if key.value == "steps"), None)
        if not isinstance(steps, yaml.MappingNode):
            return False
        steps.value.append((self._scalar(name), self._placeholder_node("mapping")))
        return True

    def _remove_step(self, file: Path, node: yaml.Node) -> bool:
        """Remove the step that holds a node from the logic, and remember its id: its texts are left."""
        root = self._roots[file].node
        steps = (
            next((value for key, value in root.value if key.value == "steps"), None)
            if _is_map(root)
            else None
        )
        if isinstance(steps, yaml.SequenceNode):
            for slot, step in enumerate(steps.value):
                if any(each is node for each, _ in _nodes(step)):
                    self._removed_ids |= {
                        value.value for key, value in step.value if _is_map(step) and key.value == "id"
                    }
                    del steps.value[slot]
                    return True
        return False


def _finding(error: LessonError, node: yaml.Node | None) -> Finding:
    """Return the finding for an error; a placeholder's is at the placeholder, not at the start of its text."""
    if _kind(error) == "unknown_placeholder" and isinstance(node, yaml.ScalarNode):
        name = str(error.values["name"])
        for each in scalars(
            parse(error.file)
        ):  # parsed again: the tree in memory may have been repaired here
            mark = each.node.start_mark
            if (mark.line + 1, mark.column + 1) == (error.line, error.column):
                error.line, error.column = place(each, each.node.value.find(name))
                break
    return Finding.of(error)


def _is_kind(holder: yaml.Node | None, slot: int) -> bool:
    """Tell whether a value is a step's kind: without it the rest of the step cannot be checked."""
    return isinstance(holder, yaml.MappingNode) and holder.value[slot][0].value == "kind"


def _is_map(node: yaml.Node) -> bool:
    return isinstance(node, yaml.MappingNode)


def _kind(error: LessonError) -> str:
    return error.key.removeprefix("course.error.")


def _nodes(node: yaml.Node, is_key: bool = False) -> list[tuple[yaml.Node, bool]]:
    """Return a node and all nodes below it, each with whether it is a key."""
    found = [(node, is_key)]
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            found += [(key, True), *_nodes(value)]
    elif isinstance(node, yaml.SequenceNode):
        for value in node.value:
            found += _nodes(value)
    return found
