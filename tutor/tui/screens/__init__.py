"""Whole screens, which lay out widgets and handle keys."""
