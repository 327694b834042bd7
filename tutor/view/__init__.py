"""What a face shows, folded from the events of a session; no user interface in it.

Rows are NamedTuples: a frozen dataclass takes eight times as long to be made, and a face waits for it when it starts.
"""
