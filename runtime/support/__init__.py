"""What every room of the runtime may use: errors, files, JSON, log, numbers, signals, sockets."""
