"""CVE-2024-21626: the program's path and directory can't reach the caller's descriptors."""

from __future__ import annotations

import json
import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest

from tutor import patience

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.runt import Bundle, Runt

pytestmark = [pytest.mark.root, pytest.mark.peer("busybox")]

NUMBERS = range(3, 12)
# The caller leaks these: directories of the host and a file of it.
LEAKS = 'exec 3</ 4</etc 5</proc 6<"$LEAK" 7</ 8</ 9</; exec "$@"'
DEEP = "../" * 20


def leaking(command: list[str], directory: Path) -> subprocess.CompletedProcess[str]:
    """Run a command that inherits open descriptors of the host's directories."""
    return subprocess.run(
        ["env", f"LEAK={directory}", "sh", "-c", LEAKS, "sh", *command],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=patience.scaled(30),
    )


def test_the_caller_does_leak_them(tmp_path: Path) -> None:
    """The proof: a program that is started so, and closes nothing, sees the host by each of them."""
    (tmp_path / "here").touch()
    assert "here" in leaking(["ls", "/proc/self/fd/6/"], tmp_path).stdout
    assert "here" in leaking(["ls", f"/proc/self/fd/7{tmp_path}"], tmp_path).stdout
    (tmp_path / "busybox").symlink_to(shutil.which("busybox") or "")
    assert leaking(["/proc/self/fd/6/busybox", "echo", "reached"], tmp_path).stdout == "reached\n"


@pytest.mark.parametrize("how", ["run", "run by a link", "exec", "exec by a link", "exec --process"])
@pytest.mark.parametrize("what", ["cwd", "args"])
def test_none_leads_to_the_host(runt: Runt, bundle: Bundle, tmp_path: Path, how: str, what: str) -> None:
    # busybox chooses its program by its own name, hence the names of the links.
    program = tmp_path / "busybox"
    program.write_bytes((bundle.rootfs / "bin/busybox").read_bytes())
    program.chmod(0o755)
    bundle.namespaces("pid").process["args"] = ["sleep", "1000"]
    runt.create(bundle)
    runt.ok("start", "test")
    for number in NUMBERS:
        paths = [f"/proc/self/fd/{number}", f"/proc/thread-self/fd/{number}/{DEEP}{tmp_path}"]
        if what == "args":
            paths = [
                f"{path}/busybox" if path.endswith(str(tmp_path)) else f"{path}{program}" for path in paths
            ]
        for index, path in enumerate(paths):
            if "link" in how:
                link = f"/links/{number}-{index}/busybox"
                (bundle.rootfs / link[1:]).parent.mkdir(parents=True)
                (bundle.rootfs / link[1:]).symlink_to(path)
                path = link
            process = {
                "args": [path, "echo", "reached"] if what == "args" else ["ls", "-a", "."],
                "cwd": path if what == "cwd" else "/",
                "env": ["PATH=/bin"],
            }
            if how.startswith("run"):
                bundle.config["process"] = process
                words = ["run", "-b", str(bundle.save().path), "other"]
            elif how == "exec --process":
                (tmp_path / "process.json").write_text(json.dumps(process))
                words = ["exec", "--process", f"{tmp_path}/process.json", "test"]
            else:
                words = ["exec", "--cwd", str(process["cwd"]), "test", *process["args"]]
            done = leaking(runt.command(*words), tmp_path)
            assert done.returncode != 0, path
            assert done.stdout == "", path
            assert "Traceback" not in done.stderr
