"""Declarative checks on real state: conditions that a lesson sets on the kernel, the runtime and the files.

A kind of check is a function from a `CheckContext` and its arguments to a `Finding`, registered with the arguments that it
takes, so that the loader can report a mistake in a lesson with its line. To add a kind: write the function in the module of its
topic (`registry.TOPICS`), decorate it, and add its messages to the catalogue (`course.check.KIND`).
"""

from __future__ import annotations

from tutor.course.checks.context import CallRecord, CheckContext, CommandOutput, Finding
from tutor.course.checks.registry import KINDS, Argument, Kind, evaluate, find, read_condition

__all__ = [
    "KINDS",
    "Argument",
    "CallRecord",
    "CheckContext",
    "CommandOutput",
    "Finding",
    "Kind",
    "evaluate",
    "find",
    "read_condition",
]
