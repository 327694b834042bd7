"""The table of meanings: every member of config.json that the validator knows, in both languages."""

from __future__ import annotations

import re

import pytest

from tutor.configfile.meanings import SUGGESTED, _key, dotted, every_member, member_at, path_of
from tutor.messages import LANGUAGES, Messages, topic_entries

MEMBERS = list(every_member())
# Their names say it: they are for other systems, or an architecture's own name.
UNEXPLAINED = ("/linux/seccomp/architectures/*",)


def test_every_member_has_a_meaning_in_every_language_and_a_clause() -> None:
    assert len(MEMBERS) > 250
    for language in LANGUAGES:
        m = Messages(language)
        assert [each.pattern for each in MEMBERS if not each.meaning(m)] == []
    assert [each.pattern for each in MEMBERS if each.rule.kind != "any" and ".md#" not in each.clause] == []


def test_every_value_that_the_validator_knows_has_a_meaning() -> None:
    m = Messages("en")
    untold = {
        f"{each.pattern}={value}"
        for each in MEMBERS
        if each.pattern not in UNEXPLAINED
        for value in each.rule.choices
        if not each.meaning(m, value)
    }
    assert not untold
    assert {"/mounts/*/type", "/mounts/*/options/*"} <= SUGGESTED.keys() <= {each.pattern for each in MEMBERS}
    assert all(member_at(("mounts", 0, "type")).meaning(m, each) for each in SUGGESTED["/mounts/*/type"])  # type: ignore[union-attr]


def test_every_text_of_the_catalogue_is_of_a_member() -> None:
    known = {_key(each.pattern or "/") for each in MEMBERS}
    known |= {_key(f"{each.pattern}={value}") for each in MEMBERS for value in each.values}
    assert {key.partition(".")[2] for key in topic_entries("ja", "members")} <= known


@pytest.mark.parametrize(
    ("pointer", "words"),
    [
        ("/process/args/0", "first item is the program"),
        ("/hooks/poststop/1/timeout", "so many seconds"),
        ("/linux/gidMappings/0/hostID", "seen on the host"),
        ("/mounts/3/uidMappings/0/hostID", "seen on the host"),
        ("/linux/resources/blockIO/throttleReadBpsDevice/0/rate", "per second"),
        ("/annotations/org.example~1x", "one annotation"),
        ("/linux/sysctl/net.ipv4.ip_forward", "A number is a string"),
        ("", "whole configuration"),
    ],
)
def test_a_member_is_found_by_its_pointer(pointer: str, words: str) -> None:
    found = member_at(path_of(pointer))
    assert found is not None
    assert words in found.meaning(Messages("en"))


@pytest.mark.parametrize(
    "pointer", ["/arg", "/process/args/x", "/process/args/0/a", "/root/path/0", "/mounts/type"]
)
def test_what_the_specification_does_not_know_has_none(pointer: str) -> None:
    assert member_at(path_of(pointer)) is None


def test_a_path_in_prose() -> None:
    assert dotted(path_of("/linux/namespaces/0/type")) == "linux.namespaces[0].type"
    assert member_at(("process", "cwd")).required  # type: ignore[union-attr]


def test_texts_are_short_enough_for_a_narrow_screen() -> None:
    for language in LANGUAGES:
        for key, text in topic_entries(language, "members").items():
            assert len(text) <= 170, key
            assert re.search(r"[.。)）%:]$", text) or "=SCMP_CMP" in key, f"{key}: no whole sentence"


def test_the_clauses_are_those_of_the_specification() -> None:
    """The validator's table and the explanations name the same headings."""
    clauses = {each.clause for each in MEMBERS if each.rule.kind != "any"}
    assert "config.md#posix-platform-hooks" in clauses
    assert {clause.partition("#")[0] for clause in clauses} == {"config.md", "config-linux.md"}
