"""How `runt` comes onto a machine and starts fast: the launcher, its code cache, and the protection of the interpreter."""
