"""One bundle on several engines: what the kernel says of each container, side by side, and why it differs where that is known.

`runner` has each engine create and start the bundle in a lab of its own, `facts` brings what the kernel says of a container into rows
that two engines can share, `table` puts them side by side, and `known` explains differences by the recorded traits of the engines.
"""
