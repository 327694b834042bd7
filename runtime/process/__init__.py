"""The container's process: its streams, privileges, limits and program (config.md, Process)."""
