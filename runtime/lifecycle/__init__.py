"""What holds the lifecycle together: the handshake of runtime and init, hooks, interrupts (runtime.md, Lifecycle)."""
