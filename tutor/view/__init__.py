"""What a face shows, folded from the events of a session; no user interface in it."""
