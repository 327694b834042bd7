"""The explainer's three functions: what an error means, what is wrong in a bundle, why a container ended without an error."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from tutor.explain.model import Failure, Finding
from tutor.explain.own import has_own_prefix, is_own, speaker
from tutor.explain.patterns import PATTERNS
from tutor.explain.places import NOWHERE, find_place
from tutor.explain.printed import core, sentences
from tutor.explain.refine import of_problem, refine
from tutor.explain.survey import survey
from tutor.explain.words import put

if TYPE_CHECKING:
    from tutor.explain.bundle import Bundle
    from tutor.explain.model import Explanation, Values
    from tutor.messages import Messages


# They say what was being done, not why it failed: an error in the configuration is the likelier reason.
_VAGUE = ("mount.step", "root.entering", "init.creation", "cgroup.failed", "engine.internal", "host.call")
_SILENT = ("/process/", "/hooks/startContainer")


def explain(failure: Failure, bundle: Bundle, messages: Messages) -> Explanation:
    """Return what an engine's error means; its id is `unknown` if no pattern fits."""
    return put(find(failure, bundle), bundle, messages)


def explain_silence(said: str, bundle: Bundle, messages: Messages) -> Explanation | None:
    """Return why a container ended as soon as it was started, although `start` succeeded; None if no reason is found.

    If execve(2) refuses the program, or a startContainer hook fails, runc and crun (seen with 1.1.5 to 1.3.6, and 1.8.1 to 1.28)
    write the error only to the container's standard error (`said`); so does crun 1.21 and 1.28 if there is no program at all.
    """
    found = find(Failure(said, "start"), bundle) if said.strip() else None
    if found is None or not (
        found.id.startswith(("program.", "process.")) or (found.pointer or "").startswith(_SILENT)
    ):
        return None
    return put(found, bundle, messages)


def explain_broken_pipe(bundle: Bundle, messages: Messages) -> Explanation | None:
    """Return why an engine was ended by SIGPIPE; None without hooks in the configuration.

    crun (seen with 1.8.1 and 1.21) is ended so now and then by a hook that ends before the state is written to its standard input.
    """
    return put(Finding("hook.unread", {}, "/hooks"), bundle, messages) if bundle.value("/hooks") else None


def explain_bundle(bundle: Bundle, messages: Messages) -> list[Explanation]:
    """Return every problem found in a bundle, in the order of `config.json`."""
    return [put(finding, bundle, messages) for finding in survey(bundle)]


def find(failure: Failure, bundle: Bundle) -> Finding:
    """Return what is wrong, as a finding without text."""
    said = sentences(failure.said)
    if said and has_own_prefix(said[0]):
        return Finding("own.message", {"said": said[0]})
    found = _by_pattern(said, failure, bundle)
    if found.id.partition(".")[0] in ("unknown", "host") and said and is_own(said[0]):
        return Finding("own.message", {"said": said[0]})
    if found.id.partition(".")[0] in ("unknown", "host") and (program := speaker(failure.said, said[-1])):
        return Finding("other.message", {"program": program, "said": said[-1]})
    return found


def _by_pattern(said: list[str], failure: Failure, bundle: Bundle) -> Finding:
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
            if where is None and (pattern.doubtful or bundle.text is not None):
                continue
            pointer = None if where in (None, NOWHERE) else where
            found = refine(Finding(pattern.id, {**groups, "said": text}, pointer), plain, bundle)
            return _seen_too(found, plain, bundle)
    return _unrecognised(plain, bundle)


def _seen_too(found: Finding, failure: Failure, bundle: Bundle) -> Finding:
    """Return the problem found in the files, where the engine only names a place or says that its child process ended."""
    if found.id in _VAGUE or found.id.startswith("file."):
        found = _problem(found.values, failure, bundle) or found
    if found.id in ("config.refused", "cgroup.value", "seccomp.contradiction"):
        return next((each for each in survey(bundle) if each.pointer == found.pointer), found)
    if found.id.startswith("init.") and found.id != "init.oom":
        return next((each for each in survey(bundle) if each.severity == "error" and bundle.text), found)
    return found


def _unrecognised(failure: Failure, bundle: Bundle) -> Finding:
    """Return a problem of the configuration, which is likely to be the reason; without one, the finding `unknown`."""
    said = core(failure.said.splitlines()[-1]) if failure.said else ""
    return _problem({"said": said}, failure, bundle) or Finding(
        "unknown" if said else "silent", {"said": said}
    )


def _problem(values: Values, failure: Failure, bundle: Bundle) -> Finding | None:
    """Return the first error of the configuration; None if there is none, or if the operation does not read it."""
    errors = [problem for problem in bundle.problems if problem.severity == "error"]
    if errors and failure.operation in ("", "create", "run"):
        return replace(of_problem(errors[0], bundle), values=values)
    return None
