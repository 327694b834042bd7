"""Make a directory twice, and print the name of the error of the second time."""

import errno
import os
import tempfile

with tempfile.TemporaryDirectory() as root:
    os.mkdir(f"{root}/mine")
    try:
        os.mkdir(f"{root}/mine")
    except OSError as error:
        print(errno.errorcode[error.errno])
