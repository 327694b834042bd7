"""The runtime that a learner of the course build-your-own exports, with the model solution in place of their functions."""

from __future__ import annotations

from tutor.messages import Messages
from tutor.own_steps import source
from tutor.own_steps.assemble import exported
from tutor.own_steps.exercises import FUNCTIONS


def model_file() -> str:
    """Return `my_runtime.py` of a learner who wrote every function as the model solution has it."""
    return source.with_definitions(source.BEGINNING, source.reference_definition(FUNCTIONS))


def model_solution() -> str:
    """Return the script that `oci-tutor my export` makes of it."""
    return exported(model_file(), Messages("en"))
