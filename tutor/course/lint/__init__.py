"""Lint: find the defects of a course that show without playing it, each with file, line and column."""
