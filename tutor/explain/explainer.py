"""The three questions: what does this error mean, what is wrong in this bundle, why has this container ended without a word."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from tutor.explain.model import Failure, Finding
from tutor.explain.patterns import PATTERNS
from tutor.explain.places import NOWHERE, find_place
from tutor.explain.printed import core, sentences
from tutor.explain.refine import of_problem, refine
from tutor.explain.survey import survey
from tutor.explain.words import put

if TYPE_CHECKING:
    from tutor.explain.bundle import Bundle
    from tutor.explain.model import Explanation
    from tutor.messages import Messages


_SILENT = ("/process/", "/hooks/startContainer")


def explain(failure: Failure, bundle: Bundle, messages: Messages) -> Explanation:
    """Return what an engine's error means; id `unknown`, with honest words, where we don't know."""
    return put(find(failure, bundle), bundle, messages)


def explain_silence(said: str, bundle: Bundle, messages: Messages) -> Explanation | None:
    """Return why a container ended as soon as it was started, though `start` said that all was well; None: not seen.

    runc 1.1 and crun 1.8 report a program that execve(2) refuses, and a failing startContainer hook, to nobody but the
    container's standard error (`said`).
    """
    found = find(Failure(said, "start"), bundle) if said.strip() else None
    if found is None or not (found.id.startswith("program.") or (found.pointer or "").startswith(_SILENT)):
        return None
    return put(found, bundle, messages)


def explain_bundle(bundle: Bundle, messages: Messages) -> list[Explanation]:
    """Return everything that can be seen to be wrong in a bundle, in the order of `config.json`."""
    return [put(finding, bundle, messages) for finding in survey(bundle)]


def find(failure: Failure, bundle: Bundle) -> Finding:
    """Return what is wrong, in no language yet."""
    said = sentences(failure.said)
    plain = replace(failure, said="\n".join(said))
    for pattern in PATTERNS:
        if pattern.operation and failure.operation and pattern.operation != failure.operation:
            continue
        for sentence in said:
            text = core(sentence)
            match = pattern.regex.search(text)
            if match is None:
                continue
            groups = {name: value for name, value in match.groupdict().items() if value is not None}
            where = find_place(
                pattern.where, {**groups, "": text, "whole": sentence, "operation": failure.operation}, bundle
            )
            if where is None:
                continue
            pointer = None if where == NOWHERE else where
            found = refine(Finding(pattern.id, {**groups, "said": text}, pointer), plain, bundle)
            return _seen_too(found, bundle)
    return _unrecognised(plain, bundle)


def _seen_too(found: Finding, bundle: Bundle) -> Finding:
    """Return what we see ourselves where the engine only says that it does not like a place, or that its child has died."""
    if found.id == "config.refused":
        return next((each for each in survey(bundle) if each.pointer == found.pointer), found)
    if found.id == "init.died":
        return next((each for each in survey(bundle) if each.severity == "error" and bundle.text), found)
    return found


def _unrecognised(failure: Failure, bundle: Bundle) -> Finding:
    """Return what is wrong in the configuration, if anything is: that is likely to be the reason; else that we don't know."""
    said = core(failure.said.splitlines()[-1]) if failure.said else ""
    errors = [problem for problem in bundle.problems if problem.severity == "error"]
    if errors and failure.operation in ("", "create", "run"):
        return replace(of_problem(errors[0], bundle), values={"said": said})
    return Finding("unknown" if said else "silent", {"said": said})
