"""Fault injection: kill the process, or fail, at every step of create, start, exec and delete, and list what is left."""
