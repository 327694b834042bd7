"""`oci-tutor glossary [TERM]`: what a term means, and the lesson that teaches it."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import argparse

    from tutor.messages import Messages


def add_arguments(parser: argparse.ArgumentParser, messages: Messages) -> None:
    """Add the arguments of `glossary`."""
    parser.add_argument("term", metavar="TERM", nargs="*", help=messages("cli.glossary.term"))


def run(arguments: argparse.Namespace, messages: Messages) -> int:
    """Print a term, or all of them in the order of the lessons; return the exit status.

    Raises:
        TutorError: there is no such term, or the glossary is defective.
    """
    from tutor.cli.terminal import text_width
    from tutor.course.find import lessons_folder
    from tutor.course.glossary import Glossary
    from tutor.repl.paint import paint, wants_colours, wants_escapes
    from tutor.repl.reference import term_lines, term_table

    folder = arguments.course or lessons_folder()
    terms, width = Glossary.load(folder, messages.language), text_width()
    word = " ".join(arguments.term)
    lines = term_lines(terms.find(word), folder, messages, width) if word else term_table(terms.terms, width)
    print(paint(lines, escapes=wants_escapes(), colours=wants_colours()), end="")
    return 0
