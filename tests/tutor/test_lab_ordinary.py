"""A lab of an ordinary user: a lesson opens without root where the machine allows it; else one message says what forbids it."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.support.lab import until
from tests.support.nobody import RANGE
from tests.support.ordinary import ordinary_user
from tests.support.runt import REPOSITORY
from tutor.lab import state_roots

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.ordinary import Ordinary

pytestmark = [pytest.mark.root, pytest.mark.peer("newuidmap", "newgidmap", "setpriv")]

IN_USER_NAMESPACE = """
import ctypes, os, sys
asked, ask = os.pipe()
parent = os.getpid()
if os.fork() == 0:
    os.read(asked, 1)
    for name in ("uid_map", "gid_map"):
        open(f"/proc/{parent}/{name}", "w").write("0 0 4294967295")
    os._exit(0)
assert ctypes.CDLL(None).unshare(0x10000000) == 0
os.write(ask, b".")
os.wait()
os.execvp(sys.argv[1], sys.argv[1:])
"""
"""Runs a program in a user namespace in which every id is itself; its limits can be set without those of the machine."""

LAB = """
import os, sys
from pathlib import Path
from tutor.home import Home
from tutor.lab.lab import Lab, prepare
place = Path(os.environ["HOME"])
home = Home(place / "labs", place / "state", place / "cache")
prepare(home)
with Lab.start(home=home, engine="runt", workdir=Path("/")) as lab:
    sleep = ["setpriv", "--reuid", "1000", "--clear-groups", "sleep", "1000"]
    lab.spawn(sleep, cwd=Path("/"), stdin=0, stdout=2, stderr=2)
    print("ready", flush=True)
    sys.stdin.read()
"""


COPIES = """
import os
from pathlib import Path
from tutor.home import Home
from tutor.lab.lab import Lab, prepare
from tutor.lab.options import PLAIN
place = Path(os.environ["HOME"])
home = Home(place / "labs", place / "state", place / "cache")
written = place / "bundle/rootfs/written"
written.parent.mkdir(parents=True)
written.with_name("before").touch()
prepare(home)
with Lab.start(home=home, engine="runt", workdir=place, options=PLAIN._replace(places=(str(place),))) as lab:
    print(lab.places[0].left, len(lab.places[0].copied), flush=True)
    written.touch()
    look = "ls bundle/rootfs; grep -c ' /bundle/rootfs .*oci-tutor-root' /proc/self/mountinfo"
    lab.spawn(["sh", "-c", look], cwd=place, stdin=0, stdout=1, stderr=2).wait()
print(sorted(each.name for each in written.parent.iterdir()), flush=True)
"""
"""Has a lab whose roots are copies, and a file written to one from outside of it."""


@pytest.fixture
def user() -> Iterator[Ordinary]:
    """An ordinary user of a machine that allows it."""
    with ordinary_user() as user:
        yield user


def test_the_lesson_of_the_first_container_is_played_to_its_end(user: Ordinary) -> None:
    done = user.tutor("--lang", "en", "verify", "first-container")
    assert "✓ first-container  steps 28/28" in done.stdout
    assert done.returncode == 0, done.stderr


@pytest.mark.peer("runc")
def test_a_container_without_namespaces_leaves_no_device_in_the_way_of_the_next(user: Ordinary) -> None:
    """Runtimes bind the host's devices where none can be made; runc opens what is there, and /dev/tty can't be opened."""
    typed = "next\n" * 9 + "solve\n" + "create\nstart\ndelete\n" * 2
    done = user.tutor("--lang", "en", "--engine", "runc", "repl", "first-container", typed=typed)
    assert done.stdout.count("● stopped") == 2
    assert "dev/tty" not in done.stdout


def test_a_step_that_cannot_be_shown_says_why_and_is_read(user: Ordinary) -> None:
    done = user.tutor("--lang", "ja", "repl", "cgroups", typed="next\nnext\nanswer a\nnext\nnext\nnext\n")
    said = "".join(done.stdout.split())
    assert "一般ユーザーとして動かしています" in said
    assert "17個の手順はここでは見せられず" in said
    third = said[said.index("手順3/21") :]
    assert "この手順は、ここでは見せられません。" in third
    assert "このラボは自分のcgroupを持てないからです" in third
    assert "（ここでは見せられません）" in third
    assert "手順4/21" in third


def test_the_program_sees_the_copies_of_roots_that_its_lab_uses() -> None:
    """On a home that is mounted nosuid, which this user can't take off: solutions and checks are about what the container has."""
    remount = 'mount --bind "$PLACE/home" "$PLACE/home"; mount -o remount,bind,nosuid "$PLACE/home"\n'
    with ordinary_user(before=remount) as user:
        command = user.command(sys.executable, "-c", COPIES)
        done = subprocess.run(
            command, cwd=REPOSITORY, env=user.environment, capture_output=True, text=True, check=False
        )
    assert done.stdout.splitlines() == ["['nosuid'] 1", "before", "written", "1", "['before']"], done.stderr


def lab_of(user: Ordinary) -> subprocess.Popen[str]:
    """Start a lab of the user with a program of another of its users in it; return when it runs."""
    process = subprocess.Popen(
        user.command(sys.executable, "-c", LAB),
        cwd=REPOSITORY,
        env=user.environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    return process


def sleepers() -> list[str]:
    """Return the processes of the user 1000 in labs of the ordinary user."""
    found = []
    for each in Path("/proc").iterdir():
        with contextlib.suppress(FileNotFoundError):  # it has ended meanwhile
            if each.name.isdecimal() and each.stat().st_uid == RANGE + 999:
                found.append(each.name)
    return found


def test_whatever_is_killed_nothing_is_left_and_a_later_start_forgets_it(user: Ordinary) -> None:
    journals = user.home / "state/labs"
    with lab_of(user) as process:
        until(lambda: len(sleepers()) == 1)
        process.kill()
        until(lambda: not sleepers())
    assert len(list(journals.iterdir())) == 1
    with lab_of(user) as process:
        assert len(list(journals.iterdir())) == 1, "that of the second lab alone"
        process.communicate("")
    assert list(journals.iterdir()) == []


def test_a_second_lab_leaves_the_first_alone(user: Ordinary) -> None:
    with lab_of(user) as first:
        until(lambda: len(sleepers()) == 1)
        before = sleepers()
        with lab_of(user) as second:
            second.communicate("")
        assert sleepers() == before
        first.communicate("")
        assert first.returncode == 0
    assert not sleepers()


def test_a_lab_of_root_that_ends_takes_no_directory_away(user: Ordinary) -> None:
    """It removes /run/runt, if it has made it: rmdir(2) unmounts what another mount namespace has mounted on it."""
    held = state_roots.acquire("/run/runt")
    try:
        with lab_of(user) as process:
            until(lambda: len(sleepers()) == 1)
            mounts = Path(f"/proc/{sleepers()[0]}/mountinfo").read_text().splitlines()
            process.communicate("")
    finally:
        os.close(held)
        state_roots.remove_unused("/run/runt")
    assert sum(line.split()[4] == "/run/runt" for line in mounts) == 1, "the host's is below the lab's"


def refusal(*arguments: str, before: str = "", ids: int = 65536, inside: tuple[str, ...] = ()) -> str:
    """Return what the user is told, who asks for a lesson in vain."""
    with ordinary_user(before=before, ids=ids) as user:
        done = user.tutor(*arguments, "repl", "first-container", inside=inside)
        assert done.returncode == 1, done.stdout
        assert "Traceback" not in done.stderr
        assert not list(user.home.rglob("labs/oci-tutor-*"))
        return done.stderr


@pytest.mark.parametrize("language", ["ja", "en"])
def test_where_no_user_namespace_may_be_made_the_switch_is_named(language: str) -> None:
    outer = "echo 0 >/proc/sys/user/max_user_namespaces\n"
    said = refusal(
        "--lang",
        language,
        before=outer,
        inside=(sys.executable, "-c", IN_USER_NAMESPACE),
    )
    assert "user.max_user_namespaces=0" in said
    assert "sudo sysctl user.max_user_namespaces=10000" in said


@pytest.mark.parametrize("switch", ["apparmor_restrict_unprivileged_userns=1", "unprivileged_userns_clone=0"])
def test_where_a_namespace_has_no_privileges_the_switch_is_named(switch: str) -> None:
    """Ubuntu's and Debian's, beside a refusal of a namespace's privileges: where /proc is hidden, none may mount another."""
    name, value = switch.split("=")
    # setpriv(1) reads the other.
    hidden = f"""
        cp /proc/sys/kernel/cap_last_cap "$PLACE"; mount -t tmpfs tmpfs /proc/sys/kernel
        cp "$PLACE/cap_last_cap" /proc/sys/kernel; echo {value} >/proc/sys/kernel/{name}
    """
    said = refusal("--lang", "en", before=hidden)
    assert f"kernel.{switch}" in said
    assert f"sudo sysctl kernel.{name}={1 - int(value)}" in said


def test_without_newuidmap_the_package_is_named() -> None:
    said = refusal(before='mount --bind /dev/null "$(command -v newuidmap)"\n')
    assert "newuidmap" in said
    assert "apt install uidmap" in said


def test_without_a_range_of_ids_the_file_is_named() -> None:
    said = refusal("--lang", "en", ids=1000)
    assert "/etc/subuid" in said
    assert "gives 1000 to nobody" in said
