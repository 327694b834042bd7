"""Bring the container to the state in which a step begins: run the solutions of the steps before it in the real lab."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from tutor.course.model import EditConfig, Fail, Operate, RunOperation, Shell, Task, Wait, Write
from tutor.engines.lifecycle import status_of
from tutor.errors import TutorError

if TYPE_CHECKING:
    from collections.abc import Callable

    from tutor.course.model import Action, Step
    from tutor.session.container import Container
    from tutor.session.workspace import Workspace

    Perform = Callable[[tuple[Action, ...]], None]

# The operations that change a container; the others need not be run again.
_CHANGING = ("create", "start", "kill", "delete", "pause", "resume", "exec", "update")


def bring_to(
    index: int, steps: tuple[Step, ...], container: Container, workspace: Workspace, perform: Perform
) -> None:
    """Bring the container to the state in which the step at `index` begins.

    This overwrites `config.json`; the caller saves and restores the learner's.

    Args:
        index: the step's place in `steps`.
        steps: the lesson's steps, with absolute paths in their solutions.
        container: the lab and the container in it.
        workspace: the lesson's files.
        perform: runs the actions of a task's solution.

    Raises:
        TutorError: `session.error.replay`, `.setup`, `.clear_away`: the state was not reached.
    """
    if container.docker is not None and not container.docker.alive:
        container.docker.start()
    _delete_all(container)
    first = next(each for each in range(index, -1, -1) if steps[each].requires == "none")
    for step in steps[:first]:
        if step.replay:
            _replay(step, "none", container, workspace, perform)
    start = _first_to_replay(steps, first, index)
    if first < index:
        workspace.write(workspace.begins_with(start))
    for number in range(first, index):
        set_up(steps[number], container)
        if number >= start:
            _replay(steps[number], steps[number + 1].requires, container, workspace, perform)
    wanted = steps[index].requires
    found = status_of(container.await_status(wanted))
    if found != wanted:
        raise TutorError("session.error.replay", wanted=wanted, found=found, engine=container.engine.name)


def set_up(step: Step, container: Container) -> None:
    """Run the shell lines that a step begins with.

    Raises:
        TutorError: `session.error.setup`, one of them fails.
    """
    for line in step.setup:
        output = container.ask(line)
        if output.status != 0:
            raise TutorError("session.error.setup", command=line, reason=output.stderr.strip()[-200:])


def _delete_all(container: Container) -> None:
    """Delete the lesson's container, and others that steps created, so that they can be created again.

    Raises:
        TutorError: `session.error.clear_away`, the lesson's container could not be deleted.
    """
    if container.query() is not None:
        result = container.run("delete", "--force")
        if status_of(container.await_status("none")) != "none":
            reason = result.stderr.strip().splitlines()[-1:] or ["?"]
            raise TutorError("session.error.clear_away", engine=container.engine.name, reason=reason[0])
    for each in container.other_ids():
        container.ask(f"{container.engine.name} delete --force {shlex.quote(each)}")


def _replay(step: Step, following: str, container: Container, workspace: Workspace, perform: Perform) -> None:
    """Run a step's solution again; `following` is the container's status afterwards."""
    if step.begins is not None:
        workspace.write(step.begins)
    match step.activity:
        case EditConfig(file="config.json", solution=solution):
            workspace.write(solution)
            return
        case RunOperation(operation=operation, fails=False) as action if operation in _CHANGING:
            container.run(operation, *action.arguments)
        case Task(solution=solution):
            actions = [action for action in solution if not (isinstance(action, Fail) and action.must)]
            if actions[:1] and _deletes(actions[0]) and container.query() is None:
                actions = actions[1:]
            perform(tuple(actions))
        case Shell(solution=lines) if step.replay:
            for line in lines:
                container.ask(line)
        case _:
            return
    if following != "none":  # a container never goes away by itself
        container.await_status(following)


def _first_to_replay(steps: tuple[Step, ...], first: int, index: int) -> int:
    """Return the first step, from `first` on, whose solution must be run so that the step at `index` begins as it should.

    A solution that begins with deleting the container does not depend on what steps before it did to the container alone.
    """
    start = first
    for number in range(first, index):
        match steps[number].activity:
            case Task(solution=actions) if actions and _deletes(actions[0]):
                start = number
        if not _leaves_only_the_container(steps[number]):
            break
    return start


def _deletes(action: Action) -> bool:
    return isinstance(action, Operate) and action.operation == "delete"


def _leaves_only_the_container(step: Step) -> bool:
    """Return whether a step's solution changes nothing but the container and `config.json`."""
    match step.activity:
        case Task(solution=actions):
            return not step.replay and all(
                isinstance(action, Wait | Fail)
                or (isinstance(action, Operate) and action.operation != "exec")
                or (isinstance(action, Write) and action.file == "config.json")
                for action in actions
            )
        case RunOperation(operation="exec"):
            return False
    return not step.replay
