"""CVE-2019-5736: an image whose program is `#!/proc/self/exe` tries to overwrite the interpreter that runs `runt`."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from runtime.install import interpreter
from tests.support.runt import REPOSITORY, wait_for
from tutor import patience

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.support.runt import Bundle

pytestmark = pytest.mark.root

LOAD = f"import sys; sys.path.insert(0, {str(REPOSITORY)!r}); "
EVIL = """\
#!/proc/self/exe -IS
import os
os.dup2(os.open("/proc/self/exe", os.O_RDONLY), 9)
os.execv("/bin/sh", ["sh", "/persist"])
"""
# As long as a file is executed, it can't be written to: try until the error is another one.
PERSIST = """\
until { echo overwritten >> /proc/self/fd/9; } 2>/said || ! grep -q busy /said; do :; done
readlink /proc/self/fd/9 >>/said
echo tried >>/said
"""


class Victim:
    """An interpreter for this test only, and the ways to run `runt` by it."""

    def __init__(self, directory: Path) -> None:
        system = Path("/usr/bin/python3")
        real = system if system.exists() else Path(sys.executable)
        self.real = real.resolve()
        self.path = directory / "python3"
        directory.mkdir()
        shutil.copy(self.real, self.path)
        (directory / "pyvenv.cfg").write_text(f"home = {self.real.parent}\n")
        self.content = self.path.read_bytes()
        self.root = directory / "state"

    def unprotected(self) -> list[str]:
        return [
            str(self.path),
            "-IS",
            "-c",
            f"{LOAD}from runtime.cli import main; sys.exit(main(sys.argv[1:]))",
        ]

    def plain(self) -> list[str]:
        return [str(self.path), "-IS", "-c", f"{LOAD}from runtime.cli import command; command()"]

    def installed(self) -> list[str]:
        return [self.in_launcher("print(launcher.install())")]

    def in_launcher(self, statement: str) -> str:
        code = f"{LOAD}from runtime.install import launcher; {statement}"
        return subprocess.run(
            [self.path, "-IS", "-c", code], capture_output=True, text=True, check=True
        ).stdout.strip()

    def run(self, command: list[str], *words: str | Path) -> str:
        # A file, because the container's processes keep it open.
        output = self.path.with_name("output")
        with output.open("w") as file:
            subprocess.run(
                [*command, "--root", self.root, *words],
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=file,
                check=False,
                timeout=patience.scaled(60),
            )
        return output.read_text()


@pytest.fixture
def victim(tmp_path: Path) -> Iterator[Victim]:
    victim = Victim(tmp_path / "victim")
    yield victim
    victim.run(victim.unprotected(), "delete", "--force", "attacked")
    victim.in_launcher("launcher.uninstall()")


@pytest.fixture
def image(bundle: Bundle) -> Bundle:
    """A container of the host's root user whose program runs the host's interpreter."""
    program = bundle.rootfs / "evil"
    program.write_text(EVIL)
    program.chmod(0o755)
    (bundle.rootfs / "persist").write_text(PERSIST)
    for directory in ("/usr", sys.base_prefix):
        bundle.config["mounts"].append(
            {"destination": directory, "type": "bind", "source": directory, "options": ["rbind", "ro"]}
        )
    for name in ("lib", "lib64"):
        (bundle.rootfs / name).symlink_to(f"usr/{name}")
    bundle.process["args"] = ["/evil"]
    return bundle.namespaces("pid")


def attack_by_run(victim: Victim, command: list[str], image: Bundle) -> str:
    image.save()
    victim.run(command, "run", "--detach", "-b", image.path, "attacked")
    return what_was_said(image)


def attack_by_exec(victim: Victim, command: list[str], image: Bundle) -> str:
    image.process["args"] = ["sleep", "60"]
    image.save()
    victim.run(victim.unprotected(), "run", "--detach", "-b", image.path, "attacked")
    victim.run(command, "exec", "--detach", "attacked", "/evil")
    return what_was_said(image)


def what_was_said(image: Bundle) -> str:
    said = image.rootfs / "said"
    wait_for(lambda: said.exists() and said.read_text().endswith("tried\n"))
    return said.read_text()


@pytest.mark.parametrize("attack", [attack_by_run, attack_by_exec])
class TestTheAttack:
    def test_succeeds_without_protection(
        self, attack: Callable[..., str], victim: Victim, image: Bundle
    ) -> None:
        said = attack(victim, victim.unprotected(), image)
        assert victim.path.read_bytes() == victim.content + b"overwritten\n", said

    def test_fails_on_the_mount_of_the_installed_launcher(
        self, attack: Callable[..., str], victim: Victim, image: Bundle
    ) -> None:
        said = attack(victim, victim.installed(), image)
        assert "Read-only file system" in said
        assert victim.path.read_bytes() == victim.content

    def test_fails_on_the_sealed_copy_of_any_other_start(
        self, attack: Callable[..., str], victim: Victim, image: Bundle
    ) -> None:
        said = attack(victim, victim.plain(), image)
        assert "/memfd:runt" in said
        assert "not permitted" in said
        assert victim.path.read_bytes() == victim.content


def test_the_mount_follows_an_upgrade_of_the_interpreter(victim: Victim) -> None:
    (command,) = victim.installed()
    mounted = Path(command).parent / "python3"
    victim.run([command], "run", "-b", "/", "attacked")
    assert mounted.samefile(victim.path)
    newer = victim.path.with_name("newer")
    shutil.copy(victim.path, newer)
    newer.rename(victim.path)
    victim.run([command], "run", "-b", "/", "attacked")
    assert mounted.samefile(victim.path)


def test_uninstall_leaves_nothing(victim: Victim) -> None:
    (command,) = victim.installed()
    assert "runt version" in victim.run([command], "--version")
    directory = str(Path(command).parent)
    assert directory in Path("/proc/self/mountinfo").read_text()
    victim.in_launcher("launcher.uninstall()")
    assert directory not in Path("/proc/self/mountinfo").read_text()
    assert not Path(directory).exists()


def test_a_plain_launcher_leaves_nothing_anywhere_else(victim: Victim, image: Bundle, tmp_path: Path) -> None:
    place = tmp_path / "runt"
    victim.in_launcher(f"launcher.install_plain({str(place)!r})")
    assert "tried" in attack_by_run(victim, [str(place)], image)
    assert victim.path.read_bytes() == victim.content
    assert interpreter.place(str(victim.path)) not in Path("/proc/self/mountinfo").read_text()


@pytest.mark.skipif(os.geteuid() != 0, reason="becomes an ordinary user")
def test_who_cannot_write_to_the_interpreter_needs_no_copy(victim: Victim, tmp_path: Path) -> None:
    code = f"{LOAD}import os; os.setgid(1); os.setuid(1); from runtime.install.protection import protect; protect(); print('here')"
    victim.path.parent.chmod(0o755)
    done = subprocess.run([victim.real, "-IS", "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "here\n"
