"""The standard library's `signal` without its enumerations, which take longer to import than the rest of a `runt state`.

It is the module in C that `signal` is built on: the same functions, and the signals are plain numbers.
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from signal import *  # noqa: F403 - all of it, whatever the version has
else:
    from _signal import *  # noqa: F403
