"""Recordings of lessons that can't be done by hand on every machine, made from a real run: `python -m tests.recording`."""
