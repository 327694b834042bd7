"""`python -m tests.recording.messages TREE [--list]`: count the error messages in the sources of an engine, and those explained.

TREE is a checkout of opencontainers/runc or containers/crun, of any version, or of this repository (runt). A message is a literal in the program that becomes
an error: `errors.New`, `fmt.Errorf`, `bail` of runc's C part; `crun_make_error` and its kin; `RuntError`. Its verbs are filled with sample
values; an errno that follows is one that no pattern knows, so that the words themselves must be known. No bundle is given.
`--list` prints the messages, those without an explanation marked by `-`.
"""

from __future__ import annotations

import ast
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from tutor.explain.bundle import Bundle
from tutor.explain.explainer import find
from tutor.explain.model import Failure

if TYPE_CHECKING:
    from collections.abc import Iterator

# What is compiled into runc beside its own packages, and makes errors that it prints.
_VENDORED = ("vendor/github.com/opencontainers/", "vendor/cyphar.com/", "vendor/github.com/cyphar/")
_LITERAL = r'"((?:[^"\\\n]|\\.)*)"|`([^`]*)`'
_GO = re.compile(rf"\b(?:errors\.New|[Ee]rrorf|logrus\.(?:Fatal|Error)f?)\(\s*(?:{_LITERAL})", re.ASCII)
_BAIL = re.compile(rf"\b(?:bailx?|sane_kill_bail)\s*\(\s*(?:{_LITERAL})")
_C = re.compile(
    r"\b(?:crun_make_error\s*\([^,;]*,[^,;]*,|crun_error_wrap\s*\([^,;]*,|libcrun_fail_with_error\s*\((?:[^,;()]|\([^()]*\))*,"
    r"|(?<![\w>.])error\s*\([^,;]*,[^,;]*,|libcrun_error\s*\([^,;]*,)\s*((?:\"(?:[^\"\\\n]|\\.)*\"\s*)+)",
)
_VERB = re.compile(r"%(?:\[\d\])?[-+# 0]*\d*(?:\.[\d*]+)?(?:l{1,2}|z|h|j)?([a-zA-Z%])")
_SAMPLES = {
    "d": "7",
    "i": "7",
    "u": "7",
    "x": "7",
    "X": "7",
    "o": "644",
    "q": '"word"',
    "w": "the reason",
    "c": "c",
    "%": "%",
}
_PRI = re.compile(r'"\s*PRI\w+\s*"')


def messages(tree: Path) -> set[str]:
    """Return the distinct messages of a checkout, with their verbs as they are written."""
    if (tree / "runtime" / "steps").is_dir():
        found = set(_of_runt(tree))
    else:
        found = set(_of_crun(tree) if (tree / "src" / "libcrun").is_dir() else _of_runc(tree))
    return {each for each in found if re.search(r"[a-zA-Z]{2}", _VERB.sub("", each))}


def _of_runc(tree: Path) -> Iterator[str]:
    for path in sorted(tree.rglob("*.go")):
        place = path.relative_to(tree).as_posix()
        if place.endswith("_test.go") or place.startswith(("tests/", "contrib/", "script/")):
            continue
        if place.startswith("vendor/") and not place.startswith(_VENDORED):
            continue
        yield from _literals(_GO, path)
    for path in sorted((tree / "libcontainer" / "nsenter").glob("*.c")):
        yield from _literals(_BAIL, path)


def _literals(pattern: re.Pattern[str], path: Path) -> Iterator[str]:
    for match in pattern.finditer(path.read_text(encoding="utf-8")):
        yield match[2] if match[2] is not None else _unescaped(match[1])


def _of_crun(tree: Path) -> Iterator[str]:
    for path in sorted((tree / "src").rglob("*.c")):
        for match in _C.finditer(_PRI.sub("d", path.read_text(encoding="utf-8"))):
            yield _unescaped("".join(re.findall(r'"((?:[^"\\\n]|\\.)*)"', match[1])))


def _of_runt(tree: Path) -> Iterator[str]:
    for path in sorted((tree / "runtime").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            name = node.func.id if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) else ""
            if isinstance(node, ast.Call) and name.endswith("Error") and name[0] == "R" and node.args:
                yield _text(node.args[0])


def _text(node: ast.expr) -> str:
    """Return a string of Python as a message; what is filled in has the verb of a word, an error that of a reason."""
    if isinstance(node, ast.Constant):
        return str(node.value)
    if isinstance(node, ast.JoinedStr):
        return "".join(map(_text, node.values))
    if isinstance(node, ast.FormattedValue):
        return "%w" if "describe" in ast.unparse(node) or "reason" in ast.unparse(node) else "%s"
    return "%s"


def _unescaped(text: str) -> str:
    return text.replace('\\"', '"').replace("\\n", "\n").replace("\\\\", "\\").strip()


def as_printed(message: str) -> str:
    """Return a message with sample values, and a reason that no pattern knows at its end."""
    said = _VERB.sub(lambda verb: _SAMPLES.get(verb[1], "word"), message)
    return said if said.endswith("the reason") else f"{said}: the reason"


def explained(message: str) -> str:
    """Return the id of a message's explanation, `unknown` if it has none."""
    return find(Failure(as_printed(message)), Bundle()).id


def main(words: list[str]) -> None:
    """Print the count, and with `--list` the messages."""
    found = {each: explained(each) for each in sorted(messages(Path(words[0])))}
    for each, id_ in found.items() if "--list" in words else ():
        print(f"{'-' if id_ == 'unknown' else '+'} {id_:30} {as_printed(each)!r}")
    known = sum(id_ != "unknown" for id_ in found.values())
    print(f"distinct messages: {len(found)}, explained: {known}, unknown: {len(found) - known}")


if __name__ == "__main__":
    main(sys.argv[1:])
