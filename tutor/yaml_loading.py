"""The loader for YAML that comes with the program or with a course: libyaml's, where PyYAML has it."""

from __future__ import annotations

from typing import Any, cast

import yaml

# libyaml's parser is seven times faster; PyYAML's wheels carry it, a source build may not.
LOADER: type[yaml.SafeLoader] = cast("type[yaml.SafeLoader]", getattr(yaml, "CSafeLoader", yaml.SafeLoader))


def load(text: str) -> Any:
    """Return a YAML document as plain data.

    Raises:
        yaml.YAMLError: it is not YAML.
    """
    return yaml.load(text, LOADER)  # noqa: S506  (a SafeLoader, only faster)
