"""Conditions between the members of `config.json`, and ranges that depend on another member: what engines refuse, `runt` first.

The kernel and the files of the bundle are not asked: the explainer does that (tutor/explain/survey.py).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tutor.configfile.relations import linux, mounts, process, resources, seccomp

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tutor.configfile.document import Document
    from tutor.configfile.relations.model import Relation


def relations(document: Document) -> Iterator[Relation]:
    """Return every condition that a document does not meet."""
    for topic in (process, mounts, linux, resources, seccomp):
        for look in topic.LOOKS:
            yield from look(document)
