"""All the loader's errors in a lesson, not only the first.

The loader stops where something does not fit, and it alone knows what fits. So it is asked again and again: each error is
noted, the place is mended in the parsed tree (never on disk) as a compiler mends its input, and the lesson is loaded anew.
What was put in for mending has a place of its own, above the file, so that errors about it are known to be consequences.
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
"""So many errors of one lesson are looked for: enough to be told that it is no lesson."""
_TAG = "tag:yaml.org,2002:"
_AT_A_KEY = ("unknown_key", "duplicate_key", "text_without", "unknown_kind")
_OF_A_WHOLE = ("missing_key", "missing_one_of", "one_kind", "just_one")


def errors(folder: Path) -> list[Finding]:
    """Return every error that the loader finds in a lesson, in either language, in the order of the files' lines."""
    noted: dict[tuple[object, ...], Finding] = {}
    for language in LANGUAGES:
        # A text is looked at even where the logic is not even YAML.
        for finding in [
            *_Mender(folder, language).findings(),
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


class _Mender:
    def __init__(self, folder: Path, language: Language) -> None:
        self._folder = folder
        self._language: Language = language
        self._roots: dict[Path, Item] = {}
        self._put_in = 0
        self._touched: set[int] = set()  # nodes from which a member was taken
        self._ghosts: set[str] = set()  # ids that are gone from the logic, whose texts are still there

    def findings(self) -> list[Finding]:
        """Return what is wrong, without what follows from it."""
        noted: list[Finding] = []
        for _ in range(_MOST):
            try:
                load_lesson(self._folder, self._language, self._read)
            except LessonError as error:
                node = self._node(error)
                if not self._is_consequence(error, node):
                    noted.append(_finding(error, node))
                if node is None or not self._mend(error, node):
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
            or (key in ("text_without", "unknown_key", "missing_key", "no_text") and name in self._ghosts)
            or (key in _OF_A_WHOLE and node is not None and id(node) in self._touched)
        )

    def _node(self, error: LessonError) -> yaml.Node | None:
        """Return the node that an error is about: those of a mapping and of its first key stand at the same place."""
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

    def _mend(self, error: LessonError, node: yaml.Node) -> bool:
        """Change the tree so that the error is gone; return whether that could be done."""
        key, name = _kind(error), str(error.values.get("name", ""))
        holder, slot = self._holder(error.file, node)
        if key == "no_text":
            return self._add_text(name)
        if key == "missing_key" and name not in ("id", "kind"):
            node.value.append((self._scalar(name), self._scalar("x")))
            return True
        if key in _AT_A_KEY and holder is not None:
            if key == "unknown_kind":
                none = self._stand_in("mapping")
                none.value.append((self._scalar("is"), self._scalar("none")))
                holder.value[slot] = (self._scalar("state"), none)
            else:
                del holder.value[slot]
                self._touched.add(id(holder))
            return True
        new = None if _is_kind(holder, slot) else self._instead(error, node)
        if new is None or holder is None:
            return self._remove_step(error.file, node)
        holder.value[slot] = (holder.value[slot][0], new) if _is_map(holder) else new
        return True

    def _instead(self, error: LessonError, node: yaml.Node) -> yaml.Node | None:
        """Return what can stand where a value does not fit, or None: then nothing sensible can."""
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
                    self._ghosts.add(node.value)
                self._ghosts.add(f"put-in-{self._put_in}")
                return self._scalar(f"put-in-{self._put_in}")
            case "unknown_placeholder" if isinstance(node, yaml.ScalarNode):
                left = node.value.replace(str(error.values["name"]), "")
                style = node.style
                return yaml.ScalarNode(node.tag, left, node.start_mark, node.end_mark, style)
            case "unknown_placeholder":
                return self._stand_in("sequence")
            case kind if kind.startswith("expected."):
                return self._stand_in(kind.removeprefix("expected."))
            case _:
                return None

    def _other_file(self, error: LessonError) -> Path | None:
        """Return a file that is there, of the folder in which one was not: only solutions are named inside of steps."""
        if error.line < 0:
            return None  # it was of the other folder
        files = self._folder / "files"
        folder = files if str(error.values["path"]).startswith(str(files)) else self._folder / "solutions"
        return next((each for each in sorted(folder.glob("*")) if each.is_file()), None)

    def _holder(self, file: Path, node: yaml.Node) -> tuple[yaml.Node | None, int]:
        """Return the collection in which a node stands, and at which index."""
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
        self._put_in += 1
        return yaml.Mark("", 0, -1 - self._put_in, 0, None, 0)

    def _scalar(self, value: str, tag: str = "str") -> yaml.ScalarNode:
        mark = self._mark()
        return yaml.ScalarNode(_TAG + tag, value, mark, mark)

    def _stand_in(self, kind: str) -> yaml.Node:
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
        steps.value.append((self._scalar(name), self._stand_in("mapping")))
        return True

    def _remove_step(self, file: Path, node: yaml.Node) -> bool:
        """Take the step in which a node stands out of the logic; of the texts, it is then known that they belong to it."""
        root = self._roots[file].node
        steps = (
            next((value for key, value in root.value if key.value == "steps"), None)
            if _is_map(root)
            else None
        )
        if isinstance(steps, yaml.SequenceNode):
            for slot, step in enumerate(steps.value):
                if any(each is node for each, _ in _nodes(step)):
                    self._ghosts |= {
                        value.value for key, value in step.value if _is_map(step) and key.value == "id"
                    }
                    del steps.value[slot]
                    return True
        return False


def _finding(error: LessonError, node: yaml.Node | None) -> Finding:
    """Return the finding that an error is; a placeholder is told where it stands, not where its text begins."""
    if _kind(error) == "unknown_placeholder" and isinstance(node, yaml.ScalarNode):
        name = str(error.values["name"])
        for each in scalars(parse(error.file)):  # anew: the tree at hand may have been mended here
            mark = each.node.start_mark
            if (mark.line + 1, mark.column + 1) == (error.line, error.column):
                error.line, error.column = place(each, each.node.value.find(name))
                break
    return Finding.of(error)


def _is_kind(holder: yaml.Node | None, slot: int) -> bool:
    """Tell whether a value is a step's kind: without it nothing else in the step can be judged."""
    return isinstance(holder, yaml.MappingNode) and holder.value[slot][0].value == "kind"


def _is_map(node: yaml.Node) -> bool:
    return isinstance(node, yaml.MappingNode)


def _kind(error: LessonError) -> str:
    return error.key.removeprefix("course.error.")


def _nodes(node: yaml.Node, is_key: bool = False) -> list[tuple[yaml.Node, bool]]:
    """Return a node and all below it, each with whether it is a key."""
    found = [(node, is_key)]
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            found += [(key, True), *_nodes(value)]
    elif isinstance(node, yaml.SequenceNode):
        for value in node.value:
            found += _nodes(value)
    return found
