"""Conformance: what the runtime specification asks of a runtime, tried on any OCI runtime of this machine.

`registry` has the table of checks, `chapters/` the checks themselves, each with the clause that it looks at. `subject` is the runtime in
its lab, `runner` runs checks on it whatever it does, `report` renders what was found.
"""
