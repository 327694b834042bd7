"""Installing `runt`: the launcher, its code cache for a fast start, and the protection of the interpreter."""
