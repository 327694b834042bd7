"""`oci-tutor engines`: the table on a terminal of 80 columns, in both languages, and as JSON."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.tutor.test_engines_traits import words
from tutor import patience
from tutor.engines.model import ENGINE_NAMES
from tutor.engines.traits.probes import PROBES
from tutor.engines.traits.table import Table
from tutor.lab.state_roots import BUNDLES
from tutor.text import cell_width

TUTOR = str(Path(sys.executable).parent / "oci-tutor")


def _run(home: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "OCI_TUTOR_HOME": str(home), "COLUMNS": "80"}
    return subprocess.run(
        [TUTOR, "engines", *arguments],
        env=environment,
        capture_output=True,
        text=True,
        timeout=patience.scaled(300),
        check=False,
    )


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the home of a learner whose engines have been asked: it takes some seconds, and once."""
    folder = tmp_path_factory.mktemp("engines")
    assert _run(folder).returncode == 0
    return folder


@pytest.fixture(scope="module")
def report(home: Path) -> dict[str, Any]:
    return dict(json.loads(_run(home, "--json").stdout))


@pytest.mark.root
@pytest.mark.peer("runc", "crun")
@pytest.mark.parametrize("name", ENGINE_NAMES)
def test_the_engines_here_answer_as_recorded_for_their_versions(report: dict[str, Any], name: str) -> None:
    """An engine whose version is not recorded answers nearly everything, with answers that there are words for."""
    (engine,) = (each for each in report["engines"] if each["engine"] == name)
    answers = {each["id"]: each["here"][name]["answer"] for each in report["traits"]}
    answers = {trait: answer for trait, answer in answers.items() if answer}
    known = words("ja")
    assert {trait: answer for trait, answer in answers.items() if answer not in known[trait]} == {}
    assert len(answers) > len(PROBES) - 8
    recorded = Table.load().recorded(engine["engine"], engine["version"])
    # The machine has a part in it, not only the engine.
    shared = answers.keys() & (recorded.answers if recorded else {}).keys() - {"affinity"}
    differing = {
        trait: answers[trait] for trait in shared if recorded and answers[trait] != recorded.answers[trait]
    }
    assert differing == {}, "where runt has changed: python -m tests.recording.engines"
    assert not Path(BUNDLES).exists()


@pytest.mark.root
@pytest.mark.parametrize("language", ["ja", "en"])
def test_the_table_fits_80_columns_and_has_every_trait(home: Path, language: str) -> None:
    done = _run(home, "--lang", language)
    assert (done.returncode, done.stderr) == (0, "")
    lines = done.stdout.splitlines()
    assert [line for line in lines if cell_width(line) > 80] == []
    assert [trait for trait in Table.load().traits if f"({trait})" not in done.stdout] == []
    # What was seen of a version that is not here stands beside.
    assert "1.3.6" in done.stdout


@pytest.mark.root
@pytest.mark.peer("runc", "crun")
def test_differences_have_a_glyph_and_a_word(home: Path) -> None:
    """Deleting a container that is created: runt refuses it, as runtime.md asks, and every version of the others does it."""
    lines = _run(home, "--lang", "en").stdout.splitlines()
    heading = next(number for number, line in enumerate(lines) if "(delete-created)" in line)
    assert lines[heading].startswith("  ◆ engines differ ")
    assert lines[heading + 1].strip().startswith("here: runt")
    assert lines[heading + 1].endswith(": fails")
    assert lines[heading + 2].endswith(": ends the waiting process and deletes")


@pytest.mark.root
def test_new_shows_only_answers_that_are_not_recorded(home: Path, tmp_path: Path) -> None:
    """As a release that changes something would; here the record of what runt answered is changed."""
    shutil.copytree(home, tmp_path / "home")
    (record,) = (tmp_path / "home/state/engines").glob("runt-*.json")
    text = record.read_text()
    found = json.loads(text)
    found["answers"]["delete-created"] = "accepted"
    record.write_text(json.dumps(found))
    changed = _run(tmp_path / "home", "--lang", "en", "--new").stdout
    assert "≠ differs from record" in changed
    assert "(delete-created)" in changed
    record.write_text(text)
    lines = set(_run(tmp_path / "home", "--lang", "en", "--new").stdout.splitlines())
    assert "(delete-created)" not in lines
    assert set(changed.splitlines()) - lines


@pytest.mark.root
def test_json_has_the_answers_of_here_and_the_recorded_ones(report: dict[str, Any]) -> None:
    assert "runt" in [each["engine"] for each in report["engines"]]
    assert len(report["engines"][0]["digest"]) == 64
    (trait,) = (each for each in report["traits"] if each["id"] == "delete-created")
    assert (trait["here"]["runt"]["answer"], trait["here"]["runt"]["verdict"]) == ("refused", "same")
    (recorded,) = (each for each in trait["recorded"] if each["version"] == "1.1.5+ds1")
    assert (recorded["engine"], recorded["answer"]) == ("runc", "accepted")


@pytest.mark.root
def test_who_may_not_ask_is_told_so_and_sees_what_is_recorded(tmp_path: Path) -> None:
    without = ["setpriv", "--bounding-set=-sys_admin", TUTOR, "engines", "--lang=en"]
    environment = {**os.environ, "OCI_TUTOR_HOME": str(tmp_path), "PATH": "/usr/bin:/bin"}
    done = subprocess.run(
        without, env=environment, capture_output=True, text=True, timeout=patience.scaled(60), check=False
    )
    assert done.returncode == 0
    assert "CAP_SYS_ADMIN" in done.stderr
    assert "recorded answers only" in done.stderr
    assert "recorded: runc 1.1.5" in done.stdout
    assert "Traceback" not in done.stderr
    again = subprocess.run(
        [*without, "--probe"],
        env=environment,
        capture_output=True,
        text=True,
        timeout=patience.scaled(60),
        check=False,
    )
    assert (again.returncode, again.stdout) == (1, "")
    assert "CAP_SYS_ADMIN" in again.stderr
