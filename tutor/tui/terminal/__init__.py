"""A terminal beside the text: the program's side of a pseudoterminal, and the emulator that keeps its screen.

Imported when a terminal is opened first: the emulator takes 0.2 seconds of processor time.
"""
