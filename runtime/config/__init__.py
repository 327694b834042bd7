"""`config.json`: its types, reading it, and the rules of runtime-spec for it (config.md, config-linux.md)."""
