"""Files that the runtime writes as a whole: the record, the pid file, a launcher."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from runtime.support import files

if TYPE_CHECKING:
    from tests.support.runt import Bundle, Runt


def test_what_lies_beside_the_file_is_neither_followed_nor_left(tmp_path: Path) -> None:
    path, beside, elsewhere = tmp_path / "file", tmp_path / "beside", tmp_path / "elsewhere"
    elsewhere.write_text("another's")
    beside.symlink_to(elsewhere)
    files.replace(str(path), b"new", str(beside))
    assert (path.read_bytes(), path.is_symlink(), elsewhere.read_text()) == (b"new", False, "another's")
    beside.write_text("a killed process's")
    files.replace(str(path), b"newer", str(beside), 0o751)
    assert (path.read_bytes(), path.stat().st_mode & 0o7777) == (b"newer", 0o751)
    assert sorted(each.name for each in tmp_path.iterdir()) == ["elsewhere", "file"]


def test_the_umask_counts_where_no_permissions_are_asked_for(tmp_path: Path) -> None:
    script = (
        "import os, sys; from runtime.support import files; os.umask(0o027)\n"
        "files.replace('plain', b'', 'new'); files.replace('exact', b'', 'new', 0o755)\n"
        "print(*(oct(os.stat(name).st_mode & 0o7777) for name in ('plain', 'exact')))\n"
    )
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    done = subprocess.run(
        [sys.executable, "-c", script],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == "0o640 0o755\n"


def test_a_file_that_cannot_be_replaced_is_named_and_nothing_is_left(tmp_path: Path) -> None:
    place = tmp_path / "directory"
    (place / "inside").mkdir(parents=True)
    with pytest.raises(IsADirectoryError) as caught:
        files.replace(str(place), b"x", str(tmp_path / "new"))
    assert caught.value.filename == str(place)
    assert [each.name for each in tmp_path.iterdir()] == ["directory"]


@pytest.mark.root
def test_a_full_disk_leaves_the_old_file_and_no_new_one(tmp_path: Path) -> None:
    script = (
        "import os, sys; from runtime.support import files; os.chdir(sys.argv[1])\n"
        "files.replace('file', b'old', 'new')\n"
        "try: files.replace('file', bytes(100_000), 'new')\n"
        "except OSError as error: print(error.strerror, error.filename)\n"
        "print(*os.listdir(), open('file').read())\n"
    )
    mount = 'mount -t tmpfs -o size=16k none "$0" && exec "$@"'
    done = subprocess.run(
        ["unshare", "--mount", "--propagation=private", "sh", "-c", mount, tmp_path, sys.executable, "-c", script, tmp_path],
        cwd=Path(__file__).parents[2], capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert done.stdout == "No space left on device file\nfile old\n"


@pytest.mark.root
@pytest.mark.peer("busybox")
def test_a_pid_file_writes_over_nothing_else(bundle: Bundle, runt: Runt, tmp_path: Path) -> None:
    mine, passwd = tmp_path / ".pid", tmp_path / "passwd"
    passwd.write_text("root::0:0")
    for make in (lambda: mine.write_text("mine"), lambda: mine.symlink_to(passwd)):
        mine.unlink(missing_ok=True)
        make()
        before = mine.read_text()
        runt.create(bundle.sh("exit"), "test", "--pid-file", str(tmp_path / "pid"))
        assert (tmp_path / "pid").read_text() == str(runt.state()["pid"])
        assert (mine.read_text(), passwd.read_text()) == (before, "root::0:0")
        runt.ok("delete", "--force", "test")
