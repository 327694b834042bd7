"""Fault injection: kill, or let fail, the process at work at every step of create, start, exec and delete, and see what is left."""
