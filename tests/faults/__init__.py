"""Fault injection: kill, or let fail, whoever is at work at every step of create, start, exec and delete, and see what is left."""
