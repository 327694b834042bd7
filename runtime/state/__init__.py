"""The state of a container between two commands: its record, its lock, whether it is alive."""
