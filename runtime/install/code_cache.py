"""The modules that an operation needs, in one file of compiled code: a start opens two files instead of sixty.

There is one file for `cli`, which is loaded first, one for what each operation loads in addition, and one for each of a few
modules that are not always needed. `code_compiler` writes them, and the launcher loads them. A file is used only
while all of its sources are the files that it was compiled from. Otherwise Python imports the modules as usual, so an
edited module or an upgraded package takes effect at once.

A file is a marshalled list of modules, each after those that it imports. The first one begins with this module.
"""

from __future__ import annotations

import marshal
import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from importlib.machinery import ModuleSpec
    from types import CodeType, ModuleType
    from typing import Any

    Compiled = tuple[str, str, int, int, CodeType]
    """A module's name, its source's path, time of modification and size, and its code."""

OPERATIONS = "runtime.operations"
SOMETIMES = {
    "runtime.cgroups.lifecycle": "delete",
    "runtime.cgroups.version1": "create",
    "runtime.cgroups.version2": "create",
    "runtime.lifecycle.hooks": "start",
    "runtime.seccomp.compiler": "create",
}
"""Modules that an operation loads for some containers only, among them Docker's."""
PROTECTION = "runtime.install.protection"
_HEADS = (PROTECTION, *SOMETIMES)


class Importer:
    """A finder and loader (PEP 451) of operations: each is loaded with all modules that it needs."""

    def find_spec(
        self, name: str, _path: Sequence[str] | None = None, _target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Return the specification of an operation's module; None for another module, or if its file is out of date."""
        if not name.startswith(f"{OPERATIONS}.") and name not in _HEADS:
            return None
        if not load(path(name)):
            return None
        loader: Any = self
        return type(sys.__spec__)(name, loader)

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        """Return the module, which was loaded with its file."""
        return sys.modules[spec.name]

    def exec_module(self, module: ModuleType) -> None:
        """Do nothing: its code has been run."""


def load(cache: str) -> bool:
    """Load the modules in the file `cache` that are not loaded yet; return whether it could be done.

    Not by Python's import, which takes as long for a small module as its code does.
    """
    try:
        with open(cache, "rb", 0) as file:
            compiled: list[Compiled] = marshal.loads(file.readall())  # noqa: S302 - as trustworthy as Python's own files
    except (OSError, EOFError, ValueError, TypeError):
        return False
    return run(compiled)


def run(compiled: list[Compiled]) -> bool:
    """Run the code of the modules that are not loaded yet, unless one is out of date; return whether it was done."""
    new = [entry for entry in compiled if entry[0] not in sys.modules]
    if not all(_is_current(entry) for entry in new):
        return False
    modules = [_make_module(name, source) for name, source, *_ in new]
    for module, (_, _, _, _, code) in zip(modules, new, strict=True):
        exec(code, module.__dict__)  # noqa: S102 - as every import does
    return True


def _is_current(entry: Compiled) -> bool:
    """Tell whether a module's source is still the file that it was compiled from."""
    _, source, modified, size, _ = entry
    try:
        status = os.stat(source)
    except OSError:
        return False
    return (status.st_mtime_ns, status.st_size) == (modified, size)


def _make_module(name: str, source: str) -> ModuleType:
    """Make an empty module in `sys.modules`."""
    module = type(sys)(name)
    parent, _, child = name.rpartition(".")
    module.__file__, module.__package__ = source, parent
    if source.endswith("/__init__.py"):
        module.__package__ = name
        module.__path__ = [source.removesuffix("/__init__.py")]
    sys.modules[name] = module
    if parent in sys.modules:
        setattr(sys.modules[parent], child, module)
    return module


def path(head: str) -> str:
    """Return where the file of the module `head` is: beside Python's own files of compiled code."""
    return f"{package()}/__pycache__/{head}.{sys.implementation.cache_tag}.code"


def package() -> str:
    """Return the directory of the package `runtime`."""
    return os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
