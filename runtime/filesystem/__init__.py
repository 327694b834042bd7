"""The container's file system: its root, mounts, devices, and paths that never lead out of it (config.md, Root and Mounts)."""
