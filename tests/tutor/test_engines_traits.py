"""Engines are asked for what differs between their versions: the table, the answers, and how they are kept."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.support.lab import home, until
from tutor.engines.engine import find
from tutor.engines.traits import kept as kept_module
from tutor.engines.traits.kept import Answers, answers_of, digest_of, kept
from tutor.engines.traits.probes import PROBES
from tutor.engines.traits.table import Observation, Table
from tutor.engines.traits.words import sentences
from tutor.engines.trial import Trial, merged
from tutor.lab.lab import sweep
from tutor.lab.state_roots import BUNDLES
from tutor.messages import LANGUAGES, Messages, topic_entries

if TYPE_CHECKING:
    from tutor.messages import Language

TABLE = Table.load()


def words(language: Language) -> dict[str, set[str]]:
    """Return the answers of each trait that the catalogue has words for."""
    found: dict[str, set[str]] = {}
    for key in topic_entries(language, "traits"):
        match key.split(".", 3):
            case [_, trait, "answer", answer]:
                found.setdefault(trait, set()).add(answer)
    return found


def test_every_trait_has_a_probe_a_question_and_words_for_its_answers() -> None:
    assert len(set(TABLE.traits)) == len(TABLE.traits)
    assert set(TABLE.traits) == set(PROBES)
    for language in LANGUAGES:
        assert all(Messages(language).has(f"traits.{trait}.question") for trait in TABLE.traits)
        assert set(words(language)) == set(TABLE.traits)


def test_every_recorded_answer_has_words() -> None:
    known = words("ja")
    unknown = [
        (each.engine, each.version, trait, answer)
        for each in TABLE.observations
        for trait, answer in each.answers.items()
        if answer not in known.get(trait, set())
    ]
    assert not unknown


@pytest.fixture
def few(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Ask two questions only; return the list of those that were asked."""
    asked: list[str] = []

    def counting(trait: str) -> None:
        real = PROBES[trait]

        def probe(trial: Trial) -> str:
            asked.append(trait)
            return real(trial)

        monkeypatch.setitem(chosen, trait, probe)

    chosen: dict[str, object] = {}
    for trait in ("absent-capabilities", "relative-cwd"):
        counting(trait)
    monkeypatch.setattr(kept_module, "PROBES", chosen)
    return asked


@pytest.mark.root
def test_an_engine_is_asked_once(few: list[str], tmp_path: Path) -> None:
    engine = find("runt")
    assert kept(home(tmp_path), engine) is None
    first = answers_of(home(tmp_path), engine)
    assert first.answers == {"absent-capabilities": "none", "relative-cwd": "refused"}
    assert first.digest == digest_of(engine)
    assert answers_of(home(tmp_path), engine) == first == kept(home(tmp_path), engine)
    assert few == ["absent-capabilities", "relative-cwd"]
    assert answers_of(home(tmp_path), engine, again=True) == first
    assert len(few) == 4


@pytest.mark.root
@pytest.mark.parametrize(
    "damage",
    [
        "",
        "{",
        "[]",
        "null",
        '{"answers": {"relative-cwd": 1}}',
        "\udcff",
        '{"asked": {"kernel": "of yesterday"}}',
    ],
)
def test_a_damaged_record_is_made_again(few: list[str], tmp_path: Path, damage: str) -> None:
    engine = find("runt")
    first = answers_of(home(tmp_path), engine)
    (record,) = (home(tmp_path).state / "engines").glob("*.json")
    good = json.loads(record.read_text())
    record.write_bytes(damage.encode(errors="surrogateescape"))
    if damage.startswith('{"'):
        record.write_text(json.dumps(good | json.loads(damage)))
    assert kept(home(tmp_path), engine) is None
    assert answers_of(home(tmp_path), engine) == first
    assert json.loads(record.read_text()) == good
    assert len(few) == 4


@pytest.mark.root
def test_a_state_directory_that_cannot_keep_answers_does_not_matter(few: list[str], tmp_path: Path) -> None:
    (home(tmp_path).state).mkdir(parents=True)
    (home(tmp_path).state / "engines").write_text("in the way")
    assert answers_of(home(tmp_path), find("runt")).get("relative-cwd") == "refused"


@pytest.mark.root
def test_two_at_once_ask_once(few: list[str], tmp_path: Path) -> None:
    found: list[Answers] = []
    threads = [
        threading.Thread(target=lambda: found.append(answers_of(home(tmp_path), find("runt"))))
        for _ in range(2)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 2
    assert found[0] == found[1]
    assert len(few) == 2


@pytest.mark.root
def test_killed_while_it_asks_it_leaves_nothing_and_the_next_asks_all(few: list[str], tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from tutor.home import Home; from tutor.engines.engine import find;"
        "from tutor.engines.traits.kept import answers_of; p = Path(sys.argv[1]);"
        "answers_of(Home(p/'labs', p/'state', p/'cache'), find('runt'), progress=lambda n, _: print(n, flush=True))"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code, str(tmp_path)],
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parents[2],
    ) as program:
        assert program.stdout is not None
        while program.stdout.readline().strip() != "3":
            assert program.poll() is None
        os.kill(program.pid, signal.SIGKILL)
    labs = home(tmp_path).state / "labs"
    until(lambda: not list(labs.glob("*.json")))
    sweep(home(tmp_path))
    assert not Path(BUNDLES).exists()
    assert kept(home(tmp_path), find("runt")) is None
    assert answers_of(home(tmp_path), find("runt")).get("absent-capabilities") == "none"


def _observed(*versions: tuple[str, str]) -> Table:
    return Table(
        {"process": ("x",)},
        tuple(Observation("runc", version, "", "", {"x": answer}) for version, answer in versions),
    )


@pytest.mark.parametrize(
    ("observed", "answer", "verdict"),
    [
        ((("1", "a"), ("2", "a")), "a", "same"),
        ((("1", "a"), ("2", "b")), "a", "varies"),
        ((("1", "a"), ("2", "b")), "b", "differs"),
        ((("2", "a"), ("3", "b")), "c", "new"),
        ((("2", "a"),), "", "unasked"),
        ((), "a", "same"),
    ],
)
def test_an_answer_is_compared_with_the_recorded_ones(
    observed: tuple[tuple[str, str], ...], answer: str, verdict: str
) -> None:
    """The engine here is version 1."""
    asked = Answers("runc", "1", "", "", {"x": answer})
    assert _observed(*observed).verdict("x", asked, "runc", "1") == verdict


def test_a_configuration_is_patched_as_rfc_7396_says() -> None:
    assert merged({"a": {"b": 1, "c": 2}, "d": [1]}, {"a": {"b": None, "e": 3}, "d": [2]}) == {
        "a": {"c": 2, "e": 3},
        "d": [2],
    }


def test_a_trait_is_said_in_a_sentence_for_each_answer() -> None:
    """What differs between versions has them in it; what the engine here does comes last, where it is not recorded."""
    said = sentences("kill-stopped-shared-pid", Messages("ja"))
    assert said == (
        "`runt`、`runc` 1.1.5・1.1.15、`crun` 1.8.1〜1.28 は、エラーにします。"
        "`runc` 1.3.5・1.3.6・1.4.0・1.4.3・1.5.1 は、成功で終えます。"
    )
    here = sentences("kill-stopped-shared-pid", Messages("en"), "runc", "1.6.0", "accepted")
    assert here.endswith("`runc` 1.3.5/1.3.6/1.4.0/1.4.3/1.5.1: succeeds. Your `runc` 1.6.0: succeeds.")


@pytest.mark.root
def test_only_what_matters_is_asked(few: list[str], tmp_path: Path) -> None:
    engine = find("runt")
    assert answers_of(home(tmp_path), engine, {"relative-cwd"}).answers == {"relative-cwd": "refused"}
    assert answers_of(home(tmp_path), engine, {"relative-cwd"}).get("relative-cwd") == "refused"
    assert few == ["relative-cwd"]
    assert set(answers_of(home(tmp_path), engine).answers) == {"absent-capabilities", "relative-cwd"}
    assert few == ["relative-cwd", "absent-capabilities"]
