"""The old name of `runtime.install.protection`, for launchers that were installed by runt 0.1.0 before the move.

Such a launcher's stand-in for the interpreter (`launcher.install`) imports this at the first start after the machine's.
"""

from runtime.install.protection import mount_and_restart

__all__ = ["mount_and_restart"]
