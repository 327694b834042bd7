"""Judges what a learner has written, by state: the kernel after their functions against the kernel after ours."""

from __future__ import annotations

import fcntl
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from tutor.errors import TutorError
from tutor.home import Home
from tutor.images import prepare_bundle
from tutor.images.errors import explaining_os_errors
from tutor.images.mini import fingerprint
from tutor.images.programs import Programs
from tutor.lab.user_namespace import is_ordinary_user
from tutor.lazy_dataclass import dataclass
from tutor.own_steps import mishaps, source
from tutor.own_steps.differences import Difference, differences
from tutor.own_steps.exercises import exercise
from tutor.own_steps.facts import moments
from tutor.own_steps.sandbox import player
from tutor.own_steps.scenarios import SCENARIOS, Scenario
from tutor.own_steps.trial_view import snapshot_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tutor.messages import Messages
    from tutor.observe import Snapshot
    from tutor.own_steps.facts import Moment
    from tutor.own_steps.mishaps import Mishap

_LAUNCH = Path(__file__).with_name("launch.py")
_ours: dict[tuple[str, int], list[Moment]] = {}
"""What ours does in a scenario, by exercise and number: it is the same while this program runs."""


@dataclass(frozen=True, slots=True)
class Judgement:
    """What a learner's functions do.

    Attributes:
        passed: everything of the exercise is written, and does what ours does.
        differences: what is not as after ours.
        mishap: what ended a command that should have succeeded.
        output: the commands that were run, and what they printed.
        missing: the functions of the exercise that are not written yet.
        snapshot: the container as the kernel showed it, for the panels; None if there was none.
    """

    passed: bool
    differences: tuple[Difference, ...] = ()
    mishap: Mishap | None = None
    output: str = ""
    missing: tuple[str, ...] = ()
    snapshot: Snapshot | None = None


def judge(
    exercise_id: str,
    text: str,
    *,
    messages: Messages,
    home: Home | None = None,
    only: Sequence[str] = (),
    seconds: float = player.SECONDS,
) -> Judgement:
    """Judge an exercise; nothing that the learner's code does reaches the host.

    Args:
        exercise_id: of `exercises.EXERCISES`, or one of its functions.
        text: what is in their `my_runtime.py`.
        messages: the learner's language.
        home: where the root filesystem for containers is kept.
        only: the functions that are taken from the file, ours for all others; by default all that are written.
        seconds: the time limit of one scenario, for a machine of today.

    Raises:
        TutorError: `own.sandbox. ...`; `lab. ...`; there are no programs for a root filesystem.
        KeyError: there is no such exercise.
    """
    chosen = exercise(exercise_id)
    try:
        unwritten = set(source.missing(text))
    except source.SourceError as error:
        said = str(error.values["message"])
        return Judgement(passed=False, mishap=mishaps.syntax(error.line, said, text, messages))
    missing = tuple(name for name in chosen.functions if name in unwritten)
    if len(missing) == len(chosen.functions):
        return Judgement(passed=False, missing=missing)
    scenarios = [each for each in SCENARIOS[chosen.id] if not each.privileged or not is_ordinary_user()]
    root = prepared_root(home or Home.default())
    recordings = _play(chosen.id, scenarios, text, root, only, seconds)
    found: list[Difference] = []
    mishap, output = None, []
    for number, (scenario, recording) in enumerate(zip(scenarios, recordings, strict=True)):
        if recording.failed == "skipped":
            continue
        ours = _ours[chosen.id, number]
        another = mishaps.find(recording, ours, text, messages)
        if mishap is None or (
            mishap.kind == "exception" and another is not None and another.kind != "exception"
        ):
            mishap = another  # what never ends says more than an exception where ours refuses
        theirs = moments(recording.records, scenario.config())
        found += [each for each in differences(theirs, ours, messages) if each not in found]
        output.append(_output(recording))
    passed = not (found or mishap or missing)
    shown = next((view for each in recordings if (view := snapshot_of(each.records)) is not None), None)
    return Judgement(passed, tuple(found), mishap, "\n".join(output), missing, shown)


def prepared_root(home: Home) -> Path:
    """Return the root filesystem that containers of the sandbox get copies of: the mini image, unpacked once.

    Raises:
        ImageError: there are no programs to build it from, or the cache is full or can't be written to.
    """
    folder = home.cache / "own-steps"
    bundle = folder / f"root-{fingerprint(Programs.find())}"
    if not bundle.is_dir():
        with explaining_os_errors(folder):
            folder.mkdir(parents=True, exist_ok=True)
            with (folder / ".lock").open("w") as lock:
                fcntl.flock(lock, fcntl.LOCK_EX)
                if not bundle.is_dir():  # the previous holder of the lock may have made it
                    prepare_bundle(bundle, cache=home.cache, config="minimal")
    return bundle / "rootfs"


def _play(
    name: str,
    scenarios: Sequence[Scenario],
    text: str,
    root: Path,
    only: Sequence[str],
    seconds: float,
) -> list[player.Recording]:
    """Play the scenarios with the learner's functions, and with ours those that have not been played before."""
    launcher = [sys.executable, "-I", "-X", "faulthandler", "-X", "pycache_prefix=/run/oci-tutor/pycache", str(_LAUNCH)]  # fmt: skip
    if only:
        launcher += ["--only", ",".join(only)]
    unknown = [number for number in range(len(scenarios)) if (name, number) not in _ours]
    plays = [_play_of(scenario, text) for scenario in scenarios]
    plays += [_play_of(scenarios[number], "") for number in unknown]
    recordings = player.play(plays, root=root, launcher=launcher, seconds=seconds)
    for number, recording in zip(unknown, recordings[len(scenarios) :], strict=True):
        _ours[name, number] = _checked(scenarios[number], recording)
    return recordings[: len(scenarios)]


def _checked(scenario: Scenario, recording: player.Recording) -> list[Moment]:
    """Return what ours does.

    Raises:
        TutorError: `own.sandbox.slow`, `own.sandbox.unable`: nothing can be compared with it.
    """
    if recording.failed or recording.in_vain:
        raise TutorError("own.sandbox.slow")
    found = moments(recording.records, scenario.config())
    created = next(record for record in recording.records if record.get("did", [""])[0] == "create")
    running = next((each.facts for each in found if each.name == "running"), {})
    shown = all(running.get((aspect, detail)) == value for aspect, detail, value in scenario.shows)
    if (created["status"] != 0) != scenario.refused or not shown:
        reason = created["err"].strip() or " ".join(detail for _aspect, detail, _value in scenario.shows)
        raise TutorError("own.sandbox.unable", reason=reason)
    return found


def _play_of(scenario: Scenario, text: str) -> player.Play:
    return player.Play(
        text=text,
        config=scenario.config(),
        operations=scenario.operations,
        files=scenario.files,
        paths=scenario.paths,
        bundle_paths=scenario.bundle_paths,
    )


def _output(recording: player.Recording) -> str:
    lines = []
    for record in recording.records:
        if "did" in record:
            lines += [f"$ my_runtime {' '.join(record['did'])}", *record["out"].splitlines(), *record["err"].splitlines()]  # fmt: skip
    return "\n".join(lines)
