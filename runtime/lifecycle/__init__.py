"""The lifecycle: the handshake of runtime and init, hooks, interrupts (runtime.md, Lifecycle)."""
