"""What is known of a container between two commands: its record, its lock, whether it lives."""
