"""`python -m runtime` is `runt`."""

from __future__ import annotations

from runtime.cli import command

command()
