"""What can this machine do? Probes that really try, the values that they answer with, and what follows for the lessons.

`examine` asks the machine (`Machine`, plain values), `assess` and `conclude` judge those values, `report` writes them out.
Every probe has a time limit and none changes the machine: what needs a namespace is tried in a child's own.
"""

from __future__ import annotations
