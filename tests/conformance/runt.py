"""runt as a program: what `python -m runtime` is, from any directory."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from runtime.cli import main

sys.exit(main())
