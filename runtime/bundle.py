"""All modules of `runtime` in one file of compiled code, so that a start opens one file instead of sixty.

The file: the length of the index in four bytes; the index, which is the code of this module, for each module its place in the
rest of the file, and which modules an operation needs; the code of all modules.

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

    Module = tuple[str, int, int, int, int]
    """The source's path, its time of modification, its size; where in the bundle its marshalled code is, and how long."""

_ModuleSpec = type(sys.__spec__)
"""importlib.machinery.ModuleSpec, without importing importlib."""


_RECORDER = """\
import sys
sys.path.insert(0, {root!r})
from importlib.machinery import SourceFileLoader
import {before}
load, names = SourceFileLoader.exec_module, []
def record(self, module):
    load(self, module)
    names.append(module.__name__)
SourceFileLoader.exec_module = record
import {head}
print(*(name for name in names if name.startswith("runtime")))
"""


class Importer:
    """A finder and loader (PEP 451) of the modules of a bundle."""

    def __init__(self, modules: dict[str, Module], groups: dict[str, list[str]], code: memoryview) -> None:
        self._modules = modules
        self._groups = groups
        self._code = code

    def find_spec(
        self, name: str, _path: Sequence[str] | None = None, _target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Return the specification of the module `name`; None if it isn't in the bundle, or not up to date there."""
        if name in self._groups:
            self._load_group(self._groups[name])
        if not self._is_current(name):
            return None
        source = self._modules[name][0]
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
        _, _, _, offset, length = self._modules[module.__name__]
        exec(marshal.loads(self._code[offset : offset + length]), module.__dict__)  # noqa: S102, S302 - as every import does

    def _load_group(self, names: list[str]) -> None:
        """Load the modules `names`, each after those that it imports, without what Python does around each import."""
        names = [name for name in names if name not in sys.modules]
        if not all(map(self._is_current, names)):
            return
        modules = []
        for name in names:
            module = type(sys)(name)
            module.__file__ = source = self._modules[name][0]
            module.__package__ = parent = name.rpartition(".")[0]
            if source.endswith("/__init__.py"):
                module.__package__ = name
                module.__path__ = [source.removesuffix("/__init__.py")]
            sys.modules[name] = module
            modules.append((parent, module))
        for parent, module in modules:
            if parent:
                setattr(sys.modules[parent], module.__name__.rpartition(".")[2], module)
        for _, module in modules:
            self.exec_module(module)

    def _is_current(self, name: str) -> bool:
        """Tell whether the module `name` is in the bundle, and its source is still what it was compiled from."""
        module = self._modules.get(name)
        if module is None:
            return False
        try:
            status = os.stat(module[0])
        except OSError:
            return False
        return (status.st_mtime_ns, status.st_size) == module[1:3]


def path() -> str:
    """Return where the bundle for this interpreter is: beside Python's own files of compiled code."""
    directory = os.path.dirname(os.path.abspath(__file__))
    return f"{directory}/__pycache__/runt.{sys.implementation.cache_tag}.bundle"


def write() -> None:
    """Compile every module of `runtime` and write the bundle. Raises OSError."""
    package = os.path.dirname(os.path.abspath(__file__))
    modules: dict[str, Module] = {}
    code = b""
    for directory, subdirectories, names in os.walk(package):
        subdirectories[:] = (name for name in subdirectories if name != "__pycache__")
        for name in names:
            if name.endswith(".py"):
                source = f"{directory}/{name}"
                status = os.stat(source)
                compiled = _compile(source)
                place = (source, status.st_mtime_ns, status.st_size, len(code), len(compiled))
                modules[_module_name(package, source)] = place
                code += compiled
    groups = {"runtime.cli": _group("runtime.cli", "sys")}
    for name in modules:
        if name.startswith("runtime.operations."):
            groups[name] = _group(name, "runtime.cli")
    index = marshal.dumps((_compile(f"{package}/bundle.py"), modules, groups))
    os.makedirs(os.path.dirname(path()), exist_ok=True)
    temporary = f"{path()}.{os.getpid()}"
    with open(temporary, "wb") as file:
        file.write(len(index).to_bytes(4, "little") + index + code)
    os.rename(temporary, path())


def _module_name(package: str, source: str) -> str:
    parts = ["runtime", *source.removeprefix(f"{package}/").removesuffix(".py").split("/")]
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def _group(head: str, before: str) -> list[str]:
    """Return the modules that are loaded with the module `head` after `before`, each after those that it imports."""
    import subprocess

    root = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    recorder = _RECORDER.format(root=root, before=before, head=head)
    done = subprocess.run([sys.executable, "-IS", "-c", recorder], check=True, capture_output=True, text=True)
    # Without the last one, which is `head`: it is loaded in Python's way.
    return done.stdout.split()[:-1]


def _compile(source: str) -> bytes:
    """Compile without docstrings and line numbers: nobody sees them there, and without them there is less to load."""
    with open(source, "rb") as file:
        return marshal.dumps(
            _without_lines(compile(file.read(), source, "exec", dont_inherit=True, optimize=2))
        )


def _without_lines(code: CodeType) -> CodeType:
    constants = (
        _without_lines(value) if isinstance(value, type(code)) else value for value in code.co_consts
    )
    return code.replace(co_linetable=b"", co_consts=tuple(constants))
