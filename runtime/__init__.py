"""`runt`: an OCI runtime for Linux, in pure Python, written to be read."""

__version__ = "0.1.0"
