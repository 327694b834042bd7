"""Runs a learner's runtime where it can harm nothing, and returns what the kernel says.

`player` is the caller's side. It starts `outside`, a process that makes a cgroup and forks the sandboxes, ends them when their time is
over, and removes the cgroup. In a sandbox, `driver` is process 1 of a PID namespace of its own: no signal from inside reaches it,
and when it ends the kernel ends everything that the runtime has started. `ground` is what it stands on: read-only mounts of the host,
a small /dev, a work area in memory. `commands` runs the runtime, in a second mount namespace that stands for the host, so that a
runtime that mounts over `/` or pivots the root of the wrong process spoils only that one. `looks` reads /proc.

Everything but `player` runs in an isolated interpreter without site-packages and uses the standard library and `tutor.lab` only.
"""
