"""The container's cgroups, version 1 and 2, made by the runtime itself or by systemd (config-linux.md, Control groups)."""
