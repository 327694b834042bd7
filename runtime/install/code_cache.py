"""The modules that an operation needs, in one file of compiled code: a start opens two files instead of sixty.

There is one file for `cli`, which is loaded first, one for what each operation loads in addition, and one for each of a few
modules that are not always needed. `launcher` writes them, and the launcher that it writes loads them. A file is used only
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

_OPERATIONS = "runtime.operations"
_SOMETIMES = {
    "runtime.cgroups.lifecycle": "delete",
    "runtime.cgroups.version1": "create",
    "runtime.cgroups.version2": "create",
    "runtime.lifecycle.hooks": "start",
    "runtime.seccomp.compiler": "create",
}
"""Modules that an operation loads for some containers only, among them Docker's."""
_STORE = "runtime.state.store"
_OPTIONS = "runtime.state.options"
_HAVE_OPTIONS = ("checkpoint", "create", "exec", "restore", "run", "update")
"""What `cli` loads with an operation: the store, to open the container, and for some the class of their options."""
_PROTECTION = "runtime.install.protection"
_HEADS = (_PROTECTION, *_SOMETIMES)
_RECORDER = """\
import os, sys
sys.path.insert(0, {root!r})
from importlib.machinery import SourceFileLoader
load = SourceFileLoader.exec_module
def record(self, module):
    load(self, module)
    print(head, module.__name__, module.__file__, sep="\\t", flush=True)
SourceFileLoader.exec_module = record
head = "runtime.cli"
import runtime.cli, {operations}, runtime.install
for before, name in {heads!r}:
    if os.fork() == 0:
        head = ""
        __import__(before)
        head = name
        __import__(head)
        if head.startswith("{operations}."):
            __import__({store!r})
            if head.rpartition(".")[2] in {have_options!r}:
                __import__({options!r})
        os._exit(0)
    os.wait()
"""
"""Prints which modules are loaded for `cli`, and which in addition for each of the other `heads`; for an operation, with what `cli` loads beside it."""


class Importer:
    """A finder and loader (PEP 451) of operations: each is loaded with all modules that it needs."""

    def find_spec(
        self, name: str, _path: Sequence[str] | None = None, _target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Return the specification of an operation's module; None for another module, or if its file is out of date."""
        if not name.startswith(f"{_OPERATIONS}.") and name not in _HEADS:
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
    return f"{_package()}/__pycache__/{head}.{sys.implementation.cache_tag}.code"


def _package() -> str:
    """Return the directory of the package `runtime`."""
    return os.path.dirname(os.path.dirname(os.path.abspath(__file__)))


def write() -> None:
    """Compile the modules of each operation and write the files. Raises OSError."""
    import subprocess

    from runtime.support import files

    package = _package()
    names = sorted(os.listdir(f"{package}/operations"))
    operations = [
        name.removesuffix(".py") for name in names if name.endswith(".py") and name != "__init__.py"
    ]
    heads = [
        ("runtime.cli", head) for head in (_PROTECTION, *(f"{_OPERATIONS}.{name}" for name in operations))
    ]
    heads += [(f"{_OPERATIONS}.{operation}", head) for head, operation in _SOMETIMES.items()]
    recorder = _RECORDER.format(
        root=os.path.dirname(package),
        operations=_OPERATIONS,
        heads=heads,
        store=_STORE,
        options=_OPTIONS,
        have_options=_HAVE_OPTIONS,
    )
    done = subprocess.run([sys.executable, "-IS", "-c", recorder], check=True, capture_output=True, text=True)
    modules: dict[str, list[str]] = {"runtime.cli": [__name__]}
    compiled = {__name__: _compile(__name__, f"{package}/install/code_cache.py")}
    for line in done.stdout.splitlines():
        head, name, source = line.split("\t")
        # The compiler has been given what `__future__` is for.
        if head and name != "__future__":
            modules.setdefault(head, []).append(name)
            if name not in compiled:
                compiled[name] = _compile(name, source)
    os.makedirs(f"{package}/__pycache__", exist_ok=True)
    for head, members in modules.items():
        data = marshal.dumps([compiled[name] for name in members])
        files.replace(path(head), data, f"{path(head)}.{os.getpid()}")


def _compile(name: str, source: str) -> Compiled:
    """Compile a module without docstrings, line numbers and the import of `__future__`, which a cache does not need."""
    import __future__

    import ast

    with open(source, "rb") as file:
        status = os.fstat(file.fileno())
        tree = ast.parse(file.read())
    switches = [
        node for node in tree.body if isinstance(node, ast.ImportFrom) and node.module == "__future__"
    ]
    flags = 0
    for node in switches:
        tree.body.remove(node)
        for switch in node.names:
            flags |= getattr(__future__, switch.name).compiler_flag
    code = compile(tree, source, "exec", flags, dont_inherit=True, optimize=2)
    return name, source, status.st_mtime_ns, status.st_size, _without_lines(code)


def _without_lines(code: CodeType) -> CodeType:
    constants = (
        _without_lines(value) if isinstance(value, type(code)) else value for value in code.co_consts
    )
    return code.replace(co_linetable=b"", co_consts=tuple(constants))
