"""The commands of a session: their names, arguments and functions."""
