"""Lessons: their model, loading, checks and progress. No user interface."""
