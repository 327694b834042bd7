"""What this machine can do: probes that really try, the values that they return, and the conclusions for the lessons.

`examine` probes the machine (`Machine`, plain values), `assess` and `conclude` draw the findings from those values, `report` prints them.
Every probe has a time limit and none changes the machine: namespaces are tried in a child process.
"""

from __future__ import annotations
