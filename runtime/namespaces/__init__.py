"""The container's namespaces: made, joined, and filled with what belongs to them (namespaces(7))."""
