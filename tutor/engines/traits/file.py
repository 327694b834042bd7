"""Where the table of traits is, for what is made from it and kept."""

from __future__ import annotations

from pathlib import Path

FILE = Path(__file__).with_name("engines.yaml")
