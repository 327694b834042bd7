"""The garbage collector, while modules are imported."""

from __future__ import annotations

import gc
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def importing() -> Iterator[None]:
    """Collect no garbage in the block, and look at nothing later that is there at its end.

    Imports make hundreds of thousands of objects that stay; to look for garbage among them again and again takes 8 % of the start.
    """
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()
