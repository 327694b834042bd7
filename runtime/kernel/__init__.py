"""The system calls that Python's `os` does not have, typed, and nothing else: no policy, no configuration.

Each function is one system call, raises OSError with the kernel's errno, and is described in section 2 of the manual.
Descriptors that are returned are close-on-exec.
"""
