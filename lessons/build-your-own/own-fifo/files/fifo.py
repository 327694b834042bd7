"""Open a new named pipe, which nobody reads, in two ways; print the name of the error of the second."""

import errno
import os
import tempfile

with tempfile.TemporaryDirectory() as folder:
    os.mkfifo(f"{folder}/fifo")
    os.close(os.open(f"{folder}/fifo", os.O_RDWR))  # returns at once: this process is at both ends
    try:
        os.open(f"{folder}/fifo", os.O_WRONLY | os.O_NONBLOCK)
    except OSError as error:
        print(errno.errorcode[error.errno])
