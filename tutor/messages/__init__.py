"""The message catalogue: every text a user sees that is not a lesson's, in Japanese and in English.

A topic is a file (`ja/doctor.yaml`, `en/doctor.yaml`) and the first part of a key: `doctor.root.ok`. A topic is loaded
when it is first used, so that `--help` does not load the TUI's texts.
"""

from __future__ import annotations

import os
from binascii import crc32
from functools import cache
from pathlib import Path
from typing import Literal, get_args

from tutor import parsed
from tutor.home import shell_word

Language = Literal["ja", "en"]
LANGUAGES: tuple[Language, ...] = get_args(Language)
LANGUAGE_VARIABLE = "OCI_TUTOR_LANG"
"""The environment variable that names the language of the lesson to programs in its lab."""

_HERE = Path(__file__).parent
FIRST_WORDS = "first_words.txt"


def language_from_environment(environ: os._Environ[str] | dict[str, str] | None = None) -> Language:
    """Return the language of the lesson if this process runs in its lab, else of the locale (`LC_ALL`, `LC_MESSAGES`, `LANG`: locale(7)).

    Japanese is the course's first language, so it is also returned if the locale names none (`C`, `POSIX`, unset).
    """
    env = os.environ if environ is None else environ
    for language in LANGUAGES:
        if env.get(LANGUAGE_VARIABLE) == language:
            return language
    value = next((env[name] for name in ("LC_ALL", "LC_MESSAGES", "LANG") if env.get(name)), "")
    code = value.partition("_")[0].partition(".")[0].lower()
    return "ja" if code in ("", "c", "posix", "ja") else "en"


@cache
def topic_entries(language: Language, topic: str) -> dict[str, str]:
    """Return one topic's entries, flattened: `{"doctor.root.ok": "..."}`.

    Raises:
        FileNotFoundError: there is no such topic.
    """
    path = _HERE / language / f"{topic}.yaml"
    return parsed.kept(
        f"{topic}-{language}-{crc32(os.fsencode(path)):08x}",
        lambda: [str(path), __file__],
        lambda: _read(topic, path),
    )


def _read(topic: str, path: Path) -> dict[str, str]:
    from tutor import yaml_loading

    return dict(_flatten(topic, yaml_loading.load(path.read_text(encoding="utf-8"))))


def topics(language: Language) -> list[str]:
    """Return the names of a language's topics."""
    return sorted(path.stem for path in (_HERE / language).glob("*.yaml"))


def _flatten(prefix: str, tree: object) -> list[tuple[str, str]]:
    if isinstance(tree, dict):
        return [item for key, value in tree.items() for item in _flatten(f"{prefix}.{key}", value)]
    return [(prefix, str(tree))]


def first_words(language: Language) -> str:
    """Return what is shown until the first topic is loaded; a file of its own, because to load YAML takes long on a slow machine."""
    return (_HERE / language / FIRST_WORDS).read_text(encoding="utf-8").strip()


def command_name() -> str:
    """Return the name by which this program is typed; `script/tutor` sets its own, since `oci-tutor` is not on PATH there."""
    return os.environ.get("OCI_TUTOR_COMMAND", "oci-tutor")


class _Word:
    """A value that can be formatted as a word of a shell, too."""

    def __init__(self, value: object) -> None:
        self._value = value

    def __format__(self, form: str) -> str:
        return shell_word(str(self._value)) if form == "word" else format(self._value, form)


class Messages:
    """The catalogue in one language; call it with a key and the values of the entry's placeholders."""

    def __init__(self, language: Language) -> None:
        self.language: Language = language

    @classmethod
    def load(cls, language: Language) -> Messages:
        """Return the catalogue of a language; topics are read when first used."""
        return cls(language)

    def __call__(self, key: str, /, **values: object) -> str:
        """Return the text of a key with its placeholders filled in (`str.format`).

        `{path:word}` stands in a command line: the value is quoted as a shell needs it.
        `{tutor}` is replaced by `command_name`, so that commands in a text can be typed as they stand.

        Raises:
            KeyError: there is no such key (a defect: a test looks up every key that the code uses).
        """
        text = self.raw(key)
        if ":word}" in text:
            values = {name: _Word(value) for name, value in values.items()}
        return text.format(tutor=command_name(), **values)

    def raw(self, key: str) -> str:
        """Return the text of a key as written, placeholders unfilled."""
        return topic_entries(self.language, key.partition(".")[0])[key]

    def has(self, key: str) -> bool:
        """Tell whether the catalogue has a key: for keys built from data, as `course.verdict.<kind>`."""
        topic = key.partition(".")[0]
        return (_HERE / self.language / f"{topic}.yaml").exists() and key in topic_entries(
            self.language, topic
        )
