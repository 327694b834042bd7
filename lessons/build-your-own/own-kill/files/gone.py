"""Hold a process by a pidfd, let it end and be waited for, then send it a signal; print the name of the error."""

import errno
import os
import signal

child = os.fork()
if child == 0:
    os._exit(0)
process = os.pidfd_open(child)
os.waitpid(child, 0)  # from here on the number may be another process's
try:
    signal.pidfd_send_signal(process, signal.SIGTERM)
except OSError as error:
    print(errno.errorcode[error.errno])
