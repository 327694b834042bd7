"""The tables of steps, one for each process of an operation, and their runner."""
