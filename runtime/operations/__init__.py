"""The operations of runtime.md, one module each."""
