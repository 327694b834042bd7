"""seccomp: a BPF program that filters the system calls of the container (config-linux.md, Seccomp)."""
