import os


def make_fifo(c):
    """Keep the directory open instead of the pipe: its name is relative to it."""
    os.mkfifo(c.fifo, 0o600)
    c.fifo_fd = os.open(os.path.dirname(c.fifo), os.O_PATH | os.O_DIRECTORY)


def wait_for_start(c):
    c.gate = os.open(os.path.basename(c.fifo), os.O_WRONLY | os.O_CLOEXEC, dir_fd=c.fifo_fd)
    os.close(c.fifo_fd)
