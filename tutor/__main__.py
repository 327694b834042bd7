"""The entry of `oci-tutor`, and of `python -m tutor`: before anything is loaded that takes long, it says that it is starting."""

from __future__ import annotations

import sys

from tutor import waiting

_QUICK = ("explain", "image", "docker", "lint", "new-lesson", "-h", "--help", "--version")
"""Words of command lines that have an answer at once, or that say themselves what they are doing."""
_INTERRUPTED = 130
"""The exit status after Ctrl-C, as a shell gives it (128 + SIGINT)."""


def main() -> int:
    """Run `oci-tutor` and return its exit status."""
    try:
        return _run(sys.argv[1:])
    except KeyboardInterrupt:  # while modules are being imported, before `tutor.cli.main` takes care of it
        waiting.clear()
        return _INTERRUPTED


def _run(argv: list[str]) -> int:
    if waiting.is_possible() and not any(word in _QUICK for word in argv):
        from tutor.cli.language import language_of
        from tutor.messages import first_words

        waiting.say(first_words(language_of(argv)))
    from tutor.collector import importing

    with importing():
        from tutor.cli.main import main as run

    return run(argv)


if __name__ == "__main__":
    sys.exit(main())
