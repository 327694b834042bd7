"""The system calls that Python's `os` does not have, typed, and nothing else: no policy, no configuration.

Each function is one system call, raises OSError with the kernel's errno, and is described in section 2 of the manual. Its
docstring begins with the call ("By mount_setattr:"), then says what it does, as everywhere, in the imperative.
Descriptors that are returned are close-on-exec.
"""
