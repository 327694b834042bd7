"""Whole screens: they lay out widgets and answer keys."""
