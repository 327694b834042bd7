"""Stepping through an operation of runt from outside: the wire, the observer's end of it, the debugger. No user interface in it."""
