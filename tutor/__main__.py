"""`python -m tutor` is `oci-tutor`."""

from __future__ import annotations

import sys

from tutor.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
