"""A racing process exchanges names in the container's root (renameat2(2)) while the runtime mounts, makes and binds there.

It exchanges a directory or file that the runtime is going to use for a link to the host, as another container with the
same volume could. CVE-2021-30465, CVE-2024-45310, CVE-2025-31133, CVE-2025-52565.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import stat
from multiprocessing import get_context
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.runt import PROC, wait_for

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.runt import Bundle, Runt

pytestmark = [pytest.mark.root, pytest.mark.peer("busybox")]

RENAME_EXCHANGE = 2
AT_FDCWD = -100
RUNS = 12
MOUNTS = 30


def exchange_for_ever(pairs: list[tuple[str, str]]) -> None:
    libc = ctypes.CDLL(None)
    while True:
        for one, two in pairs:
            libc.renameat2(AT_FDCWD, one.encode(), AT_FDCWD, two.encode(), RENAME_EXCHANGE)


@contextlib.contextmanager
def exchanging(*pairs: tuple[Path, Path]) -> Iterator[None]:
    """Start a process that exchanges the names of each pair, again and again."""
    names = [(str(one), str(two)) for one, two in pairs]
    racer = get_context("fork").Process(target=exchange_for_ever, args=(names,), daemon=True)
    racer.start()
    try:
        yield
    finally:
        racer.kill()
        racer.join()


@pytest.fixture
def outside(tmp_path: Path) -> Path:
    """A directory of the host, with the places that are mounted on inside."""
    directory = tmp_path / "outside"
    directory.mkdir()
    for number in range(MOUNTS):
        (directory / f"sub{number}").mkdir()
    (directory / "file").write_text("untouched")
    return directory


@pytest.fixture
def racing(bundle: Bundle, outside: Path) -> Iterator[Path]:
    """Yield /shared/place of the container, which alternates between a directory and a link to the host's."""
    shared = bundle.rootfs / "shared"
    (shared / "place").mkdir(parents=True)
    for number in range(MOUNTS):
        (shared / f"place/sub{number}").mkdir()
        # Where the link leads to inside the root: so a mount succeeds, whichever of the two it meets.
        (bundle.rootfs / f"{outside}/sub{number}".lstrip("/")).mkdir(parents=True)
    (shared / "link").symlink_to(outside)
    with exchanging((shared / "place", shared / "link")):
        yield shared / "place"


def untouched(outside: Path) -> bool:
    assert str(outside) not in Path("/proc/self/mountinfo").read_text()
    assert (outside / "file").read_text() == "untouched"
    names = {path.name for path in outside.iterdir()}
    return names == {"file", *(f"sub{number}" for number in range(MOUNTS))} and not any(
        any((outside / f"sub{number}").iterdir()) for number in range(MOUNTS)
    )


def test_who_goes_by_a_path_loses_the_race(racing: Path, outside: Path) -> None:
    """The proof that the race can be lost: checked, found to be a directory, and yet made outside."""
    new, made = racing / "new", outside / "new"

    def lost() -> bool:
        if stat.S_ISDIR(racing.lstat().st_mode):
            # What a runtime does in between takes longer; the racer may be on the same processor.
            os.sched_yield()
            with contextlib.suppress(OSError):
                new.mkdir()
                if not made.exists():
                    new.rmdir()
        return made.exists()

    wait_for(lost, seconds=60)


KINDS: dict[str, dict[str, Any]] = {
    "tmpfs": {"type": "tmpfs", "source": "tmpfs"},
    "volume": {"type": "bind", "source": "rootfs/bin", "options": ["rbind"]},
}


@pytest.mark.parametrize("place", ["sub{}", "new{}/deep"])
@pytest.mark.parametrize("kind", KINDS)
def test_no_mount_and_no_directory_gets_out(
    runt: Runt, bundle: Bundle, racing: Path, outside: Path, kind: str, place: str
) -> None:
    """30 mounts a run where nothing has to be made first; else its directory may be exchanged again."""
    bundle.config["mounts"] = [PROC] + [
        {**KINDS[kind], "destination": f"/shared/{racing.name}/{place.format(number)}"}
        for number in range(MOUNTS)
    ]
    bundle.sh("grep -c /sub[0-9] /proc/self/mountinfo").save()
    for _ in range(RUNS):
        done = runt("run", "-b", str(bundle.path), "test")
        assert "Traceback" not in done.stderr
        # A mount outside would not be among those of the container.
        assert done.stdout.strip() == str(MOUNTS) or place != "sub{}", done.stderr
    assert untouched(outside)


def test_no_file_device_or_working_directory_gets_out(
    runt: Runt, bundle: Bundle, racing: Path, outside: Path
) -> None:
    where = f"/shared/{racing.name}"
    file: dict[str, Any] = {"source": "config.json", "options": ["bind"]}
    device = {"type": "c", "major": 1, "minor": 3}
    bundle.config["mounts"] = [
        PROC,
        *({**file, "destination": f"{where}/file{number}"} for number in range(MOUNTS)),
    ]
    bundle.linux["devices"] = [{**device, "path": f"{where}/null{number}"} for number in range(MOUNTS)]
    bundle.linux["maskedPaths"] = bundle.linux["readonlyPaths"] = [f"{where}/file", f"{where}/sub0"]
    bundle.process["cwd"] = f"{where}/cwd"
    bundle.save()
    for _ in range(RUNS * 2):
        done = runt("run", "-b", str(bundle.path), "test")
        assert "Traceback" not in done.stderr
    assert untouched(outside)


@pytest.mark.parametrize("user", [False, True], ids=["made", "bound"])
def test_devices_that_become_links_while_they_are_looked_at(
    runt: Runt, bundle: Bundle, tmp_path: Path, user: bool
) -> None:
    """/dev/null, /dev/console and the terminal: masked paths are hidden, and no other file is opened or mounted on."""
    victim = bundle.rootfs / "victim"
    victim.write_text("untouched\n")
    (bundle.rootfs / "secret").write_text("secret")
    dev, pairs = bundle.rootfs / "dev", []
    dev.mkdir()
    for name in ("null", "zero", "console"):
        (dev / name).write_text("")
        (dev / f"{name}-link").symlink_to("/victim")
        pairs.append((dev / name, dev / f"{name}-link"))
    bundle.namespaces("pid")
    if user:
        bundle.namespaces("user", "pid")
        for which in ("uidMappings", "gidMappings"):
            bundle.linux[which] = [{"containerID": 0, "hostID": 0, "size": 65536}]
    bundle.config["mounts"].append(
        {
            "destination": "/dev/pts",
            "type": "devpts",
            "source": "devpts",
            "options": ["newinstance", "ptmxmode=0666"],
        }
    )
    bundle.process["terminal"] = True
    bundle.linux["maskedPaths"] = ["/secret"]
    bundle.sh("cat /secret; cat /victim; echo end").save()
    with exchanging(*pairs):
        for _ in range(RUNS * 2):
            done = runt("run", "-b", str(bundle.path), "test")
            assert "Traceback" not in done.stderr
            said = done.stdout.split()
            assert said in ([], ["untouched", "end"]), done
    assert victim.read_text() == "untouched\n"
