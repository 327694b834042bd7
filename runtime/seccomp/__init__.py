"""seccomp: a program in the kernel that decides about every system call of the container (config-linux.md, Seccomp)."""
