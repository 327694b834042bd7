"""The container's process: its streams, rights, limits and program (config.md, Process)."""
