"""All modules of `runtime` in one file of compiled code, so that a start opens one file instead of forty.

The bundle is written by `launcher` and loaded by what it writes. Each module in it is used only while its source is still
the file that it was compiled from: whoever edits a module, or upgrades the package, gets the new one at once, by Python's
own way of importing.
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

    Module = tuple[str, int, int, bytes]
    """The source's path, its time of modification, its size, and its code, marshalled."""

_ModuleSpec = type(sys.__spec__)
"""importlib.machinery.ModuleSpec, without importing importlib."""


class Importer:
    """A finder and loader (PEP 451) of the modules of a bundle."""

    def __init__(self, modules: dict[str, Module]) -> None:
        self._modules = modules

    def find_spec(
        self, name: str, _path: Sequence[str] | None = None, _target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Return the specification of the module `name`; None if it isn't in the bundle, or not up to date there."""
        module = self._modules.get(name)
        if module is None:
            return None
        source, modified, size, _ = module
        try:
            status = os.stat(source)
        except OSError:
            return None
        if (status.st_mtime_ns, status.st_size) != (modified, size):
            return None
        is_package = source.endswith("/__init__.py")
        loader: Any = self
        spec = _ModuleSpec(name, loader, origin=source, is_package=is_package)
        spec.has_location = True
        if spec.submodule_search_locations is not None:
            spec.submodule_search_locations.append(source.removesuffix("/__init__.py"))
        return spec

    def create_module(self, spec: ModuleSpec) -> None:
        """Leave the making of the module to Python."""

    def exec_module(self, module: ModuleType) -> None:
        """Run the module's code."""
        exec(marshal.loads(self._modules[module.__name__][3]), module.__dict__)  # noqa: S102, S302 - as every import does


def path() -> str:
    """Return where the bundle for this interpreter is: beside Python's own files of compiled code."""
    directory = os.path.dirname(os.path.abspath(__file__))
    return f"{directory}/__pycache__/runt.{sys.implementation.cache_tag}.bundle"


def write() -> None:
    """Compile every module of `runtime` and write the bundle. Raises OSError."""
    package = os.path.dirname(os.path.abspath(__file__))
    modules: dict[str, Module] = {}
    for directory, subdirectories, names in os.walk(package):
        subdirectories[:] = (name for name in subdirectories if name != "__pycache__")
        for name in names:
            if name.endswith(".py"):
                source = f"{directory}/{name}"
                modules[_module_name(package, source)] = _compile(source)
    importer: CodeType = marshal.loads(modules["runtime.bundle"][3])  # noqa: S302 - compiled just now
    os.makedirs(os.path.dirname(path()), exist_ok=True)
    temporary = f"{path()}.{os.getpid()}"
    with open(temporary, "wb") as file:
        file.write(marshal.dumps((importer, modules)))
    os.rename(temporary, path())


def _module_name(package: str, source: str) -> str:
    parts = ["runtime", *source.removeprefix(f"{package}/").removesuffix(".py").split("/")]
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def _compile(source: str) -> Module:
    """Compile without docstrings: nobody reads them there, and without them there is less to load."""
    with open(source, "rb") as file:
        status = os.fstat(file.fileno())
        code = compile(file.read(), source, "exec", dont_inherit=True, optimize=2)
    return source, status.st_mtime_ns, status.st_size, marshal.dumps(code)
