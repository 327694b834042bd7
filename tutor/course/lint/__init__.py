"""Lint: everything in a course that can be told to be wrong without playing it, each with file, line and column."""
