"""Compiling the modules of `runtime` for the launcher: writes the files that `code_cache` loads.

What only running code can show, which modules an operation loads, is recorded in a process that imports it.
"""

from __future__ import annotations
import __future__

import ast
import marshal
import os
import subprocess
import sys

from runtime.install import code_cache
from runtime.install.code_cache import OPERATIONS, PROTECTION, SOMETIMES
from runtime.support import files

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import CodeType

    from runtime.install.code_cache import Compiled

_STORE, _OPTIONS = "runtime.state.store", "runtime.state.options"
_TAKING_OPTIONS = ("checkpoint", "create", "exec", "restore", "run", "update")
"""`cli` loads the store after each operation, and after these the options."""
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
import runtime.cli, runtime.install, runtime.operations
for before, name, after in {heads!r}:
    if os.fork() == 0:
        head = ""
        __import__(before)
        head = name
        for module in (head, *after):
            __import__(module)
        os._exit(0)
    os.wait()
"""
"""Prints which modules are loaded for `cli`, and which in addition for each of the other `heads`."""


def write() -> None:
    """Compile the modules of each operation and write the files. Raises OSError."""
    package = code_cache.package()
    names = sorted(os.listdir(f"{package}/operations"))
    operations = [
        name.removesuffix(".py") for name in names if name.endswith(".py") and name != "__init__.py"
    ]
    heads: list[tuple[str, str, list[str]]] = [("runtime.cli", PROTECTION, [])]
    for name in operations:
        after = [_STORE, _OPTIONS] if name in _TAKING_OPTIONS else [_STORE]
        heads.append(("runtime.cli", f"{OPERATIONS}.{name}", after))
    heads += [(f"{OPERATIONS}.{operation}", head, []) for head, operation in SOMETIMES.items()]
    recorder = _RECORDER.format(root=os.path.dirname(package), heads=heads)
    done = subprocess.run([sys.executable, "-IS", "-c", recorder], check=True, capture_output=True, text=True)
    modules: dict[str, list[str]] = {"runtime.cli": [code_cache.__name__]}
    compiled = {code_cache.__name__: _compile(code_cache.__name__, f"{package}/install/code_cache.py")}
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
        path = code_cache.path(head)
        files.replace(path, data, f"{path}.{os.getpid()}")


def _compile(name: str, source: str) -> Compiled:
    """Compile a module without docstrings and line numbers, one of `runtime` also without what only type checkers read."""
    with open(source, "rb") as file:
        status = os.fstat(file.fileno())
        tree = ast.parse(file.read())
    flags = 0
    for node in tree.body:
        if isinstance(node, ast.ImportFrom) and node.module == "__future__":
            for switch in node.names:
                flags |= getattr(__future__, switch.name).compiler_flag
    # A module of the standard library may look at its annotations.
    if name.startswith("runtime"):
        tree = ast.fix_missing_locations(_Stripped().visit(tree))
    code = compile(tree, source, "exec", flags, dont_inherit=True, optimize=2)
    return name, source, status.st_mtime_ns, status.st_size, _without_lines(code)


class _Stripped(ast.NodeTransformer):
    """A module's tree without annotations, imports for type checkers, and the import of `__future__`."""

    def visit_ImportFrom(self, node: ast.ImportFrom) -> ast.AST:
        """Leave out the import of `__future__`, whose switches the compiler is given."""
        return ast.Pass() if node.module == "__future__" else node

    def visit_If(self, node: ast.If) -> ast.AST | list[ast.stmt]:
        """Leave out what is for type checkers."""
        self.generic_visit(node)
        if isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING":
            return node.orelse or ast.Pass()
        return node

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        """Leave out the annotations of a function."""
        self.generic_visit(node)
        node.returns = None
        return node

    def visit_arg(self, node: ast.arg) -> ast.AST:
        """Leave out the annotation of an argument."""
        node.annotation = None
        return node

    def visit_AnnAssign(self, node: ast.AnnAssign) -> ast.AST:
        """Leave out the annotation of a variable."""
        return ast.Pass() if node.value is None else ast.Assign([node.target], node.value)


def _without_lines(code: CodeType) -> CodeType:
    constants = (
        _without_lines(value) if isinstance(value, type(code)) else value for value in code.co_consts
    )
    return code.replace(co_linetable=b"", co_consts=tuple(constants))
