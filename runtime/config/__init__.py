"""`config.json`: its types, reading it, and what runtime-spec asks of it (config.md, config-linux.md)."""
