"""`oci-tutor` on the command line: a module for each subcommand, named after it (`new-lesson`: `new_lesson.py`).

Every such module has the same two functions:

    def add_arguments(parser: argparse.ArgumentParser, messages: Messages) -> None
    def run(arguments: argparse.Namespace, messages: Messages) -> int

`add_arguments` adds the subcommand's own arguments to its parser, which already takes the common options. `run` does what the
arguments say, prints the result, and returns the exit status; for an expected failure it raises `TutorError`, which `main`
prints. In `run`, `arguments` always has the common options, with their defaults: `engine`, `course` (None: the course that
is installed with oci-tutor) and `trust`.

To add a subcommand: the module, a row in `SUBCOMMANDS` of `tutor/cli/main.py`, and `cli.NAME.help` in the catalogue (with
`cli.NAME.description`, if its own help says more than the list of subcommands).

A module is imported only when its subcommand is named on the command line, `--help` included. So what `run` needs is imported
inside it: `oci-tutor start --help` loads no TUI.
"""
