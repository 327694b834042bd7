"""A child ends and is not waited for: can a signal be sent to it? Print the letter of its state."""

import os
import time

child = os.fork()
if child == 0:
    os._exit(0)
state = ""
while state not in ("Z", "X"):
    time.sleep(0.01)
    with open(f"/proc/{child}/stat", encoding="ascii") as file:
        state = file.read().rpartition(")")[2].split()[0]
os.kill(child, 0)  # no error: it is there
print(state)
os.waitpid(child, 0)
