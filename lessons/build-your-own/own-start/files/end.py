"""A child opens a pipe for writing and becomes /bin/true; print what the reader gets."""

import os

reading, writing = os.pipe()  # closed on execve, as all that Python opens
child = os.fork()
if child == 0:
    os.close(reading)
    os.execv("/bin/true", ["true"])
os.close(writing)
print(len(os.read(reading, 100)))
os.waitpid(child, 0)
