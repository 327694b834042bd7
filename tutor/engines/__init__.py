"""Engines: runt, runc and crun by one protocol. Each call is the real command line, shown to the learner as typed."""
