"""The commands of a session: what they are called, what they take, and what they do."""
