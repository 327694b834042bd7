"""What a face shows, folded from the events of a session; it has no user interface.

Rows are NamedTuples: to define a frozen dataclass takes eight times as long, and every start of a face pays for it.
"""
