"""Files that oci-tutor writes as a whole: the learner's config.json, the progress, a lab's journal, Docker's daemon.json."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.lab import home
from tutor import files
from tutor.course.course import Course
from tutor.course.storage import write_atomically
from tutor.session.workspace import Workspace

ROOT = Path(__file__).parents[2]


def permissions(path: Path) -> tuple[int, int, str]:
    status = path.lstat()
    return status.st_uid, status.st_gid, oct(status.st_mode)


@pytest.mark.root
def test_a_file_keeps_its_owner_and_its_permissions(tmp_path: Path) -> None:
    path = tmp_path / "file"
    write_atomically(path, "first")
    assert permissions(path) == (0, 0, "0o100644")
    os.chown(path, 1234, 100)
    path.chmod(0o4750)
    write_atomically(path, "second")
    assert (permissions(path), path.read_text()) == ((1234, 100, "0o104750"), "second")


@pytest.mark.root
def test_a_link_is_replaced_and_lends_nothing(tmp_path: Path) -> None:
    """As a container may leave one in a bundle, to a program that runs as root."""
    program, path = tmp_path / "program", tmp_path / "file"
    program.write_text("#!")
    program.chmod(0o4755)
    path.symlink_to(program)
    write_atomically(path, "text")
    assert (permissions(path), program.read_text()) == ((0, 0, "0o100644"), "#!")


def test_a_link_beside_the_file_is_not_followed(tmp_path: Path) -> None:
    workspace = Workspace(Course.load("en").lesson("first-container"), home(tmp_path))
    elsewhere = tmp_path / "passwd"
    elsewhere.write_text("root::0:0")
    (workspace.bundle / "rootfs" / "etc").mkdir(parents=True)
    (workspace.bundle / "rootfs" / "etc" / ".passwd.new").symlink_to(elsewhere)
    workspace.write_file("rootfs/etc/passwd", "a container's")
    assert elsewhere.read_text() == "root::0:0"
    assert [each.name for each in (workspace.bundle / "rootfs" / "etc").iterdir()] == ["passwd"]


def test_what_fails_in_between_leaves_the_old_file_and_no_new_one(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_text("old")

    def interrupted() -> None:
        with files.replacing(path) as file:
            file.write(b"half")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert [(each.name, each.read_text()) for each in tmp_path.iterdir()] == [("file", "old")]
    with pytest.raises(IsADirectoryError):
        files.replace(tmp_path, b"x", draft=tmp_path.parent / ".draft")
    assert not (tmp_path.parent / ".draft").exists()


@pytest.mark.root
def test_a_full_disk_leaves_the_old_file_and_no_new_one(tmp_path: Path) -> None:
    script = (
        "import os, sys; from pathlib import Path; from tutor.course.storage import write_atomically\n"
        "os.chdir(sys.argv[1]); write_atomically(Path('file'), 'old')\n"
        "try: write_atomically(Path('file'), 'x' * 100_000)\n"
        "except OSError as error: print(error.strerror)\n"
        "print(*os.listdir(), open('file').read())\n"
    )
    mount = 'mount -t tmpfs -o size=16k none "$0" && exec "$@"'
    done = subprocess.run(
        ["unshare", "--mount", "--propagation=private", "sh", "-c", mount, tmp_path, sys.executable, "-c", script, tmp_path],
        cwd=ROOT, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert done.stdout == "No space left on device\nfile old\n"


def test_a_reader_sees_the_old_text_or_the_new_one_whenever_the_writer_is_killed(tmp_path: Path) -> None:
    path = tmp_path / "file"
    script = (
        "import sys; from itertools import count; from pathlib import Path; from tutor.course.storage import write_atomically\n"
        "for n in count():\n"
        "    write_atomically(Path(sys.argv[1]), f'{n % 10}' * 50_000)\n"
        "    if n == 0: print('go', flush=True)\n"
    )
    for _ in range(5):
        with subprocess.Popen(
            [sys.executable, "-c", script, path], cwd=ROOT, stdout=subprocess.PIPE
        ) as writer:
            assert writer.stdout is not None
            assert writer.stdout.readline() == b"go\n"
            for _ in range(50):
                text = path.read_text()
                assert text == text[0] * 50_000
            writer.kill()
        text = path.read_text()
        assert text == text[0] * 50_000
    write_atomically(path, "end")
    assert [each.name for each in tmp_path.iterdir()] == ["file"], "what a killed one has left"
